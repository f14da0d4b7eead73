//! What a mirror is as a whole, and what outlives dropping its contents.

use bytes::Bytes;
use mapi_store::{Backend, ErrorKind, FolderInfo, Object, Principal, Role};
use mapi_types::{Change, FolderId, ItemNumber, MailboxId, OwnedValue, Version, tags};
use store_openchange::{
    Body, Finished, FolderStatus, HierarchyBatch, Mirror, Options, Pending, RemoteItem,
    RenderedOutcome,
};

use crate::{
    kit::{Folder, alice, draft, small_segments},
    remote::{
        IDENTITY, complete, furnished, id, item, items, key, mirror, original, props,
        remote_folder, rendered, running, seen, tree, with,
    },
};

#[tokio::test]
async fn a_mirror_is_no_ordinary_mailbox_and_the_other_way_round() {
    let data = Folder::new(Options::default());
    let backend = data.open();
    let bob = MailboxId("bob@example.test".into());
    backend.provision(&bob).await.unwrap();
    let refused = backend.mirror(&bob, IDENTITY).await;
    assert_eq!(refused.err().unwrap().kind, ErrorKind::Exists);
    let mirror = mirror(&backend).await;
    assert_eq!(mirror.id(), &alice());
    let store = mirror.store();
    assert_eq!(store.hierarchy(Version(0)).await.unwrap().changed, []);
    let owner = Principal { user: alice().0 };
    let refused = backend.logon(&owner, &alice()).await;
    assert_eq!(refused.err().unwrap().kind, ErrorKind::NotFound);
    let refused = backend.remove(&alice()).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::NotFound);
    let refused = backend.remove_mirror(&bob).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::NotFound);
    let refused = backend.provision(&alice()).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Exists);
    assert_eq!(backend.mirrors().await.unwrap(), [alice()]);
    assert_eq!(backend.check().await.unwrap(), []);
    backend.remove_mirror(&alice()).await.unwrap();
    assert_eq!(backend.mirrors().await.unwrap(), []);
    assert_eq!(backend.mailboxes().unwrap(), [bob]);
}

#[tokio::test]
async fn another_identity_is_refused_until_the_mirror_is_reset() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, _) = furnished(&data).await;
    mirror
        .apply_items(inbox, items(vec![item("a", "k")]))
        .await
        .unwrap();
    let pending = Pending {
        id: id("p"),
        change_key: None,
        draft: draft("unsent", 100),
    };
    mirror.begin_save(inbox, &[pending]).await.unwrap();
    mirror
        .set_session_data(Bytes::from_static(b"names"))
        .await
        .unwrap();
    let before = mirror.store().folder(inbox).await.unwrap();
    let refused = backend.mirror(&alice(), b"another").await;
    assert_eq!(refused.err().unwrap().kind, ErrorKind::Conflict);
    let reset = backend.reset_mirror(&alice(), b"another").await.unwrap();
    let empty = reset.store().hierarchy(Version(0)).await.unwrap();
    assert_eq!(
        (empty.changed.len(), reset.pending(9).await.unwrap().len()),
        (0, 0)
    );
    assert_eq!(reset.session_data().await.unwrap().len(), 0);
    let refused = backend.mirror(&alice(), IDENTITY).await;
    assert_eq!(refused.err().unwrap().kind, ErrorKind::Conflict);
    let again = backend.mirror(&alice(), b"another").await.unwrap();
    let ids = again
        .apply_hierarchy(tree(vec![remote_folder("Inbox", None)]))
        .await
        .unwrap();
    let after = again.store().folder(ids[&id("Inbox")]).await.unwrap();
    assert!(after.epoch.0 > before.epoch.0 && after.id > before.id);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn session_data_and_states_outlive_a_restart() {
    let data = Folder::new(Options::default());
    {
        let mirror = mirror(&data.open()).await;
        assert_eq!(mirror.hierarchy_state().await.unwrap(), None);
        assert_eq!(mirror.session_data().await.unwrap().len(), 0);
        let batch = HierarchyBatch {
            state: Some(Bytes::from_static(b"state")),
            ..HierarchyBatch::default()
        };
        mirror.apply_hierarchy(batch).await.unwrap();
        mirror
            .set_session_data(Bytes::from_static(b"names"))
            .await
            .unwrap();
    }
    let mirror = mirror(&data.open()).await;
    assert_eq!(
        mirror.hierarchy_state().await.unwrap().as_deref(),
        Some(&b"state"[..])
    );
    assert_eq!(&mirror.session_data().await.unwrap()[..], b"names");
}

/// A remote of a bit of everything.
struct Remote {
    folders: Vec<store_openchange::RemoteFolder>,
    items: Vec<RemoteItem>,
}

