//! Limits of a session: what happens when they are reached.

use std::{io, time::Duration};

use front_end::{Channel, Peer, TlsState};
use pop3_server::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use crate::support::World;

#[tokio::test]
async fn pipelined_commands_are_all_answered_in_order() {
    let world = World::new().await;
    world.file(&[b"Subject: one\r\n\r\n"]).await;
    let mut ann = world.ann().await;
    ann.send("LIST 1\r\nRETR 1\r\n".repeat(500).as_bytes())
        .await;
    for _ in 0..500 {
        assert_eq!(ann.line().await.unwrap(), "+OK 1 16");
        assert_eq!(ann.line().await.unwrap(), "+OK 16 octets");
        assert_eq!(ann.rest().await, b"Subject: one\r\n\r\n");
    }
    ann.ask("QUIT", "+OK").await;
}

#[tokio::test]
async fn lines_that_are_too_long_are_refused_and_passed_over() {
    let world = World::new().await;
    let mut ann = world.ann().await;
    ann.send(format!("NOOP {}\r\nNOOP\r\n", "x".repeat(100_000)).as_bytes())
        .await;
    assert_eq!(ann.line().await.unwrap(), "-ERR line too long");
    assert_eq!(ann.line().await.unwrap(), "+OK still here");
}

#[tokio::test]
async fn a_client_that_speaks_something_else_is_sent_away() {
    let world = World::new().await;
    let mut client = world.connect(true).await;
    for _ in 0..10 {
        client.ask("GET / HTTP/1.1", "-ERR unknown command").await;
    }
    assert_eq!(client.line().await, None);
}

#[tokio::test]
async fn silent_clients_are_let_go_without_a_word_and_nothing_is_deleted() {
    let brief = Duration::from_millis(50);
    let config = Config {
        login_timeout: brief,
        ..Config::default()
    };
    let world = World::with(config).await;
    let mut client = world.connect(true).await;
    assert_eq!(client.line().await, None);
    let config = Config {
        idle_timeout: brief,
        ..Config::default()
    };
    let world = World::with(config).await;
    world.file(&[b"Subject: one\r\n\r\n"]).await;
    let mut ann = world.ann().await;
    ann.ask("DELE 1", "+OK").await;
    assert_eq!(ann.line().await, None);
    assert_eq!(world.flags().await.len(), 1);
}

#[tokio::test]
async fn a_client_that_keeps_talking_is_not_heard_once_the_time_to_log_in_is_over() {
    let config = Config {
        login_timeout: Duration::ZERO,
        ..Config::default()
    };
    let world = World::with(config).await;
    for text in ["CAPA\r\n", "NOOP\r\n", "AUTH PLAIN\r\n*\r\n", "no line"] {
        let (mut client, theirs) = duplex(1 << 16);
        client
            .write_all(&text.repeat(100).into_bytes())
            .await
            .unwrap();
        let peer = Peer {
            addr: None,
            tls: TlsState::None,
            loopback: true,
            id: 1,
            channel: Channel::default(),
        };
        let stop = world.stop.subscribe();
        world.server.serve(theirs, peer, stop).await.unwrap();
        let mut said = String::new();
        client.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "+OK Dragoman ready\r\n", "{text}");
    }
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut_off() {
    let config = Config {
        write_timeout: Duration::from_millis(50),
        ..Config::default()
    };
    let world = World::with(config).await;
    world.file(&[&[b'x'; 1_000_000]]).await;
    let (mut client, ended) = world.connect_watched(true).await;
    client
        .send(b"USER ann@example.test\r\nPASS secret\r\nRETR 1\r\n")
        .await;
    let ended = ended.await.unwrap().unwrap_err();
    assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_deletes_nothing() {
    let world = World::new().await;
    world.file(&[b"Subject: one\r\n\r\n"]).await;
    let mut ann = world.ann().await;
    ann.ask("DELE 1", "+OK").await;
    world.stop.send_replace(true);
    assert_eq!(
        ann.line().await.unwrap(),
        "-ERR [SYS/TEMP] the server is shutting down"
    );
    assert_eq!(ann.line().await, None);
    assert_eq!(world.flags().await.len(), 1);
}
