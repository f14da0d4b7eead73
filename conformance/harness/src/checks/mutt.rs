//! mutt in batch: opens the mailbox, copies everything, flags, deletes.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::mailboxes::{filled_inbox, flags_of, maildir, same_messages};
use crate::failure::{Outcome, ensure};
use crate::mail::{Message, with_lf};
use crate::process::{require, run as run_program};
use crate::report::Report;
use crate::subject::Subject;

/// How long one sitting may take.
const SITTING_LIMIT: Duration = Duration::from_secs(90);
/// Fields that mutt writes into the copies it stores.
const OWN_FIELDS: [&str; 4] = ["Status: ", "X-Status: ", "Content-Length: ", "Lines: "];

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    let sitting = Sitting::prepare(subject)?;
    report.check(
        "opens INBOX and copies all to a Maildir, bytes equal",
        || sitting.copy_all(),
    );
    report.check("flags one message and deletes another", || {
        sitting.flag_and_delete()
    });
    Ok(())
}

struct Sitting<'a> {
    subject: &'a Subject,
    messages: Vec<Message>,
    folder: PathBuf,
}

impl<'a> Sitting<'a> {
    fn prepare(subject: &'a Subject) -> Outcome<Self> {
        require("mutt")?;
        let messages = filled_inbox(subject)?;
        let folder = subject.work.join("mutt");
        std::fs::create_dir_all(&folder)?;
        let url = format!("imap://127.0.0.1:{}/", subject.listeners.imap);
        let settings = [
            format!("set imap_user=\"{}\"", subject.alice.address),
            format!("set imap_pass=\"{}\"", subject.alice.password),
            format!("set folder=\"{url}\""),
            format!("set spoolfile=\"{url}INBOX\""),
            format!("set tmpdir={}", folder.display()),
            format!("set header_cache=\"{}/cache\"", folder.display()),
            "set ssl_starttls=no\nset ssl_force_tls=no\nset imap_authenticators=\"login\"\nset record=\"\"\nset move=no".into(),
            "set confirmcreate=no\nset confirmappend=no\nset delete=yes\nset quit=yes\nset wait_key=no".into(),
            "set imap_check_subscribed=no\nset copy=no\nset mark_old=no\nset sort=mailbox-order\nset mbox_type=Maildir\n".into(),
        ];
        std::fs::write(folder.join("muttrc"), settings.join("\n"))?;
        Ok(Self {
            subject,
            messages,
            folder,
        })
    }

    /// mutt wants a terminal: `script` gives it one.
    fn keys(&self, keys: &str) -> Outcome {
        let mut command = Command::new(require("script")?);
        let muttrc = self.folder.join("muttrc");
        command.args([
            "-qec",
            &format!("mutt -n -F {} -e 'push \"{keys}\"'", muttrc.display()),
            "/dev/null",
        ]);
        command
            .env("HOME", &self.folder)
            .env("TERM", "xterm")
            .env("LC_ALL", "C.UTF-8");
        run_program(&mut command, b"", SITTING_LIMIT).map(|_| ())
    }

    fn copy_all(&self) -> Outcome {
        let copies = self.folder.join("copies");
        self.keys(&format!(
            "<tag-pattern>~A<enter><tag-prefix><copy-message>{}<enter><quit>",
            copies.display()
        ))?;
        let got: Vec<Vec<u8>> = maildir(&copies)?
            .iter()
            .map(|bytes| tidied(bytes))
            .collect();
        let want: Vec<Vec<u8>> = self
            .messages
            .iter()
            .map(|message| tidied(&message.bytes))
            .collect();
        same_messages(
            got.iter().map(Vec::as_slice),
            want.iter().map(Vec::as_slice),
        )
    }

    fn flag_and_delete(&self) -> Outcome {
        self.keys("<limit>~s dots<enter><flag-message><limit>~s latin1<enter><delete-message><limit>all<enter><sync-mailbox><quit>")?;
        let flags = flags_of(self.subject, "dots")?.unwrap_or_default();
        ensure(flags.contains("\\Flagged"), || format!("flags {flags}"))?;
        ensure(flags_of(self.subject, "latin1")?.is_none(), || {
            "not deleted".into()
        })
    }
}

/// LF line ends, without mutt's own fields, with one LF at the end: mutt stores copies so.
pub(super) fn tidied(message: &[u8]) -> Vec<u8> {
    let text = with_lf(message);
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if !OWN_FIELDS
            .iter()
            .any(|field| line.starts_with(field.as_bytes()))
        {
            out.extend_from_slice(line);
        }
    }
    while out.ends_with(b"\n") {
        out.pop();
    }
    out.push(b'\n');
    out
}
