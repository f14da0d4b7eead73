//! What goes wrong between a gateway and its server: nothing is lost, doubled or renumbered.

use std::sync::Arc;

use bytes::Bytes;
use exchange_standin::{Fault, What, When, model::draft::Draft as Sent};
use mapi_store::{ByteRange, ErrorKind, Expected, FolderInfo, Store};
use mapi_types::{
    BitChange, Change, Content, ContentHash, Derived, Draft, ItemKey, ItemNumber, MailboxId,
    Message, MessageTree, OwnedValue, tags, tags::message_flags,
};

use crate::subject::{ALICE, Standin, listing, numbers};

/// A message with a key of its own, whose bytes no converter would make.
pub(crate) fn draft(name: &str) -> Draft {
    let octets = format!("Subject: {name}\r\nX-Odd:   kept \r\n\r\nbody of {name}\n");
    let original = Bytes::from(octets.into_bytes());
    let hash = ContentHash(blake3::hash(&original).into());
    let len = original.len() as u64;
    let props = [
        (tags::SUBJECT.tag(), OwnedValue::Str(name.into())),
        (
            tags::MESSAGE_CLASS.tag(),
            OwnedValue::Str("IPM.Note".into()),
        ),
    ];
    Draft {
        key: Some(ItemKey(name.as_bytes().into())),
        message: Arc::new(Message {
            tree: MessageTree {
                props: props.into_iter().collect(),
                ..MessageTree::default()
            },
            original: Some(Content::new(Arc::new(original), len, hash)),
            derived: Derived::default(),
        }),
        props: [(tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(0))]
            .into_iter()
            .collect(),
        prefix: Bytes::new(),
    }
}

/// Saves as a client does: again, until there is an answer other than "later".
pub(crate) async fn save(store: &dyn Store, inbox: &FolderInfo, name: &str) -> ItemNumber {
    let mut last = None;
    for _ in 0..20 {
        match store.save(inbox.id, &[draft(name)]).await {
            Ok(saved) => return saved[0].number,
            Err(error) => {
                assert!(error.kind.is_transient(), "{error:?}");
                last = Some(error);
            }
        }
    }
    panic!("{name} was never saved: {last:?}");
}

pub(crate) async fn bytes(store: &dyn Store, inbox: &FolderInfo, item: ItemNumber) -> Bytes {
    let piece = ByteRange {
        item,
        tag: tags::ORIGINAL.tag(),
        offset: 0,
        len: 1 << 20,
    };
    let mut pieces = store.read_bytes(inbox.id, &[piece]).await.unwrap();
    pieces.pop().unwrap().unwrap()
}

pub(crate) fn original(name: &str) -> Bytes {
    let source = draft(name).message.original.clone().unwrap();
    let mut octets = vec![0; source.len() as usize];
    source.source().read_exact_at(&mut octets, 0).unwrap();
    octets.into()
}

/// How many messages with this subject the server has.
fn there(standin: &Standin, subject: &str) -> usize {
    let mailbox = standin.server.mailbox(ALICE);
    let subjects = mailbox.subjects(mailbox.inbox().unwrap()).unwrap();
    subjects.iter().filter(|found| *found == subject).count()
}

/// Makes `what` happen with the next Execute that has this ROP.
pub(crate) fn arm(standin: &Standin, rop: &str, what: What) {
    standin.server.faults().add(Fault {
        when: When {
            rop: Some(rop.to_owned()),
            ..When::default()
        },
        times: 1,
        what,
    });
}

pub(crate) async fn saved_once(
    standin: &Standin,
    store: &dyn Store,
    inbox: &FolderInfo,
    name: &str,
) {
    let number = save(store, inbox, name).await;
    standin.server.faults().clear();
    assert_eq!(there(standin, name), 1, "{name}");
    assert_eq!(bytes(store, inbox, number).await, original(name), "{name}");
}

