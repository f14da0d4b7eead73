//! NTLM, by itself and within Negotiate, against an acceptor.

use std::net::SocketAddr;

use base64::{Engine, prelude::BASE64_STANDARD};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use sspi::{
    AuthIdentityBuffers, BufferType, DataRepresentation, SecurityBuffer, SecurityStatus,
    ServerRequestFlags, Sspi, SspiImpl,
};
use store_exchange::{
    auth::{Channel, Credentials, Error, Password, Policy, Scheme},
    http::{Request, Sent, Url},
};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    login::{only, says},
    peer::{Authority, Peer, client, listen, listen_tls, plain, post},
};

const SECRET: &str = "open sesame";

fn password(secret: &str) -> Credentials {
    Credentials::Password(Password {
        user: "anna".to_owned(),
        domain: Some("EXAMPLE".to_owned()),
        secret: secret.into(),
    })
}

/// The server's side of one connection.
struct Acceptor {
    context: sspi::Ntlm,
    identity: Option<AuthIdentityBuffers>,
}

impl Acceptor {
    fn new() -> Self {
        Self {
            context: sspi::Ntlm::new(),
            identity: Some(AuthIdentityBuffers::from_utf8("anna", "EXAMPLE", SECRET)),
        }
    }

    /// What the server says to a token; nothing when the exchange is complete.
    fn accept(&mut self, token: Vec<u8>) -> sspi::Result<Option<Vec<u8>>> {
        let mut input = [SecurityBuffer::new(token, BufferType::Token)];
        let mut output = [SecurityBuffer::new(Vec::new(), BufferType::Token)];
        let builder = self
            .context
            .accept_security_context()
            .with_credentials_handle(&mut self.identity)
            .with_context_requirements(ServerRequestFlags::empty())
            .with_target_data_representation(DataRepresentation::Network)
            .with_input(&mut input)
            .with_output(&mut output);
        let result = self
            .context
            .accept_security_context_impl(builder)?
            .resolve_to_result()?;
        if result.status == SecurityStatus::ContinueNeeded {
            return Ok(Some(std::mem::take(&mut output[0].buffer)));
        }
        self.context.complete_auth_token(&mut [])?;
        Ok(None)
    }
}

/// Serves one connection. It answers 401 until the connection is authenticated, and then tells how many requests it
/// had, and which channel binding the client sent.
async fn serve<S>(mut peer: Peer<S>, scheme: &str)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let offer = format!("WWW-Authenticate: {scheme}\r\nWWW-Authenticate: Basic realm=\"r\"\r\n");
    let mut acceptor = Acceptor::new();
    let mut welcome = None;
    for number in 1.. {
        let Some(request) = peer.request().await else {
            return;
        };
        if let Some(value) = request.header("authorization") {
            let token = value.strip_prefix(scheme).unwrap().trim();
            let token = BASE64_STANDARD.decode(token).unwrap();
            assert!(token.starts_with(b"NTLMSSP\0"));
            let binding = av_pair(&token, 0x000A);
            match acceptor.accept(token) {
                Ok(Some(said)) => {
                    // A token of two legs never carries the request itself.
                    assert_eq!(request.body, b"");
                    assert_eq!(request.header("x-requesttype"), None);
                    let said = BASE64_STANDARD.encode(said);
                    let said = format!("WWW-Authenticate: {scheme} {said}\r\n");
                    peer.answer(401, &said, "go on").await;
                    continue;
                }
                Ok(None) => welcome = Some(binding.map_or("none".to_owned(), |b| hex(&b))),
                Err(_) => acceptor = Acceptor::new(),
            }
        }
        match &welcome {
            Some(binding) => {
                assert_eq!(request.body, b"the request");
                peer.answer(200, "", &format!("{number} {binding}")).await;
            }
            None => peer.answer(401, &offer, "no").await,
        }
    }
}

