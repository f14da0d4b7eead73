//! Tokens of a section: one source for each account, renewed by itself.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use store_exchange::{
    auth::{
        Credentials,
        oauth::{
            self, Algorithm, App, Authorization, Certificate, ClientAuth, DeviceLogin, Error,
            Grant, Issuer, Renewing, Vault,
        },
    },
    http::{Client, Url},
};

use crate::{
    config::exchange::{OauthConfig, oauth::Flow},
    failure::{Doing, Failure, Result},
    secret_file,
};

/// Where refresh tokens lie in the data folder.
const FOLDER: &str = "tokens";

/// Sources of tokens, by account.
pub(crate) struct Tokens {
    app: Arc<App>,
    right: Right,
    /// Where browsers come back to, if users consent in these.
    page: Option<Url>,
}

/// By what right there are tokens.
enum Right {
    /// The gateway's own, to every mailbox.
    Own(Renewing),
    /// Each user's consent.
    Consents {
        vault: Vault,
        sources: Mutex<HashMap<String, Renewing>>,
    },
}

impl Tokens {
    /// Reads the gateway's secret and the key of the refresh tokens. Nobody is asked yet.
    pub(crate) fn open(oauth: &OauthConfig, client: Client, data: &Path) -> Result<Self> {
        let issuer = oauth
            .issuer_url()
            .ok_or_else(|| Failure::new("oauth.issuer: no URL"))?;
        let app = Arc::new(App {
            client,
            issuer: Issuer::named(issuer),
            client_id: oauth.client_id.clone(),
            client_auth: client_auth(oauth)?,
            scope: oauth.scope(),
        });
        let right = match oauth.flow {
            Flow::ClientCredentials => {
                Right::Own(Renewing::new(Arc::clone(&app), Grant::ClientCredentials))
            }
            Flow::DeviceCode | Flow::AuthorizationCode => Right::Consents {
                vault: Vault::open(&data.join(FOLDER), &oauth.token_key_file)
                    .doing(|| "oauth.token_key_file".to_owned())?,
                sources: Mutex::default(),
            },
        };
        let page = match oauth.flow {
            Flow::AuthorizationCode => oauth.redirect(),
            Flow::DeviceCode | Flow::ClientCredentials => None,
        };
        Ok(Self { app, right, page })
    }

    /// What an account signs in with.
    pub(crate) fn credentials(&self, address: &str) -> Credentials {
        Credentials::Bearer(Arc::new(self.source(address)))
    }

    fn source(&self, address: &str) -> Renewing {
        match &self.right {
            Right::Own(source) => source.clone(),
            Right::Consents { vault, sources } => {
                let mut sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
                let source = sources.entry(address.to_owned()).or_insert_with(|| {
                    let grant = Grant::Consent {
                        store: Arc::new(vault.clone()),
                        account: address.to_owned(),
                    };
                    Renewing::new(Arc::clone(&self.app), grant)
                });
                source.clone()
            }
        }
    }

    /// Begins a login on another device. Errors: when no user needs to log in, and those of the issuer.
    pub(crate) async fn begin_login(&self) -> Result<DeviceLogin> {
        match &self.right {
            Right::Own(_) => Err(Failure::new(
                "the gateway has a right of its own to all mailboxes: nobody needs to log in",
            )),
            Right::Consents { .. } => self
                .app
                .device_login()
                .await
                .doing(|| "beginning the login".to_owned()),
        }
    }

    /// Waits until somebody has decided. The tokens are not kept yet.
    pub(crate) async fn finish_login(&self, login: &DeviceLogin) -> Result<oauth::Tokens> {
        let got = self.app.device_tokens(login).await;
        got.doing(|| "the login on another device".to_owned())
    }

    /// Whether users consent in a browser.
    pub(crate) const fn has_page(&self) -> bool {
        self.page.is_some()
    }

    /// Begins a login in a browser.
    pub(crate) async fn begin_page(&self, address: &str) -> Result<Authorization> {
        let page = self
            .page
            .clone()
            .ok_or_else(|| Failure::new("users do not consent in browsers"))?;
        let login = self.app.authorize(page, address).await;
        login.doing(|| format!("beginning the login of {address}"))
    }

    /// Takes what a browser came back with. `query` is that of the URL. The tokens are not kept yet.
    pub(crate) async fn finish_page(
        &self,
        login: &Authorization,
        query: &str,
    ) -> Result<oauth::Tokens> {
        let mut came_back = self
            .page
            .clone()
            .ok_or_else(|| Failure::new("users do not consent in browsers"))?;
        came_back.set_query(Some(query));
        let got = self.app.exchange(login, &came_back).await;
        got.doing(|| "the login in a browser".to_owned())
    }

    /// Keeps an account's consent. Whose it is, has been found out: see [`super::consent::keep`].
    pub(crate) async fn keep(&self, address: &str, tokens: oauth::Tokens) -> Result<()> {
        let kept = self.source(address).login(tokens).await;
        kept.doing(|| format!("keeping the token of {address}"))
    }

    /// Forgets an account's consent.
    pub(crate) async fn forget(&self, address: &str) -> Result<(), Error> {
        match &self.right {
            Right::Own(_) => Ok(()),
            Right::Consents { .. } => self.source(address).logout().await,
        }
    }
}

/// Reads what [`Tokens::open`] reads, and makes nothing.
pub(super) fn verify(oauth: &OauthConfig) -> Result<()> {
    client_auth(oauth)?;
    match oauth.flow {
        Flow::ClientCredentials => Ok(()),
        Flow::DeviceCode | Flow::AuthorizationCode => {
            secret_file::read(&oauth.token_key_file).map(drop)
        }
    }
}

fn client_auth(oauth: &OauthConfig) -> Result<ClientAuth> {
    if !oauth.client_secret_file.as_os_str().is_empty() {
        return Ok(ClientAuth::Secret(secret_file::read(
            &oauth.client_secret_file,
        )?));
    }
    if oauth.certificate.as_os_str().is_empty() {
        return Ok(ClientAuth::Public);
    }
    Ok(ClientAuth::Certificate(Certificate {
        certificate: oauth.certificate.clone(),
        key: oauth.certificate_key.clone(),
        // Microsoft wants PSS; every other issuer knows PKCS #1.
        algorithm: match oauth.tenant.is_empty() {
            true => Algorithm::Rs256,
            false => Algorithm::Ps256,
        },
    }))
}
