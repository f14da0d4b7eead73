//! The bytes a message came as.

use std::sync::Arc;

use bytes::Bytes;
use mapi_types::{
    Attachment, AttachmentData, Content, ContentHash, Draft, ItemNumber, PropBag, PropTag, ReadAt,
    TransferEncoding, tags,
};

use super::mailbox::{Mailbox, any, content, draft, fails, set, text};
use crate::{Backend, ByteRange, Deletion, ErrorKind, Object, READ_BYTES_MAX};

/// Octets of a message of the largest common size limit's order.
const LARGE: usize = 8 << 20;

/// The original comes back as it was, octet by octet.
pub async fn an_original_is_kept_to_the_octet(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let awkward: [&[u8]; 5] = [
        b"",
        b"\0",
        b"bare\rCR and\nLF\r\n.\r\n",
        b"\xff\xfe \xc3\x28",
        &[b'x'; 70_000],
    ];
    for bytes in awkward {
        let bytes = Bytes::copy_from_slice(bytes);
        let saved = alice
            .save_draft(alice.inbox, original(content(bytes.clone())))
            .await;
        assert_eq!(read_all(&alice, saved.number).await, bytes);
        let columns = [
            tags::ORIGINAL_SIZE.tag(),
            tags::ITEM_SIZE.tag(),
            tags::ORIGINAL.tag(),
        ];
        let object = Object::Item(alice.inbox, saved.number);
        let bag = alice.store.props(object, &columns).await.unwrap();
        assert_eq!(bag.get(&tags::ORIGINAL_SIZE), Some(bytes.len() as i64));
        assert_eq!(bag.get(&tags::ITEM_SIZE), Some(bytes.len() as i64));
        assert_eq!(
            bag.get(&tags::ORIGINAL),
            None,
            "never inline, however small"
        );
    }
}

/// The size a client sees is that of the copy's prefix and the original; a folder's is the sum.
pub async fn sizes_count_prefix_and_original(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let prefix = Bytes::from_static(b"Return-Path: <a@example.org>\r\n");
    let mut draft = original(content("Subject: a\r\n\r\n"));
    draft.prefix = prefix.clone();
    let saved = alice.save_draft(alice.inbox, draft).await;
    let bag = sizes(&alice, saved.number).await;
    assert_eq!(bag.get(&tags::ORIGINAL_PREFIX), Some(&*prefix));
    assert_eq!(bag.get(&tags::ORIGINAL_SIZE), Some(14));
    assert_eq!(bag.get(&tags::ITEM_SIZE), Some(prefix.len() as i64 + 14));
    assert_eq!(alice.info().await.size, prefix.len() as u64 + 14);
    let other = original(content("12345"));
    let other = alice.save_draft(alice.inbox, other).await;
    let bag = sizes(&alice, other.number).await;
    assert_eq!(bag.get(&tags::ITEM_SIZE), Some(5));
    assert_eq!(alice.info().await.size, prefix.len() as u64 + 19);
    alice
        .store
        .delete(alice.inbox, &[saved.number], Deletion::Hard)
        .await
        .unwrap();
    assert_eq!(alice.info().await.size, 5);
}

/// A message without an original has some size; it has an original as well where stores render items.
pub async fn a_message_without_an_original_has_a_size(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let mut draft = draft("a");
    Arc::make_mut(&mut draft.message).original = None;
    let saved = alice.save_draft(alice.inbox, draft).await;
    let bag = sizes(&alice, saved.number).await;
    let size = bag.get(&tags::ITEM_SIZE).unwrap();
    assert!(size > 0);
    let piece = piece(saved.number, tags::ORIGINAL.tag(), 0, READ_BYTES_MAX);
    let read = alice.store.read_bytes(alice.inbox, &[piece]).await.unwrap();
    let read = read[0].as_ref().map(|bytes| bytes.len() as i64);
    assert_eq!(read, bag.get(&tags::ORIGINAL_SIZE));
    assert!(read.is_none_or(|len| len == size));
}

