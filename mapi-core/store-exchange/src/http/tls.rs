//! TLS to servers: whom to trust, and one certificate where an administrator pins it.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use sha2::{Digest, Sha256};
use url::Host;

use super::{ConfigError, Error, Kind, TlsOptions};

/// A configuration that trusts whom the options name, for whatever protocol. Reads the authorities from disk.
pub fn trusting(options: &TlsOptions) -> Result<ClientConfig, ConfigError> {
    believing(verifier(options)?)
}

/// Whom a client trusts. Reads the trusted authorities from disk.
pub(super) fn verifier(options: &TlsOptions) -> Result<Arc<dyn ServerCertVerifier>, ConfigError> {
    let provider = Arc::new(ring::default_provider());
    if let Some(sha256) = options.pinned {
        return Ok(Arc::new(Pinned { sha256, provider }));
    }
    let roots = Arc::new(roots(options)?);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
    verifier
        .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
        .map_err(|cause| ConfigError(format!("certificate authorities: {cause}")))
}

/// The configuration for HTTP connections to whoever this trusts.
pub(super) fn client_config(
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<Arc<ClientConfig>, ConfigError> {
    let mut config = believing(verifier)?;
    // NTLM belongs to HTTP/1.1: a server that would rather speak HTTP/2 is told before it can.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn believing(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, ConfigError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|cause| ConfigError(format!("TLS versions: {cause}")))?;
    let builder = builder.dangerous();
    Ok(builder
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// What a server's certificate must name.
pub(super) fn server_name(host: &Host<String>) -> Result<ServerName<'static>, Error> {
    match host {
        Host::Ipv4(address) => Ok(ServerName::IpAddress((*address).into())),
        Host::Ipv6(address) => Ok(ServerName::IpAddress((*address).into())),
        Host::Domain(name) => {
            ServerName::try_from(name.trim_end_matches('.').to_owned()).map_err(|cause| {
                Error::unsent(Kind::Declined("the host is no DNS name")).because(cause)
            })
        }
    }
}

fn roots(options: &TlsOptions) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    if options.system_roots {
        let found = rustls_native_certs::load_native_certs();
        for fault in &found.errors {
            tracing::warn!(%fault, "some of the system's certificate authorities cannot be read");
        }
        roots.add_parsable_certificates(found.certs);
    }
    for file in &options.ca_files {
        let fault = |cause: &dyn std::fmt::Display| {
            ConfigError(format!("certificate authority {}: {cause}", file.display()))
        };
        let mut any = false;
        for certificate in CertificateDer::pem_file_iter(file).map_err(|cause| fault(&cause))? {
            let certificate = certificate.map_err(|cause| fault(&cause))?;
            roots.add(certificate).map_err(|cause| fault(&cause))?;
            any = true;
        }
        if !any {
            return Err(fault(&"there is no certificate in it"));
        }
    }
    if roots.is_empty() {
        return Err(ConfigError(
            "no certificate authority is trusted: no server could be reached".to_owned(),
        ));
    }
    Ok(roots)
}

/// Accepts one certificate, whatever it says.
#[derive(Debug)]
struct Pinned {
    sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if Sha256::digest(end_entity).as_slice() == self.sha256 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
