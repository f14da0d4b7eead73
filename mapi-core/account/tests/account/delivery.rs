//! One message to many mailboxes.

use std::sync::Arc;

use account::{
    Account, Copy, ErrorKind, Facts, FileTime, Flags, FolderId, ItemNumber, MailboxId, Options,
    Piece, Role,
};
use bytes::Bytes;
use mapi_store::{MemBackend, Object};
use mapi_types::tags;

use crate::world::{ALICE, BOB, MESSAGE, World, principal, special};

fn copy(mailbox: &str) -> Copy {
    let prefix = format!("Delivered-To: {mailbox}\r\n");
    Copy {
        mailbox: MailboxId(mailbox.into()),
        prefix: Bytes::from(prefix),
        once: None,
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

/// A day in the life of the tests: when messages arrive.
const NOW: i64 = 1_700_000_000;

/// A message as an MTA hands it over, with its own trace field on top.
fn traced(clauses: &str, age_s: i64) -> String {
    let date = account::mime::date::text(NOW - age_s);
    format!("Received: from client (client [192.0.2.1])\r\n\tby mx {clauses}; {date}\r\n{MESSAGE}")
}

/// A copy for a mailbox, which some recipient of some transaction leads to.
fn copy_of(mailbox: &str, sender: &str, transaction: u32) -> Copy {
    let prefix = format!(
        "Return-Path: <{sender}>\r\nDelivered-To: r{transaction}@example.test\r\n\
         Received: from mx by us with LMTP id {transaction}; Tue, 14 Nov 2023 22:13:2{transaction} +0000\r\n"
    );
    Copy {
        mailbox: MailboxId(mailbox.into()),
        prefix: Bytes::from(prefix),
        once: None,
    }
}

async fn inbox_len(world: &World, user: &str) -> usize {
    let account = world.open(user).await;
    let folder = special(&account, Role::Inbox).await;
    account.index(folder).await.unwrap().len()
}

#[tokio::test]
async fn a_delivery_repeated_after_a_failure_saves_nothing_twice() {
    let mut failed = 0;
    for call in 0..20 {
        let backend = Arc::new(MemBackend::new());
        let options = Options::default();
        let world = World::with(Arc::<MemBackend>::clone(&backend), options).await;
        let message = world.spooled(traced("with ESMTPS id 4AbC9", 3)).await;
        let received = FileTime::from_unix(NOW);
        backend
            .faults()
            .fail_calls(call..call + 1, ErrorKind::Unavailable);
        for transaction in 1..4 {
            let copies = [ALICE, BOB].map(|user| copy_of(user, "carol@example.test", transaction));
            let delivered = world.accounts.deliver(&message, &copies, received).await;
            let kinds = delivered.iter().filter_map(|one| one.as_ref().err());
            assert!(
                kinds
                    .clone()
                    .all(|error| error.kind == ErrorKind::Unavailable)
            );
            failed += kinds.count();
        }
        backend.faults().heal();
        assert_eq!(
            (inbox_len(&world, ALICE).await, inbox_len(&world, BOB).await),
            (1, 1)
        );
    }
    assert!(failed >= 4, "{failed}");
}

#[tokio::test]
async fn what_may_be_a_second_sending_is_delivered() {
    const SENDER: &str = "carol@example.test";
    const DAY_S: i64 = 86_400;
    let first = traced("with ESMTPS id 4AbC9", 3);
    for (second, sender, delivered) in [
        (first.clone(), SENDER, 1),
        (traced("with ESMTPS id 4AbD0", 3), SENDER, 2),
        (traced("with ESMTPS id 4AbC9", 2), SENDER, 2),
        (format!("{first}."), SENDER, 2),
        (first.clone(), "dave@example.test", 2),
    ] {
        let world = World::new().await;
        for (text, sender) in [(&first, SENDER), (&second, sender)] {
            let message = world.spooled(text).await;
            let copies = [copy_of(ALICE, sender, 1)];
            let received = FileTime::from_unix(NOW);
            let answer = world.accounts.deliver(&message, &copies, received).await;
            assert!(answer[0].is_ok());
        }
        assert_eq!(
            inbox_len(&world, ALICE).await,
            delivered,
            "{second} {sender}"
        );
    }
    // Nothing tells two sendings apart, or the first is long ago.
    for text in [
        MESSAGE.to_owned(),
        traced("with SMTP (a comment with id 7)", 3),
        traced("id", 3),
        traced("with ESMTPS id 4AbC9", 30 * DAY_S),
        traced("with ESMTPS id 4AbC9", -30 * DAY_S),
        format!("{}{first}", "X-Long: y\r\n".repeat(9000)),
    ] {
        let world = World::new().await;
        let message = world.spooled(&text).await;
        let copies = [copy_of(ALICE, SENDER, 1)];
        for _ in 0..2 {
            let received = FileTime::from_unix(NOW);
            let answer = world.accounts.deliver(&message, &copies, received).await;
            assert!(answer[0].is_ok());
        }
        let trace = &text[..text.len().min(99)];
        assert_eq!(inbox_len(&world, ALICE).await, 2, "{trace}");
    }
}

#[tokio::test]
async fn a_message_delivered_again_after_it_was_put_away_can_be_put_away_again() {
    let world = World::new().await;
    let message = world.spooled(traced("with ESMTPS id 4AbC9", 3)).await;
    let alice = world.open(ALICE).await;
    let (inbox, archive) = (
        special(&alice, Role::Inbox).await,
        special(&alice, Role::Archive).await,
    );
    for round in 1..=3 {
        let copies = [copy_of(ALICE, "carol@example.test", round)];
        let received = FileTime::from_unix(NOW);
        let delivered = world.accounts.deliver(&message, &copies, received).await;
        assert!(delivered[0].is_ok());
        let index = alice.index(inbox).await.unwrap();
        let items: Vec<ItemNumber> = index.iter().map(|item| item.number).collect();
        assert_eq!(items.len(), 1);
        let moved = alice.move_items(inbox, &items, archive).await.unwrap();
        assert_eq!(moved[0].source, items[0]);
        assert!(alice.index(inbox).await.unwrap().is_empty());
        let index = alice.index(archive).await.unwrap();
        assert_eq!(index.len(), round as usize);
        assert!(index.item(moved[0].target.number).is_some());
    }
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
