//! Messages whose original is made when somebody asks.

use std::sync::Arc;

use account::{
    Account, ErrorKind, Facts, Flags, FolderChanges, FolderId, IndexDiff, ItemNumber, Options,
    Piece, Size, TextQuery, Version,
};
use mapi_store::MemFaults;

use crate::{
    faulty::FaultyBackend,
    world::{ALICE, World, add, any, inbox},
};

struct Lazy {
    world: World,
    backend: Arc<FaultyBackend>,
    faults: Arc<MemFaults>,
    alice: Account,
    folder: FolderId,
    items: Vec<ItemNumber>,
}

impl Lazy {
    /// A folder of so many messages that nobody has read.
    async fn new(count: usize) -> Self {
        let backend = Arc::new(FaultyBackend::lazy());
        let options = Options::default();
        let world = World::with(Arc::<FaultyBackend>::clone(&backend), options).await;
        let alice = world.open(ALICE).await;
        let folder = inbox(&alice).await;
        let mut items = Vec::new();
        for n in 0..count {
            items.push(world.append(&alice, folder, &text(n)).await);
        }
        let faults = backend.faults();
        Self {
            world,
            backend,
            faults,
            alice,
            folder,
            items,
        }
    }

    /// How many messages the snapshot knows no size of.
    async fn unknown(&self) -> u32 {
        let index = self.alice.index(self.folder).await.unwrap();
        index.counts().size_unknown
    }
}

fn text(n: usize) -> String {
    format!("Subject: message {n}\r\n\r\n{}\r\n", "x".repeat(n))
}

#[tokio::test]
async fn flags_dates_and_changes_make_no_original() {
    let lazy = Lazy::new(5).await;
    let Lazy { alice, folder, .. } = &lazy;
    let index = alice.index(*folder).await.unwrap();
    assert!(index.iter().all(|item| item.size == Size::UNKNOWN));
    assert!(index.iter().all(|item| item.received == 1_700_000_000));
    assert_eq!(index.counts().size_unknown, 5);
    let mut watch = alice.watch(Some(*folder));
    let (items, seen) = (any(&lazy.items), add(Flags::SEEN));
    alice.set_flags(*folder, &items, &seen).await.unwrap();
    watch.changed().await;
    assert_eq!(alice.index(*folder).await.unwrap().counts().unseen, 0);
    let changes = alice.changes(*folder, Version(0)).await.unwrap();
    assert!(matches!(changes, FolderChanges::Delta { changed, .. } if changed.len() == 5));
    let moved = alice.copy_items(*folder, &lazy.items[..2], *folder);
    moved.await.unwrap();
    assert!(alice.unknown_size_max(*folder).await.unwrap() > 0);
    assert_eq!(alice.folder(*folder).await.unwrap().size, 0);
    assert_eq!(lazy.faults.renderings(), 0);
}

#[tokio::test]
async fn asking_for_facts_makes_sizes_known_from_then_on() {
    let lazy = Lazy::new(600).await;
    let before = lazy.alice.index(lazy.folder).await.unwrap();
    lazy.backend.calls();
    let facts = lazy
        .alice
        .facts(lazy.folder, &lazy.items[..300], Facts::NONE);
    let facts = facts.await.unwrap();
    for (n, facts) in facts.iter().enumerate() {
        assert_eq!(facts.as_ref().unwrap().size(), text(n).len() as u64);
    }
    assert_eq!(lazy.backend.calls(), ["query"; 2], "one call a page");
    assert_eq!(lazy.faults.renderings(), 300);
    let after = lazy.alice.index(lazy.folder).await.unwrap();
    let known: Vec<_> = after.iter().map(|item| item.size.known()).collect();
    let expected = (0..600).map(|n| (n < 300).then(|| text(n).len() as u64));
    assert_eq!(known, expected.collect::<Vec<_>>());
    assert_eq!(after.diff(&before), IndexDiff::default());
    assert_eq!(lazy.backend.calls(), [""; 0]);
    // Another gateway process finds them known.
    let options = Options::default();
    let others = crate::world::accounts(&lazy.world.backend, options);
    let other = others
        .open(lazy.alice.principal(), lazy.alice.mailbox())
        .await
        .unwrap();
    let fresh = other.index(lazy.folder).await.unwrap();
    assert!(fresh.iter().eq(after.iter()));
}

