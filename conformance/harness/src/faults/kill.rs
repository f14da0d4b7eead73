//! SIGKILL at random moments under parallel delivery and APPEND, many rounds on one data folder.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use super::Effort;
use super::ledger::{Attempt, Ledger};
use crate::failure::{Context, Failure, Outcome, ensure};
use crate::imap::Imap;
use crate::lmtp::{Lmtp, SENDER, dot_stuffed};
use crate::random::Random;
use crate::report::Report;
use crate::subject::{Account, Kind, Options, Subject};

/// Shortest and longest load before a kill, in milliseconds.
const LOAD_MS: (u64, u64) = (10, 250);
/// Messages are up to about this large, in bytes.
const SIZE_MAX: u64 = 20_000;
/// After so many rounds every byte is compared again, else only those of new messages.
const ALL_BYTES_EVERY: usize = 25;
/// The mailbox that APPEND fills; deliveries fill INBOX.
pub(super) const MAILBOX: &str = "Appended";
/// Attempts so far, over all clients: the next id.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Runs the group.
pub(super) fn run(kind: &Kind, effort: &Effort, report: &mut Report) -> Outcome {
    report.note(&format!("seed {}", effort.seed));
    let mut subject = Subject::start(kind, Options::default())?;
    for account in [&subject.alice, &subject.bob] {
        Imap::login(subject.listeners.imap, account)?.expect_ok(&format!("CREATE {MAILBOX}"))?;
    }
    let mut ledgers = Ledgers::default();
    let mut random = Random::new(effort.seed, 0);
    let mut failures = Vec::new();
    let mut unacknowledged = 0;
    for round in 1..=effort.rounds {
        let outcome = one_round(
            &mut subject,
            &mut ledgers,
            &mut random,
            round % ALL_BYTES_EVERY == 0,
        );
        match outcome {
            Ok(extra) => unacknowledged = extra,
            Err(why) => {
                failures.push(format!("round {round}: {why}"));
                break;
            }
        }
    }
    report.tally(
        "SIGKILL under load: nothing acknowledged lost, doubled, changed or renumbered",
        effort.rounds,
        &failures,
    );
    report.note(&format!(
        "{} messages acknowledged; of the attempts whose answer was lost {unacknowledged} are there",
        ledgers.acknowledged()
    ));
    report.check("the load was real", || {
        ensure(ledgers.acknowledged() >= effort.rounds, || {
            format!("{} acknowledged", ledgers.acknowledged())
        })
    });
    report.check("every byte once more at the end", || {
        ledgers.compare(&subject, true).map(|_| ())
    });
    subject.clean_up()
}

/// Load, kill, check the folder, start again, compare.
fn one_round(
    subject: &mut Subject,
    ledgers: &mut Ledgers,
    random: &mut Random,
    all: bool,
) -> Outcome<usize> {
    let clients = Clients::start(subject, random);
    sleep(Duration::from_millis(
        LOAD_MS.0 + random.below(LOAD_MS.1 - LOAD_MS.0),
    ));
    subject.kill()?;
    clients.finish(ledgers)?;
    subject.check_data(&subject.data())?;
    subject.run()?;
    ledgers.compare(subject, all)
}

/// What each mailbox should hold.
#[derive(Clone, Default)]
pub(super) struct Ledgers {
    pub(super) alice_inbox: Ledger,
    pub(super) bob_inbox: Ledger,
    pub(super) alice_appended: Ledger,
    pub(super) bob_appended: Ledger,
}

impl Ledgers {
    /// Compares all four mailboxes; see `Ledger::compare`.
    pub(super) fn compare(&mut self, subject: &Subject, all: bool) -> Outcome<usize> {
        let port = subject.listeners.imap;
        let (alice, bob) = (&subject.alice, &subject.bob);
        Ok(self
            .alice_inbox
            .compare(port, alice, "INBOX", all)
            .during("alice")?
            + self
                .bob_inbox
                .compare(port, bob, "INBOX", all)
                .during("bob")?
            + self
                .alice_appended
                .compare(port, alice, MAILBOX, all)
                .during("alice")?
            + self
                .bob_appended
                .compare(port, bob, MAILBOX, all)
                .during("bob")?)
    }

    pub(super) fn acknowledged(&self) -> usize {
        let all = [
            &self.alice_inbox,
            &self.bob_inbox,
            &self.alice_appended,
            &self.bob_appended,
        ];
        all.iter().map(|ledger| ledger.acknowledged()).sum()
    }
}

/// Clients at work until the server goes away: two deliver to one user each, one to both, two APPEND.
struct Clients {
    to_alice: JoinHandle<Vec<Attempt>>,
    to_bob: JoinHandle<Vec<Attempt>>,
    to_both: JoinHandle<(Vec<Attempt>, Vec<Attempt>)>,
    by_alice: JoinHandle<Vec<Attempt>>,
    by_bob: JoinHandle<Vec<Attempt>>,
}

