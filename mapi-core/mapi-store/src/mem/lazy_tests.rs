//! What a lazy backend hides, what makes it tell, and what goes wrong in it on demand.

use bytes::Bytes;
use mapi_types::{
    Content, ContentHash, Draft, ItemNumber, Message, PropBag, PropTag, Version, tags,
};

use super::*;
use crate::{ByteRange, Changes, Deletion, Items, Object, Query, Table};

const NUMBER: PropTag = tags::INTERNET_ARTICLE_NUMBER.tag();
const SIZE: PropTag = tags::ITEM_SIZE.tag();
const RENDERER: PropTag = tags::DERIVED_RENDERER.tag();
const ORIGINAL: Bytes = Bytes::from_static(b"Subject: a\r\n\r\ntext\r\n");
const PREFIX: Bytes = Bytes::from_static(b"X-Copy: 1\r\n");

struct World {
    backend: MemBackend,
    mailbox: MailboxId,
    store: Arc<dyn Store>,
    inbox: FolderId,
    items: Vec<ItemNumber>,
}

impl World {
    /// Three messages that nobody has asked for.
    async fn new() -> Self {
        let backend = MemBackend::lazy();
        let mailbox = MailboxId("alice@example.test".into());
        backend.provision(&mailbox).await.unwrap();
        let principal = Principal {
            user: mailbox.0.clone(),
        };
        let store = backend.logon(&principal, &mailbox).await.unwrap();
        let inbox = store.hierarchy(Version(0)).await.unwrap().changed[0].id;
        let hash = ContentHash(*blake3::hash(&ORIGINAL).as_bytes());
        let original = Content::new(Arc::new(ORIGINAL), ORIGINAL.len() as u64, hash);
        let message = Message {
            original: Some(original),
            ..Message::default()
        };
        let draft = Draft {
            key: None,
            message: Arc::new(message),
            props: PropBag::default(),
            prefix: PREFIX,
        };
        let saved = store.save(inbox, &vec![draft; 3]).await.unwrap();
        Self {
            items: saved.into_iter().map(|saved| saved.number).collect(),
            backend,
            mailbox,
            store,
            inbox,
        }
    }

    /// The sizes that a query shows.
    async fn sizes(&self, columns: &[PropTag], limit: u32) -> Result<Vec<Option<i64>>> {
        let query = Query {
            table: Table::Contents(self.inbox),
            columns,
            items: Items::Numbers(&self.items),
            filter: None,
            sort: &[],
            limit,
        };
        let rows = self.store.query(&query).await?;
        Ok(rows.rows().map(|row| row.get(&tags::ITEM_SIZE)).collect())
    }

    async fn props(&self, columns: &[PropTag]) -> PropBag {
        let object = Object::Item(self.inbox, self.items[0]);
        self.store.props(object, columns).await.unwrap()
    }
}

fn len() -> Option<i64> {
    Some((PREFIX.len() + ORIGINAL.len()) as i64)
}

#[tokio::test]
async fn an_item_nobody_asked_for_has_no_size() {
    let world = World::new().await;
    assert_eq!(world.sizes(&[NUMBER, SIZE], 9).await.unwrap(), [None; 3]);
    assert!(
        world
            .props(&[SIZE, tags::ORIGINAL_SIZE.tag()])
            .await
            .is_empty()
    );
    assert!(world.props(&[tags::ORIGINAL_PREFIX.tag()]).await.is_empty());
    let columns = [NUMBER, SIZE, RENDERER];
    let changes = world.store.changes(world.inbox, Version(0), &columns, 9);
    let Changes::Delta(delta) = changes.await.unwrap() else {
        panic!("expired")
    };
    assert!(
        delta
            .rows
            .rows()
            .all(|row| row.get(&tags::ITEM_SIZE).is_none())
    );
    assert_eq!(world.store.folder(world.inbox).await.unwrap().size, 0);
    assert_eq!(world.backend.faults().renderings(), 0);
}

#[tokio::test]
async fn asking_for_the_renderer_renders_the_page_and_no_more() {
    let world = World::new().await;
    let sizes = world.sizes(&[SIZE, RENDERER], 2).await.unwrap();
    assert_eq!(sizes, [len(), len()]);
    assert_eq!(world.sizes(&[SIZE], 9).await.unwrap(), [len(), len(), None]);
    world.sizes(&[SIZE, RENDERER], 9).await.unwrap();
    assert_eq!(world.backend.faults().renderings(), 3, "each of them once");
}

#[tokio::test]
async fn reading_the_original_renders() {
    let world = World::new().await;
    let pieces = [tags::ORIGINAL_PREFIX.tag(), tags::ORIGINAL.tag()].map(|tag| ByteRange {
        item: world.items[0],
        tag,
        offset: 0,
        len: 100,
    });
    let read = world.store.read_bytes(world.inbox, &pieces).await.unwrap();
    assert_eq!(read, [Some(PREFIX), Some(ORIGINAL)]);
    assert_eq!(world.props(&[SIZE]).await.get(&tags::ITEM_SIZE), len());
}

#[tokio::test]
async fn what_was_rendered_before_a_fault_stays_rendered() {
    let world = World::new().await;
    let faults = world.backend.faults();
    faults.fail_rendering(1..9, ErrorKind::Throttled);
    let refused = world.sizes(&[SIZE, RENDERER], 9).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Throttled);
    assert_eq!(world.sizes(&[SIZE], 9).await.unwrap(), [len(), None, None]);
    faults.heal();
    let sizes = world.sizes(&[SIZE, RENDERER], 9).await.unwrap();
    assert_eq!(sizes, [len(); 3]);
}

#[tokio::test]
async fn chosen_calls_fail_and_change_nothing() {
    let world = World::new().await;
    let faults = world.backend.faults();
    faults.fail_calls(1..3, ErrorKind::Unavailable);
    let mut outcomes = Vec::new();
    for item in world.items.chunks(1) {
        let deleted = world.store.delete(world.inbox, item, Deletion::Hard);
        outcomes.push(deleted.await.map_err(|error| error.kind));
    }
    let away = Err(ErrorKind::Unavailable);
    assert_eq!(outcomes, [Ok(vec![world.items[0]]), away.clone(), away]);
    assert_eq!(world.store.folder(world.inbox).await.unwrap().items, 2);
    assert_eq!(faults.calls(), 4);
}

#[tokio::test]
async fn a_new_epoch_expires_every_version_before_it() {
    let world = World::new().await;
    let before = world.store.folder(world.inbox).await.unwrap();
    world
        .backend
        .renew_epoch(&world.mailbox, world.inbox)
        .unwrap();
    let after = world.store.folder(world.inbox).await.unwrap();
    assert_ne!(after.epoch, before.epoch);
    let changes = |since| world.store.changes(world.inbox, since, &[NUMBER], 9);
    assert!(matches!(
        changes(before.version).await.unwrap(),
        Changes::Expired
    ));
    assert!(matches!(
        changes(after.version).await.unwrap(),
        Changes::Delta(_)
    ));
}
