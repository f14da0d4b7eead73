//! The places of a domain, and what they may answer.

use std::time::Duration;

use mapi_wire::autodiscover::pox::PoxResponse;

use super::{
    super::{Options, Outcome, Reason, Step},
    world::{
        Does, Seen, Servers, World, always, answer, asks, elsewhere, error, mailbox, moved,
        options, server, servers,
    },
};

const XML: &str = "/autodiscover/autodiscover.xml";

/// What a search comes to: the host of the mailbox or why not, and the outcomes of its attempts.
async fn search(world: &World, options: Options) -> (Result<String, Reason>, Vec<Outcome>) {
    let (trail, answer) = world.locator(options).probe().await;
    let host = answer.map(|found| found.url.host_str().unwrap().to_owned());
    let outcomes = trail.attempts.into_iter().map(|attempt| attempt.outcome);
    (host.map_err(|failure| failure.reason), outcomes.collect())
}

async fn check(servers: Servers, expected: Result<&str, Reason>, attempts: usize) {
    let world = World::new(servers).await;
    let (got, outcomes) = search(&world, options()).await;
    assert_eq!(got, expected.map(str::to_owned), "{outcomes:?}");
    assert_eq!(outcomes.len(), attempts, "{outcomes:?}");
}

#[tokio::test]
async fn the_domain_itself_is_asked_first_and_its_subdomain_next() {
    let root = ("example.test", always(mailbox("a.test")));
    let below = ("autodiscover.example.test", always(mailbox("b.test")));
    check(servers([root, below]), Ok("a.test"), 1).await;
    let below = ("autodiscover.example.test", always(mailbox("b.test")));
    check(servers([below]), Ok("b.test"), 2).await;
}

#[tokio::test]
async fn what_is_not_autodiscover_gives_way_to_the_next_place() {
    let cases = [
        answer(404, "", "no such page"),
        answer(200, "Content-Type: text/html\r\n", "<html>welcome"),
        answer(200, "", ""),
        answer(200, "", "<Autodiscover/>"),
        answer(500, "", ""),
        answer(403, "", ""),
        answer(302, "", "without a location"),
        answer(401, "WWW-Authenticate: Digest realm=\"r\"\r\n", ""),
        Does::Asks(Box::new(answer(404, "", ""))),
        error(500, "The email address can't be found."),
        moved("http://example.test/insecure"),
        moved("https://"),
        Does::Endless("<Autodiscover>"),
    ];
    for case in cases {
        let root = ("example.test", always(case));
        let below = ("autodiscover.example.test", always(mailbox("b.test")));
        let world = World::new(servers([root, below])).await;
        let (got, outcomes) = search(&world, options()).await;
        assert_eq!(got, Ok("b.test".to_owned()), "{outcomes:?}");
        assert!(
            world
                .entrusted()
                .contains(&"autodiscover.example.test".to_owned())
        );
    }
}

#[tokio::test]
async fn a_certificate_of_another_host_is_no_host_of_the_domain() {
    let root = ("!example.test", always(mailbox("evil.test")));
    let below = ("autodiscover.example.test", always(mailbox("b.test")));
    let world = World::new(servers([root, below])).await;
    let (got, outcomes) = search(&world, options()).await;
    assert_eq!(got, Ok("b.test".to_owned()));
    let Outcome::Failed(_, why) = &outcomes[0] else {
        panic!("{outcomes:?}");
    };
    assert!(why.contains("other.test"), "{why}");
    assert_eq!(world.entrusted(), ["autodiscover.example.test"]);
}

#[tokio::test]
async fn a_silent_server_costs_its_time_and_no_more() {
    let root = ("example.test", always(Does::Nothing));
    let below = ("autodiscover.example.test", always(mailbox("b.test")));
    let world = World::new(servers([root, below])).await;
    let attempt = Duration::from_secs(3);
    let (got, outcomes) = search(
        &world,
        Options {
            attempt,
            ..options()
        },
    )
    .await;
    assert_eq!(got, Ok("b.test".to_owned()));
    assert_eq!(outcomes, [Outcome::TooSlow, Outcome::Settings]);
}