/// A large message is read in pieces, from any place.
pub async fn a_large_original_is_read_in_pieces(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let bytes = pattern(LARGE + 17);
    let saved = alice
        .save_draft(alice.inbox, original(content(bytes.clone())))
        .await;
    assert_eq!(read_all(&alice, saved.number).await, bytes);
    let tag = tags::ORIGINAL.tag();
    for (offset, len) in [(0, 1), (65_535, 2), (1_048_575, 70_000), (LARGE as u64, 17)] {
        let piece = piece(saved.number, tag, offset, len);
        let read = alice.store.read_bytes(alice.inbox, &[piece]).await.unwrap();
        let from = offset as usize;
        assert_eq!(read, [Some(bytes.slice(from..from + len as usize))]);
    }
}

/// Pieces are short at the end of the value, empty behind it, and absent where nothing is.
pub async fn pieces_end_with_the_value(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice
        .save_draft(alice.inbox, original(content("0123456789")))
        .await;
    let (item, tag) = (saved.number, tags::ORIGINAL.tag());
    let pieces = [
        piece(item, tag, 4, 3),
        piece(item, tag, 8, 100),
        piece(item, tag, 10, 1),
        piece(item, tag, 1 << 40, 1),
        piece(item, tag, i64::MAX as u64, READ_BYTES_MAX),
        piece(item, tag, 0, 0),
        piece(ItemNumber(999), tag, 0, 1),
        piece(item, tags::RTF_COMPRESSED.tag(), 0, 1),
        piece(item, tag, 0, READ_BYTES_MAX),
    ];
    let read = alice.store.read_bytes(alice.inbox, &pieces).await.unwrap();
    let some = |bytes: &'static str| Some(Bytes::from_static(bytes.as_bytes()));
    let all = some("0123456789");
    let empty = some("");
    let expected = [
        some("456"),
        some("89"),
        empty.clone(),
        empty.clone(),
        empty.clone(),
        empty,
        None,
        None,
        all,
    ];
    assert_eq!(read, expected);
    assert!(
        alice
            .store
            .read_bytes(alice.inbox, &[])
            .await
            .unwrap()
            .is_empty()
    );
    let too_large = [piece(item, tag, 0, READ_BYTES_MAX + 1)];
    fails(
        alice.store.read_bytes(alice.inbox, &too_large).await,
        ErrorKind::Invalid,
    );
}

/// Editing a message does not take its attachments' bytes away.
pub async fn parts_of_an_edited_message_stay_readable(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let part = AttachmentData::Part {
        range: 14..18,
        encoding: TransferEncoding::Base64,
    };
    let mut draft = original(content("Subject: a\r\n\r\nAP8=\r\n"));
    let attachment = Attachment {
        props: PropBag::default(),
        data: part,
    };
    Arc::make_mut(&mut draft.message).tree.attachments = vec![attachment];
    let saved = alice.save_draft(alice.inbox, draft).await;
    let change = set(tags::SUBJECT.tag(), text("edited"));
    let updated = alice
        .store
        .update(alice.inbox, &[any(saved.number)], &change)
        .await
        .unwrap();
    let item = updated.renumbered[0].1;
    let whole = alice.store.read_message(alice.inbox, item).await.unwrap();
    assert_eq!(whole.attachments.len(), 1);
    match &whole.attachments[0].data {
        AttachmentData::Inline(octets) => assert_eq!(&octets[..], b"\0\xff"),
        AttachmentData::Part { range, encoding } => {
            let len = (range.end - range.start) as u32;
            let piece = piece(item, tags::ORIGINAL.tag(), range.start, len);
            let read = alice.store.read_bytes(alice.inbox, &[piece]).await.unwrap();
            // Wherever it is now, these two octets are written in base64.
            assert_eq!(*encoding, TransferEncoding::Base64);
            assert_eq!(read[0].as_deref().unwrap().trim_ascii_end(), b"AP8=");
        }
        other => panic!("{other:?}"),
    }
}

