//! A store that is away for a moment, or for longer: every command says so in the protocol's own words (RFC 5530), what
//! was sent before stays true, and the session lives on.
use std::{ops::Range, time::Duration};

use account::ErrorKind;
use imap_server::Config;
use mapi_store::MemBackend;

use crate::support::{Client, World};

const ANN: &str = "ann@example.test";

/// Commands that need the store, in an order in which each finds what it needs; `#` is a number of its own.
const COMMANDS: [&str; 33] = [
    "NOOP",
    "CHECK",
    "STATUS INBOX (MESSAGES UNSEEN RECENT UIDNEXT SIZE)",
    "LIST \"\" * RETURN (STATUS (MESSAGES SIZE) SUBSCRIBED)",
    "LSUB \"\" *",
    "CREATE Made#/Below",
    "RENAME Made#/Below Moved#",
    "SUBSCRIBE Moved#",
    "UNSUBSCRIBE Moved#",
    "DELETE Moved#",
    "FETCH 1:* (UID FLAGS)",
    "FETCH 1:* (RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
    "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[1]<0.10>)",
    "FETCH 1:* BODY[]",
    "UID FETCH 1:* (RFC822.SIZE)",
    "STORE 1:2 +FLAGS (\\Flagged work#)",
    "UID STORE 1:* -FLAGS.SILENT (\\Seen)",
    "STORE 2 FLAGS (\\Answered) ",
    "SEARCH TEXT message",
    "SEARCH LARGER 10 SENTSINCE 1-Jan-2000",
    "UID SEARCH UNSEEN",
    "COPY 1:2 Archive",
    "UID COPY 1:* Archive",
    "MOVE 1 Archive",
    "APPEND INBOX {14+}\r\nSubject: x\r\n\r\n",
    "STORE 1 +FLAGS (\\Deleted)",
    "EXPUNGE",
    "SELECT Archive",
    "STORE 1 +FLAGS (\\Deleted)",
    "CLOSE",
    "RENAME INBOX Was#",
    "EXAMINE INBOX",
    "SELECT INBOX",
];

/// What a client knows of its mailbox: how many messages there are.
#[derive(Default)]
struct Known {
    messages: usize,
}

impl Known {
    fn note(&mut self, line: &str) {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["*", count, "EXISTS"] => self.messages = count.parse().unwrap(),
            ["*", _, "EXPUNGE"] => self.messages -= 1,
            _ => {}
        }
    }
}

struct Session {
    world: World,
    client: Client,
    known: Known,
}

impl Session {
    /// Octets are read in small chunks, so that a FETCH reads more than once.
    async fn new(backend: MemBackend, read_chunk_bytes: u32) -> Self {
        let config = Config {
            read_chunk_bytes,
            ..Config::default()
        };
        let world = World::over(backend, config, None).await;
        let client = world.ann().await;
        let known = Known::default();
        let mut session = Self {
            world,
            client,
            known,
        };
        session.deliver(3).await;
        session.ok("SELECT INBOX").await;
        session
    }

    async fn deliver(&self, count: usize) {
        for n in 0..count {
            let body = "x".repeat(50 * n);
            let message = format!("Subject: message {n}\r\n\r\n{body}\r\n");
            self.world.deliver(ANN, message.as_bytes()).await;
        }
    }

    async fn run(&mut self, command: &str) -> Vec<String> {
        let answer = self.client.lines("t", command).await;
        answer.iter().for_each(|line| self.known.note(line));
        answer
    }

    async fn ok(&mut self, command: &str) -> Vec<String> {
        let answer = self.run(command).await;
        let last = answer.last().expect("an answer");
        assert!(last.starts_with("t OK"), "{command}: {last}");
        answer
    }

