//! Messages, stages, and filters that say what they are told to.

use std::{sync::Arc, time::Duration};

use account::{Accounts, Options};
use directory::Directory;
use mapi_store::MemBackend;
use pipeline::{Client, Direction, Milter, OnFailure, Passing, Place, Stage, Step};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) const TEXT: &str =
    "From: a@example.test\r\nSubject: one\r\n\ttwo\r\n\r\nA body.\r\n.\r\nMore of it.\r\n";

pub(crate) async fn passing(direction: Direction, text: &str) -> Passing {
    let directory = Arc::new(Directory::in_memory().unwrap());
    let accounts = Accounts::new(
        Arc::new(MemBackend::default()),
        directory,
        Options::default(),
    );
    let mut spool = accounts.spool();
    spool.write(text.as_bytes()).await.unwrap();
    let arrived = spool.finish().await.unwrap();
    let message = arrived.passage().await.unwrap();
    let client = Client {
        address: Some([192, 0, 2, 1].into()),
        name: "client.example.org".to_owned(),
        ..Client::default()
    };
    let recipients = ["bob@example.test", "carol@example.test"].map(str::to_owned);
    let recipients = recipients.into();
    Passing {
        hostname: "mx.example.test".to_owned(),
        id: "7-1".to_owned(),
        sender: "a@example.test".to_owned(),
        ..Passing::new(direction, client, (&arrived, message), recipients)
    }
}

/// The message as it is now.
pub(crate) async fn text(passing: &Passing) -> String {
    let message = &passing.message;
    let body = message.read_body(0, usize::MAX).await.unwrap();
    let octets = [&message.fields[..], &message.empty_line, &body].concat();
    String::from_utf8(octets).unwrap()
}

/// A stage for all messages that defers what it cannot do.
pub(crate) fn stage(step: impl Step + 'static) -> Stage {
    Stage {
        name: "test".to_owned(),
        deliveries: true,
        submissions: true,
        timeout: Duration::from_secs(20),
        on_failure: OnFailure::Defer,
        step: Box::new(step),
    }
}

/// A packet of the milter protocol.
pub(crate) fn packet(letter: u8, rest: &[u8]) -> Vec<u8> {
    let length = (rest.len() as u32 + 1).to_be_bytes();
    [&length[..], &[letter], rest].concat()
}

/// A filter's terms.
pub(crate) fn terms(actions: u32, protocol: u32) -> Vec<u8> {
    packet(b'O', &[6, actions, protocol].map(u32::to_be_bytes).concat())
}

/// The next packet that a filter gets.
pub(crate) async fn receive(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let length = stream.read_u32().await.ok()?;
    let letter = stream.read_u8().await.ok()?;
    let mut rest = vec![0; length as usize - 1];
    stream.read_exact(&mut rest).await.ok()?;
    Some((letter, rest))
}

/// A filter that answers each command by a list: the letter, and what to send. What is not in it is answered with
/// "go on", except macros. It ends with everything it heard.
pub(crate) struct Filter {
    pub(crate) step: Milter,
    heard: tokio::task::JoinHandle<Vec<(u8, Vec<u8>)>>,
}

impl Filter {
    pub(crate) async fn new(answers: &[(u8, Vec<u8>)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap().to_string();
        let answers = answers.to_vec();
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = Vec::new();
            while let Some((letter, rest)) = receive(&mut stream).await {
                heard.push((letter, rest));
                let answer = answers.iter().find(|(of, _)| *of == letter);
                let answer = match (answer, letter) {
                    (Some((_, answer)), _) => answer.clone(),
                    (None, b'O') => terms(0xdf, 0),
                    (None, b'D' | b'Q') => Vec::new(),
                    (None, _) => packet(b'c', b""),
                };
                if answer == b"hang up" || stream.write_all(&answer).await.is_err() {
                    break;
                }
            }
            heard
        });
        Self {
            step: Milter {
                place: Place::Tcp(place),
                body_bytes_max: 1000,
            },
            heard,
        }
    }

    /// What it heard, macros aside: each command as its letter and its rest as text, NUL as `|`.
    pub(crate) async fn heard(self) -> Vec<String> {
        let heard = self.heard.await.unwrap();
        let shown = |(letter, rest): &(u8, Vec<u8>)| {
            let rest = String::from_utf8_lossy(rest).replace('\0', "|");
            format!("{} {rest}", char::from(*letter))
        };
        heard
            .iter()
            .filter(|(letter, _)| !matches!(letter, b'D' | b'O'))
            .map(shown)
            .collect()
    }
}
