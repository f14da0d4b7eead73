//! Checking a data folder: every mailbox by itself, every segment, and whether they fit together.

use std::{collections::HashMap, sync::Arc};

use mapi_types::{ContentHash, MailboxId};
use rusqlite::{Connection, Row};

use super::{Fault, FaultKind, Job, check_mirror};
use crate::{
    codec::{BagReader, Stored, decode_parts},
    fail::Result,
    ids::number_of,
    mailbox::Mailbox,
    read::snapshot,
    schema::Use,
    segments::{Place, Trust, scan},
};

/// A content that an item needs.
struct Needed {
    hash: ContentHash,
    len: Option<u64>,
    mailbox: usize,
    item: i64,
}

pub(super) fn check(job: &Job, mailboxes: &[Arc<Mailbox>]) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    let mut needed = Vec::new();
    for (at, mailbox) in mailboxes.iter().enumerate() {
        job.go_on()?;
        let found = mailbox.with_handle(Use::Reading, |handle| {
            snapshot(&handle.conn, &job.shared.segments, |snapshot| {
                let mut check = MailboxCheck {
                    conn: snapshot.conn,
                    id: &mailbox.id,
                    faults: Vec::new(),
                };
                check.run(at, &mut needed)?;
                Ok(check.faults)
            })
        });
        match found {
            Ok(mut found) => faults.append(&mut found),
            Err(fail) => faults.push(Fault::unreadable(&mailbox.id, &fail.into())),
        }
    }
    // The segments after the mailboxes: what those refer to was stored before.
    let stored = check_segments(job, &mut faults)?;
    for need in needed {
        let whole = stored
            .get(&need.hash)
            .is_some_and(|len| need.len.is_none_or(|needed| needed == *len));
        if !whole && let Some(mailbox) = mailboxes.get(need.mailbox) {
            let place = item_place(&mailbox.id, need.item);
            faults.push(Fault::new(
                FaultKind::Content,
                place,
                "a content is not stored, or not whole",
            ));
        }
    }
    Ok(faults)
}

pub(super) fn item_place(mailbox: &MailboxId, item: i64) -> String {
    format!(
        "mailbox {mailbox}, folder {}, item {}",
        item >> 32,
        number_of(item)
    )
}

/// Reads every segment from end to end. Returns the whole contents with their lengths.
fn check_segments(job: &Job, faults: &mut Vec<Fault>) -> Result<HashMap<ContentHash, u64>> {
    let segments = &job.shared.segments;
    let mut stored = HashMap::new();
    for id in segments.ids()? {
        job.go_on()?;
        let found = scan(&segments.path(id), Trust::Content)?;
        for (from, to) in found.damaged {
            let detail = format!("octets {from} to {to} are no whole record");
            faults.push(Fault::new(
                FaultKind::Segment,
                format!("segment {id}"),
                detail,
            ));
        }
        for record in found.records {
            stored.insert(record.header.hash, record.header.len);
        }
    }
    let misled =
        |hash: &ContentHash, place: &Place| stored.get(hash).is_none_or(|len| *len != place.len);
    segments.each_indexed(|hash, place| {
        if misled(hash, &place) {
            let place = format!("segment {}, octet {}", place.segment, place.offset);
            faults.push(Fault::new(
                FaultKind::Index,
                place,
                "the index knows a content that is not there",
            ));
        }
    })?;
    Ok(stored)
}

struct MailboxCheck<'c> {
    conn: &'c Connection,
    id: &'c MailboxId,
    faults: Vec<Fault>,
}

/// A statement that finds only what is wrong: the kind, what to say, and a query for (folder or NULL, item or NULL).
pub(super) type Rule = (FaultKind, &'static str, &'static str);

