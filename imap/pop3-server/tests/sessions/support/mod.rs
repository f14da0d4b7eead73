//! A server over an in-memory store, and clients that talk to it through memory.

use std::{
    io,
    sync::{Arc, RwLock},
    time::Duration,
};

use account::{
    Account, Accounts, FileTime, Flags, FolderId, MailboxId, NewItem, Options, Principal, Role,
};
use directory::Directory;
use front_end::{Channel, Logins, Peer, Tls, TlsState, Unthrottled};
use mapi_store::{Backend, MemBackend};
use pop3_server::{Config, Server};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The user, with the password `secret`.
pub(crate) const ANN: &str = "ann@example.test";

pub(crate) struct World {
    pub(crate) server: Arc<Server>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) backend: Arc<MemBackend>,
    pub(crate) stop: watch::Sender<bool>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::over(MemBackend::new(), Config::default(), None).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::over(MemBackend::new(), config, None).await
    }

    /// A world over a backend without mailboxes.
    pub(crate) async fn over(backend: MemBackend, config: Config, tls: Option<Tls>) -> Self {
        let backend = Arc::new(backend);
        let directory = Directory::in_memory().unwrap();
        directory.add_user(ANN, "secret").unwrap();
        backend.provision(&MailboxId(ANN.to_owned())).await.unwrap();
        let mailboxes: Arc<dyn Backend> = Arc::<MemBackend>::clone(&backend);
        let accounts = Accounts::new(mailboxes, Arc::new(directory), Options::default());
        let tls = tls.map(|tls| Arc::new(RwLock::new(tls)));
        Self {
            server: serve(&accounts, config, tls),
            accounts,
            backend,
            stop: watch::channel(false).0,
        }
    }

    /// Forgets all that the server remembers.
    pub(crate) fn restart(&mut self) {
        self.server = serve(&self.accounts, Config::default(), None);
    }

    /// Connects a client; `loopback` says whether passwords may come in the clear. The greeting is read.
    pub(crate) async fn connect(&self, loopback: bool) -> Client {
        self.connect_watched(loopback).await.0
    }

    /// Connects a client, and says how its session ended.
    pub(crate) async fn connect_watched(
        &self,
        loopback: bool,
    ) -> (Client, JoinHandle<io::Result<()>>) {
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
        let mut client = Client {
            stream: BufReader::new(ours),
        };
        assert_eq!(client.line().await.unwrap(), "+OK Dragoman ready");
        (client, ended)
    }

    /// Connects Ann, logged in.
    pub(crate) async fn ann(&self) -> Client {
        let mut client = self.connect(true).await;
        client.ask(&format!("USER {ANN}"), "+OK").await;
        client.ask("PASS secret", "+OK").await;
        client
    }

    /// Ann's mailbox as others use it, and its Inbox.
    pub(crate) async fn inbox(&self) -> (Account, FolderId) {
        let ann = Principal {
            user: ANN.to_owned(),
        };
        let account = self
            .accounts
            .open(&ann, &MailboxId(ANN.to_owned()))
            .await
            .unwrap();
        let inbox = account
            .folders()
            .await
            .unwrap()
            .role(Role::Inbox)
            .unwrap()
            .id;
        (account, inbox)
    }

    /// Files messages in Ann's Inbox, octet for octet.
    pub(crate) async fn file(&self, messages: &[&[u8]]) {
        let (account, inbox) = self.inbox().await;
        let mut items = Vec::new();
        for message in messages {
            let mut spool = self.accounts.spool();
            spool.write(message).await.unwrap();
            items.push(NewItem {
                message: spool.finish().await.unwrap(),
                flags: Flags::NONE,
                keywords: Vec::new(),
                received: FileTime::from_unix(1_772_442_672),
                once: None,
            });
        }
        account.append(inbox, items).await.unwrap();
    }

    /// The flags of the messages in Ann's Inbox.
    pub(crate) async fn flags(&self) -> Vec<Flags> {
        let (account, inbox) = self.inbox().await;
        let index = account.index(inbox).await.unwrap();
        index.iter().map(|item| item.flags).collect()
    }

    /// Deletes the message at a position, as an IMAP client does.
    pub(crate) async fn expunge(&self, position: usize) {
        let (account, inbox) = self.inbox().await;
        let number = account
            .index(inbox)
            .await
            .unwrap()
            .get(position)
            .unwrap()
            .number;
        account.delete_items(inbox, &[number]).await.unwrap();
    }

    /// Makes the store keep the messages at these positions, whoever deletes them.
    pub(crate) async fn keep(&self, positions: &[usize]) {
        let (account, inbox) = self.inbox().await;
        let index = account.index(inbox).await.unwrap();
        let numbers = positions.iter().map(|at| index.get(*at).unwrap().number);
        let numbers: Vec<_> = numbers.collect();
        self.backend.faults().keep(&numbers);
    }

    /// As a restore does, and before anybody is told of it.
    pub(crate) async fn restore(&self) {
        let (_, inbox) = self.inbox().await;
        self.backend
            .renew_epoch(&MailboxId(ANN.to_owned()), inbox)
            .unwrap();
    }
}

fn serve(accounts: &Arc<Accounts>, config: Config, tls: Option<Arc<RwLock<Tls>>>) -> Arc<Server> {
    let logins = Logins::new(Arc::clone(accounts), Arc::new(Unthrottled));
    let logins = logins.with_scram(|| Some([7; 18]));
    Arc::new(Server::new(Arc::new(logins), config, tls))
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

    /// A line as it came; `None` at the end of the connection.
    async fn octets(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_until(b'\n', &mut line)).await;
        match read.expect("an answer in time") {
            Ok(count) if count > 0 => Some(line),
            _ => None,
        }
    }

    /// A line without its end; `None` at the end of the connection.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let line = self.octets().await?;
        let line = line.strip_suffix(b"\r\n").expect("lines end with CRLF");
        Some(String::from_utf8(line.to_vec()).unwrap())
    }

    /// Sends a command and reads its answer, which must begin so.
    pub(crate) async fn ask(&mut self, command: &str, expected: &str) -> String {
        self.send(format!("{command}\r\n").as_bytes()).await;
        let line = self.line().await.expect("an answer");
        assert!(line.starts_with(expected), "{command}: {line}");
        line
    }

    /// What follows the first line of an answer, up to its end, without the dots of the protocol.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        loop {
            let line = self.octets().await.expect("more of the answer");
            if line == b".\r\n" {
                return rest;
            }
            rest.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }

    /// Sends a command and reads an answer of several lines.
    pub(crate) async fn fetch(&mut self, command: &str) -> Vec<u8> {
        self.ask(command, "+OK").await;
        self.rest().await
    }

    /// The same as text.
    pub(crate) async fn list(&mut self, command: &str) -> Vec<String> {
        let text = String::from_utf8(self.fetch(command).await).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}
