//! With the server away, what the owner writes is seen at once and waits; when it is back, the server has it once.

use std::sync::Arc;

use exchange_standin::{
    Fault, What, When,
    model::{ids::Mid, mailbox::Quota, message_changes::Deletion as Deleting, permission::Rights},
};
use mapi_store::{Deletion, ErrorKind, Expected, FolderInfo, NewFolder, Result, Store, Transfer};
use mapi_types::{
    BitChange, Change, ItemNumber, MailboxId, OwnedValue, StringsChange, Version, tags,
    tags::message_flags,
};
use store_exchange::{Outage, QueueLimits};
use store_openchange::QueueStatus;
use tokio::runtime::Runtime;

use crate::{
    faults::{bytes, draft, original, save},
    subject::{ALICE, BOB, Standin, listing, numbers},
};

pub(crate) fn queueing() -> Standin {
    Standin::with_outage(Outage::Queue(QueueLimits::default()))
}

/// Every request is cut off.
pub(crate) fn leave(standin: &Standin) {
    leave_after(standin, 0);
}

/// The server answers so many batches more; the next one it carries out, but nobody hears of it or of it any more.
pub(crate) fn leave_after(standin: &Standin, batches: u32) {
    let faults = standin.server.faults();
    faults.add(Fault {
        when: When {
            request: (batches > 0).then(|| "Execute".to_owned()),
            after: batches,
            ..When::default()
        },
        times: u32::MAX,
        what: match batches {
            0 => What::CutRequest { after: 0 },
            _ => What::LOSE_ANSWER,
        },
    });
}

pub(crate) fn come_back(standin: &Standin) {
    standin.server.faults().clear();
}

pub(crate) async fn status(standin: &Standin) -> QueueStatus {
    let id = MailboxId(ALICE.to_owned());
    let mirror = standin.mirrors().find_mirror(&id).await.unwrap();
    mirror.queue_status().await.unwrap()
}

/// Waits until nothing waits, and everything is as the server has it.
pub(crate) async fn settled(standin: &Standin) {
    let id = MailboxId(ALICE.to_owned());
    let mirror = standin.mirrors().find_mirror(&id).await.unwrap();
    while status(standin).await.waiting > 0 {
        let (folder, _) = mirror.folders().await.unwrap()[0];
        // Somebody may have tried a moment ago.
        let _ = standin.exchange.synchronize(&id, folder).await;
    }
    while !standin.exchange.is_up_to_date(&id) {
        tokio::task::yield_now().await;
    }
}

async fn folder_named(store: &dyn Store, name: &str) -> FolderInfo {
    let tree = store.hierarchy(Version(0)).await.unwrap();
    let mut folders = tree.changed.into_iter();
    folders.find(|folder| folder.name == name).unwrap()
}

async fn other(store: &dyn Store) -> FolderInfo {
    let new = NewFolder {
        parent: None,
        name: "Other".to_owned(),
        class: "IPF.Note".to_owned(),
    };
    store.create_folder(&new).await.unwrap()
}

pub(crate) fn any(item: ItemNumber) -> [Expected; 1] {
    [Expected {
        item,
        version: None,
    }]
}

pub(crate) fn seen() -> Change {
    Change {
        bits: vec![BitChange {
            tag: tags::MESSAGE_FLAGS.tag(),
            set: message_flags::READ,
            clear: 0,
        }],
        ..Change::default()
    }
}

pub(crate) fn keyword(word: &str) -> Change {
    Change {
        strings: vec![StringsChange {
            tag: tags::KEYWORDS.tag(),
            add: vec![word.into()],
            remove: Vec::new(),
        }],
        ..Change::default()
    }
}

/// Number, whether it is read, and subject of everything in a folder.
pub(crate) async fn shown(store: &dyn Store, folder: &FolderInfo) -> Vec<(u32, bool, String)> {
    let rows = listing(store, folder).await;
    let row = |row: mapi_types::Row<'_>| {
        let number = row.get(&tags::INTERNET_ARTICLE_NUMBER)?.cast_unsigned();
        let flags = row.get(&tags::MESSAGE_FLAGS).unwrap_or(0);
        let subject = row.get(&tags::SUBJECT)?.to_owned();
        Some((number, flags & message_flags::READ != 0, subject))
    };
    rows.rows().filter_map(row).collect()
}

