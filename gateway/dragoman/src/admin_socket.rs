//! The Unix socket through which commands reach a running server. Only its owner can open the data folder it lies in.

use std::{io, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream, unix::OwnedReadHalf},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use crate::{
    command::{Answer, Request, administration::Administration},
    failure::{Doing, Result},
    mapi, moving,
    serve::stopped,
    trace::{self, Traces},
};

/// Octets of one request or answer.
const MESSAGE_BYTES_MAX: u64 = 1 << 20;
/// How long a command may take to say what it wants.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait before accepting again after a failure.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers commands until shutdown.
pub(crate) async fn serve(
    socket: UnixListener,
    (administration, traces): (Arc<Administration>, Arc<Traces>),
    mut stopping: watch::Receiver<bool>,
) {
    let mut commands = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => break,
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    let serving = (administration.clone(), traces.clone());
                    commands.spawn(answer(stream, serving, stopping.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "admin socket: accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
        while commands.try_join_next().is_some() {}
    }
    while commands.join_next().await.is_some() {}
}

async fn answer(
    stream: UnixStream,
    (administration, traces): (Arc<Administration>, Arc<Traces>),
    stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let line = timeout(REQUEST_TIMEOUT, line(&mut read))
        .await
        .map_err(|_| io::ErrorKind::TimedOut)??;
    if let Ok(ask) = serde_json::from_str(&line) {
        return trace::socket::serve(ask, &traces, (read.into_inner(), write), stopping).await;
    }
    if let Ok(ask) = serde_json::from_str(&line) {
        let serving = mapi::socket::serve(ask, &administration, (read, write), stopping);
        return Box::pin(serving).await;
    }
    if let Ok(ask) = serde_json::from_str(&line) {
        let serving = moving::socket::serve(ask, &administration, (read, write), stopping);
        return Box::pin(serving).await;
    }
    let answer = match serde_json::from_str::<Request>(&line) {
        Ok(request) => administration.answer(&request).await,
        Err(error) => Answer::Failed(format!("request not understood: {error}")),
    };
    let mut text = serde_json::to_string(&answer)?;
    text.push('\n');
    write.write_all(text.as_bytes()).await
}

/// Has the running server do something.
pub(crate) async fn ask(path: &Path, request: &Request) -> Result<Answer> {
    let exchange = async {
        let stream = UnixStream::connect(path).await?;
        let (read, mut write) = stream.into_split();
        let mut text = serde_json::to_string(request)?;
        text.push('\n');
        write.write_all(text.as_bytes()).await?;
        let line = line(&mut BufReader::new(read)).await?;
        Ok::<_, io::Error>(serde_json::from_str(&line)?)
    };
    exchange
        .await
        .doing(|| format!("asking the running server at {}", path.display()))
}

async fn line(read: &mut BufReader<OwnedReadHalf>) -> io::Result<String> {
    let mut line = String::new();
    read.take(MESSAGE_BYTES_MAX).read_line(&mut line).await?;
    Ok(line)
}
