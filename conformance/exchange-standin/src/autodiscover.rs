//! Telling clients where their mailbox is. Source: MS-OXDSCLI 3.2.5.

use std::sync::Arc;

use mapi_wire::autodiscover::{
    AlternativeMailbox, MapiHttp, Protocol, RpcKind, RpcProtocol, Settings, Urls,
    json::{Answer, Query},
    pox::{PoxError, PoxRequest, PoxResponse},
};

use crate::{
    http::{request::Request, response::Response},
    model::{
        organisation::Organisation,
        user::{User, UserKind},
    },
    state::Shared,
};

/// The path of the service in XML.
pub(crate) const POX_PATH: &str = "/autodiscover/autodiscover.xml";

/// The path of the service in JSON.
pub(crate) const JSON_PATH: &str = "/autodiscover/autodiscover.json";

/// Where Autodiscover sends people instead of answering them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redirects(Vec<(String, Redirect)>);

/// How Autodiscover sends somebody elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Redirect {
    /// Ask again with this address (redirectAddr).
    Address(String),
    /// Ask again at this URL (redirectUrl).
    Url(String),
    /// HTTP status 302 to this URL.
    Location(String),
}

impl Redirects {
    /// Sends who asks for this address elsewhere; with none, nobody any more.
    pub(crate) fn set(&mut self, address: &str, redirect: Option<Redirect>) {
        self.0
            .retain(|(known, _)| !known.eq_ignore_ascii_case(address));
        self.0
            .extend(redirect.map(|redirect| (address.to_owned(), redirect)));
    }

    fn of(&self, address: &str) -> Option<&Redirect> {
        let found = self
            .0
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(address));
        found.map(|(_, redirect)| redirect)
    }
}

/// Answers a client that has logged in as `user`.
pub(crate) fn pox(shared: &Arc<Shared>, request: &Request, user: &str) -> Response {
    let asked = match PoxRequest::parse(&request.body) {
        Ok(asked) if asked.accepts_ours() => asked,
        Ok(_) => return xml(&error(601, "The provider is not available.")),
        Err(_) => return xml(&error(600, "Invalid Request")),
    };
    let state = shared.lock();
    let address = asked.email_address.clone().unwrap_or_default();
    match state.redirects.of(&address) {
        Some(Redirect::Location(location)) => {
            return Response::empty(302).field("Location", location.clone());
        }
        Some(Redirect::Url(url)) => return xml(&PoxResponse::RedirectUrl(url.clone())),
        Some(Redirect::Address(to)) => return xml(&PoxResponse::RedirectAddress(to.clone())),
        None => {}
    }
    let organisation = &state.organisation;
    let found = match &asked.legacy_dn {
        Some(dn) if address.is_empty() => organisation.by_dn(dn),
        _ => organisation.by_address(&address),
    };
    let Some(found) = found.filter(|found| !matches!(found.kind, UserKind::List(_))) else {
        return xml(&error(500, "The e-mail address can't be found."));
    };
    let capable = request
        .head
        .field("X-MapiHttpCapability")
        .is_some_and(|version| version.trim() != "0");
    let mut settings = settings(shared, organisation, found, user);
    if !capable {
        // Source: MS-OXDSCLI 2.2.2: only who asks for it is told of MAPI over HTTP.
        settings.protocols.clear();
    }
    xml(&PoxResponse::Settings(Box::new(settings)))
}

fn settings(shared: &Shared, organisation: &Organisation, found: &User, user: &str) -> Settings {
    let mut settings = Settings {
        smtp_address: Some(found.smtp.clone()),
        display_name: Some(found.display_name.clone()),
        legacy_dn: Some(found.legacy_dn.clone()),
        ..Settings::default()
    };
    let Ok(mailbox) = organisation.mailbox(&found.key) else {
        return settings;
    };
    let id = format!("{}@{}", mailbox.guid, organisation.domain);
    let urls = |endpoint| {
        let url = shared.endpoint(mailbox.site, endpoint, &id);
        Urls {
            internal: Some(url.clone()),
            external: Some(url),
        }
    };
    if shared.config.rpc.offered && !found.mapi_disabled {
        settings.protocols.extend(rpc(shared, &id));
    }
    if shared.config.rpc.beside_mapi_http && !found.mapi_disabled {
        settings.protocols.push(Protocol::MapiHttp(MapiHttp {
            mail_store: urls("emsmdb"),
            address_book: urls("nspi"),
        }));
    }
    if found.key == user {
        let shared = organisation.mailboxes.values();
        let shared =
            shared.filter(|mailbox| mailbox.key != user && mailbox.full_access.contains(user));
        let owners = shared.filter_map(|mailbox| organisation.user(&mailbox.key));
        settings.alternative_mailboxes = owners.map(alternative).collect();
    }
    settings
}

/// A proxy, and the mailbox behind it.
fn rpc(shared: &Shared, id: &str) -> [Protocol; 2] {
    let (scheme, authority) = shared.base.split_once("://").unwrap_or_default();
    let protocol = |kind, server: &str| {
        Protocol::Rpc(RpcProtocol {
            kind,
            server: Some(server.to_owned()),
            server_dn: None,
            mdb_dn: None,
            auth_package: Some("basic".to_owned()),
            is_ssl: scheme == "https",
            cert_principal_name: None,
            ews_url: None,
            oab_url: None,
        })
    };
    [
        protocol(RpcKind::Exhttp, authority),
        protocol(RpcKind::Exch, id),
    ]
}

fn alternative(owner: &User) -> AlternativeMailbox {
    AlternativeMailbox {
        kind: Some("Delegate".into()),
        display_name: Some(owner.display_name.clone()),
        legacy_dn: Some(owner.legacy_dn.clone()),
        smtp_address: Some(owner.smtp.clone()),
        owner_smtp_address: Some(owner.smtp.clone()),
        ..AlternativeMailbox::default()
    }
}

fn error(code: u32, message: &str) -> PoxResponse {
    PoxResponse::Error(PoxError {
        code,
        message: message.to_owned(),
        ..PoxError::default()
    })
}

fn xml(answer: &PoxResponse) -> Response {
    Response::empty(200).body("text/xml; charset=utf-8", answer.to_xml())
}

/// Answers a client of the JSON service, which needs no login.
pub(crate) fn json(shared: &Arc<Shared>, request: &Request) -> Response {
    let (path, query) = request
        .head
        .target
        .split_once('?')
        .unwrap_or((&request.head.target, ""));
    let answer = match Query::parse(path, query) {
        Err(answer) => return json_response(400, &answer),
        Ok(query) if !query.protocol.eq_ignore_ascii_case("AutodiscoverV1") => Answer::Error {
            code: "ProtocolNotSupported".into(),
            message: format!("The protocol '{}' is not supported.", query.protocol),
        },
        Ok(query) => {
            let state = shared.lock();
            match state.organisation.by_address(&query.email) {
                Some(_) => {
                    let found = Answer::Found {
                        protocol: "AutodiscoverV1".into(),
                        url: format!("{}{POX_PATH}", shared.base),
                    };
                    return json_response(200, &found);
                }
                None => Answer::Error {
                    code: "UserNotFound".into(),
                    message: "The user was not found.".into(),
                },
            }
        }
    };
    json_response(404, &answer)
}

fn json_response(status: u16, answer: &Answer) -> Response {
    Response::empty(status).body("application/json", answer.to_json())
}
