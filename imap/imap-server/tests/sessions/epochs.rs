//! A mailbox that is restored while others use it: its UIDs are then valid under another UIDVALIDITY.
use account::{FolderId, MailboxId, Principal, Role};
use imap_server::Config;
use mapi_store::Backend;

use crate::support::World;

const ANN: &str = "ann@example.test";

/// A world with two messages in Ann's Inbox.
async fn world() -> World {
    let world = World::new(Config::default(), None).await;
    world.deliver(ANN, b"Subject: one\r\n\r\n").await;
    world.deliver(ANN, b"Subject: two\r\n\r\n").await;
    world
}

async fn folder(world: &World, role: Role) -> FolderId {
    let ann = Principal {
        user: ANN.to_owned(),
    };
    let account = world.accounts.open(&ann, &ann_mailbox()).await.unwrap();
    let tree = account.folders().await.unwrap();
    tree.role(role).unwrap().id
}

fn ann_mailbox() -> MailboxId {
    MailboxId(ANN.to_owned())
}

/// As a restore does, and before anybody is told of it.
async fn restore(world: &World, role: Role) -> u32 {
    let folder = folder(world, role).await;
    world.backend.renew_epoch(&ann_mailbox(), folder).unwrap();
    let ann = Principal {
        user: ANN.to_owned(),
    };
    let store = world.backend.logon(&ann, &ann_mailbox()).await.unwrap();
    store.folder(folder).await.unwrap().epoch.0
}

#[tokio::test]
async fn every_message_is_recent_once_more_after_a_restore() {
    let world = world().await;
    let mut ann = world.ann().await;
    let mut recent = async |tag: &str| {
        let answer = ann.lines(tag, "SELECT INBOX").await;
        answer.into_iter().find(|line| line.ends_with(" RECENT"))
    };
    assert_eq!(recent("a").await.unwrap(), "* 2 RECENT");
    assert_eq!(recent("b").await.unwrap(), "* 0 RECENT");
    restore(&world, Role::Inbox).await;
    world.deliver(ANN, b"Subject: three\r\n\r\n").await;
    assert_eq!(recent("c").await.unwrap(), "* 3 RECENT");
    assert_eq!(recent("d").await.unwrap(), "* 0 RECENT");
}

/// Whatever a response code pairs, is true: an old UIDVALIDITY never comes with a new UID.
#[tokio::test]
async fn a_uid_is_never_paired_with_a_uidvalidity_it_is_not_of() {
    for command in [
        "APPEND Archive {14+}\r\nSubject: x\r\n\r\n",
        "COPY 1 Archive",
        "MOVE 1 Archive",
    ] {
        let world = world().await;
        let mut ann = world.ann().await;
        ann.command("a", "SELECT INBOX").await;
        ann.command("b", "STATUS Archive (UIDVALIDITY)").await;
        let epoch = restore(&world, Role::Archive).await;
        let answer = ann.lines("c", command).await;
        assert!(answer.last().unwrap().starts_with("c OK"), "{answer:?}");
        for line in &answer {
            for code in ["[APPENDUID ", "[COPYUID "] {
                let told = line.split_once(code).map(|(_, rest)| rest);
                let told = told.and_then(|rest| rest.split(' ').next());
                assert!(told.is_none_or(|told| told == epoch.to_string()), "{line}");
            }
        }
        let now = ann.lines("d", "SELECT Archive").await;
        assert!(now.contains(&format!("* OK [UIDVALIDITY {epoch}] UIDs are valid")));
    }
}
