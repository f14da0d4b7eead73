//! Checking, compacting, backing up and restoring mirrors.

use mapi_store::{Backend, Changes, Deletion, ErrorKind, Role, Transfer};
use mapi_types::{FolderId, ItemNumber};
use store_openchange::{FaultKind, Finished, Mirror, Moved, Options, Pending, RenderedOutcome};

use crate::{
    kit::{Folder, alice, draft, folder, provisioned, small_segments},
    remote::{
        IDENTITY, furnished, id, item, items, key, mirror, original, props, rendered, running, seen,
    },
};

/// Number 1 is rendered, 2 kept, 3 evicted, 4 known to the index alone; one is staged and one on its way.
async fn furnish(mirror: &Mirror, inbox: FolderId) {
    mirror
        .apply_items(inbox, items(vec![item("a", "k")]))
        .await
        .unwrap();
    let pending = |text: &str| Pending {
        id: id(text),
        change_key: None,
        draft: draft(text, 3_000),
    };
    mirror
        .begin_save(inbox, &[pending("ours"), pending("unsent")])
        .await
        .unwrap();
    let finished = Finished {
        id: id("ours"),
        change_key: key("k"),
        props: props("ours", 1),
    };
    mirror.finish_save(inbox, vec![finished]).await.unwrap();
    mirror
        .apply_items(inbox, items(vec![item("c", "k"), item("d", "k")]))
        .await
        .unwrap();
    mirror
        .put_rendered(inbox, vec![rendered(3, "k", &"c".repeat(2_000))])
        .await
        .unwrap();
    mirror.evict(0).await.unwrap();
    mirror
        .put_rendered(inbox, vec![rendered(1, "k", &"a".repeat(2_000))])
        .await
        .unwrap();
    mirror.restart(inbox).await.unwrap();
    mirror
        .apply_items(inbox, running(vec![item("e", "k")]))
        .await
        .unwrap();
}

/// Statements that spoil the mirror, and what a check finds then.
const PLANTED: &[(&str, &[FaultKind])] = &[
    ("DELETE FROM remote", &[FaultKind::Tree, FaultKind::Rows]),
    (
        "DELETE FROM remote_folders WHERE folder = 1",
        &[FaultKind::Rows],
    ),
    (
        "UPDATE remote_folders SET folder = 77 WHERE folder = 2",
        &[FaultKind::Rows],
    ),
    (
        "UPDATE remote_items SET id = id + 50 WHERE id = (1 << 32 | 4)",
        &[FaultKind::Rows],
    ),
    (
        "UPDATE contents SET hash = NULL WHERE id = (1 << 32 | 2)",
        &[FaultKind::Rows],
    ),
    (
        "UPDATE remote_items SET digest = zeroblob(32) WHERE id = (1 << 32 | 1)",
        &[FaultKind::Rows],
    ),
    (
        "UPDATE remote_items SET body = 2 WHERE id = (1 << 32 | 1)",
        &[FaultKind::Rows],
    ),
    (
        "UPDATE remote_items SET bytes = 7 WHERE body = 4",
        &[FaultKind::Rows],
    ),
    (
        "UPDATE items SET sized = 1 WHERE id = (1 << 32 | 4)",
        &[FaultKind::Counts, FaultKind::Rows],
    ),
    ("UPDATE remote_folders SET passing = 0", &[FaultKind::Rows]),
    (
        "UPDATE remote_staged SET remote = CAST('a' AS BLOB)",
        &[FaultKind::Rows],
    ),
    ("DELETE FROM remote_pending", &[FaultKind::Rows]),
    ("DELETE FROM items WHERE folder = 0", &[FaultKind::Rows]),
    (
        "UPDATE remote_staged SET props = x'0102ff'",
        &[FaultKind::Properties],
    ),
    (
        "UPDATE remote_items SET fresh = x'0102ff' WHERE body = 4",
        &[FaultKind::Properties],
    ),
    (
        "UPDATE remote_folders SET props = x'0102ff' WHERE folder = 1",
        &[FaultKind::Properties],
    ),
];

#[tokio::test]
async fn planted_faults_are_named() {
    for (statement, expected) in PLANTED {
        let data = Folder::new(small_segments());
        {
            let (backend, mirror, inbox, _) = furnished(&data).await;
            furnish(&mirror, inbox).await;
            assert_eq!(backend.check().await.unwrap(), []);
        }
        data.sql(statement);
        let mut found = data.faults().await;
        found.dedup();
        assert_eq!(found, *expected, "{statement}");
    }
}

#[tokio::test]
async fn an_original_in_a_row_that_is_not_the_one_served_is_named() {
    let data = Folder::new(Options::default());
    {
        let (_backend, mirror, inbox, _) = furnished(&data).await;
        furnish(&mirror, inbox).await;
    }
    data.sql("UPDATE contents SET body = CAST(replace(CAST(body AS TEXT), 'a', 'b') AS BLOB) WHERE id = (1 << 32 | 1)");
    assert_eq!(data.faults().await, [FaultKind::Properties]);
}

