//! Messages come as they are, whatever is in them, and their sizes are those of what comes.

use account::ErrorKind;
use mapi_store::MemBackend;
use pop3_server::Config;

use crate::support::World;

/// What no mail program should send, and somebody does.
const AWKWARD: [&[u8]; 12] = [
    b"Subject: plain\r\n\r\nHello.\r\n",
    b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n.\r\n",
    b"Subject: bare LF\n\n.\nline\n.\r\n",
    b"Subject: no end\r\n\r\nline",
    b"Subject: half an end\r\n\r\nline\r",
    b"Subject: other half\r\n\r\nline\n",
    b"Subject: octets\r\n\r\n\0\x01\xff\r\r\n\0\r\n",
    b"\r\n",
    b".",
    b".\r\n",
    b"Subject: header alone\r\n",
    b"Subject: CR dots\r\n\r\n\r.\r\n\r.\r.\n",
];

/// As it is sent: with a line end.
fn whole(message: &[u8]) -> Vec<u8> {
    let mut whole = message.to_vec();
    if !message.ends_with(b"\r\n") {
        whole.extend_from_slice(b"\r\n");
    }
    whole
}

fn large(bytes: usize) -> Vec<u8> {
    let mut message = b"Subject: large\r\n\r\n".to_vec();
    for line in 0.. {
        message.extend_from_slice(
            format!("{}this is line {line}\r\n", [".", ""][line % 2]).as_bytes(),
        );
        if message.len() >= bytes {
            return message;
        }
    }
    message
}

#[tokio::test]
async fn every_message_comes_octet_for_octet_and_as_large_as_it_was_said_to_be() {
    for (chunk, ahead) in [(256 << 10, 256 << 10), (7, 0), (40, 100)] {
        for backend in [MemBackend::new(), MemBackend::lazy()] {
            let config = Config {
                read_chunk_bytes: chunk,
                read_ahead_bytes: ahead,
                write_buffer_bytes: 100,
                ..Config::default()
            };
            let world = World::over(backend, config, None).await;
            let (large, long) = (large(20_000), vec![b'x'; 5_000]);
            let messages: Vec<&[u8]> = AWKWARD.into_iter().chain([&large[..], &long]).collect();
            world.file(&messages).await;
            let mut ann = world.ann().await;
            let mut one_by_one = world.ann().await;
            let sizes = ann.list("LIST").await;
            assert_eq!(sizes.len(), messages.len());
            let mut total = 0;
            for (number, message) in (1..).zip(&messages) {
                let whole = whole(message);
                total += whole.len();
                let size = format!("{number} {}", whole.len());
                assert_eq!(sizes[number - 1], size, "{}", message.escape_ascii());
                one_by_one
                    .ask(&format!("LIST {number}"), &format!("+OK {size}"))
                    .await;
                let said = ann.ask(&format!("RETR {number}"), "+OK").await;
                assert_eq!(said, format!("+OK {} octets", whole.len()));
                assert_eq!(ann.rest().await, whole, "{}", message.escape_ascii());
                let top = ann.fetch(&format!("TOP {number} 1000000")).await;
                assert_eq!(top, whole, "{}", message.escape_ascii());
            }
            ann.ask("STAT", &format!("+OK {} {total}", messages.len()))
                .await;
        }
    }
}

#[tokio::test]
async fn a_top_is_a_header_and_so_many_lines() {
    let config = Config {
        read_chunk_bytes: 10,
        ..Config::default()
    };
    let world = World::with(config).await;
    let padding = "X-Padding: 0123456789\r\n".repeat(1_000);
    let message = format!("Subject: one\r\n{padding}\r\n.first\r\nsecond\r\nthird");
    world.file(&[message.as_bytes()]).await;
    let mut ann = world.ann().await;
    let header = format!("Subject: one\r\n{padding}\r\n");
    for (lines, body) in [
        (0, ""),
        (1, ".first\r\n"),
        (2, ".first\r\nsecond\r\n"),
        (9, ".first\r\nsecond\r\nthird\r\n"),
    ] {
        let top = ann.fetch(&format!("TOP 1 {lines}")).await;
        assert_eq!(String::from_utf8(top).unwrap(), format!("{header}{body}"));
    }
}

#[tokio::test]
async fn messages_fetched_one_after_another_are_read_several_at_a_time() {
    let world = World::new().await;
    let messages: Vec<String> = (0..50).map(|n| format!("Subject: {n}\r\n\r\n")).collect();
    let messages: Vec<&[u8]> = messages.iter().map(|text| text.as_bytes()).collect();
    world.file(&messages).await;
    let mut ann = world.ann().await;
    let before = world.backend.faults().calls();
    for (number, message) in (1..).zip(&messages) {
        assert_eq!(ann.fetch(&format!("RETR {number}")).await, *message);
    }
    assert_eq!(world.backend.faults().calls() - before, 1);
    // In any other order, too, each is what it is.
    for number in [50, 3, 4, 2, 2, 49] {
        assert_eq!(
            ann.fetch(&format!("RETR {number}")).await,
            messages[number - 1]
        );
    }
}

#[tokio::test]
async fn sizes_are_asked_for_once_and_not_for_every_client() {
    let world = World::new().await;
    world.file(&AWKWARD).await;
    world.ann().await.ask("STAT", "+OK 12 ").await;
    world.file(&[b"Subject: more\r\n\r\n"]).await;
    let mut ann = world.ann().await;
    let before = world.backend.faults().calls();
    let stat = ann.ask("STAT", "+OK 13 ").await;
    let calls = world.backend.faults().calls() - before;
    assert!(calls <= 2, "{calls}");
    let before = world.backend.faults().calls();
    let mut again = world.ann().await;
    assert_eq!(again.ask("STAT", "+OK 13 ").await, stat);
    assert_eq!(world.backend.faults().calls() - before, 0);
}

#[tokio::test]
async fn a_store_that_is_away_costs_an_answer_and_never_half_a_message() {
    let world = World::new().await;
    world
        .file(&[b"Subject: one\r\n\r\n", b"Subject: two\r\n\r\n"])
        .await;
    let mut ann = world.ann().await;
    world
        .backend
        .faults()
        .fail_calls(0..1_000, ErrorKind::Unavailable);
    for command in ["STAT", "LIST", "RETR 1", "TOP 1 0"] {
        ann.ask(command, "-ERR [SYS/TEMP] temporarily unavailable")
            .await;
    }
    assert_eq!(ann.list("UIDL").await.len(), 2);
    world.backend.faults().heal();
    assert_eq!(ann.fetch("RETR 2").await, b"Subject: two\r\n\r\n");
    ann.ask("STAT", "+OK 2 32").await;
}
