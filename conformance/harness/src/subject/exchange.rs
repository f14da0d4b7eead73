//! Dragoman with its mailboxes on an Exchange server: the stand-in of this workspace, started beside it, or a server
//! that already runs.
//!
//! `EXCHANGE_AUTODISCOVER` in the environment names such a server by the URL of its Autodiscover service. Then
//! `EXCHANGE_ADD_USER` is a program that makes `NAME@example.test`, called with a name and a password, and
//! `EXCHANGE_PIN` the SHA-256 of the certificate to accept, in hex, if it has one of its own making. Every subject makes
//! users that nobody had before. Otherwise the stand-in is `EXCHANGE_STANDIN_BIN`, or the one built beside this program.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{Account, Subject, beside};
use crate::failure::{Context, Failure, Outcome, ensure};
use crate::http::http;
use crate::process::run;

/// How long making one user may take.
const USER_LIMIT: Duration = Duration::from_secs(60);
/// Path of Autodiscover below the URL that the stand-in prints.
const AUTODISCOVER: &str = "/autodiscover/autodiscover.xml";

/// A server for mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// Started for one subject, ended with it.
    Standin {
        /// The binary.
        binary: PathBuf,
    },
    /// One that runs already.
    Running {
        /// The URL of its Autodiscover service.
        autodiscover: String,
        /// The SHA-256 of its certificate.
        pin: Option<String>,
        /// The program that makes users.
        add_user: OsString,
    },
}

impl Server {
    /// What the environment says.
    pub(super) fn from_environment() -> Outcome<Self> {
        let Ok(autodiscover) = std::env::var("EXCHANGE_AUTODISCOVER") else {
            return Self::standin();
        };
        let add_user = std::env::var_os("EXCHANGE_ADD_USER");
        let add_user = add_user
            .ok_or_else(|| Failure("EXCHANGE_ADD_USER is not in the environment".into()))?;
        Ok(Self::Running {
            autodiscover,
            pin: std::env::var("EXCHANGE_PIN").ok(),
            add_user,
        })
    }

    /// The stand-in, for each subject one of its own.
    pub fn standin() -> Outcome<Self> {
        Ok(Self::Standin {
            binary: beside("EXCHANGE_STANDIN_BIN", "exchange-standin")?,
        })
    }

    /// The name of a user: on a server that keeps its mailboxes, one that was not there before.
    pub(super) fn user(&self, name: &str) -> String {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        match self {
            Self::Standin { .. } => format!("{name}@example.test"),
            Self::Running { .. } => {
                let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
                format!("{name}-{}-{serial}@example.test", std::process::id())
            }
        }
    }
}

/// A server that ends with its subject.
pub(super) struct Beside {
    child: Child,
    url: String,
}

impl Beside {
    /// Tells it what to do: `POST /standin/WHAT` with a body in JSON.
    pub(super) fn tell(&self, what: &str, body: &str) -> Outcome {
        let port = self.url.rsplit(':').next().unwrap_or_default().parse()?;
        let length = body.len();
        let request = format!(
            "POST /standin/{what} HTTP/1.1\r\nHost: standin\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        http(port, &request).map(|_| ())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes the mailboxes on the server, and the configuration that names them.
pub(super) fn prepare(subject: &Subject, server: &Server) -> Outcome<Option<Beside>> {
    let accounts: Vec<&Account> = [&subject.alice, &subject.bob]
        .into_iter()
        .chain(&subject.options.accounts)
        .collect();
    std::fs::create_dir_all(subject.data())?;
    match server {
        Server::Standin { binary } => {
            let beside = start(binary, subject, &accounts).during("the stand-in")?;
            let url = format!("{}{AUTODISCOVER}", beside.url);
            configure(subject, &accounts, (&url, None))?;
            Ok(Some(beside))
        }
        Server::Running {
            autodiscover,
            pin,
            add_user,
        } => {
            for account in &accounts {
                let mut command = Command::new(add_user);
                command.args([local(account), &account.password]);
                let made = run(&mut command, b"", USER_LIMIT)?;
                made.success().during("EXCHANGE_ADD_USER")?;
            }
            configure(subject, &accounts, (autodiscover, pin.as_deref()))?;
            Ok(None)
        }
    }
}

/// Where the configuration of a subject lies.
pub(super) fn configuration(subject: &Subject) -> PathBuf {
    subject.work.join("dragoman.toml")
}

fn local(account: &Account) -> &str {
    account.address.split('@').next().unwrap_or_default()
}

/// Starts the stand-in on a free port; it prints its URL when it is ready.
fn start(binary: &Path, subject: &Subject, accounts: &[&Account]) -> Outcome<Beside> {
    let mut command = Command::new(binary);
    for account in accounts {
        let person = format!("{}:{}", local(account), account.password);
        command.args(["--person", &person]);
    }
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(subject.work.join("standin.log"))?)
        .spawn()?;
    let mut beside = Beside {
        child,
        url: String::new(),
    };
    let stdout = beside.child.stdout.take();
    let stdout = stdout.ok_or_else(|| Failure("no standard output".into()))?;
    BufReader::new(stdout).read_line(&mut beside.url)?;
    beside.url.truncate(beside.url.trim_end().len());
    ensure(!beside.url.is_empty(), || "it ended without a URL".into())?;
    Ok(beside)
}

/// Every mailbox has its password configured, so that mail is delivered although nobody has logged in.
fn configure(
    subject: &Subject,
    accounts: &[&Account],
    (autodiscover, pin): (&str, Option<&str>),
) -> Outcome {
    let mut text = format!(
        "[exchange.main]\ndomains = [\"example.test\"]\nautodiscover = \"{autodiscover}\"\nauthentication = \"basic\"\n"
    );
    if let Some(pin) = pin {
        text += &format!("pinned_certificate = \"{pin}\"\n");
    }
    for account in accounts {
        let path = subject.work.join(format!("{}.password", local(account)));
        let mut file = File::options()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(account.password.as_bytes())?;
        text += &format!(
            "[exchange.main.accounts.\"{}\"]\npassword_file = \"{}\"\n",
            account.address,
            path.display()
        );
    }
    std::fs::write(configuration(subject), text)?;
    Ok(())
}
