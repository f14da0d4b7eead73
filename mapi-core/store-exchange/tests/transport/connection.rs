//! One connection: reuse, framing, verdicts and silence.

use store_exchange::http::{Error, Kind, Sent};

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
            let echo = String::from_utf8(request.body).unwrap();
            peer.answer(200, "X-Any: thing\r\n", &format!("{number} {echo}"))
                .await;
        }
    })
    .await;
    let client = client(plain());
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

/// The server reads `reads` bytes of a request, answers `answer`, and closes.
async fn cut(reads: usize, answer: &'static str) -> Error {
    let (address, _server) = listen(move |_, mut peer| async move {
        use tokio::io::AsyncReadExt;
        let mut read = vec![0; reads];
        peer.stream.read_exact(&mut read).await.unwrap();
        peer.write(answer).await;
    })
    .await;
    let client = client(plain());
    let mut connection = client.connect(&url(address, "/")).await.unwrap();
    // More than the socket's buffers hold, so that the rest is still here when the server closes.
    static BODY: [u8; 32 << 20] = [b'x'; 32 << 20];
    match connection.send(&post(address, &BODY)).await {
        Ok(response) => response.body.collect().await.unwrap_err(),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_request_that_the_server_cannot_have_read_was_not_sent() {
    let error = cut(1, "").await;
    assert_eq!((error.kind, error.sent), (Kind::Closed, Sent::No));
    let error = cut(200_000, "").await;
    assert_eq!((error.kind, error.sent), (Kind::Closed, Sent::No));
}
