//! Who may do what in whose folders.

use std::sync::Arc;

use mapi_types::{Change, FolderId, ItemNumber, OwnedValue, Version, tags};

use super::mailbox::{
    ALICE, BOB, Mailbox, any, bits, draft, fails, logon, mail_folder, query, set,
};
use crate::{
    Backend, Deletion, ErrorKind, Items, Member, Object, Permission, Query, Rights, Store, Table,
    Transfer,
};

/// A mailbox in which a stranger sees nothing does not open for him.
pub async fn a_stranger_cannot_open_the_mailbox(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    fails(
        logon(&*alice.backend, BOB).await.map(|_| ()),
        ErrorKind::Denied,
    );
    grant(&alice, alice.inbox, &[user(BOB, Rights::REVIEWER)]).await;
    assert!(logon(&*alice.backend, BOB).await.is_ok());
    grant(&alice, alice.inbox, &[]).await;
    fails(
        logon(&*alice.backend, BOB).await.map(|_| ()),
        ErrorKind::Denied,
    );
    assert!(logon(&*alice.backend, ALICE).await.is_ok());
}

/// The table comes back as it was set; the owner has every right whatever it says.
pub async fn a_permission_table_is_kept(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    assert!(
        alice
            .store
            .permissions(alice.inbox)
            .await
            .unwrap()
            .is_empty()
    );
    let table = [
        Permission {
            member: Member::Default,
            rights: Rights::VISIBLE,
        },
        Permission {
            member: Member::Anonymous,
            rights: Rights::NONE,
        },
        user(BOB, Rights::EDITOR),
        user(ALICE, Rights::NONE),
    ];
    grant(&alice, alice.inbox, &table).await;
    assert_eq!(alice.store.permissions(alice.inbox).await.unwrap(), table);
    assert_eq!(alice.info().await.rights, Rights::ALL);
    let twice = [user(BOB, Rights::EDITOR), user(BOB, Rights::REVIEWER)];
    fails(
        alice.store.set_permissions(alice.inbox, &twice).await,
        ErrorKind::Invalid,
    );
    assert_eq!(alice.store.permissions(alice.inbox).await.unwrap(), table);
}

/// A reviewer reads everything and changes nothing.
pub async fn a_reviewer_reads_and_cannot_write(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save("a").await;
    let bob = share(&alice, Rights::REVIEWER).await;
    let (inbox, item) = (alice.inbox, saved.number);
    let before = alice.info().await;
    assert_eq!(bob.folder(inbox).await.unwrap().rights, Rights::REVIEWER);
    assert_eq!(read_subject(&*bob, inbox, item).await, "a");
    assert_eq!(bob.find(inbox, &[saved.key]).await.unwrap(), [Some(item)]);
    fails(bob.save(inbox, &[draft("b")]).await, ErrorKind::Denied);
    fails(
        bob.replace(inbox, any(item), &draft("b")).await,
        ErrorKind::Denied,
    );
    let read = bits(tags::MESSAGE_FLAGS.tag(), 1, 0);
    fails(
        bob.update(inbox, &[any(item)], &read).await,
        ErrorKind::Denied,
    );
    fails(
        bob.transfer(inbox, &[item], inbox, Transfer::Copy).await,
        ErrorKind::Denied,
    );
    fails(
        bob.transfer(inbox, &[item], inbox, Transfer::Move).await,
        ErrorKind::Denied,
    );
    fails(
        bob.delete(inbox, &[item], Deletion::Soft).await,
        ErrorKind::Denied,
    );
    fails(
        bob.create_folder(&mail_folder(Some(inbox), "b")).await,
        ErrorKind::Denied,
    );
    fails(
        bob.create_folder(&mail_folder(None, "b")).await,
        ErrorKind::Denied,
    );
    fails(bob.permissions(inbox).await, ErrorKind::Denied);
    fails(bob.set_permissions(inbox, &[]).await, ErrorKind::Denied);
    let comment = set(tags::COMMENT.tag(), OwnedValue::Str("b".into()));
    fails(
        bob.set_props(Object::Folder(inbox), &comment).await,
        ErrorKind::Denied,
    );
    fails(
        bob.set_props(Object::Mailbox, &comment).await,
        ErrorKind::Denied,
    );
    assert_eq!(alice.info().await, before);
}

/// An editor changes items, but not the folder.
pub async fn an_editor_changes_items_but_not_the_folder(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let folder = alice.make_folder("Shared").await;
    let saved = alice.save_draft(folder, draft("a")).await;
    grant(&alice, folder, &[user(BOB, Rights::EDITOR)]).await;
    let bob = logon(&*alice.backend, BOB).await.unwrap();
    let new = bob.save(folder, &[draft("b")]).await.unwrap();
    let read = bits(tags::MESSAGE_FLAGS.tag(), 1, 0);
    assert_eq!(
        bob.update(folder, &[any(saved.number)], &read)
            .await
            .unwrap()
            .changed
            .len(),
        1
    );
    bob.replace(folder, any(saved.number), &draft("c"))
        .await
        .unwrap();
    bob.delete(folder, &[new[0].number], Deletion::Hard)
        .await
        .unwrap();
    fails(
        bob.move_folder(folder, None, "Mine").await,
        ErrorKind::Denied,
    );
    fails(bob.delete_folder(folder).await, ErrorKind::Denied);
    fails(
        bob.create_folder(&mail_folder(Some(folder), "b")).await,
        ErrorKind::Denied,
    );
}