    /// Runs a command while these calls of it fail; whether one did.
    async fn run_with_faults(&mut self, command: &str, calls: Range<u32>, kind: ErrorKind) -> bool {
        // News make every cache old.
        self.deliver(1).await;
        let faults = self.world.backend.faults();
        faults.fail_calls(calls.clone(), kind);
        let answer = self.run(command).await;
        let failed = faults.calls() > calls.start;
        faults.heal();
        let last = answer.last().expect("an answer");
        let fine = last.starts_with("t OK") || last.starts_with("t NO [UNAVAILABLE] ");
        assert!(fine, "{command} with {calls:?} {kind:?}: {last}");
        let untagged = answer[..answer.len() - 1].iter();
        let (mut untagged, bye) = (untagged.peekable(), "* BYE");
        assert!(untagged.all(|line| line.starts_with("* ") && !line.starts_with(bye)));
        failed
    }

    /// The session goes on, and what it tells is what a new one sees.
    async fn check(&mut self, command: &str) {
        self.ok("NOOP").await;
        let answer = self.ok("STATUS INBOX (MESSAGES)").await;
        let now = format!("* STATUS \"INBOX\" (MESSAGES {})", self.known.messages);
        assert!(answer.contains(&now), "{command}: {answer:?} is not {now}");
    }
}

async fn fail_every_call(backend: MemBackend, kind: ErrorKind) {
    let mut session = Session::new(backend, 200).await;
    let mut faults = 0;
    for (at, command) in COMMANDS.iter().enumerate() {
        for attempt in 0.. {
            let one = format!("{at}-{attempt}-one");
            let one = command.replace('#', &one);
            prepare(&mut session, &one).await;
            let calls = attempt..attempt + 1;
            let failed = session.run_with_faults(&one, calls, kind).await;
            faults += u32::from(failed);
            settle(&mut session, &one).await;
            let all = format!("{at}-{attempt}-all");
            let all = command.replace('#', &all);
            prepare(&mut session, &all).await;
            let calls = attempt..u32::MAX;
            session.run_with_faults(&all, calls, kind).await;
            settle(&mut session, &all).await;
            if !failed {
                break;
            }
        }
        let command = command.replace('#', "done");
        prepare(&mut session, &command).await;
        session.ok(&command).await;
        settle(&mut session, &command).await;
    }
    assert!(faults > 60, "only {faults} faults were met");
}

/// Makes what a command about a folder needs.
async fn prepare(session: &mut Session, command: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    match words.as_slice() {
        ["RENAME", from, _] => {
            session.run(&format!("CREATE {from}")).await;
        }
        ["DELETE", name] => {
            session.run(&format!("CREATE {name}")).await;
        }
        ["CLOSE"] => {
            session.ok("SELECT Archive").await;
        }
        _ => {}
    }
}

/// Back in the Inbox, with messages in it, and a true picture of it.
async fn settle(session: &mut Session, command: &str) {
    let word = command.split(' ').next().unwrap_or_default();
    if ["SELECT", "EXAMINE", "CLOSE"].contains(&word) {
        session.ok("SELECT INBOX").await;
    }
    session.check(command).await;
}

#[tokio::test]
async fn every_command_outlives_a_store_that_is_away() {
    fail_every_call(MemBackend::new(), ErrorKind::Unavailable).await;
}

#[tokio::test]
async fn every_command_outlives_a_store_that_has_too_much_to_do() {
    fail_every_call(MemBackend::lazy(), ErrorKind::Throttled).await;
}

#[tokio::test]
async fn a_login_may_be_tried_again() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Throttled] {
        let world = World::new(Config::default(), None).await;
        let mut client = world.connect(true);
        client.response().await;
        world.backend.faults().fail_calls(0..9, kind);
        for _ in 0..8 {
            let answer = client.lines("a", "LOGIN ann@example.test secret").await;
            assert!(answer[0].starts_with("a NO [UNAVAILABLE]"), "{answer:?}");
        }
        world.backend.faults().heal();
        let answer = client.lines("a", "LOGIN ann@example.test secret").await;
        assert!(answer[0].starts_with("a OK"), "{answer:?}");
    }
}

