//! Fills a mailbox by APPEND, many messages a command where the server offers MULTIAPPEND.

use std::time::Instant;

use super::generate::{Profile, flags, internal_date, message};
use super::{Measurement, Target};
use crate::failure::{Outcome, ensure};
use crate::imap::Imap;

/// The seed of what fills mailboxes: the same messages on every server.
const SEED: u64 = 1;
/// Messages a MULTIAPPEND command.
const BATCH: u64 = 200;
/// Bytes after which a batch ends early.
const BATCH_BYTES: usize = 8 << 20;

/// Empties or (re)creates `mailbox` of user 1 and fills it with `count` messages of `profile`.
pub fn fill(target: &Target, mailbox: &str, count: u64, profile: Profile) -> Outcome<Measurement> {
    let mut session = target.session(1)?;
    if mailbox == "INBOX" {
        session.empty(mailbox)?;
    } else {
        // It may not exist yet.
        let _ = session.command(&format!("DELETE {mailbox}"))?;
        session.expect_ok(&format!("CREATE {mailbox}"))?;
    }
    let many = session.has("MULTIAPPEND") && session.has("LITERAL+");
    let started = Instant::now();
    let mut index = 0;
    while index < count {
        if many {
            index = append_batch(&mut session, mailbox, index, count, profile)?;
        } else {
            let bytes = message(SEED, index, profile);
            session.append(mailbox, &options(index), &bytes)?.ok()?;
            index += 1;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let found = u64::from(session.select(mailbox)?);
    ensure(found == count, || {
        format!("{found} messages in {mailbox}, want {count}")
    })?;
    let figures = vec![("per_s".into(), count as f64 / seconds)];
    Ok(Measurement {
        test: format!("fill count={count}"),
        figures,
    })
}

fn append_batch(
    session: &mut Imap,
    mailbox: &str,
    from: u64,
    count: u64,
    profile: Profile,
) -> Outcome<u64> {
    let tag = session.tag();
    let mut command = format!("{tag} APPEND {mailbox}").into_bytes();
    let mut index = from;
    while index < count.min(from + BATCH) && command.len() < BATCH_BYTES {
        let bytes = message(SEED, index, profile);
        command
            .extend_from_slice(format!(" {} {{{}+}}\r\n", options(index), bytes.len()).as_bytes());
        command.extend_from_slice(&bytes);
        index += 1;
    }
    command.extend_from_slice(b"\r\n");
    session.send(&command)?;
    session.finish(&tag)?.ok()?;
    Ok(index)
}

fn options(index: u64) -> String {
    format!("({}) \"{}\"", flags(index), internal_date(index))
}
