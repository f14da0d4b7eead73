//! Authentication to the Exchange server: who asks, by which scheme, over which connection.
//!
//! [`Credentials`] say who, [`Policy`] says which schemes may be used, and a [`Channel`] puts both over one HTTP
//! connection: the session layer sends its requests through it and never sees a 401. HTTP authentication comes before
//! anything else a server does with a request (MS-OXCMAPIHTTP 2.2.2), so a refused request was not executed.

mod authenticator;
mod challenge;
mod channel;
mod credentials;
mod error;
mod mechanism;
pub mod oauth;
mod secret;

pub(crate) use self::error::CLOCKS_DIFFER;
pub use self::{
    authenticator::{Authenticator, Step},
    challenge::{Challenge, Scheme, challenges},
    channel::Channel,
    credentials::{Credentials, Kdc, Kerberos, KerberosKey, Password, Policy},
    error::Error,
    secret::Secret,
};
