//! Tokens that mail programs bring: whose they are, the server says, and nobody else.

use account::ErrorKind;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use exchange_standin::{Fault, What, When};

use super::world::{ALICE, BOB, LOCAL, World, append, inbox};
use crate::command::Request;

const SECTION: &str = "authentication = \"oauth\"";
const REFUSED: Result<String, ErrorKind> = Err(ErrorKind::Unauthenticated);

/// A token that says this of itself.
fn token(claims: &str) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2ln", part(r#"{"alg":"none"}"#), part(claims))
}

/// Makes a token good for somebody.
fn give(world: &World, user: &str, token: &str) {
    world.server().change_user(user, |user| {
        user.tokens.insert(token.to_owned());
    });
}

/// Opens a mailbox as somebody.
async fn open(world: &World, user: &str, mailbox: &str) -> account::Result<account::Account> {
    let principal = account::Principal {
        user: user.to_owned(),
    };
    let mailbox = account::MailboxId(mailbox.to_owned());
    let accounts = world.gateway.accounts();
    accounts.open(&principal, &mailbox).await
}

async fn by_token(world: &World, user: Option<&str>, token: &str) -> Result<String, ErrorKind> {
    let answer = world.gateway.accounts().login_by_token(user, token).await;
    answer.map(|who| who.user).map_err(|error| error.kind)
}

#[tokio::test]
async fn a_token_opens_the_mailbox_it_is_good_for_and_no_password_does() {
    let world = World::with(SECTION).await;
    give(&world, "alice", "opaque");
    for _ in 0..3 {
        let who = by_token(&world, Some(ALICE), "opaque").await;
        assert_eq!(who, Ok(ALICE.to_owned()));
    }
    assert_eq!(world.connects(), 1);
    let account = open(&world, ALICE, ALICE).await.unwrap();
    append(&world, &account, "Subject: one\r\n\r\n")
        .await
        .unwrap();
    let folder = inbox(&account).await;
    assert_eq!(account.index(folder).await.unwrap().len(), 1);
    assert_eq!(
        world.login(ALICE, "secret-alice").await.map(drop),
        Err(ErrorKind::Unauthenticated)
    );
    // Others of the gateway have passwords as ever, and no tokens.
    world.login(LOCAL, "local").await.unwrap();
    assert_eq!(by_token(&world, Some(LOCAL), "opaque").await, REFUSED);
}

#[tokio::test]
async fn a_token_of_one_does_not_let_in_another() {
    let world = World::with(SECTION).await;
    give(&world, "bob", "of-bob");
    give(&world, "alice", "of-alice");
    by_token(&world, Some(ALICE), "of-alice").await.unwrap();
    for (user, token) in [
        (Some(ALICE), "of-bob"),
        (Some(ALICE), "nobody's"),
        (Some(ALICE), ""),
        (Some("nobody@example.test"), "of-bob"),
        // It does not say whose it is.
        (None, "of-bob"),
    ] {
        let answer = by_token(&world, user, token).await;
        assert!(answer.is_err(), "{user:?} {token}: {answer:?}");
    }
    assert_eq!(
        by_token(&world, Some(BOB), "of-bob").await,
        Ok(BOB.to_owned())
    );
}

