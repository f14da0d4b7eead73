//! Arriving messages, small and large.

use std::{path::Path, sync::Arc};

use account::{ErrorKind, FileTime, Flags, NewItem, Options, Piece, Spooled};
use mapi_store::MemBackend;

use crate::world::{ALICE, World, inbox};

async fn world(folder: &Path, change: impl Fn(&mut Options)) -> World {
    let mut options = Options {
        spool_folder: folder.join("spool"),
        ..Options::default()
    };
    change(&mut options);
    World::with(Arc::new(MemBackend::new()), options).await
}

fn message(body_bytes: usize) -> Vec<u8> {
    let mut message = b"Subject: large\r\n\r\n".to_vec();
    message.extend((0..body_bytes).map(|n| b"abcdefghijklmnopqrstuvwxyz\n"[n % 27]));
    message
}

async fn spooled(world: &World, message: &[u8], piece: usize) -> Spooled {
    let mut spool = world.accounts.spool();
    for piece in message.chunks(piece) {
        spool.write(piece).await.unwrap();
    }
    assert_eq!(spool.len(), message.len() as u64);
    spool.finish().await.unwrap()
}

#[tokio::test]
async fn messages_of_any_size_arrive_byte_for_byte_and_leave_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), |_| {}).await;
    let alice = world.open(ALICE).await;
    let inbox = inbox(&alice).await;
    let (limit, mib) = (1 << 20, 1 << 20);
    for len in [0, 1, 4096, limit - 18, limit - 17, 3 * mib, 9 * mib + 7] {
        for piece in [5000, 64 << 10, 16 << 20] {
            let message = message(len);
            let spooled = spooled(&world, &message, piece).await;
            assert_eq!(spooled.hash().0, *blake3::hash(&message).as_bytes());
            let item = NewItem {
                message: spooled,
                flags: Flags::NONE,
                keywords: Vec::new(),
                received: FileTime(0),
                once: None,
            };
            let item = alice.append(inbox, vec![item]).await.unwrap()[0].number;
            let mut read: Vec<u8> = Vec::new();
            while read.len() < message.len() {
                let start = read.len() as u64;
                let piece = Piece {
                    item,
                    range: start..start + account::PIECE_BYTES_MAX,
                };
                read.extend(
                    alice.read(inbox, &[piece]).await.unwrap()[0]
                        .as_ref()
                        .unwrap(),
                );
            }
            assert!(read == message, "{len} octets in pieces of {piece}");
        }
    }
    let spool = folder.path().join("spool");
    assert_eq!(
        std::fs::read_dir(&spool).unwrap().count(),
        0,
        "files have no name"
    );
}

#[tokio::test]
async fn a_small_message_touches_no_disk() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), |_| {}).await;
    spooled(&world, &message(1000), 100).await;
    assert!(!folder.path().join("spool").exists());
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), |options| options.message_bytes_max = 1000).await;
    let mut spool = world.accounts.spool();
    spool.write(&[b'x'; 1000]).await.unwrap();
    assert_eq!(spool.write(b"x").await.unwrap_err().kind, ErrorKind::TooBig);
    assert!(
        spool.write(b"").await.is_err(),
        "a part of a message is no message"
    );
    assert!(spool.finish().await.is_err());
}

#[tokio::test]
async fn messages_that_find_no_memory_go_to_files() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), |options| {
        options.spool_memory_total_bytes_max = 64 << 10;
    })
    .await;
    let message = message(40 << 10);
    let first = spooled(&world, &message, 1000).await;
    assert!(!folder.path().join("spool").exists());
    let second = spooled(&world, &message, 1000).await;
    assert!(folder.path().join("spool").exists());
    assert_eq!(first.hash(), second.hash());
    std::fs::remove_dir(folder.path().join("spool")).unwrap();
    drop(first);
    spooled(&world, &message, 1000).await;
    assert!(
        !folder.path().join("spool").exists(),
        "memory is given back"
    );
}

#[tokio::test]
async fn a_spool_that_cannot_be_written_is_a_passing_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spool");
    std::fs::write(&file, "in the way").unwrap();
    let world = world(folder.path(), |_| {}).await;
    let mut spool = world.accounts.spool();
    let error = spool.write(&message(2 << 20)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(spool.write(b"x").await.is_err());
}
