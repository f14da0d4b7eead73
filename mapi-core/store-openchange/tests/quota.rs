//! What a mailbox may hold, and that what it holds is counted as it is.

mod kit;

use kit::{Folder, alice, draft, folder, inbox, logon, provisioned, save};
use mapi_store::{Backend, Deletion, ErrorKind, QuotaLimit, QuotaLimits, Role, Transfer};
use mapi_types::{Draft, FileTime, ItemKey, ItemNumber};
use store_openchange::Options;

const PREFIX: u64 = "Return-Path: <>\r\n".len() as u64;

/// Octets that a message of the tests takes.
const OCTETS: u64 = 1000 + PREFIX;

fn receive(bytes: Option<u64>, items: Option<u64>) -> QuotaLimits {
    QuotaLimits {
        receive: QuotaLimit { bytes, items },
        ..QuotaLimits::default()
    }
}

fn limited(quota: QuotaLimits) -> Folder {
    Folder::new(Options {
        quota,
        ..Options::default()
    })
}

#[tokio::test]
async fn a_full_mailbox_takes_nothing_in_by_any_way_and_gives_everything_out() {
    for limits in [receive(Some(3 * OCTETS), None), receive(None, Some(3))] {
        let data = limited(limits);
        let backend = data.open();
        let store = provisioned(&backend).await;
        let inbox = inbox(&*store).await;
        let archive = folder(&*store, Role::Archive).await.id;
        for i in 0..3 {
            save(&*store, inbox, &format!("{i}"), 1000).await;
        }
        let before = store.folder(inbox).await.unwrap();
        let full = |error: mapi_store::Error| assert_eq!(error.kind, ErrorKind::Quota);
        full(
            store
                .save(archive, &[draft("late", 1000)])
                .await
                .unwrap_err(),
        );
        let all = [ItemNumber(1), ItemNumber(2)];
        full(
            store
                .transfer(inbox, &all, archive, Transfer::Copy)
                .await
                .unwrap_err(),
        );
        assert_eq!(store.folder(inbox).await.unwrap(), before);
        assert_eq!(store.folder(archive).await.unwrap().items, 0);
        // What moves stays, and what goes makes room.
        let moved = store.transfer(inbox, &all, archive, Transfer::Move).await;
        assert_eq!(moved.unwrap().len(), 2);
        let gone = store
            .delete(archive, &[ItemNumber(1)], Deletion::Soft)
            .await;
        assert_eq!(gone.unwrap().len(), 1);
        save(&*store, archive, "there is room", 1000).await;
        full(
            store
                .recover(archive, &[ItemNumber(1)], inbox)
                .await
                .unwrap_err(),
        );
        // Its owner is told so all the same.
        let told = store.save_beyond_quota(inbox, &[draft("full", 1000)]).await;
        assert_eq!(told.unwrap().len(), 1);
        let quota = backend.mailbox_quota(&alice()).await.unwrap().quota;
        assert_eq!((quota.usage.items, quota.usage.bytes), (4, 4 * OCTETS));
        assert_eq!(
            (quota.usage.deleted_items, quota.usage.deleted_bytes),
            (1, OCTETS)
        );
        assert_eq!(backend.check().await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_retry_of_what_was_taken_in_is_not_refused() {
    let data = limited(receive(Some(OCTETS), None));
    let backend = data.open();
    let store = provisioned(&backend).await;
    let inbox = inbox(&*store).await;
    let keyed = Draft {
        key: Some(ItemKey([7].into())),
        ..draft("once", 1000)
    };
    let both = [keyed.clone(), draft("too much", 1000)];
    assert!(store.save(inbox, &both).await.is_err());
    assert_eq!(store.folder(inbox).await.unwrap().items, 0, "all or none");
    assert!(
        !store
            .save(inbox, std::slice::from_ref(&keyed))
            .await
            .unwrap()[0]
            .existing
    );
    assert!(
        store
            .save(inbox, std::slice::from_ref(&keyed))
            .await
            .unwrap()[0]
            .existing
    );
}

#[tokio::test]
async fn concurrent_writers_do_not_pass_the_bound_together() {
    let data = limited(receive(None, Some(10)));
    let backend = data.open();
    let store = provisioned(&backend).await;
    let inbox = inbox(&*store).await;
    let drafts: Vec<_> = (0..40).map(|i| [draft(&format!("{i}"), 100)]).collect();
    let saving = drafts.iter().map(|draft| store.save(inbox, draft));
    let saved = futures(saving).await;
    assert_eq!(saved.iter().filter(|saved| saved.is_ok()).count(), 10);
    assert_eq!(store.folder(inbox).await.unwrap().items, 10);
}

async fn futures<T: Send>(
    tasks: impl Iterator<Item = mapi_store::Task<'_, T>>,
) -> Vec<mapi_store::Result<T>> {
    let mut tasks: Vec<_> = tasks.map(Some).collect();
    let mut done: Vec<Option<mapi_store::Result<T>>> = tasks.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (task, done) in tasks.iter_mut().zip(&mut done) {
            if let Some(running) = task
                && let std::task::Poll::Ready(result) = running.as_mut().poll(context)
            {
                *done = Some(result);
                *task = None;
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn own_limits_win_over_those_for_all_and_survive() {
    let data = limited(receive(None, Some(1)));
    let backend = data.open();
    let store = provisioned(&backend).await;
    let inbox = inbox(&*store).await;
    let own = receive(Some(100 * OCTETS), Some(3));
    backend.set_quota(&alice(), Some(own)).await.unwrap();
    let when = FileTime::from_unix(1_800_000_000);
    backend.quota_warned(&alice(), when).await.unwrap();
    for i in 0..3 {
        save(&*store, inbox, &format!("{i}"), 1000).await;
    }
    drop((store, backend));
    let backend = data.open();
    let quota = backend.mailbox_quota(&alice()).await.unwrap();
    assert_eq!((quota.own, quota.warned), (true, when));
    assert_eq!(quota.quota.limits, own);
    assert_eq!(backend.quota(&alice()).await.unwrap(), Some(quota.quota));
    let store = logon(&backend).await;
    assert!(store.save(inbox, &[draft("late", 1000)]).await.is_err());
    backend.set_quota(&alice(), None).await.unwrap();
    let quota = backend.mailbox_quota(&alice()).await.unwrap();
    assert_eq!((quota.own, quota.warned), (false, when));
    assert_eq!(quota.quota.limits, receive(None, Some(1)));
    let file = data.path().join("backup");
    backend.backup(&alice(), None, &file).await.unwrap();
    backend.restore(&alice(), None, &file).await.unwrap();
    assert_eq!(backend.check().await.unwrap(), []);
}