/// Subjects at the server, sorted.
pub(crate) fn there(standin: &Standin, folder: &str) -> Vec<String> {
    let mailbox = standin.server.mailbox(ALICE);
    let fid = match folder {
        "Inbox" => mailbox.inbox().unwrap(),
        name => mailbox.folder(name).unwrap(),
    };
    let mut subjects = mailbox.subjects(fid).unwrap();
    subjects.sort();
    subjects
}

pub(crate) fn mid(standin: &Standin, folder: &str, subject: &str) -> Mid {
    let mailbox = standin.server.mailbox(ALICE);
    let fid = match folder {
        "Inbox" => mailbox.inbox().unwrap(),
        name => mailbox.folder(name).unwrap(),
    };
    let subjects = mailbox.subjects(fid).unwrap();
    let at = subjects.iter().position(|found| found == subject).unwrap();
    mailbox.messages(fid).unwrap()[at].mid
}

/// What both folders show.
type Shown = [Vec<(u32, bool, String)>; 2];

async fn both(store: &dyn Store) -> Shown {
    let inbox = folder_named(store, "Inbox").await;
    let other = folder_named(store, "Other").await;
    [shown(store, &inbox).await, shown(store, &other).await]
}

/// a, b and c in the Inbox, and the folder Other; the server knows.
pub(crate) async fn furnished(standin: &Standin) -> (Arc<dyn Store>, FolderInfo, FolderInfo) {
    let (store, inbox) = standin.alice().await;
    for name in ["a", "b", "c"] {
        save(&*store, &inbox, name).await;
    }
    let other = other(&*store).await;
    settled(standin).await;
    (store, inbox, other)
}

/// Every kind of write. Returns what is seen of them.
async fn write_all(store: &dyn Store, inbox: &FolderInfo, other: &FolderInfo) -> Shown {
    let [a, b, c] = [1, 2, 3].map(ItemNumber);
    let new = save(store, inbox, "new").await;
    let moved = save(store, inbox, "moved").await;
    store.update(inbox.id, &any(a), &seen()).await.unwrap();
    store
        .update(inbox.id, &any(moved), &keyword("ours"))
        .await
        .unwrap();
    let copies = store
        .transfer(inbox.id, &[b], other.id, Transfer::Copy)
        .await
        .unwrap();
    store
        .transfer(inbox.id, &[a, moved], other.id, Transfer::Move)
        .await
        .unwrap();
    let gone = store.delete(inbox.id, &[c], Deletion::Hard).await.unwrap();
    assert_eq!(gone, [c]);
    store
        .update(other.id, &any(copies[0].target.number), &seen())
        .await
        .unwrap();
    assert_eq!(bytes(store, inbox, new).await, original("new"));
    both(store).await
}

fn expected() -> Shown {
    let row = |number, read, subject: &str| (number, read, subject.to_owned());
    [
        vec![row(2, false, "b"), row(4, false, "new")],
        vec![row(1, true, "b"), row(2, true, "a"), row(3, false, "moved")],
    ]
}

