//! Submission: who may send what, and what is in the queue afterwards.

use outbound::{BodyKind, Notify, Purpose};
use smtp_server::Config;

use crate::support::World;

/// `alice@example.test` with her password.
const LOGIN: &str =
    "EHLO laptop.test\r\nAUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABjb3JyZWN0IGhvcnNl\r\n";

const FROM_ALICE: &str = "MAIL FROM:<alice@example.test>\r\nRCPT TO:<carol@other.test>\r\nDATA\r\n";

/// The replies to LOGIN and what comes before it.
const LOGGED_IN: [&str; 3] = ["220", "250", "235 2.7.0"];

async fn check(wire: &str, expected: &[&str]) -> World {
    let world = World::new(Config::default()).await;
    let said = world
        .submit()
        .run(format!("{LOGIN}{wire}").as_bytes())
        .await;
    let said: Vec<_> = said.iter().map(String::as_str).collect();
    assert_eq!(said[0], LOGGED_IN[0]);
    assert_eq!(said[2], LOGGED_IN[2]);
    assert_eq!(said[3..], *expected, "{wire}");
    world
}

#[tokio::test]
async fn a_message_is_queued_with_what_it_lacks_and_without_blind_copies() {
    let wire = format!(
        "{FROM_ALICE}From: alice@example.test\r\nBcc: dave@other.test\r\nSubject: hello\r\n\r\n..dot\r\n.\r\nQUIT\r\n"
    );
    let world = check(
        &wire,
        &["250 2.1.0", "250 2.1.5", "354", "250 2.0.0", "221 2.0.0"],
    )
    .await;
    let queued = world.queued().await;
    assert_eq!(queued.len(), 1);
    let (shown, text) = &queued[0];
    assert_eq!(
        shown.envelope.submitter.as_deref(),
        Some("alice@example.test")
    );
    assert_eq!(shown.listed.sender, "alice@example.test");
    assert_eq!(shown.recipients[0].recipient.address, "carol@other.test");
    assert!(
        text.starts_with(
            "Received: from laptop.test ([192.0.2.1])\r\n\tby localhost with ESMTPA id 7-1;\r\n\t"
        ),
        "{text}"
    );
    assert!(text.contains("\r\nDate: ") && text.contains("\r\nMessage-ID: <"));
    assert!(
        text.ends_with("\r\nFrom: alice@example.test\r\nSubject: hello\r\n\r\n.dot\r\n"),
        "{text}"
    );
}

#[tokio::test]
async fn nobody_sends_without_logging_in() {
    let world = World::new(Config::default()).await;
    let wire =
        "EHLO x.test\r\nMAIL FROM:<alice@example.test>\r\nRCPT TO:<carol@other.test>\r\nDATA\r\n";
    let said = world.submit().run(wire.as_bytes()).await;
    assert_eq!(said[2..], ["530 5.7.0", "503 5.5.1", "503 5.5.1"]);
}

#[tokio::test]
async fn names_that_are_not_ones_own_are_refused() {
    for (from, expected) in [
        ("bob@example.test", &["550 5.7.1"][..]),
        ("someone@other.test", &["550 5.7.1"]),
        ("", &["550 5.7.1"]),
        // An alias for several.
        ("team@example.test", &["550 5.7.1"]),
    ] {
        check(&format!("MAIL FROM:<{from}>\r\n"), expected).await;
    }
    for header in [
        "From: bob@example.test\r\n",
        "From: alice@example.test, bob@example.test\r\n",
        "From: alice@example.test\r\nSender: bob@example.test\r\n",
    ] {
        let wire = format!("{FROM_ALICE}{header}\r\nx\r\n.\r\n");
        let world = check(&wire, &["250 2.1.0", "250 2.1.5", "354", "550 5.7.1"]).await;
        assert!(world.queued().await.is_empty(), "{header}");
    }
    // On a field that is put before it, or as some program reads it.
    for (header, answer) in [
        ("\t, bob@example.test\r\nSubject: x\r\n", "554 5.6.0"),
        (
            "From: <alice@example.test> <bob@example.test>\r\n",
            "550 5.7.1",
        ),
        (
            "From: bob@example.test <alice@example.test>\r\n",
            "550 5.7.1",
        ),
    ] {
        let wire = format!("{FROM_ALICE}{header}\r\nx\r\n.\r\n");
        check(&wire, &["250 2.1.0", "250 2.1.5", "354", answer]).await;
    }
    let twice = "From: alice@example.test\r\nFrom: bob@example.test\r\n";
    let wire = format!("{FROM_ALICE}{twice}\r\nx\r\n.\r\n");
    check(&wire, &["250 2.1.0", "250 2.1.5", "354", "554 5.6.0"]).await;
}

