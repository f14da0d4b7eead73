//! Facts and octets of messages.

use std::sync::Arc;

use account::{ErrorKind, Facts, ItemNumber, Options, Piece};
use bytes::Bytes;
use mapi_types::{Content, ContentHash, Draft, Message};

use crate::{
    faulty::FaultyBackend,
    world::{ALICE, MESSAGE, World, inbox, principal},
};

const WANT: [Facts; 4] = [
    Facts::NONE,
    Facts::ENVELOPE,
    Facts::STRUCTURE,
    Facts::HEADER,
];

fn subject(facts: &account::ItemFacts) -> String {
    let subject = facts.envelope().unwrap().subject().unwrap();
    String::from_utf8_lossy(subject).into_owned()
}

#[tokio::test]
async fn facts_come_in_the_order_asked_and_from_the_cache_the_second_time() {
    let backend = Arc::new(FaultyBackend::honest());
    let world = World::with(Arc::<FaultyBackend>::clone(&backend), Options::default()).await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let mut items = Vec::new();
    for n in 0..300 {
        let text = format!("Subject: {n}\r\n\r\nx");
        items.push(world.append(&alice, folder, &text).await);
    }
    items.reverse();
    items.push(ItemNumber(9999));
    items.push(items[0]);
    alice.index(folder).await.unwrap();
    for round in 0..2 {
        backend.calls();
        let facts = alice.facts(folder, &items, Facts::ENVELOPE).await.unwrap();
        assert_eq!(facts.len(), items.len());
        for (at, facts) in facts.iter().enumerate().take(300) {
            assert_eq!(subject(facts.as_ref().unwrap()), (299 - at).to_string());
        }
        assert!(facts[300].is_none());
        assert_eq!(subject(facts[301].as_ref().unwrap()), "299");
        // The item that is not there is asked for again.
        assert_eq!(backend.calls().len(), 2 - round);
    }
    let both = Facts::ENVELOPE | Facts::STRUCTURE;
    let facts = alice.facts(folder, &items[..3], both).await.unwrap();
    assert!(
        facts
            .iter()
            .flatten()
            .all(|facts| facts.structure().is_some())
    );
    backend.calls();
    for want in [Facts::STRUCTURE, Facts::ENVELOPE, Facts::NONE, both] {
        alice.facts(folder, &items[..3], want).await.unwrap();
    }
    assert_eq!(backend.calls(), [""; 0]);
}

#[tokio::test]
async fn facts_that_were_never_computed_are_computed_once() {
    let backend = Arc::new(FaultyBackend::honest());
    let world = World::with(Arc::<FaultyBackend>::clone(&backend), Options::default()).await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let store = world
        .backend
        .logon(&principal(ALICE), alice.mailbox())
        .await
        .unwrap();
    let octets = Bytes::from_static(MESSAGE.as_bytes());
    let hash = ContentHash(*blake3::hash(&octets).as_bytes());
    let content = Content::new(Arc::new(octets.clone()), octets.len() as u64, hash);
    let message = Message {
        original: Some(content),
        ..Message::default()
    };
    let draft = Draft {
        key: None,
        message: Arc::new(message),
        props: Default::default(),
        prefix: Bytes::from_static(b"X: 1\r\n"),
    };
    let number = store.save(folder, &[draft]).await.unwrap()[0].number;
    let want = Facts::ENVELOPE | Facts::STRUCTURE | Facts::HEADER;
    let facts = alice
        .facts(folder, &[number], want)
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    assert_eq!(subject(&facts), "Lunch");
    assert_eq!(facts.structure().unwrap().root().lines, 1);
    assert!(facts.header().starts_with(b"X: 1\r\nFrom: "));
    assert!(facts.header().ends_with(b"Lunch\r\n\r\n"));
    assert_eq!(facts.prefix_len(), 6);
    assert!(backend.calls().contains(&"put_derived"));
    let others = crate::world::accounts(&world.backend, Options::default());
    let other = others
        .open(&principal(ALICE), alice.mailbox())
        .await
        .unwrap();
    other.facts(folder, &[number], want).await.unwrap();
    assert!(!backend.calls().contains(&"put_derived"));
}

#[tokio::test]
async fn facts_too_large_for_a_row_are_read_all_the_same() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let references = "<0123456789@example.test>\r\n ".repeat(3000);
    let header = format!("Subject: long\r\nReferences: {references}\r\n\r\n");
    let number = world.append(&alice, folder, &format!("{header}body")).await;
    let facts = alice.facts(folder, &[number], Facts::HEADER).await.unwrap();
    assert_eq!(facts[0].as_ref().unwrap().header(), header.as_bytes());
    let many = "--b\r\n\r\nx\r\n".repeat(9000);
    let text = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{many}--b--\r\n");
    let number = world.append(&alice, folder, &text).await;
    for want in WANT {
        let facts = alice.facts(folder, &[number], want).await.unwrap();
        let facts = facts[0].as_ref().unwrap();
        assert_eq!(facts.structure().is_some(), want == Facts::STRUCTURE);
        assert!(
            facts
                .structure()
                .is_none_or(|view| view.root().children().count() == 9000)
        );
    }
}

#[tokio::test]
async fn no_facts_were_derived_from_an_empty_message() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let number = world.append(&alice, folder, "").await;
    for want in WANT {
        assert!(alice.facts(folder, &[number], want).await.unwrap()[0].is_some());
    }
    let read = alice
        .read(
            folder,
            &[Piece {
                item: number,
                range: 0..10,
            }],
        )
        .await
        .unwrap();
    assert_eq!(read, [Some(Bytes::new())]);
}

#[tokio::test]
async fn any_piece_of_prefix_and_original_can_be_read() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let prefix = "Delivered-To: alice@example.test\r\n";
    let copy = account::Copy {
        mailbox: alice.mailbox().clone(),
        prefix: Bytes::from_static(prefix.as_bytes()),
        once: None,
    };
    let message = world.spooled(MESSAGE).await;
    world
        .accounts
        .deliver(&message, &[copy], account::FileTime(0))
        .await;
    let item = alice.index(folder).await.unwrap().get(0).unwrap().number;
    let bare = world.append(&alice, folder, MESSAGE).await;
    let whole = format!("{prefix}{MESSAGE}");
    let ends = [
        0,
        1,
        prefix.len() - 1,
        prefix.len(),
        prefix.len() + 1,
        whole.len(),
        9999,
    ];
    let mut pieces = Vec::new();
    let mut expected = Vec::new();
    for item in [item, bare, ItemNumber(77)] {
        let whole = if item == bare { MESSAGE } else { &whole };
        for (start, end) in ends.iter().flat_map(|start| ends.map(|end| (*start, end))) {
            if start <= end {
                pieces.push(Piece {
                    item,
                    range: start as u64..end as u64,
                });
                let octets = &whole.as_bytes()[start.min(whole.len())..end.min(whole.len())];
                expected.push((item.0 != 77).then(|| Bytes::copy_from_slice(octets)));
            }
        }
    }
    assert_eq!(alice.read(folder, &pieces).await.unwrap(), expected);
    let long = Piece {
        item,
        range: 0..account::PIECE_BYTES_MAX + 1,
    };
    let error = alice.read(folder, &[long]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
}
