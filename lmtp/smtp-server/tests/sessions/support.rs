//! Mailboxes in memory with a server for each profile, and clients that say everything at once.

use std::sync::Arc;

use account::{Accounts, CopyRule, CopyRules, ItemNumber, MailboxId, Piece, Principal, Role};
use directory::{Directory, SendGrant};
use front_end::{Channel, Logins, Unthrottled};
use mapi_store::{Backend, MemBackend};
use outbound::{
    Answer, Credentials, Filter, Origin, Outcome, Parcel, Queue, Route, Router, Shown, Task,
};
use pipeline::Pipeline;
use smtp_server::{Config, Peer, Server, Tls};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::watch,
    task::JoinHandle,
};

pub(crate) const ALICE: &str = "alice@example.test";
pub(crate) const BOB: &str = "bob@example.test";

/// Whose mail goes by a mail server.
pub(crate) const AWAY: &str = "away@example.test";

pub(crate) struct World {
    pub(crate) accounts: Arc<Accounts>,
    server: Arc<Server>,
    submission: Arc<Server>,
    pub(crate) queue: Queue,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new(config: Config) -> Self {
        Self::through(config, Pipeline::default()).await
    }

    /// Mailboxes whose messages pass a pipeline.
    pub(crate) async fn through(config: Config, pipeline: Pipeline) -> Self {
        let backend = Arc::new(MemBackend::default());
        let directory = Directory::in_memory().unwrap();
        for user in [ALICE, BOB, "boss@example.test", AWAY] {
            directory.add_user(user, "correct horse").unwrap();
            backend
                .provision(&MailboxId(user.to_owned()))
                .await
                .unwrap();
        }
        directory
            .add_alias("team@example.test", &[ALICE, BOB])
            .unwrap();
        directory.add_shared("info@example.test").unwrap();
        for (name, grant) in [
            ("info@example.test", SendGrant::As),
            ("boss@example.test", SendGrant::OnBehalf),
        ] {
            directory.grant_sending(name, ALICE, Some(grant)).unwrap();
        }
        let copy = |sent, sent_by_others| CopyRule {
            sent,
            sent_by_others,
        };
        let rules = [
            (BOB, copy(true, false)),
            ("info@example.test", copy(true, true)),
        ];
        let rules = rules.map(|(mailbox, rule)| (MailboxId(mailbox.to_owned()), rule));
        let options = account::Options {
            copies: CopyRules {
                others: CopyRule::default(),
                of: rules.into(),
            },
            message_bytes_max: config.message_bytes_max,
            ..Default::default()
        };
        let accounts = Accounts::new(backend, Arc::new(directory), options);
        let folder = tempfile::tempdir().unwrap();
        let router = Arc::new(Elsewhere);
        let (queue, _) =
            Queue::open(folder.path(), outbound::Options::default(), vec![], router).unwrap();
        accounts.send_through(queue.clone());
        let pipeline = Arc::new(pipeline);
        let server = Server::new(accounts.clone(), config.clone(), None);
        let server = Arc::new(server.through(pipeline.clone()));
        let logins = Arc::new(Logins::new(accounts.clone(), Arc::new(Unthrottled)));
        let submission = Server::submission(logins, config, None);
        let submission = Arc::new(submission.through(pipeline));
        Self {
            accounts,
            server,
            submission,
            queue,
            _folder: folder,
        }
    }

    /// A mail server's connection.
    pub(crate) fn connect(&self) -> Client {
        Self::connect_to(&self.server)
    }

    /// A user's connection.
    pub(crate) fn submit(&self) -> Client {
        Self::connect_to(&self.submission)
    }

    /// What is in the queue, as envelopes and octets.
    pub(crate) async fn queued(&self) -> Vec<(Shown, String)> {
        let mut all = Vec::new();
        for listed in self.queue.list(Filter::default(), None).await.unwrap() {
            let shown = self.queue.show(listed.id).await.unwrap();
            let content = self.queue.content(listed.id).await.unwrap();
            let octets = content.read(0, usize::MAX).await.unwrap();
            all.push((shown, String::from_utf8(octets.to_vec()).unwrap()));
        }
        all
    }

