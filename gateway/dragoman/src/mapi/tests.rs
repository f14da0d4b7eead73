//! Verbs on a mailbox of the embedded store and on one of an Exchange server, with the same words.

mod opening;
mod permissions;
mod showing;
mod watching;

use std::sync::Arc;

use clap::Parser;
use serde_json::Value;

use super::{Ask, Octets, Session, ask::Asked, channel, frames::Frame, perform};
use crate::{
    cli::{
        Cli, Command,
        mapi::{Mapi, Verb},
    },
    command::administration::Administration,
    exchange::tests::world::{ALICE, LOCAL, World},
    failure::Failure,
};

const ACCOUNTS: &str = "[exchange.main.accounts.\"alice@example.test\"]\nname = \"work\"\npassword_file = \"DIR/alice\"
    [exchange.main.accounts.\"bob@example.test\"]\npassword_file = \"DIR/bob\"";

const MESSAGE: &str =
    "From: Alice <alice@example.test>\r\nTo: bob@example.test\r\nSubject: hello\r\n\r\ntext\r\n";

/// A gateway with mailboxes of both kinds.
struct Gateway(World);

impl Gateway {
    async fn new() -> Self {
        let world = World::new().await;
        world.secret("alice", "secret-alice\n");
        world.secret("bob", "secret-bob\n");
        Self(world.restart(ACCOUNTS).await)
    }

    fn administration(&self) -> &Arc<Administration> {
        &self.0.gateway
    }

    /// Runs a verb; what it says, or its exit code and why.
    async fn run(&self, words: &[&str], octets: &str) -> Result<Vec<Frame>, (u8, String)> {
        let asked = asked(words, octets.len());
        self.perform(asked, octets).await
    }

    async fn perform(&self, asked: Asked, octets: &str) -> Result<Vec<Frame>, (u8, String)> {
        let (frames, mut said) = channel();
        let octets = octets.as_bytes().to_vec();
        let working = perform(self.administration(), asked, octets, frames);
        let listening = async {
            let mut all = Vec::new();
            while let Some(frame) = said.recv().await {
                all.push(frame);
            }
            all
        };
        let (done, all) = tokio::join!(working, listening);
        match done.map_err(Failure::telling) {
            Ok(()) => Ok(all),
            Err(failure) => Err((failure.exit_code(), failure.to_string())),
        }
    }

    /// The objects that a verb says.
    async fn ask(&self, words: &[&str]) -> Vec<Value> {
        let words: Vec<_> = words.iter().copied().chain(["--json"]).collect();
        let said = self.text(&words).await;
        let said = said.iter().map(|line| serde_json::from_str(line).unwrap());
        said.collect()
    }

    /// The lines that a verb says.
    async fn text(&self, words: &[&str]) -> Vec<String> {
        let mut text = String::new();
        for frame in self.run(words, "").await.unwrap() {
            match frame {
                Frame::Line(line) => text.extend([&line, "\n"]),
                Frame::Octets(octets) => text.push_str(std::str::from_utf8(&octets).unwrap()),
            }
        }
        text.lines().map(str::to_owned).collect()
    }

    /// A mailbox as its owner has it open.
    async fn session(&self, mailbox: &str) -> Session {
        let verb = asked(&["folders", mailbox], 0).verb;
        let who = verb.who().unwrap();
        Session::open(self.administration(), who, None)
            .await
            .unwrap()
    }

    async fn fails(&self, words: &[&str], code: u8) {
        let ended = self.run(words, "").await.unwrap_err();
        assert_eq!(ended.0, code, "{words:?}: {}", ended.1);
    }
}

/// What the command line means, as it comes out of the admin socket.
fn asked(words: &[&str], octets: usize) -> Asked {
    let words = ["dragoman", "mapi"].iter().chain(words);
    let cli = Cli::try_parse_from(words).unwrap();
    let verb = verb(cli);
    let ask = Ask {
        mapi: Asked {
            verb,
            password: None,
            octets: octets as u64,
        },
    };
    let line = serde_json::to_string(&ask).unwrap();
    serde_json::from_str::<Ask>(&line).unwrap().mapi
}

fn verb(cli: Cli) -> Verb {
    match cli.command {
        Command::Mapi(command) => match *command {
            Mapi::Verb(verb) => verb,
            Mapi::Decode(_) => panic!("no verb"),
        },
        _ => panic!("no verb"),
    }
}

fn field<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {object}"))
}

/// The value of a property that `show` says.
fn property<'a>(shown: &'a Value, name: &str) -> &'a Value {
    let mut all = shown["properties"].as_array().unwrap().iter();
    let found = all.find(|property| property["name"] == name);
    &found.unwrap_or_else(|| panic!("{name} in {shown}"))["value"]
}

#[tokio::test]
async fn items_of_every_class_are_made_listed_shown_and_removed() {
    let gateway = Gateway::new().await;
    for mailbox in [LOCAL, ALICE] {
        appointments(&gateway, mailbox).await;
        contacts(&gateway, mailbox).await;
        tasks(&gateway, mailbox).await;
        notes(&gateway, mailbox).await;
    }
}

