//! A mailbox on an Exchange server beside the same messages in the embedded store, in one gateway: what opening it for
//! the first time takes, what is as fast afterwards, what changes cost in requests, how soon an idle client hears.
//!
//! The server is the stand-in, a process of its own, which counts what it is asked.

mod page;
mod standin;
mod twin;

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{machine, say};
use crate::failure::{Context, Failure, Outcome, ensure, failure};
use crate::imap::{Imap, Literals};
use crate::load::{FetchItemsKind, Latencies, Target, fetch, memory, quantile};
use crate::process::{eventually, run as run_program};
use crate::subject::{Account, Kind, Options, Subject};
use page::Figures;
use standin::Standin;

/// Fetches of which the best counts.
const FETCH_RUNS: usize = 4;
/// How many messages are marked as read at once.
const MARKED: u32 = 10_000;
/// How many messages change at once.
const CHANGES: u32 = 10;
/// Messages an idle client waits for.
const IDLE_SAMPLES: usize = 100;
/// How long one of them may take.
const EXISTS_LIMIT: Duration = Duration::from_secs(20);
/// How long making the bytes of all messages may take.
const CONVERSION_LIMIT: Duration = Duration::from_secs(3600);
/// How long the gateway may go on asking after everything is there.
const QUIET_LIMIT: Duration = Duration::from_secs(60);
/// For how long it must not have asked to be quiet.
const QUIET_FOR: Duration = Duration::from_secs(2);

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many messages the Inbox has.
    pub messages: u32,
    /// How often the index is read.
    pub rounds: usize,
    /// The page whose section is written; `None` writes none.
    pub page: Option<PathBuf>,
}

/// Measures, says the figures, and writes the section of the page.
pub fn run(plan: &Plan) -> Outcome {
    let mut figures = Figures::default();
    let standin = Standin::start()?;
    standin.fill(plan.messages)?;
    for _ in 0..plan.rounds {
        let pass = standin.index_pass()?;
        figures.alone("index pass alone, s", pass.seconds);
        figures.alone("index pass alone, requests", pass.requests);
    }
    let mut subject = None;
    for _ in 0..plan.rounds {
        drop(subject.take());
        subject = Some(first_index(&standin, plan.messages, &mut figures)?);
    }
    let Some(mut subject) = subject else {
        return failure("no round, no figures");
    };
    standin.quiet(QUIET_FOR, QUIET_LIMIT)?;
    figures.alone("memory after the index, MiB resident", resident(&subject));
    costs(&standin, &subject, &mut figures)?;
    convert(&mut subject, plan.messages, &mut figures)?;
    twin::copy(&subject, &remote(), plan.messages)?;
    side_by_side(&subject, &mut figures)?;
    idle(&standin, &subject, &mut figures)?;
    figures.alone("memory after all, MiB resident", resident(&subject));
    let violations = standin.violations()?;
    ensure(violations == "[]", || violations)?;
    let section = figures.section(&machine(), plan);
    say(&section);
    subject.clean_up()?;
    match &plan.page {
        Some(path) => page::replace(path, &section).during(path.display()),
        None => Ok(()),
    }
}

/// Whose mailbox is on the server.
fn remote() -> Account {
    Account {
        address: "alice@exchange.test".into(),
        password: "secret-alice".into(),
    }
}

/// How the gateway is started: with messages made in advance as fast as it goes, or not at all.
fn settings(standin: &Standin, render_ahead: bool) -> Vec<String> {
    vec![
        "exchange.main.domains=[\"exchange.test\"]".into(),
        format!("exchange.main.autodiscover={}", standin.autodiscover()),
        format!("exchange.main.render_ahead={render_ahead}"),
        "exchange.main.render_ahead_per_s=1000000".into(),
    ]
}

/// A gateway that has never seen the mailbox, until its Inbox can be selected.
fn first_index(standin: &Standin, messages: u32, figures: &mut Figures) -> Outcome<Subject> {
    let options = Options {
        settings: settings(standin, false),
        ..Options::default()
    };
    let subject = Subject::start(&Kind::from_environment()?, options)?;
    standin.reset_counters()?;
    let started = Instant::now();
    let mut session = Imap::login(subject.listeners.imap, &remote())?;
    let exists = session.select("INBOX")?;
    figures.alone("login and first SELECT, s", started.elapsed().as_secs_f64());
    ensure(exists == messages, || {
        format!("{exists} messages, want {messages}")
    })?;
    let counters = standin.counters()?;
    figures.alone("login and first SELECT, requests", counters.requests);
    figures.alone("login and first SELECT, MB", counters.octets / 1e6);
    Ok(subject)
}

