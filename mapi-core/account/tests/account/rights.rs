//! What is cached is shown to those alone who may see it now.

use account::{
    Account, ErrorKind, Facts, FileTime, Flags, FolderId, ItemNumber, Member, NewItem, Permission,
    Piece, Result, Rights, TextQuery,
};

use crate::world::{ALICE, BOB, MESSAGE, World, add, any, inbox};

async fn grant(alice: &Account, folder: FolderId, rights: Rights) {
    let permission = Permission {
        member: Member::User(BOB.into()),
        rights,
    };
    alice.set_permissions(folder, &[permission]).await.unwrap();
}

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind)
}

/// How each way to read ends.
async fn reads(account: &Account, folder: FolderId, item: ItemNumber) -> [Option<ErrorKind>; 5] {
    let want = Facts::ENVELOPE | Facts::STRUCTURE | Facts::HEADER;
    let query = TextQuery::Body("noon".into());
    [
        kind(account.index(folder).await),
        kind(account.facts(folder, &[item], want).await),
        kind(account.read(folder, &[Piece { item, range: 0..10 }]).await),
        kind(account.search(folder, &[item], &query).await),
        kind(account.changes(folder, account::Version(0)).await),
    ]
}

#[tokio::test]
async fn rights_are_checked_on_what_is_cached() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let item = world.append(&alice, folder, MESSAGE).await;
    grant(&alice, folder, Rights::REVIEWER).await;
    let bob = world.open_as(BOB, ALICE).await;
    assert_eq!(bob.folders().await.unwrap().len(), 1);
    for account in [&alice, &bob] {
        assert_eq!(reads(account, folder, item).await, [None; 5]);
    }
    grant(&alice, folder, Rights::VISIBLE).await;
    assert_eq!(
        reads(&bob, folder, item).await,
        [Some(ErrorKind::Denied); 5]
    );
    grant(&alice, folder, Rights::NONE).await;
    assert_eq!(
        reads(&bob, folder, item).await,
        [Some(ErrorKind::NotFound); 5]
    );
    assert!(bob.folders().await.unwrap().is_empty());
    assert_eq!(reads(&alice, folder, item).await, [None; 5]);
    grant(&alice, folder, Rights::REVIEWER).await;
    assert_eq!(reads(&bob, folder, item).await, [None; 5]);
}

#[tokio::test]
async fn a_reader_may_not_write() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let item = world.append(&alice, folder, MESSAGE).await;
    grant(&alice, folder, Rights::REVIEWER).await;
    let bob = world.open_as(BOB, ALICE).await;
    let new = NewItem {
        message: world.spooled(MESSAGE).await,
        flags: Flags::NONE,
        keywords: Vec::new(),
        received: FileTime(0),
        once: None,
    };
    let denied = Some(ErrorKind::Denied);
    assert_eq!(kind(bob.append(folder, vec![new]).await), denied);
    assert_eq!(
        kind(
            bob.set_flags(folder, &any(&[item]), &add(Flags::SEEN))
                .await
        ),
        denied
    );
    assert_eq!(kind(bob.delete_items(folder, &[item]).await), denied);
    assert_eq!(kind(bob.permissions(folder).await), denied);
    assert_eq!(alice.index(folder).await.unwrap().counts().unseen, 1);
}

#[tokio::test]
async fn two_principals_see_each_others_writes_in_a_shared_folder() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    grant(&alice, folder, Rights::EDITOR).await;
    let bob = world.open_as(BOB, ALICE).await;
    let item = world.append(&bob, folder, MESSAGE).await;
    assert_eq!(alice.index(folder).await.unwrap().len(), 1);
    alice
        .set_flags(folder, &any(&[item]), &add(Flags::FLAGGED))
        .await
        .unwrap();
    let index = bob.index(folder).await.unwrap();
    assert_eq!(index.item(item).unwrap().flags, Flags::FLAGGED);
    bob.delete_items(folder, &[item]).await.unwrap();
    assert!(alice.index(folder).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_stranger_cannot_open_a_mailbox() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let opened = world
        .accounts
        .open(&crate::world::principal(BOB), alice.mailbox())
        .await;
    assert_eq!(opened.unwrap_err().kind, ErrorKind::Denied);
}
