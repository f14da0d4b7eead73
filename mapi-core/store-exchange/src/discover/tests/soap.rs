//! SOAP, where POX has no answer.

use mapi_wire::autodiscover::soap::{NO_ERROR, SettingsRequest, SettingsResponse};

use super::{
    super::{Options, Outcome, Reason, Step},
    world::{ANNA, Does, Seen, Server, World, answer, error, mailbox, options, server, servers},
};

/// A server that speaks SOAP to Anna, and is deaf to POX.
fn speaks(response: SettingsResponse) -> Server {
    server(move |seen: &Seen| match seen.line.contains(".svc") {
        true => {
            if seen.password {
                let asked = SettingsRequest::parse(seen.body.as_bytes()).unwrap();
                assert!(asked.mailbox.ends_with("@example.test"));
                assert!(asked.settings.contains(&"UserDN".to_owned()));
            }
            Does::Asks(Box::new(answer(200, "", &response.to_xml())))
        }
        false => answer(404, "", "no such page"),
    })
}

fn settings(all: &[(&str, &str)]) -> SettingsResponse {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    SettingsResponse {
        error_code: NO_ERROR.to_owned(),
        settings: all.iter().map(own).collect(),
        ..SettingsResponse::default()
    }
}

fn anna() -> SettingsResponse {
    settings(&[
        ("UserDN", "/o=T/cn=anna"),
        ("AutoDiscoverSMTPAddress", ANNA),
        ("MapiHttpEnabled", "True"),
        ("InternalRpcClientServer", "6f1f8a3e@example.test"),
    ])
}

fn redirect(code: &str, target: &str) -> SettingsResponse {
    SettingsResponse {
        error_code: code.to_owned(),
        redirect_target: Some(target.to_owned()),
        ..SettingsResponse::default()
    }
}

fn with_soap() -> Options {
    Options {
        soap: true,
        ..options()
    }
}

#[tokio::test]
async fn a_host_without_pox_is_asked_by_soap() {
    let world = World::new(servers([("example.test", speaks(anna()))])).await;
    let (trail, found) = world.locator(with_soap()).probe().await;
    let found = found.unwrap();
    assert_eq!(
        found.url.as_str(),
        "https://example.test/mapi/emsmdb/?MailboxId=6f1f8a3e@example.test"
    );
    let book = found.address_book_url.as_ref().unwrap();
    assert_eq!(book.path(), "/mapi/nspi/");
    assert_eq!(found.legacy_dn, "/o=T/cn=anna");
    assert_eq!(found.smtp_address.as_deref(), Some(ANNA));
    let steps: Vec<_> = trail.attempts.iter().map(|attempt| attempt.step).collect();
    assert_eq!(steps, [Step::Xml, Step::Soap]);
}

#[tokio::test]
async fn without_soap_the_next_place_is_asked() {
    let world = World::new(servers([("example.test", speaks(anna()))])).await;
    let (trail, found) = world.locator(options()).probe().await;
    assert_eq!(found.unwrap_err().reason, Reason::NoAnswer);
    assert!(
        trail
            .attempts
            .iter()
            .all(|attempt| attempt.step != Step::Soap)
    );
}

#[tokio::test]
async fn soap_redirects_to_addresses_and_urls() {
    let elsewhere = redirect(
        "RedirectUrl",
        "https://mail.example.test/autodiscover/autodiscover.svc",
    );
    let all = [
        ("example.test", speaks(elsewhere)),
        ("mail.example.test", speaks(anna())),
    ];
    let world = World::new(servers(all)).await;
    let (_, found) = world.locator(with_soap()).probe().await;
    assert_eq!(found.unwrap().url.host_str(), Some("mail.example.test"));

    let other = redirect("RedirectAddress", "anna@sub.example.test");
    let all = [
        ("example.test", speaks(other)),
        ("sub.example.test", super::world::always(mailbox("a.test"))),
    ];
    let world = World::new(servers(all)).await;
    let (_, found) = world.locator(with_soap()).probe().await;
    assert_eq!(found.unwrap().url.host_str(), Some("a.test"));
}

#[tokio::test]
async fn soap_that_goes_in_circles_comes_to_an_end() {
    let circle = redirect("RedirectAddress", ANNA);
    let world = World::new(servers([("example.test", speaks(circle))])).await;
    let (trail, found) = world.locator(with_soap()).probe().await;
    let reason = found.unwrap_err().reason;
    assert!(
        matches!(reason, Reason::NoAnswer | Reason::Endless),
        "{reason:?}"
    );
    assert!(trail.attempts.len() < 64);
}

#[tokio::test]
async fn what_soap_knows_not_and_what_pox_knows_ends_it() {
    let unknown = SettingsResponse {
        error_code: "InvalidUser".to_owned(),
        ..SettingsResponse::default()
    };
    let world = World::new(servers([("example.test", speaks(unknown))])).await;
    let (_, found) = world.locator(with_soap()).probe().await;
    assert!(matches!(found.unwrap_err().reason, Reason::Unknown(_)));

    // POX has said that there is nobody.
    let says = super::world::always(error(500, "unknown"));
    let world = World::new(servers([("example.test", says)])).await;
    let (trail, found) = world.locator(with_soap()).probe().await;
    assert!(matches!(found.unwrap_err().reason, Reason::Unknown(_)));
    assert!(
        trail
            .attempts
            .iter()
            .all(|attempt| attempt.step != Step::Soap)
    );
}

#[tokio::test]
async fn without_mapi_over_http_soap_names_no_endpoint() {
    let off = settings(&[("UserDN", "/o=T/cn=anna"), ("MapiHttpEnabled", "False")]);
    let world = World::new(servers([("example.test", speaks(off))])).await;
    let (_, found) = world.locator(with_soap()).probe().await;
    assert_eq!(found.unwrap_err().reason, Reason::NoTransport);
}

#[tokio::test]
async fn rubbish_in_soap_is_no_answer() {
    let rubbish = server(|_: &Seen| answer(200, "", "<html>"));
    let world = World::new(servers([("example.test", rubbish)])).await;
    let (trail, found) = world.locator(with_soap()).probe().await;
    assert_eq!(found.unwrap_err().reason, Reason::NoAnswer);
    let malformed = trail.attempts.iter().filter(|attempt| {
        attempt.step == Step::Soap && matches!(attempt.outcome, Outcome::Malformed(_))
    });
    assert_eq!(malformed.count(), 1);
}
