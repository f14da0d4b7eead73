//! What was found.

use mapi_wire::autodiscover::{AlternativeMailbox, RpcKind, Settings, Urls};

use super::{Reason, Side, Transport};
use crate::http::Url;

/// A mailbox that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which way requests go.
    pub transport: Transport,
    /// The URL of the mailbox.
    pub url: Url,
    /// The URL of the address book, if there is one.
    pub address_book_url: Option<Url>,
    /// The mailbox's distinguished name, as Connect and RopLogon want it.
    pub legacy_dn: String,
    /// The mailbox's address, as the server has it.
    pub smtp_address: Option<String>,
    /// Whose it is.
    pub display_name: Option<String>,
    /// What the server calls itself.
    pub server: Option<String>,
    /// Other mailboxes the user may open.
    pub alternative_mailboxes: Vec<AlternativeMailbox>,
    /// The address of the mailbox that holds the public folders.
    pub public_folders: Option<String>,
    /// The Autodiscover URL that knew; `None`: all was configured.
    pub autodiscover: Option<Url>,
}

impl Found {
    /// What settings say, with the endpoints that have been chosen of them.
    pub(super) fn of(
        settings: Settings,
        asked: Url,
        (transport, url, address_book_url): (Transport, Url, Option<Url>),
        dn: Option<&str>,
    ) -> Result<Self, Reason> {
        let kinds = [RpcKind::Exhttp, RpcKind::Expr, RpcKind::Exch];
        let server = kinds
            .into_iter()
            .find_map(|kind| settings.rpc(kind)?.server.clone());
        let legacy_dn = dn.map(str::to_owned).or(settings.legacy_dn);
        Ok(Self {
            transport,
            url,
            address_book_url,
            legacy_dn: legacy_dn
                .filter(|dn| !dn.is_empty())
                .ok_or(Reason::NoName)?,
            smtp_address: settings.smtp_address,
            display_name: settings.display_name,
            server,
            alternative_mailboxes: settings.alternative_mailboxes,
            public_folders: settings.public_folders,
            autodiscover: Some(asked),
        })
    }
}

/// The URLs of an endpoint, the preferred first. What is no URL is left out.
pub(super) fn in_order(urls: &Urls, prefer: Side) -> Vec<Url> {
    let mut both = [urls.external.as_deref(), urls.internal.as_deref()];
    if prefer == Side::Internal {
        both.reverse();
    }
    let mut parsed: Vec<Url> = both
        .into_iter()
        .flatten()
        .filter_map(|url| Url::parse(url).ok())
        .collect();
    parsed.dedup();
    parsed
}
