//! A full disk under the mirrors of mailboxes on Exchange.

use std::time::Duration;

use super::{
    super::{Effort, full_disk::Disk, kill::MAILBOX, ledger::Ledger},
    append,
};
use crate::{
    failure::{Outcome, ensure, failure},
    imap::Imap,
    process::eventually,
    random::Random,
    report::Report,
    subject::{Kind, Options, Subject},
};

/// Messages are up to about this large, in bytes.
const SIZE_MAX: u64 = 200_000;
/// The disk must be full before so many attempts.
const ATTEMPTS_MAX: usize = 1000;
/// Attempts while it is full.
const ATTEMPTS_WHEN_FULL: usize = 30;
/// Messages that come to the server while the disk is full.
const FILLED: u32 = 3000;
/// How long a mirror may take to catch up when there is space again.
const REFILL_LIMIT: Duration = Duration::from_secs(120);

/// Runs the checks.
pub(super) fn run(kind: &Kind, effort: &Effort, report: &mut Report) -> Outcome {
    let disk = Disk::mount()?;
    let options = Options {
        data: Some(disk.folder.join("data")),
        ..Options::default()
    };
    let subject = Subject::start(kind, options)?;
    Imap::login(subject.listeners.imap, &subject.alice)?.expect_ok(&format!("CREATE {MAILBOX}"))?;
    let mut mailbox = Mailbox {
        subject,
        ledger: Ledger::default(),
        random: Random::new(effort.seed, 5),
    };
    report.check(
        "APPEND to Exchange answers NO when the disk is full",
        || mailbox.until_full(),
    );
    report.check(
        "synchronizing and fetching answer OK or NO while it is full",
        || mailbox.look_while_full(),
    );
    report.check(
        "everything acknowledged before Exchange can still be read",
        || mailbox.compare(),
    );
    report.check(
        "when there is space again, everything goes on without a restart",
        || {
            std::fs::remove_file(disk.folder.join("ballast"))?;
            mailbox.goes_on()
        },
    );
    report.check(
        "after a restart nothing acknowledged is lost, and fsck finds no fault",
        || {
            mailbox.subject.stop()?;
            mailbox.subject.check_data(&mailbox.subject.data())?;
            mailbox.subject.run()?;
            mailbox.compare()
        },
    );
    mailbox.subject.clean_up()
}

/// Alice's mailbox, and what it should hold.
struct Mailbox {
    subject: Subject,
    ledger: Ledger,
    random: Random,
}

impl Mailbox {
    fn append(&mut self) -> Outcome<bool> {
        append(
            self.subject.listeners.imap,
            (&self.subject.alice, MAILBOX),
            (&mut self.ledger, SIZE_MAX),
            &mut self.random,
        )
    }

    fn compare(&mut self) -> Outcome {
        let (port, alice) = (self.subject.listeners.imap, &self.subject.alice);
        self.ledger.compare(port, alice, MAILBOX, true).map(|_| ())
    }

    /// Fills the disk, then goes on for a while.
    fn until_full(&mut self) -> Outcome {
        let mut left = None;
        for _ in 0..ATTEMPTS_MAX {
            if self.append()? {
                continue;
            }
            let left = left.get_or_insert(ATTEMPTS_WHEN_FULL);
            *left -= 1;
            if *left == 0 {
                return Ok(());
            }
        }
        failure("the disk was never full")
    }

    /// Mail comes to the server, and a client asks for it.
    fn look_while_full(&self) -> Outcome {
        let body = format!("{{\"user\": \"alice\", \"count\": {FILLED}}}");
        self.subject.tell_standin("fill", &body)?;
        let mut session = Imap::login(self.subject.listeners.imap, &self.subject.alice)?;
        for command in ["SELECT INBOX", "FETCH 1:* BODY.PEEK[]", "NOOP"] {
            let said = session.command(command)?;
            // Without a selected mailbox FETCH is out of place.
            ensure(!said.tagged.contains("BYE"), || said.tagged.clone())?;
        }
        Ok(())
    }

    fn goes_on(&mut self) -> Outcome {
        for _ in 0..10 {
            let taken = self.append()?;
            ensure(taken, || "APPEND is still refused".to_owned())?;
        }
        let mut session = Imap::login(self.subject.listeners.imap, &self.subject.alice)?;
        eventually(REFILL_LIMIT, "all mail of the server is there", || {
            Ok(session.select("INBOX")? == FILLED)
        })?;
        let last = format!("FETCH {}:* BODY.PEEK[]", FILLED - 10);
        session.expect_ok(&last).map(|_| ())
    }
}
