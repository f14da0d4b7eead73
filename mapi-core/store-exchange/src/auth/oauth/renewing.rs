//! A token that is always fresh: renewed before it ends, by one request for all who ask.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{
    sync::{Mutex as AsyncMutex, watch},
    task::JoinHandle,
    time::Instant,
};

use super::{App, Error, TokenSource, TokenStore, Tokens};
use crate::auth::Secret;

/// The longest time before its end that a token is renewed; of a short one it is a sixth of its life. Up to as much
/// again is added by chance, so that the accounts of a gateway that was just started do not renew all at once.
const MARGIN_MAX: Duration = Duration::from_secs(600);
/// The longest time before its end that a token is no longer used: the clocks of two machines, and a request's way.
const SLACK_MAX: Duration = Duration::from_secs(30);
/// The age below which a token that the server refuses is not renewed: another one would fare no better.
const REFUSED_AGE_MIN: Duration = Duration::from_secs(60);
/// After a failure the issuer is left alone for this long, twice as long after the next one, and so on.
const HOLD_MIN: Duration = Duration::from_secs(5);
/// The longest of these.
const HOLD_MAX: Duration = Duration::from_secs(300);

/// By what right tokens are got.
#[derive(Debug)]
pub enum Grant {
    /// The gateway's own.
    ClientCredentials,
    /// A person's consent, of which the store keeps the refresh token.
    Consent {
        /// Where it is kept.
        store: Arc<dyn TokenStore>,
        /// Under which name.
        account: String,
    },
}

/// How a source fares; see [`Renewing::health`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// No token has been asked for.
    Unknown,
    /// There is a token.
    Good,
    /// The last attempt to get one failed. While the token before lasts, requests still succeed.
    Failing(Error),
}

/// A [`TokenSource`] that renews its token itself. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Renewing(Arc<Shared>);

struct Shared {
    app: Arc<App>,
    grant: Grant,
    state: Mutex<State>,
    /// Held while the issuer is asked.
    asking: AsyncMutex<()>,
    health: watch::Sender<Health>,
    failing: metrics::Gauge,
}

#[derive(Default)]
struct State {
    access: Option<Access>,
    /// A refresh token that could not be stored; the store's is older.
    unsaved: Option<Secret>,
    failures: u32,
    held: Option<(Instant, Error)>,
}

struct Access {
    token: Secret,
    since: Instant,
    renew_at: Instant,
    unfit_at: Instant,
}

/// What a look at the state says.
enum Look {
    Fresh(Secret),
    /// Still good; time to renew it.
    Aging(Secret),
    Held(Error),
    Missing,
}

impl Renewing {
    /// Asks nobody yet.
    pub fn new(app: Arc<App>, grant: Grant) -> Self {
        Self(Arc::new(Shared {
            app,
            grant,
            state: Mutex::default(),
            asking: AsyncMutex::new(()),
            health: watch::Sender::new(Health::Unknown),
            failing: metrics::gauge!("exchange_tokens_failing"),
        }))
    }

    /// How it fares, now and whenever that changes: what an administrator is to be alerted of.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.0.health.subscribe()
    }

    /// Takes what a person's login gave. Errors: `Config` without a refresh token, `Store`.
    pub async fn login(&self, tokens: Tokens) -> Result<(), Error> {
        let _asking = self.0.asking.lock().await;
        if let Grant::Consent { store, account } = &self.0.grant {
            let refresh = tokens.refresh.as_ref().ok_or_else(|| {
                Error::Config(
                    "there is no refresh token: does the scope name offline_access?".to_owned(),
                )
            })?;
            store.save(account, Some(refresh)).await?;
        }
        self.0.with(|state| state.unsaved = None);
        self.0.granted(&tokens);
        Ok(())
    }

    /// Forgets the token, in the store too. Errors: `Store`.
    pub async fn logout(&self) -> Result<(), Error> {
        let _asking = self.0.asking.lock().await;
        self.0.with(|state| *state = State::default());
        self.0.report(Health::Unknown);
        if let Grant::Consent { store, account } = &self.0.grant {
            store.save(account, None).await?;
        }
        Ok(())
    }

    /// Asks the issuer, unless somebody else has just done so.
    ///
    /// In a task of its own: an issuer that rotates refresh tokens has spent the old one once it is asked, so the new
    /// one must be stored even when nobody waits for it any more.
    fn renew(&self) -> JoinHandle<Result<Secret, Error>> {
        let source = self.clone();
        tokio::spawn(async move {
            let _asking = source.0.asking.lock().await;
            match source.0.look() {
                Look::Fresh(token) => Ok(token),
                Look::Held(error) => Err(error),
                Look::Aging(_) | Look::Missing => source.0.ask().await,
            }
        })
    }
}

