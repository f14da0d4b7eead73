//! Who gets in, what that costs, and what is believed while the server is away.

use account::{ErrorKind, MailboxId, Principal};
use exchange_standin::{Fault, What, When};

use super::world::{ALICE, BOB, LOCAL, World, append};

const REFUSED: Result<(), ErrorKind> = Err(ErrorKind::Unauthenticated);

/// Logs in, and says how it ended and how many connects it cost.
async fn check(world: &World, user: &str, password: &str, expected: (Result<(), ErrorKind>, u64)) {
    let before = world.connects();
    let answer = world.login(user, password).await;
    assert_eq!(
        (answer.map(drop), world.connects() - before),
        expected,
        "{user} {password}"
    );
}

#[tokio::test]
async fn the_server_decides_for_its_domain_and_the_directory_for_the_others() {
    let world = World::new().await;
    check(&world, ALICE, "secret-alice", (Ok(()), 1)).await;
    check(&world, "ALICE@Example.test", "secret-alice", (Ok(()), 0)).await;
    check(&world, ALICE, "secret-bob", (REFUSED, 0)).await;
    check(&world, ALICE, "", (REFUSED, 0)).await;
    check(&world, "nobody@example.test", "secret-alice", (REFUSED, 0)).await;
    check(&world, "alice", "secret-alice", (REFUSED, 0)).await;
    check(&world, LOCAL, "local", (Ok(()), 0)).await;
    check(&world, LOCAL, "secret-alice", (REFUSED, 0)).await;
    assert_eq!(
        world.login(ALICE, "secret-alice").await.unwrap().user,
        ALICE
    );
}

#[tokio::test]
async fn a_client_that_logs_in_all_the_time_does_not_sign_in_all_the_time() {
    let world = World::new().await;
    check(&world, ALICE, "secret-alice", (Ok(()), 1)).await;
    for _ in 0..20 {
        check(&world, ALICE, "secret-alice", (Ok(()), 0)).await;
    }
}

#[tokio::test]
async fn logins_at_the_same_time_sign_in_once() {
    let world = World::new().await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let accounts = world.gateway.accounts().clone();
        all.spawn(async move { accounts.login(ALICE, "secret-alice").await.unwrap() });
    }
    while let Some(login) = all.join_next().await {
        login.unwrap();
    }
    assert_eq!(world.connects(), 1);
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_again_and_again() {
    let world = World::new().await;
    check(&world, ALICE, "wrong", (REFUSED, 0)).await;
    let before = world.server().counters().requests;
    for _ in 0..20 {
        check(&world, ALICE, "wrong", (REFUSED, 0)).await;
    }
    assert_eq!(world.server().counters().requests, before);
    check(&world, ALICE, "secret-alice", (Ok(()), 1)).await;
}

#[tokio::test]
async fn a_password_that_expired_here_is_confirmed_by_the_session_that_is_there() {
    let world = World::with("sign_in_kept_s = 0").await;
    check(&world, ALICE, "secret-alice", (Ok(()), 1)).await;
    check(&world, ALICE, "secret-alice", (Ok(()), 0)).await;
    assert!(world.server().counters().by_type["Execute"] >= 2);
}

#[tokio::test]
async fn a_password_that_the_server_refuses_in_between_is_forgotten() {
    let world = World::new().await;
    let account = world.open(ALICE, "secret-alice").await;
    append(&world, &account, "Subject: one\r\n\r\n")
        .await
        .unwrap();
    world
        .server()
        .change_user("alice", |user| user.password = "changed".to_owned());
    let refused = append(&world, &account, "Subject: two\r\n\r\n").await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Unauthenticated);
    assert_eq!(
        world.login(ALICE, "secret-alice").await,
        Err(ErrorKind::Unauthenticated)
    );
    // Who has the mailbox open goes on as soon as somebody brings the new one.
    world.login(ALICE, "changed").await.unwrap();
    append(&world, &account, "Subject: two\r\n\r\n")
        .await
        .unwrap();
}

#[tokio::test]
async fn while_the_server_is_away_only_known_passwords_get_in() {
    let mut world = World::with("sign_in_kept_s = 0").await;
    world.login(ALICE, "secret-alice").await.unwrap();
    world.server = None;
    for _ in 0..2 {
        world.login(ALICE, "secret-alice").await.unwrap();
        for (user, password) in [
            (ALICE, "wrong"),
            (BOB, "secret-bob"),
            ("x@example.test", "x"),
        ] {
            assert_eq!(
                world.login(user, password).await,
                Err(ErrorKind::Unavailable),
                "{user}"
            );
        }
    }
    world.login(LOCAL, "local").await.unwrap();
}

#[tokio::test]
async fn nothing_is_believed_of_before_a_restart() {
    let world = World::new().await;
    world.login(ALICE, "secret-alice").await.unwrap();
    let mut world = world.restart("").await;
    world.server = None;
    assert_eq!(
        world.login(ALICE, "secret-alice").await,
        Err(ErrorKind::Unavailable)
    );
}

#[tokio::test]
async fn a_user_who_may_not_use_mapi_is_told_apart_from_a_wrong_password() {
    let world = World::new().await;
    world
        .server()
        .change_user("bob", |user| user.mapi_disabled = true);
    let answer = world.login(BOB, "secret-bob").await;
    assert!(matches!(answer, Err(kind) if kind != ErrorKind::Unauthenticated));
    assert_eq!(
        world.login(BOB, "wrong").await,
        Err(ErrorKind::Unauthenticated)
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_does_not_keep_a_client_waiting() {
    let world = World::with("sign_in_timeout_s = 1").await;
    world.server().faults().add(Fault {
        when: When {
            request: Some("Connect".to_owned()),
            ..When::default()
        },
        times: 10,
        what: What::Delay { ms: 60_000 },
    });
    assert_eq!(
        world.login(ALICE, "secret-alice").await,
        Err(ErrorKind::Unavailable)
    );
}

#[tokio::test]
async fn nobody_is_let_into_the_mailboxes_of_a_server_that_does_not_know_them() {
    let world = World::new().await;
    world.login(ALICE, "secret-alice").await.unwrap();
    for (user, mailbox) in [(LOCAL, ALICE), (ALICE, LOCAL)] {
        let principal = Principal {
            user: user.to_owned(),
        };
        let opened = world
            .gateway
            .accounts()
            .open(&principal, &MailboxId(mailbox.to_owned()))
            .await;
        assert_eq!(opened.unwrap_err().kind, ErrorKind::Denied, "{user}");
    }
}
