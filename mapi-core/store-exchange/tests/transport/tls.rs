//! Whom a client trusts, and what binds to whom it trusts.

use sha2::{Digest, Sha256};
use store_exchange::http::{Client, Kind, Options, Request, Sent, TlsOptions, Url};

use crate::peer::{Authority, Peer, client, listen_tls};

async fn server(authority: &Authority) -> Url {
    let address = listen_tls(authority, |_, mut peer: Peer<_>| async move {
        while peer.request().await.is_some() {
            peer.answer(200, "", "secure").await;
        }
    })
    .await;
    Url::parse(&format!("https://{address}/")).unwrap()
}

async fn says(options: Options, url: &Url) -> Result<String, Kind> {
    let request = Request::post(url.clone(), "x");
    let response = client(options).send(&request).await.map_err(|error| {
        assert_eq!(error.sent, Sent::No);
        error.kind
    })?;
    let body = response.body.collect().await.unwrap();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

fn pinned(sha256: [u8; 32]) -> Options {
    Options {
        tls: TlsOptions {
            system_roots: false,
            ca_files: Vec::new(),
            pinned: Some(sha256),
        },
        ..Options::default()
    }
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_and_others_are_not() {
    let authority = Authority::new();
    let url = server(&authority).await;
    assert_eq!(says(authority.trusted(), &url).await.unwrap(), "secure");

    let other = Authority::new();
    assert_eq!(says(other.trusted(), &url).await, Err(Kind::Tls));
    assert_eq!(says(Options::default(), &url).await, Err(Kind::Tls));
    let mut misnamed = url.clone();
    misnamed.set_host(Some("localhost")).unwrap();
    assert_eq!(says(authority.trusted(), &misnamed).await, Err(Kind::Tls));
}

#[tokio::test]
async fn a_pinned_certificate_is_trusted_and_no_other() {
    let authority = Authority::new();
    let url = server(&authority).await;
    let pin = Sha256::digest(&authority.certificate).into();
    assert_eq!(says(pinned(pin), &url).await.unwrap(), "secure");
    let mut misnamed = url.clone();
    misnamed.set_host(Some("localhost")).unwrap();
    assert_eq!(says(pinned(pin), &misnamed).await.unwrap(), "secure");
    let other = server(&Authority::new()).await;
    assert_eq!(says(pinned(pin), &other).await, Err(Kind::Tls));
}

#[tokio::test]
async fn every_connection_is_bound_to_the_certificate() {
    let authority = Authority::new();
    let url = server(&authority).await;
    let client = client(authority.trusted());
    let expected = [
        b"tls-server-end-point:".as_slice(),
        &Sha256::digest(&authority.certificate),
    ]
    .concat();
    // The second one resumes the first one's TLS session.
    for _ in 0..2 {
        let mut connection = client.connect(&url).await.unwrap();
        let binding = connection.channel_binding().unwrap();
        assert_eq!(binding.application_data(), expected);
        let response = connection
            .send(&Request::post(url.clone(), "x"))
            .await
            .unwrap();
        response.body.collect().await.unwrap();
    }
}

#[test]
fn options_that_trust_nobody_or_name_no_authority_are_refused() {
    let mut options = Options::default();
    options.tls.system_roots = false;
    let error = Client::new(options.clone()).unwrap_err();
    assert!(error.to_string().contains("no certificate authority"));
    for (name, content) in [
        ("empty.pem", ""),
        (
            "broken.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        options.tls.ca_files = vec![path];
        let error = Client::new(options.clone()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    options.tls.ca_files = vec!["/nowhere/ca.pem".into()];
    let error = Client::new(options).unwrap_err();
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
}

#[tokio::test]
async fn nothing_leaves_this_machine_unencrypted() {
    let client = client(crate::peer::plain());
    for url in ["http://192.0.2.1/", "http://mail.example.test/mapi/"] {
        let url = Url::parse(url).unwrap();
        let error = client.send(&Request::post(url, "x")).await.unwrap_err();
        assert!(matches!(error.kind, Kind::Declined(_)), "{error:?}");
        assert_eq!(error.sent, Sent::No);
    }
}
