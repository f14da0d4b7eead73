//! AUTHENTICATE OAUTHBEARER and XOAUTH2 (RFC 7628).

use std::sync::Arc;

use account::{Accounts, Error, ErrorKind, MailboxId, Options, Principal};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use directory::Directory;
use front_end::{Logins, Unthrottled};
use imap_server::{Config, Server};
use mapi_store::{Backend, MemBackend, Store, Task};
use sasl::TokenTerms;

use crate::support::{Client, World};

const ANN: &str = "ann@example.test";

/// Takes one token, which is Ann's.
struct WithTokens(Arc<MemBackend>);

impl Backend for WithTokens {
    fn authenticate_by_token<'a>(
        &'a self,
        user: Option<&'a str>,
        token: &'a str,
    ) -> Task<'a, Option<Principal>> {
        Box::pin(async move {
            match (user, token) {
                (None | Some(ANN), "good") => Ok(Some(Principal {
                    user: ANN.to_owned(),
                })),
                (_, "away") => Err(Error::new(ErrorKind::Unavailable, "away")),
                (_, "nobody's") => Ok(None),
                _ => Err(Error::new(ErrorKind::Unauthenticated, "no")),
            }
        })
    }

    fn logon<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
    ) -> Task<'a, Arc<dyn Store>> {
        self.0.logon(principal, mailbox)
    }

    fn provision<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        self.0.provision(mailbox)
    }

    fn remove<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        self.0.remove(mailbox)
    }
}

async fn world() -> World {
    let world = World::new(Config::default(), None).await;
    let backend = Arc::new(WithTokens(Arc::clone(&world.backend)));
    let directory = Arc::new(Directory::in_memory().unwrap());
    let accounts = Accounts::new(backend, directory, Options::default());
    let terms = TokenTerms {
        scope: "mail".to_owned(),
        openid_configuration: String::new(),
    };
    let logins = Logins::new(Arc::clone(&accounts), Arc::new(Unthrottled))
        .with_tokens(Arc::new(move |_| terms.clone()));
    World {
        server: Arc::new(Server::new(Arc::new(logins), Config::default(), None)),
        accounts,
        ..world
    }
}

async fn line(client: &mut Client) -> String {
    String::from_utf8(client.response().await.unwrap()).unwrap()
}

/// The first answer to an initial response.
async fn authenticate(client: &mut Client, mechanism: &str, message: &str) -> String {
    let initial = STANDARD.encode(message);
    client
        .send(format!("a AUTHENTICATE {mechanism} {initial}\r\n").as_bytes())
        .await;
    line(client).await
}

#[tokio::test]
async fn tokens_are_offered_where_they_are_taken_and_nobody_listens() {
    for (world, loopback, expected) in [
        (world().await, true, true),
        (world().await, false, false),
        (World::new(Config::default(), None).await, true, false),
    ] {
        let mut client = world.connect(loopback);
        client.response().await;
        let offer = client.lines("a", "CAPABILITY").await.join("\n");
        for mechanism in ["AUTH=OAUTHBEARER", "AUTH=XOAUTH2"] {
            assert_eq!(offer.contains(mechanism), expected, "{offer}");
        }
        let message = format!("user={ANN}\x01auth=Bearer good\x01\x01");
        let answer = authenticate(&mut client, "XOAUTH2", &message).await;
        assert_eq!(answer.starts_with("a OK "), expected, "{answer}");
    }
}

#[tokio::test]
async fn a_good_token_logs_in_with_or_without_an_initial_response() {
    let world = world().await;
    for (mechanism, message) in [
        ("XOAUTH2", format!("user={ANN}\x01auth=Bearer good\x01\x01")),
        (
            "OAUTHBEARER",
            format!("n,a={ANN},\x01auth=Bearer good\x01\x01"),
        ),
        ("OAUTHBEARER", "n,,\x01auth=Bearer good\x01\x01".to_owned()),
    ] {
        let mut client = world.connect(true);
        client.response().await;
        let answer = authenticate(&mut client, mechanism, &message).await;
        assert!(answer.starts_with("a OK [CAPABILITY "), "{answer}");
        let selected = client.command("b", "SELECT INBOX").await;
        assert!(selected.last().unwrap().starts_with(b"b OK"));

        let mut client = world.connect(true);
        client.response().await;
        client
            .send(format!("a AUTHENTICATE {mechanism}\r\n").as_bytes())
            .await;
        assert_eq!(line(&mut client).await, "+ ");
        client
            .send(format!("{}\r\n", STANDARD.encode(&message)).as_bytes())
            .await;
        assert!(line(&mut client).await.starts_with("a OK "));
    }
}

#[tokio::test]
async fn a_bad_token_is_told_what_is_wanted_and_then_refused() {
    let world = world().await;
    let google = r#"{"status":"401","schemes":"Bearer","scope":"mail"}"#;
    let bearer = r#"{"status":"invalid_token","scope":"mail"}"#;
    for (mechanism, message, told) in [
        (
            "XOAUTH2",
            format!("user={ANN}\x01auth=Bearer bad\x01\x01"),
            google,
        ),
        (
            "XOAUTH2",
            "user=bob@example.test\x01auth=Bearer good\x01\x01".to_owned(),
            google,
        ),
        (
            "XOAUTH2",
            format!("user={ANN}\x01auth=Bearer nobody's\x01\x01"),
            google,
        ),
        (
            "OAUTHBEARER",
            format!("n,a={ANN},\x01auth=Bearer bad\x01\x01"),
            bearer,
        ),
        (
            "OAUTHBEARER",
            format!("n,a={ANN},\x01auth=\x01\x01"),
            bearer,
        ),
    ] {
        let mut client = world.connect(true);
        client.response().await;
        let challenge = authenticate(&mut client, mechanism, &message).await;
        let challenge = STANDARD
            .decode(challenge.strip_prefix("+ ").unwrap())
            .unwrap();
        assert_eq!(String::from_utf8(challenge).unwrap(), told);
        client.send(b"AQ==\r\n").await;
        assert_eq!(
            line(&mut client).await,
            "a NO [AUTHENTICATIONFAILED] wrong user name or password"
        );
        // The session goes on.
        let message = format!("user={ANN}\x01auth=Bearer good\x01\x01");
        let answer = authenticate(&mut client, "XOAUTH2", &message).await;
        assert!(answer.starts_with("a OK "), "{answer}");
    }
}

#[tokio::test]
async fn a_token_that_nobody_can_check_now_is_not_refused() {
    let world = world().await;
    let mut client = world.connect(true);
    client.response().await;
    let message = format!("user={ANN}\x01auth=Bearer away\x01\x01");
    let answer = authenticate(&mut client, "XOAUTH2", &message).await;
    assert!(answer.starts_with("a NO [UNAVAILABLE] "), "{answer}");
}

#[tokio::test]
async fn what_is_no_message_of_the_mechanism_is_bad() {
    let world = world().await;
    let mut client = world.connect(true);
    client.response().await;
    let answer = authenticate(&mut client, "XOAUTH2", "user=ann").await;
    assert!(answer.starts_with("a BAD "), "{answer}");
}
