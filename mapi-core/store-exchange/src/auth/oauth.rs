//! OAuth 2.0: bearer tokens for Exchange, got and renewed in the ways an administrator can set up (RFC 6749, RFC 9700).
//!
//! An [`App`] is this gateway as an issuer knows it. It gets a first token by its own right (client credentials, with a
//! secret or a certificate), or by a person's consent: on the gateway's own page (authorization code with PKCE) or on
//! another device (device code). A [`Renewing`] source keeps a token fresh for every connection of an account, and tells
//! by [`Health`] and metrics when it cannot. What a person consented to is a refresh token; it is kept in a
//! [`TokenStore`], of which [`Vault`] is the one on disk, encrypted.

mod app;
mod assertion;
mod authorize;
mod claims;
mod device;
mod endpoints;
mod error;
mod key_file;
mod renewing;
mod source;
mod store;
mod token;
mod vault;

pub(super) use self::key_file::check_private;
pub use self::{
    app::{App, ClientAuth},
    assertion::{Algorithm, Certificate},
    authorize::Authorization,
    claims::Claims,
    device::DeviceLogin,
    endpoints::{Endpoints, Issuer},
    error::Error,
    renewing::{Grant, Health, Renewing},
    source::{Brought, Fixed, TokenSource},
    store::TokenStore,
    token::Tokens,
    vault::Vault,
};
