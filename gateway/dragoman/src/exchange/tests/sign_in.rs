//! Who gets in, what that costs, and what is believed while the server is away.

use account::{ErrorKind, MailboxId, Principal, Service};
use exchange_standin::{Fault, WebServices, What, When};

use super::world::{ALICE, BOB, LOCAL, World, append, inbox};

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
        all.spawn(async move {
            accounts
                .login(Service::Imap, ALICE, "secret-alice")
                .await
                .unwrap()
        });
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
async fn a_password_that_expired_here_is_shown_to_the_server_again() {
    let world = World::with("sign_in_kept_s = 0").await;
    check(&world, ALICE, "secret-alice", (Ok(()), 1)).await;
    check(&world, ALICE, "secret-alice", (Ok(()), 1)).await;
    world
        .server()
        .change_user("alice", |user| user.password = "changed".to_owned());
    // The session that is there may go on; nobody new gets in by it.
    check(&world, ALICE, "secret-alice", (REFUSED, 1)).await;
    check(&world, ALICE, "changed", (Ok(()), 1)).await;
}

#[tokio::test]
async fn all_names_of_a_user_share_the_sessions() {
    let world = World::with(
        "default_domain = \"example.test\"\nwindows_domains = [\"CORP\"]\nsign_in_kept_s = 0",
    )
    .await;
    world.server().change_user("alice", |user| {
        user.aliases.push("al@example.test".to_owned());
        user.log_in_names.push("al@example.test".to_owned());
        user.log_in_names.push("CORP\\alice".to_owned());
    });
    let account = world.open(ALICE, "secret-alice").await;
    append(&world, &account, "Subject: one\r\n\r\n")
        .await
        .unwrap();
    for name in [
        "ALICE@EXAMPLE.TEST",
        "al@example.test",
        "alice",
        "corp\\Alice",
    ] {
        for _ in 0..3 {
            let principal = world.login(name, "secret-alice").await.unwrap();
            assert_eq!(principal.user, ALICE, "{name}");
        }
        let again = world.open(name, "secret-alice").await;
        let folder = inbox(&again).await;
        assert_eq!(again.index(folder).await.unwrap().len(), 1, "{name}");
    }
    // Those that checked passwords say goodbye by themselves, and one user has three.
    world.until(|| world.server().sessions() <= 3).await;
    // A password that was changed is changed by every name.
    world
        .server()
        .change_user("alice", |user| user.password = "changed".to_owned());
    world.login("al@example.test", "changed").await.unwrap();
    for name in [ALICE, "al@example.test", "alice", "corp\\alice"] {
        let answer = world.login(name, "secret-alice").await;
        assert_eq!(answer.map(drop), REFUSED, "{name}");
    }
    append(&world, &account, "Subject: two\r\n\r\n")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_new_password_spares_who_has_the_mailbox_open_the_refusal_of_the_old() {
    let world = World::new().await;
    let account = world.open(ALICE, "secret-alice").await;
    append(&world, &account, "Subject: one\r\n\r\n")
        .await
        .unwrap();
    world
        .server()
        .change_user("alice", |user| user.password = "changed".to_owned());
    world.login(ALICE, "changed").await.unwrap();
    append(&world, &account, "Subject: two\r\n\r\n")
        .await
        .unwrap();
    check(&world, ALICE, "changed", (Ok(()), 0)).await;
}

/// A server that lets who has full access to a mailbox connect as its owner. Bob has, to Alice's; and what he logs in
/// with is an address of hers.
async fn with_full_access(web_services: WebServices) -> World {
    let mut server = exchange_standin::Config::default();
    server.manners.connects_by_full_access = true;
    server.manners.web_services = web_services;
    let world = World::before(server, "windows_domains = [\"CORP\"]").await;
    let alices = world.server().mailbox("alice");
    alices.grant_full_access("bob", true).unwrap();
    world.server().change_user("alice", |user| {
        user.aliases.push("b@example.test".to_owned());
    });
    world.server().change_user("bob", |user| {
        let names = ["b@example.test", "CORP\\alice"];
        user.log_in_names.extend(names.map(str::to_owned));
    });
    world
}

#[tokio::test]
async fn full_access_to_a_mailbox_does_not_make_anybody_its_owner() {
    for web_services in [WebServices::Here, WebServices::Absent] {
        let world = with_full_access(web_services).await;
        let account = world.open(ALICE, "secret-alice").await;
        for name in ["b@example.test", "CORP\\alice"] {
            let answer = world.login(name, "secret-bob").await;
            assert_eq!(answer, Err(ErrorKind::Denied), "{name}");
        }
        append(&world, &account, "Subject: one\r\n\r\n")
            .await
            .unwrap();
        // As himself he is let in, and so is she.
        assert_eq!(world.login(BOB, "secret-bob").await.unwrap().user, BOB);
        check(&world, ALICE, "secret-alice", (Ok(()), 0)).await;
    }
}

#[tokio::test]
async fn who_may_also_send_as_the_owner_is_not_the_owner() {
    for (web_services, expected) in [
        (WebServices::Here, ErrorKind::Denied),
        // Whoever keeps them busy must not get in by that.
        (WebServices::Busy, ErrorKind::Unavailable),
    ] {
        let world = with_full_access(web_services).await;
        world.server().change_user("alice", |user| {
            user.send_as.insert("bob".to_owned());
        });
        let answer = world.login("b@example.test", "secret-bob").await;
        assert_eq!(answer, Err(expected), "{web_services:?}");
    }
    let world = with_full_access(WebServices::Here).await;
    assert_eq!(world.login(BOB, "secret-bob").await.unwrap().user, BOB);
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