#[tokio::test]
async fn who_was_given_a_name_sends_in_it() {
    for (envelope, header, from, sender) in [
        ("info", "From: info@example.test\r\n", "info", None),
        ("alice", "From: info@example.test\r\n", "alice", None),
        (
            "boss",
            "From: boss@example.test\r\n",
            "alice",
            Some("<alice@example.test>"),
        ),
        (
            "alice",
            "From: boss@example.test\r\nSender: Alice <alice@example.test>\r\n",
            "alice",
            Some("Alice <alice@example.test>"),
        ),
    ] {
        let wire = format!(
            "MAIL FROM:<{envelope}@example.test>\r\nRCPT TO:<carol@other.test>\r\nDATA\r\n{header}\r\nx\r\n.\r\n"
        );
        let world = check(&wire, &["250 2.1.0", "250 2.1.5", "354", "250 2.0.0"]).await;
        let (shown, text) = &world.queued().await[0];
        assert_eq!(shown.listed.sender, format!("{from}@example.test"));
        assert!(text.contains("\r\nFrom: "), "{text}");
        let found = text.lines().find_map(|line| line.strip_prefix("Sender: "));
        assert_eq!(found, sender, "{text}");
    }
    for header in [
        "From: boss@example.test\r\nSender: boss@example.test\r\n",
        "From: alice@example.test\r\nSender: boss@example.test\r\n",
    ] {
        let wire = format!("{FROM_ALICE}{header}\r\nx\r\n.\r\n");
        check(&wire, &["250 2.1.0", "250 2.1.5", "354", "550 5.7.1"]).await;
    }
}

#[tokio::test]
async fn copies_are_queued_with_their_message_as_it_was_written() {
    let bob = "EHLO x.test\r\nAUTH PLAIN AGJvYkBleGFtcGxlLnRlc3QAY29ycmVjdCBob3JzZQ==\r\n";
    for (login, from, mailbox) in [
        (bob, "bob", "bob@example.test"),
        (LOGIN, "info", "info@example.test"),
    ] {
        let world = World::new(Config::default()).await;
        let header = format!("From: {from}@example.test\r\nBcc: dave@other.test\r\n");
        let wire = format!(
            "{login}MAIL FROM:<{from}@example.test>\r\nRCPT TO:<carol@other.test>\r\nDATA\r\n{header}\r\nx\r\n.\r\n"
        );
        let said = world.submit().run(wire.as_bytes()).await;
        assert_eq!(said.last().unwrap(), "250 2.0.0");
        let queued = world.queued().await;
        let [(sent, mail), (copy, kept)] = &queued[..] else {
            panic!("{} in the queue", queued.len());
        };
        assert_eq!(sent.envelope.purpose, Purpose::Mail);
        assert_eq!(copy.envelope.purpose, Purpose::SentCopy);
        assert!(copy.listed.is_copy && copy.listed.sender.is_empty());
        assert_eq!(copy.recipients.len(), 1);
        assert_eq!(copy.recipients[0].recipient.address, mailbox);
        // The same Date and Message-ID, no trace, and who got it in secret.
        let added = mail.split_once("\r\nDate: ").unwrap().1;
        let added = added.split_once("From: ").unwrap().0;
        assert_eq!(*kept, format!("Date: {added}{header}\r\nx\r\n"));
        assert!(!mail.contains("dave"));
    }
}

#[tokio::test]
async fn recipients_are_looked_up_at_once() {
    let wire = "MAIL FROM:<ALICE@example.test>\r\nRCPT TO:<bob@example.test>\r\nRCPT TO:<nobody@example.test>\r\n\
                RCPT TO:<carol@other.test>\r\nRCPT TO:<x@unreached.test>\r\n";
    let expected = [
        "250 2.1.0",
        "250 2.1.5",
        "550 5.1.1",
        "250 2.1.5",
        "550 5.7.1",
    ];
    check(wire, &expected).await;
}

#[tokio::test]
async fn quoted_local_parts_stay_quoted() {
    let wire = "MAIL FROM:<alice@example.test>\r\nRCPT TO:<\"john smith\"@other.test>\r\nDATA\r\n\
                From: alice@example.test\r\n\r\n.\r\n";
    let world = check(wire, &["250 2.1.0", "250 2.1.5", "354", "250 2.0.0"]).await;
    let recipient = &world.queued().await[0].0.recipients[0].recipient;
    assert_eq!(recipient.address, "\"john smith\"@other.test");
}

#[tokio::test]
async fn smuggled_messages_are_refused() {
    for (body, bare) in [
        ("x\n.\nMAIL FROM:<bob@example.test>\r\n", true),
        ("x\r.\r\r\n", true),
        ("x\r\n", false),
    ] {
        let wire = format!("{FROM_ALICE}From: alice@example.test\r\n\r\n{body}.\r\n");
        let last = if bare { "554 5.6.0" } else { "250 2.0.0" };
        let world = check(&wire, &["250 2.1.0", "250 2.1.5", "354", last]).await;
        assert_eq!(world.queued().await.is_empty(), bare, "{body:?}");
    }
}

