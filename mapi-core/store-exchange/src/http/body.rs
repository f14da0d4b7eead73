//! An answer: status and headers at once, the body as it arrives.

use std::{error::Error as StdError, io, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{HeaderMap, StatusCode, body::Body as _, body::Incoming};

use super::{Error, Kind, Sent, connection::Driver, watch::Watch};

/// An answer whose body is still arriving.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers before the body.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// A body that is still arriving. Dropping it before its end closes the connection.
#[derive(Debug)]
pub struct Body {
    /// Nothing once the end is read or an error was reported.
    incoming: Option<Incoming>,
    left: u64,
    idle: Duration,
    watch: Watch,
    driver: Arc<Driver>,
    /// As long as it is held, the connection takes no other request.
    lease: Option<Arc<()>>,
}

/// What a body needs of its connection.
pub(super) struct Source {
    pub(super) watch: Watch,
    pub(super) driver: Arc<Driver>,
    pub(super) lease: Arc<()>,
    pub(super) idle: Duration,
    pub(super) bytes_max: u64,
}

impl Body {
    pub(super) fn new(incoming: Incoming, source: Source) -> Self {
        let mut body = Self {
            incoming: Some(incoming),
            left: source.bytes_max,
            idle: source.idle,
            watch: source.watch,
            driver: source.driver,
            lease: Some(source.lease),
        };
        body.release_at_end();
        body
    }

    /// The next piece, as it came; nothing at the end. Dropping the future loses no piece.
    ///
    /// Errors: `Closed` when the connection ends before the body, `Timeout(Idle)`, `TooBig`, `Protocol`. After an
    /// error the connection is closed, and the body has ended.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let Some(incoming) = &mut self.incoming else {
                return Ok(None);
            };
            let frame = self.watch.while_moving(self.idle, incoming.frame()).await;
            let data = match frame {
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
                Ok(None) => {
                    self.release();
                    return Ok(None);
                }
                Ok(Some(Err(cause))) => return Err(self.broken(from_hyper(cause))),
                Err(error) => return Err(self.broken(error)),
            };
            match self.left.checked_sub(data.len() as u64) {
                Some(left) => self.left = left,
                None => return Err(self.broken(Error::unsent(Kind::TooBig))),
            }
            self.release_at_end();
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
    }

    /// The rest of the body in one piece. Errors as [`Self::chunk`].
    pub async fn collect(mut self) -> Result<Bytes, Error> {
        let mut all = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    fn release_at_end(&mut self) {
        if self.incoming.as_ref().is_some_and(Incoming::is_end_stream) {
            self.release();
        }
    }

    fn release(&mut self) {
        self.incoming = None;
        self.lease = None;
    }

    fn broken(&mut self, error: Error) -> Error {
        self.release();
        self.driver.stop();
        // The answer had begun: the request is in the server's hands.
        error.with_sent(Sent::Maybe)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if self.incoming.is_some() {
            self.driver.stop();
        }
    }
}

/// What an error of the HTTP engine means. Its verdict is for the caller to correct.
pub(super) fn from_hyper(cause: hyper::Error) -> Error {
    let malformed = cause
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|io| {
            matches!(
                io.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
            )
        });
    let kind = if cause.is_parse_too_large() {
        Kind::TooBig
    } else if cause.is_parse() || malformed {
        Kind::Protocol
    } else {
        Kind::Closed
    };
    Error::unsent(kind).because(cause)
}
