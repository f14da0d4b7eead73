//! What a session leaves behind: nothing before QUIT, everything at it.

use account::{ErrorKind, Flags};
use pop3_server::{Config, Seen};

use crate::support::World;

const MESSAGES: [&[u8]; 3] = [
    b"Subject: one\r\n\r\n",
    b"Subject: two\r\n\r\n",
    b"Subject: three\r\n\r\n",
];

async fn world(config: Config) -> World {
    let world = World::with(config).await;
    world.file(&MESSAGES).await;
    world
}

#[tokio::test]
async fn marked_messages_are_not_there_any_more_and_go_at_quit() {
    let world = world(Config::default()).await;
    let mut ann = world.ann().await;
    ann.ask("DELE 2", "+OK").await;
    for command in ["DELE 2", "RETR 2", "TOP 2 0", "LIST 2", "UIDL 2"] {
        ann.ask(command, "-ERR that message is deleted").await;
    }
    ann.ask("STAT", "+OK 2 34").await;
    assert_eq!(ann.list("LIST").await, ["1 16", "3 18"]);
    assert_eq!(ann.list("UIDL").await.len(), 2);
    assert_eq!(ann.fetch("RETR 3").await, MESSAGES[2]);
    assert_eq!(world.flags().await.len(), 3);
    ann.ask("QUIT", "+OK bye, 1 messages deleted").await;
    assert_eq!(ann.line().await, None);
    let mut ann = world.ann().await;
    assert_eq!(ann.fetch("RETR 1").await, MESSAGES[0]);
    assert_eq!(ann.fetch("RETR 2").await, MESSAGES[2]);
}

#[tokio::test]
async fn reset_marks_are_off() {
    let world = world(Config::default()).await;
    let mut ann = world.ann().await;
    ann.ask("DELE 1", "+OK").await;
    ann.ask("DELE 3", "+OK").await;
    ann.ask("RSET", "+OK").await;
    ann.ask("STAT", "+OK 3 50").await;
    ann.ask("DELE 2", "+OK").await;
    ann.ask("QUIT", "+OK bye, 1 messages deleted").await;
    assert_eq!(world.flags().await.len(), 2);
}

#[tokio::test]
async fn a_session_without_quit_deletes_nothing_and_holds_nothing() {
    let world = world(Config::default()).await;
    let (mut ann, ended) = world.connect_watched(true).await;
    ann.ask("USER ann@example.test", "+OK").await;
    ann.ask("PASS secret", "+OK").await;
    ann.fetch("RETR 1").await;
    ann.ask("DELE 1", "+OK").await;
    // Another one beside it has its own way.
    let mut other = world.ann().await;
    other.ask("DELE 2", "+OK").await;
    other.ask("QUIT", "+OK bye, 1 messages deleted").await;
    drop(ann);
    ended.await.unwrap().unwrap();
    assert_eq!(world.flags().await, [Flags::NONE; 2]);
}

#[tokio::test]
async fn what_others_have_deleted_is_as_gone_as_it_should_be() {
    let world = world(Config::default()).await;
    let mut ann = world.ann().await;
    ann.ask("DELE 1", "+OK").await;
    ann.ask("DELE 2", "+OK").await;
    world.expunge(0).await;
    ann.ask("QUIT", "+OK").await;
    assert_eq!(world.flags().await.len(), 1);
}

#[tokio::test]
async fn a_deletion_that_fails_is_said_and_leaves_all() {
    let world = world(Config::default()).await;
    let mut ann = world.ann().await;
    ann.ask("DELE 1", "+OK").await;
    world
        .backend
        .faults()
        .fail_calls(0..1_000, ErrorKind::Unavailable);
    ann.ask("QUIT", "-ERR [SYS/TEMP] some deleted messages not removed")
        .await;
    assert_eq!(ann.line().await, None);
    world.backend.faults().heal();
    assert_eq!(world.flags().await.len(), 3);
}

#[tokio::test]
async fn messages_that_the_store_kept_are_not_said_to_be_deleted() {
    for (kept, left) in [(&[1][..], 2), (&[0, 1], 3), (&[2], 1)] {
        let world = world(Config::default()).await;
        let mut ann = world.ann().await;
        ann.ask("DELE 1", "+OK").await;
        ann.ask("DELE 2", "+OK").await;
        world.keep(kept).await;
        let said = match kept {
            // It was not to be deleted.
            [2] => "+OK bye, 2 messages deleted",
            _ => "-ERR some deleted messages not removed",
        };
        ann.ask("QUIT", said).await;
        assert_eq!(ann.line().await, None);
        assert_eq!(world.flags().await.len(), left);
    }
}

#[tokio::test]
async fn fetched_messages_are_read_after_quit_unless_that_is_switched_off() {
    for (seen, expected) in [(Seen::AtQuit, Flags::SEEN), (Seen::Never, Flags::NONE)] {
        let config = Config {
            seen,
            ..Config::default()
        };
        let world = world(config).await;
        let mut ann = world.ann().await;
        ann.fetch("RETR 1").await;
        ann.fetch("TOP 2 0").await;
        ann.fetch("RETR 3").await;
        ann.ask("DELE 3", "+OK").await;
        assert_eq!(world.flags().await, [Flags::NONE; 3]);
        ann.ask("QUIT", "+OK").await;
        assert_eq!(world.flags().await, [expected, Flags::NONE]);
    }
}