#[tokio::test]
async fn compacting_frees_evicted_bodies_and_never_a_kept_one() {
    let data = Folder::new(small_segments());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    furnish(&mirror, inbox).await;
    let many = (10..60).map(|i| item(&format!("{i}"), "k")).collect();
    mirror.apply_items(other, items(many)).await.unwrap();
    for i in 1..=50 {
        let body = rendered(i, "k", &format!("{i:02}").repeat(1_500));
        mirror.put_rendered(other, vec![body]).await.unwrap();
    }
    let moved = Moved {
        number: ItemNumber(2),
        id: id("copy"),
        change_key: Some(key("k")),
    };
    mirror
        .transferred(inbox, other, Transfer::Copy, vec![moved])
        .await
        .unwrap();
    let before = data.segments().len();
    mirror.evict(0).await.unwrap();
    backend.compact().await.unwrap();
    assert!(data.segments().len() + 5 < before);
    let store = mirror.store();
    for (folder, number) in [(inbox, 2), (other, 51)] {
        assert!(
            original(&*store, folder, number)
                .await
                .unwrap()
                .starts_with("ours")
        );
    }
    let pending = mirror.pending(9).await.unwrap();
    let content = pending[0].draft.message.original.as_ref().unwrap();
    let mut octets = vec![0; 6];
    content.source().read_exact_at(&mut octets, 0).unwrap();
    assert_eq!(octets, b"unsent");
    let back = rendered(7, "k", &"07".repeat(1_500));
    let outcome = mirror.put_rendered(other, vec![back]).await.unwrap();
    assert_eq!(outcome, [RenderedOutcome::Stored]);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_backup_has_the_ledger_and_not_what_can_be_fetched() {
    for options in [Options::default(), small_segments()] {
        let (source, target) = (Folder::new(options.clone()), Folder::new(options));
        let file = source.path().join("backup");
        let (then, epoch) = {
            let (backend, mirror, inbox, _) = furnished(&source).await;
            furnish(&mirror, inbox).await;
            backend.backup(&alice(), None, &file).await.unwrap();
            let refused = backend
                .backup(&alice(), Some(inbox), &source.path().join("folder"))
                .await;
            assert_eq!(refused.unwrap_err().kind, ErrorKind::Unsupported);
            let epoch = mirror.store().folder(inbox).await.unwrap().epoch;
            (seen(&*mirror.store(), inbox).await, epoch)
        };
        let backend = target.open();
        backend.restore(&alice(), None, &file).await.unwrap();
        let mirror = backend.mirror(&alice(), IDENTITY).await.unwrap();
        let store = mirror.store();
        let inbox = mirror.folder_of(&id("Inbox")).await.unwrap().unwrap();
        assert_eq!(seen(&*store, inbox).await, then);
        assert_ne!(store.folder(inbox).await.unwrap().epoch, epoch);
        assert_eq!(original(&*store, inbox, 1).await, None);
        assert!(
            original(&*store, inbox, 2)
                .await
                .unwrap()
                .starts_with("ours")
        );
        assert_eq!(mirror.pending(9).await.unwrap().len(), 1);
        assert_eq!(mirror.progress(inbox).await.unwrap().staged, 1);
        assert_eq!(backend.check().await.unwrap(), []);
        // What was served under a number is known still.
        let bodies = vec![
            rendered(1, "k", &"a".repeat(2_000)),
            rendered(3, "k", "another"),
        ];
        let outcome = mirror.put_rendered(inbox, bodies).await.unwrap();
        let expected = [
            RenderedOutcome::Stored,
            RenderedOutcome::Renumbered(ItemNumber(5)),
        ];
        assert_eq!(outcome, expected);
        assert_eq!(backend.check().await.unwrap(), []);
    }
}

#[tokio::test]
async fn restoring_undoes_what_happened_since_and_begins_new_epochs() {
    let data = Folder::new(small_segments());
    let file = data.path().join("backup");
    let (backend, mirror, inbox, _) = furnished(&data).await;
    furnish(&mirror, inbox).await;
    let store = mirror.store();
    let then = seen(&*store, inbox).await;
    backend.backup(&alice(), None, &file).await.unwrap();
    mirror
        .removed(inbox, vec![ItemNumber(2)], Deletion::Hard)
        .await
        .unwrap();
    mirror
        .forget_pending(inbox, vec![id("unsent")])
        .await
        .unwrap();
    mirror.restart(inbox).await.unwrap();
    let now = store.folder(inbox).await.unwrap();
    backend.restore(&alice(), None, &file).await.unwrap();
    let restored = store.folder(inbox).await.unwrap();
    assert!(restored.epoch.0 > now.epoch.0 && restored.version > now.version);
    assert_eq!(seen(&*store, inbox).await, then);
    let changes = store.changes(inbox, now.version, &[], 9).await.unwrap();
    assert!(matches!(changes, Changes::Expired));
    assert_eq!(mirror.pending(9).await.unwrap().len(), 1);
    assert!(
        original(&*store, inbox, 2)
            .await
            .unwrap()
            .starts_with("ours")
    );
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_mirror_and_a_mailbox_do_not_become_each_other() {
    let (data, ordinary) = (
        Folder::new(Options::default()),
        Folder::new(Options::default()),
    );
    let (of_mirror, of_mailbox) = (data.path().join("a"), data.path().join("b"));
    let (backend, _mirror, inbox, _) = furnished(&data).await;
    backend.backup(&alice(), None, &of_mirror).await.unwrap();
    let other = ordinary.open();
    let store = provisioned(&other).await;
    other.backup(&alice(), None, &of_mailbox).await.unwrap();
    for (backend, file) in [(&backend, &of_mailbox), (&other, &of_mirror)] {
        let refused = backend.restore(&alice(), None, file).await;
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Invalid);
    }
    let refused = backend.restore(&alice(), Some(inbox), &of_mirror).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Unsupported);
    // An ordinary mailbox that is gone is made again as one.
    folder(&*store, Role::Inbox).await;
    other.remove(&alice()).await.unwrap();
    other.restore(&alice(), None, &of_mailbox).await.unwrap();
    assert_eq!(other.mirrors().await.unwrap(), []);
    assert_eq!(other.check().await.unwrap(), []);
    assert_eq!(mirror(&backend).await.folders().await.unwrap().len(), 2);
}
