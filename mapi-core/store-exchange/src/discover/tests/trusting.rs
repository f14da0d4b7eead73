//! Who sees the password.

use super::{
    super::{Options, Reason},
    world::{Told, World, always, mailbox, moved, options, servers},
};

/// With these hosts allowed, what a search comes to when DNS or plain HTTP says `told`.
async fn check(told: Told, allowed: &[&str], expected: Result<&str, Reason>, entrusted: &[&str]) {
    let hosts = ["mail.example.test", "hoster.test", "evil.test"];
    let all = hosts.map(|host| (host, always(mailbox(host))));
    let mut world = World::new(servers(all)).await;
    world.told = told.clone();
    let options = Options {
        allowed_hosts: allowed.iter().map(|host| host.parse().unwrap()).collect(),
        ..options()
    };
    let (trail, answer) = world.locator(options).probe().await;
    let got = answer.map(|found| found.url.host_str().unwrap().to_owned());
    let got = got.map_err(|failure| failure.reason);
    assert_eq!(got, expected.map(str::to_owned), "{told:?} {trail}");
    assert_eq!(world.entrusted(), entrusted, "{told:?}");
}

fn redirect(url: &str) -> Told {
    Told {
        redirect: Some(url.to_owned()),
        ..Told::default()
    }
}

fn srv(targets: &[(&str, u16)]) -> Told {
    let targets = targets
        .iter()
        .map(|(host, port)| ((*host).to_owned(), *port));
    Told {
        srv: targets.collect(),
        ..Told::default()
    }
}

#[tokio::test]
async fn unprotected_words_lead_within_the_domain() {
    let host = "mail.example.test";
    check(
        redirect("https://mail.example.test/x"),
        &[],
        Ok(host),
        &[host],
    )
    .await;
    check(srv(&[(host, 443)]), &[], Ok(host), &[host]).await;
    check(
        srv(&[("gone.example.test", 443), (host, 443)]),
        &[],
        Ok(host),
        &[host],
    )
    .await;
}

#[tokio::test]
async fn unprotected_words_do_not_lead_a_password_to_a_stranger() {
    let stranger = || Err(Reason::Stranger("evil.test".to_owned()));
    check(redirect("https://evil.test/x"), &[], stranger(), &[]).await;
    check(
        redirect("https://evil.test/x"),
        &["hoster.test"],
        stranger(),
        &[],
    )
    .await;
    check(
        srv(&[("evil.test", 443)]),
        &["*.evil.test"],
        stranger(),
        &[],
    )
    .await;
    for insecure in [
        "http://mail.example.test/x",
        "http://127.0.0.1/",
        "https://a@mail.example.test/",
    ] {
        check(redirect(insecure), &[], Err(Reason::NoAnswer), &[]).await;
    }
    check(srv(&[(".", 0)]), &[], Err(Reason::NoAnswer), &[]).await;
}

#[tokio::test]
async fn an_allowed_stranger_is_followed_when_tls_proves_it() {
    let host = "hoster.test";
    check(
        redirect("https://hoster.test/x"),
        &[host],
        Ok(host),
        &[host],
    )
    .await;
    check(
        srv(&[(host, 443)]),
        &["*.test.test", host],
        Ok(host),
        &[host],
    )
    .await;
    let mut world = World::new(servers([("!hoster.test", always(mailbox(host)))])).await;
    world.told = redirect("https://hoster.test/x");
    let options = Options {
        allowed_hosts: vec![host.parse().unwrap()],
        ..options()
    };
    let failure = world.locator(options).find(false).await.unwrap_err();
    assert_eq!(failure.reason, Reason::NoAnswer);
    assert_eq!(world.requests(), 0);
}

#[tokio::test]
async fn the_domain_itself_may_name_strangers() {
    let root = ("example.test", always(moved("https://hoster.test/x")));
    let hoster = ("hoster.test", always(mailbox("mail.hoster.test")));
    let world = World::new(servers([root, hoster])).await;
    assert!(world.locator(options()).find(false).await.is_ok());
    assert_eq!(world.entrusted(), ["hoster.test"]);
}

#[tokio::test]
async fn what_is_switched_off_is_not_asked() {
    let mut world = World::new(servers([])).await;
    world.told = redirect("https://mail.example.test/x");
    let options = Options {
        srv: false,
        http_redirect: false,
        ..options()
    };
    let (trail, answer) = world.locator(options).probe().await;
    assert_eq!(answer.unwrap_err().reason, Reason::NoAnswer);
    assert_eq!(trail.attempts.len(), 2);
}
