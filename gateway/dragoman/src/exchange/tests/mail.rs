//! Delivery to mailboxes on Exchange, and those that work although nobody signs in.

use account::{Copy, ErrorKind, FileTime, MailboxId, Principal};
use bytes::Bytes;
use exchange_standin::{Fault, What, When, model::mailbox::Quota};

use super::world::{ALICE, BOB, LOCAL, World, inbox};
use crate::command::Request;

const ALICE_CONFIGURED: &str =
    "[exchange.main.accounts.\"alice@example.test\"]\npassword_file = \"DIR/alice\"";

async fn with_alice() -> World {
    let world = World::new().await;
    world.secret("alice", "secret-alice\n");
    world.restart(ALICE_CONFIGURED).await
}

async fn check_address(world: &World, address: &str, expected: Result<&[&str], ErrorKind>) {
    let answer = world.gateway.accounts().resolve(address).await;
    let answer = answer.map_err(|error| error.kind);
    let expected = expected.map(|mailboxes| {
        let ids = mailboxes.iter().map(|id| MailboxId((*id).to_owned()));
        ids.collect::<Vec<_>>()
    });
    assert_eq!(answer, expected, "{address}");
}

#[tokio::test]
async fn addresses_are_known_where_the_address_book_cannot_be_read() {
    let mut server = exchange_standin::Config::default();
    server.rpc.offered = true;
    server.rpc.beside_mapi_http = false;
    let world = World::before(server, "").await;
    world.server().change_user("alice", |user| {
        user.aliases.push("al@example.test".to_owned());
    });
    world.login(ALICE, "secret-alice").await.unwrap();
    check_address(&world, "al@example.test", Ok(&[ALICE])).await;
    // Lists have no mailbox; whose owner has not signed in is told apart from nobody.
    for nobody in ["nobody@example.test", "everybody@example.test"] {
        check_address(&world, nobody, Err(ErrorKind::NotFound)).await;
    }
    check_address(&world, BOB, Err(ErrorKind::Unavailable)).await;
}

async fn deliver(world: &World, mailboxes: &[&str]) -> Vec<Result<(), ErrorKind>> {
    deliver_about(world, mailboxes, "delivered").await
}

async fn deliver_about(
    world: &World,
    mailboxes: &[&str],
    subject: &str,
) -> Vec<Result<(), ErrorKind>> {
    let accounts = world.gateway.accounts();
    let mut spool = accounts.spool();
    let text = format!(
        "Received: from elsewhere.test by mx.example.test with ESMTP id 4xYz; Fri, 15 Jan 2027 08:00:00 +0000\r\n\
        From: a@elsewhere.test\r\nSubject: {subject}\r\n\r\nHello\r\n"
    );
    spool.write(text.as_bytes()).await.unwrap();
    let message = spool.finish().await.unwrap();
    let copies: Vec<_> = mailboxes
        .iter()
        .map(|mailbox| Copy {
            mailbox: MailboxId((*mailbox).to_owned()),
            prefix: Bytes::from_static(b"Return-Path: <a@elsewhere.test>\r\n"),
            once: None,
        })
        .collect();
    let received = FileTime::from_unix(1_800_000_000);
    let answers = accounts.deliver(&message, &copies, received).await;
    answers
        .into_iter()
        .map(|answer| answer.map_err(|error| error.kind))
        .collect()
}

fn subjects(world: &World, user: &str) -> Vec<String> {
    let mailbox = world.server().mailbox(user);
    mailbox.subjects(mailbox.inbox().unwrap()).unwrap()
}

#[tokio::test]
async fn mail_is_delivered_to_both_kinds_of_mailboxes_at_once() {
    let world = with_alice().await;
    let answers = deliver(&world, &[ALICE, LOCAL]).await;
    assert_eq!(answers, [Ok(()), Ok(())]);
    assert_eq!(subjects(&world, "alice"), ["delivered"]);
    // An MTA that repeats a delivery does not double it.
    assert_eq!(deliver(&world, &[ALICE]).await, [Ok(())]);
    assert_eq!(subjects(&world, "alice"), ["delivered"]);
}

