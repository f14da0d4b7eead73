//! Kerberos within SPNEGO, the client's side (RFC 4120, RFC 4121, RFC 4559).
//!
//! Each authentication gets a ticket for the server: two exchanges with a key distribution centre, over TCP. One token
//! carries it, so the request itself goes with it. The server's own proof is not waited for: TLS has given it already.
//!
//! Keys are of AES with SHA-1 (RFC 3962), as Active Directory has them. A cache of tickets that somebody else keeps
//! (`ccache`) is not read: a keytab does what a service needs, and does not run out.
//!
//! Messages are made by `sspi`. Its own client is not used, for what that says of the channel binding is two bytes long
//! where acceptors want four, and MIT's then refuses the token.

mod ap_req;
mod exchange;
mod kdc;
mod keytab;
mod message;

use std::fmt;

use super::Leg;
use crate::{
    auth::{Error, Kerberos},
    http::ChannelBinding,
};

/// One Kerberos authentication.
pub(in crate::auth) struct KerberosClient {
    principal: Kerberos,
    host: String,
    binding: Option<ChannelBinding>,
    done: bool,
}

impl KerberosClient {
    /// `host` is the server's name: the service is `HTTP/host` (RFC 4559 4.1).
    pub(in crate::auth) fn new(
        principal: &Kerberos,
        host: &str,
        binding: Option<&ChannelBinding>,
    ) -> Self {
        Self {
            principal: principal.clone(),
            host: host.trim_end_matches('.').to_owned(),
            binding: binding.cloned(),
            done: false,
        }
    }

    /// The one token. Whatever the server says to it with a 401 is a refusal.
    ///
    /// Errors: `Unauthenticated` when the realm or the server refuses, `Mechanism` when no ticket can be had.
    pub(in crate::auth) async fn next(&mut self, said: Option<Vec<u8>>) -> Result<Leg, Error> {
        if self.done || said.is_some() {
            return Err(Error::Unauthenticated);
        }
        self.done = true;
        let ticket = exchange::ticket(&self.principal, &self.host).await?;
        let token = ap_req::token(ticket, self.binding.as_ref())?;
        Ok(Leg { token, last: true })
    }
}

impl fmt::Debug for KerberosClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KerberosClient")
            .field("principal", &self.principal)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

fn unusable(why: impl fmt::Display) -> Error {
    Error::Mechanism(format!("Kerberos: {why}"))
}