#[tokio::test]
async fn binary_messages_come_by_bdat() {
    let text = "From: alice@example.test\r\nDate: x\r\nMessage-ID: <1@x>\r\n\r\n\0\nend";
    let wire = format!(
        "MAIL FROM:<alice@example.test> BODY=BINARYMIME\r\nRCPT TO:<carol@other.test>\r\nDATA\r\nBDAT {} LAST\r\n{text}",
        text.len()
    );
    let world = check(&wire, &["250 2.1.0", "250 2.1.5", "503 5.5.1", "250 2.0.0"]).await;
    let queued = world.queued().await;
    assert!(queued[0].1.ends_with(text));
    assert_eq!(queued[0].0.envelope.body, BodyKind::Binary);
}

#[tokio::test]
async fn what_is_asked_of_the_next_server_is_kept() {
    let wire = format!(
        "MAIL FROM:<alice@example.test> RET=FULL ENVID=e+2B1 HOLDFOR=3600 SMTPUTF8 SIZE=100\r\n\
         RCPT TO:<carol@other.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;c@other.test\r\nDATA\r\n{}\r\n.\r\n",
        "From: alice@example.test\r\n"
    );
    let world = check(&wire, &["250 2.1.0", "250 2.1.5", "354", "250 2.0.0"]).await;
    let (shown, _) = &world.queued().await[0];
    assert_eq!(shown.envelope.envelope_id.as_deref(), Some("e+1"));
    assert!(shown.envelope.utf8);
    let recipient = &shown.recipients[0].recipient;
    assert_eq!(recipient.notify, Notify::SUCCESS.and(Notify::DELAY));
    assert_eq!(recipient.original.as_deref(), Some("rfc822;c@other.test"));
    let due = shown
        .listed
        .due
        .unwrap()
        .duration_since(shown.listed.arrived)
        .unwrap();
    assert!((3590..=3600).contains(&due.as_secs()), "{due:?}");
    check(
        "MAIL FROM:<alice@example.test> HOLDFOR=99999999\r\n",
        &["501 5.5.4"],
    )
    .await;
    check(
        "MAIL FROM:<alice@example.test> REQUIRETLS\r\n",
        &["530 5.7.4"],
    )
    .await;
}

#[tokio::test]
async fn logins_follow_the_rules() {
    let world = World::new(Config::default()).await;
    let wire = "AUTH PLAIN AAA=\r\nEHLO x.test\r\nAUTH CRAM-MD5\r\nAUTH PLAIN ###\r\nAUTH LOGIN\r\n*\r\n\
                auth login\r\nYWxpY2VAZXhhbXBsZS50ZXN0\r\nd3Jvbmc=\r\n\
                AUTH LOGIN YWxpY2VAZXhhbXBsZS50ZXN0\r\nY29ycmVjdCBob3JzZQ==\r\nAUTH PLAIN AAA=\r\n";
    let said = world.submit().run(wire.as_bytes()).await;
    let expected = [
        "220",
        "503 5.5.1",
        "250",
        "504 5.5.4",
        "501 5.5.2",
        "334",
        "501 5.7.0",
        "334",
        "334",
        "535 5.7.8",
        "334",
        "235 2.7.0",
        "503 5.5.1",
    ];
    assert_eq!(said, expected);
    let guesses = "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdAB3cm9uZw==\r\n".repeat(6);
    let said = world
        .submit()
        .run(format!("EHLO x\r\n{guesses}").as_bytes())
        .await;
    assert_eq!(
        said[2..],
        [
            "535 5.7.8",
            "535 5.7.8",
            "535 5.7.8",
            "535 5.7.8",
            "421 4.7.0"
        ]
    );
}

#[tokio::test]
async fn each_profile_has_its_own_greeting() {
    let world = World::new(Config::default()).await;
    let said = world.submit().run(b"LHLO x\r\nHELO x\r\n").await;
    assert_eq!(said, ["220", "500 5.5.1", "250"]);
    let said = world
        .connect()
        .run(b"EHLO x\r\nHELO x\r\nAUTH PLAIN AAA=\r\n")
        .await;
    assert_eq!(said, ["220", "500 5.5.1", "500 5.5.1", "502 5.5.1"]);
}

#[tokio::test]
async fn a_long_token_comes_with_its_command() {
    let world = World::new(Config::default()).await;
    // Base64 of letters alone, and no credentials.
    let wire = |command: &str, len: usize| {
        format!(
            "EHLO x.test\r\n{command} {}\r\nNOOP\r\n",
            "YWFh".repeat(len / 4)
        )
    };
    for (command, len, answer) in [
        ("auth PLAIN", 12_000, "501 5.5.2"),
        ("AUTH PLAIN", 100_000, "500 5.5.2"),
        ("VRFY", 12_000, "500 5.5.2"),
    ] {
        let said = world.submit().run(wire(command, len).as_bytes()).await;
        assert_eq!(said[2..], [answer, "250 2.0.0"], "{command} {len}");
    }
}
