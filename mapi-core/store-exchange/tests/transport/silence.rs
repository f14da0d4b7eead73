//! Time limits: silence ends a request, slowness does not.

use std::time::Duration;

use store_exchange::http::{Kind, Options, Phase, Sent, TlsOptions, Url};
use tokio::time::{Instant, sleep};

use crate::peer::{client, listen, plain, post, url};

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let (address, _server) = listen(|_, mut peer| async move {
        peer.request().await;
        peer.request().await;
    })
    .await;
    let client = client(plain());
    let started = Instant::now();
    let error = client.send(&post(address, b"x")).await.unwrap_err();
    let expected = (Kind::Timeout(Phase::Idle), Sent::Maybe);
    assert_eq!((error.kind, error.sent), expected);
    assert_eq!(started.elapsed().as_secs(), 90);

    let mut request = post(address, b"x");
    request.idle = Some(Duration::from_secs(5));
    let started = Instant::now();
    let error = client.send(&request).await.unwrap_err();
    assert_eq!(error.kind, Kind::Timeout(Phase::Idle));
    assert_eq!(started.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_be_pending_for_an_hour() {
    let (address, _server) = listen(|_, mut peer| async move {
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        for _ in 0..60 {
            sleep(Duration::from_secs(60)).await;
            peer.write("9\r\nPENDING\r\n\r\n").await;
        }
        peer.write("0\r\n\r\n").await;
        peer.request().await;
    })
    .await;
    let started = Instant::now();
    let response = client(plain()).send(&post(address, b"x")).await.unwrap();
    let body = response.body.collect().await.unwrap();
    assert_eq!(body, "PENDING\r\n".repeat(60));
    assert_eq!(started.elapsed().as_secs(), 3600);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stops_halfway_is_given_up() {
    let (address, _server) = listen(|_, mut peer| async move {
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            .await;
        peer.request().await;
    })
    .await;
    let response = client(plain()).send(&post(address, b"x")).await.unwrap();
    let error = response.body.collect().await.unwrap_err();
    let expected = (Kind::Timeout(Phase::Idle), Sent::Maybe);
    assert_eq!((error.kind, error.sent), expected);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_reads_nothing_is_given_up() {
    static BIG: [u8; 32 << 20] = [b'x'; 32 << 20];
    let (address, _server) = listen(|_, peer| async move {
        std::future::pending::<()>().await;
        drop(peer);
    })
    .await;
    let error = client(plain())
        .send(&post(address, &BIG))
        .await
        .unwrap_err();
    let expected = (Kind::Timeout(Phase::Idle), Sent::No);
    assert_eq!((error.kind, error.sent), expected);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_given_up_costs_the_connection() {
    let (address, _server) = listen(|_, mut peer| async move {
        peer.request().await;
        peer.request().await;
    })
    .await;
    let client = client(plain());
    let mut connection = client.connect(&url(address, "/")).await.unwrap();
    let request = post(address, b"x");
    let given_up = tokio::time::timeout(Duration::from_secs(1), connection.send(&request)).await;
    assert!(given_up.is_err());
    assert!(!connection.is_open());
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_begin_is_given_up() {
    let (address, _server) = listen(|_, peer| async move {
        std::future::pending::<()>().await;
        drop(peer);
    })
    .await;
    let client = client(Options {
        tls: TlsOptions {
            system_roots: false,
            pinned: Some([0; 32]),
            ..TlsOptions::default()
        },
        ..Options::default()
    });
    let url = Url::parse(&format!("https://{address}/")).unwrap();
    let started = Instant::now();
    let error = client.connect(&url).await.unwrap_err();
    assert_eq!(error.kind, Kind::Timeout(Phase::Tls));
    assert_eq!(started.elapsed().as_secs(), 20);
}
