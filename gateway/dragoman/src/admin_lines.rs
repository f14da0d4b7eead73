//! What commands and a running server say to each other over the admin socket: lines of JSON, and octets after some.

use std::{io, path::Path, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use crate::failure::{Doing, Result};

/// How long a reader may let the other side wait.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// The most octets of a line.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// Sends a line, and octets that belong to it.
pub(crate) async fn put(
    write: &mut OwnedWriteHalf,
    line: &impl Serialize,
    octets: &[u8],
) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    let writing = async {
        write.write_all(&text).await?;
        write.write_all(octets).await
    };
    timeout(WRITE_TIMEOUT, writing)
        .await
        .map_err(|_| io::ErrorKind::TimedOut)?
}

/// The next line. Errors: `UnexpectedEof` when there is none.
pub(crate) async fn next<T: DeserializeOwned>(
    read: &mut BufReader<OwnedReadHalf>,
) -> io::Result<T> {
    let mut line = String::new();
    read.take(LINE_BYTES_MAX).read_line(&mut line).await?;
    match line.is_empty() {
        true => Err(io::ErrorKind::UnexpectedEof.into()),
        false => Ok(serde_json::from_str(&line)?),
    }
}

/// Where the answers to a question come from. The other half asks nothing more, and is kept so that the server goes on.
pub(crate) struct Answers {
    pub(crate) read: BufReader<OwnedReadHalf>,
    _write: OwnedWriteHalf,
}

/// Asks a running server.
pub(crate) async fn ask(path: &Path, question: &impl Serialize, octets: &[u8]) -> Result<Answers> {
    let what = || format!("asking the running server at {}", path.display());
    let stream = UnixStream::connect(path).await.doing(what)?;
    let (read, mut write) = stream.into_split();
    put(&mut write, question, octets).await.doing(what)?;
    Ok(Answers {
        read: BufReader::new(read),
        _write: write,
    })
}
