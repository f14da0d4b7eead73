//! Real LMTP clients: swaks, and Postfix's own load generator smtp-source.

use std::process::Command;
use std::time::Duration;

use super::mailboxes::{arrived_once, empty_inboxes};
use crate::failure::{Outcome, ensure, failure};
use crate::imap::Imap;
use crate::mail::legal_messages;
use crate::process::{require, run as run_program};
use crate::report::Report;
use crate::subject::Subject;

/// How long one program may take.
const RUN_LIMIT: Duration = Duration::from_secs(120);
/// Messages that smtp-source sends.
const SOURCE_MESSAGES: u32 = 200;

/// Runs swaks.
pub(super) fn swaks(subject: &Subject, report: &mut Report) -> Outcome {
    let program = require("swaks")?;
    let port = subject.listeners.lmtp.to_string();
    let recipients = format!("{},{}", subject.alice.address, subject.bob.address);
    for name in ["multipart", "dots", "utf8-8bit"] {
        report.check(&format!("delivers {name} to two recipients"), || {
            empty_inboxes(subject)?;
            let messages = legal_messages()?;
            let Some(message) = messages.into_iter().find(|message| message.name == name) else {
                return failure("no such message");
            };
            let file = subject.work.join("swaks.eml");
            // swaks ends the last line itself.
            let content = message
                .bytes
                .strip_suffix(b"\r\n")
                .unwrap_or(&message.bytes);
            std::fs::write(&file, content)?;
            let mut command = Command::new(&program);
            command.args([
                "--protocol",
                "LMTP",
                "--server",
                "127.0.0.1",
                "--port",
                &port,
            ]);
            command.args([
                "--from",
                "sender@example.org",
                "--to",
                &recipients,
                "--suppress-data",
            ]);
            command.args(["--data", &format!("@{}", file.display())]);
            run_program(&mut command, b"", RUN_LIMIT)?.success()?;
            arrived_once(subject, &subject.alice, &[&message.bytes])?;
            arrived_once(subject, &subject.bob, &[&message.bytes])
        });
    }
    if let Some(path) = &subject.listeners.lmtp_unix {
        report.check("delivers over the Unix socket", || {
            empty_inboxes(subject)?;
            let mut command = Command::new(&program);
            command.args([
                "--protocol",
                "LMTP",
                "--socket",
                &path.to_string_lossy(),
                "--suppress-data",
            ]);
            command.args([
                "--from",
                "sender@example.org",
                "--to",
                &subject.alice.address,
            ]);
            run_program(&mut command, b"", RUN_LIMIT)?.success()?;
            let count = Imap::login(subject.listeners.imap, &subject.alice)?.select("INBOX")?;
            ensure(count == 1, || format!("{count} messages"))
        });
    }
    Ok(())
}

/// Runs smtp-source.
pub(super) fn smtp_source(subject: &Subject, report: &mut Report) -> Outcome {
    let program = require("smtp-source")?;
    report.check("200 messages over 8 sessions, none lost or doubled", || {
        let mut command = Command::new(&program);
        command.args([
            "-L",
            "-s",
            "8",
            "-m",
            &SOURCE_MESSAGES.to_string(),
            "-l",
            "4096",
        ]);
        command.args(["-f", "sender@example.org", "-t", &subject.alice.address]);
        command.arg(format!("127.0.0.1:{}", subject.listeners.lmtp));
        run_program(&mut command, b"", RUN_LIMIT)?.success()?;
        let count = Imap::login(subject.listeners.imap, &subject.alice)?.select("INBOX")?;
        ensure(count == SOURCE_MESSAGES, || format!("{count} messages"))
    });
    Ok(())
}
