//! A certificate of the server's own making.

use std::{io, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio_rustls::TlsAcceptor;

/// What a server needs to speak TLS.
pub(crate) struct Tls {
    /// Takes connections.
    pub(crate) acceptor: TlsAcceptor,
    /// The certificate that clients have to trust, as PEM.
    pub(crate) certificate_pem: String,
}

/// Makes a certificate for these names.
pub(crate) fn self_signed(names: &[String]) -> io::Result<Tls> {
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(io::Error::other)?;
    Ok(Tls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        certificate_pem: made.cert.pem(),
    })
}
