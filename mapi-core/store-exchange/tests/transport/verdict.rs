//! What a failure says of the request: whether the server may have executed it.

use std::future::poll_fn;

use store_exchange::http::{Error, Kind, Sent};
use tokio::io::AsyncReadExt;

use crate::peer::{client, listen, plain, post, url};

/// More than the sockets of both ends hold, so that a rest is still here when the server closes.
static BIG: [u8; 32 << 20] = [b'x'; 32 << 20];

/// The server reads so many bytes of a request (or all of it), says something, and closes.
async fn cut(body: &'static [u8], reads: Option<usize>, says: &'static str) -> Error {
    let (address, _server) = listen(move |_, mut peer| async move {
        match reads {
            Some(reads) => {
                let mut read = vec![0; reads];
                peer.stream.read_exact(&mut read).await.unwrap();
            }
            None => {
                peer.request().await.unwrap();
            }
        }
        peer.write(says).await;
    })
    .await;
    let client = client(plain());
    let mut connection = client.connect(&url(address, "/")).await.unwrap();
    let error = match connection.send(&post(address, body)).await {
        Ok(response) => response.body.collect().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(!connection.is_open());
    error
}

#[tokio::test]
async fn a_request_that_never_left_whole_was_not_sent() {
    for reads in [0, 1, 40, 200_000] {
        let error = cut(&BIG, Some(reads), "").await;
        assert_eq!(
            (error.kind, error.sent),
            (Kind::Closed, Sent::No),
            "{reads}"
        );
        assert!(error.to_string().ends_with("(the request was not sent)"));
    }
}

#[tokio::test]
async fn a_request_that_left_whole_may_have_been_executed() {
    let answers = [
        "",
        "H",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nha",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
    ];
    for says in answers {
        let error = cut(b"small", None, says).await;
        let expected = (Kind::Closed, Sent::Maybe);
        assert_eq!((error.kind, error.sent), expected, "{says:?}");
    }
    let error = cut(b"small", None, "").await;
    assert!(error.to_string().contains("may have been executed"));
}

#[tokio::test]
async fn a_request_on_a_connection_that_is_known_to_be_closed_was_not_sent() {
    let (address, _server) = listen(|_, mut peer| async move {
        peer.request().await.unwrap();
        peer.answer(200, "", "bye").await;
    })
    .await;
    let client = client(plain());
    let mut connection = client.connect(&url(address, "/")).await.unwrap();
    let response = connection.send(&post(address, b"1")).await.unwrap();
    assert_eq!(response.body.collect().await.unwrap(), "bye");
    poll_fn(|cx| {
        if connection.is_open() {
            cx.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(())
    })
    .await;
    let error = connection.send(&post(address, b"2")).await.unwrap_err();
    assert_eq!((error.kind, error.sent), (Kind::Closed, Sent::No));
}

#[tokio::test]
async fn a_server_that_closes_after_its_answer_is_believed() {
    let (address, _server) = listen(|_, mut peer| async move {
        peer.request().await.unwrap();
        peer.answer(200, "Connection: close\r\n", "bye").await;
    })
    .await;
    let client = client(plain());
    let mut connection = client.connect(&url(address, "/")).await.unwrap();
    let response = connection.send(&post(address, b"1")).await.unwrap();
    assert_eq!(response.body.collect().await.unwrap(), "bye");
    let error = connection.send(&post(address, b"2")).await.unwrap_err();
    assert_eq!((error.kind, error.sent), (Kind::Closed, Sent::No));
}

#[tokio::test]
async fn an_early_answer_to_a_long_request_is_heard() {
    let (address, _server) = listen(|_, mut peer| async move {
        let mut read = vec![0; 100_000];
        peer.stream.read_exact(&mut read).await.unwrap();
        peer.answer(413, "", "too long").await;
        // It reads on without looking, as servers do to have their answer read.
        let mut sink = tokio::io::sink();
        tokio::io::copy(&mut peer.stream, &mut sink).await.ok();
    })
    .await;
    let response = client(plain()).send(&post(address, &BIG)).await.unwrap();
    assert_eq!(response.status, 413);
    assert_eq!(response.body.collect().await.unwrap(), "too long");
}

#[tokio::test]
async fn a_server_that_is_not_there_got_nothing() {
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = client(plain())
        .send(&post(address, b"1"))
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.sent), (Kind::Connect, Sent::No));
}
