//! Making, opening and removing mailboxes.

use std::{collections::HashSet, sync::Arc};

use mapi_types::{MailboxId, Version};

use super::mailbox::{ALICE, BOB, Mailbox, draft, fails, keyed, logon, mailbox, special};
use crate::{Backend, ErrorKind, Principal, Role};

/// What was never made cannot be opened or removed.
pub async fn an_unknown_mailbox_is_not_found(backend: Arc<dyn Backend>) {
    fails(
        logon(&*backend, ALICE).await.map(|_| ()),
        ErrorKind::NotFound,
    );
    fails(backend.remove(&mailbox()).await, ErrorKind::NotFound);
}

/// A mailbox is made once.
pub async fn a_mailbox_is_made_once(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    alice.save("a").await;
    fails(alice.backend.provision(&mailbox()).await, ErrorKind::Exists);
    assert_eq!(alice.info().await.items, 1);
}

/// Mailboxes know nothing of each other.
pub async fn mailboxes_are_separate(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let bob_id = MailboxId(BOB.into());
    alice.backend.provision(&bob_id).await.unwrap();
    let bob = alice
        .backend
        .logon(&Principal { user: BOB.into() }, &bob_id)
        .await
        .unwrap();
    let saved = alice.save_draft(alice.inbox, keyed("k", draft("a"))).await;
    let inbox = special(&*bob, Role::Inbox).await;
    assert_eq!((inbox.items, inbox.version), (0, Version(0)));
    let his = bob
        .save(inbox.id, &[keyed("k", draft("a")), draft("b")])
        .await
        .unwrap();
    assert!(!his[0].existing);
    let hers = alice.save("b").await;
    assert_ne!(
        his[1].key, hers.key,
        "generated keys are unique over mailboxes"
    );
    alice.backend.remove(&bob_id).await.unwrap();
    assert_eq!(alice.inbox_numbers().await, [saved.number, hers.number]);
}

/// A removed mailbox is gone, also for those who have it open; made again, it is another one.
pub async fn a_removed_mailbox_is_gone(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let first = alice.save("a").await;
    let epoch = alice.info().await.epoch;
    alice.backend.remove(&mailbox()).await.unwrap();
    assert!(alice.store.folder(alice.inbox).await.is_err());
    assert!(
        alice
            .store
            .save(alice.inbox, &[draft("late")])
            .await
            .is_err()
    );
    fails(
        logon(&*alice.backend, ALICE).await.map(|_| ()),
        ErrorKind::NotFound,
    );
    fails(alice.backend.remove(&mailbox()).await, ErrorKind::NotFound);
    let again = Mailbox::new(Arc::clone(&alice.backend)).await;
    let info = again.info().await;
    assert_eq!(info.items, 0);
    assert_ne!(
        info.epoch, epoch,
        "numbers start anew, so the epoch is another"
    );
    assert_ne!(again.save("a").await.key, first.key);
}

/// Several stores on one mailbox see each other's changes at once.
pub async fn stores_on_one_mailbox_see_each_others_changes(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let other = logon(&*alice.backend, ALICE).await.unwrap();
    let saved = alice.save_draft(alice.inbox, keyed("k", draft("a"))).await;
    assert_eq!(other.folder(alice.inbox).await.unwrap(), alice.info().await);
    let theirs = other
        .save(alice.inbox, &[keyed("k", draft("a")), draft("b")])
        .await
        .unwrap();
    assert_eq!((theirs[0].number, theirs[0].existing), (saved.number, true));
    assert_eq!(
        alice.inbox_numbers().await,
        [saved.number, theirs[1].number]
    );
    let folder = alice.make_folder("new").await;
    assert_eq!(other.folder(folder).await.unwrap().name, "new");
    other.delete_folder(folder).await.unwrap();
    fails(alice.store.folder(folder).await, ErrorKind::NotFound);
}

/// Epochs are not zero, and folders of a mailbox have ids of their own.
pub async fn folders_have_ids_and_epochs(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let tree = alice.store.hierarchy(Version(0)).await.unwrap().changed;
    let ids: HashSet<_> = tree.iter().map(|folder| folder.id).collect();
    assert_eq!(ids.len(), tree.len());
    assert!(tree.iter().all(|folder| folder.epoch.0 != 0));
}
