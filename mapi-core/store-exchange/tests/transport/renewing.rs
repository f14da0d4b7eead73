//! Keeping a token fresh, and what happens when that fails.

use std::{
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::BoxFuture;
use store_exchange::auth::{
    Secret,
    oauth::{ClientAuth, Error, Grant, Health, Renewing, TokenSource, TokenStore, Vault},
};
use tokio::time::{Instant, advance, sleep};

use crate::oauth::{Answer, Fake};

fn own_right(issuer: &Fake) -> Renewing {
    let app = issuer.app(ClientAuth::Secret("s".into()));
    Renewing::new(Arc::new(app), Grant::ClientCredentials)
}

async fn token(source: &Renewing) -> Result<String, Error> {
    Ok(source.token().await?.expose().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_its_end_while_the_old_one_serves() {
    let mut moments = Vec::new();
    for _ in 0..8 {
        let issuer = Fake::new([Answer::token("t1"), Answer::token("t2")]).await;
        let source = own_right(&issuer);
        let started = Instant::now();
        assert_eq!(token(&source).await.unwrap(), "t1");
        assert_eq!(issuer.asked().len(), 1);
        while issuer.asked().is_empty() {
            assert_eq!(token(&source).await.unwrap(), "t1");
            sleep(Duration::from_secs(1)).await;
        }
        moments.push(started.elapsed().as_secs());
        assert_eq!(token(&source).await.unwrap(), "t2");
    }
    assert!(
        moments.iter().all(|moment| (2400..=3001).contains(moment)),
        "{moments:?}"
    );
    moments.dedup();
    assert!(moments.len() > 1, "{moments:?}");
}

#[tokio::test(start_paused = true)]
async fn all_who_ask_at_once_share_one_request() {
    let issuer = Fake::new([Answer::token("t1")]).await;
    let source = own_right(&issuer);
    let asking = (0..50).map(|_| token(&source));
    for got in futures_util::future::join_all(asking).await {
        assert_eq!(got.unwrap(), "t1");
    }
    assert_eq!(issuer.asked().len(), 1);

    // Also when the token has ended.
    advance(Duration::from_secs(4000)).await;
    issuer.will_say([Answer::token("t2")]);
    let asking = (0..50).map(|_| token(&source));
    for got in futures_util::future::join_all(asking).await {
        assert_eq!(got.unwrap(), "t2");
    }
    assert_eq!(issuer.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_fails_is_left_alone_for_longer_each_time() {
    let issuer = Fake::new([Answer::new(503, "")]).await;
    let source = own_right(&issuer);
    let mut asked_at = Vec::new();
    let started = Instant::now();
    for _ in 0..1000 {
        assert!(token(&source).await.unwrap_err().is_temporary());
        if !issuer.asked().is_empty() {
            asked_at.push(started.elapsed().as_secs());
        }
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(asked_at, [0, 5, 15, 35, 75, 155, 315, 615, 915]);

    issuer.will_say([Answer::new(503, "").header("Retry-After: 900")]);
    advance(Duration::from_secs(300)).await;
    token(&source).await.unwrap_err();
    assert_eq!(issuer.asked().len(), 1);
    advance(Duration::from_secs(899)).await;
    token(&source).await.unwrap_err();
    assert_eq!(issuer.asked().len(), 0);
    advance(Duration::from_secs(1)).await;
    issuer.will_say([Answer::token("t1")]);
    assert_eq!(token(&source).await.unwrap(), "t1");
}

#[tokio::test(start_paused = true)]
async fn a_token_outlasts_an_issuer_that_fails_and_health_tells() {
    let issuer = Fake::new([Answer::token("t1"), Answer::error("invalid_client")]).await;
    let source = own_right(&issuer);
    let mut health = source.health();
    assert_eq!(*health.borrow_and_update(), Health::Unknown);
    token(&source).await.unwrap();
    assert_eq!(*health.borrow_and_update(), Health::Good);

    advance(Duration::from_secs(3100)).await;
    assert_eq!(token(&source).await.unwrap(), "t1");
    health.changed().await.unwrap();
    let refused = Error::Refused("invalid_client (AADSTS70000)".to_owned());
    assert_eq!(
        *health.borrow_and_update(),
        Health::Failing(refused.clone())
    );
    assert_eq!(token(&source).await.unwrap(), "t1");
    assert_eq!(issuer.asked().len(), 2);

    // Half a minute before its end it is used no more.
    advance(Duration::from_secs(471)).await;
    assert_eq!(token(&source).await.unwrap_err(), refused);
    issuer.will_say([Answer::token("t2")]);
    advance(Duration::from_secs(300)).await;
    assert_eq!(token(&source).await.unwrap(), "t2");
    assert_eq!(*health.borrow_and_update(), Health::Good);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_unless_it_is_new() {
    let issuer = Fake::new([Answer::token("t1"), Answer::token("t2")]).await;
    let source = own_right(&issuer);
    let first = source.token().await.unwrap();
    source.refused(&first);
    assert_eq!(token(&source).await.unwrap(), "t1");
    advance(Duration::from_secs(60)).await;
    source.refused(&Secret::new("another"));
    assert_eq!(token(&source).await.unwrap(), "t1");
    source.refused(&first);
    assert_eq!(token(&source).await.unwrap(), "t2");
    source.refused(&first);
    assert_eq!(token(&source).await.unwrap(), "t2");
}

struct Consent {
    folder: tempfile::TempDir,
    issuer: Fake,
}

impl Consent {
    async fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Vault::create_key_file(&folder.path().join("key")).unwrap();
        Self {
            folder,
            issuer: Fake::new(answers).await,
        }
    }

    fn vault(&self) -> Vault {
        let path = self.folder.path();
        Vault::open(&path.join("tokens"), &path.join("key")).unwrap()
    }

    /// As after a start of the gateway.
    fn source(&self) -> Renewing {
        let app = Arc::new(self.issuer.app(ClientAuth::Public));
        let grant = Grant::Consent {
            store: Arc::new(self.vault()),
            account: "anna".to_owned(),
        };
        Renewing::new(app, grant)
    }

    async fn stored(&self) -> Option<String> {
        let token = self.vault().load("anna").await.unwrap()?;
        Some(token.expose().to_owned())
    }

    async fn login(&self, source: &Renewing, access: &str, refresh: &str) {
        self.issuer.will_say([Answer::both(access, refresh)]);
        let app = self.issuer.app(ClientAuth::Public);
        let tokens = app.refresh(&"anything".into()).await.unwrap();
        source.login(tokens).await.unwrap();
        self.issuer.asked();
    }
}

#[tokio::test(start_paused = true)]
async fn a_consent_outlives_the_process_and_every_rotation() {
    let consent = Consent::new([]).await;
    let source = consent.source();
    let none = Error::LoginNeeded("nobody has logged in".to_owned());
    assert_eq!(token(&source).await.unwrap_err(), none);
    assert_eq!(*source.health().borrow(), Health::Failing(none));
    consent.login(&source, "t1", "r1").await;
    assert_eq!(token(&source).await.unwrap(), "t1");

    for (access, refresh, before) in [("t2", "r2", "r1"), ("t3", "r3", "r2")] {
        consent.issuer.will_say([Answer::both(access, refresh)]);
        let source = consent.source();
        assert_eq!(token(&source).await.unwrap(), access);
        assert_eq!(consent.stored().await.unwrap(), refresh);
        let asked = consent.issuer.asked().remove(0);
        assert_eq!(asked.form["grant_type"], "refresh_token");
        assert_eq!(asked.form["refresh_token"], before);
    }
    // An issuer that does not rotate leaves the stored one as it is.
    consent.issuer.will_say([Answer::token("t4")]);
    assert_eq!(token(&consent.source()).await.unwrap(), "t4");
    assert_eq!(consent.stored().await.unwrap(), "r3");

    source.logout().await.unwrap();
    assert_eq!(consent.stored().await, None);
    assert!(matches!(token(&source).await, Err(Error::LoginNeeded(_))));
}

#[tokio::test(start_paused = true)]
async fn a_rotated_token_is_stored_although_nobody_waits_for_it() {
    let consent = Consent::new([]).await;
    let source = consent.source();
    consent.login(&source, "t1", "r1").await;
    let source = consent.source();
    consent.issuer.will_say([Answer::both("t2", "r2")]);
    {
        let mut given_up = source.token();
        assert!(futures_util::poll!(&mut given_up).is_pending());
    }
    while consent.stored().await.as_deref() != Some("r2") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_consent_that_has_ended_wants_a_login_and_asks_nobody_until_then() {
    let consent = Consent::new([]).await;
    let source = consent.source();
    consent.login(&source, "t1", "r1").await;
    advance(Duration::from_secs(4000)).await;
    consent.issuer.will_say([Answer::error("invalid_grant")]);
    for _ in 0..10 {
        let error = token(&source).await.unwrap_err();
        assert!(matches!(error, Error::LoginNeeded(_)), "{error:?}");
    }
    assert_eq!(consent.issuer.asked().len(), 1);
    consent.login(&source, "t2", "r2").await;
    assert_eq!(token(&source).await.unwrap(), "t2");
    assert_eq!(*source.health().borrow(), Health::Good);
}

/// A store that another gateway writes too: each read gives the next of these tokens, and the last one for ever.
#[derive(Debug)]
struct Shared(Mutex<Vec<&'static str>>);

impl TokenStore for Shared {
    fn load<'a>(&'a self, _account: &'a str) -> BoxFuture<'a, Result<Option<Secret>, Error>> {
        let mut tokens = self.0.lock().unwrap();
        let token = if tokens.len() > 1 {
            tokens.remove(0)
        } else {
            tokens[0]
        };
        Box::pin(ready(Ok(Some(token.into()))))
    }

    fn save<'a>(
        &'a self,
        _account: &'a str,
        token: Option<&'a Secret>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        assert_eq!(token.unwrap().expose(), "r3");
        Box::pin(ready(Err(Error::Store("disk full".to_owned()))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_another_gateway_rotated_is_read_again_and_one_that_cannot_be_stored_is_kept()
{
    let issuer = Fake::new([Answer::error("invalid_grant"), Answer::both("t3", "r3")]).await;
    let app = Arc::new(issuer.app(ClientAuth::Public));
    let store = Arc::new(Shared(Mutex::new(vec!["r1", "r2"])));
    let account = "anna".to_owned();
    let source = Renewing::new(app, Grant::Consent { store, account });
    let refreshed = || -> Vec<_> {
        let asked = issuer.asked().into_iter();
        asked
            .map(|mut asked| asked.form.remove("refresh_token").unwrap())
            .collect()
    };
    assert_eq!(token(&source).await.unwrap(), "t3");
    assert_eq!(refreshed(), ["r1", "r2"]);
    advance(Duration::from_secs(4000)).await;
    assert_eq!(token(&source).await.unwrap(), "t3");
    assert_eq!(refreshed(), ["r3"]);
}
