//! A server that is measured: started, restarted on the same data, ended.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use super::{USERS, cyrus, dovecot};
use crate::failure::{Context, Failure, Outcome};
use crate::load::Target;
use crate::process::{scratch_folder, signal, wait};
use crate::subject::{Account, Kind as SubjectKind, Options, Subject};

/// How long a server may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// The password of every user.
pub(super) const PASSWORD: &str = "pass";

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Dragoman,
    DovecotMaildir,
    DovecotMdbox,
    Cyrus,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [
        Self::Dragoman,
        Self::DovecotMaildir,
        Self::DovecotMdbox,
        Self::Cyrus,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dragoman => "dragoman",
            Self::DovecotMaildir => "dovecot-maildir",
            Self::DovecotMdbox => "dovecot-mdbox",
            Self::Cyrus => "cyrus",
        }
    }
}

/// A running server.
pub(super) struct Server {
    pub(super) kind: Kind,
    pub(super) target: Target,
    run: Run,
}

enum Run {
    Subject(Box<Subject>),
    Peer(Peer, PathBuf),
}

/// A peer's process and how to start it again.
pub(super) struct Peer {
    pub(super) child: Child,
    pub(super) again: Box<dyn Fn() -> Outcome<Child>>,
}

impl Server {
    /// Starts it with fresh data.
    pub(super) fn start(kind: Kind) -> Outcome<Self> {
        let folder = || scratch_folder(&format!("bench-{}", kind.name()));
        match kind {
            Kind::Dragoman => dragoman(),
            Kind::DovecotMaildir => dovecot::start(kind, &folder()?, "maildir:~/Maildir"),
            Kind::DovecotMdbox => dovecot::start(kind, &folder()?, "mdbox:~/mdbox"),
            Kind::Cyrus => cyrus::start(&folder()?),
        }
    }

    pub(super) fn peer(kind: Kind, ports: (u16, u16), peer: Peer, folder: &Path) -> Self {
        let target = Target {
            imap: ports.0,
            pop3: None,
            lmtp: ports.1,
            user: "user{n}".into(),
            recipient: "user{n}@localhost".into(),
            password: PASSWORD.into(),
            roots: vec![peer.child.id()],
        };
        Self {
            kind,
            target,
            run: Run::Peer(peer, folder.to_path_buf()),
        }
    }

    /// Ends it and starts it again on the same data.
    pub(super) fn restart(&mut self) -> Outcome {
        match &mut self.run {
            Run::Subject(subject) => {
                subject.stop()?;
                subject.run()?;
                self.target.roots = subject.pid().into_iter().collect();
            }
            Run::Peer(peer, _) => {
                end(&mut peer.child)?;
                peer.child = (peer.again)()?;
                self.target.roots = vec![peer.child.id()];
            }
        }
        Ok(())
    }
}

impl Server {
    /// Ends it and removes its data.
    pub(super) fn finish(self) -> Outcome {
        match self.run {
            Run::Subject(subject) => subject.clean_up(),
            Run::Peer(peer, folder) => {
                drop(peer);
                std::fs::remove_dir_all(folder)?;
                Ok(())
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // What does not end in time is killed.
        let _ = end(&mut self.child);
    }
}

fn end(child: &mut Child) -> Outcome {
    signal(child.id(), "TERM")?;
    wait(child, STOP_LIMIT).map(|_| ())
}

fn dragoman() -> Outcome<Server> {
    let user = |n: usize| Account {
        address: format!("user{n}@example.test"),
        password: PASSWORD.into(),
    };
    let options = Options {
        accounts: (1..=USERS).map(user).collect(),
        ..Options::default()
    };
    let kind = SubjectKind::from_environment()?;
    if !matches!(kind, SubjectKind::Dragoman { .. }) {
        return Err(Failure(
            "the benchmark compares Dragoman; leave SUBJECT unset".into(),
        ));
    }
    let subject = Subject::start(&kind, options).during("dragoman")?;
    let target = Target {
        imap: subject.listeners.imap,
        pop3: subject.listeners.pop3,
        lmtp: subject.listeners.lmtp,
        user: "user{n}@example.test".into(),
        recipient: "user{n}@example.test".into(),
        password: PASSWORD.into(),
        roots: subject.pid().into_iter().collect(),
    };
    Ok(Server {
        kind: Kind::Dragoman,
        target,
        run: Run::Subject(Box::new(subject)),
    })
}