fn assert_there(standin: &Standin) {
    assert_eq!(there(standin, "Inbox"), ["b", "new"]);
    assert_eq!(there(standin, "Other"), ["a", "b", "moved"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_meanwhile_is_seen_at_once_and_is_there_once_afterwards() {
    let standin = queueing();
    let (store, inbox, other) = furnished(&standin).await;
    leave(&standin);
    assert_eq!(write_all(&*store, &inbox, &other).await, expected());
    assert_eq!(there(&standin, "Inbox"), ["a", "b", "c"]);
    assert_eq!(status(&standin).await.waiting, 8);
    come_back(&standin);
    settled(&standin).await;
    assert_there(&standin);
    assert_eq!(both(&*store).await, expected());
    let moved = folder_named(&*store, "Other").await;
    assert_eq!(
        bytes(&*store, &moved, ItemNumber(3)).await,
        original("moved")
    );
    assert_eq!(standin.mirrors().check().await.unwrap(), []);
}

#[test]
fn what_waits_survives_the_end_of_the_gateway() {
    let mut standin = queueing();
    kill_after(async {
        let (store, inbox, other) = furnished(&standin).await;
        leave(&standin);
        write_all(&*store, &inbox, &other).await;
    });
    come_back(&standin);
    standin.restart();
    kill_after(async {
        let (store, _) = standin.alice().await;
        settled(&standin).await;
        assert_there(&standin);
        assert_eq!(both(&*store).await, expected());
    });
}

/// Nothing runs on that was begun.
pub(crate) fn kill_after(phase: impl Future<Output = ()>) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(phase);
    drop(runtime);
}

#[test]
fn a_replay_broken_off_at_any_request_loses_and_doubles_nothing() {
    for batches in 1.. {
        let mut standin = queueing();
        kill_after(async {
            let (store, inbox, other) = furnished(&standin).await;
            leave(&standin);
            write_all(&*store, &inbox, &other).await;
        });
        come_back(&standin);
        leave_after(&standin, batches);
        let before = standin.server.faults().happened();
        standin.restart();
        let mut complete = false;
        kill_after(async {
            let Ok(principal) = standin.sign_in(ALICE).await else {
                return;
            };
            let id = MailboxId(ALICE.to_owned());
            let opened = mapi_store::Backend::logon(&*standin.exchange, &principal, &id).await;
            let Ok(_store) = opened else { return };
            while standin.server.faults().happened() < before + 3 {
                if status(&standin).await.waiting == 0 {
                    complete = true;
                    return;
                }
                tokio::task::yield_now().await;
            }
        });
        come_back(&standin);
        standin.restart();
        kill_after(async {
            let (store, _) = standin.alice().await;
            settled(&standin).await;
            assert_there(&standin);
            assert_eq!(both(&*store).await, expected(), "after {batches}");
            assert_eq!(standin.mirrors().check().await.unwrap(), []);
        });
        if complete {
            assert!(batches > 5, "{batches}");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_whose_answer_was_lost_is_there_once() {
    let standin = queueing();
    let (store, inbox, _) = furnished(&standin).await;
    standin.server.faults().add(Fault {
        when: When {
            rop: Some("SynchronizationImportMessageChange".to_owned()),
            ..When::default()
        },
        times: 1,
        what: What::LOSE_ANSWER,
    });
    standin.server.faults().add(Fault {
        when: When {
            after: 1,
            ..When::default()
        },
        times: u32::MAX,
        what: What::CutRequest { after: 0 },
    });
    let saved = store.save(inbox.id, &[draft("lost")]).await.unwrap();
    assert_eq!(saved[0].number, ItemNumber(4));
    come_back(&standin);
    settled(&standin).await;
    assert_eq!(there(&standin, "Inbox"), ["a", "b", "c", "lost"]);
    assert_eq!(shown(&*store, &inbox).await.len(), 4);
    let again = store.save(inbox.id, &[draft("lost")]).await.unwrap();
    assert!(again[0].existing && again[0].number == ItemNumber(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_did_meanwhile_is_kept() {
    let standin = queueing();
    let (store, inbox, other) = furnished(&standin).await;
    leave(&standin);
    let [a, b, c] = [1, 2, 3].map(ItemNumber);
    store
        .update(inbox.id, &any(a), &keyword("ours"))
        .await
        .unwrap();
    store.update(inbox.id, &any(b), &seen()).await.unwrap();
    store
        .transfer(inbox.id, &[c], other.id, Transfer::Move)
        .await
        .unwrap();
    let mailbox = standin.server.mailbox(ALICE);
    mailbox
        .set_keywords(mid(&standin, "Inbox", "a"), &["theirs"])
        .unwrap();
    for gone in ["b", "c"] {
        mailbox
            .delete(mid(&standin, "Inbox", gone), Deleting::Hard)
            .unwrap();
    }
    come_back(&standin);
    settled(&standin).await;
    assert_eq!(there(&standin, "Inbox"), ["a"]);
    assert_eq!(there(&standin, "Other"), Vec::<String>::new());
    assert_eq!(numbers(&listing(&*store, &inbox).await), [a]);
    assert_eq!(numbers(&listing(&*store, &other).await), []);
    let object = mapi_store::Object::Item(inbox.id, a);
    let words = store.props(object, &[tags::KEYWORDS.tag()]).await.unwrap();
    let words: Vec<_> = words.get(&tags::KEYWORDS).unwrap().strs().collect();
    assert_eq!(words, ["theirs", "ours"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_folder_is_gone_goes_to_the_inbox() {
    let standin = queueing();
    let (store, inbox, other) = furnished(&standin).await;
    leave(&standin);
    save(&*store, &other, "homeless").await;
    store
        .transfer(inbox.id, &[ItemNumber(1)], other.id, Transfer::Move)
        .await
        .unwrap();
    // As clients move that know no better.
    store
        .transfer(inbox.id, &[ItemNumber(2)], other.id, Transfer::Copy)
        .await
        .unwrap();
    store
        .delete(inbox.id, &[ItemNumber(2)], Deletion::Hard)
        .await
        .unwrap();
    let mailbox = standin.server.mailbox(ALICE);
    mailbox
        .delete_folder(mailbox.folder("Other").unwrap())
        .unwrap();
    come_back(&standin);
    settled(&standin).await;
    assert_eq!(there(&standin, "Inbox"), ["a", "b", "c", "homeless"]);
    let mut subjects: Vec<_> = shown(&*store, &inbox)
        .await
        .into_iter()
        .map(|(_, _, subject)| subject)
        .collect();
    subjects.sort();
    assert_eq!(subjects, ["a", "b", "c", "homeless"]);
    let homeless = shown(&*store, &inbox).await;
    let homeless = homeless.iter().find(|(_, _, name)| name == "homeless");
    let number = ItemNumber(homeless.unwrap().0);
    assert_eq!(bytes(&*store, &inbox, number).await, original("homeless"));
    assert!(store.folder(other.id).await.is_err());
    assert_eq!(standin.mirrors().check().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_the_server_refuses_stays_until_it_takes_it() {
    let standin = queueing();
    let (store, inbox, _) = furnished(&standin).await;
    let mailbox = standin.server.mailbox(ALICE);
    leave(&standin);
    let number = save(&*store, &inbox, "too much").await;
    let unwanted = save(&*store, &inbox, "not wanted").await;
    store.update(inbox.id, &any(number), &seen()).await.unwrap();
    mailbox
        .set_quota(Quota {
            storage: Some(1),
            ..Quota::default()
        })
        .unwrap();
    come_back(&standin);
    settled(&standin).await;
    let refused = status(&standin).await.refused;
    assert_eq!(refused.len(), 2);
    assert!(refused[0].reason.starts_with("Quota"), "{refused:?}");
    assert_eq!(refused[0].name, "Inbox");
    // It is still there for its owner, also when all of the folder is read again.
    let id = MailboxId(ALICE.to_owned());
    let mirror = standin.mirrors().find_mirror(&id).await.unwrap();
    mirror.restart(inbox.id).await.unwrap();
    standin.exchange.synchronize(&id, inbox.id).await.unwrap();
    let expected = [(number.0, true), (unwanted.0, false)];
    let seen_now: Vec<_> = shown(&*store, &inbox).await;
    let last: Vec<_> = seen_now[3..].iter().map(|row| (row.0, row.1)).collect();
    assert_eq!(last, expected);
    assert_eq!(bytes(&*store, &inbox, number).await, original("too much"));
    let gone = store
        .delete(inbox.id, &[unwanted], Deletion::Hard)
        .await
        .unwrap();
    assert_eq!(gone, [unwanted]);
    mailbox.set_quota(Quota::default()).unwrap();
    assert_eq!(standin.exchange.retry_queue(&id).await.unwrap(), 1);
    settled(&standin).await;
    assert_eq!(there(&standin, "Inbox"), ["a", "b", "c", "too much"]);
    assert_eq!(status(&standin).await, QueueStatus::default());
    let rows = shown(&*store, &inbox).await;
    assert_eq!(rows.last(), Some(&(number.0, true, "too much".to_owned())));
    assert_eq!(standin.mirrors().check().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_waits_than_may() {
    let standin = Standin::with_outage(Outage::Queue(QueueLimits {
        operations_max: 2,
        bytes_max: 200,
    }));
    let (store, inbox, _) = furnished(&standin).await;
    leave(&standin);
    let kind = async |done: Result<()>| done.unwrap_err().kind;
    let mut large = draft("large");
    large.prefix = vec![b'x'; 300].into();
    let refused = store.save(inbox.id, &[large]).await.map(drop);
    assert_eq!(kind(refused).await, ErrorKind::Unavailable);
    save(&*store, &inbox, "first").await;
    store
        .update(inbox.id, &any(ItemNumber(1)), &seen())
        .await
        .unwrap();
    let refused = store.save(inbox.id, &[draft("third")]).await.map(drop);
    assert_eq!(kind(refused).await, ErrorKind::Unavailable);
    let refused = store
        .delete(inbox.id, &[ItemNumber(1)], Deletion::Hard)
        .await
        .map(drop);
    assert_eq!(kind(refused).await, ErrorKind::Unavailable);
    // What was refused has left nothing.
    assert_eq!(shown(&*store, &inbox).await.len(), 4);
    come_back(&standin);
    settled(&standin).await;
    assert_eq!(there(&standin, "Inbox"), ["a", "b", "c", "first"]);
    save(&*store, &inbox, "third").await;
    assert_eq!(there(&standin, "Inbox").len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_server_can_decide_is_refused() {
    let standin = queueing();
    let (store, inbox, other) = furnished(&standin).await;
    let mailbox = standin.server.mailbox(ALICE);
    let fid = mailbox.inbox().unwrap();
    mailbox.grant(fid, "bob", Rights::EDITOR).unwrap();
    let bob = standin.sign_in(BOB).await.unwrap();
    let id = MailboxId(ALICE.to_owned());
    let bobs = mapi_store::Backend::logon(&*standin.exchange, &bob, &id)
        .await
        .unwrap();
    bobs.folder(inbox.id).await.unwrap();
    leave(&standin);
    let folder = NewFolder {
        parent: None,
        name: "New".to_owned(),
        class: "IPF.Note".to_owned(),
    };
    let without_original = {
        let mut plain = (*draft("plain").message).clone();
        plain.original = None;
        mapi_types::Draft {
            message: Arc::new(plain),
            ..draft("plain")
        }
    };
    let subject = Change {
        set: vec![(tags::SUBJECT.tag(), OwnedValue::Str("other".into()))],
        ..Change::default()
    };
    let refused = [
        store.create_folder(&folder).await.map(drop),
        store.delete_folder(other.id).await,
        store.set_permissions(inbox.id, &[]).await,
        store.save(inbox.id, &[without_original]).await.map(drop),
        store
            .replace(inbox.id, any(ItemNumber(1))[0], &draft("new"))
            .await
            .map(drop),
        store
            .update(inbox.id, &any(ItemNumber(1)), &subject)
            .await
            .map(drop),
        store.submit(&draft("sent"), None).await,
        bobs.save(inbox.id, &[draft("by bob")]).await.map(drop),
        bobs.update(inbox.id, &any(ItemNumber(1)), &seen())
            .await
            .map(drop),
    ];
    for (at, refused) in refused.into_iter().enumerate() {
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Unavailable, "{at}");
    }
    assert_eq!(status(&standin).await, QueueStatus::default());
}