    fn connect_to(server: &Arc<Server>) -> Client {
        let (ours, theirs) = duplex(64 << 10);
        let (stop, stopping) = watch::channel(false);
        let server = server.clone();
        let peer = Peer {
            addr: Some([192, 0, 2, 1].into()),
            tls: Tls::None,
            loopback: true,
            id: 7,
            channel: Channel::default(),
        };
        let task = tokio::spawn(async move { server.serve(theirs, peer, stopping).await });
        Client {
            stream: ours,
            stop,
            task,
        }
    }

    /// All messages of a user's Inbox, whole.
    pub(crate) async fn inbox(&self, user: &str) -> Vec<String> {
        let principal = Principal {
            user: user.to_owned(),
        };
        let account = self
            .accounts
            .open(&principal, &MailboxId(user.to_owned()))
            .await
            .unwrap();
        let inbox = account
            .folders()
            .await
            .unwrap()
            .role(Role::Inbox)
            .unwrap()
            .id;
        let index = account.index(inbox).await.unwrap();
        let pieces: Vec<_> = index
            .iter()
            .map(|item| Piece {
                item: item.number,
                range: 0..item.size.known().unwrap(),
            })
            .collect();
        let bytes = account.read(inbox, &pieces).await.unwrap();
        let _: Vec<ItemNumber> = index.iter().map(|item| item.number).collect();
        bytes
            .into_iter()
            .map(|bytes| String::from_utf8_lossy(&bytes.unwrap()).into_owned())
            .collect()
    }
}

pub(crate) struct Client {
    pub(crate) stream: DuplexStream,
    pub(crate) stop: watch::Sender<bool>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Client {
    /// Sends everything, closes, and returns everything the server said as the codes of its final reply lines.
    pub(crate) async fn run(mut self, wire: &[u8]) -> Vec<String> {
        let (mut read, mut write) = tokio::io::split(&mut self.stream);
        let send = async {
            write.write_all(wire).await.unwrap();
            write.shutdown().await.unwrap();
        };
        let mut said = String::new();
        let (_, read) = tokio::join!(send, read.read_to_string(&mut said));
        read.unwrap();
        let _ = self.task.await.unwrap();
        drop(self.stop);
        said.lines()
            .filter(|line| line.as_bytes().get(3) == Some(&b' '))
            .map(code)
            .collect()
    }
}

/// The code with the enhanced one where there is one.
fn code(line: &str) -> String {
    let words: Vec<_> = line.splitn(3, ' ').collect();
    match words[..] {
        [code, enhanced, ..] if enhanced.starts_with(['2', '4', '5']) && enhanced.contains('.') => {
            format!("{code} {enhanced}")
        }
        _ => words[0].to_owned(),
    }
}

pub(crate) async fn check(wire: &str, expected: &[&str]) -> World {
    let world = World::new(Config::default()).await;
    assert_eq!(world.connect().run(wire.as_bytes()).await, expected);
    world
}

/// Everything stays in the queue; `other.test` is reached from here.
struct Elsewhere;

impl Router for Elsewhere {
    fn route<'a>(&'a self, _: Origin<'a>, _: &'a str) -> Task<'a, Result<Route, Answer>> {
        Box::pin(async { Ok(Route::Inside) })
    }

    fn relays(&self, address: &str) -> bool {
        address.ends_with("@other.test")
    }

    fn relays_inside(&self, mailbox: &str) -> bool {
        mailbox == AWAY
    }

    fn deliver<'a>(&'a self, _: &'a Parcel) -> Task<'a, Vec<Outcome>> {
        Box::pin(async { Vec::new() })
    }

    fn credentials<'a>(&'a self, _: &'a str) -> Task<'a, Option<Credentials>> {
        Box::pin(async { None })
    }
}
