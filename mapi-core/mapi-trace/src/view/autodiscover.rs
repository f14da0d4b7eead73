//! Autodiscover: the document as a tree, and the settings in it. Source: MS-OXDSCLI, MS-OXWSADISC.

use mapi_wire::{
    autodiscover::{
        AlternativeMailbox, Element, MapiHttp, Protocol, RpcKind, RpcProtocol, Settings, Urls,
        json::Answer,
        pox::{PoxError, PoxRequest, PoxResponse},
        soap::{SettingsRequest, SettingsResponse},
    },
    cursor::Result,
};

use super::{Scene, View, views};
use crate::{
    node::{Entry, Node},
    recording::Direction,
};

/// What a document says.
pub(crate) fn autodiscover(
    direction: Direction,
    octets: &[u8],
    scene: &Scene<'_>,
) -> Result<Entry> {
    if octets.first() == Some(&b'{') {
        return json(octets);
    }
    let root = Element::parse(octets)?;
    let mut entry = Entry::default();
    let meaning = match (root.is("Envelope"), direction) {
        (false, Direction::Request) => PoxRequest::parse(octets)?.view(scene),
        (false, Direction::Response) => PoxResponse::parse(octets)?.view(scene),
        (true, Direction::Request) => SettingsRequest::parse(octets)?.view(scene),
        (true, Direction::Response) => SettingsResponse::parse(octets)?.view(scene),
    };
    entry.push("settings", meaning);
    entry.push("document", element(&root));
    Ok(entry)
}

fn json(octets: &[u8]) -> Result<Entry> {
    let entry = match Answer::parse(octets)? {
        Answer::Found { protocol, url } => Entry::default()
            .with("protocol", Node::Text(protocol))
            .with("url", Node::Text(url)),
        Answer::Error { code, message } => Entry::default()
            .with("error_code", Node::Text(code))
            .with("error_message", Node::Text(message)),
    };
    Ok(entry.with(
        "document",
        Node::Text(String::from_utf8_lossy(octets).into_owned()),
    ))
}

/// An element with its attributes, its text and what is in it.
fn element(element: &Element) -> Node {
    let Element {
        name,
        attributes,
        text,
        children,
        at: _,
    } = element;
    let mut entry = Entry::new("element", name);
    for (name, value) in attributes {
        let value = Node::Text(value.clone());
        entry.fields.push((format!("@{name}").into(), value));
    }
    let text = match children.is_empty() {
        true => text.as_str(),
        false => text.trim(),
    };
    match (attributes.is_empty(), children.is_empty(), text.is_empty()) {
        (_, _, true) => {}
        (true, true, false) => entry.push("value", Node::Text(text.to_owned())),
        _ => entry.push("text", Node::Text(text.to_owned())),
    }
    if !children.is_empty() {
        entry.push("elements", Node::list(children.iter().map(self::element)));
    }
    entry.into()
}

impl View for String {
    fn view(&self, _: &Scene<'_>) -> Node {
        Node::Text(self.clone())
    }
}

views! {
    PoxRequest { email_address, legacy_dn, acceptable_schema }
    PoxError { code, message, time, id }
    Settings {
        smtp_address, display_name, legacy_dn, deployment_id, is_microsoft_online, protocols,
        alternative_mailboxes, public_folders,
    }
    MapiHttp { mail_store, address_book }
    Urls { internal, external }
    RpcProtocol {
        kind, server, server_dn, mdb_dn, auth_package, is_ssl, cert_principal_name, ews_url,
        oab_url,
    }
    AlternativeMailbox {
        kind, display_name, legacy_dn, server, smtp_address, owner_smtp_address,
    }
    SettingsRequest { url, mailbox, settings }
    SettingsResponse {
        error_code, error_message, redirect_target, settings: pairs, alternate_mailboxes,
        setting_errors: pairs,
    }
}

fn pairs(pairs: &[(String, String)], _: &Scene<'_>) -> Node {
    Node::list(pairs.iter().map(|(name, value)| {
        Entry::new("name", name)
            .with("value", Node::Text(value.clone()))
            .into()
    }))
}

impl View for PoxResponse {
    fn view(&self, scene: &Scene<'_>) -> Node {
        match self {
            Self::Settings(settings) => settings.view(scene),
            Self::RedirectAddress(address) => Entry::default()
                .with("redirect_address", address.view(scene))
                .into(),
            Self::RedirectUrl(url) => Entry::default()
                .with("redirect_url", url.view(scene))
                .into(),
            Self::Error(error) => error.view(scene),
        }
    }
}

impl View for Protocol {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let (kind, node) = match self {
            Self::MapiHttp(endpoints) => ("mapiHttp", endpoints.view(scene)),
            Self::Rpc(rpc) => ("rpc", rpc.view(scene)),
            Self::Other(kind) => return Entry::new("protocol", kind).into(),
        };
        match node {
            Node::Entry(entry) => Node::Entry(Entry {
                head: vec![("protocol", kind.to_owned())],
                ..entry
            }),
            node => node,
        }
    }
}

impl View for RpcKind {
    fn view(&self, _: &Scene<'_>) -> Node {
        Node::word(match self {
            Self::Exch => "EXCH",
            Self::Expr => "EXPR",
            Self::Exhttp => "EXHTTP",
        })
    }
}
