//! A connection's bounded buffers: octets in, octets out, deadlines on both, TLS in between.
//!
//! A connection that waits holds no read buffer: octets are read into the stack first. A write buffer above a few
//! kilobytes is given back before waiting.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    sync::watch,
    time::{Instant, timeout},
};

use crate::{Channel, Tls};

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
    times: Times,
    flush_bytes: usize,
}

/// How long the other side may take.
#[derive(Clone, Copy)]
struct Times {
    /// For a write to make progress.
    write: Duration,
    /// When its time is over, whatever it does.
    deadline: Option<Instant>,
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
            times: Times {
                write: write_timeout,
                deadline: None,
            },
            flush_bytes,
        }
    }

    /// Sets when the other side's time is over, whatever it sends or takes until then; `None`: never. From that moment
    /// on waiting ends with [`Wait::Timeout`] although there may be input, and sending with `TimedOut` once the other
    /// side does not take all at once.
    pub const fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.times.deadline = deadline;
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

    /// Waits for input, no longer than `patience` and the deadline. Cancel safe. Sends nothing: flush first.
    pub async fn wait(
        &mut self,
        patience: Duration,
        shutdown: &mut watch::Receiver<bool>,
    ) -> io::Result<Wait> {
        let patience = self.times.left(patience);
        if patience.is_zero() {
            // A timer alone would let pass what is there already, for as long as more keeps coming.
            return Ok(Wait::Timeout);
        }
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

    /// Sends everything. Errors: `TimedOut` when the client takes nothing for the write timeout or until the deadline.
    pub async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let Self {
            stream, out, times, ..
        } = self;
        write_all(stream, out, *times).await?;
        timeout(times.left(times.write), stream.flush()).await??;
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
        write_all(&mut self.stream, octets, self.times).await
    }

    /// Takes the TLS handshake of the client, who is at `addr`, and says what it told. There must be no unused input: it
    /// would be taken for encrypted.
    pub async fn start_tls(
        &mut self,
        tls: &Tls,
        patience: Duration,
        addr: Option<IpAddr>,
    ) -> io::Result<Channel> {
        let patience = self.times.left(patience);
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let (encrypted, channel) = Box::pin(timeout(patience, tls.accept(plain, addr))).await??;
        self.stream = Box::new(encrypted);
        Ok(channel)
    }

    /// Ends the connection orderly, as far as the client lets us. A client that had a deadline has as long for the last
    /// words as for one write.
    pub async fn close(&mut self) {
        let Times { write, deadline } = &mut self.times;
        if let Some(deadline) = deadline {
            *deadline = Instant::now() + *write;
        }
        let write = *write;
        if self.flush().await.is_ok() {
            // Whether the other side hears of the end is its own affair.
            let _ = timeout(write, self.stream.shutdown()).await;
        }
    }
}

impl Times {
    /// How long there is for what may take so long.
    fn left(self, most: Duration) -> Duration {
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        self.deadline
            .map_or(most, |deadline| most.min(left(deadline)))
    }
}

async fn write_all(
    stream: &mut Box<dyn Stream>,
    mut octets: &[u8],
    times: Times,
) -> io::Result<()> {
    while !octets.is_empty() {
        let sent = timeout(times.left(times.write), stream.write(octets)).await??;
        if sent == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        octets = octets.get(sent..).unwrap_or_default();
    }
    Ok(())
}

/// Ends when the server is told to stop.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    if shutdown.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left to say so.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, DuplexStream, duplex},
        time::{advance, sleep},
    };

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// A connection whose other side has a minute.
    fn connect(buffered: usize) -> (Connection, DuplexStream) {
        let (ours, theirs) = duplex(buffered);
        let mut connection = Connection::new(theirs, MINUTE, 1 << 10);
        connection.set_deadline(Some(Instant::now() + MINUTE));
        (connection, ours)
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_at_the_deadline_although_more_comes_all_the_time() {
        let (mut connection, mut client) = connect(1 << 10);
        let mut stop = watch::channel(false).1;
        for expected in [Wait::Input, Wait::Input, Wait::Timeout, Wait::Timeout] {
            client.write_all(b"NOOP\r\n").await.unwrap();
            let came = connection.wait(10 * MINUTE, &mut stop).await.unwrap();
            assert_eq!(came, expected);
            advance(MINUTE / 2).await;
        }
        connection.set_deadline(None);
        let came = connection.wait(MINUTE, &mut stop).await.unwrap();
        assert_eq!(came, Wait::Input);
    }

    #[tokio::test(start_paused = true)]
    async fn sending_ends_at_the_deadline_although_a_little_is_taken_all_the_time() {
        let (mut connection, mut client) = connect(1);
        connection.out().extend_from_slice(&[b'x'; 100]);
        let reading = async {
            loop {
                client.read_u8().await.unwrap();
                sleep(MINUTE / 4).await;
            }
        };
        let ended = tokio::select! {
            ended = connection.flush() => ended,
            () = reading => Ok(()),
        };
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_words_are_sent_after_the_deadline() {
        let (mut connection, mut client) = connect(1 << 10);
        advance(2 * MINUTE).await;
        connection.out().extend_from_slice(b"BYE\r\n");
        connection.close().await;
        let mut words = String::new();
        client.read_to_string(&mut words).await.unwrap();
        assert_eq!(words, "BYE\r\n");
    }
}
