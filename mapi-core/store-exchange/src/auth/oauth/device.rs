//! A person's consent on another device: a short code to type there (RFC 8628).

use serde::Deserialize;
use tokio::time::{Duration, Instant, sleep};
use url::Url;

use super::{
    App, Error, Tokens,
    token::{Number, body},
};
use crate::auth::Secret;

/// How often the issuer is asked, when it does not say (RFC 8628 3.2).
const INTERVAL_DEFAULT: Duration = Duration::from_secs(5);
/// How much less often after `slow_down` (RFC 8628 3.5), and after a failure on the way.
const INTERVAL_STEP: Duration = Duration::from_secs(5);
/// The least and the most time between two questions.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
const INTERVAL_MAX: Duration = Duration::from_secs(60);
/// The longest time that a person has, whatever the issuer says.
const LIFETIME_MAX: Duration = Duration::from_secs(3600);

/// A login that waits for somebody to type a code somewhere else.
#[derive(Debug)]
pub struct DeviceLogin {
    /// What to type.
    pub user_code: String,
    /// Where.
    pub verification_url: Url,
    /// The same place with the code filled in, if the issuer has one.
    pub verification_url_complete: Option<Url>,
    /// Until when.
    pub deadline: Instant,
    device_code: Secret,
    interval: Duration,
}

#[derive(Deserialize)]
struct Begun {
    device_code: Secret,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: Url,
    #[serde(default, alias = "verification_url_complete")]
    verification_uri_complete: Option<Url>,
    expires_in: Number,
    #[serde(default)]
    interval: Option<Number>,
}

impl App {
    /// Begins a device login. One round trip. Errors: `Config` when the issuer has none.
    pub async fn device_login(&self) -> Result<DeviceLogin, Error> {
        let endpoints = self.issuer.endpoints(&self.client).await?;
        let url = endpoints
            .device
            .ok_or_else(|| Error::Config("the issuer names no device endpoint".to_owned()))?;
        let answer = body(self.post(url, &[("scope", &self.scope)]).await?).await?;
        let begun: Begun =
            serde_json::from_str(answer.expose()).map_err(|_| Error::Malformed("device login"))?;
        let lifetime = begun
            .expires_in
            .seconds()
            .ok_or(Error::Malformed("device login"))?;
        let interval = begun
            .interval
            .and_then(|number| number.seconds())
            .unwrap_or(INTERVAL_DEFAULT);
        Ok(DeviceLogin {
            user_code: begun.user_code,
            verification_url: begun.verification_uri,
            verification_url_complete: begun.verification_uri_complete,
            deadline: Instant::now() + lifetime.min(LIFETIME_MAX),
            device_code: begun.device_code,
            interval: interval.clamp(INTERVAL_MIN, INTERVAL_MAX),
        })
    }

    /// Waits until the person has decided, asking as often as the issuer allows. Dropping the future is harmless.
    ///
    /// Errors: `Declined`, `Expired`, and what the issuer says of this gateway; failures on the way are outlived.
    pub async fn device_tokens(&self, login: &DeviceLogin) -> Result<Tokens, Error> {
        let mut interval = login.interval;
        loop {
            if Instant::now() + interval > login.deadline {
                return Err(Error::Expired);
            }
            sleep(interval).await;
            let asked = self
                .tokens(&[
                    ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                    ("device_code", login.device_code.expose()),
                ])
                .await;
            match asked {
                Err(Error::Pending) => {}
                Err(Error::SlowDown) => {
                    interval = (interval + INTERVAL_STEP).min(INTERVAL_MAX);
                }
                Err(Error::Unavailable { retry_after, .. }) => {
                    interval = retry_after
                        .unwrap_or(interval + INTERVAL_STEP)
                        .clamp(login.interval, INTERVAL_MAX);
                }
                decided => return decided,
            }
        }
    }
}
