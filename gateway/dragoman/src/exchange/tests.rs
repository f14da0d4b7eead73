//! Exchange domains of a gateway, against a server of our own.

mod administration;
mod brought;
mod issuer;
mod login_page;
mod mail;
mod pop3;
mod sign_in;
mod tokens;
mod tracing;
pub(crate) mod world;
