//! Who may come in, and how.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mapi_store::MemBackend;
use pop3_server::Config;

use crate::support::{ANN, World};
use account::ErrorKind;

#[tokio::test]
async fn what_can_be_done_is_said_before_and_after_the_login() {
    let world = World::new().await;
    let always = [
        "TOP",
        "UIDL",
        "RESP-CODES",
        "AUTH-RESP-CODE",
        "PIPELINING",
        "EXPIRE NEVER",
        "UTF8 USER",
        "LANG",
    ];
    let here = [
        "USER",
        "SASL SCRAM-SHA-256 PLAIN LOGIN",
        "IMPLEMENTATION Dragoman",
    ];
    let mut client = world.connect(true).await;
    assert_eq!(client.list("CAPA").await, [&always[..], &here].concat());
    let mut client = world.ann().await;
    assert_eq!(client.list("capa").await, [&always[..], &here].concat());
    let elsewhere = ["SASL SCRAM-SHA-256", "IMPLEMENTATION Dragoman"];
    let mut client = world.connect(false).await;
    assert_eq!(
        client.list("CAPA").await,
        [&always[..], &elsewhere].concat()
    );
}

#[tokio::test]
async fn every_way_in_leads_to_the_inbox() {
    let world = World::new().await;
    world.file(&[b"Subject: one\r\n\r\n"]).await;
    let plain = STANDARD.encode(format!("\0{ANN}\0secret"));
    let (user, password) = (STANDARD.encode(ANN), STANDARD.encode("secret"));
    for dialogue in [
        &[
            (format!("USER {ANN}"), "+OK"),
            ("PASS secret".into(), "+OK 1 messages"),
        ][..],
        &[
            (format!("user {ANN}"), "+OK"),
            ("pass secret".into(), "+OK 1 messages"),
        ],
        &[(format!("AUTH PLAIN {plain}"), "+OK 1 messages")],
        &[("auth plain".into(), "+ "), (plain, "+OK 1 messages")],
        &[
            ("AUTH LOGIN".into(), "+ VXNlcm5hbWU6"),
            (user, "+ UGFzc3dvcmQ6"),
            (password, "+OK 1 messages"),
        ],
    ] {
        let mut client = world.connect(true).await;
        for (command, expected) in dialogue {
            client.ask(command, expected).await;
        }
        client.ask("STAT", "+OK 1 16").await;
        client.ask("AUTH PLAIN", "-ERR already logged in").await;
    }
}

#[tokio::test]
async fn who_cannot_prove_it_is_refused_alike_and_then_sent_away() {
    let world = World::new().await;
    let mut client = world.connect(true).await;
    let refusal = "-ERR [AUTH] wrong user name or password";
    for (user, password) in [(ANN, "Secret"), ("nobody@example.test", "secret")] {
        client
            .ask(&format!("USER {user}"), "+OK now the password")
            .await;
        client.ask(&format!("PASS {password}"), refusal).await;
    }
    client.ask("PASS secret", "-ERR USER comes first").await;
    let other = STANDARD.encode(format!("bob@example.test\0{ANN}\0secret"));
    client
        .ask(&format!("AUTH PLAIN {other}"), "-ERR [AUTH] you may act")
        .await;
    client.ask("AUTH PLAIN", "+ ").await;
    client.ask("*", "-ERR authentication cancelled").await;
    client.ask("AUTH PLAIN !", "-ERR expected base64").await;
    client
        .ask("AUTH CRAM-MD5", "-ERR unsupported mechanism")
        .await;
    client.ask("STAT", "-ERR log in first").await;
    for _ in 0..2 {
        client.ask(&format!("USER {ANN}"), "+OK").await;
        client.ask("PASS no", refusal).await;
    }
    client.ask(&format!("USER {ANN}"), "+OK").await;
    client
        .ask("PASS no", "-ERR [AUTH] too many failed logins")
        .await;
    assert_eq!(client.line().await, None);
}

#[tokio::test]
async fn no_password_is_taken_in_the_clear_from_elsewhere() {
    let world = World::new().await;
    let mut client = world.connect(false).await;
    let refusal = "-ERR [AUTH] start TLS before logging in";
    for command in [
        &format!("USER {ANN}"),
        "PASS secret",
        "AUTH PLAIN",
        "AUTH LOGIN",
    ] {
        client.ask(command, refusal).await;
    }
    assert_eq!(client.list("AUTH").await, ["SCRAM-SHA-256"]);
    let first = STANDARD.encode(format!("n,,n={ANN},r=client"));
    client
        .ask(&format!("AUTH SCRAM-SHA-256 {first}"), "+ ")
        .await;
    client.ask("*", "-ERR authentication cancelled").await;
}

#[tokio::test]
async fn a_store_that_is_away_is_no_wrong_password() {
    let world = World::over(MemBackend::new(), Config::default(), None).await;
    let mut client = world.connect(true).await;
    client.ask(&format!("USER {ANN}"), "+OK").await;
    world
        .backend
        .faults()
        .fail_calls(0..1_000, ErrorKind::Unavailable);
    client
        .ask("PASS secret", "-ERR [SYS/TEMP] temporarily unavailable")
        .await;
    world.backend.faults().heal();
    client.ask(&format!("USER {ANN}"), "+OK").await;
    client.ask("PASS secret", "+OK 0 messages").await;
}

#[tokio::test]
async fn utf8_and_languages_are_spoken() {
    let world = World::new().await;
    let mut client = world.connect(true).await;
    client.ask("UTF8", "+OK").await;
    assert_eq!(
        client.list("LANG").await,
        ["en English", "i-default Default language"]
    );
    client.ask("LANG de", "-ERR").await;
    client.ask("USER jörg@example.test", "+OK").await;
    let mut client = world.ann().await;
    client.ask("LANG *", "+OK en ").await;
    client.ask("UTF8", "-ERR UTF8 comes before the login").await;
}