#[tokio::test]
async fn addresses_lead_to_mailboxes_that_somebody_has_the_key_to() {
    let world = with_alice().await;
    world.server().change_user("alice", |user| {
        user.aliases.push("al@example.test".to_owned())
    });
    check_address(&world, ALICE, Ok(&[ALICE])).await;
    check_address(&world, "Alice+list@EXAMPLE.test", Ok(&[ALICE])).await;
    check_address(&world, "al@example.test", Ok(&[ALICE])).await;
    check_address(&world, "al+x@example.test", Ok(&[ALICE])).await;
    check_address(&world, LOCAL, Ok(&[LOCAL])).await;
    check_address(&world, "x@local.test", Err(ErrorKind::NotFound)).await;
    check_address(&world, "x@example.test", Err(ErrorKind::NotFound)).await;
    check_address(&world, "everybody@example.test", Err(ErrorKind::Denied)).await;
    check_address(&world, BOB, Err(ErrorKind::Unavailable)).await;
    world.login(BOB, "secret-bob").await.unwrap();
    check_address(&world, BOB, Ok(&[BOB])).await;
    // After a restart nobody has Bob's password.
    let world = world.restart(ALICE_CONFIGURED).await;
    check_address(&world, BOB, Err(ErrorKind::Unavailable)).await;
    check_address(&world, ALICE, Ok(&[ALICE])).await;
}

#[tokio::test]
async fn where_nobody_can_ask_no_address_is_unknown_for_certain() {
    let world = World::new().await;
    check_address(&world, "x@example.test", Err(ErrorKind::Unavailable)).await;
    let mut world = with_alice().await;
    world.server = None;
    check_address(&world, "x@example.test", Err(ErrorKind::Unavailable)).await;
    check_address(&world, "x@local.test", Err(ErrorKind::NotFound)).await;
}

#[tokio::test]
async fn a_mail_server_hears_at_once_that_the_server_is_away() {
    let mut world = with_alice().await;
    let section = world.gateway.backends().sections()[0].clone();
    section.look().await;
    check_address(&world, ALICE, Ok(&[ALICE])).await;
    world.server = None;
    section.look().await;
    check_address(&world, ALICE, Err(ErrorKind::Unavailable)).await;
    check_address(&world, LOCAL, Ok(&[LOCAL])).await;
}

#[tokio::test]
async fn a_swarm_of_unknown_recipients_costs_one_question() {
    let world = with_alice().await;
    check_address(&world, "x@example.test", Err(ErrorKind::NotFound)).await;
    let before = world.server().counters().requests;
    for _ in 0..50 {
        check_address(&world, "x@example.test", Err(ErrorKind::NotFound)).await;
    }
    assert_eq!(world.server().counters().requests, before);
}

#[tokio::test]
async fn delivery_waits_until_the_server_is_back() {
    let mut world = with_alice().await;
    world.server = None;
    assert_eq!(
        deliver(&world, &[ALICE, LOCAL]).await,
        [Err(ErrorKind::Unavailable), Ok(())]
    );
}

#[tokio::test]
async fn what_the_user_signs_in_with_does_not_take_the_place_of_what_is_configured() {
    let world = with_alice().await;
    world.login(ALICE, "secret-alice").await.unwrap();
    assert_eq!(deliver(&world, &[ALICE]).await, [Ok(())]);
    assert_eq!(
        world.login(ALICE, "wrong").await,
        Err(ErrorKind::Unauthenticated)
    );
    assert_eq!(deliver(&world, &[ALICE]).await, [Ok(())]);
}

const QUEUE: &str = "outage = \"queue\"\n[exchange.main.accounts.\"alice@example.test\"]\npassword_file = \"DIR/alice\"";

/// Alice's mailbox works although nobody signs in, and mail for it may wait; it has been mirrored.
async fn with_queue() -> World {
    let world = World::new().await;
    world.secret("alice", "secret-alice\n");
    let world = world.restart(QUEUE).await;
    assert_eq!(deliver_about(&world, &[ALICE], "before").await, [Ok(())]);
    world
}

/// Every request is cut off.
fn leave(world: &World) {
    world.server().faults().add(Fault {
        when: When::default(),
        times: u32::MAX,
        what: What::CutRequest { after: 0 },
    });
}

