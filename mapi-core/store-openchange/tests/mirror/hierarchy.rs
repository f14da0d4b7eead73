//! The folder tree.

use std::collections::BTreeMap;

use mapi_store::{ErrorKind, FolderInfo, Member, Object, Permission, Principal, Rights, Role};
use mapi_types::{Change, OwnedValue, Version, tags};
use store_openchange::{HierarchyBatch, Mirror, Options, Pending, RemoteFolder};

use crate::{
    kit::{Folder, draft},
    remote::{furnished, id, item, items, mirror, remote_folder, running, tree},
};

async fn folders(mirror: &Mirror) -> Vec<FolderInfo> {
    let tree = mirror.store().hierarchy(Version(0)).await.unwrap();
    tree.changed
}

fn path_of(infos: &[FolderInfo], info: &FolderInfo) -> String {
    let parent = infos.iter().find(|other| Some(other.id) == info.parent);
    match parent {
        Some(parent) => format!("{}/{}", path_of(infos, parent), info.name),
        None => info.name.clone(),
    }
}

/// Path of every folder, by remote id.
async fn paths(mirror: &Mirror) -> BTreeMap<String, String> {
    let infos = folders(mirror).await;
    let mut paths = BTreeMap::new();
    for (folder, remote) in mirror.folders().await.unwrap() {
        let info = infos.iter().find(|info| info.id == folder).unwrap();
        paths.insert(
            String::from_utf8(remote.0.to_vec()).unwrap(),
            path_of(&infos, info),
        );
    }
    paths
}

fn named(id: &str, parent: Option<&str>, name: &str) -> RemoteFolder {
    RemoteFolder {
        name: name.into(),
        ..remote_folder(id, parent)
    }
}

