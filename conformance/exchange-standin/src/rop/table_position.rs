//! Where a table stands, and reading rows from there. Source: MS-OXCTABL 3.2.5.5 to 3.2.5.13.

use mapi_wire::rop::{
    CreateBookmark, CreateBookmarkResponse, FindRow, FindRowResponse, FreeBookmark,
    FreeBookmarkResponse, QueryPosition, QueryPositionResponse, QueryRows, QueryRowsResponse,
    SeekRow, SeekRowBookmark, SeekRowBookmarkResponse, SeekRowFractional,
    SeekRowFractionalResponse, SeekRowResponse, bookmark,
};

use super::{
    call::{Call, Outcome},
    objects::{Row, Table},
    value_size,
};
use crate::model::error::{Code, Result};

/// Octets of an answer beside its rows.
const HEAD_BYTES: usize = 16;

/// Reads rows: as many as are wanted and fit.
pub(crate) fn query_rows(call: &mut Call<'_>, ask: &QueryRows) -> Outcome {
    let room = call.room;
    let table = call.current_table(ask.input)?;
    let columns = table.columns.clone().ok_or(Code::NO_COLUMNS)?;
    let position = table.position;
    let wanted = usize::from(ask.row_count);
    let chosen: Vec<Row> = match ask.forward_read {
        true => table
            .made()
            .iter()
            .skip(position)
            .take(wanted)
            .cloned()
            .collect(),
        false => {
            let before = table.made().iter().take(position);
            before.rev().take(wanted).cloned().collect()
        }
    };
    let (handle, _) = call.entry(ask.input)?;
    let source = call.rows_of(handle)?;
    let mut rows = Vec::new();
    let mut used = HEAD_BYTES;
    for row in &chosen {
        let row = source.row(row, &columns);
        used += value_size::row(&row);
        if used > room {
            break;
        }
        rows.push(row);
    }
    if rows.is_empty() && !chosen.is_empty() {
        return Err(Code::BUFFER_TOO_SMALL.into());
    }
    let table = call.table_mut(ask.input)?;
    let after = match ask.forward_read {
        true => position + rows.len(),
        false => position - rows.len(),
    };
    if ask.query_rows_flags & QueryRows::NO_ADVANCE == 0 {
        table.position = after;
    }
    let origin = match (after, ask.forward_read) {
        (after, true) if after >= table.made().len() => bookmark::END,
        (0, false) => bookmark::BEGINNING,
        _ => bookmark::CURRENT,
    };
    let index = ask.input;
    Ok(QueryRowsResponse {
        index,
        origin,
        rows,
    }
    .into())
}

/// Where a table stands.
pub(crate) fn position(call: &mut Call<'_>, ask: &QueryPosition) -> Outcome {
    let table = call.current_table(ask.input)?;
    Ok(QueryPositionResponse {
        index: ask.input,
        numerator: table.position as u32,
        denominator: table.made().len() as u32,
    }
    .into())
}

/// Goes to another row.
pub(crate) fn seek(call: &mut Call<'_>, ask: &SeekRow) -> Outcome {
    let table = call.current_table(ask.input)?;
    need_columns(table)?;
    let from = origin(table, ask.origin)?;
    let (has_sought_less, moved) = go(table, from, ask.row_count);
    Ok(SeekRowResponse {
        index: ask.input,
        has_sought_less: has_sought_less && ask.want_row_moved_count,
        rows_sought: if ask.want_row_moved_count { moved } else { 0 },
    }
    .into())
}

/// Goes to another row, from a bookmark.
pub(crate) fn seek_bookmark(call: &mut Call<'_>, ask: &SeekRowBookmark) -> Outcome {
    let table = call.current_table(ask.input)?;
    need_columns(table)?;
    let from = marked(table, &ask.bookmark)?;
    let (has_sought_less, moved) = go(table, from, ask.row_count);
    Ok(SeekRowBookmarkResponse {
        index: ask.input,
        row_no_longer_visible: false,
        has_sought_less: has_sought_less && ask.want_row_moved_count,
        rows_sought: if ask.want_row_moved_count { moved } else { 0 },
    }
    .into())
}

