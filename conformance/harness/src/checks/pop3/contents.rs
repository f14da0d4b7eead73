//! What no program should send and somebody does: it comes as it was delivered, and ends where it ends.

use super::port;
use crate::failure::{Outcome, ensure, failure};
use crate::imap::Imap;
use crate::mail::{difference, messages_in, own_messages_folder};
use crate::pop3::Pop3;
use crate::report::Report;
use crate::subject::{Kind, Subject};

/// Runs the checks.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    if subject.kind == Kind::Dovecot {
        // It stores such messages in its own way.
        return Ok(());
    }
    let mut messages = messages_in(&own_messages_folder().join("awkward"))?;
    let mut imap = Imap::login(subject.listeners.imap, &subject.alice)?;
    imap.empty("INBOX")?;
    messages.retain(|message| {
        imap.append("INBOX", "", &message.bytes)
            .is_ok_and(|answer| answer.is_ok())
    });
    let mut session = Pop3::login(port(subject)?, &subject.alice)?;
    let sizes = session.lines("LIST")?;
    let mut failures = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let number = index + 1;
        let outcome = compare(&mut session, number, sizes.get(index), &message.bytes);
        failures.extend(outcome.err().map(|why| format!("{}: {why}", message.name)));
    }
    report.tally(
        "awkward messages, every byte and every size",
        messages.len(),
        &failures,
    );
    session.command("QUIT").map(|_| ())
}

fn compare(session: &mut Pop3, number: usize, size: Option<&String>, want: &[u8]) -> Outcome {
    let got = session.content(&format!("RETR {number}"))?;
    let end: &[u8] = if want.ends_with(b"\r\n") {
        b""
    } else {
        b"\r\n"
    };
    if got != [want, end].concat() {
        return failure(difference(&got, want));
    }
    ensure(size == Some(&format!("{number} {}", got.len())), || {
        format!("LIST says {size:?}, RETR brings {}", got.len())
    })
}
