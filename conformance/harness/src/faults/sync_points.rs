//! Power cuts: a run is recorded with strace, and at its sync points the data folder is rebuilt as a disk might
//! hold it then, with everything unsynced dropped, torn or scattered. Each rebuilt folder must pass `fsck`, open,
//! and hold everything acknowledged by then.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread::spawn;

use super::Effort;
use super::disk::{Disk, Image, Loss};
use super::kill::{Ledgers, MAILBOX, append_uid, new_attempt};
use super::ledger::{Attempt, Ledger};
use super::trace::{CALLS, Call, Step, Trace, parse};
use crate::failure::{Context, Failure, Outcome, ensure};
use crate::imap::Imap;
use crate::lmtp::{Lmtp, SENDER, dot_stuffed};
use crate::process::{require, scratch_folder};
use crate::random::Random;
use crate::report::Report;
use crate::subject::{Account, Kind, Options, Subject};

/// Messages that each of the four clients sends.
const MESSAGES_EACH: usize = 12;
/// How each rebuilt folder loses what was not synced.
const LOSSES: [Loss; 3] = [Loss::Dropped, Loss::Torn, Loss::Scattered];

/// Runs the group.
pub(super) fn run(kind: &Kind, effort: &Effort, report: &mut Report) -> Outcome {
    report.note(&format!("seed {}", effort.seed));
    let recording = Recording::make(kind, effort.seed)?;
    report.check("a sync precedes every 250 and every APPEND's OK", || {
        recording.syncs_before_answers()
    });
    let points = recording.sync_points();
    report.note(&format!(
        "{} sync points, {} answers",
        points.len(),
        recording.acknowledgements()?.len()
    ));
    let chosen = spread(&points, effort.points);
    let mut replay = Replay::new(&recording, kind, effort.seed)?;
    let failures = replay.run(&chosen)?;
    report.tally(
        "rebuilt folders hold all that was acknowledged and pass fsck",
        chosen.len() * LOSSES.len(),
        &failures,
    );
    recording.clean_up()
}

/// Up to `count` of `points`, evenly spread.
fn spread(points: &[usize], count: usize) -> Vec<usize> {
    let count = count.min(points.len());
    (0..count)
        .filter_map(|index| points.get(index * points.len() / count).copied())
        .collect()
}

/// A client's connection: its port, and what it sent in order. For deliveries the nth message belongs to the nth
/// reply after DATA, for APPEND to the nth tagged answer to one.
struct Client {
    port: u16,
    mailbox: Mailbox,
    attempts: Vec<Attempt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mailbox {
    AliceInbox,
    BobInbox,
    AliceAppended,
    BobAppended,
}

impl Mailbox {
    fn ledger(self, ledgers: &mut Ledgers) -> &mut Ledger {
        match self {
            Self::AliceInbox => &mut ledgers.alice_inbox,
            Self::BobInbox => &mut ledgers.bob_inbox,
            Self::AliceAppended => &mut ledgers.alice_appended,
            Self::BobAppended => &mut ledgers.bob_appended,
        }
    }
}

/// A run that was recorded.
struct Recording {
    root: PathBuf,
    before: Image,
    trace: Trace,
    clients: Vec<Client>,
    ledgers: Ledgers,
    subject: Subject,
}

impl Recording {
    fn make(kind: &Kind, seed: u64) -> Outcome<Self> {
        require("strace")?;
        let folder = scratch_folder("trace")?;
        let log = folder.join("calls");
        let words = [
            "strace",
            "-f",
            "-qq",
            "-yy",
            "-xx",
            "-s",
            "67108864",
            "-e",
            CALLS,
            "-e",
            "signal=none",
            "-o",
        ];
        let mut wrapper: Vec<String> = words.map(str::to_owned).to_vec();
        wrapper.push(log.display().to_string());
        let mut subject = Subject::prepare(
            kind,
            Options {
                wrapper,
                ..Options::default()
            },
        )?;
        let root = subject.data();
        let before = read_image(&root)?;
        subject.run()?;
        for account in [&subject.alice, &subject.bob] {
            Imap::login(subject.listeners.imap, account)?
                .expect_ok(&format!("CREATE {MAILBOX}"))?;
        }
        let clients = work(&subject, seed)?;
        let mut ledgers = Ledgers::default();
        for client in &clients {
            client
                .mailbox
                .ledger(&mut ledgers)
                .add(client.attempts.iter().cloned());
        }
        ledgers.compare(&subject, true).during("before any fault")?;
        subject.stop()?;
        let text = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
        let trace = parse(&text, &root)?;
        std::fs::remove_dir_all(folder)?;
        Ok(Self {
            root,
            before,
            trace,
            clients,
            ledgers,
            subject,
        })
    }

    /// Indices of the steps at which a sync ends.
    fn sync_points(&self) -> Vec<usize> {
        let ends_sync = |step: &Step| matches!(step, Step::Exit(index) if matches!(self.trace.calls.get(*index), Some(Call::Sync { .. } | Call::SyncAll)));
        self.trace
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| ends_sync(step))
            .map(|(at, _)| at)
            .collect()
    }

