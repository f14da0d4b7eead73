//! Pieces of large values: originals above all.

use ::bytes::Bytes;
use mapi_store::{ByteRange, READ_BYTES_MAX, Rights};
use mapi_types::{ContentHash, FolderId, Value, tags};
use rusqlite::params;

use super::{
    Snapshot,
    columns::{Columns, ItemView},
};
use crate::{
    access::{Access, invalid},
    codec::{BagReader, Stored},
    fail::{Fail, Result},
    ids::row_id,
};

pub(crate) fn read_bytes(
    at: &Snapshot<'_>,
    who: &Access,
    folder: FolderId,
    pieces: &[ByteRange],
) -> Result<Vec<Option<Bytes>>> {
    let (folder, _) = who.allowed(at.conn, folder, Rights::READ_ANY)?;
    if pieces.iter().any(|piece| piece.len > READ_BYTES_MAX) {
        return Err(invalid("the piece is too large"));
    }
    pieces
        .iter()
        .map(|piece| {
            if piece.tag == tags::ORIGINAL.tag() {
                original(at, folder, piece)
            } else {
                property(at, folder, piece)
            }
        })
        .collect()
}

fn original(at: &Snapshot<'_>, folder: i64, piece: &ByteRange) -> Result<Option<Bytes>> {
    let mut select = at.conn.prepare_cached(
        "SELECT c.hash, substr(c.body, ?2, ?3), c.body IS NOT NULL FROM items i JOIN contents c ON c.id = i.id
         WHERE i.id = ?1 AND i.state < 2",
    )?;
    // SQLite counts octets from 1; an offset it cannot count lies behind every end.
    let from = i64::try_from(piece.offset)
        .unwrap_or(i64::MAX)
        .saturating_add(1);
    let mut rows = select.query(params![row_id(folder, piece.item.0), from, piece.len])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let hash: Option<&[u8]> = row
        .get_ref(0)?
        .as_blob_or_null()
        .map_err(rusqlite::Error::from)?;
    if let Some(hash) = hash {
        let hash = hash
            .try_into()
            .map_err(|_| Fail::corrupt("a content's hash is damaged"))?;
        return at
            .segments
            .read(&ContentHash(hash), piece.offset, piece.len.into())
            .map(Some);
    }
    // An empty piece is no value to SQLite.
    let (piece, there): (Option<Vec<u8>>, bool) = (row.get(1)?, row.get(2)?);
    Ok(there.then(|| piece.unwrap_or_default().into()))
}

fn property(at: &Snapshot<'_>, folder: i64, piece: &ByteRange) -> Result<Option<Bytes>> {
    if let Some((hash, _)) = external(at, folder, piece)? {
        return at
            .segments
            .read(&hash, piece.offset, piece.len.into())
            .map(Some);
    }
    let mut columns = Columns::new();
    columns.add([piece.tag]);
    let mut select = at
        .conn
        .prepare_cached(&columns.sql("WHERE i.id = ?1 AND i.state < 2"))?;
    let mut rows = select.query([row_id(folder, piece.item.0)])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let octets = match ItemView::new(row, &columns).value_of_any_size(piece.tag)? {
        Some(Value::Str(text)) => text.as_bytes(),
        Some(Value::Bin(octets)) => octets,
        Some(Value::Strs(items) | Value::Bins(items)) => items.packed(),
        _ => return Ok(None),
    };
    let from = usize::try_from(piece.offset)
        .unwrap_or(usize::MAX)
        .min(octets.len());
    let to = from.saturating_add(piece.len as usize).min(octets.len());
    Ok(octets.get(from..to).map(Bytes::copy_from_slice))
}

/// Where the value lies, if it lies apart.
fn external(
    at: &Snapshot<'_>,
    folder: i64,
    piece: &ByteRange,
) -> Result<Option<(ContentHash, u64)>> {
    let mut select = at.conn.prepare_cached(
        "SELECT c.props FROM items i JOIN contents c ON c.id = i.id WHERE i.id = ?1 AND i.state < 2
             AND EXISTS (SELECT 1 FROM attached WHERE item = ?1)",
    )?;
    let mut rows = select.query([row_id(folder, piece.item.0)])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let blob = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    match BagReader::new(blob)?.find(piece.tag)? {
        Some(Stored::External { hash, len }) => Ok(Some((hash, len))),
        _ => Ok(None),
    }
}
