//! A scripted HTTP server: it reads whole requests, and writes exactly what it is told to, piece by piece.

use std::{future::Future, io::Write, net::SocketAddr, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use store_exchange::http::{Client, Options, Request, TlsOptions, Url};
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// A server's end of one connection.
pub(crate) struct Peer<S = TcpStream> {
    pub(crate) stream: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// The next request; nothing when the client has closed.
    pub(crate) async fn request(&mut self) -> Option<Received> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if self.stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8(self.buffer.drain(..end).collect()).unwrap();
        let mut received = Received {
            head,
            body: Vec::new(),
        };
        let len = received.header("content-length");
        let len = len.map_or(0, |len| len.parse::<usize>().unwrap());
        while self.buffer.len() < len {
            if self.stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
        received.body = self.buffer.drain(..len).collect();
        Some(received)
    }

    /// Writes bytes and flushes them.
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Answers with a status, headers (each ended by CRLF) and a body.
    pub(crate) async fn answer(&mut self, status: u16, headers: &str, body: &str) {
        let len = body.len();
        self.write(format!(
            "HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: {len}\r\n\r\n{body}"
        ))
        .await;
    }
}

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// Listens on loopback and runs `serve` for each connection in turn, with its number from 0.
pub(crate) async fn listen<F, T>(serve: F) -> (SocketAddr, JoinHandle<()>)
where
    F: Fn(usize, Peer) -> T + Send + 'static,
    T: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            serve(number, Peer::new(stream)).await;
        }
    });
    (address, task)
}

/// The same over TLS, with a certificate for 127.0.0.1 and `mail.example.test`.
pub(crate) async fn listen_tls<F, T>(authority: &Authority, serve: F) -> SocketAddr
where
    F: Fn(usize, Peer<TlsStream<TcpStream>>) -> T + Send + Sync + Copy + 'static,
    T: Future<Output = ()> + Send,
{
    let acceptor = TlsAcceptor::from(authority.server.clone());
    let (address, _task) = listen(move |number, peer| {
        let acceptor = acceptor.clone();
        async move {
            // A client that does not trust the certificate leaves.
            if let Ok(stream) = acceptor.accept(peer.stream).await {
                serve(number, Peer::new(stream)).await;
            }
        }
    })
    .await;
    address
}

/// A certificate authority made for one test, and a server with a certificate of it.
pub(crate) struct Authority {
    /// The authority's certificate, in PEM.
    file: NamedTempFile,
    /// The server's certificate, in DER.
    pub(crate) certificate: Vec<u8>,
    server: Arc<ServerConfig>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let names = ["127.0.0.1", "mail.example.test"];
        Self::with(CertificateParams::new(names.map(str::to_owned)).unwrap())
    }

    /// With a server's certificate of this kind.
    pub(crate) fn with(server: CertificateParams) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let mut file = NamedTempFile::new().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        file.write_all(pem.as_bytes()).unwrap();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let certificate = server.signed_by(&key, &issuer).unwrap().der().clone();
        Self::showing(file, certificate, &key)
    }

    /// Whose own certificate is the server's, too.
    pub(crate) fn itself() -> Self {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(certificate.pem().as_bytes()).unwrap();
        Self::showing(file, certificate.der().clone(), &key)
    }

    fn showing(file: NamedTempFile, certificate: CertificateDer<'static>, key: &KeyPair) -> Self {
        let server = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        Self {
            file,
            certificate: certificate.to_vec(),
            server: Arc::new(server),
        }
    }

    /// Options that trust this authority alone.
    pub(crate) fn trusted(&self) -> Options {
        Options {
            tls: TlsOptions {
                system_roots: false,
                ca_files: vec![self.file.path().to_owned()],
                pinned: None,
            },
            ..Options::default()
        }
    }
}

/// A client that trusts nobody it should not need.
pub(crate) fn client(options: Options) -> Client {
    Client::new(options).unwrap()
}

/// Options without the system's authorities, whose files take a while to read; a pin stands in for trust.
pub(crate) fn plain() -> Options {
    Options {
        tls: TlsOptions {
            system_roots: false,
            pinned: Some([0; 32]),
            ..TlsOptions::default()
        },
        ..Options::default()
    }
}

pub(crate) fn url(address: SocketAddr, path: &str) -> Url {
    Url::parse(&format!("http://{address}{path}")).unwrap()
}

pub(crate) fn post(address: SocketAddr, body: &'static [u8]) -> Request {
    Request::post(url(address, "/mapi/emsmdb/?MailboxId=a@example.test"), body)
}
