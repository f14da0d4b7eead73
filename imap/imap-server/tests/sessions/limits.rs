//! Limits of a session: what happens when they are reached, and that large messages pass within them.
use std::{io, time::Duration};

use front_end::{Channel, Peer, TlsState};
use imap_server::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use crate::support::World;

fn last(answer: &[Vec<u8>]) -> String {
    String::from_utf8_lossy(answer.last().expect("an answer")).into_owned()
}

/// A message of many different lines.
fn large_message(bytes: usize) -> Vec<u8> {
    let mut message = b"Subject: large\r\n\r\n".to_vec();
    for line in 0.. {
        message.extend_from_slice(format!("this is line {line} of many\r\n").as_bytes());
        if message.len() >= bytes {
            return message;
        }
    }
    message
}

#[tokio::test]
async fn a_message_larger_than_every_buffer_comes_back_octet_for_octet() {
    let config = Config {
        read_chunk_bytes: 1000,
        write_buffer_bytes: 500,
        ..Config::default()
    };
    let world = World::new(config, None).await;
    let mut client = world.ann().await;
    let message = large_message(300_000);
    client
        .send(format!("a APPEND INBOX {{{}+}}\r\n", message.len()).as_bytes())
        .await;
    client.send(&message).await;
    client.send(b"\r\n").await;
    assert!(client.response().await.unwrap().starts_with(b"a OK"));
    client.command("b", "SELECT INBOX").await;
    let answer = client.command("c", "FETCH 1 (BODY[] UID)").await;
    let expected = [
        format!("* 1 FETCH (BODY[] {{{}}}\r\n", message.len()).as_bytes(),
        &message,
        b" UID 1 FLAGS (\\Seen \\Recent))",
    ]
    .concat();
    assert_eq!(answer[0], expected);
    let answer = client
        .command("d", "FETCH 1 BODY.PEEK[TEXT]<70000.150000>")
        .await;
    assert!(answer[0].ends_with(&[&message[18 + 70_000..18 + 220_000], b")"].concat()));
}

#[tokio::test]
async fn messages_that_are_too_big_are_refused_before_they_are_sent() {
    let config = Config {
        append_bytes_max: 2000,
        ..Config::default()
    };
    let world = World::new(config, None).await;
    let mut client = world.ann().await;
    client.send(b"a APPEND INBOX {2001}\r\n").await;
    let answer = client.response().await.unwrap();
    assert_eq!(answer, b"a NO [TOOBIG] the message is too big");
    // A client that does not wait is heard out.
    client.send(b"b APPEND INBOX {2001+}\r\n").await;
    client.send(&[b'x'; 2001]).await;
    client.send(b"\r\nc NOOP\r\n").await;
    let answer = client.response().await.unwrap();
    assert_eq!(answer, b"b NO [TOOBIG] the message is too big");
    assert!(client.response().await.unwrap().starts_with(b"c OK"));
    // One of several is too big: none is kept.
    client
        .send(b"d APPEND INBOX {14+}\r\nSubject: x\r\n\r\n {5000+}\r\n")
        .await;
    client.send(&[b'x'; 5000]).await;
    client.send(b"\r\n").await;
    let answer = client.response().await.unwrap();
    assert_eq!(answer, b"d NO [TOOBIG] the message is too big");
    let answer = client.command("e", "STATUS INBOX (MESSAGES)").await;
    assert_eq!(answer[0], b"* STATUS \"INBOX\" (MESSAGES 0)");
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut_off() {
    let config = Config {
        write_timeout: Duration::from_millis(50),
        ..Config::default()
    };
    let world = World::new(config, None).await;
    world
        .deliver("ann@example.test", &large_message(1_000_000))
        .await;
    let (mut client, ended) = world.connect_watched(true);
    client.response().await;
    client
        .send(b"a LOGIN ann@example.test secret\r\nb SELECT INBOX\r\nc FETCH 1 BODY[]\r\n")
        .await;
    let ended = ended.await.unwrap().unwrap_err();
    assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_client_that_does_not_log_in_is_sent_away() {
    let config = Config {
        login_timeout: Duration::from_millis(50),
        ..Config::default()
    };
    let world = World::new(config, None).await;
    let mut client = world.connect(true);
    client.response().await;
    // Being busy does not help.
    client.command("a", "NOOP").await;
    let answer = client.response().await.unwrap();
    assert_eq!(answer, b"* BYE the login took too long");
    assert_eq!(client.response().await, None);
}

#[tokio::test]
async fn a_client_that_keeps_talking_is_not_heard_once_the_time_to_log_in_is_over() {
    let config = Config {
        login_timeout: Duration::ZERO,
        ..Config::default()
    };
    let world = World::new(config, None).await;
    for text in [
        "a NOOP\r\n",
        "rubbish\r\n",
        "a AUTHENTICATE PLAIN\r\n*\r\n",
        "no line",
    ] {
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
        let said: Vec<&str> = said.lines().skip(1).collect();
        assert_eq!(said, ["* BYE the login took too long"], "{text}");
    }
}

#[tokio::test]
async fn a_silent_session_ends() {
    let config = Config {
        idle_timeout: Duration::from_millis(50),
        ..Config::default()
    };
    let world = World::new(config, None).await;
    let mut client = world.ann().await;
    let answer = client.response().await.unwrap();
    assert_eq!(answer, b"* BYE you were silent for too long");
    let mut client = world.ann().await;
    client.send(b"a IDLE\r\n").await;
    assert_eq!(client.response().await.unwrap(), b"+ idling");
    let answer = client.response().await.unwrap();
    assert_eq!(answer, b"* BYE you were silent for too long");
}

#[tokio::test]
async fn thousands_of_pipelined_commands_are_all_answered() {
    let world = World::new(Config::default(), None).await;
    let mut client = world.ann().await;
    let commands: String = (0..2000)
        .map(|number| format!("{number} NOOP\r\n"))
        .collect();
    client.send(commands.as_bytes()).await;
    for number in 0..2000 {
        let answer = client.response().await.unwrap();
        assert_eq!(answer, format!("{number} OK NOOP completed").into_bytes());
    }
    assert_eq!(
        last(&client.command("z", "LOGOUT").await),
        "z OK LOGOUT completed"
    );
}

#[tokio::test]
async fn messages_that_are_too_much_together_are_refused_and_none_is_kept() {
    let config = Config {
        append_command_bytes_max: 2500,
        ..Config::default()
    };
    let world = World::new(config, None).await;
    let mut client = world.ann().await;
    let message = vec![b'x'; 1000];
    client.send(b"a APPEND INBOX").await;
    for _ in 0..4 {
        client.send(b" {1000+}\r\n").await;
        client.send(&message).await;
    }
    client.send(b"\r\n").await;
    let answer = client.response().await.unwrap();
    assert_eq!(answer, b"a NO [LIMIT] too much at once");
    let answer = client.command("b", "STATUS INBOX (MESSAGES)").await;
    assert_eq!(answer[0], b"* STATUS \"INBOX\" (MESSAGES 0)");
}
