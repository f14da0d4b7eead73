//! A session's maildrop is what was there at its login, and messages keep their names for ever.

use account::{Expected, FlagChange, Flags};

use crate::support::World;

const MESSAGES: [&[u8]; 3] = [
    b"Subject: one\r\n\r\n",
    b"Subject: two\r\n\r\n",
    b"Subject: three\r\n\r\n",
];

async fn world() -> World {
    let world = World::new().await;
    world.file(&MESSAGES).await;
    world
}

/// The names alone.
fn names(list: &[String]) -> Vec<&str> {
    list.iter()
        .map(|line| line.split_once(' ').unwrap().1)
        .collect()
}

#[tokio::test]
async fn what_happens_meanwhile_does_not_change_the_numbers() {
    let world = world().await;
    let mut ann = world.ann().await;
    let before = ann.list("UIDL").await;
    world.file(&[b"Subject: four\r\n\r\n"]).await;
    world.expunge(1).await;
    assert_eq!(ann.list("UIDL").await, before);
    for command in ["RETR 2", "TOP 2 0"] {
        ann.ask(command, "-ERR that message is gone").await;
    }
    assert_eq!(ann.fetch("RETR 3").await, MESSAGES[2]);
    ann.ask("RETR 4", "-ERR there is no such message").await;
    ann.ask("STAT", "+OK 3 ").await;
    let mut next = world.ann().await;
    let after = next.list("UIDL").await;
    let kept = names(&before);
    assert_eq!(names(&after)[..2], [kept[0], kept[2]]);
    assert_eq!(after.len(), 3);
    assert_eq!(next.fetch("RETR 3").await, b"Subject: four\r\n\r\n");
}

#[tokio::test]
async fn a_message_read_in_advance_is_gone_when_it_is_deleted() {
    let world = world().await;
    let mut ann = world.ann().await;
    assert_eq!(ann.fetch("RETR 1").await, MESSAGES[0]);
    world.expunge(1).await;
    ann.ask("RETR 2", "-ERR that message is gone").await;
    assert_eq!(ann.fetch("RETR 3").await, MESSAGES[2]);
}

#[tokio::test]
async fn messages_keep_their_names_over_sessions_and_restarts() {
    let mut world = world().await;
    let before = world.ann().await.list("UIDL").await;
    for line in &before {
        let (_, name) = line.split_once(' ').unwrap();
        assert!(name.len() <= 70 && name.bytes().all(|octet| (0x21..=0x7e).contains(&octet)));
    }
    for _ in 0..20 {
        assert_eq!(world.ann().await.list("UIDL").await, before);
    }
    world.restart();
    let mut ann = world.ann().await;
    assert_eq!(ann.list("UIDL").await, before);
    for line in &before {
        let (number, _) = line.split_once(' ').unwrap();
        let one = ann.ask(&format!("UIDL {number}"), "+OK").await;
        assert_eq!(one, format!("+OK {line}"));
    }
}

/// After a restore a number may be given to another message.
#[tokio::test]
async fn a_name_of_another_epoch_names_nothing() {
    let world = world().await;
    let mut ann = world.ann().await;
    let before = ann.list("UIDL").await;
    ann.ask("DELE 1", "+OK").await;
    world.restore().await;
    world.file(&[b"Subject: four\r\n\r\n"]).await;
    ann.ask("RETR 2", "-ERR that message is gone").await;
    ann.ask("QUIT", "-ERR [SYS/TEMP] some deleted messages not removed")
        .await;
    let after = world.ann().await.list("UIDL").await;
    assert_eq!(after.len(), 4);
    assert!(
        names(&after)
            .iter()
            .all(|name| !names(&before).contains(name))
    );
}

#[tokio::test]
async fn what_an_imap_client_has_only_marked_is_there() {
    let world = world().await;
    let (account, inbox) = world.inbox().await;
    let item = account.index(inbox).await.unwrap().get(0).unwrap().number;
    let change = FlagChange::Set {
        flags: Flags::DELETED,
        keywords: Vec::new(),
    };
    let version = None;
    account
        .set_flags(inbox, &[Expected { item, version }], &change)
        .await
        .unwrap();
    let mut ann = world.ann().await;
    ann.ask("STAT", "+OK 3 ").await;
    assert_eq!(ann.fetch("RETR 1").await, MESSAGES[0]);
    ann.ask("QUIT", "+OK").await;
    assert_eq!(world.flags().await[0], Flags::DELETED | Flags::SEEN);
}
