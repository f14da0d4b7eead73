//! An issuer's keys. Source: RFC 7517 4 and 5, RFC 7518 6, RFC 8037 2.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::Deserialize;

use crate::{Algorithm, Refusal};

/// The longest key set that is read, in bytes.
pub const KEYS_BYTES_MAX: u64 = 256 << 10;
/// The most keys that are kept of one.
const KEYS_MAX: usize = 64;

/// The public keys of an issuer that signatures can be checked with.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeySet(Vec<Key>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Key {
    id: Option<String>,
    /// The only algorithm it may be used with, if it says so.
    algorithm: Option<String>,
    material: Material,
}

/// A public key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a key set. What is no key to check signatures with, or of a kind that is not known, is left out (RFC 7517
    /// 5). `None`: it is no key set.
    pub fn parse(json: &[u8]) -> Option<Self> {
        if json.len() as u64 > KEYS_BYTES_MAX {
            return None;
        }
        let set: Set = serde_json::from_slice(json).ok()?;
        let keys = set.keys.into_iter().filter_map(|key| {
            let jwk: Jwk = serde_json::from_value(key).ok()?;
            jwk.key()
        });
        Some(Self(keys.take(KEYS_MAX).collect()))
    }

    /// Whether a message is signed by one of the keys: by the one of this id, else by any that says no other id.
    ///
    /// Errors: `UnknownKey`, `Signature`.
    pub(crate) fn verify(
        &self,
        (id, algorithm): (Option<&str>, Algorithm),
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Refusal> {
        let is_meant = |key: &&Key| match id {
            Some(id) => key.id.as_deref().is_none_or(|own| own == id),
            None => true,
        };
        let allows = |key: &&Key| {
            let only = key.algorithm.as_deref();
            only.is_none_or(|only| only == algorithm.name())
        };
        let mut refusal = Refusal::UnknownKey;
        for key in self.0.iter().filter(is_meant).filter(allows) {
            if algorithm.verifies(&key.material, message, signature) {
                return Ok(());
            }
            if id.is_some() && key.id.is_some() {
                refusal = Refusal::Signature;
            }
        }
        Err(refusal)
    }
}

impl Jwk {
    fn key(self) -> Option<Key> {
        if self
            .purpose
            .as_deref()
            .is_some_and(|purpose| purpose != "sig")
        {
            return None;
        }
        let decode = |text: &Option<String>| BASE64URL.decode(text.as_deref()?).ok();
        let point = |octets: usize| {
            let (x, y) = (decode(&self.x)?, decode(&self.y)?);
            // RFC 7518 6.2.1.2: both have the length of the field, zeros included.
            let fits = x.len() == octets && y.len() == octets;
            fits.then(|| [&[4][..], &x, &y].concat())
        };
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Material::Rsa {
                n: decode(&self.n)?,
                e: decode(&self.e)?,
            },
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(decode(&self.x)?),
            _ => return None,
        };
        Some(Key {
            id: self.kid,
            algorithm: self.alg,
            material,
        })
    }
}
