//! Measures a mirror: a first pass over many items, what comes after it, rendering, dropping and filling again.
//!
//! `cargo run --release -p store-openchange --example mirror -- [directory] [items]`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement for people, not part of the program"
)]

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use mapi_types::{
    Content, ContentHash, Derived, FileTime, FolderId, ItemNumber, MailboxId, Message, MessageTree,
    OwnedValue, PropBag, PropTag, tags,
};
use store_openchange::{
    ChangeKey, FirstPass, HierarchyBatch, ItemBatch, Mirror, OpenChange, Options, RemoteFolder,
    RemoteId, RemoteItem, Rendered,
};

const BATCH: usize = 4_000;

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let dir = args.next().unwrap_or_else(|| "target/mirror".into());
    let count: usize = args
        .next()
        .and_then(|count| count.parse().ok())
        .unwrap_or(100_000);
    let _ = std::fs::remove_dir_all(&dir);
    let backend = OpenChange::open(&dir, Options::default()).unwrap();
    let id = MailboxId("alice@example.test".into());
    let mirror = backend.mirror(&id, b"mailbox").await.unwrap();
    let folder = folder(&mirror).await;
    let items: Vec<RemoteItem> = (0..count).rev().map(item).collect();
    timed("first pass", count, pass(&mirror, folder, &items)).await;
    timed("the same again", count, apply(&mirror, folder, &items)).await;
    let read: Vec<_> = items.iter().map(|item| (item.id.clone(), true)).collect();
    let batch = ItemBatch {
        read,
        ..ItemBatch::default()
    };
    timed("all marked as read", count, async {
        mirror.apply_items(folder, batch).await.unwrap();
    })
    .await;
    timed("nothing", 1, async {
        mirror
            .apply_items(folder, ItemBatch::default())
            .await
            .unwrap();
    })
    .await;
    let rendered = count.min(20_000);
    timed("rendering", rendered, render(&mirror, folder, rendered)).await;
    timed("status", count, async {
        drop(mirror.status().await.unwrap());
    })
    .await;
    timed("evicting all", rendered, async {
        mirror.evict(0).await.unwrap();
    })
    .await;
    timed("dropping", count, async {
        mirror.drop_contents().await.unwrap();
    })
    .await;
    timed("filling again", count, pass(&mirror, folder, &items)).await;
    let _ = std::fs::remove_dir_all(&dir);
}

async fn timed(what: &str, count: usize, work: impl Future<Output = ()>) {
    let start = Instant::now();
    work.await;
    let took: Duration = start.elapsed();
    println!(
        "{what}: {took:.2?}, {:.1} us an item",
        took.as_secs_f64() * 1e6 / count as f64
    );
}

async fn folder(mirror: &Mirror) -> FolderId {
    let inbox = RemoteFolder {
        id: RemoteId(b"inbox".as_slice().into()),
        parent: None,
        name: "Inbox".into(),
        class: "IPF.Note".into(),
        role: None,
        hidden: false,
        props: PropBag::default(),
        permissions: None,
    };
    let id = inbox.id.clone();
    let batch = HierarchyBatch {
        changed: vec![inbox],
        ..HierarchyBatch::default()
    };
    let ids = mirror.apply_hierarchy(batch).await.unwrap();
    ids.get(&id).copied().unwrap()
}

/// A row of the size that real indexes have.
fn item(serial: usize) -> RemoteItem {
    let text = |tag: PropTag, len: usize| {
        let text: String = format!("{serial} ").chars().cycle().take(len).collect();
        (tag, OwnedValue::Str(text.into()))
    };
    let props: PropBag = [
        text(tags::SUBJECT.tag(), 40),
        text(tags::SENDER_EMAIL_ADDRESS.tag(), 30),
        text(tags::SENDER_NAME.tag(), 20),
        text(tags::DISPLAY_TO.tag(), 60),
        text(tags::INTERNET_MESSAGE_ID.tag(), 60),
        (
            tags::MESSAGE_CLASS.tag(),
            OwnedValue::Str("IPM.Note".into()),
        ),
        (tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(0)),
        (tags::MESSAGE_SIZE.tag(), OwnedValue::I64(20_000)),
        (
            tags::MESSAGE_DELIVERY_TIME.tag(),
            OwnedValue::Time(FileTime(serial as u64)),
        ),
    ]
    .into_iter()
    .collect();
    let mut id = vec![7; 14];
    id.extend_from_slice(&(serial as u64).to_be_bytes());
    RemoteItem {
        id: RemoteId(id.clone().into()),
        change_key: ChangeKey(id.into()),
        props,
        number_hint: None,
    }
}

async fn pass(mirror: &Mirror, folder: FolderId, items: &[RemoteItem]) {
    mirror.restart(folder).await.unwrap();
    for part in items.chunks(BATCH) {
        let batch = ItemBatch {
            changed: part.to_vec(),
            state: Some(Bytes::from(vec![1; 500])),
            first_pass: Some(FirstPass::Running),
            ..ItemBatch::default()
        };
        mirror.apply_items(folder, batch).await.unwrap();
    }
    let start = Instant::now();
    let batch = ItemBatch {
        first_pass: Some(FirstPass::Complete),
        ..ItemBatch::default()
    };
    mirror.apply_items(folder, batch).await.unwrap();
    println!("  of this, completing it: {:.2?}", start.elapsed());
}

async fn apply(mirror: &Mirror, folder: FolderId, items: &[RemoteItem]) {
    for part in items.chunks(BATCH) {
        let batch = ItemBatch {
            changed: part.to_vec(),
            ..ItemBatch::default()
        };
        mirror.apply_items(folder, batch).await.unwrap();
    }
}

async fn render(mirror: &Mirror, folder: FolderId, count: usize) {
    let mut left = count;
    while left > 0 {
        let page = mirror
            .unrendered(folder, 250.min(left as u32))
            .await
            .unwrap();
        let known = mirror.remote_ids(folder, &page).await.unwrap();
        let bodies = page.iter().zip(known).map(|(number, known)| {
            let key = known.unwrap().change_key;
            Rendered {
                number: *number,
                index_key: key.clone(),
                change_key: key,
                message: message(*number),
                kept: false,
            }
        });
        left -= page.len();
        mirror.put_rendered(folder, bodies.collect()).await.unwrap();
    }
}

fn message(number: ItemNumber) -> Arc<Message> {
    let mut body = format!("Subject: measurement {}\r\n\r\n", number.0).into_bytes();
    body.resize(20_000, b'x');
    let hash = ContentHash(*blake3::hash(&body).as_bytes());
    let original = Content::new(Arc::new(Bytes::from(body)), 20_000, hash);
    Arc::new(Message {
        tree: MessageTree::default(),
        original: Some(original),
        derived: Derived {
            renderer: 1,
            envelope: vec![1; 300].into(),
            structure: vec![2; 120].into(),
            header: vec![3; 900].into(),
        },
    })
}
