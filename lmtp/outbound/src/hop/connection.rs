//! One connection to a mail server: commands out, replies in, both bounded.

use std::{io, time::Duration};

use bytes::{Buf, BytesMut};
use rustls::pki_types::ServerName;
use smtp_proto::{Error as ReplyError, response::parser::ResponseReceiver};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{Hop, greeting::Offers};
use crate::{Answer, Enhanced};

/// Octets read at a time.
const READ_BYTES: usize = 4 << 10;

/// Octets of one reply, however many lines it has.
const REPLY_BYTES_MAX: usize = 64 << 10;

/// Any byte stream a hop can be spoken to over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Why a connection is of no use (any more).
#[derive(Debug)]
pub(super) struct Fault(pub(super) Answer);

impl Fault {
    /// The connection failed. Source: RFC 3463 3.5.
    pub(super) fn io(what: &str, error: &io::Error) -> Self {
        let detail = match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::TimedOut => 1,
            _ => 2,
        };
        Self(Answer::own(
            Enhanced(4, 4, detail),
            &format!("{what}: {error}"),
        ))
    }

    /// The peer does not do what it should.
    pub(super) fn protocol(what: &str) -> Self {
        Self(Answer::own(Enhanced(4, 5, 0), what))
    }
}

pub(super) struct Connection {
    stream: Box<dyn Stream>,
    input: BytesMut,
    output: Vec<u8>,
    /// What the server offers.
    pub(super) offers: Offers,
    /// Whether it is encrypted.
    pub(super) is_encrypted: bool,
    /// Messages that went over it.
    pub(super) messages: u32,
    /// Whether it must not be used again: replies may be still to come, or nobody is there any more.
    pub(super) is_spent: bool,
    command_timeout: Duration,
}

impl Connection {
    /// Connects, and encrypts where that comes first.
    pub(super) async fn dial(hop: &Hop) -> Result<Self, Fault> {
        let connect = TcpStream::connect((hop.host.as_str(), hop.port));
        let stream = within(hop.connect_timeout, connect)
            .await
            .map_err(|error| Fault::io("no connection", &error))?;
        // Small commands wait for replies: nothing is gained by holding them back.
        let _ = stream.set_nodelay(true);
        let connection = Self {
            stream: Box::new(stream),
            input: BytesMut::new(),
            output: Vec::new(),
            offers: Offers::default(),
            is_encrypted: false,
            messages: 0,
            is_spent: false,
            command_timeout: hop.command_timeout,
        };
        match hop.tls {
            super::HopTls::Implicit => connection.encrypt(hop).await,
            _ => Ok(connection),
        }
    }

    /// Goes on over TLS.
    pub(super) async fn encrypt(self, hop: &Hop) -> Result<Self, Fault> {
        if !self.input.is_empty() {
            return Err(Fault::protocol("something came before the TLS handshake"));
        }
        let name = ServerName::try_from(hop.host.clone())
            .map_err(|_| Fault::protocol("the host's name can be in no certificate"))?;
        let connector = TlsConnector::from(hop.tls_config.clone());
        let handshake = connector.connect(name, self.stream);
        let stream = within(hop.connect_timeout, handshake)
            .await
            .map_err(|error| {
                let what = format!("TLS: {error}");
                Fault(Answer::own(Enhanced(4, 7, 5), &what))
            })?;
        Ok(Self {
            stream: Box::new(stream),
            offers: Offers::default(),
            is_encrypted: true,
            ..self
        })
    }

    /// Queues a command.
    pub(super) fn queue(&mut self, command: &str) {
        self.output.extend_from_slice(command.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }

    /// Queues octets of a message, and sends them when there are many.
    pub(super) async fn put(&mut self, octets: &[u8]) -> Result<(), Fault> {
        const FLUSH_BYTES: usize = 64 << 10;
        self.output.extend_from_slice(octets);
        if self.output.len() < FLUSH_BYTES {
            return Ok(());
        }
        self.flush().await
    }

    /// Sends what is queued.
    pub(super) async fn flush(&mut self) -> Result<(), Fault> {
        let Self { stream, output, .. } = self;
        let send = async {
            stream.write_all(output).await?;
            stream.flush().await
        };
        within(self.command_timeout, send)
            .await
            .map_err(|error| Fault::io("the connection broke", &error))?;
        self.output.clear();
        Ok(())
    }

    /// Sends a command and waits for its reply.
    pub(super) async fn ask(&mut self, command: &str) -> Result<Answer, Fault> {
        self.queue(command);
        self.flush().await?;
        self.reply(self.command_timeout).await
    }

    /// The next reply. After one of 421 the server closes the connection.
    pub(super) async fn reply(&mut self, patience: Duration) -> Result<Answer, Fault> {
        within(patience, self.next_reply())
            .await
            .map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => Fault::protocol("a reply cannot be understood"),
                _ => Fault::io("no reply", &error),
            })
    }

    async fn next_reply(&mut self) -> io::Result<Answer> {
        let mut receiver = ResponseReceiver::default();
        let mut total = 0;
        loop {
            let mut octets = self.input.iter();
            let parsed = receiver.parse(&mut octets);
            let used = self.input.len() - octets.as_slice().len();
            self.input.advance(used);
            total += used;
            if total > REPLY_BYTES_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
            match parsed {
                Ok(reply) => {
                    let [class, subject, detail] = reply.esc;
                    let status = match class {
                        0 => Enhanced(class_of(reply.code), 0, 0),
                        _ => Enhanced(class, subject, detail),
                    };
                    return Ok(Answer::raw(reply.code, status, reply.message));
                }
                Err(ReplyError::NeedsMoreData { .. }) => {}
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
            self.input.reserve(READ_BYTES);
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Says good-bye without waiting for the answer.
    pub(super) async fn quit(mut self) {
        self.queue("QUIT");
        let _ = self.flush().await;
        let _ = within(Duration::from_secs(1), self.stream.shutdown()).await;
    }

    /// Whether the server has closed it, or said something nobody asked for.
    pub(super) async fn is_stale(&mut self) -> bool {
        if !self.input.is_empty() {
            return true;
        }
        let read = self.stream.read_buf(&mut self.input);
        // Nothing to read at this moment is what a connection in good health shows.
        timeout(Duration::ZERO, read).await.is_ok()
    }
}

/// The class of an enhanced code that a reply does not have.
const fn class_of(code: u16) -> u8 {
    match code {
        200..=399 => 2,
        500..=599 => 5,
        _ => 4,
    }
}

async fn within<T>(patience: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(patience, work)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