fn remote() -> Remote {
    let mut inbox = remote_folder("Inbox", None);
    inbox.role = Some(Role::Inbox);
    let icon = |text| with(item(text, "k"), tags::ICON_INDEX.tag(), OwnedValue::I32(3));
    let mut ours = item("ours", "k");
    ours.props = props("ours", 1);
    Remote {
        folders: vec![inbox, remote_folder("Other", None)],
        items: vec![
            icon("rendered"),
            icon("evicted"),
            icon("index only"),
            item("edited", "k2"),
            ours,
        ],
    }
}

async fn fill(mirror: &Mirror, remote: &Remote) -> FolderId {
    let batch = HierarchyBatch {
        changed: remote.folders.clone(),
        complete_list: true,
        state: Some(Bytes::from_static(b"tree")),
        ..HierarchyBatch::default()
    };
    let ids = mirror.apply_hierarchy(batch).await.unwrap();
    mirror
        .apply_items(ids[&id("Other")], complete(vec![]))
        .await
        .unwrap();
    let inbox = ids[&id("Inbox")];
    let (first, second) = remote.items.split_at(2);
    mirror
        .apply_items(inbox, running(second.to_vec()))
        .await
        .unwrap();
    mirror
        .apply_items(inbox, complete(first.to_vec()))
        .await
        .unwrap();
    inbox
}

async fn render_all(mirror: &Mirror, inbox: FolderId) -> Vec<RenderedOutcome> {
    let mut wanted = mirror.unrendered(inbox, 99).await.unwrap();
    wanted.extend(mirror.stale(inbox, 99).await.unwrap());
    let known = mirror.remote_ids(inbox, &wanted).await.unwrap();
    let bodies = wanted.iter().zip(known).map(|(number, known)| {
        let known = known.unwrap();
        let text = String::from_utf8(known.id.0.to_vec()).unwrap();
        let change_key = String::from_utf8(known.change_key.0.to_vec()).unwrap();
        rendered(number.0, &change_key, &format!("bytes of {text}"))
    });
    mirror.put_rendered(inbox, bodies.collect()).await.unwrap()
}

/// A mirror in which everything has happened.
async fn lived_in(mirror: &Mirror) -> FolderId {
    let remote = remote();
    let mut early = Remote {
        folders: remote.folders.clone(),
        items: remote.items[..4].to_vec(),
    };
    early.items[3].change_key = key("k");
    let inbox = fill(mirror, &early).await;
    // Numbers go by time and id here: edited 1, evicted 2, index only 3, rendered 4.
    let bodies = [(1, "k", "edited, before"), (2, "k", "bytes of evicted")];
    let bodies = bodies.map(|(number, key, text)| rendered(number, key, text));
    mirror.put_rendered(inbox, bodies.to_vec()).await.unwrap();
    mirror.evict(0).await.unwrap();
    mirror
        .apply_items(inbox, items(vec![remote.items[3].clone()]))
        .await
        .unwrap();
    let bodies = [(1, "k2", "bytes of edited"), (4, "k", "bytes of rendered")];
    let bodies = bodies.map(|(number, key, text)| rendered(number, key, text));
    mirror.put_rendered(inbox, bodies.to_vec()).await.unwrap();
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
    let subscribe = Change {
        set: vec![(tags::SUBSCRIPTIONS.tag(), OwnedValue::strs(["Inbox"]))],
        ..Change::default()
    };
    mirror
        .store()
        .set_props(Object::Mailbox, &subscribe)
        .await
        .unwrap();
    inbox
}

async fn infos(mirror: &Mirror) -> Vec<FolderInfo> {
    mirror.store().hierarchy(Version(0)).await.unwrap().changed
}

