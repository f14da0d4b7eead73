//! A proxy on the way: CONNECT, its refusals, and TLS from end to end behind it.

use std::net::SocketAddr;

use store_exchange::http::{Kind, NoProxy, Options, Phase, Proxy, Request, Sent, Url};
use tokio::{io::copy_bidirectional, net::TcpStream};

use crate::peer::{Authority, Peer, client, listen, listen_tls};

/// base64 of "user:pass word"
const AUTHORIZATION: &str = "Basic dXNlcjpwYXNzIHdvcmQ=";

/// A proxy that answers CONNECT as told, and then connects to `target`, whatever was asked for.
async fn proxy(answer: &'static str, target: SocketAddr) -> SocketAddr {
    let (address, _task) = listen(move |_, mut peer| async move {
        let request = peer.request().await.unwrap();
        assert_eq!(request.line(), "CONNECT mail.example.test:8443 HTTP/1.1");
        assert_eq!(request.header("host"), Some("mail.example.test:8443"));
        assert_eq!(request.header("proxy-authorization"), Some(AUTHORIZATION));
        peer.write(answer).await;
        if answer.contains(" 200 ") {
            let mut onward = TcpStream::connect(target).await.unwrap();
            copy_bidirectional(&mut peer.stream, &mut onward).await.ok();
        }
    })
    .await;
    address
}

async fn through(answer: &'static str) -> Result<String, Kind> {
    let authority = Authority::new();
    let server = listen_tls(&authority, |_, mut peer: Peer<_>| async move {
        while let Some(request) = peer.request().await {
            let host = request.header("host").unwrap().to_owned();
            peer.answer(200, "", &host).await;
        }
    })
    .await;
    let proxy = proxy(answer, server).await;
    let options = Options {
        proxy: Some(Proxy::parse(&format!("http://user:pass%20word@{proxy}")).unwrap()),
        no_proxy: NoProxy::parse("other.example.test").unwrap(),
        ..authority.trusted()
    };
    let url = Url::parse("https://mail.example.test:8443/").unwrap();
    let request = Request::post(url, "x");
    let response = client(options).send(&request).await.map_err(|error| {
        assert_eq!(error.sent, Sent::No);
        error.kind
    })?;
    let body = response.body.collect().await.unwrap();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_tunnel_leads_to_the_server_and_its_certificate() {
    let got = through("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await;
    assert_eq!(got.unwrap(), "mail.example.test:8443");
    let got = through("HTTP/1.0 200 OK\r\n\r\n").await;
    assert_eq!(got.unwrap(), "mail.example.test:8443");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_with_its_status() {
    let refused = |status: u16| Err(Kind::Proxy(Some(status.try_into().unwrap())));
    let got = through("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno");
    assert_eq!(got.await, refused(407));
    assert_eq!(
        through("HTTP/1.1 502 Bad Gateway\r\n\r\n").await,
        refused(502)
    );
    for broken in ["", "HTTP/1.1 2", "SSH-2.0-proxy\r\n\r\n"] {
        assert_eq!(through(broken).await, Err(Kind::Proxy(None)), "{broken:?}");
    }
    static ENDLESS: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("HTTP/1.1 299 OK\r\nX: {}", "x".repeat(20_000)));
    assert_eq!(through(ENDLESS.as_str()).await, Err(Kind::Proxy(None)));
}

#[tokio::test]
async fn this_machine_is_reached_without_the_proxy() {
    let (address, _server) = listen(|_, mut peer| async move {
        while peer.request().await.is_some() {
            peer.answer(200, "", "direct").await;
        }
    })
    .await;
    let options = Options {
        proxy: Some(Proxy::parse("http://proxy.invalid:3128").unwrap()),
        ..crate::peer::plain()
    };
    let response = client(options)
        .send(&crate::peer::post(address, b"x"))
        .await
        .unwrap();
    assert_eq!(response.body.collect().await.unwrap(), "direct");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_says_nothing_is_given_up() {
    let (address, _proxy) = listen(|_, mut peer| async move {
        peer.request().await;
        peer.request().await;
    })
    .await;
    let options = Options {
        proxy: Some(Proxy::parse(&format!("http://{address}")).unwrap()),
        ..crate::peer::plain()
    };
    let url = Url::parse("https://mail.example.test/").unwrap();
    let started = tokio::time::Instant::now();
    let error = client(options).connect(&url).await.unwrap_err();
    let expected = (Kind::Timeout(Phase::Connect), Sent::No);
    assert_eq!((error.kind, error.sent), expected);
    assert_eq!(started.elapsed().as_secs(), 20);
}