    /// Every answer that makes the server liable: the step at which it began to leave, and the message.
    fn acknowledgements(&self) -> Outcome<Vec<Acknowledgement>> {
        let mut streams: BTreeMap<u16, Stream> = BTreeMap::new();
        let mut found = Vec::new();
        for (at, step) in self.trace.steps.iter().enumerate() {
            let Step::Enter(index) = step else { continue };
            let Some(Call::Send { client, data }) = self.trace.calls.get(*index) else {
                continue;
            };
            let Some(known) = self.clients.iter().find(|known| known.port == *client) else {
                continue;
            };
            let stream = streams
                .entry(*client)
                .or_insert_with(|| Stream::new(known.mailbox));
            for line in stream.lines(data) {
                if !stream.acknowledges(&line) {
                    stream.last_other = at;
                    continue;
                }
                let attempt = known.attempts.get(stream.count);
                let attempt =
                    attempt.ok_or_else(|| Failure("more answers than messages".into()))?;
                found.push(Acknowledgement {
                    at,
                    asked: stream.last_other,
                    mailbox: known.mailbox,
                    id: attempt.id,
                });
                stream.count += 1;
                stream.last_other = at;
            }
        }
        let sent: usize = self
            .clients
            .iter()
            .map(|client| client.attempts.len())
            .sum();
        ensure(found.len() == sent, || {
            format!("the trace shows {} answers to {sent} messages", found.len())
        })?;
        Ok(found)
    }

    /// Between the go-ahead for a message (or the answer before it) and its acknowledgement some sync ended.
    fn syncs_before_answers(&self) -> Outcome {
        let syncs = self.sync_points();
        for answer in self.acknowledgements()? {
            let synced = syncs
                .iter()
                .any(|sync| (answer.asked..answer.at).contains(sync));
            ensure(synced, || {
                format!(
                    "{:?}: message {} was acknowledged without a sync",
                    answer.mailbox, answer.id
                )
            })?;
        }
        Ok(())
    }

    fn clean_up(self) -> Outcome {
        self.subject.clean_up()
    }
}

struct Acknowledgement {
    at: usize,
    /// The step of the server's line before it on the same connection.
    asked: usize,
    mailbox: Mailbox,
    id: u64,
}

/// What the server sent on one connection so far.
struct Stream {
    is_lmtp: bool,
    partial: Vec<u8>,
    after_data: bool,
    count: usize,
    last_other: usize,
}

impl Stream {
    fn new(mailbox: Mailbox) -> Self {
        let is_lmtp = matches!(mailbox, Mailbox::AliceInbox | Mailbox::BobInbox);
        Self {
            is_lmtp,
            partial: Vec::new(),
            after_data: false,
            count: 0,
            last_other: 0,
        }
    }

    fn lines(&mut self, data: &[u8]) -> Vec<String> {
        self.partial.extend_from_slice(data);
        let mut lines = Vec::new();
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        lines
    }

    fn acknowledges(&mut self, line: &str) -> bool {
        if !self.is_lmtp {
            return line.contains("APPENDUID ");
        }
        let was_after_data = self.after_data;
        self.after_data = line.starts_with("354");
        was_after_data && line.starts_with("250")
    }
}

/// Rebuilds folders along a recorded run.
struct Replay<'a> {
    recording: &'a Recording,
    acknowledgements: Vec<Acknowledgement>,
    kind: &'a Kind,
    random: Random,
}

impl<'a> Replay<'a> {
    fn new(recording: &'a Recording, kind: &'a Kind, seed: u64) -> Outcome<Self> {
        let acknowledgements = recording.acknowledgements()?;
        Ok(Self {
            recording,
            acknowledgements,
            kind,
            random: Random::new(seed, 3),
        })
    }

    fn run(&mut self, chosen: &[usize]) -> Outcome<Vec<String>> {
        let trace = &self.recording.trace;
        let mut disk = Disk::holding(&self.recording.before);
        let mut began = BTreeMap::new();
        let mut failures = Vec::new();
        for (at, step) in trace.steps.iter().enumerate() {
            match step {
                Step::Enter(index) => {
                    began.insert(*index, at);
                    if let Some(call) = trace.calls.get(*index) {
                        disk.enter(*index, call)?;
                    }
                }
                Step::Exit(index) => {
                    if chosen.contains(&at) {
                        failures.extend(self.crash_here(&disk, at)?);
                    }
                    let start = began.get(index).copied().unwrap_or(at);
                    match trace.calls.get(*index) {
                        Some(Call::Sync { path }) => disk.synced(path, start),
                        Some(Call::SyncAll) => disk.synced_all(start),
                        _ => disk.exit(*index, at),
                    }
                }
            }
        }
        Ok(failures)
    }