impl TokenSource for Renewing {
    fn token(&self) -> BoxFuture<'_, Result<Secret, Error>> {
        Box::pin(async move {
            match self.0.look() {
                Look::Fresh(token) => Ok(token),
                Look::Held(error) => Err(error),
                Look::Aging(token) => {
                    // The request need not wait: its token is good, and the renewal goes on by itself.
                    if self.0.asking.try_lock().is_ok() {
                        self.renew();
                    }
                    Ok(token)
                }
                Look::Missing => self.renew().await.unwrap_or_else(|_| {
                    Err(Error::Unavailable {
                        why: "the runtime ends".to_owned(),
                        retry_after: None,
                    })
                }),
            }
        })
    }

    fn refused(&self, token: &Secret) {
        self.0.with(|state| {
            let old = state.access.as_ref().is_some_and(|access| {
                access.token == *token && access.since.elapsed() >= REFUSED_AGE_MIN
            });
            if old {
                state.access = None;
            }
        });
    }

    fn is_programs(&self) -> bool {
        matches!(self.0.grant, Grant::ClientCredentials)
    }
}

impl Shared {
    fn look(&self) -> Look {
        self.with(|state| {
            let now = Instant::now();
            let held = state.held.as_ref().filter(|(until, _)| now < *until);
            match (&state.access, held) {
                (Some(access), _) if now < access.renew_at => Look::Fresh(access.token.clone()),
                (Some(access), None) if now < access.unfit_at => Look::Aging(access.token.clone()),
                (Some(access), Some(_)) if now < access.unfit_at => {
                    Look::Fresh(access.token.clone())
                }
                (_, Some((_, error))) => Look::Held(error.clone()),
                (_, None) => Look::Missing,
            }
        })
    }

    async fn ask(&self) -> Result<Secret, Error> {
        let asked = match &self.grant {
            Grant::ClientCredentials => self.app.client_credentials().await,
            Grant::Consent { store, account } => self.refresh(&**store, account).await,
        };
        match asked {
            Ok(tokens) => {
                metrics::counter!("exchange_token_renewals_total", "outcome" => "renewed")
                    .increment(1);
                self.granted(&tokens);
                Ok(tokens.access)
            }
            Err(error) => {
                metrics::counter!("exchange_token_renewals_total", "outcome" => "failed")
                    .increment(1);
                tracing::warn!(%error, "no token for Exchange");
                self.with(|state| state.hold(error.clone()));
                self.report(Health::Failing(error.clone()));
                Err(error)
            }
        }
    }

    async fn refresh(&self, store: &dyn TokenStore, account: &str) -> Result<Tokens, Error> {
        let unsaved = self.with(|state| state.unsaved.clone());
        let refresh = match unsaved {
            Some(refresh) => refresh,
            None => stored(store, account).await?,
        };
        let mut asked = self.app.refresh(&refresh).await;
        if matches!(asked, Err(Error::LoginNeeded(_))) {
            // Somebody may have logged in, or another gateway renewed it, since it was read.
            let newer = stored(store, account).await?;
            if newer != refresh {
                asked = self.app.refresh(&newer).await;
            }
        }
        let tokens = asked?;
        if let Some(next) = &tokens.refresh {
            let saved = store.save(account, Some(next)).await;
            if let Err(error) = &saved {
                tracing::error!(%error, "a refresh token cannot be stored: a restart would lose it");
            }
            self.with(|state| state.unsaved = saved.err().map(|_| next.clone()));
        }
        Ok(tokens)
    }

    fn granted(&self, tokens: &Tokens) {
        let margin = MARGIN_MAX.min(tokens.lifetime / 6);
        let slack = SLACK_MAX.min(tokens.lifetime / 20);
        let end = tokens.since + tokens.lifetime;
        let access = Access {
            token: tokens.access.clone(),
            since: tokens.since,
            renew_at: end - margin - margin.mul_f64(chance()),
            unfit_at: end - slack,
        };
        self.with(|state| {
            state.access = Some(access);
            state.failures = 0;
            state.held = None;
        });
        self.report(Health::Good);
    }

    fn report(&self, health: Health) {
        let fails = |health: &Health| matches!(health, Health::Failing(_));
        self.health.send_if_modified(|before| {
            match (fails(before), fails(&health)) {
                (false, true) => self.failing.increment(1),
                (true, false) => self.failing.decrement(1),
                _ => {}
            }
            let changed = *before != health;
            *before = health;
            changed
        });
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// Leaves the issuer alone for a while.
    fn hold(&mut self, error: Error) {
        let hold = match &error {
            Error::Unavailable { retry_after, .. } => {
                let hold = HOLD_MIN * 2_u32.saturating_pow(self.failures.min(16));
                retry_after.unwrap_or_default().max(hold.min(HOLD_MAX))
            }
            // Nothing but a person changes that, and a login ends the hold.
            _ => HOLD_MAX,
        };
        self.failures = self.failures.saturating_add(1);
        self.held = Some((Instant::now() + hold, error));
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.report(Health::Unknown);
    }
}

impl fmt::Debug for Renewing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewing")
            .field("client_id", &self.0.app.client_id)
            .field("grant", &self.0.grant)
            .field("health", &*self.0.health.borrow())
            .finish_non_exhaustive()
    }
}

async fn stored(store: &dyn TokenStore, account: &str) -> Result<Secret, Error> {
    store
        .load(account)
        .await?
        .ok_or_else(|| Error::LoginNeeded("nobody has logged in".to_owned()))
}

/// A number from 0 to 1. Without randomness it is 0: renewals then coincide, which is no harm to safety.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_err() {
        return 0.0;
    }
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
