//! STARTTLS with a real handshake, and what must not come before it.

use std::sync::Arc;

use crate::support::World;
use front_end::Tls;
use imap_server::Config;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio_rustls::TlsConnector;

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
    let world = World::new(Config::default(), Some(tls)).await;
    let mut client = world.connect(false);
    let greeting = client.response().await.unwrap();
    assert!(
        String::from_utf8_lossy(&greeting).contains(" STARTTLS AUTH=SCRAM-SHA-256 LOGINDISABLED")
    );
    let refused = client.command("a", "LOGIN ann@example.test secret").await;
    assert!(refused[0].starts_with(b"a NO [PRIVACYREQUIRED]"));
    let answer = client.command("b", "STARTTLS").await;
    assert_eq!(answer, [b"b OK begin TLS now"]);

    let name = ServerName::try_from("mail.example.test").unwrap();
    let stream = connector
        .connect(name, client.stream.into_inner())
        .await
        .unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.write_all(b"c CAPABILITY\r\n").await.unwrap();
    stream.read_line(&mut line).await.unwrap();
    assert!(
        line.contains("AUTH=PLAIN") && !line.contains("STARTTLS"),
        "{line}"
    );
    stream.read_line(&mut line).await.unwrap();
    stream
        .write_all(b"d LOGIN ann@example.test secret\r\ne STARTTLS\r\n")
        .await
        .unwrap();
    line.clear();
    stream.read_line(&mut line).await.unwrap();
    assert!(line.starts_with("d OK "), "{line}");
    line.clear();
    stream.read_line(&mut line).await.unwrap();
    assert_eq!(line, "e BAD TLS is active already\r\n");
}

#[tokio::test]
async fn commands_smuggled_in_behind_starttls_are_never_carried_out() {
    let (tls, _) = made();
    let world = World::new(Config::default(), Some(tls)).await;
    let mut client = world.connect(true);
    client.response().await.unwrap();
    client
        .send(b"a STARTTLS\r\nb LOGIN ann@example.test secret\r\nc SELECT INBOX\r\n")
        .await;
    let mut answers = Vec::new();
    while let Some(answer) = client.response().await {
        answers.push(String::from_utf8_lossy(&answer).into_owned());
    }
    assert_eq!(
        answers,
        [
            "a BAD nothing may follow STARTTLS before the handshake",
            "* BYE closing"
        ],
    );
}