/// Who may edit and delete his own items does so with his own only.
pub async fn rights_on_own_items_end_at_others(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let hers = alice.save("hers").await.number;
    let author = Rights::REVIEWER | Rights::CREATE | Rights::EDIT_OWNED | Rights::DELETE_OWNED;
    let bob = share(&alice, author).await;
    let his = bob.save(alice.inbox, &[draft("his")]).await.unwrap()[0].number;
    let read = bits(tags::MESSAGE_FLAGS.tag(), 1, 0);
    let both = [any(hers), any(his)];
    fails(
        bob.update(alice.inbox, &both, &read).await,
        ErrorKind::Denied,
    );
    fails(
        bob.delete(alice.inbox, &[hers, his], Deletion::Hard).await,
        ErrorKind::Denied,
    );
    assert_eq!(alice.inbox_numbers().await, [hers, his], "all or nothing");
    assert_eq!(
        bob.update(alice.inbox, &[any(his)], &read)
            .await
            .unwrap()
            .changed,
        [his]
    );
    assert_eq!(
        bob.delete(alice.inbox, &[his], Deletion::Hard)
            .await
            .unwrap(),
        [his]
    );
}

/// A folder that is visible but not readable shows itself and no item.
pub async fn a_visible_folder_is_not_yet_readable(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let item = alice.save("a").await.number;
    let bob = share(&alice, Rights::VISIBLE).await;
    assert_eq!(bob.folder(alice.inbox).await.unwrap().name, "Inbox");
    assert_unreadable(&*bob, alice.inbox, item, ErrorKind::Denied).await;
}

/// A folder that is not visible does not exist for the principal.
pub async fn an_invisible_folder_is_not_found(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let hidden = alice.make_folder("Hidden").await;
    let item = alice.save_draft(hidden, draft("a")).await.number;
    let bob = share(&alice, Rights::EDITOR).await;
    fails(bob.folder(hidden).await, ErrorKind::NotFound);
    assert_unreadable(&*bob, hidden, item, ErrorKind::NotFound).await;
    fails(bob.save(hidden, &[draft("b")]).await, ErrorKind::NotFound);
    fails(
        bob.delete(hidden, &[item], Deletion::Hard).await,
        ErrorKind::NotFound,
    );
    let seen = bob.hierarchy(Version(0)).await.unwrap().changed;
    assert_eq!(
        seen.iter().map(|folder| folder.id).collect::<Vec<_>>(),
        [alice.inbox]
    );
}

/// The named row counts for who is named, the default row for everybody else.
pub async fn a_named_row_wins_over_the_default(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let default = Permission {
        member: Member::Default,
        rights: Rights::REVIEWER,
    };
    let table = [
        default,
        user(BOB, Rights::EDITOR),
        user("eve@example.test", Rights::NONE),
    ];
    grant(&alice, alice.inbox, &table).await;
    let rights = async |who: &str| {
        let store = logon(&*alice.backend, who).await?;
        store.folder(alice.inbox).await.map(|folder| folder.rights)
    };
    assert_eq!(rights(BOB).await.unwrap(), Rights::EDITOR);
    assert_eq!(
        rights("carol@example.test").await.unwrap(),
        Rights::REVIEWER
    );
    fails(rights("eve@example.test").await, ErrorKind::Denied);
}

/// Who did not log in has an empty address, and the rights of the anonymous row alone.
pub async fn who_did_not_log_in_has_the_anonymous_rights(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let default = Permission {
        member: Member::Default,
        rights: Rights::EDITOR,
    };
    grant(&alice, alice.inbox, std::slice::from_ref(&default)).await;
    fails(
        logon(&*alice.backend, "").await.map(|_| ()),
        ErrorKind::Denied,
    );
    let anonymous = Permission {
        member: Member::Anonymous,
        rights: Rights::REVIEWER,
    };
    grant(&alice, alice.inbox, &[default, anonymous]).await;
    let nobody = logon(&*alice.backend, "").await.unwrap();
    assert_eq!(
        nobody.folder(alice.inbox).await.unwrap().rights,
        Rights::REVIEWER
    );
}