#[tokio::test]
async fn full_access_does_not_make_a_token_the_owners() {
    let mut server = exchange_standin::Config::default();
    server.manners.connects_by_full_access = true;
    let world = World::before(server, SECTION).await;
    let access = world.server().mailbox("alice");
    access.grant_full_access("bob", true).unwrap();
    let of_bob = token(r#"{"upn":"bob@example.test"}"#);
    give(&world, "bob", &of_bob);
    // The server would let him: but who signs in as Alice is Alice in every mailbox that she may open.
    assert_eq!(by_token(&world, Some(ALICE), &of_bob).await, REFUSED);
    assert_eq!(
        by_token(&world, Some(BOB), &of_bob).await,
        Ok(BOB.to_owned())
    );
    assert_eq!(by_token(&world, None, &of_bob).await, Ok(BOB.to_owned()));
    // A program with a right to all mailboxes names nobody.
    let of_program = token(r#"{"idtyp":"app"}"#);
    give(&world, "bob", &of_program);
    let who = by_token(&world, Some(ALICE), &of_program).await;
    assert_eq!(who, Ok(ALICE.to_owned()));
}

#[tokio::test]
async fn a_token_may_name_its_owner_by_an_alias() {
    let world = World::with(SECTION).await;
    world.server().change_user("alice", |user| {
        user.aliases.push("al@example.test".to_owned());
    });
    let of_alice = token(r#"{"preferred_username":"Al@example.test"}"#);
    give(&world, "alice", &of_alice);
    for user in [Some(ALICE), Some("al@example.test"), None] {
        let who = by_token(&world, user, &of_alice).await;
        assert_eq!(who, Ok(ALICE.to_owned()), "{user:?}");
    }
}

#[tokio::test]
async fn a_token_is_not_refused_because_nobody_can_tell_whom_it_names() {
    let world = World::with(SECTION).await;
    world.server().change_user("alice", |user| {
        user.aliases.push("al@example.test".to_owned());
    });
    let of_alice = token(r#"{"upn":"al@example.test"}"#);
    give(&world, "alice", &of_alice);
    // The mailbox is found, and then who has the name is not.
    world.server().faults().add(Fault {
        when: When {
            user: Some("alice".to_owned()),
            request: Some("autodiscover".to_owned()),
            after: 1,
            ..When::default()
        },
        times: 1,
        what: What::Unavailable {
            retry_after_s: None,
        },
    });
    let answer = by_token(&world, Some(ALICE), &of_alice).await;
    assert!(
        matches!(answer, Err(kind) if kind.is_transient()),
        "{answer:?}"
    );
    assert_eq!(world.server().faults().waiting(), 0);
    let again = by_token(&world, Some(ALICE), &of_alice).await;
    assert_eq!(again, Ok(ALICE.to_owned()));
}

#[tokio::test]
async fn tokens_of_a_users_programs_do_not_displace_each_other() {
    let world = World::with(SECTION).await;
    give(&world, "alice", "of-the-phone");
    give(&world, "alice", "of-the-laptop");
    for token in ["of-the-phone", "of-the-laptop"].repeat(3) {
        let who = by_token(&world, Some(ALICE), token).await;
        assert_eq!(who, Ok(ALICE.to_owned()));
    }
    assert_eq!(world.connects(), 2);
    let account = open(&world, ALICE, ALICE).await.unwrap();
    // The laptop brings its next one only when it is asked for a password.
    world.server().change_user("alice", |user| {
        user.tokens = ["of-the-phone".to_owned()].into();
    });
    append(&world, &account, "Subject: one\r\n\r\n")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_programs_token_opens_the_mailbox_of_its_user_and_no_other() {
    let world = World::with(SECTION).await;
    let of_program = token(r#"{"idtyp":"app"}"#);
    let of_alice = token(r#"{"upn":"alice@example.test"}"#);
    for token in [&of_program, &of_alice] {
        give(&world, "alice", token);
    }
    let bobs = world.server().mailbox("bob");
    bobs.grant_full_access("alice", true).unwrap();
    let opens = async |expected: Option<ErrorKind>| {
        for (mailbox, expected) in [(ALICE, None), (BOB, expected)] {
            let opened = open(&world, ALICE, mailbox).await;
            assert_eq!(opened.err().map(|error| error.kind), expected, "{mailbox}");
        }
    };
    by_token(&world, Some(ALICE), &of_program).await.unwrap();
    opens(Some(ErrorKind::Denied)).await;
    // What Alice may herself, she may with her own token, and the program's does not take its place.
    by_token(&world, Some(ALICE), &of_alice).await.unwrap();
    opens(None).await;
    by_token(&world, Some(ALICE), &of_program).await.unwrap();
    opens(None).await;
}

#[tokio::test]
async fn a_token_that_has_ended_is_refused_and_the_next_one_goes_on() {
    let world = World::with(SECTION).await;
    let ended = token(r#"{"upn":"alice@example.test","exp":1700000000}"#);
    give(&world, "alice", &ended);
    let before = world.server().counters().requests;
    assert_eq!(by_token(&world, Some(ALICE), &ended).await, REFUSED);
    assert_eq!(world.server().counters().requests, before);

    give(&world, "alice", "first");
    by_token(&world, Some(ALICE), "first").await.unwrap();
    let account = open(&world, ALICE, ALICE).await.unwrap();
    append(&world, &account, "Subject: one\r\n\r\n")
        .await
        .unwrap();
    world.server().change_user("alice", |user| {
        user.tokens = ["second".to_owned()].into();
    });
    let refused = append(&world, &account, "Subject: two\r\n\r\n").await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Unauthenticated);
    assert_eq!(by_token(&world, Some(ALICE), "first").await, REFUSED);
    by_token(&world, Some(ALICE), "second").await.unwrap();
    append(&world, &account, "Subject: two\r\n\r\n")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_program_is_told_the_terms_of_its_users_server() {
    let with = |terms: &str| {
        format!(
            "{SECTION}\n[exchange.main.oauth]\nissuer = \"https://a.test\"\nclient_id = \"1\"\ntoken_key_file = \"DIR/key\"\nscopes = \"a\"\n\
             [exchange.other]\ndomains = [\"other.test\"]\n{SECTION}\n[exchange.other.oauth]\nclient_id = \"1\"\ntoken_key_file = \"DIR/key\"\n{terms}\n\
             [exchange.third]\ndomains = [\"third.test\"]"
        )
    };
    let world = World::new().await;
    world.secret("key", "q83vEjRWeJASNFZ4kBI0VniQEjRWeJASNFZ4kBI0Vng=\n");
    let world = world
        .restart(&with("issuer = \"https://b.test\"\nscopes = \"b\""))
        .await;
    let check = |world: &World, user: Option<&str>, scope: &str, issuer: &str| {
        let terms = world.gateway.backends().token_terms(user);
        assert_eq!(terms.scope, scope, "{user:?}");
        assert!(terms.openid_configuration.starts_with(issuer), "{user:?}");
        assert_eq!(terms.openid_configuration.is_empty(), issuer.is_empty());
    };
    check(&world, Some(ALICE), "a", "https://a.test");
    check(&world, Some("x@other.test"), "b", "https://b.test");
    check(&world, Some("x@third.test"), "", "");
    check(&world, Some(LOCAL), "", "");
    check(&world, None, "", "");
    let same = "issuer = \"https://a.test\"\nscopes = \"a\"";
    let world = world.restart(&with(same)).await;
    check(&world, None, "a", "https://a.test");
}

#[tokio::test]
async fn users_of_a_domain_with_tokens_are_managed_there() {
    let world = World::with(SECTION).await;
    let add = Request::UserAdd {
        address: ALICE.to_owned(),
        password: "of the gateway".to_owned(),
    };
    assert!(world.ask(add).await.is_err());
}
