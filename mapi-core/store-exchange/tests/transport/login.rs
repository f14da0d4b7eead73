//! Authentication over a connection.

use store_exchange::{
    auth::{Channel, Credentials, Error, Password, Policy, Scheme},
    http::Sent,
};

use crate::peer::{client, listen, plain, post};

fn password(secret: &str) -> Credentials {
    Credentials::Password(Password {
        user: "anna@example.test".to_owned(),
        domain: None,
        secret: secret.into(),
    })
}

fn basic_only() -> Policy {
    Policy {
        schemes: vec![Scheme::Basic],
    }
}

/// base64 of "anna@example.test:open sesame"
const RIGHT: &str = "Basic YW5uYUBleGFtcGxlLnRlc3Q6b3BlbiBzZXNhbWU=";
const OFFER: &str = "WWW-Authenticate: Basic realm=\"r\"\r\nWWW-Authenticate: Negotiate\r\n";

async fn basic_server() -> std::net::SocketAddr {
    let (address, _server) = listen(|_, mut peer| async move {
        while let Some(request) = peer.request().await {
            if request.header("authorization") == Some(RIGHT) {
                peer.answer(200, "", "welcome").await;
            } else {
                peer.answer(401, OFFER, "go away").await;
            }
        }
    })
    .await;
    address
}

#[tokio::test]
async fn basic_goes_with_every_request() {
    let address = basic_server().await;
    let mut channel = Channel::new(client(plain()), password("open sesame"), basic_only());
    for _ in 0..2 {
        let response = channel.send(&post(address, b"x")).await.unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.body.collect().await.unwrap(), "welcome");
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let address = basic_server().await;
    let mut channel = Channel::new(client(plain()), password("wrong"), basic_only());
    let error = channel.send(&post(address, b"x")).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated));
    assert_eq!(error.sent(), Sent::No);
}
