//! Imports and exports over the admin socket: a request, then lines of JSON that say how far it is and how it ended.

use std::{io, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    time::timeout,
};

use super::{Ask, WORDS_MAX, Word, end, perform};
use crate::{
    command::administration::Administration,
    failure::{Doing, Result},
    serve::stopped,
};

/// How long a reader may let the server wait.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest line of an answer.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// Serves an import or export until it is over, or nobody reads any more.
pub(crate) async fn serve(
    ask: Ask,
    gateway: &Arc<Administration>,
    (mut read, mut write): (BufReader<OwnedReadHalf>, OwnedWriteHalf),
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let (words, said) = mpsc::channel(WORDS_MAX);
    let working = async {
        let done = perform(gateway, ask.moving, words.clone()).await;
        end(&words, done).await;
        drop(words);
    };
    let mut rest = [0; 64];
    tokio::select! {
        () = stopped(&mut stopping) => {}
        // Who asked sends nothing more: the end of the stream is all that can come.
        _ = read.read(&mut rest) => return Ok(()),
        ((), told) = async { tokio::join!(working, pass(said, &mut write)) } => return told,
    }
    let word = Word::Failed(
        1,
        "the server is shutting down: run it again to go on".to_owned(),
    );
    put(&mut write, &word).await
}

/// Passes on what the work says.
async fn pass(mut said: mpsc::Receiver<Word>, write: &mut OwnedWriteHalf) -> io::Result<()> {
    while let Some(word) = said.recv().await {
        put(write, &word).await?;
    }
    Ok(())
}

async fn put(write: &mut OwnedWriteHalf, word: &Word) -> io::Result<()> {
    let mut text = serde_json::to_vec(word)?;
    text.push(b'\n');
    timeout(WRITE_TIMEOUT, write.write_all(&text))
        .await
        .map_err(|_| io::ErrorKind::TimedOut)?
}

/// Has a running server do what is asked; what it says goes to `words`.
pub(super) async fn ask(path: &Path, ask: Ask, words: mpsc::Sender<Word>) -> Result<()> {
    let what = || format!("asking the running server at {}", path.display());
    let stream = UnixStream::connect(path).await.doing(what)?;
    let (read, mut write) = stream.into_split();
    let mut text = serde_json::to_vec(&ask).doing(what)?;
    text.push(b'\n');
    write.write_all(&text).await.doing(what)?;
    let mut read = BufReader::new(read);
    loop {
        let word = next(&mut read).await.doing(what)?;
        let is_last = matches!(word, Word::Done(_) | Word::Failed(..));
        // Whoever shows it has nothing to show any more.
        if words.send(word).await.is_err() || is_last {
            return Ok(());
        }
    }
}

async fn next(read: &mut BufReader<OwnedReadHalf>) -> io::Result<Word> {
    let mut line = String::new();
    read.take(LINE_BYTES_MAX).read_line(&mut line).await?;
    match line.is_empty() {
        true => Err(io::ErrorKind::UnexpectedEof.into()),
        false => Ok(serde_json::from_str(&line)?),
    }
}
