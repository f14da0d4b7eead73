//! Submission beside Postfix: how fast messages get into a durable queue, and how much memory a large one takes.
//!
//! Neither server can hand its messages on meanwhile, so nothing but taking them is measured. Postfix needs no login.

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use super::{machine, say};
use crate::failure::{Context, Failure, Outcome, failure};
use crate::imap::Imap;
use crate::lmtp::dot_stuffed;
use crate::load::{Profile, message, quantile};
use crate::postfix::{self, Postfix};
use crate::process::{eventually, free_port};
use crate::smtp::Smtp;
use crate::subject::{Account, Kind, Options, Subject};

/// Sessions at once.
const SESSIONS: usize = 8;
/// Messages a round, over all sessions.
const MESSAGES: usize = 2000;
/// Octets of a message, about.
const SIZE: usize = 4096;
/// Octets of the large message.
const LARGE: usize = 50 << 20;
/// How long the large one may take.
const LARGE_LIMIT: Duration = Duration::from_secs(120);
/// The heading of the section.
const HEADING: &str = "## Submission";

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How often each server is measured.
    pub rounds: usize,
    /// The page whose section is written; `None` writes none.
    pub page: Option<std::path::PathBuf>,
}

/// Measures, says the figures, and writes the section of the page.
pub fn run(plan: &Plan) -> Outcome {
    let subject = subject()?;
    let settings = Plan::postfix_settings();
    let postfix = Postfix::start(&subject.work.join("postfix"), settings)?;
    let port = subject.listeners.submission.unwrap_or_default();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..plan.rounds as u64 {
        ours.push(rate(
            (port, Some(&subject.alice)),
            &subject.alice.address,
            round,
        )?);
        theirs.push(rate((postfix.port, None), &subject.alice.address, round)?);
    }
    let memory = large(&subject, port).during("the large message")?;
    let section = section(&mut ours, &mut theirs, memory, plan.rounds);
    say(&section);
    postfix.stop()?;
    subject.clean_up()?;
    match &plan.page {
        Some(path) => write(path, &section),
        None => Ok(()),
    }
}

impl Plan {
    /// What it takes stays in its queue.
    const fn postfix_settings() -> postfix::Plan<'static> {
        postfix::Plan {
            domain: "other.test",
            transport: "inet:127.0.0.1:9",
            settings: "defer_transports = lmtp\n",
        }
    }
}

fn subject() -> Outcome<Subject> {
    let kind = Kind::from_environment()?;
    if !matches!(kind, Kind::Dragoman { .. }) {
        return failure("only Dragoman is measured beside Postfix");
    }
    // Nobody listens where mail for others goes.
    let nowhere = free_port()?;
    let settings = [
        "outbound.server.nowhere.host=127.0.0.1".to_owned(),
        format!("outbound.server.nowhere.port={nowhere}"),
        "outbound.server.nowhere.tls=none".to_owned(),
    ];
    let options = Options {
        settings: settings.into(),
        ..Options::default()
    };
    Subject::start(&kind, options)
}

/// Messages a second.
fn rate((port, account): (u16, Option<&Account>), sender: &str, round: u64) -> Outcome<f64> {
    let barrier = Arc::new(Barrier::new(SESSIONS + 1));
    let mut clients = Vec::new();
    for session in 0..SESSIONS as u64 {
        let mut client = match account {
            Some(account) => Smtp::login(port, account)?,
            None => Smtp::connect(port)?,
        };
        let messages: Vec<Vec<u8>> = (0..(MESSAGES / SESSIONS) as u64)
            .map(|index| {
                let body = message(round, session * 1_000_000 + index, Profile::Fixed(SIZE));
                dot_stuffed(&from(sender, &body))
            })
            .collect();
        let (barrier, sender) = (Arc::clone(&barrier), sender.to_owned());
        clients.push(std::thread::spawn(move || -> Outcome {
            barrier.wait();
            messages
                .iter()
                .try_for_each(|stuffed| client.transact(&sender, &["bob@other.test"], stuffed))
        }));
    }
    barrier.wait();
    let began = Instant::now();
    for client in clients {
        let panicked = |_| Failure("a client panicked".into());
        client.join().map_err(panicked)??;
    }
    Ok(MESSAGES as f64 / began.elapsed().as_secs_f64())
}

