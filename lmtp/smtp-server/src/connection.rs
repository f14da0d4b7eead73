//! A connection's bounded buffers: lines in, replies out, TLS in between.

use std::{io, net::IpAddr, time::Duration};

use bytes::{Buf, BytesMut};
use front_end::{Channel, Stream, Tls};
use memchr::memchr;
use sasl::RESPONSE_LINE_BYTES_MAX;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
    time::timeout,
};

use crate::{Config, reply::Reply};

/// Octets read at a time.
const READ_BYTES: usize = 16 << 10;

/// The command whose lines may be longer.
const AUTH: &[u8] = b"AUTH ";

pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    input: BytesMut,
    output: Vec<u8>,
}

/// What waiting for a command line brought.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Line {
    /// A line with its CRLF.
    Command(Vec<u8>),
    /// A line that is no command; it has been passed over.
    Refused(Reply),
    /// The server is shutting down.
    Shutdown,
    /// The peer said nothing for too long.
    Timeout,
    /// The peer is gone.
    Closed,
}

/// What waiting for the answer to a challenge brought.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Response {
    /// A line with its end.
    Line(Vec<u8>),
    /// A line that is too long; some of it may be still to come.
    TooLong,
    /// The peer said nothing for too long.
    Timeout,
}

impl Connection {
    pub(crate) fn new(stream: impl Stream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            input: BytesMut::new(),
            output: Vec::new(),
        }
    }

    /// The next command line. Replies still to be sent go out first when there is nothing more to read, so that a
    /// pipelined batch is answered in one segment (RFC 2920 3.2).
    pub(crate) async fn line(
        &mut self,
        config: &Config,
        shutdown: &mut watch::Receiver<bool>,
    ) -> io::Result<Line> {
        let mut passing_over = false;
        let mut searched = 0;
        loop {
            if let Some(lf) = self
                .input
                .get(searched..)
                .and_then(|new| memchr(b'\n', new))
            {
                let line = self.input.split_to(searched + lf + 1);
                return Ok(
                    if passing_over || line.len() > line_bytes_max(&line, config) {
                        Line::Refused(Reply::LINE_TOO_LONG)
                    } else if is_command_line(&line) {
                        Line::Command(line.to_vec())
                    } else {
                        Line::Refused(Reply::BARE_OCTETS)
                    },
                );
            }
            searched = self.input.len();
            if searched > line_bytes_max(&self.input, config) {
                passing_over = true;
                self.input.clear();
                searched = 0;
            }
            self.flush(config.write_timeout).await?;
            tokio::select! {
                biased;
                () = stopped(shutdown) => return Ok(Line::Shutdown),
                read = timeout(config.command_timeout, self.fill()) => match read {
                    Err(_) => return Ok(Line::Timeout),
                    Ok(read) => if read? == 0 { return Ok(Line::Closed) },
                },
            }
        }
    }

    /// The answer to a challenge. It may be longer than a command, and hold anything (RFC 4954 4).
    pub(crate) async fn response(&mut self, config: &Config) -> io::Result<Response> {
        let mut searched = 0;
        loop {
            let new = self.input.get(searched..);
            if let Some(lf) = new.and_then(|new| memchr(b'\n', new)) {
                let line = self.input.split_to(searched + lf + 1);
                return Ok(Response::Line(line.to_vec()));
            }
            searched = self.input.len();
            if searched > RESPONSE_LINE_BYTES_MAX {
                self.input.clear();
                return Ok(Response::TooLong);
            }
            self.flush(config.write_timeout).await?;
            match timeout(config.command_timeout, self.fill()).await {
                Err(_) => return Ok(Response::Timeout),
                Ok(read) => {
                    if read? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
    }

    /// Octets that have arrived and are not used yet; waits for some when there are none.
    /// `UnexpectedEof` when the peer is gone, `TimedOut` when it stays silent.
    pub(crate) async fn octets(&mut self, config: &Config) -> io::Result<&[u8]> {
        if self.input.is_empty() {
            self.flush(config.write_timeout).await?;
            match timeout(config.data_timeout, self.fill()).await {
                Err(_) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(read) => {
                    if read? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
        Ok(&self.input)
    }

    /// Marks octets as used.
    pub(crate) fn used(&mut self, octets: usize) {
        self.input.advance(octets);
    }

    /// Whether octets have arrived that nobody has used.
    pub(crate) fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.input.reserve(READ_BYTES);
        self.stream.read_buf(&mut self.input).await
    }

    /// Queues a reply.
    pub(crate) fn reply(&mut self, reply: Reply) {
        self.text(reply.0);
        self.text("\r\n");
    }

    /// Queues text as it is.
    pub(crate) fn text(&mut self, text: &str) {
        self.output.extend_from_slice(text.as_bytes());
    }

    /// Sends what is queued.
    pub(crate) async fn flush(&mut self, write_timeout: Duration) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let send = async {
            self.stream.write_all(&self.output).await?;
            self.stream.flush().await
        };
        timeout(write_timeout, send)
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        self.output.clear();
        Ok(())
    }

    /// Sends what is queued and closes the stream.
    pub(crate) async fn close(mut self, write_timeout: Duration) -> io::Result<()> {
        self.flush(write_timeout).await?;
        timeout(write_timeout, self.stream.shutdown())
            .await
            .map_err(|_| io::ErrorKind::TimedOut)?
    }

    /// Goes on over TLS, and says what the handshake told. Nothing may be queued or unread.
    pub(crate) async fn start_tls(
        self,
        tls: &Tls,
        handshake_timeout: Duration,
        addr: Option<IpAddr>,
    ) -> io::Result<(Self, Channel)> {
        let accept = tls.accept(self.stream, addr);
        let (stream, channel) = timeout(handshake_timeout, accept)
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        Ok((Self::new(stream), channel))
    }
}

/// How long a line may be that begins so: AUTH may bring a token with it, and then takes as much as the answer to a
/// challenge (RFC 4954 4).
fn line_bytes_max(line: &[u8], config: &Config) -> usize {
    let verb = line.get(..AUTH.len()).unwrap_or_default();
    match verb.eq_ignore_ascii_case(AUTH) {
        true => config.line_bytes_max.max(RESPONSE_LINE_BYTES_MAX),
        false => config.line_bytes_max,
    }
}

/// Whether a line ends with CRLF and has no other CR, LF or NUL: what two servers read differently is how commands
/// and messages are smuggled.
fn is_command_line(line: &[u8]) -> bool {
    line.strip_suffix(b"\r\n")
        .is_some_and(|text| !text.iter().any(|octet| matches!(octet, 0 | b'\r' | b'\n')))
}

/// Resolves once the server is shutting down.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    if shutdown.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could shut the server down.
        std::future::pending::<()>().await;
    }
}
