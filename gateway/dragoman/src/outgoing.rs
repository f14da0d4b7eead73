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
        if server.domains.is_empty() {
            ways.others = Some(name);
        }
    }
    let router = Arc::new(Inside::new(accounts, ways));
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
}

impl Ways {
    /// The mail server for an address.
    fn of(&self, address: &str) -> Option<&Arc<str>> {
        let domain = address
            .rsplit_once('@')
            .map(|(_, domain)| domain.to_lowercase());
        let named = domain.and_then(|domain| self.by_domain.get(&domain));
        named.or(self.others.as_ref())
    }
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
