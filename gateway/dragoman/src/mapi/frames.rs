//! What a verb says, piece by piece: lines, and octets where a message is printed as it is.

use std::io::Write;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::failure::{Doing, Failure, Result};

/// A piece of an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    /// A line, without its end.
    Line(String),
    /// Octets as they are.
    Octets(Bytes),
}

/// Where the pieces go. Who reads slowly is waited for.
pub(super) struct Frames(pub(super) mpsc::Sender<Frame>);

impl Frame {
    /// Prints it.
    pub(super) fn print(&self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let printed = match self {
            Self::Line(line) => writeln!(out, "{line}"),
            Self::Octets(octets) => out.write_all(octets),
        };
        printed
            .and_then(|()| out.flush())
            .doing(|| "standard output".to_owned())
    }
}

impl Frames {
    /// Says something. Errors: nobody listens any more.
    pub(super) async fn say(&self, frame: Frame) -> Result<()> {
        let said = self.0.send(frame).await;
        said.map_err(|_| Failure::new("nobody reads the answer any more"))
    }
}
