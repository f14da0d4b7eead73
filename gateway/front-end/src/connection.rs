//! A connection's bounded buffers: octets in, octets out, deadlines on both, TLS in between.
//!
//! A connection that waits holds no read buffer: octets are read into the stack first. A write buffer above a few
//! kilobytes is given back before waiting.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    sync::watch,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// Octets read at a time.
const READ_BYTES: usize = 16 << 10;
/// Octets of write buffer that a waiting connection keeps.
const KEPT_WRITE_BYTES: usize = 1 << 10;

/// Any byte stream a session can run over.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for S {}

/// One client's connection.
pub struct Connection {
    stream: Box<dyn Stream>,
    input: BytesMut,
    /// What is not sent yet.
    out: Vec<u8>,
    write_timeout: Duration,
    flush_bytes: usize,
}

/// What waiting for input brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Octets came.
    Input,
    /// The client closed its side.
    Closed,
    /// Nothing came in time.
    Timeout,
    /// The server is shutting down.
    Shutdown,
}

impl Connection {
    /// A connection at its start.
    ///
    /// One write may make no progress for `write_timeout`; `flush_bytes` are gathered before they are written.
    pub fn new(stream: impl Stream + 'static, write_timeout: Duration, flush_bytes: usize) -> Self {
        Self {
            stream: Box::new(stream),
            input: BytesMut::new(),
            out: Vec::new(),
            write_timeout,
            flush_bytes,
        }
    }

    /// What is still to be sent; more is written to its end.
    pub const fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// What was read and not taken yet.
    pub fn input(&self) -> &[u8] {
        &self.input
    }

    /// Takes so many octets of what was read, or all there are.
    pub fn take(&mut self, octets: usize) -> BytesMut {
        self.input.split_to(octets.min(self.input.len()))
    }

    /// Whether octets were read that nobody has taken.
    pub fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Waits for input. Cancel safe. Sends nothing: flush first.
    pub async fn wait(
        &mut self,
        patience: Duration,
        shutdown: &mut watch::Receiver<bool>,
    ) -> io::Result<Wait> {
        tokio::select! {
            biased;
            () = stopped(shutdown) => Ok(Wait::Shutdown),
            read = timeout(patience, poll_fn(|context| self.poll_fill(context))) => match read {
                Err(_) => Ok(Wait::Timeout),
                Ok(read) => Ok(if read? == 0 { Wait::Closed } else { Wait::Input }),
            },
        }
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut space = ReadBuf::uninit(&mut space);
        let read = Pin::new(&mut self.stream).poll_read(context, &mut space);
        read.map_ok(|()| {
            self.input.extend_from_slice(space.filled());
            space.filled().len()
        })
    }

    /// Gives back memory that a waiting connection does not need.
    pub fn shrink(&mut self) {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        if self.out.is_empty() && self.out.capacity() > KEPT_WRITE_BYTES {
            self.out = Vec::new();
        }
    }

    /// Whether enough was gathered to be worth a write.
    pub const fn is_full(&self) -> bool {
        self.out.len() >= self.flush_bytes
    }

    /// Sends what was gathered once it is enough.
    pub async fn flush_if_full(&mut self) -> io::Result<()> {
        if self.is_full() {
            self.flush().await
        } else {
            Ok(())
        }
    }

    /// Sends everything. Errors: `TimedOut` when the client takes nothing for the write timeout.
    pub async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let Self {
            stream,
            out,
            write_timeout,
            ..
        } = self;
        let mut rest = out.as_slice();
        while !rest.is_empty() {
            let sent = timeout(*write_timeout, stream.write(rest)).await??;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            rest = rest.get(sent..).unwrap_or_default();
        }
        timeout(*write_timeout, stream.flush()).await??;
        out.clear();
        Ok(())
    }

    /// Sends octets that are not in the buffer, behind what is.
    pub async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        if self.out.len() + octets.len() <= self.flush_bytes {
            self.out.extend_from_slice(octets);
            return Ok(());
        }
        self.flush().await?;
        let mut rest = octets;
        while !rest.is_empty() {
            let sent = timeout(self.write_timeout, self.stream.write(rest)).await??;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// Takes the client's TLS handshake. There must be no unused input: it would be taken for encrypted.
    pub async fn start_tls(&mut self, acceptor: TlsAcceptor, patience: Duration) -> io::Result<()> {
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let encrypted = Box::pin(timeout(patience, acceptor.accept(plain))).await??;
        self.stream = Box::new(encrypted);
        Ok(())
    }

    /// Ends the connection orderly, as far as the client lets us.
    pub async fn close(&mut self) {
        if self.flush().await.is_ok() {
            // Whether the other side hears of the end is its own affair.
            let _ = timeout(self.write_timeout, self.stream.shutdown()).await;
        }
    }
}

/// Ends when the server is told to stop.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    if shutdown.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left to say so.
        std::future::pending::<()>().await;
    }
}
