//! Tokens that open embedded mailboxes: whose issuer's they are, and how its keys are got.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use account::{Error, ErrorKind, Result as MailResult};
use bearer::{Fetch, Issuer, KEYS_BYTES_MAX, KeySet, Refusal, issuer_of};
use directory::Address;
use sasl::TokenTerms;
use serde::Deserialize;
use store_exchange::http::{self, Client, Request, TlsOptions, Url};
use tokio::{fs::File, io::AsyncReadExt as _};

use crate::{
    config::{Config, IssuerConfig, exchange::is_private},
    failure::{Doing, Result},
};

/// Where an issuer says what it can do, below its URL. Source: OpenID Connect Discovery 1.0, 4.
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// All issuers of the configuration.
pub(crate) struct Issuers(Vec<Issuer>);

/// Where keys are.
enum Keys {
    File(PathBuf),
    Url(Url),
    /// Where the issuer says.
    Discovered {
        issuer: String,
        document: Url,
    },
}

#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: Url,
}

impl Issuers {
    /// Reads certificate authorities from disk. Nobody is asked yet.
    pub(crate) fn open(config: &Config) -> Result<Self> {
        let issuers = config.issuer.iter().map(|(name, issuer)| {
            let fetch = fetch(issuer).doing(|| format!("issuer.{name}"))?;
            Ok(Issuer::new(issuer.terms(), fetch))
        });
        Ok(Self(issuers.collect::<Result<_>>()?))
    }

    /// Whether there are none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The address a token names. Errors: `Unauthenticated`, and `Unavailable` while keys cannot be had.
    pub(crate) async fn address(&self, token: &str) -> MailResult<String> {
        let claimed = issuer_of(token);
        let mut issuers = self.0.iter();
        let issuer = issuers.find(|issuer| Some(&issuer.terms().issuer) == claimed.as_ref());
        let checked = match issuer {
            Some(issuer) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                issuer.check(token, now.unwrap_or_default()).await
            }
            None => Err(Refusal::Issuer),
        };
        let address = checked.map_err(|refusal| {
            let kind = match refusal {
                Refusal::KeysUnavailable => ErrorKind::Unavailable,
                _ => ErrorKind::Unauthenticated,
            };
            Error::new(kind, refusal.to_string())
        })?;
        // A name without a domain would be whoever has it here, whatever domain the issuer means.
        match Address::parse(&address) {
            Ok(_) => Ok(address),
            Err(_) => Err(Error::new(
                ErrorKind::Unauthenticated,
                "the token names no address",
            )),
        }
    }

    /// What a mail program is told whose token is not good; where there are several issuers, it must know itself which.
    pub(crate) fn terms(&self) -> TokenTerms {
        let [issuer] = &self.0[..] else {
            return TokenTerms::default();
        };
        let terms = issuer.terms();
        TokenTerms {
            scope: terms.scopes.join(" "),
            openid_configuration: format!("{}{DISCOVERY}", terms.issuer.trim_end_matches('/')),
        }
    }
}

fn fetch(config: &IssuerConfig) -> Result<Fetch> {
    let doing = || "URL".to_owned();
    let keys = if !config.jwks_file.as_os_str().is_empty() {
        Keys::File(config.jwks_file.clone())
    } else if !config.jwks_url.is_empty() {
        Keys::Url(Url::parse(&config.jwks_url).doing(doing)?)
    } else {
        let document = format!("{}{DISCOVERY}", config.issuer.trim_end_matches('/'));
        Keys::Discovered {
            issuer: config.issuer.clone(),
            document: Url::parse(&document).doing(doing)?,
        }
    };
    let options = http::Options {
        tls: TlsOptions {
            system_roots: config.system_authorities,
            ca_files: config.ca_files.clone(),
            ..TlsOptions::default()
        },
        user_agent: concat!("Dragoman/", env!("CARGO_PKG_VERSION")).to_owned(),
        ..http::Options::default()
    };
    let client = Client::new(options).doing(|| "connections".to_owned())?;
    let source = Arc::new((keys, client));
    Ok(Arc::new(move || {
        let source = Arc::clone(&source);
        Box::pin(async move {
            let (keys, client) = &*source;
            let json = keys.read(client).await?;
            KeySet::parse(&json).ok_or_else(|| "no key set".to_owned())
        })
    }))
}

impl Keys {
    async fn read(&self, client: &Client) -> Result<Vec<u8>, String> {
        match self {
            Self::File(path) => {
                let read = async {
                    let mut json = Vec::new();
                    let file = File::open(path).await?;
                    file.take(KEYS_BYTES_MAX + 1).read_to_end(&mut json).await?;
                    Ok::<_, std::io::Error>(json)
                };
                read.await
                    .map_err(|error| format!("{}: {error}", path.display()))
            }
            Self::Url(url) => get(client, url).await,
            Self::Discovered { issuer, document } => {
                let found = get(client, document).await?;
                let found: Discovered =
                    serde_json::from_slice(&found).map_err(|_| "no discovery document")?;
                // OpenID Connect Discovery 1.0, 4.3: to the octet.
                if found.issuer != *issuer {
                    return Err("the discovery document is another issuer's".to_owned());
                }
                if !is_private(&found.jwks_uri) {
                    return Err("its keys are not at an https URL".to_owned());
                }
                get(client, &found.jwks_uri).await
            }
        }
    }
}

async fn get(client: &Client, url: &Url) -> Result<Vec<u8>, String> {
    let mut request = Request::get(url.clone());
    request.response_bytes_max = Some(KEYS_BYTES_MAX);
    let response = client.send(&request).await;
    let response = response.map_err(|error| error.to_string())?;
    if !response.status.is_success() {
        return Err(format!("{} answers {}", url.path(), response.status));
    }
    let body = response.body.collect().await;
    body.map(|body| body.to_vec())
        .map_err(|error| error.to_string())
}
