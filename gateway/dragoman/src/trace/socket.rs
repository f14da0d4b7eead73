//! Traces over the admin socket: a request, an answer, then operations as they end, until somebody has enough.

use std::{io, path::Path, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::{sleep, timeout},
};

use super::{Follower, Traces};
use crate::{
    command::Answer,
    failure::{Doing, Failure, Result},
    serve::{say, stopped},
};

/// How long a reader may let the server wait.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest trace, in seconds; who forgets one does not slow the gateway down for ever.
const SECONDS_MAX: u64 = 24 * 3600;

/// Whom to trace, and how.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Ask {
    /// The account's address.
    pub(crate) trace: String,
    /// For how many seconds; else until the reader goes.
    pub(crate) seconds: Option<u64>,
    /// As JSON lines.
    pub(crate) json: bool,
}

/// Serves a trace until it is over.
pub(crate) async fn serve(
    ask: Ask,
    traces: &Arc<Traces>,
    (mut read, mut write): (OwnedReadHalf, OwnedWriteHalf),
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let Some(mut follower) = traces.follow(&ask.trace) else {
        let answer = Answer::Failed("too many trace at the same time".to_owned());
        return answer_first(&mut write, &answer).await;
    };
    answer_first(&mut write, &Answer::Done(Vec::new())).await?;
    let seconds = ask.seconds.unwrap_or(SECONDS_MAX).min(SECONDS_MAX);
    let over = sleep(Duration::from_secs(seconds));
    let mut rest = [0; 64];
    tokio::select! {
        () = stopped(&mut stopping) => Ok(()),
        () = over => Ok(()),
        // Who traces sends nothing more: the end of the stream is all that can come.
        _ = read.read(&mut rest) => Ok(()),
        result = stream(&mut follower, &mut write, ask.json) => result,
    }
}

async fn answer_first(write: &mut OwnedWriteHalf, answer: &Answer) -> io::Result<()> {
    let mut text = serde_json::to_string(answer)?;
    text.push('\n');
    write.write_all(text.as_bytes()).await
}

async fn stream(
    follower: &mut Follower,
    write: &mut OwnedWriteHalf,
    is_json: bool,
) -> io::Result<()> {
    while let Some((operation, missed)) = follower.next().await {
        let mut text = match (missed, is_json) {
            (0, _) => String::new(),
            (missed, true) => format!("{{\"missed\":{missed}}}\n"),
            (missed, false) => format!("{missed} operations were missed\n"),
        };
        text.push_str(&match is_json {
            true => operation.to_json(),
            false => operation.to_text(),
        });
        let written = timeout(WRITE_TIMEOUT, write.write_all(text.as_bytes()));
        written.await.map_err(|_| io::ErrorKind::TimedOut)??;
    }
    Ok(())
}

/// Has a running server trace, and prints what comes.
pub(crate) async fn follow(path: &Path, ask: &Ask) -> Result<()> {
    let what = || format!("asking the running server at {}", path.display());
    let stream = UnixStream::connect(path).await.doing(what)?;
    let (read, mut write) = stream.into_split();
    let mut text = serde_json::to_string(ask).doing(what)?;
    text.push('\n');
    write.write_all(text.as_bytes()).await.doing(what)?;
    let mut lines = BufReader::new(read).lines();
    let first = lines.next_line().await.doing(what)?.unwrap_or_default();
    match serde_json::from_str(&first).doing(what)? {
        Answer::Done(_) => {}
        Answer::Failed(why) => return Err(Failure::new(why)),
    }
    while let Some(line) = lines.next_line().await.doing(what)? {
        say(&line)?;
    }
    Ok(())
}
