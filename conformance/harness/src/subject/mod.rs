//! The server under test: started on free loopback ports with a fresh data folder, stopped or killed at will.
//!
//! `SUBJECT` in the environment chooses: `dragoman` (default; the binary is `DRAGOMAN_BIN`, or the one built
//! beside this program), `dragoman-exchange`, the same with its mailboxes on an Exchange server (see [`exchange`]),
//! `dovecot` (a private instance from the Debian package), or `external`, a server that already runs and is described
//! by `IMAP_PORT`, `LMTP_PORT`, `USER1`, `PASS1`, `USER2`, `PASS2`.

mod dovecot;
mod dragoman;
pub mod exchange;

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use crate::failure::{Context, Failure, Outcome, failure};
use crate::process::{self, free_port, scratch_folder};

/// How long a server may take until it is ready.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long a server may take to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// A user of the subject.
#[derive(Clone, Debug)]
pub struct Account {
    /// Login name and mail address.
    pub address: String,
    /// Password.
    pub password: String,
}

impl Account {
    /// An account of this address.
    pub fn new(address: &str, password: &str) -> Self {
        Self {
            address: address.to_owned(),
            password: password.to_owned(),
        }
    }
}

/// Where the subject listens.
#[derive(Clone, Debug)]
pub struct Listeners {
    /// IMAP, with STARTTLS where offered.
    pub imap: u16,
    /// IMAP over TLS.
    pub imaps: Option<u16>,
    /// POP3, with STLS where offered.
    pub pop3: Option<u16>,
    /// POP3 over TLS.
    pub pop3s: Option<u16>,
    /// Submission, with STARTTLS.
    pub submission: Option<u16>,
    /// Submission over TLS.
    pub submissions: Option<u16>,
    /// LMTP.
    pub lmtp: u16,
    /// LMTP on a Unix socket.
    pub lmtp_unix: Option<PathBuf>,
}

/// Which server is under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The built binary.
    Dragoman {
        /// Its path.
        binary: PathBuf,
    },
    /// The built binary, with its mailboxes on an Exchange server.
    Exchange {
        /// Its path.
        binary: PathBuf,
        /// The server.
        server: exchange::Server,
    },
    /// A private Dovecot from the Debian package: the stand-in that proves the checks.
    Dovecot,
    /// A server started by someone else.
    External,
}

impl Kind {
    /// What the environment asks for.
    pub fn from_environment() -> Outcome<Self> {
        match std::env::var("SUBJECT").unwrap_or_default().as_str() {
            "" | "dragoman" => Ok(Self::Dragoman {
                binary: beside("DRAGOMAN_BIN", "dragoman")?,
            }),
            "dragoman-exchange" => Ok(Self::Exchange {
                binary: beside("DRAGOMAN_BIN", "dragoman")?,
                server: exchange::Server::from_environment()?,
            }),
            "dovecot" => Ok(Self::Dovecot),
            "external" => Ok(Self::External),
            other => failure(format!(
                "SUBJECT={other}: expected dragoman, dragoman-exchange, dovecot or external"
            )),
        }
    }

    /// Its name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dragoman { .. } => "dragoman",
            Self::Exchange { .. } => "dragoman-exchange",
            Self::Dovecot => "dovecot",
            Self::External => "external",
        }
    }
}

/// How a subject is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Further `KEY=VALUE` settings (of Dragoman; others ignore them).
    pub settings: Vec<String>,
    /// Further users besides alice and bob (of Dragoman; others ignore them).
    pub accounts: Vec<Account>,
    /// A prefix to the command line, as `strace …`.
    pub wrapper: Vec<String>,
    /// The data folder, when it must be somewhere particular (a small file system).
    pub data: Option<PathBuf>,
}

/// A running server.
pub struct Subject {
    /// Which one.
    pub kind: Kind,
    /// Where it listens.
    pub listeners: Listeners,
    /// Its first user.
    pub alice: Account,
    /// Its second user.
    pub bob: Account,
    /// Scratch space of this subject: logs, sockets, the data folder.
    pub work: PathBuf,
    options: Options,
    child: Option<Child>,
    /// What runs beside it from the preparation on.
    beside: Option<exchange::Beside>,
}

impl Subject {
    /// Prepares a fresh data folder with both users and starts the server.
    pub fn start(kind: &Kind, options: Options) -> Outcome<Self> {
        let mut subject = Self::prepare(kind, options)?;
        subject.run()?;
        Ok(subject)
    }

    /// Prepares without starting.
    pub fn prepare(kind: &Kind, options: Options) -> Outcome<Self> {
        if *kind == Kind::External {
            return external();
        }
        let mut subject = Self::on_data(kind, options)?;
        match kind {
            Kind::Dragoman { binary } => dragoman::prepare(&subject, binary)?,
            Kind::Exchange { server, .. } => {
                subject.beside = exchange::prepare(&subject, server)?;
            }
            Kind::Dovecot => dovecot::prepare(&subject)?,
            Kind::External => {}
        }
        Ok(subject)
    }

    /// Takes a data folder as it is, not started; the users are those of every subject.
    pub fn on_data(kind: &Kind, options: Options) -> Outcome<Self> {
        let work = scratch_folder(kind.name())?;
        let listeners = Listeners {
            imap: free_port()?,
            imaps: Some(free_port()?),
            pop3: Some(free_port()?),
            pop3s: Some(free_port()?),
            submission: Some(free_port()?),
            submissions: Some(free_port()?),
            lmtp: free_port()?,
            lmtp_unix: Some(work.join("lmtp.sock")),
        };
        let address = |name: &str| match kind {
            Kind::Exchange { server, .. } => server.user(name),
            _ => format!("{name}@example.test"),
        };
        let alice = Account::new(&address("alice"), "wonderland-7");
        let bob = Account::new(&address("bob"), "builder-42");
        Ok(Self {
            kind: kind.clone(),
            listeners,
            alice,
            bob,
            work,
            options,
            child: None,
            beside: None,
        })
    }

