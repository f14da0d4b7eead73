//! Search in decoded text.

use account::{ItemNumber, TextQuery};

use crate::world::{ALICE, World, inbox};

const MESSAGES: [&str; 4] = [
    "From: Zoë <zoe@example.test>\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\r\nplain noon\r\n",
    "Subject: two\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
     preamble secret\r\n\
     --b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
     Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=\r\n=E9 noon\r\n\
     --b\r\nContent-Type: application/octet-stream\r\n\r\nhidden\r\n\
     --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner =?utf-8?Q?=C3=84pfel?=\r\n\r\n\
     nested text\r\n--b--\r\n",
    "Subject: three\r\nContent-Type: text/html; charset=utf-8\r\n\
     Content-Transfer-Encoding: base64\r\n\r\nPHA+R3LDvMOfZTwvcD4=\r\n",
    "Subject: four\r\nX-Empty:\r\n\r\n",
];

#[tokio::test]
async fn text_is_found_in_decoded_headers_and_bodies() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let mut items = vec![ItemNumber(1000)];
    for text in MESSAGES {
        items.push(world.append(&alice, folder, text).await);
    }
    items.reverse();
    let check = async |query: TextQuery, expected: &[u32]| {
        let found = alice.search(folder, &items, &query).await.unwrap();
        assert_eq!(
            found.iter().map(|item| item.0).collect::<Vec<_>>(),
            expected,
            "{query:?}"
        );
    };
    let header = |name: &str, text: &str| TextQuery::Header {
        name: name.into(),
        text: text.into(),
    };
    let (body, text) = (
        |t: &str| TextQuery::Body(t.into()),
        |t: &str| TextQuery::Text(t.into()),
    );
    check(header("subject", "GRÜ"), &[1]).await;
    check(header("Subject", "O"), &[4, 2]).await;
    check(header("from", "ZOË"), &[1]).await;
    check(header("x-empty", ""), &[4]).await;
    check(header("subject", ""), &[4, 3, 2, 1]).await;
    check(body("NOON"), &[2, 1]).await;
    check(body("CAFÉ"), &[2]).await;
    check(body("grüß"), &[3]).await;
    check(body("nested"), &[2]).await;
    check(body("äpfel"), &[2]).await;
    check(body("hidden"), &[]).await;
    check(body("two"), &[]).await;
    check(text("grüße"), &[3, 1]).await;
    check(text("subject: three"), &[3]).await;
    check(text(""), &[4, 3, 2, 1]).await;
}

#[tokio::test]
async fn text_beyond_one_round_of_reading_is_found() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let mut items = Vec::new();
    for n in 0..5 {
        let filler = "0123456789abcdef\r\n".repeat(60_000 * n);
        let text = format!("Subject: {n}\r\n\r\n{filler}needle{n}\r\n{filler}end{n}");
        items.push(world.append(&alice, folder, &text).await);
    }
    for (n, item) in items.iter().enumerate() {
        for text in [format!("NEEDLE{n}"), format!("f\r\nend{n}")] {
            let text = if n == 0 {
                text.replace("f\r\n", "")
            } else {
                text
            };
            let query = TextQuery::Body(text.into());
            assert_eq!(alice.search(folder, &items, &query).await.unwrap(), [*item]);
        }
    }
    let query = TextQuery::Body("nowhere".into());
    assert!(
        alice
            .search(folder, &items, &query)
            .await
            .unwrap()
            .is_empty()
    );
}
