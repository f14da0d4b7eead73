//! Tokens instead of passwords: what users log in with is the gateway's own.

use std::sync::atomic::Ordering;

use account::ErrorKind;
use store_exchange::{Entrance, auth::Credentials};

use super::{
    issuer::{Issuer, TOKEN},
    world::{ALICE, BOB, World, append, inbox},
};
use crate::{
    command::Request,
    exchange::{Settings, consent, tokens::Tokens},
};

/// A gateway whose users are alone in the directory, and the issuer it asks.
async fn world(flow: &str) -> (World, Issuer) {
    with_user(ALICE, flow).await
}

/// The same with another user.
pub(super) async fn with_user(user: &str, flow: &str) -> (World, Issuer) {
    let issuer = Issuer::start().await;
    let world = World::new().await;
    world
        .server()
        .change_user("alice", |user| user.tokens = [TOKEN.to_owned()].into());
    world.secret("secret", "s3cret\n");
    world.secret("key", "q83vEjRWeJASNFZ4kBI0VniQEjRWeJASNFZ4kBI0Vng=\n");
    let section = format!(
        "authentication = \"oauth\"\n[exchange.main.oauth]\nissuer = {:?}\nclient_id = \"gateway\"\n{flow}",
        issuer.url
    );
    let world = world.restart(&section).await;
    let add = Request::UserAdd {
        address: user.to_owned(),
        password: "of the gateway".to_owned(),
    };
    world.ask(add).await.unwrap();
    (world, issuer)
}

pub(super) async fn check_mailbox(world: &World) {
    for wrong in ["secret-alice", ""] {
        let refused = world.login(ALICE, wrong).await;
        assert_eq!(refused.map(drop), Err(ErrorKind::Unauthenticated));
    }
    let account = world.open(ALICE, "of the gateway").await;
    append(world, &account, "Subject: one\r\n\r\n")
        .await
        .unwrap();
    let index = account.index(inbox(&account).await).await.unwrap();
    assert_eq!(index.len(), 1);
    let mailbox = world.server().mailbox("alice");
    let subjects = mailbox.subjects(mailbox.inbox().unwrap()).unwrap();
    assert_eq!(subjects, ["one"]);
}

#[tokio::test]
async fn a_gateway_with_a_right_of_its_own_opens_mailboxes_by_it() {
    let (world, issuer) =
        world("flow = \"client_credentials\"\nclient_secret_file = \"DIR/secret\"").await;
    check_mailbox(&world).await;
    assert_eq!(issuer.given.load(Ordering::Relaxed), 1);
    let resolved = world.gateway.accounts().resolve(ALICE).await.unwrap();
    assert_eq!(resolved.len(), 1);
}

/// What `dragoman exchange login` does, beside the server that runs.
async fn log_in_elsewhere(world: &World, user: &str) -> Result<(), String> {
    let section = ("main", &world.config.exchange["main"]);
    let settings = Settings::of(&world.config, section).unwrap();
    let tokens = settings.proof.tokens().unwrap();
    let login = tokens.begin_login().await.unwrap();
    assert_eq!(login.user_code, "ABC");
    let got = tokens.finish_login(&login).await.unwrap();
    let entrance = Entrance::new(settings.client, settings.discover, settings.options);
    let kept = consent::keep(&entrance, tokens, user, got).await;
    kept.map_err(|failure| failure.to_string())
}

#[tokio::test]
async fn a_consent_is_kept_for_the_mailbox_of_whoever_gave_it() {
    const FLOW: &str = "flow = \"device_code\"\ntoken_key_file = \"DIR/key\"";
    // The issuer's token is Alice's.
    const ALIAS: &str = "al@example.test";
    let (world, _issuer) = with_user(BOB, FLOW).await;
    world.server().change_user("alice", |user| {
        user.aliases.push(ALIAS.to_owned());
    });
    for (user, why) in [
        (BOB, "opening the mailbox"),
        (ALIAS, "another address of alice@"),
    ] {
        let refused = log_in_elsewhere(&world, user).await.unwrap_err();
        assert!(refused.contains(why), "{refused}");
        let Credentials::Bearer(source) = tokens_of(&world).credentials(user) else {
            panic!("no token")
        };
        assert!(source.token().await.is_err(), "{user}");
    }
    log_in_elsewhere(&world, ALICE).await.unwrap();
}

fn tokens_of(world: &World) -> &Tokens {
    world.gateway.backends().sections()[0].tokens().unwrap()
}

#[tokio::test]
async fn a_user_consents_once_and_the_consent_outlives_a_restart() {
    const FLOW: &str = "flow = \"device_code\"\ntoken_key_file = \"DIR/key\"";
    let (world, issuer) = world(FLOW).await;
    let principal = world.login(ALICE, "of the gateway").await.unwrap();
    let mailbox = account::MailboxId(principal.user.clone());
    let before = world.gateway.accounts().open(&principal, &mailbox).await;
    assert_eq!(before.unwrap_err().kind, ErrorKind::Unauthenticated);

    log_in_elsewhere(&world, ALICE).await.unwrap();

    let section = format!(
        "authentication = \"oauth\"\n[exchange.main.oauth]\nissuer = {:?}\nclient_id = \"gateway\"\n{FLOW}",
        issuer.url
    );
    let world = world.restart(&section).await;
    check_mailbox(&world).await;

    let remove = Request::UserRemove {
        address: ALICE.to_owned(),
        purge: true,
    };
    world.ask(remove).await.unwrap();
    let status = Request::MirrorStatus { mailbox: None };
    assert!(world.ask(status).await.unwrap().is_empty());
    assert_eq!(
        world.login(ALICE, "of the gateway").await,
        Err(ErrorKind::Unauthenticated)
    );
}

#[tokio::test]
async fn an_account_that_gets_no_token_shows_in_the_metrics() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let world = World::new().await;
    world.secret("secret", "s3cret\n");
    let section = format!(
        "authentication = \"oauth\"\n[exchange.main.oauth]\nissuer = {issuer:?}\nclient_id = \"gateway\"\nflow = \"client_credentials\"\nclient_secret_file = \"DIR/secret\""
    );
    let world = world.restart(&section).await;
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let settings = metrics::with_local_recorder(&recorder, || {
        Settings::of(&world.config, ("main", &world.config.exchange["main"])).unwrap()
    });
    let credentials = settings.proof.tokens().unwrap().credentials(ALICE);
    let Credentials::Bearer(source) = credentials else {
        panic!("no token")
    };
    let failing = || metrics.render().contains("exchange_tokens_failing 1");
    assert!(!failing());
    source.token().await.unwrap_err();
    assert!(failing(), "{}", metrics.render());
}
