//! Sending: to whom, as whom, once.

use std::sync::Arc;

use bytes::Bytes;
use exchange_standin::{Fault, What, When};
use mapi_store::{Backend, ErrorKind, FolderInfo, Role, Store};
use mapi_types::{
    Draft, ItemKey, MailboxId, Message, MessageTree, OwnedValue, PropBag, Version, tags,
};

use crate::subject::{ALICE, BOB, Standin};

const CAROL: &str = "carol@example.test";

fn text(value: &str) -> OwnedValue {
    OwnedValue::Str(value.into())
}

fn recipient(address: &str) -> PropBag {
    let props = [
        (tags::RECIPIENT_TYPE.tag(), OwnedValue::I32(1)),
        (tags::DISPLAY_NAME.tag(), text(address)),
        (tags::ADDRESS_TYPE.tag(), text("SMTP")),
        (tags::EMAIL_ADDRESS.tag(), text(address)),
        (tags::SMTP_ADDRESS.tag(), text(address)),
    ];
    props.into_iter().collect()
}

pub(crate) fn letter(from: &str, to: &[&str], subject: &str) -> Draft {
    let props = [
        (tags::MESSAGE_CLASS.tag(), text("IPM.Note")),
        (tags::SUBJECT.tag(), text(subject)),
        (tags::BODY.tag(), text("text")),
        (tags::SENT_REPRESENTING_ADDRESS_TYPE.tag(), text("SMTP")),
        (tags::SENT_REPRESENTING_EMAIL_ADDRESS.tag(), text(from)),
        (tags::SENT_REPRESENTING_SMTP_ADDRESS.tag(), text(from)),
        (tags::SENT_REPRESENTING_NAME.tag(), text(from)),
        // The server knows better.
        (tags::SENDER_EMAIL_ADDRESS.tag(), text(CAROL)),
    ];
    let tree = MessageTree {
        props: props.into_iter().collect(),
        recipients: to.iter().map(|address| recipient(address)).collect(),
        attachments: Vec::new(),
    };
    Draft {
        key: Some(ItemKey(subject.as_bytes().into())),
        message: Arc::new(Message {
            tree,
            ..Message::default()
        }),
        props: PropBag::default(),
        prefix: Bytes::new(),
    }
}

async fn special(store: &dyn Store, role: Role) -> FolderInfo {
    let tree = store.hierarchy(Version(0)).await.unwrap().changed;
    let mut tree = tree.into_iter();
    tree.find(|folder| folder.role == Some(role)).unwrap()
}

/// Subjects of a folder on the server.
fn there(standin: &Standin, user: &str, path: &str) -> Vec<String> {
    let mailbox = standin.server.mailbox(user);
    mailbox.subjects(mailbox.folder(path).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_reaches_everybody_and_is_kept_once() {
    let standin = Standin::start();
    let (alice, _) = standin.alice().await;
    let sent = special(&*alice, Role::SentItems).await;
    let to = [BOB, "far@elsewhere.test"];
    let draft = letter(ALICE, &to, "hello");
    alice.submit(&draft, Some(sent.id)).await.unwrap();
    assert_eq!(there(&standin, BOB, "Inbox"), ["hello"]);
    assert_eq!(there(&standin, ALICE, &sent.name), ["hello"]);
    assert_eq!(there(&standin, ALICE, "Outbox"), [""; 0]);
    let outgoing = standin.server.outgoing();
    let to: Vec<_> = outgoing.iter().flat_map(|mail| &mail.to).collect();
    assert_eq!(to, ["far@elsewhere.test"]);
    assert_eq!(outgoing[0].from, ALICE);

    alice.submit(&draft, Some(sent.id)).await.unwrap();
    assert_eq!(there(&standin, BOB, "Inbox"), ["hello"]);

    let draft = letter(ALICE, &[BOB], "not kept");
    alice.submit(&draft, None).await.unwrap();
    assert_eq!(there(&standin, BOB, "Inbox"), ["hello", "not kept"]);
    assert_eq!(there(&standin, ALICE, &sent.name), ["hello"]);
    assert_eq!(there(&standin, ALICE, "Outbox"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_sends_nothing_twice() {
    for rop in ["SubmitMessage", "SaveChangesMessage"] {
        for what in [What::LOSE_ANSWER, What::CutRequest { after: 0 }] {
            for times in [1, 3] {
                let standin = Standin::start();
                let (alice, _) = standin.alice().await;
                let draft = letter(ALICE, &[BOB], "once");
                let when = When {
                    rop: Some(rop.to_owned()),
                    ..When::default()
                };
                let what = what.clone();
                standin.server.faults().add(Fault { when, times, what });
                let mut last = Ok(());
                for _ in 0..10 {
                    last = alice.submit(&draft, None).await;
                    if last.is_ok() {
                        break;
                    }
                }
                last.unwrap();
                assert_eq!(there(&standin, BOB, "Inbox"), ["once"], "{rop} {times}");
                assert_eq!(there(&standin, ALICE, "Outbox"), [""; 0]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_known_after_the_gateway_started_again() {
    let mut standin = Standin::start();
    let (alice, _) = standin.alice().await;
    let draft = letter(ALICE, &[BOB], "once");
    standin
        .server
        .faults()
        .next_rop("SubmitMessage", What::LOSE_ANSWER);
    // The look for it is lost as well.
    standin
        .server
        .faults()
        .next_rop("GetPropertiesSpecific", What::LOSE_ANSWER);
    let _ = alice.submit(&draft, None).await;
    drop(alice);
    standin.restart();
    let (alice, _) = standin.alice().await;
    alice.submit(&draft, None).await.unwrap();
    assert_eq!(there(&standin, BOB, "Inbox"), ["once"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_send_in_whose_name_the_server_decides() {
    let standin = Standin::start();
    let bob = standin.sign_in(BOB).await.unwrap();
    let own = MailboxId(BOB.to_owned());
    let bob = standin.exchange.logon(&bob, &own).await.unwrap();
    let draft = letter(ALICE, &[CAROL], "from alice");
    let refused = bob.submit(&draft, None).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Denied);
    assert_eq!(there(&standin, BOB, "Outbox"), [""; 0]);
    assert_eq!(there(&standin, CAROL, "Inbox"), [""; 0]);

    standin.server.change_user(ALICE, |alice| {
        alice.on_behalf.insert("bob".to_owned());
    });
    bob.submit(&draft, None).await.unwrap();
    assert_eq!(there(&standin, CAROL, "Inbox"), ["from alice"]);
    let mailbox = standin.server.mailbox(CAROL);
    let inbox = mailbox.inbox().unwrap();
    let message = &mailbox.messages(inbox).unwrap()[0];
    let props = &message.content.props;
    let address = |tag| props.text(tag).unwrap_or_default();
    assert_eq!(address(tags::SENDER_SMTP_ADDRESS.tag()), BOB);
    assert_eq!(address(tags::SENT_REPRESENTING_SMTP_ADDRESS.tag()), ALICE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_nobody_is_refused_and_does_not_stay() {
    let standin = Standin::start();
    let (alice, _) = standin.alice().await;
    let refused = alice.submit(&letter(ALICE, &[], "to nobody"), None).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Invalid);
    assert_eq!(there(&standin, ALICE, "Outbox"), [""; 0]);
}