/// Goes to a fraction of the table.
pub(crate) fn seek_fraction(call: &mut Call<'_>, ask: &SeekRowFractional) -> Outcome {
    let table = call.current_table(ask.input)?;
    need_columns(table)?;
    if ask.denominator == 0 {
        return Err(Code::INVALID_BOOKMARK.into());
    }
    let rows = table.made().len() as u64;
    let place = u64::from(ask.numerator) * rows / u64::from(ask.denominator);
    table.position = place.min(rows) as usize;
    Ok(SeekRowFractionalResponse { index: ask.input }.into())
}

/// Remembers where a table stands.
pub(crate) fn create_bookmark(call: &mut Call<'_>, ask: &CreateBookmark) -> Outcome {
    let table = call.current_table(ask.input)?;
    need_columns(table)?;
    let number = table.bookmarks.keys().max().map_or(1, |last| last + 1);
    table.bookmarks.insert(number, table.position);
    Ok(CreateBookmarkResponse {
        index: ask.input,
        bookmark: number.to_le_bytes().into(),
    }
    .into())
}

/// Forgets a bookmark.
pub(crate) fn free_bookmark(call: &mut Call<'_>, ask: &FreeBookmark) -> Outcome {
    let table = call.current_table(ask.input)?;
    let number = number(&ask.bookmark)?;
    table
        .bookmarks
        .remove(&number)
        .ok_or(Code::INVALID_BOOKMARK)?;
    Ok(FreeBookmarkResponse { index: ask.input }.into())
}

/// Finds the next row that meets a condition.
pub(crate) fn find(call: &mut Call<'_>, ask: &FindRow) -> Outcome {
    let table = call.current_table(ask.input)?;
    let columns = table.columns.clone().ok_or(Code::NO_COLUMNS)?;
    let restriction = ask.restriction.as_ref().ok_or(Code::INVALID_PARAMETER)?;
    let from = match ask.origin {
        bookmark::CUSTOM => marked(table, &ask.bookmark)?,
        place => origin(table, place)?,
    };
    let rows: Vec<Row> = table.made().to_vec();
    let backwards = ask.find_row_flags & 1 != 0;
    let (handle, _) = call.entry(ask.input)?;
    let source = call.rows_of(handle)?;
    let meets = |place: &usize| {
        rows.get(*place)
            .is_some_and(|row| source.meets(row, restriction))
    };
    let found = match backwards {
        true => (0..=from.min(rows.len().saturating_sub(1)))
            .rev()
            .find(meets),
        false => (from..rows.len()).find(meets),
    };
    let place = found.ok_or(Code::NOT_FOUND)?;
    let row = rows.get(place).map(|row| source.row(row, &columns));
    call.table_mut(ask.input)?.position = place;
    let index = ask.input;
    Ok(FindRowResponse {
        index,
        row_no_longer_visible: false,
        row,
    }
    .into())
}

const fn need_columns(table: &Table) -> Result<()> {
    match table.columns.is_some() {
        true => Ok(()),
        false => Err(Code::NO_COLUMNS),
    }
}

fn origin(table: &Table, origin: u8) -> Result<usize> {
    match origin {
        bookmark::BEGINNING => Ok(0),
        bookmark::CURRENT => Ok(table.position),
        bookmark::END => Ok(table.made().len()),
        _ => Err(Code::INVALID_PARAMETER),
    }
}

fn marked(table: &Table, bookmark: &[u8]) -> Result<usize> {
    let place = table.bookmarks.get(&number(bookmark)?);
    place.copied().ok_or(Code::INVALID_BOOKMARK)
}

fn number(bookmark: &[u8]) -> Result<u32> {
    let octets = bookmark.try_into().map_err(|_| Code::INVALID_BOOKMARK)?;
    Ok(u32::from_le_bytes(octets))
}

/// Goes so many rows from a place; whether that was less than asked for, and how many it was.
fn go(table: &mut Table, from: usize, rows: i32) -> (bool, i32) {
    let wanted = from as i64 + i64::from(rows);
    let place = wanted.clamp(0, table.made().len() as i64);
    table.position = place as usize;
    (place != wanted, (place - from as i64) as i32)
}
