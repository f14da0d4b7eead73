//! Waiting for changes, and what an index costs.

use std::{sync::Arc, time::Duration};

use account::{Copy, FileTime, Flags, FolderChanges, ItemNumber, MailboxId, NewFolder, Options};
use bytes::Bytes;
use mapi_store::Deletion;
use tokio::time::{Instant, timeout};

use crate::{
    faulty::FaultyBackend,
    world::{ALICE, BOB, MESSAGE, World, add, any, inbox, numbers, principal},
};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

async fn wakes(watch: &mut account::Watch) {
    let woken = timeout(PATIENCE, watch.changed()).await;
    assert!(woken.is_ok(), "the watch does not wake");
}

fn copy_to(user: &str) -> Copy {
    Copy {
        mailbox: MailboxId(user.into()),
        prefix: Bytes::new(),
        once: None,
    }
}

#[tokio::test]
async fn a_delivery_wakes_who_waits() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let message = world.spooled(MESSAGE).await;
    let mut watch = alice.watch(Some(folder));
    let before = alice.index(folder).await.unwrap();
    let copies = [copy_to(ALICE)];
    let begun = Instant::now();
    let (delivered, ()) = tokio::join!(
        world.accounts.deliver(&message, &copies, FileTime(0)),
        wakes(&mut watch)
    );
    println!("woken after {:?}", begun.elapsed());
    assert!(delivered[0].is_ok());
    let diff = alice.index(folder).await.unwrap().diff(&before);
    assert_eq!(
        (diff.added.len(), diff.changed.len(), diff.removed.len()),
        (1, 0, 0)
    );
}

#[tokio::test]
async fn what_happens_between_watch_and_wait_is_not_missed() {
    let world = World::new().await;
    let (alice, other) = (world.open(ALICE).await, world.open(ALICE).await);
    let folder = inbox(&alice).await;
    let mut watch = alice.watch(Some(folder));
    for seen in 0..20 {
        assert_eq!(numbers(&alice, folder).await.len(), seen);
        world.append(&other, folder, MESSAGE).await;
        wakes(&mut watch).await;
    }
}

#[tokio::test]
async fn a_change_past_the_accounts_wakes_who_waits() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let number = world.append(&alice, folder, MESSAGE).await;
    let mut watch = alice.watch(Some(folder));
    let stranger = world
        .backend
        .logon(&principal(ALICE), alice.mailbox())
        .await
        .unwrap();
    stranger
        .delete(folder, &[number], Deletion::Hard)
        .await
        .unwrap();
    wakes(&mut watch).await;
    assert!(numbers(&alice, folder).await.is_empty());
}

#[tokio::test]
async fn a_watch_on_the_tree_hears_of_folders() {
    let world = World::new().await;
    let (alice, other) = (world.open(ALICE).await, world.open(ALICE).await);
    let mut watch = alice.watch(None);
    let new = NewFolder {
        parent: None,
        name: "Trips".into(),
        class: "IPF.Note".into(),
    };
    let made = other.create_folder(&new).await.unwrap();
    wakes(&mut watch).await;
    assert_eq!(alice.folders().await.unwrap().path(made.id), ["Trips"]);
    other.move_folder(made.id, None, "Journeys").await.unwrap();
    assert_eq!(alice.folders().await.unwrap().path(made.id), ["Journeys"]);
    let mut watch = alice.watch(Some(made.id));
    other.delete_folder(made.id).await.unwrap();
    wakes(&mut watch).await;
    assert!(alice.folders().await.unwrap().get(made.id).is_none());
    assert!(alice.index(made.id).await.is_err());
}

#[tokio::test]
async fn a_lost_notice_costs_no_more_than_a_poll() {
    let backend = Arc::new(FaultyBackend::spoiling(3));
    let options = Options {
        poll: Duration::from_millis(5),
        ..Options::default()
    };
    let world = World::with(backend, options).await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let number = world.append(&alice, folder, MESSAGE).await;
    let stranger = world
        .backend
        .logon(&principal(ALICE), alice.mailbox())
        .await
        .unwrap();
    let mut watch = alice.watch(Some(folder));
    assert_eq!(numbers(&alice, folder).await, [number.0]);
    stranger
        .delete(folder, &[number], Deletion::Hard)
        .await
        .unwrap();
    while !numbers(&alice, folder).await.is_empty() {
        wakes(&mut watch).await;
    }
}

