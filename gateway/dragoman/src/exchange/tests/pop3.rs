//! POP3 on a mailbox on Exchange: messages keep bytes and names while the gateway restarts, and go at QUIT.

use std::{net::Ipv4Addr, sync::Arc};

use front_end::{Channel, Logins, Peer, TlsState, Unthrottled};
use pop3_server::{Config, Server};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream},
    sync::watch,
    task::JoinHandle,
};

use super::world::{ALICE, World, append};

const MESSAGES: [&str; 3] = [
    "From: bob@example.test\r\nSubject: one\r\n\r\nHello.\r\n",
    "From: bob@example.test\r\nSubject: two\r\n\r\n.dot\r\n",
    "From: bob@example.test\r\nSubject: three\r\n\r\nno end",
];

struct Client {
    stream: BufReader<DuplexStream>,
    session: JoinHandle<std::io::Result<()>>,
    _stop: watch::Sender<bool>,
}

impl Client {
    async fn alice(world: &World) -> Self {
        let accounts = world.gateway.accounts().clone();
        let logins = Arc::new(Logins::new(accounts, Arc::new(Unthrottled)));
        let server = Server::new(logins, Config::default(), None);
        let (stream, theirs) = tokio::io::duplex(1 << 16);
        let (stop, stopping) = watch::channel(false);
        let peer = Peer {
            addr: Some(Ipv4Addr::LOCALHOST.into()),
            tls: TlsState::None,
            loopback: true,
            id: 1,
            channel: Channel::default(),
        };
        let mut client = Self {
            stream: BufReader::new(stream),
            session: tokio::spawn(async move { server.serve(theirs, peer, stopping).await }),
            _stop: stop,
        };
        client.line().await;
        client.ask(&format!("USER {ALICE}")).await;
        client.ask("PASS secret-alice").await;
        client
    }

    /// Goes away, and waits until the session has noticed.
    async fn leave(self) {
        drop(self.stream);
        let _ = self.session.await.unwrap();
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        line
    }

    async fn ask(&mut self, command: &str) -> String {
        let line = format!("{command}\r\n");
        self.stream.write_all(line.as_bytes()).await.unwrap();
        let answer = self.line().await;
        assert!(answer.starts_with("+OK"), "{command}: {answer}");
        answer
    }

    /// An answer of several lines, without the dots of the protocol.
    async fn fetch(&mut self, command: &str) -> String {
        self.ask(command).await;
        let mut text = String::new();
        loop {
            let line = self.line().await;
            match line.strip_prefix('.') {
                Some("\r\n") => return text,
                Some(rest) => text += rest,
                None => text += &line,
            }
        }
    }

    /// What is in the maildrop: names, sizes and messages.
    async fn all(&mut self) -> (String, String, Vec<String>) {
        let (names, sizes) = (self.fetch("UIDL").await, self.fetch("LIST").await);
        let mut messages = Vec::new();
        for number in 1..=sizes.lines().count() {
            messages.push(self.fetch(&format!("RETR {number}")).await);
        }
        (names, sizes, messages)
    }
}

#[tokio::test]
async fn messages_keep_names_and_bytes_over_restarts_and_go_at_quit() {
    let world = World::new().await;
    let account = world.open(ALICE, "secret-alice").await;
    for message in MESSAGES {
        append(&world, &account, message).await.unwrap();
    }
    let mut client = Client::alice(&world).await;
    let before = client.all().await;
    let (_, sizes, messages) = &before;
    assert_eq!(messages[..2], MESSAGES[..2]);
    assert_eq!(messages[2], format!("{}\r\n", MESSAGES[2]));
    let lengths = (1..)
        .zip(messages)
        .map(|(number, text)| format!("{number} {}\r\n", text.len()));
    assert_eq!(*sizes, lengths.collect::<String>());
    drop(account);
    client.leave().await;
    let world = world.restart("").await;
    let mut client = Client::alice(&world).await;
    assert_eq!(client.all().await, before);
    client.ask("DELE 2").await;
    client.ask("QUIT").await;
    let mailbox = world.server().mailbox("alice");
    let left = mailbox.subjects(mailbox.inbox().unwrap()).unwrap();
    assert_eq!(left, ["one", "three"]);
}
