//! CPython's poplib through a full client life: `clients/poplib_flow.py`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::port;
use crate::failure::{Outcome, ensure};
use crate::mail::Message;
use crate::process::{require, run as run_program};
use crate::report::Report;
use crate::subject::Subject;

/// How long the whole flow may take.
const FLOW_LIMIT: Duration = Duration::from_secs(120);
/// A flow that stops early has failed, whatever it printed: it makes at least so many checks.
const CHECKS_MIN: usize = 15;

/// Runs the checks.
pub(super) fn run(subject: &Subject, messages: &[Message], report: &mut Report) -> Outcome {
    let folder = subject.work.join("sent");
    std::fs::create_dir_all(&folder)?;
    for (number, message) in (1..).zip(messages) {
        std::fs::write(folder.join(format!("{number}.eml")), &message.bytes)?;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/poplib_flow.py");
    let mut command = Command::new(require("python3")?);
    let tls = subject.listeners.pop3s.unwrap_or_default();
    command
        .arg(script)
        .arg(port(subject)?.to_string())
        .arg(tls.to_string());
    command
        .args([&subject.alice.address, &subject.alice.password])
        .arg(&folder);
    let finished = run_program(&mut command, b"", FLOW_LIMIT)?;
    let text = String::from_utf8_lossy(&finished.output).into_owned();
    text.lines().for_each(|line| report.adopt(line));
    let checks = text
        .lines()
        .filter(|line| line.starts_with("  ok   "))
        .count();
    report.check("poplib: the flow ran to its end", || {
        finished.success()?;
        ensure(checks >= CHECKS_MIN, || format!("only {checks} checks"))
    });
    Ok(())
}
