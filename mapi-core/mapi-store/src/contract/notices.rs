//! Hints that something changed. Lost, doubled and late ones are harmless, so the cases subscribe first, change, and
//! then compare: what counts is that a hint comes, and that truth is there by then.

use std::{sync::Arc, time::Duration};

use mapi_types::{FolderId, Version, tags, tags::message_flags};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};

use super::mailbox::{ALICE, Mailbox, any, delta, draft, logon, mail_folder, numbers};
use crate::{Backend, Deletion, Notice, Transfer};

/// How long a hint may take: far more than any store needs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Every kind of change of items is hinted at, to every store on the mailbox.
pub async fn changes_of_items_are_hinted_at(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let target = alice.make_folder("Target").await;
    let watcher = logon(&*alice.backend, ALICE).await.unwrap();
    let (mut own, mut other) = (alice.store.notices(), watcher.notices());
    let inbox = alice.inbox;
    let saved = alice.save("a").await;
    expect_folder(&mut own, inbox, saved.version).await;
    expect_folder(&mut other, inbox, saved.version).await;
    alice
        .flag(
            saved.number,
            tags::MESSAGE_FLAGS.tag(),
            message_flags::READ,
            0,
        )
        .await;
    let version = alice.info().await.version;
    expect_folder(&mut other, inbox, version).await;
    let replaced = alice
        .store
        .replace(inbox, any(saved.number), &draft("b"))
        .await
        .unwrap();
    expect_folder(&mut other, inbox, replaced.version).await;
    let move_one = [replaced.number];
    let moved = alice
        .store
        .transfer(inbox, &move_one, target, Transfer::Move)
        .await
        .unwrap();
    expect_folder(&mut other, target, moved[0].target.version).await;
    let moved = [moved[0].target.number];
    alice
        .store
        .delete(target, &moved, Deletion::Soft)
        .await
        .unwrap();
    let version = alice.store.folder(target).await.unwrap().version;
    expect_folder(&mut other, target, version).await;
}

/// A move is hinted at in the folder that it leaves, too.
pub async fn a_move_is_hinted_at_in_the_source(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let target = alice.make_folder("Target").await;
    let saved = alice.save("a").await;
    let mut notices = alice.store.notices();
    let item = [saved.number];
    alice
        .store
        .transfer(alice.inbox, &item, target, Transfer::Move)
        .await
        .unwrap();
    let version = alice.info().await.version;
    assert!(version > saved.version);
    expect_folder(&mut notices, alice.inbox, version).await;
}

/// Every change of the tree is hinted at.
pub async fn changes_of_the_tree_are_hinted_at(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let mut notices = alice.store.notices();
    let folder = alice
        .store
        .create_folder(&mail_folder(None, "a"))
        .await
        .unwrap()
        .id;
    expect(&mut notices, |notice| notice == Notice::Hierarchy).await;
    let mut notices = alice.store.notices();
    alice.store.move_folder(folder, None, "b").await.unwrap();
    expect(&mut notices, |notice| notice == Notice::Hierarchy).await;
    let mut notices = alice.store.notices();
    alice.store.delete_folder(folder).await.unwrap();
    expect(&mut notices, |notice| notice == Notice::Hierarchy).await;
}

/// Whoever lags behind, or hears nothing at all, finds the truth in the log.
pub async fn truth_does_not_depend_on_notices(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let watcher = logon(&*alice.backend, ALICE).await.unwrap();
    let mut notices = watcher.notices();
    let start = alice.info().await.version;
    let first = alice.save("first").await.number;
    for i in 0..600 {
        let (set, clear) = if i % 2 == 0 { (1, 0) } else { (0, 1) };
        alice
            .flag(first, tags::MESSAGE_FLAGS.tag(), set, clear)
            .await;
    }
    let last = alice.save("last").await;
    // However many hints were lost meanwhile, the receiver works on.
    while !matches!(
        notices.try_recv(),
        Err(tokio::sync::broadcast::error::TryRecvError::Empty)
    ) {}
    let delta = delta(&*watcher, alice.inbox, start).await;
    assert_eq!(numbers(&delta.rows), [first, last.number]);
    assert_eq!(delta.to, alice.info().await.version);
    let next = alice.save("next").await;
    expect_folder(&mut notices, alice.inbox, next.version).await;
}

/// Waits for a hint at a folder, of a version that is at least this one; others may come before it.
async fn expect_folder(notices: &mut Receiver<Notice>, folder: FolderId, version: Version) {
    expect(notices, |notice| match notice {
        Notice::Folder(id, up_to) => id == folder && up_to >= version,
        Notice::Hierarchy => false,
    })
    .await;
}

async fn expect(notices: &mut Receiver<Notice>, is_it: impl Fn(Notice) -> bool) {
    let wait = async {
        loop {
            match notices.recv().await {
                Ok(notice) if is_it(notice) => return,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => panic!("the notices ended"),
            }
        }
    };
    timeout(PATIENCE, wait).await.expect("a hint comes");
}
