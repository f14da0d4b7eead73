//! POP3 with the programs that fetch mail by it: the same bytes and the same names over many sessions and a restart.

mod contents;
mod curl;
mod fetchers;
mod mutt;
mod poplib;

use std::collections::BTreeMap;

use super::mailboxes::filled_inbox;
use crate::failure::{Failure, Outcome, ensure};
use crate::mail::sha256;
use crate::pop3::Pop3;
use crate::report::Report;
use crate::subject::{Options, Subject};

/// Sessions over which nothing may change; a restart lies in the middle.
const SESSIONS: usize = 20;

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    // A server of its own, for it is restarted.
    let mut own = Subject::start(&subject.kind, Options::default())?;
    let outcome = checks(&mut own, report);
    own.clean_up()?;
    outcome
}

fn checks(subject: &mut Subject, report: &mut Report) -> Outcome {
    let messages = filled_inbox(subject)?;
    stable(subject, report)?;
    curl::run(subject, &messages, report)?;
    mutt::run(subject, &messages, report)?;
    poplib::run(subject, &messages, report)?;
    fetchers::run(subject, &messages, report)?;
    contents::run(subject, report)
}

/// Where the subject speaks POP3 without TLS.
fn port(subject: &Subject) -> Outcome<u16> {
    let none = || Failure("the subject has no POP3 listener".into());
    subject.listeners.pop3.ok_or_else(none)
}

/// Names and digests of all messages, by name.
fn names(subject: &Subject) -> Outcome<BTreeMap<String, String>> {
    let mut session = Pop3::login(port(subject)?, &subject.alice)?;
    let mut names = BTreeMap::new();
    for line in session.lines("UIDL")? {
        let (number, name) = line.split_once(' ').unwrap_or_default();
        let bytes = session.content(&format!("RETR {number}"))?;
        let size = session.command(&format!("LIST {number}"))?;
        ensure(size == format!("{number} {}", bytes.len()), || {
            format!("LIST says {size}, RETR brings {}", bytes.len())
        })?;
        names.insert(name.to_owned(), sha256(&bytes));
    }
    session.command("QUIT")?;
    Ok(names)
}

fn stable(subject: &mut Subject, report: &mut Report) -> Outcome {
    let first = names(subject);
    let same = |subject: &Subject, sessions: usize| -> Outcome {
        let first = first.as_ref().map_err(|why| Failure(why.0.clone()))?;
        for session in 0..sessions {
            ensure(names(subject)? == *first, || {
                format!("session {session} differs")
            })?;
        }
        Ok(())
    };
    report.check("names and bytes are the same in every session", || {
        same(subject, SESSIONS / 2)
    });
    subject.stop()?;
    subject.run()?;
    report.check("names and bytes are the same after a restart", || {
        same(subject, SESSIONS / 2)
    });
    Ok(())
}
