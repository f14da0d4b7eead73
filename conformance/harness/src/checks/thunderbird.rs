//! Thunderbird in its own window on a virtual screen, with the demo mailboxes: `clients/thunderbird.py`. Where the
//! subject's mailboxes are on an Exchange server, the demo's mail is copied there first.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::mailboxes::special;
use crate::failure::{Context, Failure, Outcome, ensure};
use crate::imap::Imap;
use crate::process::{free_port, require, run as run_program, signal, wait};
use crate::report::Report;
use crate::subject::{Account, Kind, Subject};

/// How long both accounts may take; the script gives up earlier by itself and cleans up.
const LIFE_LIMIT: Duration = Duration::from_secs(660);
/// A life that stops early has failed, whatever it printed: it makes more checks than this.
const CHECKS_MIN: usize = 70;
/// How long the demo may take until it is ready.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The special use of the mailbox for sent mail.
const SENT: &str = "\\Sent";
/// How long the demo may take to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    let (Kind::Dragoman { binary } | Kind::Exchange { binary, .. }) = &subject.kind else {
        report.note("the demo mailboxes are Dragoman's own: nothing to do here");
        return Ok(());
    };
    for program in ["thunderbird", "Xvfb"] {
        require(program)?;
    }
    let mut demo = Demo::start(binary, &subject.work.join("demo"))?;
    let mut place = (demo.ports, demo.logins.clone());
    let mut missing = Vec::new();
    if matches!(subject.kind, Kind::Exchange { .. }) {
        place = moved(&demo, subject).during("copying the demo's mail")?;
        missing = missing_uses(subject)?;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/thunderbird.py");
    let mut command = Command::new(require("python3")?);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(script);
    command
        .args(place.0.map(|port| port.to_string()))
        .args(&place.1)
        .args(missing);
    let finished = run_program(&mut command, b"", LIFE_LIMIT)?;
    let text = String::from_utf8_lossy(&finished.output).into_owned();
    text.lines().for_each(|line| report.adopt(line));
    let checks = text
        .lines()
        .filter(|line| line.starts_with("  ok   ") || line.starts_with("  FAIL "))
        .count();
    report.check("Thunderbird made every check", || {
        finished.success()?;
        ensure(checks > CHECKS_MIN, || format!("only {checks} checks"))
    });
    report.check("the demo ends on SIGTERM", || demo.stop());
    Ok(())
}

/// Copies what the demo's users have to those of a subject. Returns the ports and logins to use then.
fn moved(demo: &Demo, subject: &Subject) -> Outcome<([u16; 3], Vec<String>)> {
    let accounts = [&subject.alice, &subject.bob];
    for (login, account) in demo.logins.chunks(2).zip(accounts) {
        let [address, password] = login else { continue };
        let demo_account = Account {
            address: address.clone(),
            password: password.clone(),
        };
        let mut from = Imap::login(demo.ports[0], &demo_account)?;
        let mut to = Imap::login(subject.listeners.imap, account)?;
        copy(&mut from, &mut to, ("INBOX", "INBOX"))?;
        let sent = |name: Option<String>| name.ok_or_else(|| Failure("no mailbox Sent".into()));
        let from_sent = sent(special(&mut from, SENT)?)?;
        let to_sent = sent(special(&mut to, SENT)?)?;
        copy(&mut from, &mut to, (&from_sent, &to_sent))?;
    }
    let listeners = &subject.listeners;
    let ports = [
        listeners.imap,
        listeners.imaps.unwrap_or_default(),
        listeners.lmtp,
    ];
    let words = |account: &Account| [account.address.clone(), account.password.clone()];
    Ok((ports, accounts.into_iter().flat_map(words).collect()))
}

/// Copies all messages of a mailbox, with flags and dates.
fn copy(from: &mut Imap, to: &mut Imap, (source, target): (&str, &str)) -> Outcome {
    from.select(source)?;
    let answer = from.expect_ok("UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])")?;
    for items in answer.fetched()? {
        let bytes = items.bytes("BODY[]").unwrap_or_default();
        let flags = items.text("FLAGS").replace("\\Recent", "");
        let options = format!("{flags} {}", items.text("INTERNALDATE"));
        to.append(target, &options, &bytes)?.ok()?;
    }
    Ok(())
}

/// Special uses that no mailbox of the subject's users has: an Exchange server makes an archive folder when it likes.
fn missing_uses(subject: &Subject) -> Outcome<Vec<&'static str>> {
    let mut session = Imap::login(subject.listeners.imap, &subject.alice)?;
    Ok(match special(&mut session, "\\Archive")? {
        Some(_) => Vec::new(),
        None => vec!["Archive"],
    })
}

/// A server of its own with `--demo`: the README's first command, on free ports.
struct Demo {
    child: Child,
    /// IMAP, IMAP over TLS, LMTP.
    ports: [u16; 3],
    /// Address and password of each user in turn, as printed.
    logins: Vec<String>,
}

impl Demo {
    fn start(binary: &Path, folder: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(folder)?;
        let ports = [free_port()?, free_port()?, free_port()?];
        let mut command = Command::new(binary);
        command
            .args(["serve", "--demo", "--data"])
            .arg(folder.join("data"));
        for (listener, port) in ["imap", "imaps", "lmtp"].iter().zip(ports) {
            command.args(["--set", &format!("listen.{listener}=127.0.0.1:{port}")]);
        }
        for listener in [
            "pop3",
            "pop3s",
            "submission",
            "submissions",
            "http",
            "https",
            "admin",
        ] {
            command.args(["--set", &format!("listen.{listener}=")]);
        }
        let log: PathBuf = folder.join("server.log");
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()
            .during("dragoman serve --demo")?;
        let mut demo = Self {
            child,
            ports,
            logins: Vec::new(),
        };
        demo.read_logins()?;
        Ok(demo)
    }

    /// Reads standard output until `ready`; a thread goes on reading so that the pipe never fills.
    fn read_logins(&mut self) -> Outcome {
        let stdout = self.child.stdout.take();
        let stdout = stdout.ok_or_else(|| Failure("no standard output".into()))?;
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        loop {
            let line = receiver.recv_timeout(START_LIMIT);
            let line = line.map_err(|_| Failure("the demo printed no line `ready`".into()))?;
            if line == "ready" {
                return ensure(self.logins.len() == 4, || {
                    "the demo printed no two logins".into()
                });
            }
            let login = line.strip_prefix("demo user ");
            if let Some((user, password)) = login.and_then(|rest| rest.split_once(" password ")) {
                self.logins.extend([user.to_owned(), password.to_owned()]);
            }
        }
    }

    fn stop(&mut self) -> Outcome {
        signal(self.child.id(), "TERM")?;
        let status = wait(&mut self.child, STOP_LIMIT)?;
        ensure(status.success(), || status.to_string())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