#[tokio::test]
async fn a_refusal_ends_the_search_lest_the_account_be_locked() {
    let root = ("example.test", always(mailbox("a.test")));
    let below = ("autodiscover.example.test", always(mailbox("b.test")));
    let world = World::new(servers([root, below])).await;
    let locator = world.locator_of("wrong", options());
    let (trail, answer) = locator.probe().await;
    let place = "https://example.test/autodiscover/autodiscover.xml".to_owned();
    assert_eq!(answer.unwrap_err().reason, Reason::Refused(place));
    assert_eq!(trail.attempts.len(), 1);
    // Once without the password, once with it; and whoever tries again at once is not let through.
    assert_eq!(world.requests(), 2);
    assert!(locator.find(false).await.is_err());
    assert_eq!(world.requests(), 2);
}

#[tokio::test]
async fn the_best_explanation_of_a_failure_is_given() {
    let refusing = || answer(401, "WWW-Authenticate: Digest realm=\"r\"\r\n", "");
    let busy = || answer(503, "Retry-After: 7\r\n", "");
    let place = "https://example.test/autodiscover/autodiscover.xml".to_owned();
    let cases = [
        (answer(404, "", ""), Reason::NoAnswer),
        (refusing(), Reason::NoScheme(place)),
        (busy(), Reason::Busy(Duration::from_secs(7))),
        (
            error(500, "no\r\nsuch user"),
            Reason::Unknown("500 no such user".to_owned()),
        ),
    ];
    for (does, expected) in cases {
        // The attempts: two hosts, DNS and plain HTTP.
        check(servers([("example.test", always(does))]), Err(expected), 4).await;
    }
}

#[tokio::test]
async fn redirections_are_followed_by_url_and_by_address() {
    let hoster = (
        "hoster.test",
        always(asks(&PoxResponse::RedirectAddress(
            "anna@other.test".into(),
        ))),
    );
    let other = (
        "autodiscover.other.test",
        server(|seen| {
            assert!(seen.body.contains("anna@other.test"));
            mailbox("mail.other.test")
        }),
    );
    let root_then = |seen: &Seen| match seen.line.contains("elsewhere") {
        true => elsewhere("https://hoster.test/x"),
        false => moved("/elsewhere"),
    };
    let world = World::new(servers([
        ("example.test", server(root_then)),
        hoster,
        other,
    ]))
    .await;
    let (got, outcomes) = search(&world, options()).await;
    assert_eq!(got, Ok("mail.other.test".to_owned()), "{outcomes:?}");
    assert_eq!(
        world.entrusted(),
        ["autodiscover.other.test", "example.test", "hoster.test"]
    );
}

#[tokio::test]
async fn redirections_in_a_circle_or_without_end_are_left() {
    let there = "https://autodiscover.example.test/autodiscover/autodiscover.xml";
    let back = "https://example.test/autodiscover/autodiscover.xml";
    let circle = servers([
        ("example.test", always(moved(there))),
        ("autodiscover.example.test", always(elsewhere(back))),
    ]);
    check(circle, Err(Reason::NoAnswer), 6).await;
    let address = |address: &str| asks(&PoxResponse::RedirectAddress(address.to_owned()));
    let circle = servers([
        ("example.test", always(address("anna@other.test"))),
        ("other.test", always(address("anna@example.test"))),
    ]);
    check(circle, Err(Reason::NoAnswer), 6).await;
    let ever_on = server(|seen: &Seen| {
        let path = seen.line.split(' ').nth(1).unwrap();
        moved(&format!("{path}x"))
    });
    check(
        servers([("example.test", ever_on)]),
        Err(Reason::Endless),
        11,
    )
    .await;
}

