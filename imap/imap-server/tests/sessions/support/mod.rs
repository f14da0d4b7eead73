//! A server over an in-memory store, and clients that talk to it through memory.

use std::{
    io,
    sync::{Arc, RwLock},
    time::Duration,
};

use account::{Accounts, Copy, FileTime, MailboxId, Options};
use directory::Directory;
use front_end::{Channel, Logins, Peer, Tls, TlsState, Unthrottled};
use imap_server::{Config, Server};
use mapi_store::{Backend, MemBackend};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The users, each with the password `secret`.
pub(crate) const USERS: [&str; 2] = ["ann@example.test", "bob@example.test"];

pub(crate) struct World {
    pub(crate) server: Arc<Server>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) backend: Arc<MemBackend>,
    pub(crate) stop: watch::Sender<bool>,
}

impl World {
    pub(crate) async fn new(config: Config, tls: Option<Tls>) -> Self {
        Self::over(MemBackend::new(), config, tls).await
    }

    /// A world over a backend without mailboxes.
    pub(crate) async fn over(backend: MemBackend, config: Config, tls: Option<Tls>) -> Self {
        let backend = Arc::new(backend);
        let directory = Directory::in_memory().expect("a directory");
        for user in USERS {
            directory.add_user(user, "secret").expect("a user");
            backend
                .provision(&MailboxId(user.to_owned()))
                .await
                .expect("a mailbox");
        }
        let mailboxes: Arc<dyn Backend> = Arc::<MemBackend>::clone(&backend);
        let accounts = Accounts::new(mailboxes, Arc::new(directory), Options::default());
        let tls = tls.map(|tls| Arc::new(RwLock::new(tls)));
        let logins = Logins::new(Arc::clone(&accounts), Arc::new(Unthrottled));
        let logins = logins.with_scram(|| Some([7; 18]));
        let server = Server::new(Arc::new(logins), config, tls);
        Self {
            server: Arc::new(server),
            accounts,
            backend,
            stop: watch::channel(false).0,
        }
    }

    /// Connects a client; `loopback` says whether passwords may come in the clear.
    pub(crate) fn connect(&self, loopback: bool) -> Client {
        self.connect_watched(loopback).0
    }

    /// Connects a client, and says how its session ended.
    pub(crate) fn connect_watched(&self, loopback: bool) -> (Client, JoinHandle<io::Result<()>>) {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let peer = Peer {
            addr: None,
            tls: TlsState::None,
            loopback,
            id: 1,
            channel: Channel::default(),
        };
        let (server, stop) = (Arc::clone(&self.server), self.stop.subscribe());
        let ended = tokio::spawn(async move { server.serve(theirs, peer, stop).await });
        (
            Client {
                stream: BufReader::new(ours),
            },
            ended,
        )
    }

    /// Connects Ann, logged in.
    pub(crate) async fn ann(&self) -> Client {
        let mut client = self.connect(true);
        client.response().await;
        client
            .command("login", "LOGIN ann@example.test secret")
            .await;
        client
    }

    /// Delivers a message to a user's Inbox.
    pub(crate) async fn deliver(&self, user: &str, message: &[u8]) {
        let mut spool = self.accounts.spool();
        spool.write(message).await.expect("spooled");
        let message = spool.finish().await.expect("spooled");
        let copy = Copy {
            mailbox: MailboxId(user.to_owned()),
            prefix: "X-Copy: 1\r\n".into(),
            once: None,
        };
        let received = FileTime::from_unix(1_772_442_672);
        for delivered in self.accounts.deliver(&message, &[copy], received).await {
            delivered.expect("delivered");
        }
    }
}

pub(crate) struct Client {
    pub(crate) stream: BufReader<DuplexStream>,
}

impl Client {
    pub(crate) async fn send(&mut self, octets: &[u8]) {
        // A server that has hung up is noticed when its answer is missing.
        let _ = timeout(PATIENCE, self.stream.get_mut().write_all(octets))
            .await
            .expect("in time");
    }

    /// Reads a response with its literals, without its last line end; `None` at the end of the connection.
    pub(crate) async fn response(&mut self) -> Option<Vec<u8>> {
        timeout(PATIENCE, self.read_response())
            .await
            .expect("an answer in time")
    }

    async fn read_response(&mut self) -> Option<Vec<u8>> {
        let mut response = Vec::new();
        loop {
            if self.stream.read_until(b'\n', &mut response).await.ok()? == 0 {
                return None;
            }
            let text = response.strip_suffix(b"\r\n")?;
            let Some(len) = literal_len(text) else {
                response.truncate(text.len());
                return Some(response);
            };
            let start = response.len();
            response.resize(start + len, 0);
            self.stream.read_exact(&mut response[start..]).await.ok()?;
        }
    }

    /// Sends a command and reads up to its tagged response.
    pub(crate) async fn command(&mut self, tag: &str, command: &str) -> Vec<Vec<u8>> {
        self.send(format!("{tag} {command}\r\n").as_bytes()).await;
        let mut responses = Vec::new();
        while let Some(response) = self.response().await {
            let last = response.starts_with(format!("{tag} ").as_bytes());
            responses.push(response);
            if last {
                break;
            }
        }
        responses
    }
    /// The same as text.
    pub(crate) async fn lines(&mut self, tag: &str, command: &str) -> Vec<String> {
        let responses = self.command(tag, command).await;
        let text = |response: Vec<u8>| String::from_utf8_lossy(&response).into_owned();
        responses.into_iter().map(text).collect()
    }
}

/// The length of the literal that a line announces at its end.
fn literal_len(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}")?;
    let at = line.iter().rposition(|&byte| byte == b'{')?;
    std::str::from_utf8(&line[at + 1..]).ok()?.parse().ok()
}
