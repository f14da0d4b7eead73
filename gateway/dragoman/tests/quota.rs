//! What mail servers and clients hear of a mailbox that is full.

#![allow(clippy::unwrap_used, reason = "assertions of tests")]

mod running;

use running::{Client, MAILBOX, Server, add_user, run, said};

fn message(octets: usize) -> String {
    let mut message = "From: bob@example.test\r\nSubject: x\r\n\r\n".to_owned();
    message += &"y".repeat(octets - message.len() - 2);
    message + "\r\n"
}

/// What is said of a message that a mail server hands over.
fn deliver(client: &mut Client, octets: usize) -> String {
    assert!(
        client
            .reply("MAIL FROM:<bob@example.test>")
            .starts_with("250")
    );
    let recipient = format!("RCPT TO:<{MAILBOX}>");
    assert!(client.reply(&recipient).starts_with("250"));
    assert!(client.reply("DATA").starts_with("354"));
    client.reply(&format!("{}.", message(octets)))
}

fn cannot_send(server: &Server) {
    let mut sender = server.connect("submission");
    sender.reply("EHLO client.example.test");
    // "\0alice@example.test\0secret-alice"
    let login = "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQtYWxpY2U=";
    assert!(sender.reply(login).starts_with("235"));
    assert!(
        sender
            .reply(&format!("MAIL FROM:<{MAILBOX}>"))
            .starts_with("250")
    );
    assert!(
        sender
            .reply(&format!("RCPT TO:<{MAILBOX}>"))
            .starts_with("250")
    );
    assert!(sender.reply("DATA").starts_with("354"));
    let refused = sender.reply(&format!("From: <{MAILBOX}>\r\n\r\ntext\r\n."));
    assert!(refused.starts_with("552 5.2.2"), "{refused}");
}

#[test]
fn a_full_mailbox_is_told_in_the_words_of_each_protocol() {
    let world = tempfile::tempdir().unwrap();
    let data = world.path();
    add_user(data);
    let listeners = ["imap", "lmtp", "submission"];
    let settings = ["log.level=error", "quota.receive_bytes=20000"];
    let server = Server::start(data, &listeners, &settings);
    let mut client = server.client();
    client.append("INBOX", r"\Deleted", &message(2048));
    let told = client.ask("GETQUOTAROOT Drafts");
    assert!(
        told.contains("* QUOTAROOT \"Drafts\" mailbox\r\n"),
        "{told}"
    );
    assert!(
        told.contains("* QUOTA mailbox (STORAGE 2 19)\r\n"),
        "{told}"
    );
    assert!(client.ask("GETQUOTA mailbox").contains("STORAGE 2 19"));
    for refused in [
        "GETQUOTA other",
        "GETQUOTAROOT None",
        "SETQUOTA mailbox (STORAGE 9)",
    ] {
        assert!(client.answer(refused).contains("a NO ["), "{refused}");
    }
    let storage = client.ask("STATUS INBOX (DELETED DELETED-STORAGE)");
    assert!(
        storage.contains("(DELETED 1 DELETED-STORAGE 2048)"),
        "{storage}"
    );

    let mut mta = server.connect("lmtp");
    assert!(mta.reply("LHLO mx.example.test").starts_with("250"));
    assert!(deliver(&mut mta, 10_000).starts_with("250"));
    assert!(deliver(&mut mta, 10_000).starts_with("452 4.2.2"));
    let refused = client.try_append("Drafts", "", &message(10_000));
    assert!(refused.starts_with("a NO [OVERQUOTA]"), "{refused}");
    client.ask("SELECT INBOX");
    let refused = client.answer("COPY 2 Drafts");
    assert!(refused.contains("a NO [OVERQUOTA]"), "{refused}");
    client.ask("MOVE 2 Drafts");

    // The next one finds the limits changed beside it.
    let set = [
        "quota",
        "set",
        MAILBOX,
        "--receive",
        "none",
        "--send",
        "1K",
        "--receive-messages",
        "7",
    ];
    let shown = said(data, &set);
    assert!(
        shown.contains("its own") && shown.contains("send: 1024 octets, exceeded"),
        "{shown}"
    );
    assert!(deliver(&mut mta, 10_000).starts_with("250"));
    let told = client.ask("GETQUOTAROOT INBOX");
    assert!(told.contains("(STORAGE 22 1 MESSAGE 3 7)"), "{told}");
    cannot_send(&server);

    assert!(said(data, &["quota", "unset", MAILBOX]).contains("those for all"));
    assert!(said(data, &["quota", "show"]).contains("takes nothing in"));
    assert!(!run(data, &["quota", "set", MAILBOX], "").status.success());
    drop((client, server));
    assert_eq!(said(data, &["fsck"]), "no faults\n");
}

#[test]
fn mail_for_a_full_mailbox_is_refused_where_that_is_the_policy() {
    let world = tempfile::tempdir().unwrap();
    add_user(world.path());
    let settings = [
        "log.level=error",
        "quota.receive_messages=1",
        "quota.mailbox_full=refuse",
    ];
    let server = Server::start(world.path(), &["lmtp"], &settings);
    let mut mta = server.connect("lmtp");
    assert!(mta.reply("LHLO mx.example.test").starts_with("250"));
    assert!(deliver(&mut mta, 100).starts_with("250"));
    assert!(deliver(&mut mta, 200).starts_with("552 5.2.2"));
}

#[test]
fn an_owner_is_warned_once_in_a_mailbox_that_is_full() {
    let world = tempfile::tempdir().unwrap();
    let data = world.path();
    add_user(data);
    let server = Server::start(data, &["imap"], &["log.level=error"]);
    server.client().append("INBOX", "", &message(3000));
    drop(server);
    let settings = [
        "quota.warn_bytes=1000",
        "quota.receive_bytes=2000",
        "retention.sweep_every_s=1",
    ];
    let warned = |server: &Server, expected: &str| {
        let mut client = server.client();
        // The answer tells when the message has arrived.
        loop {
            let status = client.ask("STATUS INBOX (MESSAGES)");
            if status.contains(expected) {
                break;
            }
            assert!(status.contains("MESSAGES 1"), "{status}");
            std::thread::yield_now();
        }
        client
    };
    let server = Server::start(data, &["imap"], &settings);
    let mut client = warned(&server, "MESSAGES 2");
    client.ask("SELECT INBOX");
    let told = client.ask("FETCH 2 BODY[]");
    for part in [
        "Subject: Your mailbox is almost full",
        "Return-Path: <>",
        MAILBOX,
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // Deleted or not, it does not come again in the same interval: the next look finds that it was said.
    client.ask(r"STORE 2 +FLAGS (\Deleted)");
    client.ask("EXPUNGE");
    drop((client, server));
    let server = Server::start(data, &["imap"], &settings);
    let looks = said(data, &["quota", "show", MAILBOX]);
    assert!(looks.contains("receive: 2000 octets, exceeded"), "{looks}");
    assert!(
        server
            .client()
            .ask("STATUS INBOX (MESSAGES)")
            .contains("MESSAGES 1")
    );
}
