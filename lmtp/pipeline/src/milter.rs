//! Filters that speak the milter protocol: rspamd, SpamAssassin, ClamAV, OpenDKIM and many more.
//!
//! The filter gets the whole message in one conversation after it has arrived: who hands it in, its envelope, its
//! header field by field, its body in chunks. There is no RFC: the protocol is that of Sendmail's libmilter, version 6.

mod conversation;
mod packet;
mod terms;

use std::path::PathBuf;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};

use self::conversation::Conversation;
use crate::{Failure, Judging, Passing, Step, Verdict};

/// Where a filter listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// Host and port.
    Tcp(String),
    /// A Unix socket.
    Unix(PathBuf),
}

/// Asks a filter.
#[derive(Clone, Debug)]
pub struct Milter {
    /// Where it is.
    pub place: Place,
    /// The largest body that it may put in a message's place, in octets.
    pub body_bytes_max: usize,
}

impl Step for Milter {
    fn judge<'a>(&'a self, passing: &'a Passing) -> Judging<'a> {
        Box::pin(async move {
            match &self.place {
                Place::Tcp(place) => {
                    let stream = TcpStream::connect(place).await.map_err(away)?;
                    stream.set_nodelay(true).map_err(away)?;
                    self.ask(stream, passing).await
                }
                Place::Unix(path) => {
                    let stream = UnixStream::connect(path).await.map_err(away)?;
                    self.ask(stream, passing).await
                }
            }
        })
    }
}

impl Milter {
    async fn ask(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        passing: &Passing,
    ) -> Result<Verdict, Failure> {
        let begun = Conversation::begin(stream, self.body_bytes_max).await?;
        begun.tell(passing).await
    }
}

fn away(error: std::io::Error) -> Failure {
    Failure(format!("the filter cannot be reached: {error}"))
}