/// The server answers again; waits until this is so.
async fn come_back(world: &World, is_it: impl AsyncFn() -> bool) {
    let owner = Principal {
        user: ALICE.to_owned(),
    };
    let id = MailboxId(ALICE.to_owned());
    let account = world.gateway.accounts().open(&owner, &id).await.unwrap();
    let folder = inbox(&account).await;
    world.server().faults().clear();
    let section = world.gateway.backends().sections()[0].clone();
    while !is_it().await {
        let _ = section.exchange().synchronize(&id, folder).await;
    }
}

#[tokio::test]
async fn mail_that_may_wait_is_taken_while_the_server_is_away_and_is_there_once_afterwards() {
    let world = with_queue().await;
    leave(&world);
    check_address(&world, ALICE, Ok(&[ALICE])).await;
    for subject in ["first", "second"] {
        // An MTA that repeats a delivery does not double it.
        for _ in 0..2 {
            let answers = deliver_about(&world, &[ALICE, LOCAL], subject).await;
            assert_eq!(answers, [Ok(()), Ok(())]);
        }
    }
    let status = Request::MirrorStatus {
        mailbox: Some(ALICE.to_owned()),
    };
    let lines = world.ask(status).await.unwrap();
    let waits = |line: &String| line.starts_with("waiting for the server: 2 changes, ");
    assert!(lines.iter().any(waits), "{lines:?}");
    assert_eq!(subjects(&world, "alice"), ["before"]);
    come_back(&world, async || subjects(&world, "alice").len() == 3).await;
    assert_eq!(subjects(&world, "alice"), ["before", "first", "second"]);
    let retried = Request::MirrorRetry {
        mailbox: ALICE.to_owned(),
    };
    let nothing = world.ask(retried).await.unwrap();
    assert_eq!(nothing, ["0 messages are tried again"]);
}

#[tokio::test]
async fn a_mail_server_is_not_sent_away_where_mail_may_wait() {
    let mut world = with_queue().await;
    let section = world.gateway.backends().sections()[0].clone();
    section.look().await;
    world.server = None;
    section.look().await;
    check_address(&world, ALICE, Ok(&[ALICE])).await;
    assert_eq!(deliver_about(&world, &[ALICE], "later").await, [Ok(())]);
    // Nobody knows now whether there is such an address.
    check_address(&world, "x@example.test", Err(ErrorKind::Unavailable)).await;
}

#[tokio::test]
async fn an_administrator_sees_what_the_server_refused_and_can_save_it() {
    let world = with_queue().await;
    leave(&world);
    assert_eq!(deliver_about(&world, &[ALICE], "large").await, [Ok(())]);
    let mailbox = world.server().mailbox("alice");
    let none = Quota {
        storage: Some(1),
        ..Quota::default()
    };
    mailbox.set_quota(none).unwrap();
    assert_eq!(deliver_about(&world, &[ALICE], "also").await, [Ok(())]);
    let id = MailboxId(ALICE.to_owned());
    let store = world.gateway.backends().embedded().clone();
    let mirror = store.find_mirror(&id).await.unwrap();
    come_back(&world, async || {
        mirror.queue_status().await.unwrap().waiting == 0
    })
    .await;
    let status = Request::MirrorStatus {
        mailbox: Some(ALICE.to_owned()),
    };
    let lines = world.ask(status).await.unwrap();
    let refused = |line: &&String| {
        line.starts_with("refused by the server: a message of ") && line.contains("Quota: ")
    };
    assert_eq!(lines.iter().filter(refused).count(), 2, "{lines:?}");
    let to = tempfile::tempdir().unwrap();
    let export = Request::MirrorExport {
        mailbox: ALICE.to_owned(),
        to: to.path().to_owned(),
    };
    let files = world.ask(export).await.unwrap();
    assert_eq!(files.len(), 2);
    let text = std::fs::read_to_string(&files[0]).unwrap();
    assert!(text.starts_with("Return-Path: <a@elsewhere.test>\r\n"));
    assert!(text.ends_with("Subject: large\r\n\r\nHello\r\n"));
}
