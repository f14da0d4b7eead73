//! Watches one connection's bytes: when something moved last, and whether a request is out whole.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, timeout_at},
};

use super::{Error, Kind, Phase, Sent};

/// A stream of bytes in both directions: TCP, or TLS over it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What is known of the connection's bytes; shared between the stream and those who wait.
#[derive(Debug, Clone)]
pub(super) struct Watch(Arc<Mutex<Progress>>);

#[derive(Debug)]
struct Progress {
    moved: Instant,
    /// How much of the blank line that ends a request's head has been written: 4 is all of it.
    head_end: usize,
    body_left: u64,
}

const HEAD_END: &[u8] = b"\r\n\r\n";

impl Watch {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Progress {
            moved: Instant::now(),
            head_end: 0,
            body_left: 0,
        })))
    }

    /// A request begins: its head, and then a body of so many bytes.
    pub(super) fn begin(&self, body_len: u64) {
        self.with(|progress| {
            *progress = Progress {
                moved: Instant::now(),
                head_end: 0,
                body_left: body_len,
            }
        });
    }

    /// Whether the last byte of the request was handed on.
    ///
    /// Over TLS that may be before the network has it, so `No` is certain and `Maybe` is not.
    pub(super) fn sent(&self) -> Sent {
        self.with(|progress| {
            if progress.head_end == HEAD_END.len() && progress.body_left == 0 {
                Sent::Maybe
            } else {
                Sent::No
            }
        })
    }

    /// How many octets of a body of `body_len` were handed on.
    pub(super) fn body_written(&self, body_len: u64) -> u64 {
        self.with(|progress| match progress.head_end == HEAD_END.len() {
            true => body_len.saturating_sub(progress.body_left),
            false => 0,
        })
    }

    /// Awaits `future` for as long as bytes move: an error after `idle` without any.
    pub(super) async fn while_moving<F: Future>(
        &self,
        idle: Duration,
        future: F,
    ) -> Result<F::Output, Error> {
        let mut future = std::pin::pin!(future);
        self.with(|progress| progress.moved = Instant::now());
        loop {
            let moved = self.with(|progress| progress.moved);
            let Some(deadline) = moved.checked_add(idle) else {
                return Ok(future.await);
            };
            match timeout_at(deadline, &mut future).await {
                Ok(output) => return Ok(output),
                Err(_) if self.with(|progress| progress.moved) > moved => {}
                Err(_) => {
                    return Err(Error::unsent(Kind::Timeout(Phase::Idle)).with_sent(self.sent()));
                }
            }
        }
    }

    fn read(&self) {
        self.with(|progress| progress.moved = Instant::now());
    }

    fn written(&self, bytes: &[u8]) {
        self.with(|progress| {
            progress.moved = Instant::now();
            let mut rest = bytes;
            while progress.head_end < HEAD_END.len() {
                let Some((&byte, after)) = rest.split_first() else {
                    return;
                };
                rest = after;
                progress.head_end = match HEAD_END.get(progress.head_end) {
                    Some(&expected) if expected == byte => progress.head_end + 1,
                    _ => usize::from(byte == b'\r'),
                };
            }
            progress.body_left = progress.body_left.saturating_sub(rest.len() as u64);
        });
    }

    fn with<T>(&self, f: impl FnOnce(&mut Progress) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A stream that tells its [`Watch`] what moves.
pub(super) struct Watched {
    pub(super) stream: Box<dyn Stream>,
    pub(super) watch: Watch,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.watch.read();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(len)) = polled {
            self.watch.written(buf.get(..len).unwrap_or(buf));
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(mut len)) = polled {
            for buf in bufs {
                let part = len.min(buf.len());
                self.watch.written(buf.get(..part).unwrap_or(buf));
                len -= part;
            }
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a request piece by piece: the verdict changes with its last byte and not before.
    fn check(pieces: &[&[u8]], body_len: u64) {
        let watch = Watch::new();
        watch.begin(body_len);
        for piece in pieces {
            assert_eq!(watch.sent(), Sent::No, "before {piece:?}");
            watch.written(piece);
        }
        assert_eq!(watch.sent(), Sent::Maybe);
    }

    #[test]
    fn a_request_counts_as_sent_with_its_last_byte() {
        check(&[b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"], 0);
        check(&[b"POST / HTTP/1.1\r\nHost: a\r", b"\n", b"\r", b"\n"], 0);
        check(&[b"POST / HTTP/1.1\r\n\r\nab", b"", b"c", b"d"], 4);
        check(&[b"POST / HTTP/1.1\r\n\r", b"\n\r\n\r", b"\n"], 4);
        check(&[b"X: a\r\r", b"\n\r\n"], 0);
    }

    #[tokio::test]
    async fn a_limit_beyond_all_time_is_none() {
        let watch = Watch::new();
        let waited = watch.while_moving(Duration::MAX, std::future::ready(7));
        assert_eq!(waited.await.unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_measured_from_the_last_byte() {
        let watch = Watch::new();
        let idle = Duration::from_secs(10);
        let mover = watch.clone();
        let started = Instant::now();
        let (_, waited) = tokio::join!(
            async {
                for _ in 0..5 {
                    tokio::time::sleep(Duration::from_secs(9)).await;
                    mover.read();
                }
            },
            watch.while_moving(idle, std::future::pending::<()>())
        );
        assert_eq!(waited.unwrap_err().kind, Kind::Timeout(Phase::Idle));
        assert_eq!(started.elapsed(), Duration::from_secs(55));
    }
}
