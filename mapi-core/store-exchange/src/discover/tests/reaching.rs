//! Which of the endpoints that a server names are taken, and what is configured instead.

use mapi_wire::autodiscover::{Protocol, Settings, Urls, pox::PoxResponse};

use super::{
    super::{Found, Options, Reason, Side, Transport, TransportChoice},
    world::{World, always, answer, asks, mailbox, options, servers, settings},
};
use crate::{fault::Fault, session::Locate};

/// What is found when the server's settings have these URLs of the mailbox, and `up.test` can be reached.
async fn check(urls: [Option<&str>; 2], prefer: Side, expected: Result<&str, Reason>) {
    let [internal, external] = urls.map(|url| url.map(str::to_owned));
    let mut said = settings("up.test");
    for protocol in &mut said.protocols {
        if let Protocol::MapiHttp(endpoints) = protocol {
            endpoints.mail_store = Urls {
                internal: internal.clone(),
                external: external.clone(),
            };
        }
    }
    let got = found(
        said,
        Options {
            prefer,
            ..options()
        },
    )
    .await;
    let got = got.map(|found| found.url.to_string());
    assert_eq!(got, expected.map(str::to_owned), "{urls:?}");
}

async fn found(said: Settings, options: Options) -> Result<Found, Reason> {
    let root = always(asks(&PoxResponse::Settings(Box::new(said))));
    let up = always(answer(404, "", ""));
    let other = always(answer(404, "", ""));
    let all = servers([("example.test", root), ("up.test", up), ("up2.test", other)]);
    let world = World::new(all).await;
    let answer = world.locator(options).find(false).await;
    answer
        .map(|found| (*found).clone())
        .map_err(|failure| failure.reason)
}

#[tokio::test]
async fn the_preferred_url_that_can_be_reached_is_taken() {
    let (up, up2, down) = (
        "https://up.test/a",
        "https://up2.test/b",
        "https://down.test/c",
    );
    let (internal, external) = (Side::Internal, Side::External);
    check([Some(up), Some(up2)], external, Ok(up2)).await;
    check([Some(up), Some(up2)], internal, Ok(up)).await;
    check([Some(up), Some(down)], external, Ok(up)).await;
    check([Some(down), Some(up)], internal, Ok(up)).await;
    check([Some(down), None], external, Ok(down)).await;
    check(
        [Some(down), Some("https://down2.test/")],
        external,
        Ok("https://down2.test/"),
    )
    .await;
    check([Some("http://up.test/"), Some(down)], internal, Ok(down)).await;
}

#[tokio::test]
async fn without_a_url_that_may_be_used_there_is_no_mailbox() {
    let insecure = [Some("http://up.test/"), Some("http://127.0.0.1/")];
    check(insecure, Side::External, Err(Reason::NoPrivateUrl)).await;
    for urls in [[None, Some("not a url")], [None, None]] {
        // The server speaks RPC, too.
        let proxy = "https://up.test/rpc/rpcproxy.dll?up.test:6001";
        check(urls, Side::External, Ok(proxy)).await;
    }
    let mut said = settings("up.test");
    said.protocols
        .retain(|protocol| !matches!(protocol, Protocol::MapiHttp(_)));
    let only = Options {
        transport: TransportChoice::Only(Transport::MapiHttp),
        ..options()
    };
    assert_eq!(found(said, only).await.unwrap_err(), Reason::NoTransport);
    let mut said = settings("up.test");
    said.protocols.clear();
    assert_eq!(
        found(said, options()).await.unwrap_err(),
        Reason::NoTransport
    );
}

#[tokio::test]
async fn what_is_found_says_who_it_is() {
    let found = found(settings("up.test"), options()).await.unwrap();
    assert_eq!(found.legacy_dn, "/o=T/cn=anna");
    assert_eq!(found.display_name.as_deref(), Some("Anna"));
    assert_eq!(found.server.as_deref(), Some("up.test"));
    let book = found.address_book_url.unwrap();
    assert_eq!(book.as_str(), "https://up.test/mapi/nspi/?MailboxId=1");
}

#[tokio::test]
async fn a_nameless_mailbox_needs_a_configured_name() {
    let nameless = || Settings {
        legacy_dn: None,
        ..settings("up.test")
    };
    assert_eq!(
        found(nameless(), options()).await.unwrap_err(),
        Reason::NoName
    );
    let options = Options {
        user_dn: Some("/o=T/cn=set".to_owned()),
        ..options()
    };
    assert_eq!(
        found(nameless(), options).await.unwrap().legacy_dn,
        "/o=T/cn=set"
    );
}

#[tokio::test]
async fn what_is_configured_stands_above_what_is_said() {
    let set = Options {
        url: Some("https://set.test/emsmdb".parse().unwrap()),
        address_book_url: Some("https://set.test/nspi".parse().unwrap()),
        ..options()
    };
    let found = found(settings("up.test"), set.clone()).await.unwrap();
    assert_eq!(found.url.as_str(), "https://set.test/emsmdb");
    assert_eq!(
        found.address_book_url.unwrap().as_str(),
        "https://set.test/nspi"
    );
    assert_eq!(found.legacy_dn, "/o=T/cn=anna");
    // With the name, too, nobody is asked.
    let world = World::new(servers([("example.test", always(mailbox("a.test")))])).await;
    let all_set = Options {
        user_dn: Some("/o=T/cn=set".to_owned()),
        ..set
    };
    let located = world.locator(all_set).locate(true).await.unwrap();
    assert_eq!(&*located.user_dn, "/o=T/cn=set");
    assert_eq!(located.server.url.as_str(), "https://set.test/emsmdb");
    assert_eq!(world.requests(), 0);
}

#[tokio::test]
async fn failures_are_faults_of_their_kind() {
    let nothing = always(answer(503, "Retry-After: 9\r\n", ""));
    let world = World::new(servers([("example.test", nothing)])).await;
    let fault = world.locator(options()).locate(false).await.unwrap_err();
    assert!(
        matches!(fault, Fault::Busy(wait) if wait.as_secs() == 9),
        "{fault:?}"
    );
    let world = World::new(servers([("example.test", always(mailbox("a.test")))])).await;
    let fault = world
        .locator_of("wrong", options())
        .locate(false)
        .await
        .unwrap_err();
    assert!(matches!(fault, Fault::Unauthenticated(_)), "{fault:?}");
    let world = World::new(servers([])).await;
    let fault = world.locator(options()).locate(false).await.unwrap_err();
    assert!(matches!(fault, Fault::Away(_)), "{fault:?}");
}
