//! TLS as a server: the handshake, and what it tells of both ends.

use std::{io, net::IpAddr, sync::Arc};

use rustls::{
    CertificateError, ProtocolVersion, ServerConfig, ServerConnection, pki_types::CertificateDer,
};
use sasl::ChannelBindings;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{ClientCertificate, Stream, audit, certificate};

/// The label of `tls-exporter`. Source: RFC 9266 2.
const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// What handshakes of a listener use.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    /// What `tls-server-end-point` stands for.
    end_point: Option<Arc<[u8]>>,
}

/// What a handshake told.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// What identifies this connection at both ends.
    pub bindings: ChannelBindings,
    /// Whose the other end is, where it showed a certificate that was good.
    pub certificate: Option<Arc<ClientCertificate>>,
}

impl Tls {
    /// Handshakes with a configuration that presents this certificate alone.
    pub fn new(config: Arc<ServerConfig>, certificate: &CertificateDer<'_>) -> Self {
        Self {
            acceptor: TlsAcceptor::from(config),
            end_point: certificate::end_point(certificate).map(Arc::from),
        }
    }

    /// Takes the handshake of a client at this address.
    pub async fn accept<S: Stream>(
        &self,
        stream: S,
        addr: Option<IpAddr>,
    ) -> io::Result<(TlsStream<S>, Channel)> {
        match self.acceptor.accept(stream).await {
            Ok(stream) => {
                let channel = self.channel(stream.get_ref().1);
                Ok((stream, channel))
            }
            Err(error) => {
                if let Some(reason) = certificate_fault(&error) {
                    audit::certificate_refused(addr, reason);
                }
                Err(error)
            }
        }
    }

    fn channel(&self, connection: &ServerConnection) -> Channel {
        let chain = connection.peer_certificates().unwrap_or_default();
        let certificate = chain.first().and_then(|own| ClientCertificate::read(own));
        Channel {
            bindings: ChannelBindings {
                tls_exporter: exporter(connection),
                tls_server_end_point: self.end_point.as_deref().map(<[u8]>::to_vec),
            },
            certificate: certificate.map(Arc::new),
        }
    }
}

/// What is wrong with the client's certificate, if that is what a handshake failed for.
fn certificate_fault(error: &io::Error) -> Option<&CertificateError> {
    match error.get_ref()?.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(fault)) => Some(fault),
        _ => None,
    }
}

/// The binding of this very connection. Before TLS 1.3 it takes an extension to be one (RFC 9266 4.2): it is not
/// offered there.
fn exporter(connection: &ServerConnection) -> Option<Vec<u8>> {
    if connection.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return None;
    }
    let material = connection.export_keying_material([0; 32], EXPORTER_LABEL, Some(b""));
    material.ok().map(|material| material.to_vec())
}
