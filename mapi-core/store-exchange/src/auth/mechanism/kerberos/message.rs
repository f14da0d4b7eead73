//! What a key distribution centre says: a ticket, or why not (RFC 4120 sections 5.4 and 5.9).

use picky_asn1_der::from_bytes;
use picky_krb::{
    constants::types::PA_ETYPE_INFO2_TYPE,
    crypto::CipherSuite,
    data_types::{EtypeInfo2, PaData},
    messages::{EncAsRepPart, EncKdcRepPart, EncTgsRepPart, KdcRep, KrbError},
};
use sspi::Secret;
use zeroize::Zeroizing;

use super::unusable;
use crate::auth::{CLOCKS_DIFFER, Error};

/// A ticket with the key that goes with it.
pub(super) struct Session {
    pub(super) rep: KdcRep,
    pub(super) key: Secret<Vec<u8>>,
    pub(super) kind: CipherSuite,
}

/// Why a centre gives no ticket (RFC 4120 7.5.9).
const C_PRINCIPAL_UNKNOWN: u32 = 6;
const S_PRINCIPAL_UNKNOWN: u32 = 7;
const CLIENT_REVOKED: u32 = 18;
const KEY_EXPIRED: u32 = 23;
const PREAUTH_FAILED: u32 = 24;
const PREAUTH_REQUIRED: u32 = 25;
const SKEW: u32 = 37;

/// What is left to do after a refusal.
pub(super) enum Refusal {
    /// The principal has to prove itself first; these hints say how.
    Prove(Vec<PaData>),
    /// Nothing.
    Final(Error),
}

/// What an answer says that is no ticket.
pub(super) fn refusal(answer: &[u8]) -> Refusal {
    let Ok(error) = from_bytes::<KrbError>(answer) else {
        return Refusal::Final(unusable("the key distribution centre talks nonsense"));
    };
    match error.0.error_code.0 {
        PREAUTH_REQUIRED => {
            let hints = error.0.e_data.0.map(|data| data.0.0).unwrap_or_default();
            Refusal::Prove(
                from_bytes::<picky_asn1::wrapper::Asn1SequenceOf<PaData>>(&hints)
                    .map(|hints| hints.0)
                    .unwrap_or_default(),
            )
        }
        C_PRINCIPAL_UNKNOWN | CLIENT_REVOKED | PREAUTH_FAILED => {
            Refusal::Final(Error::Unauthenticated)
        }
        S_PRINCIPAL_UNKNOWN => Refusal::Final(unusable("the realm does not know the server")),
        KEY_EXPIRED => Refusal::Final(unusable("the password has expired")),
        SKEW => Refusal::Final(unusable(CLOCKS_DIFFER)),
        code => Refusal::Final(unusable(format!("the realm answers with error {code}"))),
    }
}

/// The kind of key and the salt that a centre hints at; nothing when it names no kind that is known (RFC 4120 5.2.7.5).
pub(super) fn hinted(hints: &[PaData]) -> Option<(CipherSuite, Option<String>)> {
    let info = hints
        .iter()
        .find(|hint| hint.padata_type.0.0 == PA_ETYPE_INFO2_TYPE)?;
    let info: EtypeInfo2 = from_bytes(&info.padata_data.0.0).ok()?;
    info.0.into_iter().find_map(|entry| {
        let kind = known(&entry.etype.0.0)?;
        Some((kind, entry.salt.0.map(|salt| salt.0.to_string())))
    })
}

/// A kind of key that is good enough: AES.
pub(super) fn known(kind: &[u8]) -> Option<CipherSuite> {
    CipherSuite::try_from(kind)
        .ok()
        .filter(|kind| !matches!(kind, CipherSuite::Des3CbcSha1Kd))
}

/// Opens the part of an answer that is for the asker: `usage` says which answer it is (RFC 4120 7.5.1).
///
/// Nothing when the key is not the right one, or the answer is to another question.
pub(super) fn opened(rep: KdcRep, key: &[u8], usage: i32, nonce: &[u8]) -> Option<Session> {
    let kind = known(&rep.enc_part.0.etype.0.0)?;
    let plain = kind
        .cipher()
        .decrypt(key, usage, &rep.enc_part.0.cipher.0.0)
        .map(Zeroizing::new)
        .ok()?;
    // RFC 4120 5.4.2: either tag may stand there.
    let part: EncKdcRepPart = match from_bytes::<EncAsRepPart>(&plain) {
        Ok(part) => part.0,
        Err(_) => from_bytes::<EncTgsRepPart>(&plain).ok()?.0,
    };
    let key = part.key.0;
    (part.nonce.0.as_unsigned_bytes_be() == nonce).then_some(())?;
    Some(Session {
        rep,
        key: key.key_value.0.0.into(),
        kind: known(&key.key_type.0.0)?,
    })
}

#[cfg(test)]
mod tests {
    use picky_krb::messages::AsRep;
    use proptest::prelude::*;

    use super::*;

    /// KRB-ERROR 25 as MIT's centre writes it, with hints of two kinds of keys.
    const REQUIRED: &[u8] = b"\
        \x7E\x81\x91\x30\x81\x8E\xA0\x03\x02\x01\x05\xA1\x03\x02\x01\x1E\xA4\x11\x18\x0F20261126\
        181424Z\xA5\x05\x02\x03\x0A\x0B\x0C\xA6\x03\x02\x01\x19\xA9\x0E\x1B\x0CEXAMPLE.TEST\xAA\
        \x1D\x30\x1B\xA0\x03\x02\x01\x02\xA1\x14\x30\x12\x1B\x06krbtgt\x1B\x08EXAMPLE.\xAC\x2F\
        \x04\x2D\x30\x2B\x30\x29\xA1\x03\x02\x01\x13\xA2\x22\x04\x20\x30\x1E\x30\x05\xA0\x03\x02\
        \x01\x17\x30\x15\xA0\x03\x02\x01\x11\xA1\x0E\x1B\x0CEXAMPLE.anna";

    #[test]
    fn the_first_known_kind_of_key_is_taken_with_its_salt() {
        let Refusal::Prove(hints) = refusal(REQUIRED) else {
            panic!("not understood");
        };
        let (kind, salt) = hinted(&hints).unwrap();
        assert_eq!(kind, CipherSuite::Aes128CtsHmacSha196);
        assert_eq!(salt.unwrap(), "EXAMPLE.anna");
        assert!(hinted(&[]).is_none());
    }

    proptest! {
        #[test]
        fn no_answer_panics(
            changes in proptest::collection::vec((0..150_usize, any::<u8>()), 0..6),
            len in 0..160_usize,
            tail in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut answer = REQUIRED.to_vec();
            for (at, byte) in changes {
                if let Some(changed) = answer.get_mut(at) {
                    *changed = byte;
                }
            }
            answer.truncate(len);
            answer.extend(tail);
            if let Refusal::Prove(hints) = refusal(&answer) {
                hinted(&hints);
            }
            if let Some(first) = answer.first_mut() {
                *first = 0x6B;
            }
            let _ = from_bytes::<AsRep>(&answer);
        }
    }
}