/// Replacing brings new bytes under the new number.
pub async fn a_replaced_original_is_the_new_one(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let old = alice
        .save_draft(alice.inbox, original(content("old bytes")))
        .await;
    let new = original(content("new"));
    let new = alice
        .store
        .replace(alice.inbox, any(old.number), &new)
        .await
        .unwrap();
    assert_eq!(read_all(&alice, new.number).await, "new");
    let piece = piece(old.number, tags::ORIGINAL.tag(), 0, 9);
    assert_eq!(
        alice.store.read_bytes(alice.inbox, &[piece]).await.unwrap(),
        [None]
    );
}

/// An original that is not in memory is read from where it is.
pub async fn an_original_may_be_elsewhere_than_in_memory(backend: Arc<dyn Backend>) {
    struct Elsewhere(Bytes);
    impl ReadAt for Elsewhere {
        fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<()> {
            self.0.read_exact_at(buf, offset)
        }
    }
    let alice = Mailbox::new(backend).await;
    let bytes = pattern(3_000_000);
    let hash = ContentHash(*blake3::hash(&bytes).as_bytes());
    let spool = Content::new(Arc::new(Elsewhere(bytes.clone())), bytes.len() as u64, hash);
    let saved = alice.save_draft(alice.inbox, original(spool)).await;
    assert_eq!(read_all(&alice, saved.number).await, bytes);
}

/// An original that cannot be read to its end saves nothing.
pub async fn an_unreadable_original_saves_nothing(backend: Arc<dyn Backend>) {
    struct Broken;
    impl ReadAt for Broken {
        fn read_exact_at(&self, _: &mut [u8], _: u64) -> std::io::Result<()> {
            Err(std::io::ErrorKind::UnexpectedEof.into())
        }
    }
    let alice = Mailbox::new(backend).await;
    let broken = original(Content::new(Arc::new(Broken), 1_000, ContentHash([7; 32])));
    let drafts = [draft("good"), broken];
    let failed = alice.store.save(alice.inbox, &drafts).await;
    assert!(failed.is_err());
    assert!(alice.inbox_numbers().await.is_empty());
    alice.save("after").await;
}

/// Messages that share their original are separate items.
pub async fn items_sharing_an_original_are_separate(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let shared = original(content(pattern(100_000)));
    let saved = alice
        .store
        .save(alice.inbox, &[shared.clone(), shared])
        .await
        .unwrap();
    alice
        .store
        .delete(alice.inbox, &[saved[0].number], Deletion::Hard)
        .await
        .unwrap();
    assert_eq!(read_all(&alice, saved[1].number).await, pattern(100_000));
}

/// The sizes of an item, which is rendered for that, and its prefix.
pub(super) async fn sizes(alice: &Mailbox, item: ItemNumber) -> PropBag {
    let columns = [
        tags::DERIVED_RENDERER.tag(),
        tags::ITEM_SIZE.tag(),
        tags::ORIGINAL_SIZE.tag(),
        tags::ORIGINAL_PREFIX.tag(),
    ];
    let object = Object::Item(alice.inbox, item);
    alice.store.props(object, &columns).await.unwrap()
}

pub(super) fn original(original: Content) -> Draft {
    let mut draft = draft("a");
    Arc::make_mut(&mut draft.message).original = Some(original);
    draft
}

pub(super) fn piece(item: ItemNumber, tag: PropTag, offset: u64, len: u32) -> ByteRange {
    ByteRange {
        item,
        tag,
        offset,
        len,
    }
}

/// Octets without a short period, so that a piece from the wrong place shows.
pub(super) fn pattern(len: usize) -> Bytes {
    let mut state = 1_u32;
    let octet = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(octet).take(len).collect()
}

async fn read_all(alice: &Mailbox, item: ItemNumber) -> Bytes {
    const PIECE: u32 = 1 << 20;
    let mut all = Vec::new();
    loop {
        let piece = piece(item, tags::ORIGINAL.tag(), all.len() as u64, PIECE);
        let read = alice.store.read_bytes(alice.inbox, &[piece]).await.unwrap();
        let bytes = read.into_iter().next().flatten().expect("an original");
        all.extend_from_slice(&bytes);
        if bytes.len() < PIECE as usize {
            return all.into();
        }
    }
}