#[tokio::test]
async fn dropped_and_filled_again_a_mirror_shows_what_it_showed() {
    for options in [Options::default(), small_segments()] {
        let data = Folder::new(options);
        let backend = data.open();
        let mirror = mirror(&backend).await;
        let inbox = lived_in(&mirror).await;
        render_all(&mirror, inbox).await;
        let store = mirror.store();
        let (tree_then, then) = (infos(&mirror).await, seen(&*store, inbox).await);
        assert_eq!(
            then.iter().map(|item| item.number).collect::<Vec<_>>(),
            [2, 3, 4, 5, 6]
        );
        mirror.drop_contents().await.unwrap();
        assert_eq!(backend.check().await.unwrap(), []);
        assert_eq!(mirror.hierarchy_state().await.unwrap(), None);
        assert_eq!(mirror.folder_sync(inbox).await.unwrap().state, None);
        // Numbers, flags and what we stored ourselves are there all the time.
        let dropped = seen(&*store, inbox).await;
        let bare = |seen: &[crate::remote::Seen]| {
            seen.iter()
                .map(|item| (item.number, item.version, item.flags, item.size))
                .collect::<Vec<_>>()
        };
        assert_eq!(bare(&dropped), bare(&then));
        assert!(
            original(&*store, inbox, 6)
                .await
                .unwrap()
                .starts_with("ours")
        );
        assert_eq!(original(&*store, inbox, 4).await, None);
        backend.compact().await.unwrap();
        assert_eq!(fill(&mirror, &remote()).await, inbox);
        assert_eq!(seen(&*store, inbox).await, then);
        let outcomes = render_all(&mirror, inbox).await;
        assert_eq!(outcomes, [RenderedOutcome::Stored; 4]);
        assert_eq!(infos(&mirror).await, tree_then);
        assert_eq!(seen(&*store, inbox).await, then);
        assert_eq!(
            original(&*store, inbox, 5).await.unwrap(),
            "bytes of edited"
        );
        assert!(
            original(&*store, inbox, 6)
                .await
                .unwrap()
                .starts_with("ours")
        );
        assert_eq!(mirror.pending(9).await.unwrap().len(), 1);
        let props = store
            .props(Object::Mailbox, &[tags::SUBSCRIPTIONS.tag()])
            .await
            .unwrap();
        assert_eq!(props.len(), 1);
        assert_eq!(backend.check().await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_changed_while_the_contents_were_dropped_is_told_as_a_change() {
    let data = Folder::new(Options::default());
    let backend = data.open();
    let mirror = mirror(&backend).await;
    let inbox = lived_in(&mirror).await;
    render_all(&mirror, inbox).await;
    let store = mirror.store();
    let then = seen(&*store, inbox).await;
    mirror.drop_contents().await.unwrap();
    let mut remote = remote();
    // One is edited, with another date; one is gone; one is new; ours was edited by somebody else.
    remote.items[0].change_key = key("k9");
    let date = mapi_types::FileTime(9_999);
    remote.items[0] = with(
        remote.items[0].clone(),
        tags::MESSAGE_DELIVERY_TIME.tag(),
        OwnedValue::Time(date),
    );
    remote.items[1] = item("new", "k");
    remote.items[4].change_key = key("k9");
    fill(&mirror, &remote).await;
    let mut numbers: Vec<u32> = seen(&*store, inbox)
        .await
        .iter()
        .map(|item| item.number)
        .collect();
    assert_eq!(numbers, [3, 4, 5, 6, 7]);
    assert_eq!(
        mirror.stale(inbox, 9).await.unwrap(),
        [ItemNumber(6), ItemNumber(4)]
    );
    render_all(&mirror, inbox).await;
    // The edited one still has the same bytes, as `render_all` makes them: it keeps its number. Ours does not.
    let now = seen(&*store, inbox).await;
    numbers = now.iter().map(|item| item.number).collect();
    assert_eq!(numbers, [3, 4, 5, 7, 8]);
    assert_eq!(now[4].key, b"ours");
    assert_eq!((&now[0], now[1].number), (&then[1], then[2].number));
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_rendering_may_come_before_the_index() {
    let data = Folder::new(Options::default());
    let backend = data.open();
    let mirror = mirror(&backend).await;
    let inbox = lived_in(&mirror).await;
    render_all(&mirror, inbox).await;
    let store = mirror.store();
    let then = seen(&*store, inbox).await;
    mirror.drop_contents().await.unwrap();
    let outcomes = render_all(&mirror, inbox).await;
    assert_eq!(outcomes, [RenderedOutcome::Stored; 4]);
    assert_eq!(
        original(&*store, inbox, 2).await.unwrap(),
        "bytes of evicted"
    );
    fill(&mirror, &remote()).await;
    let bare = |seen: Vec<crate::remote::Seen>| {
        seen.into_iter()
            .map(|item| (item.number, item.subject, item.flags, item.size))
            .collect::<Vec<_>>()
    };
    assert_eq!(bare(seen(&*store, inbox).await), bare(then));
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn the_status_counts_what_is_here_and_what_filling_again_would_cost() {
    let data = Folder::new(Options::default());
    let backend = data.open();
    let mirror = mirror(&backend).await;
    let inbox = lived_in(&mirror).await;
    let status = mirror.status().await.unwrap();
    assert_eq!((status.folders.len(), status.pending), (2, 1));
    let expected = FolderStatus {
        folder: inbox,
        name: "Inbox".into(),
        indexed: true,
        passing: false,
        items: 5,
        staged: 0,
        rendered: 4,
        stale: 0,
        kept: 1,
        bytes_kept: 3_017,
        bytes_rendered: 32,
        refill_items: 4,
        // Three of known size and a guess.
        refill_bytes: 15 + 16 + 17 + 100,
    };
    assert_eq!(status.folders[0], expected);
    mirror.restart(inbox).await.unwrap();
    mirror
        .apply_items(inbox, running(vec![item("x", "k"), item("rendered", "k5")]))
        .await
        .unwrap();
    let progress = mirror.progress(inbox).await.unwrap();
    assert_eq!(
        (progress.staged, progress.unrendered, progress.stale),
        (1, 1, 1)
    );
    let status = mirror.status().await.unwrap();
    let folder = &status.folders[0];
    assert_eq!((folder.staged, folder.stale, folder.passing), (1, 1, true));
    let known = mirror
        .remote_ids(inbox, &[ItemNumber(6)])
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    assert_eq!(known.body, Body::Kept);
}
