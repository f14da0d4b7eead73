//! Opening mailboxes while the server is away, or while something waits for it; looking at what waits.

use std::sync::Arc;

use exchange_standin::model::permission::Rights;
use mapi_store::{Backend, Deletion, ErrorKind, FolderInfo, Principal, Result, Role, Store};
use mapi_types::{ItemNumber, MailboxId, Version};
use rusqlite::Connection;
use store_exchange::{Outage, QueueLimits};

use crate::{
    faults::{bytes, draft, original, save},
    outage::{
        any, come_back, furnished, kill_after, leave, queueing, seen, settled, shown, status, there,
    },
    subject::{ALICE, BOB, Standin, credentials, policy},
};

fn id() -> MailboxId {
    MailboxId(ALICE.to_owned())
}

async fn open_as(standin: &Standin, user: &str) -> Result<Arc<dyn Store>> {
    let principal = Principal {
        user: user.to_owned(),
    };
    standin.exchange.logon(&principal, &id()).await
}

async fn inbox(store: &dyn Store) -> FolderInfo {
    let tree = store.hierarchy(Version(0)).await.unwrap();
    let mut folders = tree.changed.into_iter();
    let inbox = folders.find(|folder| folder.role == Some(Role::Inbox));
    inbox.unwrap()
}

async fn subjects(store: &dyn Store, folder: &FolderInfo) -> Vec<String> {
    let rows = shown(store, folder).await.into_iter();
    rows.map(|(_, _, subject)| subject).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_mailbox_is_served_after_a_start_with_the_server_away() {
    for outage in [Outage::Refuse, Outage::Queue(QueueLimits::default())] {
        let mut standin = Standin::with_outage(outage);
        let (store, folder, _) = furnished(&standin).await;
        drop(store);
        leave(&standin);
        standin.restart();
        standin
            .exchange
            .add_account(ALICE, credentials(ALICE), policy());
        let store = open_as(&standin, ALICE).await.unwrap();
        let store = &*store;
        assert_eq!(inbox(store).await.epoch, folder.epoch);
        assert_eq!(subjects(store, &folder).await, ["a", "b", "c"]);
        assert_eq!(bytes(store, &folder, ItemNumber(2)).await, original("b"));
        let saved = store.save(folder.id, &[draft("new")]).await;
        match outage {
            Outage::Refuse => assert_eq!(saved.unwrap_err().kind, ErrorKind::Unavailable),
            Outage::Queue(_) => {
                assert_eq!(saved.unwrap()[0].number, ItemNumber(4));
                let first = any(ItemNumber(1));
                store.update(folder.id, &first, &seen()).await.unwrap();
                come_back(&standin);
                settled(&standin).await;
                assert_eq!(there(&standin, "Inbox"), ["a", "b", "c", "new"]);
                assert_eq!(subjects(store, &folder).await, ["a", "b", "c", "new"]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_opens_a_mailbox_in_which_the_owner_s_writes_wait() {
    let mut standin = queueing();
    let (store, folder, _) = furnished(&standin).await;
    let mailbox = standin.server.mailbox(ALICE);
    let fid = mailbox.inbox().unwrap();
    mailbox.grant(fid, "bob", Rights::EDITOR).unwrap();
    leave(&standin);
    save(&*store, &folder, "waits").await;
    drop(store);
    standin.restart();
    come_back(&standin);
    standin.sign_in(BOB).await.unwrap();
    let bobs = open_as(&standin, BOB).await.unwrap();
    assert_eq!(subjects(&*bobs, &folder).await, ["a", "b", "c", "waits"]);
    // What Bob does must not go before it.
    let early = bobs
        .delete(folder.id, &[ItemNumber(1)], Deletion::Hard)
        .await;
    assert_eq!(early.unwrap_err().kind, ErrorKind::Unavailable);
    // Nothing waits any more: that is so for Bob, too.
    standin.exchange.reset_mirror(&id()).await.unwrap();
    let anew = inbox(&*bobs).await;
    assert_eq!(subjects(&*bobs, &anew).await, ["a", "b", "c"]);
    standin.exchange.synchronize(&id(), anew.id).await.unwrap();
}

/// Has a statement carried out on the file of Alice's mailbox.
fn meddle(standin: &Standin, statement: &str) {
    let mut folders = vec![standin.dir.path().to_owned()];
    let mut meddled = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_mailbox = path
                .extension()
                .is_some_and(|of| of == "db" || of == "sqlite");
            if path.is_dir() {
                folders.push(path);
            } else if is_mailbox
                && let Ok(file) = Connection::open(path)
                && file.execute_batch(statement).is_ok()
            {
                meddled += 1;
            }
        }
    }
    assert_eq!(meddled, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_put_down_is_told_as_done_although_the_queue_cannot_be_looked_at() {
    let standin = queueing();
    let (store, folder, _) = furnished(&standin).await;
    leave(&standin);
    // A reason that is no text.
    meddle(
        &standin,
        "INSERT INTO remote_queue(id, kind, user, queued, bytes, refused)
             VALUES (1, 2, '', 0, 0, CAST(x'ff' AS TEXT));
         INSERT INTO remote_queue_items(op, position, folder, remote, flags) VALUES (1, 0, 1, x'00', 0);",
    );
    let saved = store.save(folder.id, &[draft("new")]).await.unwrap();
    assert_eq!(saved[0].number, ItemNumber(4));
    let gone = store.delete(folder.id, &[ItemNumber(1)], Deletion::Hard);
    assert_eq!(gone.await.unwrap(), [ItemNumber(1)]);
    meddle(
        &standin,
        "DELETE FROM remote_queue WHERE id = 1; DELETE FROM remote_queue_items WHERE op = 1;",
    );
    come_back(&standin);
    settled(&standin).await;
    assert_eq!(there(&standin, "Inbox"), ["b", "c", "new"]);
}

#[test]
fn an_operation_that_cannot_be_read_is_set_aside() {
    let mut standin = queueing();
    kill_after(async {
        let (store, folder, _) = furnished(&standin).await;
        leave(&standin);
        let first = any(ItemNumber(1));
        store.update(folder.id, &first, &seen()).await.unwrap();
        save(&*store, &folder, "after").await;
    });
    let damage = "UPDATE remote_queue SET change = x'ff' WHERE kind = 1";
    meddle(&standin, damage);
    come_back(&standin);
    standin.restart();
    kill_after(async {
        let _store = standin.alice().await;
        settled(&standin).await;
        assert_eq!(there(&standin, "Inbox"), ["a", "after", "b", "c"]);
        let refused = status(&standin).await.refused;
        assert_eq!(refused.len(), 1);
        assert!(refused[0].reason.starts_with("Corrupt"), "{refused:?}");
    });
}
