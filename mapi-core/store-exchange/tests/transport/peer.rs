//! A scripted HTTP server: it reads whole requests, and writes exactly what it is told to, piece by piece.

use std::{future::Future, net::SocketAddr};

use store_exchange::http::{Client, Options, Request, TlsOptions, Url};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

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
