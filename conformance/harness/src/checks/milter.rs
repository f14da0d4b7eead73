//! A real filter in the pipeline: OpenDKIM signs what is submitted, goes away, and comes back.

use std::fs::write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::failure::{Outcome, ensure, failure};
use crate::imap::Imap;
use crate::lmtp::dot_stuffed;
use crate::process::{eventually, free_port, open_to_all, require, run as run_program};
use crate::report::Report;
use crate::smtp::Smtp;
use crate::subject::{Options, Subject};

/// The Python that Debian's packages are for.
const PYTHON: &str = "/usr/bin/python3";
/// How long one program may take, and mail to arrive.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    let mut filter = OpenDkim::start(&subject.work.join("opendkim"))?;
    let stage = format!(
        "pipeline=[{{step=\"milter\",address=\"127.0.0.1:{}\",messages=[\"submissions\"],timeout_s=20}}]",
        filter.port
    );
    let options = Options {
        settings: vec![stage],
        ..Options::default()
    };
    let gateway = Subject::start(&subject.kind, options)?;
    report.check(
        "what is submitted is signed, and the signature is good",
        || {
            send(&gateway, "first")?;
            filter.verify(&arrived(&gateway, 1)?)
        },
    );
    report.check(
        "while the filter is away, clients are told to try again",
        || {
            filter.stop()?;
            match send(&gateway, "second") {
                Ok(()) => failure("it was taken"),
                Err(why) => ensure(why.0.starts_with("451 4.7.1"), || why.0.clone()),
            }
        },
    );
    report.check("when it is back, mail goes on", || {
        filter.run()?;
        send(&gateway, "third")?;
        filter.verify(&arrived(&gateway, 2)?)
    });
    gateway.clean_up()
}

/// Alice sends to Bob.
fn send(gateway: &Subject, title: &str) -> Outcome {
    let (alice, bob) = (&gateway.alice, &gateway.bob);
    let port = gateway.listeners.submission.unwrap_or_default();
    let text = format!(
        "From: {}\r\nTo: {}\r\nBcc: hidden@example.test\r\nSubject: {title}\r\n\r\n.dots and spaces   \r\n\r\nend\r\n",
        alice.address, bob.address
    );
    let mut session = Smtp::login(port, alice)?;
    session.transact(
        &alice.address,
        &[&bob.address],
        &dot_stuffed(text.as_bytes()),
    )
}

/// The last of so many messages of Bob's.
fn arrived(gateway: &Subject, count: usize) -> Outcome<Vec<u8>> {
    let mut last = Vec::new();
    eventually(LIMIT, "the message arrives", || {
        let mut session = Imap::login(gateway.listeners.imap, &gateway.bob)?;
        let all = session.all_messages("INBOX")?;
        let is_there = all.len() == count;
        last = all
            .into_iter()
            .next_back()
            .map(|(_, message)| message)
            .unwrap_or_default();
        Ok(is_there)
    })?;
    Ok(last)
}

/// OpenDKIM with a key of its own.
struct OpenDkim {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl OpenDkim {
    fn start(folder: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(folder)?;
        open_to_all(folder)?;
        let port = free_port()?;
        let key = folder.join("key.pem");
        openssl(&[
            "genrsa",
            "-traditional",
            "-out",
            &key.display().to_string(),
            "2048",
        ])?;
        let public = openssl(&["rsa", "-in", &key.display().to_string(), "-pubout"])?;
        let public = String::from_utf8_lossy(&public).into_owned();
        let base64: String = public
            .lines()
            .skip_while(|line| !line.starts_with("-----BEGIN"))
            .filter(|line| !line.starts_with("-----"))
            .collect();
        write(folder.join("record"), format!("v=DKIM1; k=rsa; p={base64}"))?;
        let configuration = format!(
            "Mode s\nDomain example.test\nSelector test\nKeyFile {}\nSocket inet:{port}@127.0.0.1\n\
             InternalHosts 127.0.0.1\nCanonicalization relaxed/simple\nOversignHeaders From\nBackground no\nSyslog no\n\
             RequireSafeKeys no\n",
            key.display()
        );
        write(folder.join("opendkim.conf"), configuration)?;
        let mut filter = Self {
            folder: folder.to_owned(),
            port,
            child: None,
        };
        filter.run()?;
        Ok(filter)
    }

    fn run(&mut self) -> Outcome {
        let mut command = Command::new(require("opendkim")?);
        command
            .arg("-f")
            .arg("-x")
            .arg(self.folder.join("opendkim.conf"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.child = Some(command.spawn()?);
        eventually(LIMIT, "OpenDKIM answers", || {
            Ok(TcpStream::connect(("127.0.0.1", self.port)).is_ok())
        })
    }

    fn stop(&mut self) -> Outcome {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    fn verify(&self, message: &[u8]) -> Outcome {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/dkim_verify.py");
        let mut command = Command::new(PYTHON);
        command.arg(script).arg(self.folder.join("record"));
        run_program(&mut command, message, LIMIT)?.success()?;
        let text = String::from_utf8_lossy(message);
        ensure(
            text.contains("DKIM-Signature:") && !text.contains("hidden@"),
            || text.into_owned(),
        )
    }
}

impl Drop for OpenDkim {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

fn openssl(arguments: &[&str]) -> Outcome<Vec<u8>> {
    run_program(
        Command::new(require("openssl")?).args(arguments),
        b"",
        LIMIT,
    )?
    .success()
}