async fn appointments(gateway: &Gateway, mailbox: &str) {
    let words = ["appointment", mailbox, "add", "--subject", "Meeting"];
    let more = [
        "--start",
        "2027-03-01T10:00+01:00",
        "--end",
        "2027-03-01T11:30+01:00",
    ];
    let last = [
        "--location",
        "Room 1",
        "--busy",
        "out-of-office",
        "--reminder",
        "15",
    ];
    let words = [&words[..], &more, &last].concat();
    let made = gateway.ask(&words).await;
    let number = made[0]["number"].to_string();
    let days = ["--start", "2027-03-02+01:00", "--all-day", "--private"];
    let words = [
        &["appointment", mailbox, "add", "--subject", "Day"][..],
        &days,
    ]
    .concat();
    gateway.ask(&words).await;
    let all = gateway.ask(&["appointment", mailbox, "list"]).await;
    assert_eq!(all.len(), 2);
    assert_eq!(field(&all[0], "subject"), "Meeting");
    assert_eq!(field(&all[0], "start"), "2027-03-01T09:00:00Z");
    assert_eq!(field(&all[0], "busy"), "out-of-office");
    assert_eq!(field(&all[0], "location"), "Room 1");
    assert_eq!(field(&all[1], "start"), "2027-03-01T23:00:00Z");
    assert_eq!(field(&all[1], "end"), "2027-03-02T23:00:00Z");
    assert_eq!(all[1]["all_day"], true);
    let shown = gateway
        .ask(&["appointment", mailbox, "show", &number])
        .await;
    let shown = &shown[0];
    assert_eq!(property(shown, "PidLidAppointmentDuration"), 90);
    assert_eq!(
        property(shown, "PidLidReminderSignalTime"),
        "2027-03-01T08:45:00Z"
    );
    assert_eq!(property(shown, "PidTagMessageClass"), "IPM.Appointment");
    let span = ["2027-03-01T00:00Z", "2027-03-02T00:00Z"];
    let busy = gateway.ask(&["freebusy", mailbox, span[0], span[1]]).await;
    assert_eq!(busy.len(), 2);
    assert_eq!(field(&busy[0], "status"), "out-of-office");
    assert_eq!(field(&busy[0], "end"), "2027-03-01T10:30:00Z");
    let removed = gateway
        .ask(&["appointment", mailbox, "remove", &number])
        .await;
    assert_eq!(removed[0]["removed"].to_string(), number);
    gateway
        .fails(&["appointment", mailbox, "remove", &number], 3)
        .await;
    assert_eq!(
        gateway.ask(&["appointment", mailbox, "list"]).await.len(),
        1
    );
    let wrong = ["--start", "2027-03-02T00:00Z", "--end", "2027-03-01T00:00Z"];
    let words = [
        &["appointment", mailbox, "add", "--subject", "x"][..],
        &wrong,
    ]
    .concat();
    gateway.fails(&words, 1).await;
}

async fn contacts(gateway: &Gateway, mailbox: &str) {
    let words = [
        "contact",
        mailbox,
        "add",
        "--given-name",
        "Anna",
        "--surname",
        "Example",
    ];
    let more = [
        "--email",
        "anna@example.test",
        "--mobile",
        "+49 1",
        "--category",
        "Friends",
    ];
    gateway.ask(&[&words[..], &more].concat()).await;
    let all = gateway.ask(&["contact", mailbox, "list"]).await;
    assert_eq!(field(&all[0], "name"), "Anna Example");
    assert_eq!(field(&all[0], "file_under"), "Example, Anna");
    assert_eq!(all[0]["emails"][0], "anna@example.test");
    assert_eq!(field(&all[0], "mobile"), "+49 1");
    gateway
        .fails(&["contact", mailbox, "add", "--phone", "1"], 1)
        .await;
}

async fn tasks(gateway: &Gateway, mailbox: &str) {
    let words = [
        "task",
        mailbox,
        "add",
        "--subject",
        "Write",
        "--due",
        "2027-03-05+01:00",
    ];
    let more = ["--status", "in-progress", "--percent", "25"];
    gateway.ask(&[&words[..], &more].concat()).await;
    let all = gateway.ask(&["task", mailbox, "list"]).await;
    assert_eq!(field(&all[0], "due"), "2027-03-05");
    assert_eq!(field(&all[0], "status"), "in-progress");
    assert_eq!(all[0]["percent"], 25);
    let number = all[0]["number"].to_string();
    let shown = gateway.ask(&["task", mailbox, "show", &number]).await;
    assert_eq!(
        property(&shown[0], "PidLidCommonEnd"),
        "2027-03-04T23:00:00Z"
    );
}

async fn notes(gateway: &Gateway, mailbox: &str) {
    let words = [
        "note",
        mailbox,
        "add",
        "--body",
        "Milk\nBread",
        "--colour",
        "pink",
    ];
    gateway.ask(&words).await;
    let all = gateway.ask(&["note", mailbox, "list"]).await;
    assert_eq!(field(&all[0], "subject"), "Milk");
    assert_eq!(field(&all[0], "colour"), "pink");
}

