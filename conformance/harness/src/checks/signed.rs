//! DKIM, PGP/MIME and S/MIME after submission, queue, LMTP, store and IMAP: `clients/signed_mail.py`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::failure::{Failure, Outcome, ensure};
use crate::process::{require, run as run_program};
use crate::report::Report;
use crate::subject::Subject;

/// The Python that Debian's packages are for.
const PYTHON: &str = "/usr/bin/python3";
/// How long everything may take.
const LIMIT: Duration = Duration::from_secs(300);
/// Eight kinds of messages by two ways.
const CHECKS: usize = 16;

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    let none = || Failure("the subject takes no submissions".into());
    let submission = subject.listeners.submission.ok_or_else(none)?;
    for program in ["gpg", "openssl"] {
        require(program)?;
    }
    let folder = subject.work.join("signed");
    std::fs::create_dir_all(&folder)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/signed_mail.py");
    let mut command = Command::new(PYTHON);
    command.arg(script);
    for port in [subject.listeners.imap, submission, subject.listeners.lmtp] {
        command.arg(port.to_string());
    }
    for account in [&subject.alice, &subject.bob] {
        command.args([&account.address, &account.password]);
    }
    let finished = run_program(command.arg(&folder), b"", LIMIT)?;
    let text = String::from_utf8_lossy(&finished.output).into_owned();
    text.lines().for_each(|line| report.adopt(line));
    let checks = text
        .lines()
        .filter(|line| line.starts_with("  ok   ") || line.starts_with("  FAIL "))
        .count();
    report.check("all were checked", || {
        finished.success()?;
        ensure(checks == CHECKS, || format!("{checks} checks"))
    });
    Ok(())
}