const RULES: &[Rule] = &[
    (
        FaultKind::Tree,
        "the folder above it is missing",
        "SELECT id, NULL FROM folders f WHERE parent IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM folders p WHERE p.id = f.parent)",
    ),
    (
        FaultKind::Tree,
        "the folder lies below itself",
        "SELECT id, NULL FROM folders WHERE id NOT IN (
             WITH RECURSIVE tree(id) AS (
                 SELECT id FROM folders WHERE parent IS NULL
                     OR NOT EXISTS (SELECT 1 FROM folders p WHERE p.id = folders.parent)
                 UNION SELECT f.id FROM folders f JOIN tree ON f.parent = tree.id
             ) SELECT id FROM tree)",
    ),
    (
        FaultKind::Tree,
        "a special folder is missing",
        "SELECT NULL, NULL FROM mailbox WHERE (SELECT count(role) FROM folders) <> 12
             AND NOT EXISTS (SELECT 1 FROM remote)",
    ),
    (
        FaultKind::Tree,
        "the permissions are those of no folder",
        "SELECT DISTINCT folder, NULL FROM permissions WHERE folder NOT IN (SELECT id FROM folders)",
    ),
    (
        FaultKind::Numbers,
        "the folder's id may be given out again",
        "SELECT id, NULL FROM (SELECT id FROM folders UNION ALL SELECT id FROM deleted_folders)
             WHERE id >= (SELECT next_folder FROM mailbox)",
    ),
    (
        FaultKind::Numbers,
        "the folder changed after the end of the tree's log",
        "SELECT id, NULL FROM folders WHERE changed > (SELECT version FROM mailbox)",
    ),
    (
        FaultKind::Numbers,
        "the folder's epoch is that of another folder, or none",
        "SELECT id, NULL FROM folders WHERE epoch < 1 OR epoch IN (
             SELECT epoch FROM folders GROUP BY epoch HAVING count(*) > 1)",
    ),
    (
        FaultKind::Numbers,
        "a property id may be given out again",
        "SELECT NULL, NULL FROM named WHERE id >= (SELECT next_named FROM mailbox) LIMIT 1",
    ),
    (
        FaultKind::Numbers,
        "the item's number may be given out again",
        "SELECT i.folder, i.id FROM items i JOIN folders f ON f.id = i.folder
             WHERE (i.id & 0xffffffff) >= f.next_number OR (i.id & 0xffffffff) = 0",
    ),
    (
        FaultKind::Numbers,
        "the item's version lies after the folder's",
        "SELECT i.folder, i.id FROM items i JOIN folders f ON f.id = i.folder
             WHERE i.version > f.version OR i.created > i.version OR i.created < 1",
    ),
    (
        FaultKind::Numbers,
        "the log of removed items lies after the folder's version or number",
        "SELECT DISTINCT e.folder, NULL FROM expunged e JOIN folders f ON f.id = e.folder
             WHERE e.version > f.version OR e.number >= f.next_number OR f.forgotten > f.version",
    ),
    (
        FaultKind::Numbers,
        "a removed item is there",
        "SELECT e.folder, i.id FROM expunged e JOIN items i ON i.id = (e.folder << 32 | e.number) WHERE i.state < 2",
    ),
    (
        FaultKind::Counts,
        "the folder's counts are not those of its items",
        "SELECT f.id, NULL FROM folders f LEFT JOIN (
             SELECT folder, count(*) AS items, sum(ifnull(flags, 0) & 1 = 0) AS unread,
                 sum(ifnull(status, 0) & 8 <> 0) AS deleted, sum(iif(sized, size, 0)) AS size
             FROM items WHERE state = 0 GROUP BY folder) c ON c.folder = f.id
         WHERE f.items <> ifnull(c.items, 0) OR f.unread <> ifnull(c.unread, 0)
             OR f.deleted <> ifnull(c.deleted, 0) OR f.size <> ifnull(c.size, 0)",
    ),
    (
        FaultKind::Counts,
        "the count of removed items is not that of the log",
        "SELECT id, NULL FROM folders f
             WHERE expunged <> (SELECT count(*) FROM expunged e WHERE e.folder = f.id)",
    ),
    (
        FaultKind::Rows,
        "the item is in no folder, or in two",
        "SELECT folder, id FROM items WHERE folder <> id >> 32 OR iif(folder = 0,
             state <> 3 OR id NOT IN (SELECT id FROM remote_pending),
             state NOT IN (0, 1, 2) OR folder NOT IN (SELECT id FROM folders)
                 AND (state <> 2 OR folder NOT IN (SELECT id FROM deleted_folders)))",
    ),
    (
        FaultKind::Rows,
        "the item was deleted at no known time, or has one and was not",
        "SELECT folder, id FROM items WHERE (state = 2) = (removed IS NULL)",
    ),
    (
        FaultKind::Tree,
        "the deleted folder is there, or nothing of it can be recovered",
        "SELECT id, NULL FROM deleted_folders f WHERE id IN (SELECT id FROM folders) OR NOT EXISTS (
             SELECT 1 FROM items WHERE id BETWEEN f.id << 32 AND f.id << 32 | 0xffffffff)",
    ),
    (
        FaultKind::Rows,
        "the item has no content",
        "SELECT folder, id FROM items i WHERE NOT EXISTS (SELECT 1 FROM contents c WHERE c.id = i.id)",
    ),
    (
        FaultKind::Rows,
        "a content belongs to no item",
        "SELECT id >> 32, id FROM contents c WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.id = c.id)",
    ),
    (
        FaultKind::Rows,
        "facts belong to no item",
        "SELECT id >> 32, id FROM facts c WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.id = c.id)",
    ),
    (
        FaultKind::Rows,
        "a large value belongs to no item",
        "SELECT item >> 32, item FROM attached c WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.id = c.item)",
    ),
    (
        FaultKind::Rows,
        "the item's size is not that of its original",
        "SELECT i.folder, i.id FROM items i JOIN contents c ON c.id = i.id WHERE i.original IS NOT NULL AND (
             i.size <> i.original + length(c.prefix) OR (c.hash IS NULL) = (c.body IS NULL)
             OR c.body IS NOT NULL AND length(c.body) <> i.original)
             AND NOT EXISTS (SELECT 1 FROM remote_items r WHERE r.id = i.id AND r.body < 3 AND c.hash IS NULL
                 AND c.body IS NULL AND i.size = i.original + length(c.prefix))",
    ),
    (
        FaultKind::Rows,
        "the item has no key",
        "SELECT folder, id FROM items WHERE length(key) NOT BETWEEN 1 AND 255",
    ),
];

