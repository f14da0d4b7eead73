//! SCRAM-SHA-256 verifiers: made, written, read, and invented for users who do not exist.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::Error;

/// How often a new password is hashed for SCRAM. RFC 7677 4 wants at least 4096.
pub const SCRAM_ITERATIONS: u32 = 10_000;
/// The fewest iterations that a file may ask for.
const ITERATIONS_MIN: u32 = 4096;
/// The most iterations that a file may ask for: the client has to do them, at every login.
const ITERATIONS_MAX: u32 = 10_000_000;
/// The salt's length, in bytes.
const SALT_BYTES: usize = 16;
/// The longest salt that a file may have, in bytes.
const SALT_BYTES_MAX: usize = 256;

/// What is kept of a password for SCRAM-SHA-256. Source: RFC 5802 3, RFC 7677.
#[derive(Clone, Eq, PartialEq)]
pub struct ScramVerifier {
    /// Random bytes, one salt a password.
    pub salt: Vec<u8>,
    /// How often the password was hashed.
    pub iterations: u32,
    /// SHA-256 of the client's key.
    pub stored_key: [u8; 32],
    /// The key with which the server proves itself.
    pub server_key: [u8; 32],
}

impl fmt::Debug for ScramVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramVerifier")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

impl ScramVerifier {
    /// Makes the verifier of a new password, with a fresh salt.
    pub(crate) fn of_password(password: &str) -> Result<Self, Error> {
        let mut salt = [0; SALT_BYTES];
        crate::password::random(&mut salt)?;
        Self::derive(password.as_bytes(), &salt, SCRAM_ITERATIONS)
    }

    /// RFC 5802 3: `Hi`, which is PBKDF2 with one block, then the keys.
    fn derive(password: &[u8], salt: &[u8], iterations: u32) -> Result<Self, Error> {
        let keyed = mac(password)?;
        let mut round = tag(keyed.clone(), &[salt, &1_u32.to_be_bytes()]);
        let mut salted = round;
        for _ in 1..iterations {
            round = tag(keyed.clone(), &[&round]);
            for (sum, byte) in salted.iter_mut().zip(round) {
                *sum ^= byte;
            }
        }
        let client_key = tag(mac(&salted)?, &[b"Client Key"]);
        Ok(Self {
            salt: salt.to_vec(),
            iterations,
            stored_key: Sha256::digest(client_key).into(),
            server_key: tag(mac(&salted)?, &[b"Server Key"]),
        })
    }

    /// The verifier of a user who does not exist: always the same for one name, and no password fits it.
    pub(crate) fn invented(key: &[u8; 32], name: &str) -> Result<Self, Error> {
        let keyed = mac(key)?;
        let part = |label: &[u8]| tag(keyed.clone(), &[label, name.as_bytes()]);
        let salt = part(b"salt:").into_iter().take(SALT_BYTES).collect();
        Ok(Self {
            salt,
            iterations: SCRAM_ITERATIONS,
            stored_key: part(b"stored key:"),
            server_key: part(b"server key:"),
        })
    }

    /// Reads the form of RFC 5803 3: `SCRAM-SHA-256$iterations:salt$stored key:server key`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (iterations, rest) = text.strip_prefix("SCRAM-SHA-256$")?.split_once(':')?;
        let (salt, keys) = rest.split_once('$')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        let verifier = Self {
            salt: BASE64.decode(salt).ok()?,
            iterations: iterations.parse().ok()?,
            stored_key: BASE64.decode(stored_key).ok()?.try_into().ok()?,
            server_key: BASE64.decode(server_key).ok()?.try_into().ok()?,
        };
        let usable = (ITERATIONS_MIN..=ITERATIONS_MAX).contains(&verifier.iterations)
            && (1..=SALT_BYTES_MAX).contains(&verifier.salt.len());
        usable.then_some(verifier)
    }

    /// Writes what [`Self::parse`] reads.
    pub(crate) fn to_text(&self) -> String {
        format!(
            "SCRAM-SHA-256${}:{}${}:{}",
            self.iterations,
            BASE64.encode(&self.salt),
            BASE64.encode(self.stored_key),
            BASE64.encode(self.server_key)
        )
    }
}

/// HMAC-SHA-256 with a key of any length.
pub(crate) fn mac(key: &[u8]) -> Result<Hmac<Sha256>, Error> {
    <Hmac<Sha256>>::new_from_slice(key).map_err(|error| Error::System(error.to_string()))
}

/// The tag of a message in pieces.
pub(crate) fn tag(mut mac: Hmac<Sha256>, pieces: &[&[u8]]) -> [u8; 32] {
    for piece in pieces {
        mac.update(piece);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_the_rfc_7677_example_gives_its_server_signature() {
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
        let verifier = ScramVerifier::derive(b"pencil", &salt, 4096).expect("derived");
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = tag(
            mac(&verifier.server_key).expect("key"),
            &[message.as_bytes()],
        );
        assert_eq!(
            BASE64.encode(signature),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
    }

    #[test]
    fn a_verifier_reads_back_as_written() {
        let verifier = ScramVerifier::of_password("open sesame").expect("derived");
        assert_eq!(ScramVerifier::parse(&verifier.to_text()), Some(verifier));
    }

    #[test]
    fn a_damaged_verifier_is_not_read() {
        let good = ScramVerifier::derive(b"pw", b"salt", 4096)
            .expect("derived")
            .to_text();
        assert!(ScramVerifier::parse(&good).is_some());
        for bad in [
            good.replace("SHA-256", "SHA-1"),
            good.replace("$4096", "$1"),
            good.replace("$4096", "$4000000000"),
            good.replace(':', ";"),
            format!("{good}AAAA"),
            String::new(),
        ] {
            assert!(ScramVerifier::parse(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_unknown_user_always_gets_the_same_salt_and_no_other_users() {
        let of = |name| ScramVerifier::invented(&[1; 32], name).expect("invented");
        assert_eq!(of("nobody"), of("nobody"));
        assert_ne!(of("nobody").salt, of("noone").salt);
        assert_eq!(of("nobody").salt.len(), SALT_BYTES);
    }
}