/// What things cost in requests.
fn costs(standin: &Standin, subject: &Subject, figures: &mut Figures) -> Outcome {
    let mut session = Imap::login(subject.listeners.imap, &remote())?;
    standin.reset_counters()?;
    session.select("INBOX")?;
    let opened = standin.counters()?;
    figures.alone("SELECT of a mirrored folder, requests", opened.requests);

    let marked = |session: &mut Imap, change: &str| {
        session.expect_ok(&format!("STORE 1:{MARKED} {change}.SILENT (\\Seen)"))
    };
    marked(&mut session, "-FLAGS")?;
    standin.quiet(QUIET_FOR, QUIET_LIMIT)?;
    standin.reset_counters()?;
    let started = Instant::now();
    marked(&mut session, "+FLAGS")?;
    figures.alone(
        "\\Seen on 10,000 messages, s",
        started.elapsed().as_secs_f64(),
    );
    standin.quiet(QUIET_FOR, QUIET_LIMIT)?;
    let counters = standin.counters()?;
    figures.alone(
        "\\Seen on 10,000 messages, requests, echo included",
        counters.requests,
    );

    let before = session.select("INBOX")?;
    standin.reset_counters()?;
    standin.deliver(CHANGES)?;
    eventually(EXISTS_LIMIT, "ten new messages", || {
        let answer = session.expect_ok("NOOP")?;
        Ok(answer
            .exists()
            .is_some_and(|exists| exists >= before + CHANGES))
    })?;
    standin.quiet(QUIET_FOR, QUIET_LIMIT)?;
    let counters = standin.counters()?;
    figures.alone(
        "ten new messages, requests, notification included",
        counters.requests,
    );
    figures.alone("ten new messages, KB", counters.octets / 1e3);
    Ok(())
}

/// Starts the gateway again on the same data and lets it make the bytes of all messages.
fn convert(subject: &mut Subject, messages: u32, figures: &mut Figures) -> Outcome {
    subject.stop()?;
    subject.change_setting("exchange.main.render_ahead", "true");
    subject.run()?;
    let started = Instant::now();
    let mut session = Imap::login(subject.listeners.imap, &remote())?;
    session.select("INBOX")?;
    let of = messages + CHANGES;
    let inbox = format!("Inbox: up to date, {of} messages, {of} with known size");
    eventually(CONVERSION_LIMIT, "sizes of all messages", || {
        std::thread::sleep(Duration::from_millis(500));
        Ok(subject.mirror_status(&remote().address)?.contains(&inbox))
    })?;
    let seconds = started.elapsed().as_secs_f64();
    figures.alone(
        "conversion in the background, messages a second",
        f64::from(of) / seconds,
    );
    Ok(())
}

/// The same fetches from both mailboxes, in turn.
fn side_by_side(subject: &Subject, figures: &mut Figures) -> Outcome {
    for what in [
        FetchItemsKind::Flags,
        FetchItemsKind::Dates,
        FetchItemsKind::Sizes,
        FetchItemsKind::Envelope,
        FetchItemsKind::Structure,
    ] {
        let mut both = [0.0; 2];
        for (at, account) in [remote(), subject.alice.clone()].into_iter().enumerate() {
            let target = Target {
                imap: subject.listeners.imap,
                pop3: None,
                lmtp: subject.listeners.lmtp,
                user: account.address.clone(),
                recipient: account.address,
                password: account.password,
                roots: subject.pid().into_iter().collect(),
            };
            let measured = fetch(&target, "INBOX", what, FETCH_RUNS)?;
            say(&measured.to_json(["exchange", "embedded"][at]));
            both[at] = measured.figure("per_s").unwrap_or_default();
        }
        figures.both(&format!("FETCH of {}, a second", what.name()), both);
    }
    Ok(())
}

/// From the server's answer to NotificationWait to the client's EXISTS.
fn idle(standin: &Standin, subject: &Subject, figures: &mut Figures) -> Outcome {
    let mut watcher = Imap::login(subject.listeners.imap, &remote())?;
    watcher.select("INBOX")?;
    watcher.read_limit(Some(EXISTS_LIMIT))?;
    watcher.idle_begin()?;
    let mut latencies = Latencies::default();
    for _ in 0..IDLE_SAMPLES {
        standin.deliver(1)?;
        while !watcher.response(Literals::Skip)?.ends_with(b" EXISTS") {}
        let heard = now()?;
        latencies.add(heard.saturating_sub(standin.notified_at()?));
    }
    for (name, value) in latencies.figures("EXISTS after the notification") {
        figures.alone(&name.replace('_', " "), value);
    }
    Ok(())
}

/// Time since 1970, as every process of the machine has it.
fn now() -> Outcome<Duration> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|error| Failure(error.to_string()))
}

fn resident(subject: &Subject) -> f64 {
    let roots: Vec<u32> = subject.pid().into_iter().collect();
    memory(&roots).resident_kib as f64 / 1024.0
}