/// A message in a sender's name.
fn from(sender: &str, message: &[u8]) -> Vec<u8> {
    let mut named = format!("From: {sender}\r\n").into_bytes();
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        if !line.starts_with(b"From:") {
            named.extend_from_slice(line);
        }
    }
    named
}

/// By how much the server's memory grows at most while a large message goes through it, in MiB.
fn large(subject: &Subject, port: u16) -> Outcome<f64> {
    let status = format!("/proc/{}", subject.pid().unwrap_or_default());
    let (alice, bob) = (&subject.alice, &subject.bob);
    let send = |body: &[u8]| -> Outcome {
        let head = format!("From: {}\r\nSubject: large\r\n\r\n", alice.address);
        let text = [head.as_bytes(), body].concat();
        Smtp::login(port, alice)?.transact(&alice.address, &[&bob.address], &dot_stuffed(&text))
    };
    let arrived = |count: u32| {
        eventually(LARGE_LIMIT, "the message arrives", || {
            Ok(Imap::login(subject.listeners.imap, bob)?.select("INBOX")? == count)
        })
    };
    // What a first message takes for good is not counted.
    send(b"small\r\n")?;
    arrived(1)?;
    std::fs::write(format!("{status}/clear_refs"), "5")?;
    let before = mebibytes(&status, "VmRSS:")?;
    let line = [&[b'x'; 76][..], b"\r\n"].concat();
    send(&line.repeat(LARGE / line.len()))?;
    arrived(2)?;
    Ok(mebibytes(&status, "VmHWM:")? - before)
}

fn mebibytes(process: &str, name: &str) -> Outcome<f64> {
    let status = std::fs::read_to_string(format!("{process}/status"))?;
    let found = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = found.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    let none = || Failure(format!("{name} is not in {process}/status"));
    Ok(kib.ok_or_else(none)? / 1024.0)
}

fn section(ours: &mut [f64], theirs: &mut [f64], memory: f64, rounds: usize) -> String {
    let shown = |values: &mut [f64]| {
        values.sort_by(f64::total_cmp);
        let (least, most) = (values.first(), values.last());
        let median = quantile(values, 0.5);
        let bounds = (
            least.copied().unwrap_or_default(),
            most.copied().unwrap_or_default(),
        );
        (
            median,
            format!("{median:.0} [{:.0} .. {:.0}]", bounds.0, bounds.1),
        )
    };
    let ((ours, ours_shown), (theirs, theirs_shown)) = (shown(ours), shown(theirs));
    format!(
        "{HEADING}\n\nWritten by `cargo xtask bench submission`: into a durable queue, {SESSIONS} sessions, {MESSAGES} messages of {SIZE} octets, Dragoman \
         (with a login for each session) and Postfix in turn. Medians of {rounds} rounds.\n\n{}\n\n| what | dragoman | postfix | ratio |\n|---|---|---|---|\n\
         | messages a second | {ours_shown} | {theirs_shown} | {:.2} |\n\
         | growth of memory while 50 MiB pass submission, queue and delivery, MiB | {memory:.1} | | |\n",
        machine(),
        ours / theirs
    )
}

/// Puts the section in the place of the one before, or at the end.
fn write(path: &std::path::Path, section: &str) -> Outcome {
    let page = std::fs::read_to_string(path).during(path.display())?;
    let begin = page.find(HEADING).unwrap_or(page.len());
    let (before, rest) = page.split_at_checked(begin).unwrap_or((&page, ""));
    let after = rest.get(1..).and_then(|rest| rest.find("\n## "));
    let after = after.and_then(|at| rest.get(at + 2..)).unwrap_or_default();
    let gap = if after.is_empty() { "" } else { "\n" };
    let before = before.trim_end();
    std::fs::write(path, format!("{before}\n\n{section}{gap}{after}")).during(path.display())
}
