//! Every message of the corpus goes in by LMTP and by APPEND and comes back with the same SHA-256; its size,
//! envelope and structure are answered.

use std::path::PathBuf;

use super::mailboxes::special;
use crate::corpus::collect;
use crate::failure::{Failure, Outcome, ensure, shown};
use crate::imap::Imap;
use crate::lmtp::{Lmtp, SENDER};
use crate::mail::{
    Message, difference, is_below_trace, legal_messages, messages_in, own_messages_folder, sha256,
};
use crate::report::Report;
use crate::subject::{Account, Subject};

/// So many messages must come from packages alone.
const FROM_PACKAGES_MIN: usize = 300;
/// And so many when a folder of public mirrors is given.
const WITH_MIRRORS_MIN: usize = 900;
/// The mailbox that APPEND fills.
const MAILBOX: &str = "Corpus";

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    let corpus = collect(&cache_folder())?;
    corpus.sources.iter().for_each(|line| report.note(line));
    let mirrors = std::env::var_os("CORPUS_MIRRORS").is_some();
    let minimum = if mirrors {
        WITH_MIRRORS_MIN
    } else {
        FROM_PACKAGES_MIN
    };
    let collected = corpus.messages.len();
    report.check(
        &format!("{collected} public messages collected, at least {minimum} wanted"),
        || ensure(collected >= minimum, || "too few messages".into()),
    );
    let mut messages = legal_messages()?;
    messages.extend(messages_in(&own_messages_folder().join("awkward"))?);
    messages.extend(some(corpus.messages)?);
    appended(subject, &messages, report)?;
    delivered(subject, &messages, report)
}

/// At most `CORPUS_MAX` messages, from all over the corpus; all of them when the environment says nothing.
fn some(messages: Vec<Message>) -> Outcome<Vec<Message>> {
    let Ok(limit) = std::env::var("CORPUS_MAX") else {
        return Ok(messages);
    };
    let limit: usize = limit.parse()?;
    let step = messages.len().div_ceil(limit.max(1)).max(1);
    Ok(messages.into_iter().step_by(step).collect())
}

/// Downloads are kept here between runs.
fn cache_folder() -> PathBuf {
    let given = std::env::var_os("CORPUS_CACHE").map(PathBuf::from);
    given.unwrap_or_else(|| std::env::temp_dir().join("dragoman-corpus"))
}

fn appended(subject: &Subject, messages: &[Message], report: &mut Report) -> Outcome {
    let port = subject.listeners.imap;
    let mut session = Imap::login(port, &subject.alice)?;
    session.expect_ok(&format!("CREATE {MAILBOX}"))?;
    let mut failures = Vec::new();
    let mut kept = Vec::new();
    for message in messages {
        let answer = session.append(MAILBOX, "", &message.bytes);
        match answer.and_then(|answer| answer.ok()) {
            Ok(answer) => {
                let uid = answer
                    .tagged
                    .split("APPENDUID ")
                    .nth(1)
                    .and_then(second_number);
                kept.push((
                    uid.ok_or_else(|| Failure("APPEND without APPENDUID".into()))?,
                    message,
                ));
            }
            // NUL has no place in a literal (RFC 9051, CHAR8): refusing it is right.
            Err(_) if message.bytes.contains(&0) => {
                report.note(&format!("APPEND refuses a NUL: {}", message.name));
                session = Imap::login(port, &subject.alice)?;
            }
            Err(why) => {
                failures.push(format!("{}: {why}", message.name));
                session = Imap::login(port, &subject.alice)?;
            }
        }
    }
    report.tally("APPEND accepted", messages.len(), &failures);
    read_back(subject, &kept, report)
}

fn second_number(text: &str) -> Option<u32> {
    text.split([' ', ']']).nth(1)?.parse().ok()
}

/// FETCH of each appended message: bytes, size, envelope and structure.
fn read_back(subject: &Subject, kept: &[(u32, &Message)], report: &mut Report) -> Outcome {
    let port = subject.listeners.imap;
    let open = || -> Outcome<Imap> {
        let mut session = Imap::login(port, &subject.alice)?;
        session.select(MAILBOX)?;
        Ok(session)
    };
    let mut session = open()?;
    let (mut bytes, mut facts) = (Vec::new(), Vec::new());
    for (uid, message) in kept {
        if let Err(why) = same_bytes(&mut session, *uid, message) {
            bytes.push(format!("{}: {why}", message.name));
            session = open()?;
        }
        if let Err(why) = has_facts(&mut session, *uid, message) {
            facts.push(format!("{}: {why}", message.name));
            session = open()?;
        }
    }
    report.tally("APPEND, FETCH: same SHA-256", kept.len(), &bytes);
    report.tally(
        "RFC822.SIZE, ENVELOPE and BODYSTRUCTURE",
        kept.len(),
        &facts,
    );
    Ok(())
}

