//! What goes out: the queue with its mail servers, and the way of mail that stays inside.

mod inside;

use std::{collections::HashMap, sync::Arc, time::Duration};

use account::Accounts;
use outbound::{Authentication, Credentials, Hop, HopTls, Options, Queue, Runner, Secret};
use store_exchange::http::{TlsOptions, trusting};

use self::inside::Inside;
use crate::{
    config::{
        Config,
        exchange::ANY_DOMAIN,
        outbound::{Protocol, ServerConfig, Tls},
    },
    data_dir::DataDir,
    failure::{Doing, Result},
    secret_file,
};

/// Opens the queue of a data folder, which the caller has locked. Reads secrets and certificate authorities from disk.
pub(crate) async fn open(
    config: &Config,
    data: &DataDir,
    accounts: &Arc<Accounts>,
) -> Result<(Queue, Runner)> {
    let outbound = &config.outbound;
    let options = Options {
        hostname: config.hostname.clone(),
        messages_max: outbound.messages_max,
        bytes_max: outbound.bytes_max,
        expires_after: hours(outbound.expires_after_h),
        delay_notice_after: hours(outbound.delay_notice_after_h),
        retry_after_min: Duration::from_secs(outbound.retry_after_min_s),
        retry_after_max: Duration::from_secs(outbound.retry_after_max_s),
        ..Options::default()
    };
    let mut hops = Vec::new();
    let mut ways = Ways::default();
    for (name, server) in &outbound.server {
        hops.push(hop(name, server).doing(|| format!("outbound.server.{name}"))?);
        let name: Arc<str> = name.as_str().into();
        for domain in &server.domains {
            ways.by_domain.insert(domain.to_lowercase(), name.clone());
        }
        if server.domains.is_empty() && !config.relays_to_exchange(&name) {
            ways.others = Some(name);
        }
    }
    for section in config.exchange.values() {
        let relay = (!section.relay.is_empty()).then(|| Arc::from(section.relay.as_str()));
        for domain in &section.domains {
            ways.to_exchange
                .insert(domain.to_lowercase(), relay.clone());
        }
    }
    for domain in config.ldap.values().flat_map(|section| &section.domains) {
        // Their mailboxes are embedded ones, also beside a section of Exchange for all other domains.
        ways.to_exchange.insert(domain.to_lowercase(), None);
    }
    let router = Arc::new(Inside::new(accounts, ways, config.quota.mailbox_full));
    let path = data.outbound();
    tokio::task::spawn_blocking(move || Queue::open(&path, options, hops, router))
        .await
        .doing(|| "opening the outgoing queue".to_owned())?
        .doing(|| format!("opening the outgoing queue {}", data.outbound().display()))
}

/// Which mail server takes mail for a domain.
#[derive(Default)]
pub(crate) struct Ways {
    by_domain: HashMap<String, Arc<str>>,
    others: Option<Arc<str>>,
    /// By domains of mailboxes on Exchange: the server that mail for them goes by, or none.
    to_exchange: HashMap<String, Option<Arc<str>>>,
}

impl Ways {
    /// The mail server for an address.
    fn of(&self, address: &str) -> Option<&Arc<str>> {
        let named = domain_of(address).and_then(|domain| self.by_domain.get(&domain));
        named.or(self.others.as_ref())
    }

    /// The mail server by which mail for an address, or a mailbox, on Exchange goes; `None`: it is put there, or the
    /// address is none of Exchange.
    fn to_exchange(&self, address: &str) -> Option<&Arc<str>> {
        let named = self.to_exchange.get(&domain_of(address)?);
        named
            .or_else(|| self.to_exchange.get(ANY_DOMAIN))
            .and_then(Option::as_ref)
    }
}

fn domain_of(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    Some(domain.to_lowercase())
}

fn hop(name: &str, server: &ServerConfig) -> Result<Hop> {
    let trust = TlsOptions {
        system_roots: server.system_authorities,
        ca_files: server.ca_files.clone(),
        pinned: None,
    };
    let tls_config = trusting(&trust).doing(|| "certificate authorities".to_owned())?;
    let authentication = match server.user.as_str() {
        "" => Authentication::None,
        user => {
            let password = secret_file::read(&server.password_file)?;
            Authentication::Gateway(Credentials {
                user: user.to_owned(),
                secret: Secret::Password(password.expose().to_owned().into()),
            })
        }
    };
    Ok(Hop {
        protocol: match server.protocol {
            Protocol::Smtp => outbound::Protocol::Smtp,
            Protocol::Lmtp => outbound::Protocol::Lmtp,
        },
        tls: match server.tls {
            Tls::None => HopTls::Never,
            Tls::IfOffered => HopTls::IfOffered,
            Tls::Starttls => HopTls::StartTls,
            Tls::Implicit => HopTls::Implicit,
        },
        authentication,
        connections_max: server.connections_max,
        ..Hop::new(name, (&server.host, server.port()), Arc::new(tls_config))
    })
}

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours.saturating_mul(3600))
}
