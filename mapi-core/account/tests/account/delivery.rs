//! One message to many mailboxes.

use account::{
    Account, Copy, ErrorKind, Facts, FileTime, Flags, FolderId, ItemNumber, MailboxId, Options,
    Piece, Role,
};
use bytes::Bytes;
use mapi_store::Object;
use mapi_types::tags;

use crate::world::{ALICE, BOB, MESSAGE, World, principal, special};

fn copy(mailbox: &str) -> Copy {
    let prefix = format!("Delivered-To: {mailbox}\r\n");
    Copy {
        mailbox: MailboxId(mailbox.into()),
        prefix: Bytes::from(prefix),
    }
}

async fn whole(account: &Account, folder: FolderId, item: ItemNumber) -> Bytes {
    let piece = Piece {
        item,
        range: 0..account::PIECE_BYTES_MAX,
    };
    account
        .read(folder, &[piece])
        .await
        .unwrap()
        .remove(0)
        .unwrap()
}

#[tokio::test]
async fn each_recipient_gets_a_copy_with_its_own_prefix() {
    let world = World::new().await;
    let message = world.spooled(MESSAGE).await;
    let received = FileTime::from_unix(1_700_000_123);
    let copies = [copy(ALICE), copy("nobody@example.test"), copy(BOB)];
    let delivered = world.accounts.deliver(&message, &copies, received).await;
    let kinds: Vec<_> = delivered
        .iter()
        .map(|one| one.as_ref().err().map(|e| e.kind))
        .collect();
    assert_eq!(kinds, [None, Some(ErrorKind::NotFound), None]);
    for user in [ALICE, BOB] {
        let account = world.open(user).await;
        let folder = special(&account, Role::Inbox).await;
        let index = account.index(folder).await.unwrap();
        assert_eq!(index.len(), 1);
        let item = index.get(0).unwrap();
        assert_eq!((item.flags, item.received), (Flags::NONE, 1_700_000_123));
        let expected = format!("Delivered-To: {user}\r\n{MESSAGE}");
        assert_eq!(whole(&account, folder, item.number).await, expected);
        assert_eq!(item.size.known(), Some(expected.len() as u64));
        let facts = account
            .facts(folder, &[item.number], Facts::HEADER)
            .await
            .unwrap();
        let header = facts[0].as_ref().unwrap().header();
        assert_eq!(
            header[..],
            expected.as_bytes()[..expected.find("\r\n\r\n").unwrap() + 4]
        );
    }
}

#[tokio::test]
async fn a_copy_says_whether_it_is_addressed_to_its_owner() {
    let world = World::new().await;
    let message = world.spooled(MESSAGE).await;
    world
        .accounts
        .deliver(&message, &[copy(ALICE), copy(BOB)], FileTime(0))
        .await;
    for (user, to_me) in [(ALICE, true), (BOB, false)] {
        let account = world.open(user).await;
        let folder = special(&account, Role::Inbox).await;
        let number = account.index(folder).await.unwrap().get(0).unwrap().number;
        let store = world
            .backend
            .logon(&principal(user), account.mailbox())
            .await
            .unwrap();
        let object = Object::Item(folder, number);
        let props = store
            .props(object, &[tags::MESSAGE_TO_ME.tag()])
            .await
            .unwrap();
        assert_eq!(props.get(&tags::MESSAGE_TO_ME), Some(to_me));
    }
}

#[tokio::test]
async fn mail_that_a_filter_marked_goes_to_junk() {
    let check = async |options: Options, header: &str, expected: Role| {
        let backend = std::sync::Arc::new(mapi_store::MemBackend::new());
        let world = World::with(backend, options).await;
        let message = world.spooled(format!("{header}\r\n{MESSAGE}")).await;
        let delivered = world
            .accounts
            .deliver(&message, &[copy(ALICE)], FileTime(0))
            .await;
        assert!(delivered[0].is_ok());
        let alice = world.open(ALICE).await;
        for role in [Role::Inbox, Role::Junk] {
            let folder = alice.folder(special(&alice, role).await).await.unwrap();
            assert_eq!(folder.items, u32::from(role == expected), "{header}");
        }
    };
    check(Options::default(), "x-spam-flag:  yes ", Role::Junk).await;
    check(Options::default(), "X-Spam-Flag: NO", Role::Inbox).await;
    check(Options::default(), "X-Other: YES", Role::Inbox).await;
    let off = Options {
        junk_header: None,
        ..Options::default()
    };
    check(off, "X-Spam-Flag: YES", Role::Inbox).await;
}

#[tokio::test]
async fn a_message_for_a_hundred_mailboxes_is_converted_once_and_stored_in_all() {
    let world = World::new().await;
    let mut copies = Vec::new();
    for n in 0..100 {
        let mailbox = MailboxId(format!("user{n}@example.test"));
        world.backend.provision(&mailbox).await.unwrap();
        copies.push(copy(&mailbox.0));
    }
    let message = world.spooled(MESSAGE).await;
    let delivered = world.accounts.deliver(&message, &copies, FileTime(0)).await;
    assert!(delivered.iter().all(Result::is_ok));
    for copy in &copies {
        let account = world.open(&copy.mailbox.0).await;
        let folder = special(&account, Role::Inbox).await;
        assert_eq!(account.folder(folder).await.unwrap().unread, 1);
    }
}
