//! Mailboxes of others.

use mapi_wire::autodiscover::pox::PoxResponse;

use super::{
    super::{Options, Reason, Subject},
    world::{Does, Seen, World, always, asks, error, mailbox, options, server, servers, settings},
};

fn address(text: &str) -> Subject {
    Subject::Address(text.to_owned())
}

fn dn(text: &str) -> Subject {
    Subject::Dn(text.to_owned())
}

/// The server of the domain: it knows Anna, Bob by address and Carl by name.
fn domain(seen: &Seen) -> Does {
    let known = |name: &str| {
        let mut settings = settings(&format!("{name}.example.test"));
        settings.smtp_address = Some(format!("{name}@example.test"));
        settings.legacy_dn = Some(format!("/o=T/cn={name}"));
        asks(&PoxResponse::Settings(Box::new(settings)))
    };
    let asked = |text: &str| seen.body.contains(text);
    match () {
        () if asked("anna@example.test") => known("anna"),
        () if asked("bob@example.test") => known("bob"),
        () if asked("/o=T/cn=carl") => known("carl"),
        () if asked("dora@far.test") => {
            asks(&PoxResponse::RedirectAddress("dora@hoster.test".into()))
        }
        () => error(500, "who?"),
    }
}

#[tokio::test]
async fn the_users_own_server_is_asked_for_others() {
    let hoster = ("hoster.test", always(mailbox("dora.hoster.test")));
    let world = World::new(servers([("example.test", server(domain)), hoster])).await;
    let locator = world.locator(options());
    let cases = [
        (
            address("bob@example.test"),
            "bob.example.test",
            "/o=T/cn=bob",
        ),
        (dn("/o=T/cn=carl"), "carl.example.test", "/o=T/cn=carl"),
        (
            address("Anna@example.test"),
            "anna.example.test",
            "/o=T/cn=anna",
        ),
        (dn("/O=t/CN=ANNA"), "anna.example.test", "/o=T/cn=anna"),
        // A name that the server does not know is looked for beside the user's own mailbox.
        (dn("/o=T/cn=emil"), "anna.example.test", "/o=T/cn=emil"),
    ];
    for (subject, host, name) in cases {
        let found = locator.find_other(&subject, false).await.unwrap();
        assert_eq!(found.url.host_str(), Some(host), "{subject:?}");
        assert_eq!(found.legacy_dn, name, "{subject:?}");
    }
    let found = locator
        .find_other(&address("dora@far.test"), false)
        .await
        .unwrap();
    assert_eq!(found.url.host_str(), Some("dora.hoster.test"));
}

#[tokio::test]
async fn an_address_does_not_choose_who_sees_the_password() {
    let evil = ("evil.test", always(mailbox("mail.evil.test")));
    let world = World::new(servers([("example.test", server(domain)), evil])).await;
    let failure = world
        .locator(options())
        .find_other(&address("trap@evil.test"), false)
        .await
        .unwrap_err();
    assert_eq!(failure.reason, Reason::Unknown("500 who?".to_owned()));
    assert_eq!(world.entrusted(), ["example.test"]);
}

#[tokio::test]
async fn answers_for_others_are_kept_each_by_itself() {
    let world = World::new(servers([("example.test", server(domain))])).await;
    let locator = world.locator(options());
    let bob = address("bob@example.test");
    locator.find_other(&bob, false).await.unwrap();
    let requests = world.requests();
    locator.find_other(&bob, false).await.unwrap();
    assert_eq!(world.requests(), requests);
    locator.find_other(&bob, true).await.unwrap();
    assert!(world.requests() > requests);
}

#[tokio::test]
async fn without_autodiscover_others_are_found_by_name() {
    let world = World::new(servers([])).await;
    let locator = world.locator(Options {
        url: Some("https://set.test/emsmdb".parse().unwrap()),
        user_dn: Some("/o=T/cn=anna".to_owned()),
        ..options()
    });
    let found = locator.find_other(&dn("/o=T/cn=bob"), false).await.unwrap();
    assert_eq!(found.legacy_dn, "/o=T/cn=bob");
    assert_eq!(found.url.as_str(), "https://set.test/emsmdb");
    let failure = locator
        .find_other(&address("bob@example.test"), false)
        .await;
    assert_eq!(failure.unwrap_err().reason, Reason::NotAsked);
    assert_eq!(world.requests(), 0);
}
