//! A small world of named HTTPS servers behind a proxy in this process, with DNS and plain HTTP that say what a test
//! wants them to say. Names are those of certificates, so that trust is what it is outside.

use std::{
    collections::HashMap,
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::future::BoxFuture;
use mapi_wire::autodiscover::{
    MapiHttp, Protocol, RpcKind, RpcProtocol, Settings, Urls,
    pox::{PoxError, PoxResponse},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::super::{Locator, Options, User, network::Network};
use crate::{
    auth::{Credentials, Password, Policy, Scheme},
    http::{self, Client, Proxy, TlsOptions, Url},
};

/// The user of all tests.
pub(super) const ANNA: &str = "anna@example.test";
pub(super) const SECRET: &str = "open sesame";

/// What a server does with a request.
#[derive(Clone, Debug)]
pub(super) enum Does {
    /// Answers with a status, headers (each ended by CRLF) and a body.
    Answer(u16, String, String),
    /// Wants Anna's password first.
    Asks(Box<Self>),
    /// Lets the client wait.
    Nothing,
    /// Sends this without an end.
    Endless(&'static str),
}

/// A request that a server has seen.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) host: String,
    pub(super) line: String,
    pub(super) body: String,
    pub(super) password: bool,
}

/// What a server does for whom it is asked.
pub(super) type Server = Box<dyn Fn(&Seen) -> Does + Send + Sync>;

/// What servers there are, by host and port. A host whose name begins with `!`
/// has a certificate of another.
pub(super) type Servers = HashMap<String, Server>;

pub(super) struct World {
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
    pub(super) told: Told,
    client: Client,
    _authority: NamedTempFile,
}

/// What DNS and plain HTTP say.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) srv: Vec<(String, u16)>,
    pub(super) redirect: Option<String>,
}

impl Network for Told {
    fn srv<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<(String, u16)>, String>> {
        assert!(name.starts_with("_autodiscover._tcp."), "{name}");
        Box::pin(async { Ok(self.srv.clone()) })
    }

    fn redirect<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Option<String>, String>> {
        assert!(url.as_str().starts_with("http://autodiscover."), "{url}");
        Box::pin(async { Ok(self.redirect.clone()) })
    }
}

impl World {
    pub(super) async fn new(servers: Servers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let (authority, issuer) = authority();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::new(Shared {
            servers,
            issuer,
            certificates: Mutex::default(),
            seen: Arc::clone(&seen),
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&shared).tunnel(stream));
            }
        });
        let client = Client::new(http::Options {
            tls: TlsOptions {
                system_roots: false,
                ca_files: vec![authority.path().to_owned()],
                pinned: None,
            },
            proxy: Some(Proxy::parse(&proxy).unwrap()),
            ..http::Options::default()
        });
        Self {
            seen,
            told: Told::default(),
            client: client.unwrap(),
            _authority: authority,
        }
    }

    pub(super) fn locator(&self, options: Options) -> Locator {
        self.locator_of(SECRET, options)
    }

    pub(super) fn locator_of(&self, secret: &str, options: Options) -> Locator {
        let user = User {
            address: ANNA.to_owned(),
            credentials: Credentials::Password(Password {
                user: ANNA.to_owned(),
                domain: None,
                secret: secret.into(),
            }),
            policy: Policy {
                schemes: vec![Scheme::Basic],
            },
        };
        Locator::over(
            Box::new(self.told.clone()),
            self.client.clone(),
            user,
            options,
        )
    }

    /// The hosts that have seen the password, each once, in alphabetical order.
    pub(super) fn entrusted(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let hosts = seen.iter().filter(|seen| seen.password);
        let mut hosts: Vec<String> = hosts.map(|seen| seen.host.clone()).collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }

    pub(super) fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