async fn check(mirror: &Mirror, batch: HierarchyBatch, expected: &[(&str, &str)]) {
    mirror.apply_hierarchy(batch).await.unwrap();
    let expected: BTreeMap<String, String> = expected
        .iter()
        .map(|(id, path)| ((*id).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(paths(mirror).await, expected);
}

#[tokio::test]
async fn children_may_come_before_their_parents_and_in_another_batch() {
    let data = Folder::new(Options::default());
    let mirror = mirror(&data.open()).await;
    let batch = tree(vec![named("c", Some("b"), "C"), named("b", Some("a"), "B")]);
    check(&mirror, batch, &[("b", "B"), ("c", "B/C")]).await;
    let batch = tree(vec![named("a", None, "A")]);
    check(&mirror, batch, &[("a", "A"), ("b", "A/B"), ("c", "A/B/C")]).await;
}

#[tokio::test]
async fn folders_can_take_each_others_names_and_places() {
    let data = Folder::new(Options::default());
    let mirror = mirror(&data.open()).await;
    let before = tree(vec![
        named("a", None, "A"),
        named("b", None, "B"),
        named("c", Some("a"), "C"),
    ]);
    check(&mirror, before, &[("a", "A"), ("b", "B"), ("c", "A/C")]).await;
    let swapped = tree(vec![named("a", None, "B"), named("b", None, "A")]);
    check(&mirror, swapped, &[("a", "B"), ("b", "A"), ("c", "B/C")]).await;
    let turned = tree(vec![named("c", None, "C"), named("a", Some("c"), "B")]);
    check(&mirror, turned, &[("a", "C/B"), ("b", "A"), ("c", "C")]).await;
}

#[tokio::test]
async fn a_loop_ends_at_the_top() {
    let data = Folder::new(Options::default());
    let mirror = mirror(&data.open()).await;
    let batch = tree(vec![
        named("a", Some("b"), "A"),
        named("b", Some("c"), "B"),
        named("c", Some("a"), "C"),
        named("d", Some("d"), "D"),
    ]);
    let expected = [("a", "A"), ("b", "A/C/B"), ("c", "A/C"), ("d", "D")];
    check(&mirror, batch, &expected).await;
}

#[tokio::test]
async fn clashing_names_are_told_apart_and_restored_when_the_other_goes() {
    let data = Folder::new(Options::default());
    let mirror = mirror(&data.open()).await;
    let batch = tree(vec![named("a", None, "Work"), named("b", None, "WORK")]);
    check(&mirror, batch, &[("a", "Work"), ("b", "WORK (2)")]).await;
    let gone = HierarchyBatch {
        removed: vec![id("a"), id("unknown")],
        ..HierarchyBatch::default()
    };
    check(&mirror, gone, &[("b", "WORK")]).await;
}

#[tokio::test]
async fn a_complete_list_removes_what_it_does_not_name_and_orphans_go_to_the_top() {
    let data = Folder::new(Options::default());
    let mirror = mirror(&data.open()).await;
    let all = vec![
        named("a", None, "A"),
        named("b", Some("a"), "B"),
        named("c", Some("b"), "C"),
    ];
    check(
        &mirror,
        tree(all.clone()),
        &[("a", "A"), ("b", "A/B"), ("c", "A/B/C")],
    )
    .await;
    let gone = HierarchyBatch {
        removed: vec![id("b")],
        ..HierarchyBatch::default()
    };
    check(&mirror, gone, &[("a", "A"), ("c", "C")]).await;
    let list = HierarchyBatch {
        changed: vec![named("a", None, "A")],
        complete_list: true,
        ..HierarchyBatch::default()
    };
    check(&mirror, list, &[("a", "A")]).await;
}

#[tokio::test]
async fn what_did_not_change_has_no_new_version() {
    let data = Folder::new(Options::default());
    let mirror = mirror(&data.open()).await;
    let mut inbox = named("a", None, "A");
    inbox.role = Some(Role::Inbox);
    inbox.hidden = true;
    let all = vec![
        inbox,
        named("b", Some("a"), "B"),
        named("c", Some("a"), "b"),
    ];
    let first = mirror.apply_hierarchy(tree(all.clone())).await.unwrap();
    let before = mirror.store().hierarchy(Version(0)).await.unwrap();
    let again = HierarchyBatch {
        changed: all,
        state: Some("state".into()),
        complete_list: true,
        ..HierarchyBatch::default()
    };
    assert_eq!(mirror.apply_hierarchy(again).await.unwrap(), first);
    assert_eq!(mirror.store().hierarchy(Version(0)).await.unwrap(), before);
    let state = mirror.hierarchy_state().await.unwrap();
    assert_eq!(state.as_deref(), Some(&b"state"[..]));
}

#[tokio::test]
async fn a_role_goes_to_whom_it_was_given_last() {
    let data = Folder::new(Options::default());
    let mirror = mirror(&data.open()).await;
    let with_role = |text, role| RemoteFolder {
        role,
        ..named(text, None, text)
    };
    let roles = |infos: Vec<FolderInfo>| {
        let pairs = infos.into_iter().map(|info| (info.name, info.role));
        pairs.collect::<Vec<_>>()
    };
    let batch = tree(vec![
        with_role("a", Some(Role::Drafts)),
        with_role("b", Some(Role::Junk)),
    ]);
    mirror.apply_hierarchy(batch).await.unwrap();
    let swapped = tree(vec![
        with_role("a", Some(Role::Junk)),
        with_role("b", Some(Role::Drafts)),
    ]);
    mirror.apply_hierarchy(swapped).await.unwrap();
    let expected = [
        ("a".to_owned(), Some(Role::Junk)),
        ("b".to_owned(), Some(Role::Drafts)),
    ];
    assert_eq!(roles(folders(&mirror).await), expected);
    let taken = tree(vec![with_role("c", Some(Role::Junk))]);
    mirror.apply_hierarchy(taken).await.unwrap();
    let expected = [
        ("a".to_owned(), None),
        ("b".to_owned(), Some(Role::Drafts)),
        ("c".to_owned(), Some(Role::Junk)),
    ];
    assert_eq!(roles(folders(&mirror).await), expected);
}

#[tokio::test]
async fn an_id_that_is_none_is_refused() {
    let data = Folder::new(Options::default());
    let mirror = mirror(&data.open()).await;
    for bad in ["", &"x".repeat(256)] {
        let refused = mirror
            .apply_hierarchy(tree(vec![remote_folder(bad, None)]))
            .await;
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn permissions_decide_what_others_see() {
    let data = Folder::new(Options::default());
    let mirror = mirror(&data.open()).await;
    let row = |user: &str, rights| Permission {
        member: Member::User(user.into()),
        rights,
    };
    let mut shared = named("a", None, "Shared");
    shared.permissions = Some(vec![
        row("Bob@example.test", Rights::REVIEWER),
        row("bob@example.test", Rights::ALL),
    ]);
    let batch = tree(vec![shared.clone(), named("b", None, "Private")]);
    mirror.apply_hierarchy(batch).await.unwrap();
    let bob = Principal {
        user: "bob@example.test".into(),
    };
    let store = mirror.store_for(&bob);
    let seen = store.hierarchy(Version(0)).await.unwrap();
    assert_eq!(seen.changed.len(), 1);
    assert_eq!(seen.changed[0].rights, Rights::REVIEWER);
    shared.permissions = None;
    mirror
        .apply_hierarchy(tree(vec![shared.clone()]))
        .await
        .unwrap();
    assert_eq!(store.hierarchy(seen.to).await.unwrap().to, seen.to);
    shared.permissions = Some(vec![]);
    mirror.apply_hierarchy(tree(vec![shared])).await.unwrap();
    let later = store.hierarchy(seen.to).await.unwrap();
    assert_eq!(later.removed, [seen.changed[0].id]);
}

#[tokio::test]
async fn properties_of_a_folder_come_and_go_with_the_remote_and_own_ones_stay() {
    let data = Folder::new(Options::default());
    let mirror = mirror(&data.open()).await;
    let comment = |text: &str| {
        let value = OwnedValue::Str(text.into());
        [(tags::COMMENT.tag(), value)].into_iter().collect()
    };
    let mut folder = named("a", None, "A");
    folder.props = comment("first");
    folder.hidden = true;
    let id = mirror
        .apply_hierarchy(tree(vec![folder.clone()]))
        .await
        .unwrap()[&id("a")];
    let store = mirror.store();
    let own = Change {
        set: vec![(tags::SUBJECT.tag(), OwnedValue::Str("own".into()))],
        ..Change::default()
    };
    store.set_props(Object::Folder(id), &own).await.unwrap();
    folder.hidden = false;
    folder.props = comment("second");
    mirror
        .apply_hierarchy(tree(vec![folder.clone()]))
        .await
        .unwrap();
    let wanted = [tags::COMMENT.tag(), tags::SUBJECT.tag()];
    let found = store.props(Object::Folder(id), &wanted).await.unwrap();
    assert_eq!(found.get(&tags::COMMENT), Some("second"));
    assert_eq!(found.get(&tags::SUBJECT), Some("own"));
    assert!(!store.folder(id).await.unwrap().hidden);
    folder.props = comment(&"x".repeat(70_000));
    folder.class = "IPF.Appointment".into();
    mirror.apply_hierarchy(tree(vec![folder])).await.unwrap();
    let found = store.props(Object::Folder(id), &wanted).await.unwrap();
    assert_eq!(found.get(&tags::COMMENT), None);
    assert_eq!(store.folder(id).await.unwrap().class, "IPF.Appointment");
}

#[tokio::test]
async fn a_removed_folder_takes_its_items_along_and_leaves_drafts_on_their_way() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    mirror
        .apply_items(inbox, items(vec![item("a", "k")]))
        .await
        .unwrap();
    mirror.restart(inbox).await.unwrap();
    mirror
        .apply_items(inbox, running(vec![item("b", "k")]))
        .await
        .unwrap();
    let pending = Pending {
        id: id("p"),
        change_key: None,
        draft: draft("unsent", 100),
    };
    mirror.begin_save(inbox, &[pending]).await.unwrap();
    let gone = HierarchyBatch {
        removed: vec![id("Inbox")],
        ..HierarchyBatch::default()
    };
    mirror.apply_hierarchy(gone).await.unwrap();
    let tree_now = folders(&mirror).await;
    assert_eq!((tree_now.len(), tree_now[0].id), (1, other));
    let refused = mirror.apply_items(inbox, items(vec![])).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::NotFound);
    let left = mirror.pending(9).await.unwrap();
    assert_eq!((left.len(), left[0].folder), (1, inbox));
    // The same folder again is another one here.
    let again = mirror
        .apply_hierarchy(tree(vec![named("Inbox", None, "Inbox")]))
        .await
        .unwrap();
    assert!(again[&id("Inbox")] > other);
    assert_eq!(backend.check().await.unwrap(), []);
    mirror.forget_pending(inbox, vec![id("p")]).await.unwrap();
    assert_eq!(mirror.pending(9).await.unwrap().len(), 0);
    assert_eq!(backend.check().await.unwrap(), []);
}
