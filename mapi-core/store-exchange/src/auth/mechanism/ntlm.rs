//! NTLM version 2, the client's side (MS-NLMP): three messages, of which the client says the first and the last.

use std::fmt;

use sspi::{
    AuthIdentityBuffers, BufferType, ClientRequestFlags, DataRepresentation, NTLM_HASH_PREFIX,
    SecurityBuffer, Sspi, SspiImpl,
};

use super::{Leg, failed, input, quietly};
use crate::{
    auth::{Error, Password},
    http::ChannelBinding,
};

/// The longest message that is taken from a server, in bytes. A challenge is its names and a few fixed fields.
const CHALLENGE_BYTES_MAX: usize = 16 << 10;

/// One NTLM authentication.
pub(in crate::auth) struct Ntlm {
    context: sspi::Ntlm,
    identity: Option<AuthIdentityBuffers>,
    binding: Option<ChannelBinding>,
    legs: u8,
}

impl Ntlm {
    /// Errors: `Mechanism` for a password that the library would take for something else.
    pub(in crate::auth) fn new(
        password: &Password,
        binding: Option<&ChannelBinding>,
    ) -> Result<Self, Error> {
        // The library takes such a password for the hash of one. A hash that was stolen must not open a mailbox.
        if password.secret.expose().starts_with(NTLM_HASH_PREFIX) {
            return Err(Error::Unauthenticated);
        }
        Ok(Self {
            context: sspi::Ntlm::new(),
            identity: Some(AuthIdentityBuffers::from_utf8(
                &password.user,
                password.domain.as_deref().unwrap_or_default(),
                password.secret.expose(),
            )),
            binding: binding.cloned(),
            legs: 0,
        })
    }

    /// NEGOTIATE_MESSAGE, and then AUTHENTICATE_MESSAGE for the server's CHALLENGE_MESSAGE (MS-NLMP 2.2.1).
    pub(in crate::auth) fn next(&mut self, said: Option<Vec<u8>>) -> Result<Leg, Error> {
        let acceptable = match (&said, self.legs) {
            (None, 0) => true,
            (Some(challenge), 1) => challenge.len() <= CHALLENGE_BYTES_MAX,
            _ => false,
        };
        if !acceptable {
            return Err(Error::Unauthenticated);
        }
        self.legs += 1;
        let token = quietly(|| self.message(said)).map_err(|error| failed("NTLM", &error))?;
        Ok(Leg {
            token,
            last: self.legs > 1,
        })
    }

    fn message(&mut self, said: Option<Vec<u8>>) -> sspi::Result<Vec<u8>> {
        let mut input = input(said, self.binding.as_ref());
        let mut output = vec![SecurityBuffer::new(Vec::new(), BufferType::Token)];
        // HTTP protects its messages by TLS: neither signing nor sealing is asked for.
        let mut builder = self
            .context
            .initialize_security_context()
            .with_credentials_handle(&mut self.identity)
            .with_context_requirements(ClientRequestFlags::empty())
            .with_target_data_representation(DataRepresentation::Network)
            .with_input(&mut input)
            .with_output(&mut output);
        self.context
            .initialize_security_context_impl(&mut builder)?
            .resolve_to_result()?;
        Ok(output.pop().map(|buffer| buffer.buffer).unwrap_or_default())
    }
}

impl fmt::Debug for Ntlm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ntlm")
            .field("legs", &self.legs)
            .finish_non_exhaustive()
    }
}
