//! One connection: reuse, framing, bounds.

use store_exchange::http::{Kind, Request, Sent, Url};
use tokio::sync::mpsc;

use crate::peer::{client, listen, plain, post, url};

#[tokio::test]
async fn requests_follow_each_other_on_one_connection() {
    let (address, _server) = listen(|number, mut peer| async move {
        while let Some(request) = peer.request().await {
            assert_eq!(
                request.line(),
                "POST /mapi/emsmdb/?MailboxId=a@example.test HTTP/1.1"
            );
            assert!(request.header("host").unwrap().starts_with("127.0.0.1:"));
            assert_eq!(request.header("user-agent"), Some("Dragoman"));
            let echo = String::from_utf8(request.body).unwrap();
            peer.answer(200, "X-Any: thing\r\n", &format!("{number} {echo}"))
                .await;
        }
    })
    .await;
    let client = client(store_exchange::http::Options {
        user_agent: "Dragoman".to_owned(),
        ..plain()
    });
    let mut connection = client.connect(&url(address, "/")).await.unwrap();
    for body in ["one", "two", ""] {
        let response = connection
            .send(&post(address, body.as_bytes()))
            .await
            .unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.headers["x-any"], "thing");
        let got = response.body.collect().await.unwrap();
        assert_eq!(got, format!("0 {body}").as_bytes());
    }
    assert!(connection.is_open());
}

#[tokio::test]
async fn an_empty_post_has_a_length_and_a_get_has_none() {
    let (address, _server) = listen(|_, mut peer| async move {
        while let Some(request) = peer.request().await {
            let len = request.header("content-length").unwrap_or("none");
            peer.answer(200, "", len).await;
        }
    })
    .await;
    let client = client(plain());
    for (request, expected) in [
        (post(address, b""), "0"),
        (Request::get(url(address, "/")), "none"),
    ] {
        let response = client.send(&request).await.unwrap();
        assert_eq!(response.body.collect().await.unwrap(), expected);
    }
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
    c\r\nPROCESSING\r\n\r\n3;ext=1\r\nDON\r\n7\r\nE\r\n\r\nab\r\n0\r\nX-Trailer: t\r\n\r\n";

#[tokio::test]
async fn a_chunked_body_may_be_split_anywhere() {
    for at in 1..CHUNKED.len() {
        let (address, _server) = listen(move |_, mut peer| async move {
            peer.request().await;
            let (before, after) = CHUNKED.split_at(at);
            peer.write(before).await;
            tokio::task::yield_now().await;
            peer.write(after).await;
        })
        .await;
        let response = client(plain()).send(&post(address, b"x")).await.unwrap();
        let got = response.body.collect().await.unwrap();
        assert_eq!(got, "PROCESSING\r\nDONE\r\n\r\nab", "split at {at}");
    }
}

#[tokio::test]
async fn pieces_arrive_before_the_answer_is_complete() {
    let (seen, mut next) = mpsc::unbounded_channel::<()>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut peer = crate::peer::Peer::new(listener.accept().await.unwrap().0);
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        for piece in ["PROCESSING\r\n", "PENDING\r\n", "DONE\r\n\r\n"] {
            peer.write(format!("{:x}\r\n{piece}\r\n", piece.len()))
                .await;
            next.recv().await.unwrap();
        }
        peer.write("0\r\n\r\n").await;
    });
    let response = client(plain()).send(&post(address, b"x")).await.unwrap();
    let mut body = response.body;
    for piece in ["PROCESSING\r\n", "PENDING\r\n", "DONE\r\n\r\n"] {
        assert_eq!(body.chunk().await.unwrap().unwrap(), piece);
        seen.send(()).unwrap();
    }
    assert_eq!(body.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn a_body_may_end_with_the_connection() {
    let (address, _server) = listen(|_, mut peer| async move {
        peer.request().await;
        peer.write("HTTP/1.0 200 OK\r\n\r\nall of it").await;
    })
    .await;
    let response = client(plain()).send(&post(address, b"x")).await.unwrap();
    assert_eq!(response.body.collect().await.unwrap(), "all of it");
}

/// The kind of failure that an answer leads to.
async fn fault(answer: String) -> Kind {
    let (address, _server) = listen(move |_, mut peer| {
        let answer = answer.clone();
        async move {
            peer.request().await;
            peer.write(answer).await;
            peer.request().await;
        }
    })
    .await;
    let mut request = post(address, b"x");
    request.response_bytes_max = Some(1000);
    let error = match client(plain()).send(&request).await {
        Ok(response) => response.body.collect().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.sent, Sent::Maybe);
    error.kind
}

#[tokio::test]
async fn answers_beyond_a_bound_or_beside_the_protocol_are_refused() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let long = "x".repeat(1001);
    let cases = [
        (
            format!("{ok}Content-Length: 1001\r\n\r\n{long}"),
            Kind::TooBig,
        ),
        (
            format!("{ok}Transfer-Encoding: chunked\r\n\r\n3e9\r\n{long}\r\n0\r\n\r\n"),
            Kind::TooBig,
        ),
        (
            format!("{ok}X: {}\r\n\r\n", "x".repeat(200_000)),
            Kind::TooBig,
        ),
        (format!("{ok}{}\r\n", "X: y\r\n".repeat(201)), Kind::TooBig),
        ("220 mail.example.test ESMTP\r\n".to_owned(), Kind::Protocol),
        (format!("{ok}Content-Length: -1\r\n\r\n"), Kind::Protocol),
        (
            format!("{ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            Kind::Protocol,
        ),
        (
            format!("{ok}Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n"),
            Kind::Protocol,
        ),
        (
            format!("{ok}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nab\r\n"),
            Kind::Protocol,
        ),
    ];
    for (answer, expected) in cases {
        let start: String = answer.chars().take(80).collect();
        assert_eq!(fault(answer).await, expected, "{start:?}");
    }
}

#[tokio::test]
async fn the_next_request_waits_for_the_end_of_the_answer_before() {
    let (address, _server) = listen(|_, mut peer| async move {
        while peer.request().await.is_some() {
            peer.answer(200, "", "answer").await;
        }
    })
    .await;
    let client = client(plain());
    let mut connection = client.connect(&url(address, "/")).await.unwrap();
    let mut first = connection.send(&post(address, b"1")).await.unwrap();
    let error = connection.send(&post(address, b"2")).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Declined(_)));
    assert_eq!(error.sent, Sent::No);
    assert_eq!(first.body.chunk().await.unwrap().unwrap(), "answer");
    // Its end has been seen with its last byte, so it need not be asked for.
    connection.send(&post(address, b"2")).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_dropped_halfway_costs_the_connection() {
    let (address, _server) = listen(|_, mut peer| async move {
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            .await;
        peer.request().await;
    })
    .await;
    let client = client(plain());
    let mut connection = client.connect(&url(address, "/")).await.unwrap();
    let response = connection.send(&post(address, b"1")).await.unwrap();
    drop(response);
    assert!(!connection.is_open());
    let error = connection.send(&post(address, b"2")).await.unwrap_err();
    assert_eq!((error.kind, error.sent), (Kind::Closed, Sent::No));
}

#[tokio::test]
async fn a_connection_serves_its_own_origin_alone() {
    let (address, _server) = listen(|_, _peer| async {}).await;
    let client = client(plain());
    let mut connection = client.connect(&url(address, "/")).await.unwrap();
    let other = Url::parse("https://127.0.0.1:9/").unwrap();
    let error = connection
        .send(&Request::post(other, "x"))
        .await
        .unwrap_err();
    assert!(matches!(error.kind, Kind::Declined(_)));
}