    /// Starts (or starts again) on the same ports and data, and waits until it is ready.
    pub fn run(&mut self) -> Outcome {
        let child = match &self.kind {
            Kind::Dragoman { binary } | Kind::Exchange { binary, .. } => {
                dragoman::serve(self, binary)
            }
            Kind::Dovecot => dovecot::serve(self),
            Kind::External => return Ok(()),
        };
        self.child = Some(child.during(format!("starting {}", self.kind.name()))?);
        Ok(())
    }

    /// Tells the stand-in beside it what to do; see `exchange-standin`.
    pub fn tell_standin(&self, what: &str, body: &str) -> Outcome {
        let beside = self.beside.as_ref();
        let none = || Failure("no stand-in runs beside it".into());
        beside.ok_or_else(none)?.tell(what, body)
    }

    /// Gives a setting another value, from the next start on.
    pub fn change_setting(&mut self, key: &str, value: &str) {
        let settings = &mut self.options.settings;
        settings.retain(|setting| setting.split('=').next() != Some(key));
        settings.push(format!("{key}={value}"));
    }

    /// What the subject says of the mirror of a mailbox on Exchange (Dragoman; others have none).
    pub fn mirror_status(&self, address: &str) -> Outcome<String> {
        match &self.kind {
            Kind::Dragoman { binary } | Kind::Exchange { binary, .. } => {
                dragoman::mirror_status(binary, &self.data(), address)
            }
            Kind::Dovecot | Kind::External => failure("there are no mirrors"),
        }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.options
            .data
            .clone()
            .unwrap_or_else(|| self.work.join("data"))
    }

    /// The process id of the server (of its wrapper, when there is one).
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Kills the server at once (SIGKILL).
    pub fn kill(&mut self) -> Outcome {
        if let Some(mut child) = self.child.take() {
            process::signal(self.server_pid(child.id()), "KILL")?;
            process::wait(&mut child, STOP_LIMIT)?;
        }
        Ok(())
    }

    /// Asks the server to end (SIGTERM) and waits for it.
    pub fn stop(&mut self) -> Outcome {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        process::signal(self.server_pid(child.id()), "TERM")?;
        process::wait(&mut child, STOP_LIMIT)
            .during("after SIGTERM")
            .map(|_| ())
    }

    /// Behind a wrapper the server is the wrapper's child.
    fn server_pid(&self, child: u32) -> u32 {
        if self.options.wrapper.is_empty() {
            return child;
        }
        let children = std::fs::read_to_string(format!("/proc/{child}/task/{child}/children"));
        children
            .ok()
            .and_then(|list| list.split_whitespace().next()?.parse().ok())
            .unwrap_or(child)
    }

    /// Runs the subject's own integrity check on a data folder; a subject without one passes.
    pub fn check_data(&self, data: &Path) -> Outcome {
        match &self.kind {
            Kind::Dragoman { binary } | Kind::Exchange { binary, .. } => {
                dragoman::fsck(binary, data)
            }
            Kind::Dovecot | Kind::External => Ok(()),
        }
    }

    /// The last lines of the server's log, for a failure.
    pub fn log_tail(&self) -> String {
        const TAIL_LINES: usize = 15;
        let log = std::fs::read(self.work.join("server.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines
            .get(lines.len().saturating_sub(TAIL_LINES)..)
            .unwrap_or_default()
            .join("\n")
    }

    /// Removes what the subject left on disk.
    pub fn clean_up(mut self) -> Outcome {
        self.stop()?;
        if self.kind != Kind::External {
            std::fs::remove_dir_all(&self.work)?;
        }
        Ok(())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            if self.kind == Kind::Dovecot || !self.options.wrapper.is_empty() {
                // A master process takes its children along only when it may end by itself.
                let _ = process::signal(self.server_pid(child.id()), "TERM");
                let _ = process::wait(&mut child, STOP_LIMIT);
            } else {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

/// A binary to run: what the environment says, else the one in the folder of this program.
fn beside(variable: &str, name: &str) -> Outcome<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(PathBuf::from(path));
    }
    let path = std::env::current_exe()?.with_file_name(name);
    match path.is_file() {
        true => Ok(path),
        false => failure(format!("{} is not built; set {variable}", path.display())),
    }
}

fn external() -> Outcome<Subject> {
    let text = |name: &str| {
        std::env::var(name).map_err(|_| Failure(format!("SUBJECT=external wants {name}")))
    };
    let port = |name: &str| -> Outcome<u16> { Ok(text(name)?.parse::<u16>()?) };
    Ok(Subject {
        kind: Kind::External,
        listeners: Listeners {
            imap: port("IMAP_PORT")?,
            imaps: port("IMAPS_PORT").ok(),
            pop3: port("POP3_PORT").ok(),
            pop3s: port("POP3S_PORT").ok(),
            submission: port("SUBMISSION_PORT").ok(),
            submissions: port("SUBMISSIONS_PORT").ok(),
            lmtp: port("LMTP_PORT")?,
            lmtp_unix: std::env::var_os("LMTP_SOCKET").map(PathBuf::from),
        },
        alice: Account::new(&text("USER1")?, &text("PASS1")?),
        bob: Account::new(&text("USER2")?, &text("PASS2")?),
        work: scratch_folder("external")?,
        options: Options::default(),
        child: None,
        beside: None,
    })
}
