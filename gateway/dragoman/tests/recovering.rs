//! What clients delete from a running server comes back by `dragoman recover`.

#![expect(clippy::unwrap_used, reason = "assertions of tests")]

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

const MAILBOX: &str = "alice@example.test";

fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dragoman"));
    command.args(arguments).arg("--data").arg(data);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(data: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = command(data, arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn add_user(data: &Path) {
    let added = run(data, &["user", "add", MAILBOX], "secret-alice\n");
    assert!(added.status.success());
}

/// What a command that succeeds says.
fn said(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments, "");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A running server. It is killed at the end.
struct Server {
    child: Child,
    imap: String,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut serve = command(data, &["serve", "--set", "log.level=error"]);
        let names = [
            "imaps",
            "pop3",
            "pop3s",
            "submission",
            "submissions",
            "lmtp",
            "http",
            "https",
            "admin",
        ];
        for name in names {
            serve.arg("--set").arg(format!("listen.{name}="));
        }
        serve.arg("--set").arg("listen.imap=127.0.0.1:0");
        serve.stderr(Stdio::inherit());
        let mut child = serve.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut imap = String::new();
        for line in lines.by_ref() {
            let line = line.unwrap();
            if let Some(place) = line.strip_prefix("imap ") {
                imap = place.to_owned();
            }
            if line == "ready" {
                break;
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, imap }
    }

    fn client(&self) -> Client {
        let stream = TcpStream::connect(&self.imap).unwrap();
        let mut client = Client {
            read: BufReader::new(stream.try_clone().unwrap()),
            write: stream,
        };
        client.line();
        client.ask(&format!("LOGIN {MAILBOX} secret-alice"));
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

struct Client {
    read: BufReader<TcpStream>,
    write: TcpStream,
}

impl Client {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.read.read_line(&mut line).unwrap();
        line
    }

    /// The answer to a command, which must be OK.
    fn ask(&mut self, command: &str) -> String {
        write!(self.write, "a {command}\r\n").unwrap();
        let mut answer = String::new();
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "{command}: {answer}");
            answer += &line;
            if let Some(end) = line.strip_prefix("a ") {
                assert!(end.starts_with("OK"), "{command}: {answer}");
                return answer;
            }
        }
    }

    fn append(&mut self, folder: &str, flags: &str, message: &str) {
        let date = "17-Jul-2021 02:44:25 +0000";
        let len = message.len();
        write!(
            self.write,
            "a APPEND {folder} ({flags}) \"{date}\" {{{len}}}\r\n"
        )
        .unwrap();
        assert!(self.line().starts_with('+'));
        write!(self.write, "{message}\r\n").unwrap();
        assert!(self.line().starts_with("a OK"));
    }
}

fn message(n: u32) -> String {
    format!("From: bob@example.test\r\nSubject: number {n}\r\n\r\nThe text of {n}\r\n")
}

/// A mailbox from which things are deleted.
fn delete_things(client: &mut Client) {
    client.ask("CREATE Old");
    client.ask("CREATE Old/Deep");
    for n in 0..4 {
        client.append("INBOX", r"\Seen \Flagged $Label", &message(n));
        client.append("Old", r"\Answered", &message(10 + n));
        client.append("Old/Deep", "", &message(20 + n));
    }
    client.ask("SELECT INBOX");
    client.ask(r"STORE 2:3 +FLAGS (\Deleted)");
    client.ask("EXPUNGE");
    client.ask("DELETE Old/Deep");
    client.ask("DELETE Old");
}

#[test]
fn what_clients_delete_comes_back_with_octets_flags_and_date() {
    let world = tempfile::tempdir().unwrap();
    let data = world.path();
    add_user(data);
    let server = Server::start(data);
    let mut client = server.client();
    delete_things(&mut client);

    // Beside the running server.
    let listed = said(data, &["recover", "list", MAILBOX]);
    assert!(listed.contains("10 items"), "{listed}");
    assert!(listed.contains("Old/Deep was deleted"), "{listed}");
    let id = |subject: &str| {
        let line = listed.lines().find(|line| line.ends_with(subject)).unwrap();
        line.split(' ').next().unwrap().to_owned()
    };
    let shown = said(data, &["recover", "show", MAILBOX, &id("number 1")]);
    assert!(shown.contains("bob@example.test") && shown.contains("number 1"));
    let (one, other) = (id("number 1"), id("number 10"));
    let restored = said(data, &["recover", "restore", MAILBOX, &one, &other]);
    assert!(
        restored.contains("1 items recovered into Inbox"),
        "{restored}"
    );
    assert!(
        restored.contains("1 items recovered into Recovered"),
        "{restored}"
    );
    client.ask("NOOP");
    let fetched = client.ask("UID FETCH 5 (FLAGS INTERNALDATE BODY.PEEK[])");
    assert!(fetched.contains("* 3 FETCH"), "{fetched}");
    for part in [
        r"\Seen",
        r"\Flagged",
        "$Label",
        "17-Jul-2021 02:44:25",
        &message(1),
    ] {
        assert!(fetched.contains(part), "{part}: {fetched}");
    }
    assert!(!fetched.contains(r"\Deleted"), "{fetched}");
    // Once more finds nothing, and says so.
    let again = run(data, &["recover", "restore", MAILBOX, &one], "");
    assert!(!again.status.success());

    let restored = said(data, &["recover", "restore", MAILBOX, "--folder", "Old"]);
    assert!(
        restored.contains("3 items recovered into Old"),
        "{restored}"
    );
    assert!(
        restored.contains("4 items recovered into Deep"),
        "{restored}"
    );
    assert!(
        client
            .ask("STATUS Old/Deep (MESSAGES)")
            .contains("MESSAGES 4")
    );
    assert!(
        client
            .ask("STATUS INBOX/Recovered (MESSAGES)")
            .contains("MESSAGES 1")
    );
    drop((client, server));

    // Without a server, after it was killed.
    let purged = said(data, &["recover", "purge", MAILBOX, "--all"]);
    assert_eq!(purged, "1 items purged\n");
    assert_eq!(
        said(data, &["recover", "list", MAILBOX]),
        "0 items, 0 octets\n"
    );
    assert_eq!(said(data, &["fsck"]), "no faults\n");
}

#[test]
fn what_was_kept_long_enough_is_purged_by_the_server() {
    let world = tempfile::tempdir().unwrap();
    let data = world.path();
    add_user(data);
    let server = Server::start(data);
    let mut client = server.client();
    client.append("INBOX", r"\Deleted", &message(1));
    client.ask("SELECT INBOX");
    client.ask("EXPUNGE");
    drop((client, server));
    assert!(said(data, &["recover", "list", MAILBOX]).contains("1 items"));
    let settings = [
        "--set",
        "retention.deleted_items_days=0",
        "--set",
        "retention.sweep_every_s=1",
    ];
    let mut serve = command(data, &["serve", "--set", "log.level=info"]);
    serve.args(settings).stdout(Stdio::null());
    for name in [
        "imaps",
        "pop3",
        "pop3s",
        "submission",
        "submissions",
        "lmtp",
        "http",
        "https",
        "admin",
        "imap",
    ] {
        serve.arg("--set").arg(format!("listen.{name}="));
    }
    let mut child = serve.spawn().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    // The log tells when it is done.
    let mut seen = log.lines().map(Result::unwrap);
    assert!(seen.any(|line| line.contains("purged what was deleted")));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        said(data, &["recover", "list", MAILBOX]),
        "0 items, 0 octets\n"
    );
}
