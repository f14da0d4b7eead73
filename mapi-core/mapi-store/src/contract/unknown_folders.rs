//! Every method says `NotFound` of a folder that is not there.

use std::{fmt::Debug, sync::Arc};

use mapi_types::{FolderId, Version, tags};

use super::mailbox::{Mailbox, any, bits, draft, fails, mail_folder};
use crate::{
    Backend, ByteRange, Deletion, ErrorKind, Items, Object, Query, Result, Table, Transfer,
};

/// A folder that no mailbox has.
const NONE: FolderId = FolderId(u64::MAX >> 2);

/// The tree has no such place.
pub async fn the_tree_has_no_unknown_folder(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let store = &*alice.store;
    unknown(store.folder(NONE).await);
    unknown(store.create_folder(&mail_folder(Some(NONE), "a")).await);
    unknown(store.move_folder(NONE, None, "a").await);
    unknown(store.delete_folder(NONE).await);
    unknown(store.permissions(NONE).await);
    unknown(store.set_permissions(NONE, &[]).await);
    unknown(
        store
            .props(Object::Folder(NONE), &[tags::SUBJECT.tag()])
            .await,
    );
}

/// Nothing is read from it.
pub async fn nothing_is_read_from_an_unknown_folder(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let store = &*alice.store;
    let saved = alice.save("a").await;
    let (item, numbers) = (saved.number, [saved.number]);
    let columns = &[tags::SUBJECT.tag()];
    for table in [
        Table::Contents(NONE),
        Table::Associated(NONE),
        Table::SoftDeleted(NONE),
    ] {
        let items = Items::Numbers(&numbers);
        unknown(
            store
                .query(&Query {
                    table,
                    columns,
                    items,
                    filter: None,
                    sort: &[],
                    limit: 1,
                })
                .await,
        );
    }
    unknown(store.changes(NONE, Version(0), columns, 10).await);
    unknown(store.props(Object::Item(NONE, item), columns).await);
    unknown(store.read_message(NONE, item).await);
    let piece = ByteRange {
        item,
        tag: tags::ORIGINAL.tag(),
        offset: 0,
        len: 1,
    };
    unknown(store.read_bytes(NONE, &[piece]).await);
    unknown(store.find(NONE, &[saved.key]).await);
}

/// Nothing is written to it.
pub async fn nothing_is_written_to_an_unknown_folder(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let store = &*alice.store;
    let one = [alice.save("a").await.number];
    let item = any(one[0]);
    unknown(store.save(NONE, &[draft("a")]).await);
    unknown(store.save(NONE, &[]).await);
    unknown(store.replace(NONE, item, &draft("a")).await);
    unknown(
        store
            .update(NONE, &[item], &bits(tags::MESSAGE_FLAGS.tag(), 1, 0))
            .await,
    );
    unknown(
        store
            .transfer(NONE, &one, alice.inbox, Transfer::Copy)
            .await,
    );
    unknown(
        store
            .transfer(alice.inbox, &one, NONE, Transfer::Move)
            .await,
    );
    unknown(store.delete(NONE, &one, Deletion::Hard).await);
    unknown(store.put_derived(NONE, &[]).await);
    assert_eq!(alice.inbox_numbers().await, one);
}

#[track_caller]
fn unknown<T: Debug>(result: Result<T>) {
    fails(result, ErrorKind::NotFound);
}
