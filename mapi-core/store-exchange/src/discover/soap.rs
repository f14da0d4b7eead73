//! Asking by SOAP where POX has no answer: what the settings of GetUserSettings come to.
//!
//! SOAP does not name the endpoints of MAPI over HTTP. Where it says that this is switched on, they are taken to be where
//! every Exchange server has them, on the host that answered.
//!
//! Source: MS-OXWSADISC 2.2.4, 3.1.4.3.

use mapi_wire::autodiscover::{
    MapiHttp, Protocol, RpcKind, RpcProtocol, Settings, Urls,
    element::DOCUMENT_BYTES_MAX,
    pox::ANCHOR_MAILBOX,
    soap::{ACTION, CONTENT_TYPE, NO_ERROR, PATH, SettingsRequest, SettingsResponse},
};

use super::{
    Outcome,
    ask::{Said, insert},
    trail::said,
};
use crate::{
    fault::BUSY_DEFAULT,
    http::{Request, Url, header},
};

/// What is asked for.
const SETTINGS: [&str; 9] = [
    "UserDisplayName",
    "UserDN",
    "AutoDiscoverSMTPAddress",
    "MapiHttpEnabled",
    "InternalRpcClientServer",
    "ExternalMailboxServer",
    "ExternalMailboxServerRequiresSSL",
    "AlternateMailboxes",
    "PublicFolderInformation",
];

/// Whether SOAP is spoken at a URL.
pub(super) fn is_spoken_at(url: &Url) -> bool {
    url.path().to_ascii_lowercase().ends_with(".svc")
}

/// Where SOAP is spoken on the host of a URL.
pub(super) fn beside(url: &Url) -> Option<Url> {
    url.join(PATH).ok().filter(|soap| soap != url)
}

/// The request for an address.
pub(super) fn request(url: &Url, address: &str) -> Request {
    let ask = SettingsRequest {
        url: url.to_string(),
        mailbox: address.to_owned(),
        settings: SETTINGS.map(str::to_owned).into(),
    };
    let mut request = Request::post(url.clone(), ask.to_xml());
    request.response_bytes_max = Some(DOCUMENT_BYTES_MAX as u64);
    let action = format!("\"{ACTION}\"");
    insert(&mut request, header::CONTENT_TYPE.as_str(), CONTENT_TYPE);
    insert(&mut request, "SOAPAction", &action);
    insert(&mut request, ANCHOR_MAILBOX, address);
    request
}

/// What an answer says.
pub(super) fn read(document: &[u8], by: &Url) -> Said {
    let answer = match SettingsResponse::parse(document) {
        Ok(answer) => answer,
        Err(error) => return Said::No(Outcome::Malformed(error)),
    };
    match (answer.error_code.as_str(), &answer.redirect_target) {
        (NO_ERROR, _) => Said::Settings(Box::new(settings(answer, by))),
        ("RedirectAddress", Some(address)) => Said::Address(address.clone()),
        ("RedirectUrl", Some(url)) => Said::Url(url.clone()),
        ("ServerBusy", _) => Said::No(Outcome::Busy(BUSY_DEFAULT)),
        (code, _) => {
            let message = answer.error_message.unwrap_or_default();
            Said::No(Outcome::Error(said(code), said(&message)))
        }
    }
}

fn settings(answer: SettingsResponse, by: &Url) -> Settings {
    let text = |name: &str| {
        let text = answer.setting(name).map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let is = |name: &str| text(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let mailbox = text("InternalRpcClientServer");
    let mut protocols = Vec::new();
    if is("MapiHttpEnabled") {
        protocols.push(Protocol::MapiHttp(MapiHttp {
            mail_store: endpoint(by, "emsmdb", mailbox.as_deref()),
            address_book: endpoint(by, "nspi", mailbox.as_deref()),
        }));
    }
    let rpc = |kind, server: Option<String>| {
        let server = server?;
        Some(Protocol::Rpc(RpcProtocol {
            kind,
            server: Some(server),
            server_dn: None,
            mdb_dn: None,
            auth_package: None,
            is_ssl: text("ExternalMailboxServerRequiresSSL")
                .is_none_or(|value| value.eq_ignore_ascii_case("true")),
            cert_principal_name: None,
            ews_url: None,
            oab_url: None,
        }))
    };
    protocols.extend(rpc(RpcKind::Exch, mailbox));
    protocols.extend(rpc(RpcKind::Expr, text("ExternalMailboxServer")));
    Settings {
        smtp_address: text("AutoDiscoverSMTPAddress"),
        display_name: text("UserDisplayName"),
        legacy_dn: text("UserDN"),
        public_folders: text("PublicFolderInformation").filter(|address| address.contains('@')),
        protocols,
        alternative_mailboxes: answer.alternate_mailboxes,
        ..Settings::default()
    }
}

/// Where an endpoint is by default. A mailbox is named as RPC names it: by its GUID at a domain.
fn endpoint(by: &Url, name: &str, mailbox: Option<&str>) -> Urls {
    let url = by.join(&format!("/mapi/{name}/")).ok().map(|mut url| {
        if let Some(mailbox) = mailbox.filter(|mailbox| mailbox.contains('@')) {
            url.query_pairs_mut().append_pair("MailboxId", mailbox);
        }
        url.to_string().replace("%40", "@")
    });
    Urls {
        internal: None,
        external: url,
    }
}