struct Shared {
    servers: Servers,
    issuer: Issuer<'static, KeyPair>,
    certificates: Mutex<HashMap<String, Arc<ServerConfig>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Shared {
    /// Serves one client: CONNECT, TLS as the host, and requests.
    async fn tunnel(self: Arc<Self>, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        let Some((head, _)) = request(&mut stream, &mut buffer).await else {
            return;
        };
        let target = head.split(' ').nth(1).unwrap().to_owned();
        let name = target.strip_suffix(":443").unwrap_or(&target).to_owned();
        let (server, certified) = match self.servers.get(&name) {
            Some(server) => (server, name.split(':').next().unwrap().to_owned()),
            None => match self.servers.get(&format!("!{name}")) {
                Some(server) => (server, "other.test".to_owned()),
                None => {
                    let _ = stream.write_all(b"HTTP/1.1 502 No\r\n\r\n").await;
                    return;
                }
            },
        };
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let acceptor = TlsAcceptor::from(self.certificate(&certified));
        let Ok(mut stream) = acceptor.accept(stream).await else {
            return;
        };
        let mut buffer = Vec::new();
        while let Some((head, body)) = request(&mut stream, &mut buffer).await {
            let authorization = header(&head, "authorization").map(str::to_owned);
            let seen = Seen {
                host: name.clone(),
                line: head.lines().next().unwrap().to_owned(),
                body,
                password: authorization.is_some(),
            };
            self.seen.lock().unwrap().push(seen.clone());
            if act(&mut stream, server(&seen), authorization)
                .await
                .is_none()
            {
                return;
            }
        }
    }

    /// The configuration of a server with a certificate for this name.
    fn certificate(&self, name: &str) -> Arc<ServerConfig> {
        let mut certificates = self.certificates.lock().unwrap();
        let make = || Arc::new(certificate(&self.issuer, name));
        Arc::clone(certificates.entry(name.to_owned()).or_insert_with(make))
    }
}

fn certificate(issuer: &Issuer<'static, KeyPair>, name: &str) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let chain = vec![certificate.der().clone()];
    let config = ServerConfig::builder().with_no_client_auth();
    config.with_single_cert(chain, key).unwrap()
}

async fn act<S: AsyncWrite + Unpin>(
    stream: &mut S,
    does: Does,
    authorization: Option<String>,
) -> Option<()> {
    match does {
        Does::Answer(status, headers, body) => {
            let len = body.len();
            let answer =
                format!("HTTP/1.1 {status} So\r\n{headers}Content-Length: {len}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.ok()
        }
        Does::Asks(then) => {
            let right = BASE64_STANDARD.encode(format!("{ANNA}:{SECRET}"));
            let does = match authorization {
                Some(value) if value == format!("Basic {right}") => *then,
                _ => answer(401, "WWW-Authenticate: Basic realm=\"r\"\r\n", "who?"),
            };
            Box::pin(act(stream, does, None)).await
        }
        Does::Nothing => {
            std::future::pending::<()>().await;
            None
        }
        Does::Endless(piece) => {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok()?;
            let piece = piece.repeat(1000);
            let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
            loop {
                stream.write_all(chunk.as_bytes()).await.ok()?;
            }
        }
    }
}

/// Head and body of the next request.
async fn request<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> Option<(String, String)> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer.drain(..end).collect()).unwrap();
    let len = header(&head, "content-length").map_or(0, |len| len.parse().unwrap());
    while buffer.len() < len {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(buffer.drain(..len).collect()).unwrap();
    Some((head, body))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

fn authority() -> (NamedTempFile, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let mut file = NamedTempFile::new().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    file.write_all(pem.as_bytes()).unwrap();
    (file, Issuer::new(params, key))
}

/// Options for quick tests: JSON and SOAP are asked where a test is about them.
pub(super) fn options() -> Options {
    Options {
        json: false,
        soap: false,
        attempt: Duration::from_secs(60),
        ..Options::default()
    }
}

pub(super) fn server(does: impl Fn(&Seen) -> Does + Send + Sync + 'static) -> Server {
    Box::new(does)
}

/// A server that does the same for everybody.
pub(super) fn always(does: Does) -> Server {
    server(move |_| does.clone())
}

/// The servers of these names; see [`Servers`].
pub(super) fn servers<const N: usize>(all: [(&str, Server); N]) -> Servers {
    all.into_iter()
        .map(|(name, does)| (name.to_owned(), does))
        .collect()
}

pub(super) fn answer(status: u16, headers: &str, body: &str) -> Does {
    Does::Answer(status, headers.to_owned(), body.to_owned())
}

/// Wants the password, then says this.
pub(super) fn asks(response: &PoxResponse) -> Does {
    Does::Asks(Box::new(answer(200, "", &response.to_xml())))
}

/// Redirects by HTTP.
pub(super) fn moved(location: &str) -> Does {
    answer(302, &format!("Location: {location}\r\n"), "")
}

/// Redirects by POX, for Anna only.
pub(super) fn elsewhere(url: &str) -> Does {
    asks(&PoxResponse::RedirectUrl(url.to_owned()))
}

pub(super) fn error(code: u32, message: &str) -> Does {
    asks(&PoxResponse::Error(PoxError {
        code,
        message: message.to_owned(),
        ..PoxError::default()
    }))
}

/// The settings of a mailbox at a host, for Anna only.
pub(super) fn mailbox(host: &str) -> Does {
    asks(&PoxResponse::Settings(Box::new(settings(host))))
}

pub(super) fn settings(host: &str) -> Settings {
    let external = |path: &str| Urls {
        internal: None,
        external: Some(format!("https://{host}/mapi/{path}/?MailboxId=1")),
    };
    Settings {
        smtp_address: Some(ANNA.to_owned()),
        display_name: Some("Anna".to_owned()),
        legacy_dn: Some("/o=T/cn=anna".to_owned()),
        protocols: vec![
            Protocol::Rpc(RpcProtocol {
                kind: RpcKind::Expr,
                server: Some(host.to_owned()),
                server_dn: None,
                mdb_dn: None,
                auth_package: None,
                is_ssl: true,
                cert_principal_name: None,
                ews_url: None,
                oab_url: None,
            }),
            Protocol::MapiHttp(MapiHttp {
                mail_store: external("emsmdb"),
                address_book: external("nspi"),
            }),
        ],
        ..Settings::default()
    }
}
