//! `dragoman mapi`: mailboxes in MAPI's own terms, for people and for scripts; the same on both backends.
//!
//! A verb works on a [`Store`](mapi_store::Store), in the running server or, where none runs, in the command. What it
//! has to say goes out line by line as it comes, so that nothing is too large for it.

mod accounts;
mod ask;
mod folders;
mod frames;
mod free_busy;
mod items;
mod list;
mod moment;
mod output;
mod permissions;
mod rows;
mod send;
mod session;
mod show;
pub(crate) mod socket;
#[cfg(test)]
mod tests;
mod watch;

use std::{
    io::{self, Read},
    pin::Pin,
    sync::Arc,
};

use tokio::sync::mpsc;

pub(crate) use self::{
    ask::Ask, list::Filter, moment::Moment, moment::text as moment_text, output::plain,
    session::Session,
};
use self::{
    ask::Asked,
    frames::{Frame, Frames},
    output::Output,
};
use crate::{
    cli::mapi::Verb,
    command::administration::Administration,
    config::Config,
    data_dir::DataDir,
    failure::{Doing, Failure, Result},
    secret_file,
};

/// What is on its way to whoever reads, before a verb waits.
const FRAMES_MAX: usize = 64;

/// What a verb is asked, beside the question: the octets of a message to be sent.
pub(crate) type Octets = Vec<u8>;

/// Runs a verb to its end: through the server of the data folder, or here when there is none. An interrupt ends it.
pub(crate) async fn run(config: Config, verb: Verb) -> Result<()> {
    run_until(tokio::signal::ctrl_c(), config, verb).await
}

async fn run_until(
    interrupt: impl Future<Output = io::Result<()>>,
    config: Config,
    verb: Verb,
) -> Result<()> {
    let octets = match &verb {
        Verb::Send { file, .. } => read_message(file, config.limits.message_bytes_max)?,
        _ => Octets::new(),
    };
    let password = match &verb.asker().password_file {
        Some(file) => Some(secret_file::read(file)?.expose().to_owned()),
        None => None,
    };
    let asked = Asked {
        verb,
        password,
        octets: octets.len() as u64,
    };
    let goes_on = matches!(asked.verb, Verb::Watch { .. });
    tokio::select! {
        done = carry_out(&config, asked, octets) => done,
        heard = interrupt => match (heard.doing(|| "signals".to_owned()), goes_on) {
            (Err(failure), _) => Err(failure),
            // It has no other end.
            (Ok(()), true) => Ok(()),
            (Ok(()), false) => Err(Failure::ended(INTERRUPTED, "interrupted".to_owned())),
        },
    }
}

/// The exit code of what was interrupted, as shells have it: 128, and the number of SIGINT.
const INTERRUPTED: u8 = 130;

/// Has the server of the data folder do what is asked, or does it.
async fn carry_out(config: &Config, asked: Asked, octets: Octets) -> Result<()> {
    let data = DataDir::existing(&config.data)?;
    match data.lock()? {
        None => socket::ask(&data.admin_socket(), &Ask { mapi: asked }, &octets).await,
        Some(_lock) => {
            let gateway = Administration::open(config, &data).await?;
            gateway.backends().add_accounts(config)?;
            alone(&Arc::new(gateway), asked, octets).await
        }
    }
}

/// Runs a verb in this process; what it says goes to standard output.
async fn alone(gateway: &Arc<Administration>, asked: Asked, octets: Octets) -> Result<()> {
    let (frames, mut said) = channel();
    let working = perform(gateway, asked, octets, frames);
    let printing = async {
        while let Some(frame) = said.recv().await {
            frame.print()?;
        }
        Ok(())
    };
    let (done, printed): (_, Result<()>) = tokio::join!(working, printing);
    printed.and(done)
}

/// Where what a verb says goes, and comes from.
fn channel() -> (Frames, mpsc::Receiver<Frame>) {
    let (sender, receiver) = mpsc::channel(FRAMES_MAX);
    (Frames(sender), receiver)
}

/// A verb at work. Its type is hidden: it is as large as all verbs together.
type Working = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Does what is asked. Whoever listened is gone: then it ends, without harm.
fn perform(gateway: &Arc<Administration>, asked: Asked, octets: Octets, frames: Frames) -> Working {
    let gateway = Arc::clone(gateway);
    Box::pin(async move {
        let out = Output::new(frames, asked.verb.asker().json);
        let Some(who) = asked.verb.who() else {
            return accounts::accounts(&gateway, &out).await;
        };
        let session = Session::open(&gateway, who, asked.password.as_deref()).await?;
        work(&session, asked.verb, octets, &out).await
    })
}

/// Does what is asked with an open mailbox.
async fn work(session: &Session, verb: Verb, octets: Octets, out: &Output) -> Result<()> {
    match verb {
        Verb::Accounts { .. } => Ok(()),
        Verb::Folders { .. } => folders::folders(session, out).await,
        Verb::List { what, .. } => list::list(session, &what, out).await,
        Verb::Show { what, .. } => show::show(session, &what, out).await,
        Verb::Send { how, .. } => send::send(session, &how, octets, out).await,
        Verb::Appointment(items) => items::run(session, items, out).await,
        Verb::Contact(items) => items::run(session, items, out).await,
        Verb::Task(items) => items::run(session, items, out).await,
        Verb::Note(items) => items::run(session, items, out).await,
        Verb::Freebusy { span, .. } => free_busy::free_busy(session, &span, out).await,
        Verb::Permissions { what, .. } => permissions::run(session, what, out).await,
        Verb::Watch { folder, .. } => watch::watch(session, folder.as_deref(), out).await,
    }
}

/// Reads a message from a file, or from standard input.
fn read_message(path: &std::path::Path, bytes_max: u64) -> Result<Octets> {
    let doing = || path.display().to_string();
    let mut octets = Octets::new();
    let reader: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin()),
        false => Box::new(std::fs::File::open(path).doing(doing)?),
    };
    let mut reader = reader.take(bytes_max.saturating_add(1));
    reader.read_to_end(&mut octets).doing(doing)?;
    match octets.len() as u64 > bytes_max {
        true => Err(Failure::new(format!(
            "{}: longer than limits.message_bytes_max, {bytes_max} octets",
            doing()
        ))),
        false => Ok(octets),
    }
}
