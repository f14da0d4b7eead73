//! CPython's imaplib through a full client life: `clients/imaplib_flow.py`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::failure::{Outcome, ensure};
use crate::mail::legal_messages;
use crate::process::{require, run as run_program};
use crate::report::Report;
use crate::subject::Subject;

/// How long the whole flow may take.
const FLOW_LIMIT: Duration = Duration::from_secs(300);
/// A flow that stops early has failed, whatever it printed: it makes more checks than this.
const CHECKS_MIN: usize = 90;

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    let folder = subject.work.join("messages");
    std::fs::create_dir_all(&folder)?;
    for message in legal_messages()? {
        std::fs::write(folder.join(format!("{}.eml", message.name)), message.bytes)?;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/imaplib_flow.py");
    let mut command = Command::new(require("python3")?);
    command.arg(script).arg(subject.listeners.imap.to_string());
    command
        .args([&subject.alice.address, &subject.alice.password])
        .arg(&folder);
    let finished = run_program(&mut command, b"", FLOW_LIMIT)?;
    let text = String::from_utf8_lossy(&finished.output).into_owned();
    text.lines().for_each(|line| report.adopt(line));
    let checks = text
        .lines()
        .filter(|line| line.starts_with("  ok   ") || line.starts_with("  FAIL "))
        .count();
    report.check("the flow ran to its end", || {
        finished.success()?;
        ensure(checks > CHECKS_MIN, || format!("only {checks} checks"))
    });
    Ok(())
}
