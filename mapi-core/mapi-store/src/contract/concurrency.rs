//! Several tasks at work on one mailbox.

use std::{collections::HashSet, sync::Arc};

use mapi_types::{ItemNumber, Version, tags, tags::message_flags};
use tokio::task::JoinSet;

use super::mailbox::{ALICE, Mailbox, any, bits, delta, draft, keyed, logon, mail_folder, numbers};
use crate::{Backend, Deletion, ErrorKind, Expected, Saved};

const TASKS: usize = 8;
const ROUNDS: usize = 20;

/// Numbers stay unique, each task's ascend, and versions never go back.
pub async fn concurrent_saves_have_unique_ascending_numbers(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = logon(&*alice.backend, ALICE).await.unwrap();
        let inbox = alice.inbox;
        tasks.spawn(async move {
            let mut saved: Vec<Saved> = Vec::new();
            for round in 0..ROUNDS {
                let drafts = [draft(&format!("{task} {round}")), draft("second")];
                saved.extend(store.save(inbox, &drafts).await.unwrap());
            }
            saved
        });
    }
    let mut all = HashSet::new();
    while let Some(saved) = tasks.join_next().await {
        let saved = saved.unwrap();
        assert!(saved.is_sorted_by(|a, b| a.number < b.number && a.version <= b.version));
        for one in saved {
            assert!(all.insert(one.number), "{one:?} came twice");
        }
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_unstable();
    assert_eq!(all.len(), TASKS * ROUNDS * 2);
    assert_eq!(alice.inbox_numbers().await, all);
    let delta = alice.delta(Version(0)).await;
    assert_eq!(
        numbers(&delta.rows),
        all,
        "later versions have larger numbers"
    );
    assert_eq!(delta.to, alice.info().await.version);
}

/// Of several tasks that save under one key, one saves and all learn its number.
pub async fn concurrent_retries_save_once(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let store = logon(&*alice.backend, ALICE).await.unwrap();
        let inbox = alice.inbox;
        tasks.spawn(async move {
            store
                .save(inbox, &[keyed("k", draft("a"))])
                .await
                .unwrap()
                .remove(0)
        });
    }
    let saved = tasks.join_all().await;
    assert_eq!(saved.iter().filter(|saved| !saved.existing).count(), 1);
    assert!(saved.iter().all(|one| one.number == saved[0].number));
    assert_eq!(alice.info().await.items, 1);
}

/// Of several edits with the same expectation, one wins and the others hear of it.
pub async fn concurrent_edits_have_one_winner(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save("a").await;
    let expect = Expected {
        item: saved.number,
        version: Some(saved.version),
    };
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = logon(&*alice.backend, ALICE).await.unwrap();
        let inbox = alice.inbox;
        tasks.spawn(async move {
            store
                .replace(inbox, expect, &draft(&format!("edit {task}")))
                .await
        });
    }
    let results = tasks.join_all().await;
    let won: Vec<_> = results
        .iter()
        .filter_map(|result| result.as_ref().ok())
        .collect();
    assert_eq!(won.len(), 1);
    for lost in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(
            matches!(lost.kind, ErrorKind::NotFound | ErrorKind::Conflict),
            "{lost}"
        );
    }
    assert_eq!(alice.inbox_numbers().await, [won[0].number]);
}

/// A reader that follows the log while others write ends with what is there.
pub async fn a_follower_keeps_up_with_writers(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let mut tasks = JoinSet::new();
    for task in 0..4_usize {
        let store = logon(&*alice.backend, ALICE).await.unwrap();
        let inbox = alice.inbox;
        tasks.spawn(async move {
            for round in 0..ROUNDS {
                let saved = store.save(inbox, &[draft("a")]).await.unwrap().remove(0);
                if (task + round) % 3 == 0 {
                    store
                        .delete(inbox, &[saved.number], Deletion::Hard)
                        .await
                        .unwrap();
                } else {
                    let read = bits(tags::MESSAGE_FLAGS.tag(), message_flags::READ, 0);
                    store
                        .update(inbox, &[any(saved.number)], &read)
                        .await
                        .unwrap();
                }
            }
        });
    }
    let reader = logon(&*alice.backend, ALICE).await.unwrap();
    let (mut held, mut at) = (HashSet::<ItemNumber>::new(), Version(0));
    loop {
        let done = tasks.is_empty();
        let delta = delta(&*reader, alice.inbox, at).await;
        assert!(delta.to >= at, "the log goes forward");
        held.extend(numbers(&delta.rows));
        held.retain(|number| !delta.removed.contains(number));
        at = delta.to;
        if done {
            break;
        }
        while let Some(finished) = tasks.try_join_next() {
            finished.unwrap();
        }
        tokio::task::yield_now().await;
    }
    let mut held: Vec<_> = held.into_iter().collect();
    held.sort_unstable();
    assert_eq!(held, alice.inbox_numbers().await);
}

/// Of several tasks that make the same folder, one does.
pub async fn concurrent_folder_creation_has_one_winner(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let store = logon(&*alice.backend, ALICE).await.unwrap();
        tasks.spawn(async move { store.create_folder(&mail_folder(None, "same")).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        results
            .iter()
            .filter_map(|result| result.as_ref().err())
            .all(|error| error.kind == ErrorKind::Exists)
    );
}

/// A request that is given up does no harm: it happened or it did not.
pub async fn a_dropped_request_does_no_harm(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    for round in 0..ROUNDS {
        let key = format!("k{round}");
        let drafts = [keyed(&key, draft("a"))];
        {
            let saving = alice.store.save(alice.inbox, &drafts);
            let _ = tokio::time::timeout(std::time::Duration::ZERO, saving).await;
        }
        alice.store.save(alice.inbox, &drafts).await.unwrap();
    }
    assert_eq!(
        alice.info().await.items as usize,
        ROUNDS,
        "each exactly once"
    );
}