/// A change of permissions counts at once, in stores that are open, and is in the log of the tree.
pub async fn permissions_count_at_once(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let folder = alice.make_folder("Shared").await;
    let bob = share(&alice, Rights::REVIEWER).await;
    let start = bob.hierarchy(Version(0)).await.unwrap().to;
    grant(&alice, folder, &[user(BOB, Rights::REVIEWER)]).await;
    let granted = bob.hierarchy(start).await.unwrap();
    assert_eq!(
        granted
            .changed
            .iter()
            .map(|folder| folder.id)
            .collect::<Vec<_>>(),
        [folder]
    );
    assert_eq!(granted.changed[0].rights, Rights::REVIEWER);
    grant(&alice, folder, &[]).await;
    let revoked = bob.hierarchy(granted.to).await.unwrap();
    assert!(revoked.changed.is_empty());
    assert_eq!(revoked.removed, [folder]);
    fails(bob.folder(folder).await, ErrorKind::NotFound);
}

/// A new folder takes over the permissions of the one it is made in.
pub async fn a_new_folder_takes_over_permissions(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let table = [user(BOB, Rights::REVIEWER)];
    grant(&alice, alice.inbox, &table).await;
    let below = mail_folder(Some(alice.inbox), "below");
    let below = alice.store.create_folder(&below).await.unwrap().id;
    assert_eq!(alice.store.permissions(below).await.unwrap(), table);
    let top = alice.make_folder("top").await;
    assert!(alice.store.permissions(top).await.unwrap().is_empty());
}

/// A visible folder in an invisible one stands at the top, for whom the upper one does not exist.
pub async fn a_visible_folder_in_an_invisible_one_stands_at_the_top(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let upper = alice.make_folder("upper").await;
    let lower = alice
        .store
        .create_folder(&mail_folder(Some(upper), "lower"))
        .await
        .unwrap()
        .id;
    grant(&alice, lower, &[user(BOB, Rights::REVIEWER)]).await;
    let bob = logon(&*alice.backend, BOB).await.unwrap();
    let seen = bob.hierarchy(Version(0)).await.unwrap().changed;
    let [folder] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!((folder.id, folder.parent), (lower, None));
    assert_eq!(alice.store.folder(lower).await.unwrap().parent, Some(upper));
}

/// What is copied or moved needs a right at both ends.
pub async fn a_transfer_needs_rights_at_both_ends(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let (source, target) = (
        alice.make_folder("source").await,
        alice.make_folder("target").await,
    );
    let item = alice.save_draft(source, draft("a")).await.number;
    grant(&alice, source, &[user(BOB, Rights::REVIEWER)]).await;
    grant(&alice, target, &[user(BOB, Rights::VISIBLE)]).await;
    let bob = logon(&*alice.backend, BOB).await.unwrap();
    fails(
        bob.transfer(source, &[item], target, Transfer::Copy).await,
        ErrorKind::Denied,
    );
    grant(
        &alice,
        target,
        &[user(BOB, Rights::VISIBLE | Rights::CREATE)],
    )
    .await;
    fails(
        bob.transfer(source, &[item], target, Transfer::Move).await,
        ErrorKind::Denied,
    );
    assert_eq!(
        bob.transfer(source, &[item], target, Transfer::Copy)
            .await
            .unwrap()
            .len(),
        1
    );
    grant(&alice, source, &[user(BOB, Rights::EDITOR)]).await;
    assert_eq!(
        bob.transfer(source, &[item], target, Transfer::Move)
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn assert_unreadable(store: &dyn Store, folder: FolderId, item: ItemNumber, kind: ErrorKind) {
    let columns = [tags::SUBJECT.tag()];
    let items = Items::Range(1..=10);
    let table = Table::Contents(folder);
    let query = Query {
        table,
        columns: &columns,
        items,
        filter: None,
        sort: &[],
        limit: 1,
    };
    fails(store.query(&query).await, kind);
    fails(store.changes(folder, Version(0), &columns, 10).await, kind);
    fails(store.read_message(folder, item).await, kind);
    fails(store.read_bytes(folder, &[]).await, kind);
    fails(
        store.props(Object::Item(folder, item), &columns).await,
        kind,
    );
    fails(
        store.update(folder, &[any(item)], &Change::default()).await,
        kind,
    );
}

async fn read_subject(store: &dyn Store, folder: FolderId, item: ItemNumber) -> String {
    let rows = query(store, Table::Contents(folder), &[tags::SUBJECT.tag()]).await;
    let subject = rows.row(0).unwrap().get(&tags::SUBJECT).unwrap().to_owned();
    let whole = store.read_message(folder, item).await.unwrap();
    assert_eq!(whole.props.get(&tags::SUBJECT), Some(&*subject));
    subject
}

/// Gives Bob these rights in the inbox, and opens the mailbox for him.
async fn share(alice: &Mailbox, rights: Rights) -> Arc<dyn Store> {
    grant(alice, alice.inbox, &[user(BOB, rights)]).await;
    logon(&*alice.backend, BOB).await.expect("logon")
}

async fn grant(alice: &Mailbox, folder: FolderId, table: &[Permission]) {
    alice
        .store
        .set_permissions(folder, table)
        .await
        .expect("set permissions");
}

fn user(user: &str, rights: Rights) -> Permission {
    Permission {
        member: Member::User(user.into()),
        rights,
    }
}