/// Puts a message into the Inbox.
async fn deliver(gateway: &Gateway, mailbox: &str, subject: &str) {
    let accounts = gateway.administration().accounts();
    let mut spool = accounts.spool();
    let text = format!("From: Anna <anna@example.test>\r\nSubject: {subject}\r\n\r\ntext\r\n");
    spool.write(text.as_bytes()).await.unwrap();
    let message = spool.finish().await.unwrap();
    let copy = account::Copy {
        mailbox: account::MailboxId(mailbox.to_owned()),
        prefix: bytes::Bytes::new(),
        once: None,
    };
    let received = account::FileTime::from_unix(1_800_000_000);
    for delivered in accounts.deliver(&message, &[copy], received).await {
        delivered.unwrap();
    }
}

#[tokio::test]
async fn folders_and_messages_are_listed_and_shown() {
    let gateway = Gateway::new().await;
    for mailbox in [LOCAL, ALICE] {
        for subject in ["one", "two", "three"] {
            deliver(&gateway, mailbox, subject).await;
        }
        let folders = gateway.ask(&["folders", mailbox]).await;
        let inbox = folders.iter().find(|folder| folder["role"] == "Inbox");
        let inbox = inbox.unwrap();
        assert_eq!((&inbox["items"], &inbox["unread"]), (&3.into(), &3.into()));
        assert_eq!(field(inbox, "class"), "IPF.Note");
        let text = gateway.text(&["folders", mailbox]).await;
        assert!(
            text[0].starts_with("Inbox") && text[0].contains("3 items"),
            "{text:?}"
        );

        let list = async |more: &[&str]| {
            let words = [&["list", mailbox, "inbox"][..], more].concat();
            let items = gateway.ask(&words).await;
            let subjects = items.iter().map(|item| field(item, "subject").to_owned());
            subjects.collect::<Vec<_>>()
        };
        assert_eq!(list(&[]).await, ["three", "two", "one"]);
        assert_eq!(list(&["--limit", "1"]).await, ["three"]);
        assert_eq!(list(&["--where", "subject=TWO"]).await, ["two"]);
        assert_eq!(
            list(&["--where", "from=ANNA", "--where", "unread"])
                .await
                .len(),
            3
        );
        assert_eq!(list(&["--where", "from=bob"]).await.len(), 0);
        assert_eq!(list(&["--where", "flagged"]).await.len(), 0);
        assert_eq!(list(&["--since", "2027-01-15T08:00Z"]).await.len(), 3);
        assert_eq!(list(&["--since", "2027-01-15T08:01Z"]).await.len(), 0);
        assert_eq!(list(&["--associated"]).await.len(), 0);
        assert_eq!(list(&["--fast"]).await.len(), 3);

        let items = gateway
            .ask(&["list", mailbox, "Inbox", "--limit", "1"])
            .await;
        assert_eq!(field(&items[0], "from_address"), "anna@example.test");
        assert_eq!(field(&items[0], "date"), "2027-01-15T08:00:00Z");
        assert_eq!(items[0]["flags"][0], "unread");
        let number = items[0]["number"].to_string();
        let shown = gateway.ask(&["show", mailbox, "Inbox", &number]).await;
        assert_eq!(property(&shown[0], "PidTagSubject"), "three");
        let raw = gateway
            .run(&["show", mailbox, "Inbox", &number, "--raw"], "")
            .await;
        let raw = raw.unwrap().into_iter().map(|frame| match frame {
            Frame::Octets(octets) => String::from_utf8(octets.to_vec()).unwrap(),
            Frame::Line(line) => panic!("{line}"),
        });
        assert!(
            raw.collect::<String>()
                .ends_with("Subject: three\r\n\r\ntext\r\n")
        );
        gateway.fails(&["show", mailbox, "Inbox", "999"], 3).await;
        gateway
            .fails(&["show", mailbox, "Inbox", "999", "--raw"], 3)
            .await;
        gateway.fails(&["list", mailbox, "Nowhere"], 3).await;
    }
}

#[tokio::test]
async fn a_message_is_sent_where_the_store_can_send() {
    let gateway = Gateway::new().await;
    let sent = async |folder: &str| gateway.ask(&["list", "work", folder]).await;
    for _ in 0..2 {
        let words = ["send", "work", "-", "--once", "monday"];
        gateway.run(&words, MESSAGE).await.unwrap();
    }
    assert_eq!(sent("Sent Items").await.len(), 1);
    let words = ["send", "work", "-", "--copy", "none"];
    gateway.run(&words, MESSAGE).await.unwrap();
    assert_eq!(sent("Sent Items").await.len(), 1);
    let arrived = gateway.0.server().mailbox("bob");
    let arrived = arrived.subjects(arrived.inbox().unwrap()).unwrap();
    assert_eq!(arrived, ["hello", "hello"]);
    let refused = gateway
        .run(&["send", LOCAL, "-"], MESSAGE)
        .await
        .unwrap_err();
    assert_eq!(refused.0, 6, "{}", refused.1);
}
