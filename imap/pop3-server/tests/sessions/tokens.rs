//! AUTH by tokens (RFC 7628), as long as they are.

use std::sync::Arc;

use account::{Accounts, MailboxId, Options, Principal};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use directory::Directory;
use front_end::{Logins, Unthrottled};
use mapi_store::{Backend, MemBackend, Store, Task};
use pop3_server::{Config, Server};
use sasl::{TOKEN_BYTES_MAX, TokenTerms};

use crate::support::{ANN, World};

/// Takes every token that is no shorter than this, as Ann's.
struct WithTokens(Arc<MemBackend>, usize);

impl Backend for WithTokens {
    fn authenticate_by_token<'a>(
        &'a self,
        _: Option<&'a str>,
        token: &'a str,
    ) -> Task<'a, Option<Principal>> {
        Box::pin(async move {
            let user = ANN.to_owned();
            Ok((token.len() >= self.1).then_some(Principal { user }))
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

async fn world(token_bytes_min: usize) -> World {
    let world = World::new().await;
    let backend = Arc::new(WithTokens(Arc::clone(&world.backend), token_bytes_min));
    let directory = Arc::new(Directory::in_memory().unwrap());
    let accounts = Accounts::new(backend, directory, Options::default());
    let logins = Logins::new(Arc::clone(&accounts), Arc::new(Unthrottled));
    let logins = logins.with_tokens(Arc::new(|_| TokenTerms::default()));
    World {
        server: Arc::new(Server::new(Arc::new(logins), Config::default(), None)),
        accounts,
        ..world
    }
}

#[tokio::test]
async fn the_longest_token_is_taken_at_once_and_after_a_challenge() {
    let world = world(TOKEN_BYTES_MAX).await;
    let token = "t".repeat(TOKEN_BYTES_MAX);
    let xoauth2 = format!("user={ANN}\x01auth=Bearer {token}\x01\x01");
    let bearer = format!("n,a={ANN},\x01host=mail.example.test\x01auth=Bearer {token}\x01\x01");
    for (mechanism, response) in [("XOAUTH2", xoauth2), ("OAUTHBEARER", bearer)] {
        let response = STANDARD.encode(response);
        let mut ann = world.connect(true).await;
        ann.ask(&format!("AUTH {mechanism} {response}"), "+OK 0 messages")
            .await;
        let mut ann = world.connect(true).await;
        ann.ask(&format!("AUTH {mechanism}"), "+ ").await;
        ann.ask(&response, "+OK 0 messages").await;
    }
}

#[tokio::test]
async fn a_response_that_is_too_long_is_refused_and_the_session_goes_on() {
    let world = world(0).await;
    let mut ann = world.connect(true).await;
    let endless = "A".repeat(1 << 20);
    ann.ask("AUTH XOAUTH2", "+ ").await;
    ann.ask(&endless, "-ERR line too long").await;
    ann.ask(&format!("AUTH XOAUTH2 {endless}"), "-ERR line too long")
        .await;
    let token = format!("user={ANN}\x01auth=Bearer x\x01\x01");
    let token = STANDARD.encode(token);
    ann.ask(&format!("AUTH XOAUTH2 {token}"), "+OK").await;
}
