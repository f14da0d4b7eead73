//! STLS with a real handshake, and what must not come before it.

use std::sync::Arc;

use front_end::Tls;
use mapi_store::MemBackend;
use pop3_server::Config;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio_rustls::TlsConnector;

use crate::support::World;

/// A server's TLS, and a client that trusts it.
fn made() -> (Tls, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(["mail.example.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let certificate = made.cert.der().clone();
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let client = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (
        Tls::new(Arc::new(server), &certificate),
        TlsConnector::from(Arc::new(client)),
    )
}

#[tokio::test]
async fn a_password_may_come_after_the_handshake() {
    let (tls, connector) = made();
    let world = World::over(MemBackend::new(), Config::default(), Some(tls)).await;
    let mut client = world.connect(false).await;
    assert!(client.list("CAPA").await.contains(&"STLS".to_owned()));
    client.ask("STLS", "+OK begin TLS now").await;
    let name = ServerName::try_from("mail.example.test").unwrap();
    let stream = client.stream.into_inner();
    let mut stream = BufReader::new(connector.connect(name, stream).await.unwrap());
    let commands = b"STLS\r\nUSER ann@example.test\r\nPASS secret\r\nCAPA\r\n";
    stream.write_all(commands).await.unwrap();
    let mut lines = stream.lines();
    let mut answers = Vec::new();
    while answers.last().is_none_or(|line| line != ".") {
        answers.push(lines.next_line().await.unwrap().unwrap());
    }
    assert_eq!(answers[0], "-ERR TLS is active already");
    assert_eq!(answers[2], "+OK 0 messages");
    assert!(!answers.contains(&"STLS".to_owned()));
    assert!(answers.contains(&"USER".to_owned()));
}

#[tokio::test]
async fn who_has_logged_in_without_tls_is_not_offered_it_any_more() {
    let (tls, _) = made();
    let world = World::over(MemBackend::new(), Config::default(), Some(tls)).await;
    let mut ann = world.ann().await;
    assert!(!ann.list("CAPA").await.contains(&"STLS".to_owned()));
    ann.ask("STLS", "-ERR already logged in").await;
}

#[tokio::test]
async fn commands_smuggled_in_behind_stls_are_never_carried_out() {
    let (tls, _) = made();
    let world = World::over(MemBackend::new(), Config::default(), Some(tls)).await;
    let mut client = world.connect(true).await;
    client
        .send(b"STLS\r\nUSER ann@example.test\r\nPASS secret\r\n")
        .await;
    let answer = client.line().await.unwrap();
    assert_eq!(answer, "-ERR nothing may follow STLS before the handshake");
    assert_eq!(client.line().await, None);
}
