//! Thunderbird in its own window on a virtual screen, with the demo mailboxes: `clients/thunderbird.py`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::failure::{Context, Failure, Outcome, ensure};
use crate::process::{free_port, require, run as run_program, signal, wait};
use crate::report::Report;
use crate::subject::{Kind, Subject};

/// How long both accounts may take; the script gives up earlier by itself and cleans up.
const LIFE_LIMIT: Duration = Duration::from_secs(660);
/// A life that stops early has failed, whatever it printed: it makes more checks than this.
const CHECKS_MIN: usize = 70;
/// How long the demo may take until it is ready.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long the demo may take to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    let Kind::Dragoman { binary } = &subject.kind else {
        report.note("the demo mailboxes are Dragoman's own: nothing to do here");
        return Ok(());
    };
    for program in ["thunderbird", "Xvfb"] {
        require(program)?;
    }
    let mut demo = Demo::start(binary, &subject.work.join("demo"))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/thunderbird.py");
    let mut command = Command::new(require("python3")?);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(script);
    command
        .args(demo.ports.map(|port| port.to_string()))
        .args(&demo.logins);
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
        for listener in ["http", "https", "admin"] {
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