#[tokio::test]
async fn what_a_fetch_sent_before_the_server_went_away_stays_valid() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Throttled] {
        let world = World::over(MemBackend::lazy(), Config::default(), None).await;
        for _ in 0..200 {
            world.deliver(ANN, b"Subject: x\r\n\r\n").await;
        }
        let mut ann = world.ann().await;
        ann.command("a", "SELECT INBOX").await;
        world.backend.faults().fail_rendering(100..u32::MAX, kind);
        let answer = ann.lines("b", "FETCH 1:* (RFC822.SIZE)").await;
        let (last, sent) = answer.split_last().unwrap();
        assert!(last.starts_with("b NO [UNAVAILABLE]"), "{last}");
        assert!(!sent.is_empty() && sent.len() < 200, "{}", sent.len());
        let line = |n| format!("* {n} FETCH (RFC822.SIZE 25)");
        assert!(sent.iter().zip(1..).all(|(sent, n)| *sent == line(n)));
        world.backend.faults().heal();
        let answer = ann.lines("c", "FETCH 1:* (RFC822.SIZE)").await;
        assert_eq!(answer[..200], (1..=200).map(line).collect::<Vec<_>>());
    }
}

/// One call fails at a time; in the end, what is `\Seen` was shown.
#[tokio::test]
async fn what_could_not_be_shown_is_not_seen() {
    let mut failed = 0;
    for call in 0..30 {
        let mut session = Session::new(MemBackend::new(), 600).await;
        session.deliver(9).await;
        session.ok("NOOP").await;
        let faults = session.world.backend.faults();
        faults.fail_calls(call..call + 1, ErrorKind::Unavailable);
        let answer = session.run("FETCH 1:* BODY[]").await;
        failed += u32::from(answer.last().unwrap().starts_with("t NO"));
        faults.heal();
        let number = |line: &String| line.split(' ').nth(1).unwrap().parse::<u32>().unwrap();
        let bodies = answer.iter().filter(|line| line.contains("BODY[] {"));
        let shown: Vec<u32> = bodies.map(number).collect();
        let seen = session.ok("SEARCH SEEN").await;
        let seen = seen[0].strip_prefix("* SEARCH").unwrap_or_default();
        for seen in seen.split_whitespace() {
            assert!(shown.contains(&seen.parse().unwrap()), "{call}: {seen}");
        }
    }
    assert!(failed >= 5, "{failed}");
}

#[tokio::test]
async fn octets_are_promised_only_when_the_first_of_them_are_there() {
    let mut outcomes = Vec::new();
    for call in 0..8 {
        let mut session = Session::new(MemBackend::new(), 100).await;
        let message = format!("Subject: large\r\n\r\n{}\r\n", "y".repeat(450));
        session.world.deliver(ANN, message.as_bytes()).await;
        session.ok("NOOP").await;
        let faults = session.world.backend.faults();
        faults.fail_calls(call..u32::MAX, ErrorKind::Unavailable);
        session.client.send(b"t FETCH 4 BODY.PEEK[]\r\n").await;
        let first = session.client.response().await;
        let first = first.map(|line| String::from_utf8_lossy(&line).into_owned());
        outcomes.push(match first {
            Some(line) if line.starts_with("t NO [UNAVAILABLE]") => 'n',
            // What was promised cannot be had: there is no honest way on.
            None => 'e',
            Some(line) => {
                assert!(line.contains(&message), "{line}");
                'w'
            }
        });
        faults.heal();
    }
    let outcomes: String = outcomes.into_iter().collect();
    assert!(outcomes.starts_with('n') && outcomes.ends_with('w') && outcomes.contains('e'));
    assert!(
        outcomes
            .chars()
            .rev()
            .is_sorted_by_key(|outcome| "wen".find(outcome))
    );
}

#[tokio::test]
async fn an_idle_client_hears_of_what_came_while_the_store_was_away() {
    let config = Config {
        look_again: Duration::from_millis(20),
        ..Config::default()
    };
    let world = World::new(config, None).await;
    let mut ann = world.ann().await;
    ann.command("a", "SELECT INBOX").await;
    ann.send(b"b IDLE\r\n").await;
    assert_eq!(ann.response().await.unwrap(), b"+ idling");
    let faults = world.backend.faults();
    // The delivery passes, the look at it does not.
    faults.fail_calls(1..4, ErrorKind::Unavailable);
    world.deliver(ANN, b"Subject: x\r\n\r\n").await;
    assert_eq!(ann.response().await.unwrap(), b"* 1 EXISTS");
    assert!(faults.calls() > 4);
}
