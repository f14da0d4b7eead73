//! Sending. Source: MS-OXOMSG 3.2.4, 3.3.5.

use exchange_standin::{Config, Server, model::mailbox::Quota};
use mapi_types::PropTag;
use mapi_wire::{
    Id, PropValue, ServerId,
    rop::{LogonResponse, Response, SubmitMessage, TransportSend},
};

use super::{
    client::Client,
    message_rops::{create_message, recipient, recipients, text},
};

const SUBMIT: SubmitMessage = SubmitMessage {
    logon_id: 0,
    input: 0,
    submit_flags: 0,
};

/// A client with a new message in its Outbox.
fn new_message(server: &Server, user: &str, mailbox: &str) -> (Client, LogonResponse, u32) {
    let mut client = Client::connected(server, user);
    let dn = server.user(mailbox).unwrap().legacy_dn;
    let (logon, store) = client.logon_to(&dn, 0).unwrap();
    let outbox = logon.folder_ids[LogonResponse::OUTBOX];
    let folder = client.open_folder(outbox, store);
    let (_, message) = client.good(create_message(outbox), folder);
    client.set_props(
        message,
        &[(0x0037_001f, text("hello")), (0x1000_001f, text("body"))],
    );
    (client, logon, message)
}

fn subjects(server: &Server, user: &str, folder: &str) -> Vec<String> {
    let mailbox = server.mailbox(user);
    mailbox.subjects(mailbox.folder(folder).unwrap()).unwrap()
}

#[test]
fn a_sent_message_reaches_everybody_once_and_its_copy_the_folder_it_names() {
    let server = Server::start(Config::default()).unwrap();
    let (mut client, logon, message) = new_message(&server, "alice", "alice");
    assert_eq!(
        client.bad(SUBMIT, message),
        0x8004_0607,
        "nobody to send it to"
    );
    client.good(
        recipients(vec![
            recipient(0, 1, "bob@example.test"),
            recipient(1, 2, "everybody@example.test"),
            recipient(2, 3, "dana@elsewhere.test"),
            recipient(3, 1, "nobody@example.test"),
        ]),
        message,
    );
    let sent = ServerId::Ours {
        folder: logon.folder_ids[LogonResponse::SENT_ITEMS],
        message: Id::default(),
        instance: 0,
    };
    client.set_props(message, &[(0x6740_00fb, PropValue::ServerId(sent))]);
    client.save(message);
    client.good(SUBMIT, message);
    assert_eq!(
        client.bad(SUBMIT, message),
        0x8004_010a,
        "the handle is good for nothing any more"
    );
    assert_eq!(subjects(&server, "bob", "Inbox"), ["hello"]);
    assert_eq!(subjects(&server, "carol", "Inbox"), ["hello"]);
    assert_eq!(
        subjects(&server, "alice", "Inbox"),
        ["hello", "Undeliverable: hello"]
    );
    assert_eq!(subjects(&server, "alice", "Outbox"), [""; 0]);
    assert_eq!(subjects(&server, "alice", "Sent Items"), ["hello"]);
    let outgoing = server.outgoing();
    assert_eq!(outgoing.len(), 1);
    assert_eq!(outgoing[0].to, ["dana@elsewhere.test"]);
    let bob = server.mailbox("bob");
    let got = &bob.messages(bob.inbox().unwrap()).unwrap()[0];
    assert!(!got.read && !got.is_unsent());
    assert!(
        got.content.props.is_true(PropTag(0x0057_000b)),
        "sent to me"
    );
    assert!(
        got.content
            .recipients
            .iter()
            .all(|recipient| recipient.kind != 3),
        "no secret recipients"
    );
    let from = got.content.props.text(PropTag(0x5d01_001f));
    assert_eq!(from.as_deref(), Some("alice@example.test"));
}

#[test]
fn a_message_is_deleted_after_sending_when_it_says_so() {
    let server = Server::start(Config::default()).unwrap();
    let (mut client, _, message) = new_message(&server, "alice", "alice");
    client.good(
        recipients(vec![recipient(0, 1, "bob@example.test")]),
        message,
    );
    client.set_props(message, &[(0x0e01_000b, PropValue::Bool(true))]);
    let (response, _) = client.good(
        TransportSend {
            logon_id: 0,
            input: 0,
        },
        message,
    );
    assert!(matches!(response, Response::TransportSend(_)));
    assert_eq!(subjects(&server, "bob", "Inbox"), ["hello"]);
    assert_eq!(subjects(&server, "alice", "Outbox"), [""; 0]);
    assert_eq!(subjects(&server, "alice", "Sent Items"), [""; 0]);
}

#[test]
fn sending_as_somebody_needs_a_right_to_it() {
    let server = Server::start(Config::default()).unwrap();
    let bob_dn = server.user("bob").unwrap().legacy_dn;
    let send = || {
        let (mut client, _, message) = new_message(&server, "alice", "alice");
        client.good(
            recipients(vec![recipient(0, 1, "carol@example.test")]),
            message,
        );
        client.set_props(
            message,
            &[
                (0x0042_001f, text("Bob Brown")),
                (0x0064_001f, text("EX")),
                (0x0065_001f, text(&bob_dn)),
            ],
        );
        match client.one(SUBMIT, message).0 {
            Response::Failed(failed) => failed.code,
            _ => 0,
        }
    };
    assert_eq!(send(), 0x8007_0005);
    server.change_user("bob", |bob| {
        bob.on_behalf.insert("alice".into());
    });
    assert_eq!(send(), 0);
    server.change_user("bob", |bob| {
        bob.send_as.insert("alice".into());
    });
    assert_eq!(send(), 0);
    let carol = server.mailbox("carol");
    let got = carol.messages(carol.inbox().unwrap()).unwrap();
    let people = |tag| {
        let text = |message: &std::sync::Arc<exchange_standin::model::message::Message>| {
            message.content.props.text(PropTag(tag)).unwrap()
        };
        got.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(
        people(0x5d02_001f),
        ["bob@example.test", "bob@example.test"]
    );
    assert_eq!(
        people(0x5d01_001f),
        ["alice@example.test", "bob@example.test"]
    );
}

#[test]
fn a_message_that_is_too_large_is_not_sent() {
    let server = Server::start(Config::default()).unwrap();
    let quota = Quota {
        storage: None,
        submission: Some(100),
    };
    server.mailbox("alice").set_quota(quota).unwrap();
    let (mut client, _, message) = new_message(&server, "alice", "alice");
    client.good(
        recipients(vec![recipient(0, 1, "bob@example.test")]),
        message,
    );
    assert_eq!(client.bad(SUBMIT, message), 0x4da);
}
