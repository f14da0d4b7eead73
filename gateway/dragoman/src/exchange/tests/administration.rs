//! Commands about Exchange domains.

use std::sync::{Arc, Mutex};

use store_exchange::{
    discover,
    probe::{Finding, Step, Verdict, probe},
};

use super::world::{ALICE, LOCAL, World, append, inbox};
use crate::{
    command::Request,
    exchange::{LoginName, Settings, watch::size},
};

fn text(text: &str) -> String {
    text.to_owned()
}

#[tokio::test]
async fn users_of_exchange_domains_are_managed_there() {
    let world = World::new().await;
    let (address, password) = (text("new@example.test"), text("secret"));
    for request in [
        Request::UserAdd {
            address: address.clone(),
            password: password.clone(),
        },
        Request::UserPasswd {
            address: address.clone(),
            password,
        },
        Request::UserRemove {
            address: address.clone(),
            purge: false,
        },
        Request::SharedAdd {
            address: address.clone(),
        },
        Request::GrantList {
            mailbox: address.clone(),
            folder: text("Inbox"),
        },
    ] {
        let refused = world.ask(request).await.unwrap_err();
        let words = "managed on the Exchange server (exchange.main)";
        assert!(refused.contains(words), "{refused}");
    }
    let users = world.ask(Request::UserList).await.unwrap();
    assert_eq!(users, [LOCAL, "*@example.test  on Exchange (main)"]);
}

#[tokio::test]
async fn removing_a_user_purges_the_mirror_and_leaves_the_mailbox() {
    let world = World::new().await;
    let account = world.open(ALICE, "secret-alice").await;
    append(&world, &account, "Subject: stays\r\n\r\n")
        .await
        .unwrap();
    drop(account);
    let status = Request::MirrorStatus { mailbox: None };
    assert_eq!(world.ask(status).await.unwrap().len(), 1);
    let remove = Request::UserRemove {
        address: text(ALICE),
        purge: true,
    };
    world.ask(remove).await.unwrap();
    let status = Request::MirrorStatus { mailbox: None };
    assert!(world.ask(status).await.unwrap().is_empty());
    // Whoever signs in again has the mailbox again.
    let account = world.open(ALICE, "secret-alice").await;
    let index = account.index(inbox(&account).await).await.unwrap();
    assert_eq!(index.len(), 1);
}

#[tokio::test]
async fn dropping_a_mirror_keeps_its_numbers_and_resetting_it_does_not() {
    let world = World::new().await;
    let account = world.open(ALICE, "secret-alice").await;
    append(&world, &account, "Subject: one\r\n\r\n")
        .await
        .unwrap();
    let folder = inbox(&account).await;
    let before = account.index(folder).await.unwrap();
    let mailbox = text(ALICE);
    let lines = world.ask(Request::MirrorDrop {
        mailbox: mailbox.clone(),
    });
    let lines = lines.await.unwrap().join("\n");
    assert!(lines.contains("UIDs stay"), "{lines}");
    let after = account.index(folder).await.unwrap();
    assert_eq!(after.epoch(), before.epoch());
    assert!(
        after
            .iter()
            .map(|item| item.number)
            .eq(before.iter().map(|item| item.number))
    );

    let reset = |yes| Request::MirrorReset {
        mailbox: mailbox.clone(),
        yes,
    };
    let refused = world.ask(reset(false)).await.unwrap_err();
    assert!(
        refused.contains("--yes") && refused.contains("1 messages"),
        "{refused}"
    );
    world.ask(reset(true)).await.unwrap();
    let account = world.open(ALICE, "secret-alice").await;
    let anew = account.index(inbox(&account).await).await.unwrap();
    assert_ne!(anew.epoch(), before.epoch());
    assert_eq!(anew.len(), 1);
}

#[tokio::test]
async fn mirrors_are_measured_by_server() {
    let world = World::new().await;
    let account = world.open(ALICE, "secret-alice").await;
    append(&world, &account, "Subject: one\r\n\r\n")
        .await
        .unwrap();
    let backends = world.gateway.backends();
    let size = size(backends, &backends.sections()[0]).await;
    assert_eq!((size.mirrors, size.messages, size.pending), (1.0, 1.0, 0.0));
    assert_eq!(size.kept, "Subject: one\r\n\r\n".len() as f64);
}

#[tokio::test]
async fn a_mirror_that_is_not_there_has_no_status() {
    let world = World::new().await;
    for mailbox in [ALICE, LOCAL, "x"] {
        let status = Request::MirrorStatus {
            mailbox: Some(text(mailbox)),
        };
        assert!(world.ask(status).await.is_err(), "{mailbox}");
    }
}

fn name(user: &str) -> LoginName {
    LoginName::of(directory::Address::parse(user).unwrap())
}

/// Probes, and gives the verdict of each step but those that were only tried.
async fn probed(world: &World, user: &str, password: &str) -> (bool, Vec<(Step, Verdict)>) {
    let section = &world.config.exchange["main"];
    let settings = Settings::of(&world.config, ("main", section)).unwrap();
    let user = discover::User {
        address: text(user),
        credentials: settings.proof.typed(&name(user), password),
        policy: settings.policy,
    };
    let found = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&found);
    let tell = move |finding: &Finding| {
        if finding.verdict != Verdict::Tried {
            into.lock().unwrap().push((finding.step, finding.verdict));
        }
    };
    let all = probe(&settings.client, user, settings.discover, tell).await;
    let mut steps = found.lock().unwrap().clone();
    steps.dedup();
    (all, steps)
}

#[tokio::test]
async fn a_probe_of_a_good_mailbox_finds_that_everything_works() {
    let world = World::new().await;
    let (all, steps) = probed(&world, ALICE, "secret-alice").await;
    let expected = [
        Step::Discovery,
        Step::Tls,
        Step::Authentication,
        Step::Connect,
        Step::Logon,
        Step::Folders,
        Step::Messages,
        Step::Notifications,
        Step::AddressBook,
    ];
    assert_eq!(steps, expected.map(|step| (step, Verdict::Works)));
    assert!(all);
    let folders = world.server().mailbox("alice").folders().unwrap();
    assert!(folders.iter().all(|(_, path)| !path.contains("probe")));
}

#[tokio::test]
async fn a_probe_ends_with_the_step_that_fails() {
    let world = World::new().await;
    let (all, steps) = probed(&world, ALICE, "wrong").await;
    assert!(!all);
    assert_eq!(steps, [(Step::Discovery, Verdict::Fails)]);
    world
        .server()
        .change_user("bob", |user| user.mapi_disabled = true);
    let (all, steps) = probed(&world, "bob@example.test", "secret-bob").await;
    assert!(!all);
    assert_eq!(
        steps.last().map(|(_, verdict)| *verdict),
        Some(Verdict::Fails)
    );
}
