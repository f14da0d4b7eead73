//! The client against real servers in this process: connections, verdicts, TLS, proxies and authentication.

#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod advice;
mod bearer;
mod connection;
mod kerberos;
mod login;
mod ntlm;
mod oauth;
mod peer;
mod proxy;
mod renewing;
mod secrets;
mod silence;
mod tls;
mod verdict;
