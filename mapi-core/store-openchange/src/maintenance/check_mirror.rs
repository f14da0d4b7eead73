//! What a check looks at in a mirror.

use mapi_types::MailboxId;
use rusqlite::Connection;

use super::{
    FaultKind,
    check::{Rule, item_place},
    fault::Fault,
};
use crate::{codec::BagReader, fail::Result};

pub(super) const RULES: &[Rule] = &[
    (
        FaultKind::Rows,
        "the mailbox mirrors none, and has rows of a remote",
        "SELECT NULL, NULL FROM mailbox WHERE NOT EXISTS (SELECT 1 FROM remote) AND (
             EXISTS (SELECT 1 FROM remote_folders) OR EXISTS (SELECT 1 FROM remote_items)
             OR EXISTS (SELECT 1 FROM remote_staged) OR EXISTS (SELECT 1 FROM remote_pending))",
    ),
    (
        FaultKind::Rows,
        "what is known of a remote folder belongs to no folder",
        "SELECT folder, NULL FROM remote_folders WHERE folder NOT IN (SELECT id FROM folders)",
    ),
    (
        FaultKind::Rows,
        "what is known of a remote item belongs to no item",
        "SELECT folder, id FROM remote_items r WHERE folder <> id >> 32
             OR folder NOT IN (SELECT folder FROM remote_folders)
             OR NOT EXISTS (SELECT 1 FROM items i WHERE i.id = r.id AND i.state < 2)",
    ),
    (
        FaultKind::Rows,
        "the item's body is not where it should be",
        "SELECT r.folder, r.id FROM remote_items r JOIN items i ON i.id = r.id JOIN contents c ON c.id = r.id
             WHERE (r.body IN (3, 4)) <> (c.hash IS NOT NULL OR c.body IS NOT NULL) OR r.body NOT IN (0, 1, 2, 3, 4)
             OR r.body >= 2 AND r.digest IS NULL OR c.hash <> r.digest OR r.bytes <> 0 AND r.body <> 3
             OR (r.served_key IS NULL) <> (r.digest IS NULL) OR i.sized <> (r.digest IS NOT NULL)
             OR i.sized AND i.original IS NULL",
    ),
    (
        FaultKind::Rows,
        "an item waits for a number in no pass, or has one already",
        "SELECT s.folder, NULL FROM remote_staged s
             WHERE s.folder NOT IN (SELECT folder FROM remote_folders WHERE passing)
             OR EXISTS (SELECT 1 FROM remote_items r WHERE r.folder = s.folder AND r.remote = s.remote)",
    ),
    (
        FaultKind::Rows,
        "a draft on its way to the remote has no rows",
        "SELECT folder, NULL FROM remote_pending p
             WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.id = p.id AND i.state = 3 AND i.folder = 0)",
    ),
    (
        FaultKind::Rows,
        "an operation that waits is about nothing, or has lost its draft",
        "SELECT NULL, NULL FROM remote_queue q
             WHERE NOT EXISTS (SELECT 1 FROM remote_queue_items i WHERE i.op = q.id)
             OR q.kind = 0 AND NOT EXISTS (
                 SELECT 1 FROM remote_queue_items i JOIN remote_pending p ON p.remote = i.becomes
                 WHERE i.op = q.id AND p.folder = i.folder AND p.queued)",
    ),
    (
        FaultKind::Rows,
        "what waits belongs to no operation",
        "SELECT folder, NULL FROM remote_queue_items WHERE op NOT IN (SELECT id FROM remote_queue)
         UNION ALL SELECT folder, NULL FROM remote_pending p
             WHERE p.queued AND NOT EXISTS (SELECT 1 FROM remote_queue_items i WHERE i.becomes = p.remote)",
    ),
];

/// Bags that lie in no item's own rows: a query for (item or NULL, bag).
const BAGS: [&str; 3] = [
    "SELECT NULL, props FROM remote_staged",
    "SELECT id, fresh FROM remote_items WHERE fresh IS NOT NULL",
    "SELECT NULL, props FROM remote_folders WHERE length(props) > 0",
];

/// Bodies in rows that are not what was served; segments are checked as a whole.
const OTHER_BODIES: &str =
    "SELECT r.id, r.digest, c.body FROM remote_items r JOIN contents c ON c.id = r.id
    WHERE c.body IS NOT NULL";

/// Decodes and hashes what rules cannot see.
pub(super) fn check(conn: &Connection, id: &MailboxId, faults: &mut Vec<Fault>) -> Result<()> {
    let mut fault = |item: Option<i64>, detail: &str| {
        let place = item.map_or_else(|| format!("mailbox {id}"), |item| item_place(id, item));
        faults.push(Fault::new(FaultKind::Properties, place, detail));
    };
    for sql in BAGS {
        let mut select = conn.prepare(sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let bag = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            if !decodes(bag) {
                fault(row.get(0)?, "what the remote says cannot be decoded");
            }
        }
    }
    let mut select = conn.prepare(OTHER_BODIES)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let digest: Option<[u8; 32]> = row.get(1)?;
        let body = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        if digest != Some(*blake3::hash(body).as_bytes()) {
            fault(row.get(0)?, "the original is not the one that was served");
        }
    }
    Ok(())
}

fn decodes(bag: &[u8]) -> bool {
    let Ok(mut reader) = BagReader::new(bag) else {
        return false;
    };
    loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}
