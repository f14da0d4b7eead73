//! Bearer tokens with requests: a spent one is replaced, a refused one is reported.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use store_exchange::auth::{
    Channel, Credentials, Error, Policy,
    oauth::{ClientAuth, Fixed, Grant, Renewing, TokenSource},
};
use tokio::time::advance;

use crate::{
    login::says,
    oauth::{Answer, Fake},
    peer::{client, listen, plain, post},
};

const OFFER: &str = "WWW-Authenticate: Bearer error=\"invalid_token\", NTLM\r\n";

/// Accepts one token, and counts the requests.
async fn server(accepted: &'static str) -> SocketAddr {
    let (address, _server) = listen(move |_, mut peer| async move {
        for number in 1.. {
            let Some(request) = peer.request().await else {
                return;
            };
            if request.header("authorization") == Some(accepted) {
                peer.answer(200, "", &format!("{number}")).await;
            } else {
                peer.answer(401, OFFER, "").await;
            }
        }
    })
    .await;
    address
}

fn channel(source: impl TokenSource + 'static) -> Channel {
    let credentials = Credentials::Bearer(Arc::new(source));
    Channel::new(client(plain()), credentials, Policy::default())
}

#[tokio::test]
async fn a_token_goes_with_every_request() {
    let address = server("Bearer t1").await;
    let mut channel = channel(Fixed("t1".into()));
    for expected in ["200 1", "200 2"] {
        let got = says(&mut channel, &post(address, b"x")).await.unwrap();
        assert_eq!(got, expected);
    }
}

#[tokio::test]
async fn a_token_that_nobody_can_replace_is_sent_once() {
    let address = server("Bearer t1").await;
    let mut channel = channel(Fixed("other".into()));
    for _ in 0..2 {
        let error = channel.send(&post(address, b"x")).await.unwrap_err();
        assert!(matches!(error, Error::Unauthenticated), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_spent_token_is_replaced_and_the_request_sent_again() {
    let issuer = Fake::new([Answer::token("t1"), Answer::token("t2")]).await;
    let app = Arc::new(issuer.app(ClientAuth::Secret("s".into())));
    let source = Renewing::new(app, Grant::ClientCredentials);
    source.token().await.unwrap();
    advance(Duration::from_secs(600)).await;

    let address = server("Bearer t2").await;
    let mut channel = channel(source);
    let got = says(&mut channel, &post(address, b"x")).await.unwrap();
    assert_eq!(got, "200 2");
    assert_eq!(issuer.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_new_tokens_too_is_believed() {
    let issuer = Fake::new([Answer::token("t1")]).await;
    let app = Arc::new(issuer.app(ClientAuth::Secret("s".into())));
    let address = server("Bearer none").await;
    let mut channel = channel(Renewing::new(app, Grant::ClientCredentials));
    let error = channel.send(&post(address, b"x")).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated), "{error:?}");
    assert_eq!(issuer.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_sent() {
    let issuer = Fake::new([Answer::error("invalid_client")]).await;
    let app = Arc::new(issuer.app(ClientAuth::Secret("s".into())));
    let address = server("Bearer t1").await;
    let mut channel = channel(Renewing::new(app, Grant::ClientCredentials));
    let error = channel.send(&post(address, b"x")).await.unwrap_err();
    assert!(matches!(error, Error::Token(_)), "{error:?}");
}
