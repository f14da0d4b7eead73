//! One issuer: its terms, and its keys, which are asked for again when they may have changed.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::{KeySet, Refusal, Terms, jws::Token};

/// How long keys are used before they are asked for again.
pub const KEYS_FRESH: Duration = Duration::from_secs(3600);
/// How long keys are used while they cannot be asked for again.
pub const KEYS_STALE_MAX: Duration = Duration::from_secs(24 * 3600);
/// How often the issuer is asked at most, whatever tokens come.
pub const REFRESH_EVERY_MIN: Duration = Duration::from_secs(30);
/// How long getting the keys may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(15);

/// How the key set of an issuer is got. An error says why not, for the log.
pub type Fetch = Arc<dyn Fn() -> Fetched + Send + Sync>;

/// The wait for a key set.
pub type Fetched = Pin<Box<dyn Future<Output = Result<KeySet, String>> + Send>>;

/// An issuer whose tokens are taken.
pub struct Issuer {
    terms: Terms,
    fetch: Fetch,
    known: Mutex<Known>,
}

/// What is known of its keys.
#[derive(Default)]
struct Known {
    keys: Option<(Arc<KeySet>, Instant)>,
    /// When they were last asked for, and whether that failed.
    asked: Option<(Instant, bool)>,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").finish_non_exhaustive()
    }
}

impl Issuer {
    /// An issuer whose keys are not known yet.
    pub fn new(terms: Terms, fetch: Fetch) -> Self {
        Self {
            terms,
            fetch,
            known: Mutex::default(),
        }
    }

    /// What its tokens must say.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The address of the user whose token this is, if it is good at `now`, the time since 1970. Asks for keys where they
    /// may have changed.
    pub async fn check(&self, token: &str, now: Duration) -> Result<String, Refusal> {
        let token = Token::parse(token)?;
        let (keys, since) = self.keys().await?;
        let claims = match token.verified(&keys, &self.terms.algorithms) {
            // The issuer may have a new key.
            Err(Refusal::UnknownKey) => {
                let keys = self.newer_than(since).await?;
                token.verified(&keys, &self.terms.algorithms)
            }
            verified => verified,
        };
        claims?.check(&self.terms, now)
    }

    /// The keys, and when they came. One that waits for them serves all.
    async fn keys(&self) -> Result<(Arc<KeySet>, Instant), Refusal> {
        let mut known = self.known.lock().await;
        let is_fresh = |(_, since): &(_, Instant)| since.elapsed() < KEYS_FRESH;
        if !known.keys.as_ref().is_some_and(is_fresh) {
            self.ask(&mut known).await;
        }
        let is_usable = |(_, since): &&(_, Instant)| since.elapsed() < KEYS_STALE_MAX;
        let keys = known.keys.as_ref().filter(is_usable);
        keys.cloned().ok_or(Refusal::KeysUnavailable)
    }

    /// Keys that came later than those. Errors: `UnknownKey` when the issuer was asked just now and has no others,
    /// `KeysUnavailable` when it could not be asked.
    async fn newer_than(&self, since: Instant) -> Result<Arc<KeySet>, Refusal> {
        let mut known = self.known.lock().await;
        let is_newer = |(_, own): &&(_, Instant)| *own > since;
        if known.keys.as_ref().filter(is_newer).is_none() {
            self.ask(&mut known).await;
        }
        match (known.keys.as_ref().filter(is_newer), known.asked) {
            (Some((keys, _)), _) => Ok(Arc::clone(keys)),
            (None, Some((_, true))) => Err(Refusal::KeysUnavailable),
            (None, _) => Err(Refusal::UnknownKey),
        }
    }

    /// Asks for the keys, unless that was done a moment ago.
    async fn ask(&self, known: &mut Known) {
        let is_recent = |(at, _): (Instant, _)| at.elapsed() < REFRESH_EVERY_MIN;
        if known.asked.is_some_and(is_recent) {
            return;
        }
        // Noted first: who is given up on while asking has asked.
        known.asked = Some((Instant::now(), true));
        let fetched = timeout(FETCH_TIMEOUT, (self.fetch)()).await;
        match fetched.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
            Ok(keys) => {
                let now = Instant::now();
                known.keys = Some((Arc::new(keys), now));
                known.asked = Some((now, false));
            }
            Err(error) => {
                tracing::warn!(
                    issuer = self.terms.issuer,
                    error,
                    "keys of the issuer cannot be had"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
