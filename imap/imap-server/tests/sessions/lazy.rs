//! Messages whose originals are made when a client asks: nothing else makes them, and sizes are always true.
use imap_server::Config;
use mapi_store::MemBackend;

use crate::support::{Client, World};

const ANN: &str = "ann@example.test";

/// A world with so many messages in Ann's Inbox, and Ann, who has selected it.
async fn selected(messages: usize) -> (World, Client) {
    let world = World::over(MemBackend::lazy(), Config::default(), None).await;
    for n in 0..messages {
        world.deliver(ANN, text(n).as_bytes()).await;
    }
    let mut ann = world.ann().await;
    ann.command("s", "SELECT INBOX").await;
    (world, ann)
}

/// What is delivered; the copy has a field of its own before it.
fn text(n: usize) -> String {
    format!("Subject: message {n}\r\n\r\n{}\r\n", "x".repeat(n))
}

fn whole(n: usize) -> String {
    format!("X-Copy: 1\r\n{}", text(n))
}

fn made(world: &World) -> u32 {
    world.backend.faults().renderings()
}

#[tokio::test]
async fn looking_at_mailboxes_and_flags_makes_nothing() {
    let (world, mut ann) = selected(5).await;
    for command in [
        "NOOP",
        "FETCH 1:* (FLAGS INTERNALDATE UID MODSEQ)",
        "STORE 1:3 +FLAGS (\\Seen work)",
        "SEARCH UNSEEN SINCE 1-Jan-2000 KEYWORD work",
        "STATUS INBOX (MESSAGES UNSEEN RECENT UIDNEXT HIGHESTMODSEQ SIZE)",
        "LIST \"\" * RETURN (STATUS (MESSAGES SIZE))",
        "COPY 1:5 Archive",
        "MOVE 4 Archive",
        "STORE 1 +FLAGS (\\Deleted)",
        "EXPUNGE",
        "FETCH 1:* (FLAGS) (CHANGEDSINCE 1)",
        "EXAMINE Archive",
    ] {
        let answer = ann.lines("a", command).await;
        assert!(answer.last().unwrap().starts_with("a OK"), "{answer:?}");
        assert_eq!(made(&world), 0, "{command}");
    }
    ann.send(b"i IDLE\r\n").await;
    assert_eq!(ann.response().await.unwrap(), b"+ idling");
    world.deliver(ANN, b"Subject: new\r\n\r\n").await;
    ann.send(b"DONE\r\n").await;
    assert_eq!(made(&world), 0);
}

#[tokio::test]
async fn the_size_told_is_that_of_the_octets_whatever_was_asked_first() {
    for first in [
        "RFC822.SIZE",
        "BODY.PEEK[]",
        "ENVELOPE",
        "BODY.PEEK[1]<3.4>",
        "UID",
    ] {
        let (_world, mut ann) = selected(3).await;
        ann.command("a", &format!("FETCH 2 ({first})")).await;
        let answer = ann.lines("b", "FETCH 1:* (RFC822.SIZE BODY.PEEK[])").await;
        for (n, answer) in answer.iter().enumerate().take(3) {
            let (sequence, octets) = (n + 1, whole(n));
            let len = octets.len();
            let expected =
                format!("* {sequence} FETCH (RFC822.SIZE {len} BODY[] {{{len}}}\r\n{octets})");
            assert_eq!(*answer, expected, "{first}");
        }
    }
}

#[tokio::test]
async fn a_fetch_makes_what_it_asks_for_and_every_size_once() {
    let (world, mut ann) = selected(300).await;
    ann.command("a", "FETCH 7 (RFC822.SIZE FLAGS)").await;
    assert_eq!(made(&world), 1);
    let answer = ann.lines("b", "FETCH 1:* (RFC822.SIZE)").await;
    for (n, line) in answer.iter().take(300).enumerate() {
        let size = whole(n).len();
        assert_eq!(*line, format!("* {} FETCH (RFC822.SIZE {size})", n + 1));
    }
    assert_eq!(made(&world), 300);
    // From then on the index answers.
    world.backend.faults().heal();
    let again = ann.lines("b", "FETCH 1:* (RFC822.SIZE)").await;
    assert_eq!(again, answer);
    assert_eq!(world.backend.faults().calls(), 0);
}

#[tokio::test]
async fn searches_about_sizes_know_every_size() {
    let (world, mut ann) = selected(100).await;
    let edge = whole(40).len();
    ann.command("a", "FETCH 30:35 (RFC822.SIZE)").await;
    let numbers = |range: std::ops::RangeInclusive<u32>| {
        let numbers: Vec<String> = range.map(|n| n.to_string()).collect();
        format!("* SEARCH {}", numbers.join(" "))
    };
    for (keys, expected) in [
        (format!("LARGER {edge}"), numbers(42..=100)),
        (format!("SMALLER {edge}"), numbers(1..=40)),
        (
            format!("NOT LARGER {edge} NOT SMALLER {edge}"),
            numbers(41..=41),
        ),
        (format!("OR SMALLER {edge} UID 90"), {
            numbers(1..=40) + " 90"
        }),
    ] {
        let answer = ann.lines("b", &format!("SEARCH {keys}")).await;
        assert_eq!(answer[0], expected, "{keys}");
    }
    assert_eq!(made(&world), 100);
    let (world, mut ann) = selected(100).await;
    ann.command("a", "SEARCH 3:5 LARGER 1").await;
    assert_eq!(made(&world), 3, "other keys go first");
}

#[tokio::test]
async fn the_size_of_a_mailbox_is_bounded_until_all_of_it_is_known() {
    let (world, mut ann) = selected(10).await;
    let total: usize = (0..10).map(|n| whole(n).len()).sum();
    let mut sizes = Vec::new();
    for known in ["1", "1:4", "1:*"] {
        for line in ann.lines("a", "STATUS INBOX (SIZE)").await {
            let size = line.strip_prefix("* STATUS \"INBOX\" (SIZE ");
            sizes.extend(size.map(|size| size.trim_end_matches(')').parse::<usize>().unwrap()));
        }
        ann.command("b", &format!("FETCH {known} (RFC822.SIZE)"))
            .await;
    }
    assert!(sizes.iter().all(|size| *size > total), "{sizes:?} {total}");
    assert_eq!(made(&world), 10);
    let answer = ann.lines("c", "STATUS INBOX (SIZE)").await;
    assert_eq!(answer[0], format!("* STATUS \"INBOX\" (SIZE {total})"));
}
