//! LMTP: what is said, and what is in the mailboxes afterwards.

use smtp_server::Config;
use tokio::io::AsyncReadExt;

use crate::support::{ALICE, AWAY, BOB, World, check};

const ENVELOPE: &str = "LHLO mx.example.org\r\nMAIL FROM:<carol@example.org>\r\n";

#[tokio::test]
async fn each_accepted_recipient_gets_a_reply_in_order() {
    let wire = format!(
        "{ENVELOPE}RCPT TO:<{ALICE}>\r\nRCPT TO:<nobody@example.test>\r\nRCPT TO:<{BOB}>\r\nDATA\r\nSubject: x\r\n\r\n..a\r\n.\r\nQUIT\r\n"
    );
    let expected = [
        "220",
        "250",
        "250 2.1.0",
        "250 2.1.5",
        "550 5.1.1",
        "250 2.1.5",
        "354",
        "250 2.1.5",
        "250 2.1.5",
        "221 2.0.0",
    ];
    // LHLO's last line is `250 ENHANCEDSTATUSCODES`.
    let world = check(&wire, &expected).await;
    for user in [ALICE, BOB] {
        let inbox = world.inbox(user).await;
        assert_eq!(inbox.len(), 1);
        let (trace, message) = inbox[0].split_once("Subject:").unwrap();
        assert_eq!(message, " x\r\n\r\n.a\r\n");
        assert!(trace.starts_with(&format!("Return-Path: <carol@example.org>\r\nDelivered-To: {user}\r\nReceived: from mx.example.org ([192.0.2.1])\r\n")), "{trace}");
    }
}

#[tokio::test]
async fn an_alias_delivers_once_to_each_mailbox() {
    let wire = format!(
        "{ENVELOPE}RCPT TO:<team@example.test>\r\nRCPT TO:<Alice+tag@EXAMPLE.test>\r\nBDAT 3\r\nA: BDAT 6 LAST\r\nb\r\n\r\nc"
    );
    let world = check(
        &wire,
        &[
            "220",
            "250",
            "250 2.1.0",
            "250 2.1.5",
            "250 2.1.5",
            "250 2.0.0",
            "250 2.1.5",
            "250 2.1.5",
        ],
    )
    .await;
    for user in [ALICE, BOB] {
        let inbox = world.inbox(user).await;
        assert_eq!(inbox.len(), 1, "{user}");
        assert!(inbox[0].ends_with("\r\nA: b\r\n\r\nc"), "{}", inbox[0]);
    }
}

#[tokio::test]
async fn commands_out_of_order_are_refused_and_the_session_goes_on() {
    check(
        "MAIL FROM:<a@b.example>\r\nEHLO x\r\nHELO x\r\nLHLO x\r\nRCPT TO:<a@b.example>\r\nDATA\r\nFOO\r\nMAIL FROM:bad<<\r\n\
         BDAT 5 LAST\r\nabcdeRSET\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nDATA\r\nRSET\r\nDATA\r\nNOOP\r\nVRFY x\r\nHELP\r\nSTARTTLS\r\nQUIT\r\n",
        &[
            "220", "503 5.5.1", "500 5.5.1", "500 5.5.1", "250", "503 5.5.1", "503 5.5.1", "500 5.5.2", "501 5.5.4", "503 5.5.1", "250 2.0.0",
            "250 2.1.0", "503 5.5.1", "503 5.5.1", "250 2.0.0", "503 5.5.1", "250 2.0.0", "252 2.1.5", "214 2.0.0", "502 5.5.1", "221 2.0.0",
        ],
    )
    .await;
}

#[tokio::test]
async fn ugly_command_lines_are_refused() {
    let long = format!("NOOP {}\r\n", "x".repeat(5000));
    check(
        &format!("LHLO x\nNOOP\r\nNO\rOP\r\nNO\0OP\r\n{long}NOOP\r\n"),
        // The bare LF ends the first line, so that nothing can hide behind it.
        &[
            "220",
            "500 5.5.2",
            "250 2.0.0",
            "500 5.5.2",
            "500 5.5.2",
            "500 5.5.2",
            "250 2.0.0",
        ],
    )
    .await;
}

