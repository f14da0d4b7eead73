//! Authentication with a header on every request: Basic.

use std::net::SocketAddr;

use store_exchange::{
    auth::{Channel, Credentials, Error, Password, Policy, Scheme},
    http::{Request, Sent},
};

use crate::peer::{client, listen, plain, post};

pub(crate) fn password(secret: &str) -> Credentials {
    Credentials::Password(Password {
        user: "anna@example.test".to_owned(),
        domain: None,
        secret: secret.into(),
    })
}

pub(crate) fn only(scheme: Scheme) -> Policy {
    Policy {
        schemes: vec![scheme],
    }
}

pub(crate) async fn says(channel: &mut Channel, request: &Request) -> Result<String, Error> {
    let response = channel.send(request).await?;
    let body = response.body.collect().await?;
    Ok(format!(
        "{} {}",
        response.status.as_u16(),
        String::from_utf8(body.to_vec()).unwrap()
    ))
}

/// base64 of "anna@example.test:open sesame"
const RIGHT: &str = "Basic YW5uYUBleGFtcGxlLnRlc3Q6b3BlbiBzZXNhbWU=";
const OFFER: &str = "WWW-Authenticate: Basic realm=\"r\", charset=\"utf-8\"\r\nWWW-Authenticate: Digest x=\"y\"\r\n";

/// Tells with each welcome how many requests the connection has had.
async fn server() -> SocketAddr {
    let (address, _server) = listen(|_, mut peer| async move {
        for number in 1.. {
            let Some(request) = peer.request().await else {
                return;
            };
            if request.header("authorization") == Some(RIGHT) {
                peer.answer(200, "", &format!("welcome {number}")).await;
            } else {
                assert!(request.header("authorization").is_some() || request.body.is_empty());
                peer.answer(401, OFFER, "go away").await;
            }
        }
    })
    .await;
    address
}

#[tokio::test]
async fn basic_alone_goes_with_the_first_request_and_every_other() {
    let address = server().await;
    let mut channel = Channel::new(
        client(plain()),
        password("open sesame"),
        only(Scheme::Basic),
    );
    for expected in ["200 welcome 1", "200 welcome 2"] {
        let got = says(&mut channel, &post(address, b"x")).await.unwrap();
        assert_eq!(got, expected);
    }
}

#[tokio::test]
async fn a_server_is_asked_for_its_schemes_once_and_with_an_empty_request() {
    let address = server().await;
    let mut channel = Channel::new(client(plain()), password("open sesame"), Policy::default());
    for expected in ["200 welcome 2", "200 welcome 3"] {
        let got = says(&mut channel, &post(address, b"x")).await.unwrap();
        assert_eq!(got, expected);
    }
    channel.close();
    let got = says(&mut channel, &post(address, b"x")).await.unwrap();
    assert_eq!(got, "200 welcome 1");
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let address = server().await;
    for policy in [only(Scheme::Basic), Policy::default()] {
        let mut channel = Channel::new(client(plain()), password("wrong"), policy);
        let error = channel.send(&post(address, b"x")).await.unwrap_err();
        assert!(matches!(error, Error::Unauthenticated), "{error:?}");
        assert_eq!(error.sent(), Sent::No);
    }
}

#[tokio::test]
async fn a_server_without_a_usable_scheme_is_told_from_one_that_refuses() {
    let address = server().await;
    let mut channel = Channel::new(client(plain()), password("open sesame"), only(Scheme::Ntlm));
    let error = channel.send(&post(address, b"x")).await.unwrap_err();
    let Error::NoScheme { offered } = error else {
        panic!("{error:?}");
    };
    assert_eq!(offered, [Scheme::Basic]);
}

#[tokio::test]
async fn a_server_that_wants_no_authentication_gets_none() {
    let (address, _server) = listen(|_, mut peer| async move {
        while let Some(request) = peer.request().await {
            assert_eq!(request.header("authorization"), None);
            let len = request.body.len();
            peer.answer(200, "", &format!("{len} bytes")).await;
        }
    })
    .await;
    let mut channel = Channel::new(client(plain()), password("open sesame"), Policy::default());
    for _ in 0..2 {
        let got = says(&mut channel, &post(address, b"four")).await.unwrap();
        assert_eq!(got, "200 4 bytes");
    }
}

/// Answers 401 to the requests with these numbers, counted over all connections of one listener.
async fn moody(refused: &'static [usize]) -> SocketAddr {
    let (address, _server) = listen(move |_, mut peer| async move {
        for number in 0.. {
            if peer.request().await.is_none() {
                return;
            }
            if refused.contains(&number) {
                peer.answer(401, OFFER, "").await;
            } else {
                peer.answer(200, "", &format!("{number}")).await;
            }
        }
    })
    .await;
    address
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_session_is_answered_once() {
    let address = moody(&[1, 3, 5, 6]).await;
    let mut channel = Channel::new(
        client(plain()),
        password("open sesame"),
        only(Scheme::Basic),
    );
    for expected in ["200 0", "200 2", "200 4"] {
        let got = says(&mut channel, &post(address, b"x")).await.unwrap();
        assert_eq!(got, expected);
    }
    let error = channel.send(&post(address, b"x")).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated));
    // The next request may succeed again: nothing is remembered but the refusal that was reported.
    let got = says(&mut channel, &post(address, b"x")).await.unwrap();
    assert_eq!(got, "200 7");
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    let (address, _server) = listen(|number, mut peer| async move {
        peer.request().await.unwrap();
        peer.answer(200, "Connection: close\r\n", &format!("{number}"))
            .await;
    })
    .await;
    let mut channel = Channel::new(
        client(plain()),
        password("open sesame"),
        only(Scheme::Basic),
    );
    for expected in ["200 0", "200 1", "200 2"] {
        let got = says(&mut channel, &post(address, b"x")).await.unwrap();
        assert_eq!(got, expected);
    }
}
