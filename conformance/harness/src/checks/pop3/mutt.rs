//! mutt with a POP3 mailbox: opens it and copies everything, in several sittings.

use std::process::Command;
use std::time::Duration;

use super::port;
use crate::checks::mailboxes::{maildir, same_messages};
use crate::checks::mutt::tidied;
use crate::failure::Outcome;
use crate::mail::Message;
use crate::process::{require, run as run_program};
use crate::report::Report;
use crate::subject::Subject;

/// How long one sitting may take.
const SITTING_LIMIT: Duration = Duration::from_secs(90);

/// Runs the checks.
pub(super) fn run(subject: &mut Subject, messages: &[Message], report: &mut Report) -> Outcome {
    require("mutt")?;
    report.check("mutt: copies all to a Maildir, bytes equal", || {
        copied(subject, "first", messages)
    });
    subject.stop()?;
    subject.run()?;
    report.check("mutt: the same bytes after a restart", || {
        copied(subject, "second", messages)
    });
    Ok(())
}

fn copied(subject: &Subject, name: &str, messages: &[Message]) -> Outcome {
    let folder = subject.work.join("mutt");
    std::fs::create_dir_all(folder.join("cache"))?;
    let settings = [
        format!("set pop_user=\"{}\"", subject.alice.address),
        format!("set pop_pass=\"{}\"", subject.alice.password),
        format!("set spoolfile=\"pop://127.0.0.1:{}/\"", port(subject)?),
        // It would ask whether to make one, and take the keys for the answer.
        format!("set folder={}", folder.display()),
        format!("set tmpdir={}", folder.display()),
        format!("set header_cache=\"{}/headers\"", folder.display()),
        format!("set message_cachedir=\"{}/cache\"", folder.display()),
        "set ssl_starttls=no\nset ssl_force_tls=no\nset pop_delete=no\nset record=\"\"\nset move=no".into(),
        "set confirmcreate=no\nset confirmappend=no\nset delete=no\nset quit=yes\nset wait_key=no".into(),
        "set copy=no\nset mark_old=no\nset sort=mailbox-order\nset mbox_type=Maildir\n".into(),
    ];
    let file = folder.join("muttrc");
    std::fs::write(&file, settings.join("\n"))?;
    let copies = folder.join(name);
    let keys = format!(
        "<tag-pattern>~A<enter><tag-prefix><copy-message>{}<enter><quit>",
        copies.display()
    );
    // mutt wants a terminal: `script` gives it one.
    let mut command = Command::new(require("script")?);
    command.args([
        "-qec",
        &format!("mutt -n -F {} -e 'push \"{keys}\"'", file.display()),
        "/dev/null",
    ]);
    command
        .env("HOME", &folder)
        .env("TERM", "xterm")
        .env("LC_ALL", "C.UTF-8");
    run_program(&mut command, b"", SITTING_LIMIT)?;
    let got = maildir(&copies)?;
    let got: Vec<Vec<u8>> = got.iter().map(|bytes| tidied(bytes)).collect();
    let want: Vec<Vec<u8>> = messages
        .iter()
        .map(|message| tidied(&message.bytes))
        .collect();
    same_messages(
        got.iter().map(Vec::as_slice),
        want.iter().map(Vec::as_slice),
    )
}
