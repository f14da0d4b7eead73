//! The schemes of several steps: whose turn it is, and with which token.
//!
//! The tokens themselves are made by `sspi`. It traces what it handles, session keys included, so it runs with
//! tracing off.

mod kerberos;
mod ntlm;

use std::fmt;

use sspi::{BufferType, SecurityBuffer};
use tracing::subscriber::{NoSubscriber, with_default};

use super::Error;
use crate::http::ChannelBinding;

pub(super) use self::{kerberos::KerberosClient, ntlm::Ntlm};

/// One authentication under way, over one connection.
#[derive(Debug)]
pub(super) enum Mechanism {
    Ntlm(Box<Ntlm>),
    Kerberos(Box<KerberosClient>),
}

/// What the client says next. The token is not shown: from one of NTLM a password can be guessed at leisure.
pub(super) struct Leg {
    pub(super) token: Vec<u8>,
    /// Whether the server can decide after this one: then the request itself goes with it.
    pub(super) last: bool,
}

impl fmt::Debug for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leg")
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

impl Mechanism {
    /// The next leg, after what the server said; nothing before the first.
    ///
    /// Errors: `Unauthenticated` and `Mechanism` when the server says nothing that can be answered.
    pub(super) async fn next(&mut self, said: Option<Vec<u8>>) -> Result<Leg, Error> {
        match self {
            Self::Ntlm(ntlm) => ntlm.next(said),
            Self::Kerberos(kerberos) => kerberos.next(said).await,
        }
    }
}

/// Runs a call of `sspi` without its traces.
fn quietly<T>(call: impl FnOnce() -> T) -> T {
    with_default(NoSubscriber::default(), call)
}

/// What goes into a call of `sspi`: the server's token and the channel binding.
fn input(said: Option<Vec<u8>>, binding: Option<&ChannelBinding>) -> Vec<SecurityBuffer> {
    let mut buffers = vec![SecurityBuffer::new(
        said.unwrap_or_default(),
        BufferType::Token,
    )];
    buffers.extend(binding.map(|binding| {
        SecurityBuffer::new(sec_channel_bindings(binding), BufferType::ChannelBindings)
    }));
    buffers
}

/// SEC_CHANNEL_BINDINGS: no addresses, and the application data behind the 32 bytes of the head.
fn sec_channel_bindings(binding: &ChannelBinding) -> Vec<u8> {
    const HEAD: u32 = 32;
    let data = binding.application_data();
    let len = u32::try_from(data.len()).unwrap_or_default();
    let head = [0, 0, 0, 0, 0, 0, len, HEAD];
    head.iter()
        .flat_map(|field: &u32| field.to_le_bytes())
        .chain(data.iter().copied())
        .collect()
}

/// The bound of the length of an error's text, for some quote what a peer sent.
const TEXT_LEN_MAX: usize = 200;

/// An error of `sspi`: its kind and its text, neither of which holds a secret.
fn failed(mechanism: &str, error: &sspi::Error) -> Error {
    let text: String = error.description.chars().take(TEXT_LEN_MAX).collect();
    Error::Mechanism(format!("{mechanism}: {:?}: {text}", error.error_type))
}
