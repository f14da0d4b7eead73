//! Verbs over the admin socket: a request, a message's octets where one is sent, then the answer piece by piece.
//!
//! Each piece is a line of JSON; octets follow theirs as they are. The last line says how it ended.

use std::{io, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, BufReader},
    net::unix::{OwnedReadHalf, OwnedWriteHalf},
    sync::{mpsc, watch},
    time::timeout,
};

use super::{Ask, Octets, ask::Said, channel, frames::Frame, output::PIECE_BYTES_MAX, perform};
use crate::{
    admin_lines::{self, next, put},
    command::administration::Administration,
    failure::{Doing, Failure, Result},
    serve::stopped,
};

/// How long the command may take to hand over a message.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(60);

/// Serves a verb until it is over, or nobody reads any more. `read` has what follows the request's line.
pub(crate) async fn serve(
    ask: Ask,
    gateway: &Arc<Administration>,
    (mut read, mut write): (BufReader<OwnedReadHalf>, OwnedWriteHalf),
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let asked = ask.mapi;
    let octets = match message(&mut read, asked.octets, gateway.message_bytes_max()).await? {
        Ok(octets) => octets,
        Err(why) => return end(&mut write, &Err(Failure::new(why))).await,
    };
    let (frames, said) = channel();
    let working = perform(gateway, asked, octets, frames);
    let working = async { working.await.map_err(Failure::telling) };
    let answering = async {
        let told = pass(said, &mut write).await;
        // With the receiver gone, the verb ends at its next word.
        told.map_err(Failure::from)
    };
    let mut rest = [0; 64];
    tokio::select! {
        () = stopped(&mut stopping) => {}
        // Who asked sends nothing more: the end of the stream is all that can come.
        _ = read.read(&mut rest) => return Ok(()),
        (done, told) = async { tokio::join!(working, answering) } => {
            if told.is_ok() {
                return end(&mut write, &done).await;
            }
            return Ok(());
        }
    }
    end(
        &mut write,
        &Err(Failure::new("the server is shutting down")),
    )
    .await
}

/// Reads the message that is to be sent; or says why not.
async fn message(
    read: &mut BufReader<OwnedReadHalf>,
    octets: u64,
    bytes_max: u64,
) -> io::Result<Result<Octets, String>> {
    if octets > bytes_max {
        return Ok(Err(format!(
            "the message is longer than limits.message_bytes_max, {bytes_max} octets"
        )));
    }
    let mut message = Octets::new();
    let mut limited = read.take(octets);
    let reading = limited.read_to_end(&mut message);
    timeout(MESSAGE_TIMEOUT, reading)
        .await
        .map_err(|_| io::ErrorKind::TimedOut)??;
    match message.len() as u64 == octets {
        true => Ok(Ok(message)),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Passes on what the verb says.
async fn pass(mut said: mpsc::Receiver<Frame>, write: &mut OwnedWriteHalf) -> io::Result<()> {
    while let Some(frame) = said.recv().await {
        match frame {
            Frame::Line(line) => put(write, &Said::Line(line), &[]).await?,
            Frame::Octets(octets) => {
                put(write, &Said::Octets(octets.len() as u64), &octets).await?;
            }
        }
    }
    Ok(())
}

async fn end(write: &mut OwnedWriteHalf, done: &Result<()>) -> io::Result<()> {
    let said = match done {
        Ok(()) => Said::End(0, None),
        Err(failure) => Said::End(failure.exit_code(), Some(failure.to_string())),
    };
    put(write, &said, &[]).await
}

/// Has a running server do what is asked, and prints what it says.
pub(super) async fn ask(path: &Path, ask: &Ask, octets: &[u8]) -> Result<()> {
    let what = || format!("asking the running server at {}", path.display());
    let mut answers = admin_lines::ask(path, ask, octets).await?;
    let read = &mut answers.read;
    loop {
        match next(read).await.doing(what)? {
            Said::Line(line) => Frame::Line(line).print()?,
            Said::Octets(len) => {
                let len = len.min(PIECE_BYTES_MAX as u64);
                let mut octets = Octets::new();
                let reading = read.take(len).read_to_end(&mut octets).await;
                reading.doing(what)?;
                Frame::Octets(Bytes::from(octets)).print()?;
            }
            Said::End(0, None) => return Ok(()),
            Said::End(code, why) => return Err(Failure::ended(code, why.unwrap_or_default())),
        }
    }
}
