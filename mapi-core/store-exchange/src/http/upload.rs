//! A request whose body is sent piece by piece, while its answer may come already.

use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc::{self, error::TrySendError};

use super::{Connection, Error, Kind, Response, Sent, watch::Watch};

/// A request whose body is being sent. Dropping it before the body's end closes the connection.
pub struct Upload {
    parts: Parts,
    /// Octets handed over so far.
    queued: u64,
    /// Nothing once it has come.
    answer: Option<BoxFuture<'static, Result<Response, Error>>>,
    _connection: Connection,
}

/// What an upload takes of its connection.
pub(super) struct Parts {
    pub(super) pieces: mpsc::Sender<Bytes>,
    pub(super) length: u64,
    pub(super) watch: Watch,
}

impl Upload {
    pub(super) fn new(
        parts: Parts,
        answer: BoxFuture<'static, Result<Response, Error>>,
        connection: Connection,
    ) -> Self {
        Self {
            parts,
            queued: 0,
            answer: Some(answer),
            _connection: connection,
        }
    }

    /// Hands a piece over; gives it back when there is no room.
    ///
    /// Errors: `Closed`; `Declined` for more than the head declares.
    pub fn push(&mut self, piece: Bytes) -> Result<Option<Bytes>, Error> {
        let queued = self.queued + piece.len() as u64;
        if queued > self.parts.length {
            return Err(Error::unsent(Kind::Declined("the body is full")));
        }
        match self.parts.pieces.try_send(piece) {
            Ok(()) => {
                self.queued = queued;
                Ok(None)
            }
            Err(TrySendError::Full(piece)) => Ok(Some(piece)),
            Err(TrySendError::Closed(_)) => Err(Error::unsent(Kind::Closed)),
        }
    }

    /// Octets handed over so far.
    pub const fn queued(&self) -> u64 {
        self.queued
    }

    /// Whether the first `octets` of the body have been handed to the network.
    pub fn sent(&self, octets: u64) -> Sent {
        match self.parts.watch.body_written(self.parts.length) >= octets {
            true => Sent::Maybe,
            false => Sent::No,
        }
    }

    /// Waits for the head of the answer, which comes once, or, where that is `wanted`, for room for a piece. Dropping
    /// the future is harmless.
    ///
    /// Errors: `Closed`, `Protocol`, `TooBig`.
    pub async fn answer_or_room(&mut self, wanted: bool) -> Result<Option<Response>, Error> {
        let answered = async {
            match &mut self.answer {
                Some(answer) => answer.await,
                None => std::future::pending().await,
            }
        };
        let answered = tokio::select! {
            biased;
            answered = answered => answered,
            room = self.parts.pieces.reserve(), if wanted => {
                return room.map(|_| None).map_err(|_| Error::unsent(Kind::Closed));
            }
        };
        self.answer = None;
        answered.map(Some)
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("queued", &self.queued)
            .field("length", &self.parts.length)
            .finish_non_exhaustive()
    }
}