impl Clients {
    fn start(subject: &Subject, random: &mut Random) -> Self {
        let (lmtp, imap) = (subject.listeners.lmtp, subject.listeners.imap);
        let (alice, bob) = (subject.alice.clone(), subject.bob.clone());
        let mut fork = || Random::new(random.next(), 1);
        let deliver = |account: &Account, random: Random| {
            let account = account.clone();
            spawn(move || {
                let mut attempts = Vec::new();
                // A broken connection is how every client ends.
                let _ = deliver_until_broken(lmtp, &account, random, &mut attempts);
                attempts
            })
        };
        let append = |account: &Account, random: Random| {
            let account = account.clone();
            spawn(move || {
                let mut attempts = Vec::new();
                let _ = append_until_broken(imap, &account, random, &mut attempts);
                attempts
            })
        };
        let (to_alice, to_bob) = (deliver(&alice, fork()), deliver(&bob, fork()));
        let (by_alice, by_bob) = (append(&alice, fork()), append(&bob, fork()));
        let both = fork();
        let to_both = spawn(move || {
            let mut attempts = (Vec::new(), Vec::new());
            let _ = deliver_to_both(lmtp, [&alice, &bob], both, &mut attempts);
            attempts
        });
        Self {
            to_alice,
            to_bob,
            to_both,
            by_alice,
            by_bob,
        }
    }

    fn finish(self, ledgers: &mut Ledgers) -> Outcome {
        let panicked = |_| Failure("a client panicked".into());
        ledgers
            .alice_inbox
            .add(self.to_alice.join().map_err(panicked)?);
        ledgers.bob_inbox.add(self.to_bob.join().map_err(panicked)?);
        let (alice, bob) = self.to_both.join().map_err(panicked)?;
        ledgers.alice_inbox.add(alice);
        ledgers.bob_inbox.add(bob);
        ledgers
            .alice_appended
            .add(self.by_alice.join().map_err(panicked)?);
        ledgers
            .bob_appended
            .add(self.by_bob.join().map_err(panicked)?);
        Ok(())
    }
}

/// A new attempt with an id of its own.
pub(super) fn new_attempt(random: &mut Random) -> Attempt {
    Attempt::new(NEXT_ID.fetch_add(1, Ordering::Relaxed), SIZE_MAX, random)
}

fn deliver_until_broken(
    port: u16,
    to: &Account,
    mut random: Random,
    attempts: &mut Vec<Attempt>,
) -> Outcome {
    let mut session = Lmtp::connect(port)?;
    loop {
        let attempt = new_attempt(&mut random);
        let stuffed = dot_stuffed(&attempt.bytes);
        attempts.push(attempt);
        session.deliver_pipelined(SENDER, &to.address, &stuffed)?;
        if let Some(attempt) = attempts.last_mut() {
            attempt.acknowledged = true;
        }
    }
}

fn deliver_to_both(
    port: u16,
    to: [&Account; 2],
    mut random: Random,
    attempts: &mut (Vec<Attempt>, Vec<Attempt>),
) -> Outcome {
    let mut session = Lmtp::connect(port)?;
    loop {
        let attempt = new_attempt(&mut random);
        let stuffed = dot_stuffed(&attempt.bytes);
        attempts.0.push(attempt.clone());
        attempts.1.push(attempt);
        session
            .command(&format!("MAIL FROM:<{SENDER}>"))?
            .expect(2)?;
        for account in to {
            session
                .command(&format!("RCPT TO:<{}>", account.address))?
                .expect(2)?;
        }
        session.command("DATA")?.expect(3)?;
        session.send(&stuffed)?;
        for list in [&mut attempts.0, &mut attempts.1] {
            session.reply()?.expect(2)?;
            if let Some(attempt) = list.last_mut() {
                attempt.acknowledged = true;
            }
        }
    }
}

pub(super) fn append_until_broken(
    port: u16,
    by: &Account,
    mut random: Random,
    attempts: &mut Vec<Attempt>,
) -> Outcome {
    let mut session = Imap::login(port, by)?;
    loop {
        let attempt = new_attempt(&mut random);
        let bytes = attempt.bytes.clone();
        attempts.push(attempt);
        let answer = session.append(MAILBOX, "", &bytes)?.ok()?;
        if let Some(attempt) = attempts.last_mut() {
            attempt.acknowledged = true;
            attempt.uid = append_uid(&answer.tagged);
        }
    }
}

/// The UID in `OK [APPENDUID validity uid]`.
pub(super) fn append_uid(tagged: &str) -> Option<u32> {
    let code = tagged.split("APPENDUID ").nth(1)?.split(']').next()?;
    code.split(' ').nth(1)?.parse().ok()
}