#[tokio::test]
async fn sizes_that_were_learned_survive_news_of_the_folder() {
    let lazy = Lazy::new(3).await;
    lazy.alice.index(lazy.folder).await.unwrap();
    let facts = lazy.alice.facts(lazy.folder, &lazy.items, Facts::NONE);
    facts.await.unwrap();
    lazy.world
        .append(&lazy.alice, lazy.folder, "X: 1\r\n\r\n")
        .await;
    let (first, seen) = (any(&lazy.items[..1]), add(Flags::SEEN));
    let marked = lazy.alice.set_flags(lazy.folder, &first, &seen);
    marked.await.unwrap();
    assert_eq!(lazy.unknown().await, 1);
    assert_eq!(lazy.faults.renderings(), 3);
}

#[tokio::test]
async fn the_size_is_that_of_the_octets() {
    let lazy = Lazy::new(4).await;
    let facts = lazy.alice.facts(lazy.folder, &lazy.items, Facts::HEADER);
    for (item, facts) in lazy.items.iter().zip(facts.await.unwrap()) {
        let piece = Piece {
            item: *item,
            range: 0..account::PIECE_BYTES_MAX,
        };
        let read = lazy.alice.read(lazy.folder, &[piece]).await.unwrap();
        let octets = read[0].as_ref().unwrap();
        assert_eq!(octets.len() as u64, facts.unwrap().size());
    }
    let size = lazy.alice.folder(lazy.folder).await.unwrap().size;
    assert_eq!(size, (0..4).map(|n| text(n).len() as u64).sum::<u64>());
    let unknown = lazy.alice.unknown_size_max(lazy.folder).await.unwrap();
    assert_eq!(unknown, 0);
}

#[tokio::test]
async fn any_piece_can_be_the_first_that_is_read() {
    for start in [0, 9, 20] {
        let lazy = Lazy::new(40).await;
        let piece = Piece {
            item: lazy.items[39],
            range: start..start + 10,
        };
        let read = lazy.alice.read(lazy.folder, &[piece]).await.unwrap();
        let text = text(39);
        let expected = &text.as_bytes()[start as usize..start as usize + 10];
        assert_eq!(read[0].as_ref().unwrap(), expected);
        assert_eq!(lazy.faults.renderings(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_made_now_can_be_made_later() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Throttled] {
        let lazy = Lazy::new(300).await;
        let facts = || lazy.alice.facts(lazy.folder, &lazy.items, Facts::ENVELOPE);
        lazy.alice.index(lazy.folder).await.unwrap();
        lazy.faults.fail_rendering(280..u32::MAX, kind);
        assert_eq!(facts().await.unwrap_err().kind, kind);
        assert_eq!(lazy.unknown().await, 300 - 256, "the first page is known");
        lazy.faults.heal();
        assert!(facts().await.unwrap().iter().all(Option::is_some));
        assert_eq!(lazy.faults.renderings(), 20, "what was made stayed");
        assert_eq!(lazy.unknown().await, 0);
    }
}

#[tokio::test]
async fn a_search_makes_what_it_looks_at() {
    let lazy = Lazy::new(70).await;
    let text = TextQuery::Header {
        name: "Subject".into(),
        text: "message 6".into(),
    };
    let (candidates, expected) = (&lazy.items[..65], [6, 60, 61, 62, 63, 64]);
    let found = lazy
        .alice
        .search(lazy.folder, candidates, &text)
        .await
        .unwrap();
    assert_eq!(found, expected.map(|n| lazy.items[n]));
    assert_eq!(lazy.faults.renderings(), 65);
    let body = TextQuery::Body("x".repeat(67).into());
    let found = lazy
        .alice
        .search(lazy.folder, &lazy.items, &body)
        .await
        .unwrap();
    assert_eq!(found, lazy.items[67..]);
    assert_eq!(lazy.unknown().await, 0);
}
