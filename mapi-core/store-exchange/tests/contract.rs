//! The Exchange backend passes the suite of every store, against a live server.
//!
//! A server that is not ours is named by the environment: `EXCHANGE_AUTODISCOVER` (a URL), `EXCHANGE_PIN` (the SHA-256
//! of its certificate, in hexadecimal) and `EXCHANGE_ADD_USER` (a program that makes a mailbox: name, password).
//! `EXCHANGE_TRANSPORT` may say which way is taken: `mapi_http` or `rpc_http`.
#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod subject;

use mapi_store::contract::Fixture;

async fn make() -> Fixture {
    subject::fresh().await
}

mapi_store::contract_tests!(make);
