//! `EXTERNAL`: who the client is was proved below, by its TLS certificate. Source: RFC 4422 appendix A.

use crate::{Step, plain::name};

/// Reads the one message of the mechanism: on whose behalf to act, or nothing.
pub(crate) fn respond(message: &[u8]) -> Step {
    match name(message) {
        Ok(authzid) => Step::NeedExternal((!authzid.is_empty()).then_some(authzid)),
        Err(failure) => Step::Failed(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Failure, NAME_BYTES_MAX};

    #[test]
    fn the_message_is_a_name_or_nothing() {
        for (message, expected) in [
            (&b""[..], Some(None)),
            (b"fred@example.test", Some(Some("fred@example.test"))),
            (b"fred\0", None),
            (b"\xff", None),
            (&[b'a'; NAME_BYTES_MAX + 1], None),
        ] {
            match (respond(message), expected) {
                (Step::NeedExternal(name), Some(expected)) => {
                    assert_eq!(name.as_deref(), expected);
                }
                (Step::Failed(Failure::Malformed(_)), None) => {}
                (step, _) => panic!("{message:?}: {step:?}"),
            }
        }
    }
}
