//! From configuration to what the Exchange backend wants. Secrets are read from their files here.

use std::time::Duration;

use store_exchange::{
    Options,
    auth::Policy,
    discover,
    http::{self, Client, NoProxy, Proxy, TlsOptions},
};

use super::proof::{Proof, policy};
use crate::{
    config::{
        Config, ExchangeConfig,
        exchange::{ANY_DOMAIN, url},
    },
    failure::{Doing, Result},
    secret_file,
};

/// One section of the configuration, ready to use.
pub(crate) struct Settings {
    pub(crate) client: Client,
    pub(crate) discover: discover::Options,
    pub(crate) options: Options,
    pub(crate) policy: Policy,
    pub(crate) proof: Proof,
}

impl Settings {
    /// Reads certificate authorities, and secrets of the proxy and for tokens, from disk.
    pub(crate) fn of(config: &Config, (name, section): (&str, &ExchangeConfig)) -> Result<Self> {
        let client = client(section)?;
        Ok(Self {
            proof: Proof::of(section, &client, &config.data)?,
            client,
            discover: discover_options(section)?,
            options: options(config, name, section),
            policy: policy(section.authentication),
        })
    }
}

/// How the server is reached. Reads certificate authorities and the proxy's password from disk.
pub(super) fn client(section: &ExchangeConfig) -> Result<Client> {
    let options = http::Options {
        tls: TlsOptions {
            system_roots: section.system_authorities,
            ca_files: section.ca_files.clone(),
            pinned: section.pinned(),
        },
        proxy: proxy(section)?,
        no_proxy: NoProxy::parse(&section.no_proxy).doing(|| "no_proxy".to_owned())?,
        user_agent: concat!("Dragoman/", env!("CARGO_PKG_VERSION")).to_owned(),
        ..http::Options::default()
    };
    Client::new(options).doing(|| "connections to Exchange".to_owned())
}

fn proxy(section: &ExchangeConfig) -> Result<Option<Proxy>> {
    let Some(mut url) = url(&section.proxy) else {
        return Ok(None);
    };
    if !section.proxy_user.is_empty() {
        let password = secret_file::read(&section.proxy_password_file)?;
        // A URL with a host takes both.
        let _ = url.set_username(&section.proxy_user);
        let _ = url.set_password(Some(password.expose()));
    }
    Proxy::parse(url.as_str())
        .map(Some)
        .doing(|| "proxy".to_owned())
}

pub(super) fn discover_options(section: &ExchangeConfig) -> Result<discover::Options> {
    let allowed_hosts = section
        .allowed_hosts
        .iter()
        .map(|host| host.parse().doing(|| "allowed_hosts".to_owned()))
        .collect::<Result<_>>()?;
    Ok(discover::Options {
        url: url(&section.url),
        address_book_url: url(&section.address_book_url),
        autodiscover: section.autodiscover(),
        allowed_hosts,
        prefer: section.prefer.into(),
        transport: section.transport.into(),
        ..discover::Options::default()
    })
}

fn options(config: &Config, name: &str, section: &ExchangeConfig) -> Options {
    let mut domains = section.domains.iter();
    let domain = domains.find(|domain| *domain != ANY_DOMAIN);
    Options {
        name: name.to_owned(),
        domain: domain.unwrap_or(&config.hostname).clone(),
        domains: section.domains.clone(),
        poll: Duration::from_secs(section.poll_interval_s),
        bodies_bytes_max: section.mirror_bodies_bytes_max,
        render_ahead: section.render_ahead,
        render_ahead_per_s: section.render_ahead_per_s,
        busy_max: Duration::from_secs(section.busy_wait_s),
        unused_max: Duration::from_secs(section.session_idle_s),
        outage: section.outage(),
        ..Options::default()
    }
}