#[tokio::test]
async fn json_leads_to_where_pox_is_spoken() {
    let json = |seen: &Seen| {
        assert!(!seen.password);
        assert!(seen.line.starts_with("GET /autodiscover/autodiscover.json?Email=anna@example.test&Protocol=AutodiscoverV1 "), "{}", seen.line);
        answer(
            200,
            "",
            r#"{"Protocol":"AutodiscoverV1","Url":"https://hoster.test/pox"}"#,
        )
    };
    let hoster = ("hoster.test", always(mailbox("mail.hoster.test")));
    let world = World::new(servers([("example.test", server(json)), hoster])).await;
    let with_json = || Options {
        json: true,
        ..options()
    };
    let (got, outcomes) = search(&world, with_json()).await;
    assert_eq!(got, Ok("mail.hoster.test".to_owned()), "{outcomes:?}");
    assert_eq!(world.entrusted(), ["hoster.test"]);
    // Whatever else it says, POX is asked on the same host.
    for said in [
        answer(404, "", ""),
        answer(401, "WWW-Authenticate: Basic realm=\"r\"\r\n", ""),
        answer(200, "", "{"),
        answer(
            200,
            "",
            r#"{"ErrorCode":"UserNotFound","ErrorMessage":"who?"}"#,
        ),
        answer(
            200,
            "",
            r#"{"Protocol":"AutodiscoverV1","Url":"https://nowhere.test/"}"#,
        ),
        answer(
            200,
            "",
            r#"{"Protocol":"AutodiscoverV1","Url":"http://nowhere.test/"}"#,
        ),
        answer(
            200,
            "",
            r#"{"Protocol":"AutodiscoverV1","Url":"https://example.test/autodiscover/autodiscover.xml"}"#,
        ),
    ] {
        let root = server(move |seen: &Seen| match seen.line.starts_with("GET") {
            true => said.clone(),
            false => mailbox("a.test"),
        });
        let world = World::new(servers([("example.test", root)])).await;
        let (got, outcomes) = search(&world, with_json()).await;
        assert_eq!(got, Ok("a.test".to_owned()), "{outcomes:?}");
    }
    // A host that is not there is not asked twice.
    let world = World::new(servers([])).await;
    let (trail, _) = world.locator(with_json()).probe().await;
    let steps: Vec<Step> = trail.attempts.iter().map(|attempt| attempt.step).collect();
    assert_eq!(
        steps,
        [Step::Json, Step::Json, Step::Srv, Step::HttpRedirect]
    );
}

#[tokio::test]
async fn a_configured_url_is_the_only_place() {
    let root = ("example.test", always(mailbox("a.test")));
    let set = ("set.test:8443", always(mailbox("b.test")));
    let world = World::new(servers([root, set])).await;
    let autodiscover = |host: &str| Options {
        autodiscover: Some(format!("https://{host}{XML}").parse().unwrap()),
        ..options()
    };
    let (got, outcomes) = search(&world, autodiscover("set.test:8443")).await;
    assert_eq!((got, outcomes.len()), (Ok("b.test".to_owned()), 1));
    let (got, outcomes) = search(&world, autodiscover("gone.test")).await;
    assert_eq!((got, outcomes.len()), (Err(Reason::NoAnswer), 1));
}

#[tokio::test]
async fn an_attempt_is_told_in_one_line() {
    let root = ("example.test", always(error(500, "who\u{7}?")));
    let world = World::new(servers([root])).await;
    let (trail, answer) = world.locator(options()).probe().await;
    let told = trail.to_string();
    let lines: Vec<&str> = told
        .lines()
        .map(|line| line.split(" (").next().unwrap())
        .collect();
    assert_eq!(
        lines[0],
        "XML https://example.test/autodiscover/autodiscover.xml: error 500: who ?"
    );
    assert_eq!(
        lines[2],
        "SRV _autodiscover._tcp.example.test: nothing there"
    );
    assert_eq!(lines.len(), 4);
    assert!(told.lines().all(|line| line.ends_with(" ms)")), "{told}");
    let failure = answer.unwrap_err().to_string();
    assert_eq!(failure, "Autodiscover does not know the mailbox: 500 who ?");
}
