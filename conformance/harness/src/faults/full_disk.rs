//! A full disk: the data folder on a small tmpfs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::Effort;
use super::kill::{Ledgers, MAILBOX, append_uid};
use super::ledger::Attempt;
use crate::failure::{Context, Outcome, ensure, failure};
use crate::imap::Imap;
use crate::lmtp::{Lmtp, SENDER};
use crate::process::{run as run_program, scratch_folder};
use crate::random::Random;
use crate::report::Report;
use crate::subject::{Kind, Options, Subject};

/// Size of the file system.
const DISK: &str = "48m";
/// Bytes that are taken first and given back later.
const BALLAST: usize = 16 << 20;
/// Messages are up to about this large, in bytes.
const SIZE_MAX: u64 = 200_000;
/// Attempts after the first refusal, while the disk stays full.
const ATTEMPTS_WHEN_FULL: usize = 60;
/// The disk must be full before so many attempts.
const ATTEMPTS_MAX: usize = 3000;
/// How long a mount may take.
const MOUNT_LIMIT: Duration = Duration::from_secs(10);

/// Runs the group.
pub(super) fn run(kind: &Kind, effort: &Effort, report: &mut Report) -> Outcome {
    let disk = Disk::mount()?;
    let options = Options {
        data: Some(disk.folder.join("data")),
        ..Options::default()
    };
    let subject = Subject::start(kind, options)?;
    // Both mailboxes exist before the disk is full.
    for account in [&subject.alice, &subject.bob] {
        Imap::login(subject.listeners.imap, account)?.expect_ok(&format!("CREATE {MAILBOX}"))?;
    }
    let random = Random::new(effort.seed, 2);
    let mut filling = Filling {
        subject,
        ledgers: Ledgers::default(),
        random,
        next: 1,
    };
    report.check(
        "LMTP answers 452 and APPEND answers NO when the disk is full",
        || filling.until_full(),
    );
    report.check("everything acknowledged can still be read", || {
        filling.ledgers.compare(&filling.subject, true).map(|_| ())
    });
    report.check(
        "mail is taken again when there is space, without a restart",
        || {
            std::fs::remove_file(disk.folder.join("ballast"))?;
            for _ in 0..20 {
                filling.deliver()?.accepted()?;
                filling.append()?.accepted()?;
            }
            Ok(())
        },
    );
    report.check(
        "after a restart nothing acknowledged is lost, and fsck finds no fault",
        || {
            filling.subject.stop()?;
            filling.subject.check_data(&filling.subject.data())?;
            filling.subject.run()?;
            filling.ledgers.compare(&filling.subject, true).map(|_| ())
        },
    );
    report.note(&format!(
        "{} messages acknowledged",
        filling.ledgers.acknowledged()
    ));
    filling.subject.clean_up()
}

/// What the server said to one message.
#[derive(Debug)]
enum Answer {
    Accepted,
    Full,
    Other(String),
}

impl Answer {
    fn accepted(self) -> Outcome {
        if matches!(self, Self::Accepted) {
            Ok(())
        } else {
            failure(format!("{self:?}"))
        }
    }
}

struct Filling {
    subject: Subject,
    ledgers: Ledgers,
    random: Random,
    next: u64,
}

impl Filling {
    fn attempt(&mut self) -> Attempt {
        self.next += 1;
        Attempt::new(self.next, SIZE_MAX, &mut self.random)
    }

    /// One delivery on a connection of its own.
    fn deliver(&mut self) -> Outcome<Answer> {
        let mut attempt = self.attempt();
        let address = self.subject.alice.address.clone();
        let mut session = Lmtp::connect(self.subject.listeners.lmtp)?;
        let sent = session.deliver(SENDER, &[&address], &attempt.bytes)?;
        let replies = [&sent.mail]
            .into_iter()
            .chain(&sent.recipients)
            .chain([&sent.data])
            .chain(&sent.results);
        let refusal = replies.into_iter().find(|reply| reply.code >= 400);
        let answer = match refusal {
            None => Answer::Accepted,
            Some(reply) if reply.code == 452 => Answer::Full,
            Some(reply) => Answer::Other(reply.text.clone()),
        };
        attempt.acknowledged = matches!(answer, Answer::Accepted);
        self.ledgers.alice_inbox.add([attempt]);
        Ok(answer)
    }

    /// One APPEND on a connection of its own.
    fn append(&mut self) -> Outcome<Answer> {
        let mut attempt = self.attempt();
        let mut session = Imap::login(self.subject.listeners.imap, &self.subject.alice)?;
        let said = session.append(MAILBOX, "", &attempt.bytes)?;
        let answer = if said.is_ok() {
            attempt.uid = append_uid(&said.tagged);
            Answer::Accepted
        } else if said.is_no() {
            Answer::Full
        } else {
            Answer::Other(said.tagged)
        };
        attempt.acknowledged = matches!(answer, Answer::Accepted);
        self.ledgers.alice_appended.add([attempt]);
        Ok(answer)
    }

    /// Fills the disk, then goes on for a while: small messages may still find room, and no answer may be another.
    fn until_full(&mut self) -> Outcome {
        let (mut by_lmtp, mut by_append) = (0, 0);
        let mut left = None;
        for turn in 0..ATTEMPTS_MAX {
            let answer = if turn % 2 == 0 {
                self.deliver()
            } else {
                self.append()
            };
            match answer.during(format!("attempt {turn}"))? {
                Answer::Accepted => {}
                Answer::Full if turn % 2 == 0 => by_lmtp += 1,
                Answer::Full => by_append += 1,
                Answer::Other(text) => return failure(format!("attempt {turn}: {text}")),
            }
            if by_lmtp + by_append > 0 {
                let remaining = left.get_or_insert(ATTEMPTS_WHEN_FULL);
                *remaining -= 1;
                if *remaining == 0 {
                    break;
                }
            }
        }
        ensure(by_lmtp > 0 && by_append > 0, || {
            format!("refused: {by_lmtp} by LMTP, {by_append} by APPEND")
        })
    }
}

/// A small tmpfs with a ballast file; unmounted at the end.
pub(super) struct Disk {
    pub(super) folder: PathBuf,
}

impl Disk {
    pub(super) fn mount() -> Outcome<Self> {
        let folder = scratch_folder("full-disk")?;
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={DISK}"), "tmpfs"])
            .arg(&folder);
        run_program(&mut mount, b"", MOUNT_LIMIT)?
            .success()
            .during("mounting a tmpfs (root is needed)")?;
        let disk = Self { folder };
        std::fs::write(disk.folder.join("ballast"), vec![0; BALLAST])?;
        Ok(disk)
    }

    fn unmount(folder: &Path) -> Outcome {
        run_program(
            Command::new("umount").arg("-l").arg(folder),
            b"",
            MOUNT_LIMIT,
        )?
        .success()?;
        std::fs::remove_dir(folder)?;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A mount that stays behind is untidy, not wrong.
        let _ = Self::unmount(&self.folder);
    }
}
