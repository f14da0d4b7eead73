//! A running server, its commands, and what clients say to it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

pub const MAILBOX: &str = "alice@example.test";

const LISTENERS: [&str; 10] = [
    "imap",
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

pub fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dragoman"));
    command.args(arguments).arg("--data").arg(data);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub fn run(data: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = command(data, arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

pub fn add_user(data: &Path) {
    let added = run(data, &["user", "add", MAILBOX], "secret-alice\n");
    assert!(added.status.success());
}

/// What a command that succeeds says.
pub fn said(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments, "");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A running server with some listeners. It is killed at the end.
pub struct Server {
    pub child: Child,
    places: HashMap<String, String>,
}

impl Server {
    pub fn start(data: &Path, listeners: &[&str], settings: &[&str]) -> Self {
        let mut serve = command(data, &["serve"]);
        for name in LISTENERS {
            let place = match listeners.contains(&name) {
                true => "127.0.0.1:0",
                false => "",
            };
            serve.arg("--set").arg(format!("listen.{name}={place}"));
        }
        for setting in settings {
            serve.arg("--set").arg(setting);
        }
        let mut child = serve.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut places = HashMap::new();
        for line in lines.by_ref() {
            let line = line.unwrap();
            if line == "ready" {
                break;
            }
            if let Some((name, place)) = line.split_once(' ') {
                places.insert(name.to_owned(), place.to_owned());
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, places }
    }

    /// Waits until the log says something.
    pub fn wait_for_log(&mut self, words: &str) {
        let log = BufReader::new(self.child.stderr.take().unwrap());
        let mut lines = log.lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains(words)), "{words}");
        // Whoever logs more must not wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
    }

    pub fn connect(&self, listener: &str) -> Client {
        let stream = TcpStream::connect(&self.places[listener]).unwrap();
        let mut client = Client {
            read: BufReader::new(stream.try_clone().unwrap()),
            write: stream,
        };
        client.line();
        client
    }

    /// Alice, by IMAP.
    pub fn client(&self) -> Client {
        let mut client = self.connect("imap");
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

pub struct Client {
    read: BufReader<TcpStream>,
    write: TcpStream,
}

impl Client {
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.read.read_line(&mut line).unwrap();
        line
    }

    /// The answer to a command.
    pub fn answer(&mut self, command: &str) -> String {
        write!(self.write, "a {command}\r\n").unwrap();
        let mut answer = String::new();
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "{command}: {answer}");
            answer += &line;
            if line.starts_with("a ") {
                return answer;
            }
        }
    }

    /// The answer to a command, which must be OK.
    pub fn ask(&mut self, command: &str) -> String {
        let answer = self.answer(command);
        let end = answer.lines().last().unwrap_or_default();
        assert!(end.starts_with("a OK"), "{command}: {answer}");
        answer
    }

    /// What is said to a message that is stored.
    pub fn try_append(&mut self, folder: &str, flags: &str, message: &str) -> String {
        let date = "17-Jul-2021 02:44:25 +0000";
        let len = message.len();
        write!(
            self.write,
            "a APPEND {folder} ({flags}) \"{date}\" {{{len}}}\r\n"
        )
        .unwrap();
        let go_on = self.line();
        if !go_on.starts_with('+') {
            return go_on;
        }
        write!(self.write, "{message}\r\n").unwrap();
        self.line()
    }

    pub fn append(&mut self, folder: &str, flags: &str, message: &str) {
        let answer = self.try_append(folder, flags, message);
        assert!(answer.starts_with("a OK"), "{answer}");
    }

    /// The last line of the reply to a command of SMTP or LMTP.
    pub fn reply(&mut self, command: &str) -> String {
        write!(self.write, "{command}\r\n").unwrap();
        loop {
            let line = self.line();
            if line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        }
    }
}
