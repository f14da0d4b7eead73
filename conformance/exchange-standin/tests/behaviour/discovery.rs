//! Autodiscover. Source: MS-OXDSCLI 3.2.5.

use exchange_standin::{Config, Redirect, Server};
use mapi_wire::autodiscover::{
    json::{Answer, Query},
    pox::{PoxRequest, PoxResponse},
};

use super::client::{Client, basic};

fn ask(server: &Server, user: &str, address: &str, capable: bool) -> (u16, Vec<u8>) {
    let mut client = Client::new(server, "alice");
    let mut fields = vec![
        ("Authorization", basic(user)),
        ("Content-Type", "text/xml".into()),
    ];
    if capable {
        fields.push(("X-MapiHttpCapability", "1".into()));
    }
    let body = PoxRequest::for_address(address).to_xml();
    let answer = client
        .plain(
            "POST",
            "/autodiscover/autodiscover.xml",
            &fields,
            body.as_bytes(),
        )
        .unwrap();
    (answer.status, answer.body)
}

fn answered(server: &Server, address: &str) -> PoxResponse {
    PoxResponse::parse(&ask(server, "alice", address, true).1).unwrap()
}

#[test]
fn people_are_sent_elsewhere_in_every_way() {
    let server = Server::start(Config::default()).unwrap();
    let address = "alice@example.test";
    let set = |redirect| server.redirect(address, redirect);
    set(Some(Redirect::Address("alice@other.test".into())));
    assert_eq!(
        answered(&server, address),
        PoxResponse::RedirectAddress("alice@other.test".into())
    );
    set(Some(Redirect::Url("https://other.test/".into())));
    assert_eq!(
        answered(&server, address),
        PoxResponse::RedirectUrl("https://other.test/".into())
    );
    set(Some(Redirect::Location("https://other.test/".into())));
    assert_eq!(ask(&server, "alice", address, true).0, 302);
    set(None);
    assert!(matches!(
        answered(&server, address),
        PoxResponse::Settings(_)
    ));
}

#[test]
fn unknown_addresses_and_bad_passwords_are_refused() {
    let server = Server::start(Config::default()).unwrap();
    assert!(
        matches!(answered(&server, "nobody@example.test"), PoxResponse::Error(error) if error.code == 500)
    );
    assert!(
        matches!(
            answered(&server, "everybody@example.test"),
            PoxResponse::Error(_)
        ),
        "a list"
    );
    assert_eq!(ask(&server, "mallory", "alice@example.test", true).0, 401);
}

#[test]
fn only_who_asks_for_mapi_over_http_is_told_of_it_and_of_mailboxes_to_open() {
    let server = Server::start(Config::default()).unwrap();
    server
        .mailbox("team")
        .grant_full_access("alice", true)
        .unwrap();
    let settings =
        |capable| match PoxResponse::parse(&ask(&server, "alice", "alice@example.test", capable).1)
        {
            Ok(PoxResponse::Settings(settings)) => settings,
            other => panic!("{other:?}"),
        };
    assert!(settings(false).mapi_http().is_none());
    let settings = settings(true);
    assert!(settings.mapi_http().is_some());
    let others: Vec<_> = settings
        .alternative_mailboxes
        .iter()
        .filter_map(|m| m.smtp_address.clone())
        .collect();
    assert_eq!(others, ["team@example.test"]);
}

#[test]
fn the_json_service_names_the_one_in_xml() {
    let server = Server::start(Config::default()).unwrap();
    let get = |email: &str, protocol: &str| {
        let query = Query {
            email: email.into(),
            protocol: protocol.into(),
        };
        let url = query.url("standin");
        let mut client = Client::new(&server, "alice");
        let answer = client
            .plain("GET", &super::client::target_of(&url), &[], &[])
            .unwrap();
        (answer.status, Answer::parse(&answer.body).unwrap())
    };
    let (status, found) = get("alice@example.test", "AutodiscoverV1");
    assert_eq!(status, 200);
    assert!(matches!(found, Answer::Found { url, .. } if url == server.autodiscover_url()));
    assert_eq!(get("nobody@example.test", "AutodiscoverV1").0, 404);
    assert_eq!(get("alice@example.test", "Ews").0, 404);
}
