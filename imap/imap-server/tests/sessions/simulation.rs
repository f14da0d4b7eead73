//! Several sessions change one mailbox at random; each client's idea of it must stay true.
//!
//! A client knows only what the protocol tells it: EXISTS, EXPUNGE and FETCH. Whenever it fetches UIDs by sequence
//! number, they must be those it has counted on; once all have caught up, all agree with a fresh session.
use std::collections::BTreeMap;

use crate::support::{Client, World};
use imap_server::Config;

const SESSIONS: usize = 3;
const STEPS: usize = 250;
const SEEDS: std::ops::Range<u64> = 1..9;

/// A small generator: the same seed gives the same run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// A message as a client knows it: its UID and flags, as far as it was told.
#[derive(Clone, Debug, Default)]
struct Known {
    uid: Option<u32>,
    flags: Option<String>,
}

struct Session {
    client: Client,
    messages: Vec<Known>,
}

impl Session {
    async fn open(world: &World) -> Self {
        let mut client = world.connect(true);
        client.response().await;
        client.command("a", "LOGIN ann@example.test secret").await;
        let mut session = Self {
            client,
            messages: Vec::new(),
        };
        session.run("SELECT INBOX").await;
        session.run("FETCH 1:* (UID FLAGS)").await;
        session
    }

    /// Runs a command and takes note of every untagged response.
    async fn run(&mut self, command: &str) {
        for response in self.client.command("t", command).await {
            let text = String::from_utf8(response).unwrap();
            self.note(&text, command);
        }
    }

    fn note(&mut self, text: &str, command: &str) {
        let words: Vec<&str> = text.splitn(4, ' ').collect();
        match words.as_slice() {
            ["*", number, "EXISTS"] => {
                let count: usize = number.parse().unwrap();
                assert!(
                    count >= self.messages.len(),
                    "{command}: fewer without EXPUNGE: {text}"
                );
                self.messages.resize(count, Known::default());
            }
            ["*", number, "EXPUNGE"] => {
                let by_number = ["FETCH", "STORE", "SEARCH"];
                let forbidden = by_number.iter().any(|name| command.starts_with(name));
                assert!(!forbidden, "EXPUNGE during {command}");
                self.messages.remove(number.parse::<usize>().unwrap() - 1);
            }
            ["*", number, "FETCH", items] => {
                let message = &mut self.messages[number.parse::<usize>().unwrap() - 1];
                if let Some(uid) = after(items, "UID ") {
                    let uid = uid.split([' ', ')']).next().unwrap().parse().unwrap();
                    let known = *message.uid.get_or_insert(uid);
                    assert_eq!(known, uid, "{command}: number {number} is another message");
                }
                if let Some(flags) = after(items, "FLAGS (") {
                    let flags = flags.split(')').next().unwrap();
                    let mut flags: Vec<&str> = flags
                        .split(' ')
                        .filter(|flag| *flag != "\\Recent")
                        .collect();
                    flags.sort_unstable();
                    message.flags = Some(flags.join(" "));
                }
            }
            _ => {}
        }
        assert!(
            !text.starts_with("* BYE") && !text.starts_with("t BAD"),
            "{command}: {text}"
        );
    }

    fn some(&self, random: &mut Random) -> usize {
        1 + random.below(self.messages.len())
    }

    async fn step(&mut self, random: &mut Random) {
        let command = if self.messages.is_empty() || random.below(6) == 0 {
            "APPEND INBOX {12+}\r\nSubject: x\r\n".to_owned()
        } else {
            let (one, other) = (self.some(random), self.some(random));
            let set = format!("{}:{}", one.min(other), one.max(other));
            let flag = ["\\Seen", "\\Flagged", "\\Answered", "work", "$Forwarded"][random.below(5)];
            match random.below(12) {
                0 => "NOOP".to_owned(),
                1 => "EXPUNGE".to_owned(),
                2 => format!("COPY {one} INBOX"),
                3 => format!("MOVE {one} Archive"),
                4 => format!("STORE {one} +FLAGS.SILENT (\\Deleted)"),
                5 => format!("STORE {set} +FLAGS ({flag})"),
                6 => format!("STORE {set} -FLAGS ({flag})"),
                7 => format!("STORE {one} FLAGS ({flag})"),
                8 => format!("FETCH {one} (BODY[TEXT])"),
                9 => "UID SEARCH ALL".to_owned(),
                _ => format!("FETCH {set} (UID FLAGS)"),
            }
        };
        // After .SILENT a client takes its change for granted.
        if let Some(one) = command.strip_suffix(" +FLAGS.SILENT (\\Deleted)") {
            let at: usize = one.trim_start_matches("STORE ").parse().unwrap();
            let flags = &mut self.messages[at - 1].flags;
            if let Some(flags) = flags.as_mut().filter(|flags| !flags.contains("\\Deleted")) {
                let mut list: Vec<&str> =
                    flags.split(' ').filter(|flag| !flag.is_empty()).collect();
                list.push("\\Deleted");
                list.sort_unstable();
                *flags = list.join(" ");
            }
        }
        self.run(&command).await;
    }

    /// What it knows once it has caught up.
    async fn settled(&mut self) -> BTreeMap<u32, String> {
        self.run("NOOP").await;
        let before = self.messages.clone();
        self.run("FETCH 1:* (UID FLAGS)").await;
        for (known, now) in before.iter().zip(&self.messages) {
            assert!(
                known.flags.is_none() || known.flags == now.flags,
                "{known:?} is now {now:?}"
            );
        }
        let known = self.messages.iter();
        known
            .map(|known| (known.uid.unwrap(), known.flags.clone().unwrap()))
            .collect()
    }
}

fn after<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    text.split_once(start).map(|(_, rest)| rest)
}

#[tokio::test]
async fn every_client_keeps_a_true_picture_of_a_mailbox_that_others_change() {
    for seed in SEEDS {
        println!("seed {seed}");
        let world = World::new(Config::default(), None).await;
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut sessions = Vec::new();
        for _ in 0..SESSIONS {
            sessions.push(Session::open(&world).await);
        }
        for _ in 0..STEPS {
            let who = random.below(SESSIONS);
            sessions[who].step(&mut random).await;
        }
        let fresh = Session::open(&world).await.settled().await;
        for session in &mut sessions {
            assert_eq!(session.settled().await, fresh);
        }
    }
}