#[tokio::test]
async fn an_unchanged_folder_costs_no_call() {
    let backend = Arc::new(FaultyBackend::honest());
    let world = World::with(Arc::<FaultyBackend>::clone(&backend), Options::default()).await;
    let (alice, other) = (world.open(ALICE).await, world.open(ALICE).await);
    let folder = inbox(&alice).await;
    world.append(&other, folder, MESSAGE).await;
    alice.index(folder).await.unwrap();
    backend.calls();
    for _ in 0..100 {
        alice.index(folder).await.unwrap();
        other.index(folder).await.unwrap();
    }
    assert_eq!(backend.calls(), [""; 0]);
    let number = world.append(&other, folder, MESSAGE).await;
    alice
        .set_flags(folder, &any(&[number]), &add(Flags::SEEN))
        .await
        .unwrap();
    let index = other.index(folder).await.unwrap();
    assert_eq!(index.counts().unseen, 1);
    assert_eq!(backend.calls(), ["save", "changes", "update", "changes"]);
}

#[tokio::test]
async fn a_crowd_refreshes_once() {
    let backend = Arc::new(FaultyBackend::honest());
    let world = World::with(Arc::<FaultyBackend>::clone(&backend), Options::default()).await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    alice.index(folder).await.unwrap();
    world.append(&alice, folder, MESSAGE).await;
    backend.calls();
    let crowd: Vec<_> = (0..50)
        .map(|_| {
            let alice = alice.clone();
            tokio::spawn(async move { alice.index(folder).await.unwrap().len() })
        })
        .collect();
    for one in crowd {
        assert_eq!(one.await.unwrap(), 1);
    }
    assert_eq!(backend.calls(), ["changes"]);
}

#[tokio::test]
async fn sessions_of_a_mailbox_made_anew_do_not_see_the_old_one() {
    let world = World::new().await;
    let bob = world.open(BOB).await;
    let folder = inbox(&bob).await;
    world.append(&bob, folder, MESSAGE).await;
    let epoch = bob.index(folder).await.unwrap().epoch();
    world.backend.remove(bob.mailbox()).await.unwrap();
    assert!(
        world
            .accounts
            .open(&principal(BOB), bob.mailbox())
            .await
            .is_err()
    );
    world.backend.provision(bob.mailbox()).await.unwrap();
    let message = world.spooled(MESSAGE).await;
    let delivered = world
        .accounts
        .deliver(&message, &[copy_to(BOB)], FileTime(0))
        .await;
    assert!(delivered[0].is_ok());
    let again = world.open(BOB).await;
    let index = again.index(inbox(&again).await).await.unwrap();
    assert_eq!(index.len(), 1);
    assert_ne!(index.epoch(), epoch);
}

#[tokio::test]
async fn an_item_deleted_between_two_pages_of_changes_is_gone() {
    let backend = Arc::new(FaultyBackend::honest());
    let world = World::with(Arc::<FaultyBackend>::clone(&backend), Options::default()).await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let since = alice.index(folder).await.unwrap().version();
    for _ in 0..10 {
        world.append(&alice, folder, MESSAGE).await;
    }
    backend.doom(ItemNumber(1));
    assert_eq!(numbers(&alice, folder).await, (2..=10).collect::<Vec<_>>());
    backend.doom(ItemNumber(2));
    let changes = alice.changes(folder, since).await.unwrap();
    let FolderChanges::Delta {
        changed, removed, ..
    } = changes
    else {
        panic!("expired")
    };
    assert_eq!(changed, (3..=10).map(ItemNumber).collect::<Vec<_>>());
    // Those that were gone before are named, too.
    assert!(removed.contains(&ItemNumber(2)));
}
