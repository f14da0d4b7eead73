//! SIGKILL under APPENDs to Exchange, while the server sometimes starts anew.

use std::{
    thread::{sleep, spawn},
    time::Duration,
};

use super::super::{
    Effort,
    kill::{MAILBOX, append_until_broken},
    ledger::Ledger,
};
use crate::{
    failure::{Context, Failure, Outcome, ensure},
    imap::Imap,
    random::Random,
    report::Report,
    subject::{Kind, Options, Subject},
};

/// Shortest and longest load before a kill, in milliseconds.
const LOAD_MS: (u64, u64) = (50, 600);
/// Of so many rounds of the effort one is made here: a mailbox on Exchange takes longer.
const ROUNDS_EACH: usize = 4;

/// SIGKILL under load.
pub(super) fn run(kind: &Kind, effort: &Effort, report: &mut Report) -> Outcome {
    report.note(&format!("seed {}", effort.seed));
    let mut subject = Subject::start(kind, Options::default())?;
    let accounts = [subject.alice.clone(), subject.bob.clone()];
    for account in &accounts {
        Imap::login(subject.listeners.imap, account)?.expect_ok(&format!("CREATE {MAILBOX}"))?;
    }
    let mut ledgers = [Ledger::default(), Ledger::default()];
    let mut random = Random::new(effort.seed, 3);
    let rounds = (effort.rounds / ROUNDS_EACH).max(1);
    let mut failures = Vec::new();
    for round in 1..=rounds {
        let done = kill_once(&mut subject, &mut ledgers, &mut random);
        if let Err(why) = done.during(format!("round {round}")) {
            failures.push(why.to_string());
            break;
        }
    }
    report.tally(
        "SIGKILL under load before Exchange: nothing acknowledged lost, doubled, changed or renumbered",
        rounds,
        &failures,
    );
    let acknowledged: usize = ledgers.iter().map(Ledger::acknowledged).sum();
    report.note(&format!("{acknowledged} messages acknowledged"));
    report.check("the load before Exchange was real", || {
        ensure(acknowledged >= rounds, || {
            format!("{acknowledged} acknowledged")
        })
    });
    subject.clean_up()
}

/// Load, perhaps a server that starts anew, kill, check the folder, start again, compare.
fn kill_once(subject: &mut Subject, ledgers: &mut [Ledger; 2], random: &mut Random) -> Outcome {
    let accounts = [subject.alice.clone(), subject.bob.clone()];
    let port = subject.listeners.imap;
    // Everything was marked as answered before the load: that stays.
    for account in &accounts {
        let mut session = Imap::login(port, account)?;
        if session.select(MAILBOX)? > 0 {
            session.expect_ok("STORE 1:* +FLAGS.SILENT (\\Answered)")?;
        }
    }
    let mut workers = Vec::new();
    for account in &accounts {
        let (account, random) = (account.clone(), Random::new(random.next(), 4));
        workers.push(spawn(move || {
            let mut attempts = Vec::new();
            // A broken connection is how every client ends.
            let _ = append_until_broken(port, &account, random, &mut attempts);
            attempts
        }));
    }
    let load = LOAD_MS.0 + random.below(LOAD_MS.1 - LOAD_MS.0);
    sleep(Duration::from_millis(load / 2));
    if random.percent(50) {
        subject.tell_standin("restart", "")?;
    }
    sleep(Duration::from_millis(load / 2));
    subject.kill()?;
    let before: Vec<_> = ledgers.iter().map(Ledger::acknowledged).collect();
    for (worker, ledger) in workers.into_iter().zip(ledgers.iter_mut()) {
        let attempts = worker
            .join()
            .map_err(|_| Failure("a client panicked".into()))?;
        ledger.add(attempts);
    }
    subject.check_data(&subject.data())?;
    subject.run()?;
    for ((account, ledger), before) in accounts.iter().zip(ledgers).zip(before) {
        ledger
            .compare(port, account, MAILBOX, false)
            .during(&account.address)?;
        let mut session = Imap::login(port, account)?;
        session.select(MAILBOX)?;
        let marked = session.expect_ok("SEARCH ANSWERED")?.found().len();
        ensure(marked >= before, || {
            format!("{marked} of {before} messages are still marked")
        })?;
    }
    Ok(())
}
