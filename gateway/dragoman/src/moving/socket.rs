//! Imports and exports over the admin socket: a request, then lines of JSON that say how far it is and how it ended.

use std::{io, path::Path, sync::Arc};

use tokio::{
    io::{AsyncReadExt, BufReader},
    net::unix::{OwnedReadHalf, OwnedWriteHalf},
    sync::{mpsc, watch},
};

use super::{Ask, WORDS_MAX, Word, end, perform};
use crate::{
    admin_lines::{self, next, put},
    command::administration::Administration,
    failure::{Doing, Result},
    serve::stopped,
};

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
    put(&mut write, &word, &[]).await
}

/// Passes on what the work says.
async fn pass(mut said: mpsc::Receiver<Word>, write: &mut OwnedWriteHalf) -> io::Result<()> {
    while let Some(word) = said.recv().await {
        put(write, &word, &[]).await?;
    }
    Ok(())
}

/// Has a running server do what is asked; what it says goes to `words`.
pub(super) async fn ask(path: &Path, ask: Ask, words: mpsc::Sender<Word>) -> Result<()> {
    let what = || format!("asking the running server at {}", path.display());
    let mut answers = admin_lines::ask(path, &ask, &[]).await?;
    loop {
        let word = next(&mut answers.read).await.doing(what)?;
        let is_last = matches!(word, Word::Done(_) | Word::Failed(..));
        // Whoever shows it has nothing to show any more.
        if words.send(word).await.is_err() || is_last {
            return Ok(());
        }
    }
}