    /// The power goes just before the sync that ends at this step has had its effect.
    fn crash_here(&mut self, disk: &Disk, at: usize) -> Outcome<Vec<String>> {
        let mut failures = Vec::new();
        for loss in LOSSES {
            let image = disk.crash(loss, &mut self.random);
            let folder = scratch_folder("rebuilt")?;
            write_image(&image, &self.recording.root, &folder)?;
            match self.judge(&folder, at) {
                Ok(()) => std::fs::remove_dir_all(&folder)?,
                Err(why) => failures.push(format!(
                    "step {at}, {loss:?}, kept in {}: {why}",
                    folder.display()
                )),
            }
        }
        Ok(failures)
    }

    /// Checks, opens and compares one rebuilt folder.
    fn judge(&self, folder: &Path, at: usize) -> Outcome {
        let liable: Vec<&Acknowledgement> = self
            .acknowledgements
            .iter()
            .filter(|answer| answer.at < at)
            .collect();
        let mut ledgers = self.recording.ledgers.clone();
        for mailbox in [
            Mailbox::AliceInbox,
            Mailbox::BobInbox,
            Mailbox::AliceAppended,
            Mailbox::BobAppended,
        ] {
            let ids: Vec<u64> = liable
                .iter()
                .filter(|answer| answer.mailbox == mailbox)
                .map(|answer| answer.id)
                .collect();
            mailbox.ledger(&mut ledgers).liable_for(&ids);
        }
        let subject = &self.recording.subject;
        subject.check_data(folder)?;
        let options = Options {
            data: Some(folder.to_path_buf()),
            ..Options::default()
        };
        let mut opened = Subject::on_data(self.kind, options)?;
        opened.run().during("opening the rebuilt folder")?;
        let compared = ledgers.compare(&opened, true).map(|_| ());
        opened.kill()?;
        compared?;
        opened.check_data(folder).during("after opening it")?;
        opened.clean_up()
    }
}

/// Four clients send their messages, all at once.
fn work(subject: &Subject, seed: u64) -> Outcome<Vec<Client>> {
    let (lmtp, imap) = (subject.listeners.lmtp, subject.listeners.imap);
    let plan = [
        (Mailbox::AliceInbox, &subject.alice),
        (Mailbox::BobInbox, &subject.bob),
        (Mailbox::AliceAppended, &subject.alice),
        (Mailbox::BobAppended, &subject.bob),
    ];
    let mut threads = Vec::new();
    for (stream, (mailbox, account)) in plan.into_iter().enumerate() {
        let account = account.clone();
        let random = Random::new(seed, 10 + stream as u64);
        threads.push(spawn(move || match mailbox {
            Mailbox::AliceInbox | Mailbox::BobInbox => deliver(lmtp, mailbox, &account, random),
            Mailbox::AliceAppended | Mailbox::BobAppended => {
                append(imap, mailbox, &account, random)
            }
        }));
    }
    let mut clients = Vec::new();
    for thread in threads {
        clients.push(
            thread
                .join()
                .map_err(|_| Failure("a client panicked".into()))??,
        );
    }
    Ok(clients)
}

fn deliver(port: u16, mailbox: Mailbox, to: &Account, mut random: Random) -> Outcome<Client> {
    let mut session = Lmtp::connect(port)?;
    let mut attempts = Vec::new();
    for _ in 0..MESSAGES_EACH {
        let mut attempt = new_attempt(&mut random);
        session.deliver_pipelined(SENDER, &to.address, &dot_stuffed(&attempt.bytes))?;
        attempt.acknowledged = true;
        attempts.push(attempt);
    }
    Ok(Client {
        port: session.local_port,
        mailbox,
        attempts,
    })
}

fn append(port: u16, mailbox: Mailbox, by: &Account, mut random: Random) -> Outcome<Client> {
    let mut session = Imap::login(port, by)?;
    let mut attempts = Vec::new();
    for _ in 0..MESSAGES_EACH {
        let mut attempt = new_attempt(&mut random);
        let answer = session.append(MAILBOX, "", &attempt.bytes)?.ok()?;
        attempt.uid = append_uid(&answer.tagged);
        attempt.acknowledged = true;
        attempts.push(attempt);
    }
    Ok(Client {
        port: session.local_port()?,
        mailbox,
        attempts,
    })
}

fn read_image(root: &Path) -> Outcome<Image> {
    let mut image = Image::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                image.insert(entry.path(), None);
                open.push(entry.path());
            } else if kind.is_file() {
                image.insert(entry.path(), Some(std::fs::read(entry.path())?));
            }
        }
    }
    Ok(image)
}

/// Writes an image of `root` to `folder`. A file whose folder did not survive is lost with it.
fn write_image(image: &Image, root: &Path, folder: &Path) -> Outcome {
    for (path, contents) in image {
        let Ok(relative) = path.strip_prefix(root) else {
            continue;
        };
        let place = folder.join(relative);
        match contents {
            _ if !place.parent().is_some_and(Path::is_dir) => {}
            None => std::fs::create_dir(&place)?,
            Some(bytes) => std::fs::write(&place, bytes)?,
        }
    }
    Ok(())
}
