//! What the checks with real programs share: filling an INBOX, reading it, and Maildirs.

use std::path::Path;
use std::time::Duration;

use crate::failure::{Outcome, failure};
use crate::imap::Imap;
use crate::mail::{Message, is_below_trace, legal_messages, sha256, with_lf};
use crate::process::eventually;
use crate::subject::{Account, Subject};

/// How long mail may take from a program's end to the mailbox.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(60);

/// Empties alice's INBOX and fills it with the legal messages by APPEND; `plain` is seen.
pub(super) fn filled_inbox(subject: &Subject) -> Outcome<Vec<Message>> {
    let messages = legal_messages()?;
    let mut session = Imap::login(subject.listeners.imap, &subject.alice)?;
    session.empty("INBOX")?;
    for message in &messages {
        let flags = if message.name == "plain" {
            "(\\Seen)"
        } else {
            ""
        };
        session.append("INBOX", flags, &message.bytes)?.ok()?;
    }
    Ok(messages)
}

/// Empties the INBOX of both users.
pub(super) fn empty_inboxes(subject: &Subject) -> Outcome {
    for account in [&subject.alice, &subject.bob] {
        Imap::login(subject.listeners.imap, account)?.empty("INBOX")?;
    }
    Ok(())
}

/// The mailbox with this special use, such as `\\Sent`.
pub(super) fn special(session: &mut Imap, special_use: &str) -> Outcome<Option<String>> {
    let listed = session.expect_ok("LIST \"\" \"*\" RETURN (SPECIAL-USE)")?;
    Ok(listed.untagged.iter().find_map(|line| {
        let line = String::from_utf8_lossy(line);
        let (attributes, rest) = line.split_once(')')?;
        let name = rest.rsplit("\" ").next()?.trim_matches('"');
        attributes
            .split(['(', ' '])
            .any(|word| word == special_use)
            .then(|| name.to_owned())
    }))
}

/// The messages of a mailbox of alice's.
pub(super) fn bodies(subject: &Subject, mailbox: &str) -> Outcome<Vec<Vec<u8>>> {
    let all = Imap::login(subject.listeners.imap, &subject.alice)?.all_messages(mailbox)?;
    Ok(all.into_iter().map(|(_, bytes)| bytes).collect())
}

/// The flags of alice's message with this subject, as sent; `None` when there is no such message.
pub(super) fn flags_of(subject: &Subject, title: &str) -> Outcome<Option<String>> {
    let mut session = Imap::login(subject.listeners.imap, &subject.alice)?;
    session.select("INBOX")?;
    let found = session
        .expect_ok(&format!("UID SEARCH SUBJECT \"{title}\""))?
        .found();
    let Some(uid) = found.first() else {
        return Ok(None);
    };
    let answer = session.expect_ok(&format!("UID FETCH {uid} (FLAGS)"))?;
    Ok(answer.fetched()?.first().map(|items| items.text("FLAGS")))
}

/// Waits until `account` has `count` messages and compares them, order aside, with what was sent: each once,
/// byte for byte, below nothing but trace fields.
pub(super) fn arrived_once(subject: &Subject, account: &Account, sent: &[&[u8]]) -> Outcome {
    let port = subject.listeners.imap;
    eventually(
        ARRIVAL_LIMIT,
        &format!("{} messages arrive", sent.len()),
        || Ok(Imap::login(port, account)?.select("INBOX")? as usize >= sent.len()),
    )?;
    let mut got = Imap::login(port, account)?.all_messages("INBOX")?;
    for want in sent {
        match got
            .iter()
            .position(|(_, bytes)| is_below_trace(bytes, want))
        {
            Some(position) => drop(got.swap_remove(position)),
            None => return failure(format!("altered or missing: {}", title_of(want))),
        }
    }
    if got.is_empty() {
        Ok(())
    } else {
        failure(format!("{} messages too many", got.len()))
    }
}

fn title_of(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message).into_owned();
    text.lines()
        .find(|line| line.to_ascii_lowercase().starts_with("subject:"))
        .unwrap_or("no subject")
        .to_owned()
}

/// Fails unless both hold the same messages, order and line ends aside.
pub(super) fn same_messages<'a>(
    got: impl IntoIterator<Item = &'a [u8]>,
    want: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let mut got: Vec<String> = got
        .into_iter()
        .map(|bytes| sha256(&with_lf(bytes)))
        .collect();
    let mut want: Vec<String> = want
        .into_iter()
        .map(|bytes| sha256(&with_lf(bytes)))
        .collect();
    got.sort();
    want.sort();
    if got == want {
        return Ok(());
    }
    let equal = got.iter().filter(|hash| want.contains(hash)).count();
    failure(format!(
        "{} messages, {equal} of {} identical",
        got.len(),
        want.len()
    ))
}

/// Every message of a Maildir.
pub(super) fn maildir(folder: &Path) -> Outcome<Vec<Vec<u8>>> {
    let mut messages = Vec::new();
    for part in ["cur", "new"] {
        for entry in std::fs::read_dir(folder.join(part))? {
            messages.push(std::fs::read(entry?.path())?);
        }
    }
    Ok(messages)
}
