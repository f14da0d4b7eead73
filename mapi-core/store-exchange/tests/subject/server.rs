//! The server that the environment names, and its users.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use mapi_store::{Principal, Result};
use store_exchange::{
    Exchange, Options,
    auth::{Credentials, Password, Policy, Scheme, Secret},
    discover::{self, Transport, TransportChoice},
    http::{self, Client, TlsOptions},
};
use store_openchange::OpenChange;
use tempfile::TempDir;

const PASSWORD: &str = "contract-1";

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A backend on the server of the environment, without users yet.
pub(crate) fn gateway() -> (Arc<Exchange>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mirrors = OpenChange::open(dir.path(), store_openchange::Options::default()).unwrap();
    let client = Client::new(http::Options {
        tls: TlsOptions {
            pinned: pin(),
            ..TlsOptions::default()
        },
        ..http::Options::default()
    });
    let discover = discover::Options {
        autodiscover: Some(variable("EXCHANGE_AUTODISCOVER").parse().unwrap()),
        transport: transport(),
        ..discover::Options::default()
    };
    let options = Options {
        domain: "example.test".to_owned(),
        ..Options::default()
    };
    let exchange = Exchange::new(Arc::new(mirrors), client.unwrap(), discover, options);
    (exchange, dir)
}

/// Makes somebody on the server whom nobody has heard of. Returns the address.
pub(crate) fn account(name: &str) -> String {
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let local = format!("{name}-{}-{serial}", std::process::id());
    let made = Command::new(variable("EXCHANGE_ADD_USER"))
        .args([&local, PASSWORD])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    format!("{local}@example.test")
}

/// Signs somebody in whom [`account`] made.
pub(crate) async fn sign_in(exchange: &Exchange, address: &str) -> Result<Principal> {
    let credentials = Credentials::Password(Password {
        user: address.to_owned(),
        domain: None,
        secret: Secret::from(PASSWORD),
    });
    let policy = Policy {
        schemes: vec![Scheme::Basic],
    };
    exchange.sign_in(address, credentials, policy).await
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

/// The transport that the environment wants, if it wants one.
fn transport() -> TransportChoice {
    match std::env::var("EXCHANGE_TRANSPORT").as_deref() {
        Err(_) => TransportChoice::Auto,
        Ok("mapi_http") => TransportChoice::Only(Transport::MapiHttp),
        Ok("rpc_http") => TransportChoice::Only(Transport::RpcHttp),
        Ok(other) => panic!("EXCHANGE_TRANSPORT={other} is unknown"),
    }
}

fn pin() -> Option<[u8; 32]> {
    let hex = std::env::var("EXCHANGE_PIN").ok()?;
    let octets: Vec<u8> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
        .collect();
    Some(octets.try_into().unwrap())
}
