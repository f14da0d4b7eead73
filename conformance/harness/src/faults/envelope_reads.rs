//! Sizes, envelopes and structures of a large mailbox come without one read of a segment file.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::Effort;
use crate::failure::{Failure, Outcome, ensure};
use crate::imap::Imap;
use crate::load::{DeliveryLoad, Target, deliver};
use crate::process::{eventually, require, signal, wait};
use crate::report::Report;
use crate::subject::{Kind, Options, Subject};

/// Connections that fill the mailbox.
const CONNECTIONS: usize = 8;
/// Size of each message, in bytes: small ones may live beside their properties, these are for the segments.
const SIZE: usize = 12_000;
/// How long attaching and detaching may take.
const ATTACH_LIMIT: Duration = Duration::from_secs(20);
/// Calls by which file contents reach a process.
const READS: &str =
    "trace=openat,read,pread64,readv,preadv,preadv2,mmap,sendfile,copy_file_range,splice";

/// Runs the group.
pub(super) fn run(kind: &Kind, effort: &Effort, report: &mut Report) -> Outcome {
    let mut subject = Subject::start(kind, Options::default())?;
    let target = Target {
        imap: subject.listeners.imap,
        pop3: None,
        lmtp: subject.listeners.lmtp,
        user: subject.alice.address.clone(),
        recipient: subject.alice.address.clone(),
        password: subject.alice.password.clone(),
        roots: Vec::new(),
    };
    deliver(
        &target,
        DeliveryLoad {
            connections: CONNECTIONS,
            messages: effort.messages,
            size: SIZE,
        },
    )?;
    // A fresh process has nothing in its caches.
    subject.stop()?;
    subject.run()?;
    report.check(
        &format!(
            "size, envelope and structure of {} messages",
            effort.messages
        ),
        || {
            let reads = segment_reads(
                &subject,
                "UID FETCH 1:* (RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
                effort.messages,
            )?;
            ensure(reads.is_empty(), || {
                format!(
                    "{} reads, as {}",
                    reads.len(),
                    reads.first().cloned().unwrap_or_default()
                )
            })
        },
    );
    report.check(
        "the trace would show such a read: a body causes some",
        || {
            let reads = segment_reads(&subject, "UID FETCH 1 (BODY.PEEK[])", 1)?;
            ensure(!reads.is_empty(), || "no read seen".into())
        },
    );
    subject.clean_up()
}

/// Runs one FETCH while strace watches; returns the calls that touched a segment file.
fn segment_reads(subject: &Subject, command: &str, answers: usize) -> Outcome<Vec<String>> {
    let mut session = Imap::login(subject.listeners.imap, &subject.alice)?;
    session.select("INBOX")?;
    let log = subject.work.join("reads.trace");
    let pid = subject
        .pid()
        .ok_or_else(|| Failure("no process to trace".into()))?;
    let mut tracer = attach(pid, &log)?;
    let mut seen = 0;
    session.stream(command, &mut |_| seen += 1)?;
    signal(tracer.id(), "INT")?;
    wait(&mut tracer, ATTACH_LIMIT)?;
    ensure(seen >= answers, || {
        format!("{seen} answers, want {answers}")
    })?;
    let trace = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    let touches = |line: &&str| line.contains("/segments/") && !line.contains(".sqlite");
    Ok(trace.lines().filter(touches).map(str::to_owned).collect())
}

fn attach(pid: u32, log: &std::path::Path) -> Outcome<Child> {
    let mut command = Command::new(require("strace")?);
    command
        .args(["-f", "-qq", "-y", "-e", READS, "-o"])
        .arg(log)
        .args(["-p", &pid.to_string()]);
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    eventually(ATTACH_LIMIT, "strace attaches to every thread", || {
        for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
            let status = std::fs::read_to_string(task?.path().join("status"))?;
            if status.lines().any(|line| {
                line.strip_prefix("TracerPid:")
                    .is_some_and(|id| id.trim() == "0")
            }) {
                return Ok(false);
            }
        }
        Ok(true)
    })?;
    Ok(child)
}