/// A value of the target information in an AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3, 2.2.2.1, 2.2.2.7).
fn av_pair(message: &[u8], wanted: u16) -> Option<Vec<u8>> {
    if message[8] != 3 {
        return None;
    }
    let word = |at: usize| u16::from_le_bytes([message[at], message[at + 1]]);
    let response = usize::from(word(24));
    // NTProofStr and the fixed fields of NTLMv2_CLIENT_CHALLENGE.
    let mut at = response + 16 + 28;
    while word(at) != 0 {
        let len = usize::from(word(at + 2));
        if word(at) == wanted {
            return Some(message[at + 4..at + 4 + len].to_vec());
        }
        at += 4 + len;
    }
    None
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn plain_server(scheme: &'static str) -> SocketAddr {
    let (address, _server) = listen(move |_, peer| serve(peer, scheme)).await;
    address
}

fn request(url: Url) -> Request {
    Request::post(url, "the request")
        .header("x-requesttype".parse().unwrap(), "PING".parse().unwrap())
}

#[tokio::test]
async fn three_messages_authenticate_a_connection_for_all_its_requests() {
    for (scheme, policy, expected) in [
        ("NTLM", only(Scheme::Ntlm), 2),
        ("Negotiate", only(Scheme::Negotiate), 2),
        // With a choice, the server is asked first.
        ("NTLM", Policy::default(), 3),
        ("Negotiate", Policy::default(), 3),
    ] {
        let address = plain_server(scheme).await;
        let mut channel = Channel::new(client(plain()), password(SECRET), policy);
        let request = request(post(address, b"").url);
        for number in [expected, expected + 1] {
            let got = says(&mut channel, &request).await.unwrap();
            assert_eq!(got, format!("200 {number} none"), "{scheme}");
        }
        // What was agreed on is known for the next connection.
        channel.close();
        let got = says(&mut channel, &request).await.unwrap();
        assert_eq!(got, "200 2 none", "{scheme}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_tried_by_another_scheme() {
    for scheme in ["NTLM", "Negotiate"] {
        let address = plain_server(scheme).await;
        let request = request(post(address, b"").url);
        let mut channel = Channel::new(client(plain()), password("wrong"), Policy::default());
        let error = channel.send(&request).await.unwrap_err();
        assert!(matches!(error, Error::Unauthenticated), "{error:?}");
        assert_eq!(error.sent(), Sent::No);
    }
}

#[tokio::test]
async fn a_hash_is_no_password() {
    let address = plain_server("NTLM").await;
    // MD4 of "open sesame" in UTF-16, as the library would take it.
    let mut channel = Channel::new(
        client(plain()),
        password("$NTLM$:00000000000000000000000000000000"),
        only(Scheme::Ntlm),
    );
    let error = channel
        .send(&request(post(address, b"").url))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unauthenticated), "{error:?}");
}

#[tokio::test]
async fn over_tls_the_certificate_is_bound() {
    let authority = Authority::new();
    let address = listen_tls(&authority, |_, peer| serve(peer, "NTLM")).await;
    let url = Url::parse(&format!("https://{address}/mapi/emsmdb/")).unwrap();
    let client = client(authority.trusted());
    let mut channel = Channel::new(client, password(SECRET), only(Scheme::Ntlm));
    let got = says(&mut channel, &request(url)).await.unwrap();

    // MD5 of gss_channel_bindings_struct (MS-NLMP 3.1.5.1.2, RFC 4121 4.1.1.2): no addresses, then the data.
    let hash = Sha256::digest(&authority.certificate);
    let data = [b"tls-server-end-point:".as_slice(), hash.as_slice()].concat();
    let len = u32::try_from(data.len()).unwrap().to_le_bytes();
    let bindings = [[0; 16].as_slice(), len.as_slice(), &data].concat();
    assert_eq!(got, format!("200 2 {}", hex(&Md5::digest(bindings))));
}

/// Says the next of these tokens to each request of a connection, and to any further one 200.
async fn script(tokens: &'static [&'static str]) -> SocketAddr {
    let (address, _server) = listen(move |_, mut peer| async move {
        let mut tokens = tokens.iter();
        while peer.request().await.is_some() {
            match tokens.next() {
                Some(said) => {
                    let said = format!("WWW-Authenticate: {said}\r\n");
                    peer.answer(401, &said, "").await;
                }
                None => peer.answer(200, "", "in").await,
            }
        }
    })
    .await;
    address
}

#[tokio::test]
async fn a_server_that_talks_nonsense_is_given_up() {
    for tokens in [
        &["NTLM bm9uc2Vuc2U="] as &'static [&'static str],
        &["NTLM TlRMTVNTUAACAAAA"],
        &["NTLM"],
        &["NTLM !!!!", "NTLM", "NTLM"],
    ] {
        let address = script(tokens).await;
        let mut channel = Channel::new(client(plain()), password(SECRET), only(Scheme::Ntlm));
        let error = channel.send(&post(address, b"x")).await.unwrap_err();
        assert!(
            matches!(error, Error::Unauthenticated | Error::Mechanism(_)),
            "{tokens:?}: {error:?}"
        );
        assert_eq!(error.sent(), Sent::No);
    }
}

#[tokio::test]
async fn an_authentication_that_loses_its_connection_begins_again_on_the_next() {
    let (address, _server) = listen(|number, mut peer| async move {
        if number < 2 {
            peer.request().await.unwrap();
            peer.answer(401, "WWW-Authenticate: NTLM\r\nConnection: close\r\n", "")
                .await;
        } else {
            serve(peer, "NTLM").await;
        }
    })
    .await;
    let mut channel = Channel::new(client(plain()), password(SECRET), Policy::default());
    let got = says(&mut channel, &request(post(address, b"").url)).await;
    assert!(matches!(got, Err(Error::Unauthenticated)), "{got:?}");
    let got = says(&mut channel, &request(post(address, b"").url)).await;
    assert_eq!(got.unwrap(), "200 2 none");
}