impl MailboxCheck<'_> {
    fn run(&mut self, at: usize, needed: &mut Vec<Needed>) -> Result<()> {
        self.database()?;
        let (rows, id): (i64, Option<String>) =
            self.conn
                .query_row("SELECT count(*), min(id) FROM mailbox", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
        if rows != 1 || id.as_deref() != Some(&self.id.0) {
            self.fault(
                FaultKind::Rows,
                None,
                None,
                "the file is that of another mailbox",
            );
        }
        for (kind, detail, sql) in RULES.iter().chain(check_mirror::RULES) {
            let mut select = self.conn.prepare(sql)?;
            let places = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for (folder, item) in places.collect::<rusqlite::Result<Vec<_>>>()? {
                self.fault(*kind, folder, item, detail);
            }
        }
        check_mirror::check(self.conn, self.id, &mut self.faults)?;
        self.items(at, needed)
    }

    fn fault(&mut self, kind: FaultKind, folder: Option<i64>, item: Option<i64>, detail: &str) {
        let place = match (folder, item) {
            (_, Some(item)) => item_place(self.id, item),
            (Some(folder), None) => format!("mailbox {}, folder {folder}", self.id),
            (None, None) => format!("mailbox {}", self.id),
        };
        self.faults.push(Fault::new(kind, place, detail));
    }

    fn database(&mut self) -> Result<()> {
        let mut select = self.conn.prepare("PRAGMA integrity_check")?;
        let lines = select
            .query_map([], |row| row.get::<_, String>(0))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        for line in lines.iter().filter(|line| *line != "ok") {
            self.fault(FaultKind::Database, None, None, line);
        }
        Ok(())
    }

    /// Decodes what every item has, and gathers the contents it needs.
    fn items(&mut self, at: usize, needed: &mut Vec<Needed>) -> Result<()> {
        let mut select = self.conn.prepare(
            "SELECT c.id, c.props, c.parts, c.hash, i.original FROM contents c JOIN items i ON i.id = c.id",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let item: i64 = row.get(0)?;
            let mut need = |hash, len| {
                needed.push(Needed {
                    hash,
                    len,
                    mailbox: at,
                    item,
                })
            };
            if check_item(row, &mut need).is_err() {
                self.fault(
                    FaultKind::Properties,
                    None,
                    Some(item),
                    "what is stored of it cannot be decoded",
                );
            }
        }
        Ok(())
    }
}

fn check_item(row: &Row<'_>, need: &mut dyn FnMut(ContentHash, Option<u64>)) -> Result<()> {
    let blob = |at: usize| {
        row.get_ref(at)?
            .as_blob_or_null()
            .map_err(rusqlite::Error::from)
    };
    let mut props = BagReader::new(blob(1)?.unwrap_or_default())?;
    while let Some((_, value)) = props.next()? {
        if let Stored::External { hash, len } = value {
            need(hash, Some(len));
        }
    }
    let parts = std::cell::RefCell::new(Vec::new());
    decode_parts(blob(2)?.unwrap_or_default(), &|hash, len| {
        parts.borrow_mut().push((hash, len));
        Ok(bytes::Bytes::new())
    })?;
    for (hash, len) in parts.into_inner() {
        need(hash, Some(len));
    }
    if let Some(hash) = blob(3)? {
        let hash = hash
            .try_into()
            .map_err(|_| crate::fail::Fail::corrupt("a content's hash is damaged"))?;
        let len: Option<i64> = row.get(4)?;
        need(ContentHash(hash), len.map(|len| len as u64));
    }
    Ok(())
}
