//! The same over TLS.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use exchange_standin::{Config, Server};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

#[test]
fn a_server_with_tls_shows_a_certificate_to_trust() {
    let server = Server::start(Config {
        tls: true,
        host: Some("localhost".into()),
        ..Config::default()
    })
    .unwrap();
    assert!(server.url().starts_with("https://localhost:"));
    let pem = server.certificate_pem().unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(tls, TcpStream::connect(server.address()).unwrap());
    let request = b"GET /autodiscover/autodiscover.json HTTP/1.1\r\nConnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    // The server closes without a last word of TLS, as many do.
    let _ = stream.read_to_end(&mut answer);
    assert!(
        answer.starts_with(b"HTTP/1.1 400 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}
