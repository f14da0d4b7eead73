//! A signed statement of who the gateway is: private_key_jwt (RFC 7523 2.2, OpenID Connect Core section 9).

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest},
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair},
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::json;

use super::{Error, key_file::check_private};
use crate::auth::Secret;

/// How long an assertion is good for. It is used at once; this only bears clocks that differ.
const LIFETIME: Duration = Duration::from_secs(600);

/// A certificate whose key signs assertions.
///
/// The files are read for every assertion, which is about once an hour: a renewed certificate needs no restart.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate, in PEM; the first of the file.
    pub certificate: PathBuf,
    /// Its RSA key, in PEM, readable by its owner alone.
    pub key: PathBuf,
    /// How to sign.
    pub algorithm: Algorithm,
}

/// How assertions are signed (RFC 7518 3.3, 3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PSS with SHA-256, which Microsoft's issuer prefers.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, which every issuer knows.
    Rs256,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }

    fn encoding(self) -> &'static dyn RsaEncoding {
        match self {
            Self::Ps256 => &RSA_PSS_SHA256,
            Self::Rs256 => &RSA_PKCS1_SHA256,
        }
    }
}

impl Certificate {
    /// A JWT that says to `audience` who `client_id` is. Reads both files. Errors: `Config`.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: SystemTime,
    ) -> Result<Secret, Error> {
        let certificate = CertificateDer::from_pem_file(&self.certificate)
            .map_err(|cause| unreadable(&self.certificate, &cause))?;
        check_private(&self.key).map_err(Error::Config)?;
        let key = match PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|cause| unreadable(&self.key, &cause))?
        {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(unreadable(&self.key, &"not an RSA key")),
        }
        .map_err(|cause| unreadable(&self.key, &cause))?;

        let signed = format!(
            "{}.{}",
            part(&self.head(&certificate)),
            part(&claims(client_id, audience, now)?)
        );
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(
            self.algorithm.encoding(),
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .map_err(|_| unreadable(&self.key, &"it cannot sign"))?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        Ok(Secret::new(format!("{signed}.{signature}")))
    }

    /// RFC 7515 4.1: the certificate by its hashes, of which ADFS knows only the one of SHA-1.
    fn head(&self, certificate: &[u8]) -> serde_json::Value {
        let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
        let sha256 = digest(&SHA256, certificate);
        json!({
            "alg": self.algorithm.name(),
            "typ": "JWT",
            "x5t": BASE64_URL_SAFE_NO_PAD.encode(sha1),
            "x5t#S256": BASE64_URL_SAFE_NO_PAD.encode(sha256),
        })
    }
}

/// RFC 7523 section 3.
fn claims(client_id: &str, audience: &str, now: SystemTime) -> Result<serde_json::Value, Error> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|_| Error::Config("no randomness".to_owned()))?;
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| Error::Config("the clock is before 1970".to_owned()))?;
    Ok(json!({
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": BASE64_URL_SAFE_NO_PAD.encode(id),
        "nbf": now.as_secs(),
        "iat": now.as_secs(),
        "exp": (now + LIFETIME).as_secs(),
    }))
}

fn part(json: &serde_json::Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json.to_string())
}

fn unreadable(path: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::Config(format!("{}: {cause}", path.display()))
}
