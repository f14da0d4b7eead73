//! Measures the embedded store: durable saves a second, and the cost of reading rows.
//!
//! `cargo run --release -p store-openchange --example ingest -- [directory] [inline octets] [seconds a run]`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement for people, not part of the program"
)]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use mapi_store::{Backend, Items, Principal, Query, Store, Table};
use mapi_types::{
    Content, ContentHash, Derived, Draft, FolderId, MailboxId, Message, MessageTree, OwnedValue,
    PropBag, PropTag, tags,
};
use store_openchange::{OpenChange, Options};

const ROWS: u32 = 100_000;

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let dir = args.next().unwrap_or_else(|| "target/ingest".into());
    let inline = args.next().and_then(|octets| octets.parse().ok());
    let seconds = args
        .next()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(4);
    let _ = std::fs::remove_dir_all(&dir);
    let mut options = Options::default();
    options.inline_bytes_max = inline.unwrap_or(options.inline_bytes_max);
    println!("inline up to {} octets", options.inline_bytes_max);
    for (octets, tasks) in [(4_000, 1), (4_000, 8), (50_000, 1), (50_000, 8)] {
        saves(
            Path::new(&dir),
            &options,
            (octets, tasks),
            Duration::from_secs(seconds),
        )
        .await;
    }
    rows(Path::new(&dir), &options).await;
    println!("resident at the end: {} KiB", resident_kib());
    std::fs::remove_dir_all(&dir).unwrap();
}

async fn open(backend: &OpenChange, name: &str) -> (Arc<dyn Store>, FolderId) {
    let id = MailboxId(format!("{name}@example.test"));
    let _ = backend.provision(&id).await;
    let store = backend
        .logon(&Principal { user: id.0.clone() }, &id)
        .await
        .unwrap();
    let inbox = store
        .hierarchy(mapi_types::Version(0))
        .await
        .unwrap()
        .changed
        .first()
        .unwrap()
        .id;
    (store, inbox)
}

async fn saves(dir: &Path, options: &Options, (octets, tasks): (usize, usize), time: Duration) {
    let backend = Arc::new(OpenChange::open(dir, options.clone()).unwrap());
    let done = Arc::new(AtomicU64::new(0));
    let mut running = Vec::new();
    let mut slowest = Duration::ZERO;
    let start = Instant::now();
    for task in 0..tasks {
        let (store, inbox) = open(&backend, &format!("user{task}")).await;
        let done = Arc::clone(&done);
        running.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                let draft = draft(octets, done.fetch_add(1, Ordering::Relaxed));
                let begun = Instant::now();
                store.save(inbox, &[draft]).await.unwrap();
                latencies.push(begun.elapsed());
            }
            latencies
        }));
    }
    let mut latencies = Vec::new();
    for task in running {
        latencies.append(&mut task.await.unwrap());
    }
    let elapsed = start.elapsed().as_secs_f64();
    latencies.sort();
    slowest = slowest.max(*latencies.last().unwrap());
    println!(
        "{octets} octets, {tasks} tasks: {:.0} saves/s, median {:?}, 99% {:?}, slowest {slowest:?}",
        latencies.len() as f64 / elapsed,
        latencies.get(latencies.len() / 2).unwrap(),
        latencies.get(latencies.len() * 99 / 100).unwrap(),
    );
}

fn draft(octets: usize, serial: u64) -> Draft {
    let mut body: Vec<u8> = format!("Subject: measurement {serial}\r\n\r\n").into_bytes();
    body.resize(octets, b'x');
    // Headers and properties of the size that real mail has.
    let text = |tag: PropTag, len: usize| (tag, OwnedValue::Str("t".repeat(len).into()));
    let props: PropBag = [
        text(tags::SUBJECT.tag(), 40),
        text(tags::MESSAGE_CLASS.tag(), 8),
        text(tags::SENDER_EMAIL_ADDRESS.tag(), 30),
        text(tags::SENDER_NAME.tag(), 20),
        text(tags::DISPLAY_TO.tag(), 60),
        text(tags::INTERNET_MESSAGE_ID.tag(), 60),
        text(tags::CONVERSATION_TOPIC.tag(), 40),
        (tags::IMPORTANCE.tag(), OwnedValue::I32(1)),
    ]
    .into_iter()
    .collect();
    let hash = ContentHash(*blake3::hash(&body).as_bytes());
    let original = Content::new(Arc::new(Bytes::from(body)), octets as u64, hash);
    let derived = Derived {
        renderer: 1,
        envelope: vec![1; 300].into(),
        structure: vec![2; 120].into(),
        header: vec![3; 900].into(),
    };
    let message = Message {
        tree: MessageTree {
            props,
            ..MessageTree::default()
        },
        original: Some(original),
        derived,
    };
    let own = [(tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(0))]
        .into_iter()
        .collect();
    Draft {
        key: None,
        message: Arc::new(message),
        props: own,
        prefix: Bytes::from_static(&[b'p'; 250]),
    }
}

async fn rows(dir: &Path, options: &Options) {
    let backend = OpenChange::open(dir, options.clone()).unwrap();
    let (store, inbox) = open(&backend, "rows").await;
    let one = draft(4_000, 0);
    for _ in 0..ROWS / 1_000 {
        store.save(inbox, &vec![one.clone(); 1_000]).await.unwrap();
    }
    let index = [
        tags::INTERNET_ARTICLE_NUMBER.tag(),
        tags::ITEM_VERSION.tag(),
        tags::MESSAGE_FLAGS.tag(),
        tags::MESSAGE_STATUS.tag(),
        tags::FLAG_STATUS.tag(),
        tags::KEYWORDS.tag(),
        tags::ITEM_SIZE.tag(),
        tags::MESSAGE_DELIVERY_TIME.tag(),
    ];
    let envelope = [
        tags::ITEM_VERSION.tag(),
        tags::MESSAGE_FLAGS.tag(),
        tags::DERIVED_ENVELOPE.tag(),
    ];
    let header = [tags::DERIVED_HEADER.tag()];
    let subject = [tags::SUBJECT.tag()];
    scan(&*store, inbox, "index columns", &index, ROWS).await;
    scan(&*store, inbox, "envelope", &envelope, 10_000).await;
    scan(&*store, inbox, "header", &header, 10_000).await;
    scan(&*store, inbox, "subject", &subject, 10_000).await;
}

async fn scan(store: &dyn Store, folder: FolderId, what: &str, columns: &[PropTag], rows: u32) {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        let query = Query {
            table: Table::Contents(folder),
            columns,
            items: Items::Range(1..=rows),
            filter: None,
            sort: &[],
            limit: u32::MAX,
        };
        let found = store.query(&query).await.unwrap();
        assert_eq!(found.len(), rows as usize);
        best = best.min(start.elapsed());
    }
    println!(
        "{what} of {rows} rows: {best:?}, {:.2} us a row",
        best.as_secs_f64() * 1e6 / f64::from(rows)
    );
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}
