//! Consent in a browser.

use std::sync::Arc;

use front_end::Unthrottled;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
};

use super::{
    issuer::Issuer,
    tokens::{check_mailbox, with_user},
    world::{ALICE, BOB, World},
};
use crate::{
    exchange::login_page::{Peer, routes},
    http,
};

const FLOW: &str = "flow = \"authorization_code\"\ntoken_key_file = \"DIR/key\"\n\
    redirect_url = \"https://gateway.example.test/exchange/callback\"";

struct Browser {
    router: axum::Router,
    cookie: String,
}

impl Browser {
    fn new(world: &World, private: bool) -> Self {
        let peer = Peer {
            addr: None,
            private,
        };
        Self {
            router: routes(&world.gateway, Arc::new(Unthrottled)).layer(axum::Extension(peer)),
            cookie: String::new(),
        }
    }

    /// Sends a request, and returns the whole answer. Cookies are kept.
    async fn send(&mut self, line: &str, body: &str) -> String {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let (_stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(http::serve(server, self.router.clone(), stopping));
        let cookie = match self.cookie.as_str() {
            "" => String::new(),
            cookie => format!("Cookie: other=1; {cookie}\r\n"),
        };
        let request = format!(
            "{line} HTTP/1.1\r\nHost: gateway.example.test\r\nConnection: close\r\n{cookie}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        serving.await.unwrap().unwrap();
        if let Some(set) = field(&answer, "set-cookie") {
            self.cookie = set.split(';').next().unwrap().to_owned();
        }
        answer
    }

    /// Fills in the form; returns where the browser is sent.
    async fn begin(&mut self, user: &str, password: &str) -> Result<String, String> {
        let form = format!(
            "address={}&password={}",
            user.replace('@', "%40"),
            password.replace(' ', "+")
        );
        let answer = self.send("POST /exchange/login", &form).await;
        match field(&answer, "location") {
            Some(url) if answer.starts_with("HTTP/1.1 303") => Ok(url.to_owned()),
            _ => Err(answer.split("\r\n").next().unwrap().to_owned()),
        }
    }

    /// Comes back from the issuer.
    async fn come_back(&mut self, url: &str) -> String {
        let state = url.split("state=").nth(1).unwrap();
        let state = state.split('&').next().unwrap();
        let line = format!("GET /exchange/callback?code=c&state={state}");
        let answer = self.send(&line, "").await;
        answer.split("\r\n").next().unwrap().to_owned()
    }
}

fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| {
        let (of, value) = line.split_once(": ")?;
        of.eq_ignore_ascii_case(name).then_some(value)
    })
}

async fn world() -> (World, Issuer) {
    with_user(ALICE, FLOW).await
}

#[tokio::test]
async fn a_consent_in_a_browser_opens_the_mailbox() {
    let (world, issuer) = world().await;
    let mut browser = Browser::new(&world, true);
    let form = browser.send("GET /exchange/login", "").await;
    assert!(form.starts_with("HTTP/1.1 200") && form.contains("<form"));
    let url = browser.begin(ALICE, "of the gateway").await.unwrap();
    assert!(
        url.starts_with(&format!("{}/authorize?", issuer.url)),
        "{url}"
    );
    for part in [
        "code_challenge_method=S256",
        "client_id=gateway",
        "login_hint=alice%40",
    ] {
        assert!(url.contains(part), "{url} {part}");
    }
    let cookie = browser.cookie.clone();
    assert_eq!(browser.come_back(&url).await, "HTTP/1.1 200 OK");
    check_mailbox(&world).await;
    // It works once.
    browser.cookie = cookie;
    assert_eq!(browser.come_back(&url).await, "HTTP/1.1 502 Bad Gateway");
}

#[tokio::test]
async fn only_who_began_a_login_can_finish_it() {
    let (world, _issuer) = world().await;
    let mut browser = Browser::new(&world, true);
    let refused = Err("HTTP/1.1 403 Forbidden".to_owned());
    assert_eq!(browser.begin(ALICE, "secret-alice").await, refused);
    assert_eq!(browser.begin("", "").await, refused);
    let url = browser.begin(ALICE, "of the gateway").await.unwrap();
    let mut other = Browser::new(&world, true);
    assert_eq!(other.come_back(&url).await, "HTTP/1.1 502 Bad Gateway");
    let answer = browser.come_back("x?state=another").await;
    assert_eq!(answer, "HTTP/1.1 502 Bad Gateway");
}

#[tokio::test]
async fn a_consent_of_somebody_else_is_not_kept() {
    // The issuer's token is Alice's.
    let (world, _issuer) = with_user(BOB, FLOW).await;
    let mut browser = Browser::new(&world, true);
    let url = browser.begin(BOB, "of the gateway").await.unwrap();
    assert_eq!(browser.come_back(&url).await, "HTTP/1.1 502 Bad Gateway");
    let principal = world.login(BOB, "of the gateway").await.unwrap();
    let mailbox = account::MailboxId(principal.user.clone());
    assert!(
        world
            .gateway
            .accounts()
            .open(&principal, &mailbox)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn passwords_are_not_asked_for_in_the_open() {
    let (world, _issuer) = world().await;
    let mut browser = Browser::new(&world, false);
    let form = browser.send("GET /exchange/login", "").await;
    assert!(form.starts_with("HTTP/1.1 403") && !form.contains("<form"));
    let refused = browser.begin(ALICE, "of the gateway").await.unwrap_err();
    assert_eq!(refused, "HTTP/1.1 403 Forbidden");
}

#[tokio::test]
async fn without_such_a_flow_there_is_no_page() {
    let world = World::new().await;
    let mut browser = Browser::new(&world, true);
    let answer = browser.send("GET /exchange/login", "").await;
    assert!(answer.starts_with("HTTP/1.1 404"));
}
