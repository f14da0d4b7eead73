//! Facts that are not in the row: too large for it, or not computed yet.

use bytes::{Bytes, BytesMut};
use mapi_convert::{Limits, RENDERER, Scanner, SectionKind, StructureView};
use mapi_store::{ByteRange, ErrorKind, Object, READ_BYTES_MAX, Result, Store};
use mapi_types::{Derived, FolderId, ItemNumber, PropTag, tags};

use crate::{Facts, ItemFacts};

/// The most octets of one fact; what lies beyond is left out.
const FACT_BYTES_MAX: u64 = 4 << 20;

/// Octets read at once while an original is scanned.
const SCAN_BYTES: u32 = 256 << 10;

/// One item's facts, whatever it takes; `None` when it is gone or has no original.
pub(crate) async fn facts(
    store: &dyn Store,
    folder: FolderId,
    item: ItemNumber,
    want: Facts,
) -> Result<Option<ItemFacts>> {
    let columns = [
        tags::DERIVED_RENDERER.tag(),
        tags::ORIGINAL_PREFIX.tag(),
        tags::ITEM_SIZE.tag(),
    ];
    let props = match store.props(Object::Item(folder, item), &columns).await {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        props => props?,
    };
    let reader = Reader {
        store,
        folder,
        item,
    };
    let prefix = props.get(&tags::ORIGINAL_PREFIX).unwrap_or_default();
    let size = props.get(&tags::ITEM_SIZE).map(|octets| octets as u64);
    let (derived, size) = match (props.get(&tags::DERIVED_RENDERER), size) {
        (Some(renderer), Some(size)) if renderer as u32 == RENDERER => {
            (reader.derived(want).await?, size)
        }
        _ => {
            let Some((derived, len)) = reader.scan().await? else {
                return Ok(None);
            };
            (derived, prefix.len() as u64 + len)
        }
    };
    let mut header = BytesMut::new();
    if want.contains(Facts::HEADER) {
        header.extend_from_slice(prefix);
        match derived.header.is_empty() {
            true => header.extend_from_slice(&reader.header(&derived.structure).await?),
            false => header.extend_from_slice(&derived.header),
        }
    }
    Ok(Some(ItemFacts {
        have: want,
        envelope: derived.envelope,
        structure: derived.structure,
        header: header.freeze(),
        prefix_len: prefix.len() as u32,
        size,
    }))
}

/// Reads one item.
struct Reader<'a> {
    store: &'a dyn Store,
    folder: FolderId,
    item: ItemNumber,
}

impl Reader<'_> {
    /// The kept facts, read as streams.
    async fn derived(&self, want: Facts) -> Result<Derived> {
        let mut derived = Derived::default();
        // The structure says where a long header ends.
        let structure = want.contains(Facts::STRUCTURE) || want.contains(Facts::HEADER);
        let parts = [
            (
                want.contains(Facts::ENVELOPE),
                tags::DERIVED_ENVELOPE.tag(),
                &mut derived.envelope,
            ),
            (
                structure,
                tags::DERIVED_STRUCTURE.tag(),
                &mut derived.structure,
            ),
            (
                want.contains(Facts::HEADER),
                tags::DERIVED_HEADER.tag(),
                &mut derived.header,
            ),
        ];
        for (wanted, tag, into) in parts {
            if wanted {
                let value = self.read(tag, 0, FACT_BYTES_MAX).await?;
                *into = value.unwrap_or_default();
            }
        }
        Ok(derived)
    }

    /// The header block from the original.
    async fn header(&self, structure: &[u8]) -> Result<Bytes> {
        let range = StructureView::new(structure)
            .and_then(|structure| structure.section(&[], SectionKind::Header));
        let len = range.map_or(0, |range| range.end).min(FACT_BYTES_MAX);
        Ok(self
            .read(tags::ORIGINAL.tag(), 0, len)
            .await?
            .unwrap_or_default())
    }

    /// Computes the facts from the original and keeps them, and says how long it is; `None` when there is none.
    async fn scan(&self) -> Result<Option<(Derived, u64)>> {
        let mut scanner = Scanner::new(Limits::default());
        let mut offset = 0;
        loop {
            let piece = self
                .read(tags::ORIGINAL.tag(), offset, u64::from(SCAN_BYTES))
                .await?;
            let Some(piece) = piece else { return Ok(None) };
            scanner.feed(&piece);
            offset += piece.len() as u64;
            if piece.len() < SCAN_BYTES as usize {
                break;
            }
        }
        let derived = scanner.finish().derived();
        // Who cannot write still gets an answer; the next reader computes it again.
        let kept = self
            .store
            .put_derived(self.folder, &[(self.item, derived.clone())])
            .await;
        if let Err(error) = kept {
            tracing::debug!(%error, "computed facts were not kept");
        }
        Ok(Some((derived, offset)))
    }

    /// Up to `len` octets of a value; `None` when it is missing.
    async fn read(&self, tag: PropTag, offset: u64, len: u64) -> Result<Option<Bytes>> {
        let len = len.min(u64::from(READ_BYTES_MAX)) as u32;
        let piece = ByteRange {
            item: self.item,
            tag,
            offset,
            len,
        };
        let mut pieces = self.store.read_bytes(self.folder, &[piece]).await?;
        Ok(pieces.pop().flatten())
    }
}
