//! A look at a server's certificate, for an administrator: which it is, and why it is not trusted.
//!
//! The connection is closed right after the handshake. Nothing is sent over it.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sha2::{Digest, Sha256};
use url::Url;

use super::{Client, Error, Kind, Origin, tls};

/// The most names of a certificate that are told.
const NAMES_MAX: usize = 8;

/// A certificate that a server showed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    /// The SHA-256 of its DER form, as it is pinned by.
    pub sha256: [u8; 32],
    /// Why it is not trusted; `None`: it is.
    pub fault: Option<CertificateFault>,
}

/// Why a certificate is not trusted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CertificateFault {
    /// It is that of an authority, which no server may have: self-signed, as a rule, and trusted as an authority.
    AnAuthoritys,
    /// Nobody who is trusted has issued it: an authority that is not known here, or itself.
    UnknownIssuer,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is for others than this host: some of their names.
    WrongName(Vec<String>),
    /// Another one is pinned.
    NotPinned,
    /// Something else, in words.
    Other(String),
}

impl CertificateFault {
    fn of(error: &TlsError) -> Self {
        let TlsError::InvalidCertificate(why) = error else {
            return Self::Other(error.to_string());
        };
        match why {
            // An authority of the same name that has another key: one that was made anew, for example.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::NotValidForName => Self::WrongName(Vec::new()),
            CertificateError::NotValidForNameContext { presented, .. } => Self::WrongName(
                presented
                    .iter()
                    .take(NAMES_MAX)
                    .map(|name| plain(name))
                    .collect(),
            ),
            CertificateError::ApplicationVerificationFailure => Self::NotPinned,
            // The verifier below has an error type of its own, which is not exported: its name is all there is.
            CertificateError::Other(other)
                if format!("{other:?}").contains("CaUsedAsEndEntity") =>
            {
                Self::AnAuthoritys
            }
            other => Self::Other(other.to_string()),
        }
    }
}

/// A name in a certificate without what is said of its kind: `DnsName("mail.example.test")`.
fn plain(name: &str) -> String {
    let inner = name.split('"').nth(1).unwrap_or(name);
    inner
        .chars()
        .filter(|c| !c.is_control())
        .take(253)
        .collect()
}

impl Client {
    /// Looks at the certificate of a URL's host. Errors: as [`Self::connect`]; `Tls` where there is no certificate.
    pub async fn examine(&self, url: &Url) -> Result<Certificate, Error> {
        let origin = Origin::of(url)?;
        if !origin.tls {
            return Err(Error::unsent(Kind::Declined("there is no TLS")));
        }
        let looking = Arc::new(Looking {
            trust: self.verifier(),
            seen: Mutex::default(),
        });
        let config = tls::client_config(Arc::clone(&looking) as Arc<dyn ServerCertVerifier>)
            .map_err(|cause| Error::unsent(Kind::Tls).because(cause))?;
        let shaken = self.shake(&origin, config).await;
        let seen = looking
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match (seen, shaken) {
            (Some(certificate), _) => Ok(certificate),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(Error::unsent(Kind::Tls)),
        }
    }
}

/// Notes what a server shows, and what would be thought of it.
#[derive(Debug)]
struct Looking {
    trust: Arc<dyn ServerCertVerifier>,
    seen: Mutex<Option<Certificate>>,
}

impl ServerCertVerifier for Looking {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verdict = self.trust.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let certificate = Certificate {
            sha256: Sha256::digest(end_entity).into(),
            fault: verdict.as_ref().err().map(CertificateFault::of),
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate);
        // The handshake need not go on.
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.trust.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.trust.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.supported_verify_schemes()
    }
}