fn same_bytes(session: &mut Imap, uid: u32, message: &Message) -> Outcome {
    let answer = session.expect_ok(&format!("UID FETCH {uid} (BODY.PEEK[])"))?;
    let items = answer.fetched()?;
    let body = items.iter().find_map(|items| items.bytes("BODY[]"));
    let body = body.ok_or_else(|| Failure("no BODY[]".into()))?;
    ensure(same(&body, &message.bytes), || {
        difference(&body, &message.bytes)
    })
}

/// Equal by SHA-256. NUL cannot travel in an IMAP literal, so a server may show it as another octet.
fn same(got: &[u8], want: &[u8]) -> bool {
    if sha256(got) == sha256(want) {
        return true;
    }
    let shown = |(got, want): (&u8, &u8)| got == want || *want == 0;
    want.contains(&0) && got.len() == want.len() && got.iter().zip(want).all(shown)
}

fn has_facts(session: &mut Imap, uid: u32, message: &Message) -> Outcome {
    let answer = session.expect_ok(&format!(
        "UID FETCH {uid} (RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
    ))?;
    let all = answer.fetched()?;
    let items = all.first().ok_or_else(|| Failure("no FETCH".into()))?;
    let size = items.number("RFC822.SIZE");
    ensure(size == Some(message.bytes.len() as u64), || {
        format!("RFC822.SIZE {size:?}, want {}", message.bytes.len())
    })?;
    for name in ["ENVELOPE", "BODYSTRUCTURE"] {
        let value = items.text(name);
        ensure(value.starts_with('(') && value.ends_with(')'), || {
            format!("{name} {}", shown(value.as_bytes(), 200))
        })?;
    }
    Ok(())
}

fn delivered(subject: &Subject, messages: &[Message], report: &mut Report) -> Outcome {
    let account = &subject.bob;
    let mut session = Lmtp::connect(subject.listeners.lmtp)?;
    let (mut refused, mut sent) = (Vec::new(), Vec::new());
    for message in messages {
        match send(&mut session, account, &message.bytes) {
            Ok(()) => sent.push(message),
            Err(why) => {
                refused.push(format!("{}: {why}", message.name));
                session = Lmtp::connect(subject.listeners.lmtp)?;
            }
        }
    }
    report.tally("LMTP accepted", messages.len(), &refused);
    let got = everything(subject, account)?;
    let total = sent.len();
    report.check("LMTP: once each", || {
        ensure(got.len() == sent.len(), || {
            format!("{} sent, {} arrived", sent.len(), got.len())
        })
    });
    let arrived: Vec<Vec<u8>> = got.iter().map(|(_, bytes)| visible(bytes)).collect();
    let mut altered = Vec::new();
    for message in sent {
        let want = visible(&message.bytes);
        if !arrived.iter().any(|got| is_below_trace(got, &want)) {
            altered.push(format!("{}: not among what arrived", message.name));
        }
    }
    report.tally("LMTP, FETCH: same SHA-256", total, &altered);
    Ok(())
}

/// What is in INBOX, and in the mailbox for junk: mail that carries a spam filter's verdict may be filed there.
fn everything(subject: &Subject, account: &Account) -> Outcome<Vec<(u32, Vec<u8>)>> {
    let mut session = Imap::login(subject.listeners.imap, account)?;
    let mut messages = session.all_messages("INBOX")?;
    if let Some(name) = special(&mut session, "\\Junk")? {
        messages.extend(session.all_messages(&name)?);
    }
    Ok(messages)
}

/// NUL and what a server shows in its place (0x80) made equal.
fn visible(message: &[u8]) -> Vec<u8> {
    message
        .iter()
        .map(|byte| if *byte == 0 { 0x80 } else { *byte })
        .collect()
}

fn send(session: &mut Lmtp, account: &Account, message: &[u8]) -> Outcome {
    session
        .deliver(SENDER, &[&account.address], message)?
        .all_delivered()
}