const UPLOADS: &str = "SynchronizationImportMessageChange";

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_every_kind_leaves_nothing_half_done() {
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    let faults = [
        What::Unauthorized,
        What::Unavailable {
            retry_after_s: None,
        },
        What::Unavailable {
            retry_after_s: Some(0),
        },
        What::ResponseCode(6),
        What::ResponseCode(10),
        What::ResponseCode(13),
        What::ResponseCode(15),
        What::ResponseCode(18),
        What::ErrorCode(0x480),
        What::ErrorCode(0x4b6),
        What::Backoff { duration_ms: 1 },
        What::Delay { ms: 1 },
        What::LOSE_ANSWER,
    ];
    for (at, what) in faults.into_iter().enumerate() {
        let name = format!("fault {at}");
        arm(&standin, UPLOADS, what);
        saved_once(&standin, &*store, &inbox, &name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_contexts_and_a_server_started_again_are_noticed_by_nobody() {
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    let before = save(&*store, &inbox, "before").await;
    standin.server.faults().expire_contexts();
    let after = save(&*store, &inbox, "after").await;
    standin.server.faults().restart();
    let last = save(&*store, &inbox, "last").await;
    assert!(before < after && after < last);
    let seen = [Expected {
        item: before,
        version: None,
    }];
    let change = Change {
        bits: vec![BitChange {
            tag: tags::MESSAGE_FLAGS.tag(),
            set: message_flags::READ,
            clear: 0,
        }],
        ..Change::default()
    };
    standin.server.faults().expire_contexts();
    store.update(inbox.id, &seen, &change).await.unwrap();
    assert_eq!(
        numbers(&listing(&*store, &inbox).await),
        [before, after, last]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_moved_is_found_again() {
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    let before = save(&*store, &inbox, "before").await;
    assert!(standin.server.faults().move_mailbox(ALICE, 1));
    let after = save(&*store, &inbox, "after").await;
    assert_eq!(numbers(&listing(&*store, &inbox).await), [before, after]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_dropped_and_filled_again_keeps_every_number_and_every_byte() {
    let mut standin = Standin::start();
    let alice = MailboxId(ALICE.to_owned());
    let (store, inbox) = standin.alice().await;
    for name in ["a", "b", "c"] {
        save(&*store, &inbox, name).await;
    }
    standin
        .server
        .mailbox(ALICE)
        .deliver(Sent::about("d").text("text"))
        .unwrap();
    standin
        .exchange
        .synchronize(&alice, inbox.id)
        .await
        .unwrap();
    let before = numbers(&listing(&*store, &inbox).await);
    let mut octets = Vec::new();
    for item in &before {
        octets.push(bytes(&*store, &inbox, *item).await);
    }
    drop(store);
    let mirror = standin.mirrors().find_mirror(&alice).await.unwrap();
    mirror.drop_contents().await.unwrap();
    standin.restart();
    let (store, again) = standin.alice().await;
    assert_eq!(again.epoch, inbox.epoch);
    assert_eq!(numbers(&listing(&*store, &again).await), before);
    for (item, octets) in before.iter().zip(octets) {
        assert_eq!(bytes(&*store, &again, *item).await, octets);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_server_away_what_is_mirrored_stays_readable_and_writes_are_refused() {
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    let item = save(&*store, &inbox, "here").await;
    standin.server.faults().add(Fault {
        when: When::default(),
        times: u32::MAX,
        what: What::CutRequest { after: 0 },
    });
    assert_eq!(numbers(&listing(&*store, &inbox).await), [item]);
    assert_eq!(bytes(&*store, &inbox, item).await, original("here"));
    let refused = store.save(inbox.id, &[draft("later")]).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unavailable);
    standin.server.faults().clear();
    saved_once(&standin, &*store, &inbox, "later").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stored_whole_is_not_stored_in_part() {
    const FAILED: u32 = 0x8000_4005;
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    for rop in ["FastTransferDestinationPutBuffer", "SaveChangesMessage"] {
        arm(&standin, rop, What::RopError(FAILED));
        let two = [draft("first"), draft("second")];
        let refused = store.save(inbox.id, &two).await.unwrap_err();
        assert!(refused.kind.is_transient(), "{refused:?}");
        let mailbox = standin.server.mailbox(ALICE);
        let there = mailbox.subjects(mailbox.inbox().unwrap()).unwrap();
        assert_eq!(there, [""; 0], "{rop}");
    }
    let saved = store.save(inbox.id, &[draft("first")]).await.unwrap();
    assert_eq!(
        bytes(&*store, &inbox, saved[0].number).await,
        original("first")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_what_is_gone_leaves_nothing_behind() {
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    let target = mapi_store::NewFolder {
        parent: None,
        name: "Target".to_owned(),
        class: "IPF.Note".to_owned(),
    };
    let target = store.create_folder(&target).await.unwrap();
    let gone = save(&*store, &inbox, "gone").await;
    let stays = save(&*store, &inbox, "stays").await;
    let faults = standin.server.faults();
    faults.notifications(exchange_standin::NotificationFault::Drop);
    let mailbox = standin.server.mailbox(ALICE);
    let first = mailbox.messages(mailbox.inbox().unwrap()).unwrap()[0].mid;
    let how = exchange_standin::model::message_changes::Deletion::Hard;
    mailbox.delete(first, how).unwrap();
    let both = [gone, stays];
    let copy = mapi_store::Transfer::Copy;
    let copied = store.transfer(inbox.id, &both, target.id, copy).await;
    let copied: Vec<_> = copied.unwrap().iter().map(|one| one.source).collect();
    assert_eq!(copied, [stays]);
    let there = mailbox.folder("Target").unwrap();
    assert_eq!(mailbox.subjects(there).unwrap(), ["stays"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_and_is_gone_before_anybody_looked_is_gone_here_too() {
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    let stays = save(&*store, &inbox, "stays").await;
    let alice = MailboxId(ALICE.to_owned());
    standin
        .exchange
        .synchronize(&alice, inbox.id)
        .await
        .unwrap();
    let faults = standin.server.faults();
    faults.notifications(exchange_standin::NotificationFault::Drop);
    save(&*store, &inbox, "gone").await;
    let mailbox = standin.server.mailbox(ALICE);
    let last = mailbox.messages(mailbox.inbox().unwrap()).unwrap()[1].mid;
    let how = exchange_standin::model::message_changes::Deletion::Hard;
    mailbox.delete(last, how).unwrap();
    standin
        .exchange
        .synchronize(&alice, inbox.id)
        .await
        .unwrap();
    assert_eq!(numbers(&listing(&*store, &inbox).await), [stays]);
}
