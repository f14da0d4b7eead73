//! What a trace shows of an IMAP session on a mailbox on Exchange, and what it does not show.

use std::{net::Ipv4Addr, sync::Arc};

use front_end::{Channel, Logins, Peer, TlsState, Unthrottled};
use imap_server::Server;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::watch,
};

use super::world::{ALICE, World};
use crate::trace::tests::Alone;

/// A client of the IMAP server.
struct Client {
    stream: DuplexStream,
    commands: u32,
    _stop: watch::Sender<bool>,
}

impl Client {
    fn new(world: &World) -> Self {
        let accounts = world.gateway.accounts().clone();
        let config = imap_server::Config::default();
        let logins = Arc::new(Logins::new(accounts, Arc::new(Unthrottled)));
        let server = Server::new(logins, config, None);
        let (stream, theirs) = tokio::io::duplex(1 << 16);
        let (stop, stopping) = watch::channel(false);
        let peer = Peer {
            addr: Some(Ipv4Addr::LOCALHOST.into()),
            tls: TlsState::Active,
            loopback: true,
            id: 1,
            channel: Channel::default(),
        };
        tokio::spawn(async move { server.serve(theirs, peer, stopping).await });
        Self {
            stream,
            commands: 0,
            _stop: stop,
        }
    }

    /// Sends a command and reads up to its tagged answer.
    async fn command(&mut self, command: &str) -> String {
        self.commands += 1;
        let tag = format!("t{}", self.commands);
        let line = format!("{tag} {command}\r\n");
        self.stream.write_all(line.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let end = format!("\n{tag} ").into_bytes();
        loop {
            let mut piece = [0; 4096];
            let count = self.stream.read(&mut piece).await.unwrap();
            assert_ne!(count, 0, "the server hung up");
            answer.extend_from_slice(&piece[..count]);
            let text = String::from_utf8_lossy(&answer);
            let tagged = text.starts_with(&format!("{tag} "))
                || answer.windows(end.len()).any(|window| window == end);
            if tagged && answer.ends_with(b"\r\n") {
                return text.into_owned();
            }
        }
    }
}

/// All spans of a kind within an operation.
fn spans<'v>(operation: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    if operation["span"] == name {
        found.push(operation);
    }
    for call in operation["calls"].as_array().into_iter().flatten() {
        spans(call, name, found);
    }
}

fn of_kind<'v>(operations: &'v [Value], name: &str) -> Vec<&'v Value> {
    let mut found = Vec::new();
    for operation in operations {
        spans(operation, name, &mut found);
    }
    found
}

const MESSAGE: &str =
    "From: bob@example.test\r\nTo: alice@example.test\r\nSubject: Layoffs\r\n\r\nNobody knows.\r\n";

/// A session, and what was traced of it: operations as JSON, and all of them as text.
async fn traced(world: &World) -> (Vec<Value>, String) {
    let alone = Alone::new();
    let mut follower = alone.traces.follow(ALICE).unwrap();
    let mut client = Client::new(world);
    let append = format!("APPEND INBOX (\\Seen) {{{}+}}\r\n{MESSAGE}", MESSAGE.len());
    for command in [
        "LOGIN alice@example.test secret-alice",
        &append,
        "SELECT INBOX",
        "UID SEARCH SUBJECT Layoffs FROM bob@example.test",
        "UID FETCH 1:* (FLAGS BODY[])",
        "CREATE Severance",
        "STORE 1 +FLAGS (\\Flagged urgent)",
        "LOGOUT",
    ] {
        let answer = client.command(command).await;
        assert!(answer.contains(" OK "), "{command}: {answer}");
    }
    let (mut operations, mut text) = (Vec::new(), String::new());
    while let Some((operation, missed)) = follower.ended() {
        assert_eq!(missed, 0);
        operations.push(serde_json::from_str(&operation.to_json()).unwrap());
        text += &operation.to_text();
        text += &operation.to_json();
    }
    (operations, text)
}

#[tokio::test]
async fn an_operation_is_traced_from_the_line_to_the_request() {
    let world = World::new().await;
    let (operations, _) = traced(&world).await;
    let commands = of_kind(&operations, "imap");
    let lines: Vec<_> = commands
        .iter()
        .map(|command| command["line"].as_str().unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "t1 LOGIN … …",
            "t2 APPEND INBOX (\\Seen) {83+} …",
            "t3 SELECT INBOX",
            "t4 UID SEARCH SUBJECT … FROM …",
            "t5 UID FETCH 1:* (FLAGS BODY[])",
            "t6 CREATE …",
            "t7 STORE 1 +FLAGS (\\Flagged …)",
            "t8 LOGOUT",
        ]
    );
    assert!(commands.iter().all(|command| command["status"] == "OK"));
    // The message was saved by one store call, whose ROPs went in requests that the server accepted.
    let append = &commands[1..2];
    let saves: Vec<_> = append
        .iter()
        .flat_map(|command| of_kind(std::slice::from_ref(*command), "store"))
        .filter(|store| store["call"] == "save")
        .collect();
    let [save] = saves.as_slice() else {
        panic!("{append:?}")
    };
    assert_eq!(
        (&save["outcome"], &save["items"]),
        (&"ok".into(), &1.into())
    );
    let batches = of_kind(std::slice::from_ref(*save), "batch");
    let rops: Vec<_> = batches
        .iter()
        .map(|batch| batch["rops"].as_str().unwrap())
        .collect();
    assert!(rops.concat().contains("SaveChangesMessage"), "{rops:?}");
    for batch in batches {
        let [request] = batch["calls"].as_array().unwrap().as_slice() else {
            panic!("{batch}")
        };
        assert_eq!(request["request"], "Execute");
        assert_eq!(
            (&request["status"], &request["code"]),
            (&200.into(), &0.into())
        );
        assert!(request["sent_bytes"].as_u64().unwrap() > 0);
        assert!(request["received_bytes"].as_u64().unwrap() > 0);
        assert!(request["ms"].as_f64().unwrap() <= batch["ms"].as_f64().unwrap());
    }
}

#[tokio::test]
async fn a_trace_has_no_secrets_no_content_and_nobody_elses_address() {
    let world = World::new().await;
    let (operations, text) = traced(&world).await;
    assert!(operations.len() >= 8);
    for secret in [
        "secret-alice",
        "Layoffs",
        "Nobody",
        "Severance",
        "urgent",
        "bob",
        "@",
        "/o=",
        "/cn=",
        "cookie",
        "Basic ",
        "http://",
        "https://",
    ] {
        let found = text
            .lines()
            .find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
        assert_eq!(found, None, "{secret}");
    }
}
