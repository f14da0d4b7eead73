//! The issuer's URLs: fixed, or as its metadata name them (RFC 8414, OpenID Connect Discovery 1.0).

use serde::Deserialize;
use tokio::{
    sync::Mutex,
    time::{Duration, Instant},
};
use url::Url;

use super::{Error, token::body};
use crate::http::{Client, Origin, Request};

/// How long an issuer's metadata are used before they are asked for again.
const METADATA_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// The bound of metadata in bytes.
const METADATA_BYTES_MAX: u64 = 256 << 10;

/// The URLs that the flows need.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Endpoints {
    /// Where tokens are got.
    #[serde(rename = "token_endpoint")]
    pub token: Url,
    /// Where a person consents in a browser.
    #[serde(rename = "authorization_endpoint")]
    pub authorization: Option<Url>,
    /// Where a device login begins (RFC 8628).
    #[serde(rename = "device_authorization_endpoint")]
    pub device: Option<Url>,
}

/// Who issues tokens.
#[derive(Debug)]
pub struct Issuer(Known);

#[derive(Debug)]
enum Known {
    Fixed(Endpoints),
    Named {
        issuer: Url,
        found: Mutex<Option<(Instant, Endpoints)>>,
    },
}

#[derive(Deserialize)]
struct Metadata {
    issuer: Url,
    #[serde(flatten)]
    endpoints: Endpoints,
}

impl Issuer {
    /// An issuer whose URLs are known.
    pub fn fixed(endpoints: Endpoints) -> Self {
        Self(Known::Fixed(endpoints))
    }

    /// An issuer whose URLs are found by its name, such as `https://login.example.test/tenant/v2.0`.
    pub fn named(issuer: Url) -> Self {
        Self(Known::Named {
            issuer,
            found: Mutex::new(None),
        })
    }

    /// The URLs. Asks the issuer once a day. Errors: `Unavailable`, `Malformed`, `Refused`.
    pub(super) async fn endpoints(&self, client: &Client) -> Result<Endpoints, Error> {
        let (issuer, found) = match &self.0 {
            Known::Fixed(endpoints) => return Ok(endpoints.clone()),
            Known::Named { issuer, found } => (issuer, found),
        };
        let mut found = found.lock().await;
        if let Some((at, endpoints)) = &*found
            && at.elapsed() < METADATA_LIFETIME
        {
            return Ok(endpoints.clone());
        }
        let endpoints = discover(client, issuer).await?;
        *found = Some((Instant::now(), endpoints.clone()));
        Ok(endpoints)
    }
}

async fn discover(client: &Client, issuer: &Url) -> Result<Endpoints, Error> {
    let mut url = issuer.clone();
    let path = issuer.path().trim_end_matches('/');
    url.set_path(&format!("{path}/.well-known/openid-configuration"));
    let mut request = Request::get(url);
    request.response_bytes_max = Some(METADATA_BYTES_MAX);
    let answer = body(client.send(&request).await?).await?;
    let metadata: Metadata =
        serde_json::from_str(answer.expose()).map_err(|_| Error::Malformed("metadata"))?;
    // RFC 8414 3.3 wants the very name that was asked for. Microsoft's answers with the tenant's number where its
    // domain was asked for, so the same server is enough; it is the one that TLS has proved.
    if Origin::of(&metadata.issuer)? != Origin::of(issuer)? {
        return Err(Error::Malformed("the metadata are another issuer's"));
    }
    Origin::of(&metadata.endpoints.token)?;
    Ok(metadata.endpoints)
}
