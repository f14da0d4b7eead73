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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fresh() -> Ntlm {
        let password = Password {
            user: "anna".to_owned(),
            domain: None,
            secret: "open sesame".into(),
        };
        Ntlm::new(&password, None).unwrap()
    }

    /// CHALLENGE_MESSAGE with two names and a time in its target information (MS-NLMP 2.2.1.2).
    fn challenge() -> Vec<u8> {
        let info = [
            b"\x02\0\x04\0E\0X\0".as_slice(),
            b"\x01\0\x04\0M\0S\0",
            b"\x07\0\x08\0\x01\x02\x03\x04\x05\x06\xD9\x01",
            b"\0\0\0\0",
        ]
        .concat();
        let len = u8::try_from(info.len()).unwrap();
        let head = [
            b"NTLMSSP\0\x02\0\0\0".as_slice(),
            &[0, 0, 0, 0, 56, 0, 0, 0],
            b"\x05\x82\x89\xA2",
            b"\x01\x23\x45\x67\x89\xAB\xCD\xEF",
            &[0; 8],
            &[len, 0, len, 0, 56, 0, 0, 0],
            b"\x0A\0\x63\x45\0\0\0\x0F",
        ]
        .concat();
        [head, info].concat()
    }

    #[test]
    fn a_challenge_is_answered_once() {
        let mut ntlm = fresh();
        let first = ntlm.next(None).unwrap();
        assert!(first.token.starts_with(b"NTLMSSP\0\x01\0\0\0") && !first.last);
        let last = ntlm.next(Some(challenge())).unwrap();
        assert!(last.token.starts_with(b"NTLMSSP\0\x03\0\0\0") && last.last);
        let more = ntlm.next(Some(challenge()));
        assert!(matches!(more, Err(Error::Unauthenticated)));
        let mut early = fresh();
        let more = early.next(Some(challenge()));
        assert!(matches!(more, Err(Error::Unauthenticated)));
    }

    #[test]
    fn a_challenge_that_is_too_long_is_refused() {
        let mut ntlm = fresh();
        ntlm.next(None).unwrap();
        let long = vec![0; CHALLENGE_BYTES_MAX + 1];
        assert!(matches!(ntlm.next(Some(long)), Err(Error::Unauthenticated)));
    }

    proptest! {
        #[test]
        fn no_challenge_panics(
            changes in proptest::collection::vec((0..100_usize, any::<u8>()), 0..6),
            len in 0..100_usize,
            tail in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut challenge = challenge();
            for (at, byte) in changes {
                if let Some(changed) = challenge.get_mut(at) {
                    *changed = byte;
                }
            }
            challenge.truncate(len);
            challenge.extend(tail);
            let mut ntlm = fresh();
            ntlm.next(None).unwrap();
            let _ = ntlm.next(Some(challenge));
        }
    }
}