#[tokio::test]
async fn parameters_are_accepted_checked_or_refused() {
    check(
        "LHLO x\r\nMAIL FROM:<a@b.example> SIZE=999999999999\r\nMAIL FROM:<a@b.example> BODY=BINARYMIME\r\n\
         MAIL FROM:<j\u{fc}rgen@b.example>\r\nMAIL FROM:<j\u{fc}rgen@b.example> SMTPUTF8 BODY=8BITMIME SIZE=10 RET=HDRS ENVID=abc\r\n\
         RCPT TO:<alice@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;alice@example.test\r\n",
        &["220", "250", "552 5.3.4", "555 5.5.4", "553 5.6.7", "250 2.1.0", "250 2.1.5"],
    )
    .await;
}

#[tokio::test]
async fn a_message_over_the_limit_is_read_to_its_end_and_refused() {
    let world = World::new(Config {
        message_bytes_max: 1000,
        ..Config::default()
    })
    .await;
    let wire = format!(
        "{ENVELOPE}RCPT TO:<{ALICE}>\r\nRCPT TO:<{BOB}>\r\nDATA\r\n{}\r\n.\r\nNOOP\r\n",
        "x".repeat(5000)
    );
    let said = world.connect().run(wire.as_bytes()).await;
    assert_eq!(said[6..], ["552 5.3.4", "552 5.3.4", "250 2.0.0"]);
    assert!(world.inbox(ALICE).await.is_empty());
}

#[tokio::test]
async fn a_connection_cut_within_the_message_delivers_nothing() {
    for tail in ["half a line", "x\r\n.\r", "x\n.\n", "x\r\n.\n"] {
        let wire = format!("{ENVELOPE}RCPT TO:<{ALICE}>\r\nDATA\r\nSubject: {tail}");
        let world = check(&wire, &["220", "250", "250 2.1.0", "250 2.1.5", "354"]).await;
        assert!(world.inbox(ALICE).await.is_empty(), "{tail:?}");
    }
}

#[tokio::test]
async fn too_many_errors_and_too_many_recipients_are_cut_off() {
    let world = World::new(Config {
        errors_max: 2,
        recipients_max: 1,
        ..Config::default()
    })
    .await;
    let said = world
        .connect()
        .run(b"LHLO x\r\nFOO\r\nFOO\r\nFOO\r\nNOOP\r\n")
        .await;
    assert_eq!(
        said,
        [
            "220",
            "250",
            "500 5.5.2",
            "500 5.5.2",
            "500 5.5.2",
            "421 4.7.0"
        ]
    );
    let wire = format!("{ENVELOPE}RCPT TO:<{ALICE}>\r\nRCPT TO:<{BOB}>\r\n");
    assert_eq!(
        world.connect().run(wire.as_bytes()).await[3..],
        ["250 2.1.5", "452 4.5.3"]
    );
}

#[tokio::test]
async fn shutdown_ends_a_session_between_commands() {
    let world = World::new(Config::default()).await;
    let mut client = world.connect();
    client.stop.send_replace(true);
    let mut said = String::new();
    client.stream.read_to_string(&mut said).await.unwrap();
    assert!(said.ends_with("421 4.3.2 shutting down\r\n"), "{said}");
}

#[tokio::test]
async fn mail_for_mailboxes_behind_a_mail_server_is_queued_for_it() {
    let wire = "LHLO mx.test\r\nMAIL FROM:<carol@other.test>\r\nRCPT TO:<away+x@example.test>\r\nRCPT TO:<bob@example.test>\r\n\
                RCPT TO:<away@example.test>\r\nDATA\r\nSubject: x\r\nBcc: kept@other.test\r\n\r\ntext\r\n.\r\nQUIT\r\n";
    let told = ["250 2.1.5"; 3];
    let expected = [
        &["220", "250", "250 2.1.0"][..],
        &told,
        &["354"],
        &told,
        &["221 2.0.0"],
    ];
    let world = check(wire, &expected.concat()).await;
    let queued = world.queued().await;
    let [(shown, text)] = &queued[..] else {
        panic!("{} in the queue", queued.len());
    };
    assert_eq!(shown.listed.sender, "carol@other.test");
    assert_eq!(shown.recipients.len(), 1);
    assert_eq!(shown.recipients[0].recipient.address, AWAY);
    assert!(text.starts_with("Received: from mx.test "), "{text}");
    assert!(
        text.ends_with("\r\nSubject: x\r\nBcc: kept@other.test\r\n\r\ntext\r\n"),
        "{text}"
    );
    assert!(world.inbox(AWAY).await.is_empty());
    assert_eq!(world.inbox(BOB).await.len(), 1);
}
