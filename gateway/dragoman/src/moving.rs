//! `dragoman export` and `dragoman import`: mailboxes into files, and files into mailboxes; the same on both backends.
//!
//! The work is done in the running server or, where none runs, in the command. How far it is goes out as it comes. When
//! the command ends, so does the work; files and journals are such that it can be taken up again.

mod bar;
pub(crate) mod socket;

use std::{path::Path, pin::Pin, sync::Arc, time::Duration};

use account::Rights;
use mail_files::{Progress, Report, Tally};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use self::bar::Bar;
use crate::{
    cli::{
        self,
        mapi::{Asker, Who},
    },
    command::administration::Administration,
    config::Config,
    data_dir::DataDir,
    failure::{Doing, Failure, Result},
    mapi::Session,
    secret_file, serve,
};

/// What is on its way to whoever reads, before the work waits.
const WORDS_MAX: usize = 64;

/// How often the command is told how far the work is.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// What is to be done.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Verb {
    Export(cli::moving::Export),
    Import(cli::moving::Import),
}

/// The request's line to a running server. It may carry a password, so it has no `Debug`.
#[derive(Deserialize, Serialize)]
pub(crate) struct Ask {
    moving: Asked,
}

/// What is to be done, with what the command knows and the server does not.
#[derive(Deserialize, Serialize)]
struct Asked {
    verb: Verb,
    /// The owner's password at an Exchange server.
    password: Option<String>,
}

/// What the work says while it goes on, and how it ends.
#[derive(Debug, Deserialize, Serialize)]
enum Word {
    Progress(Progress),
    Remark(String),
    Done(Tally),
    /// The exit code, and what went wrong.
    Failed(u8, String),
}

/// Does what is asked, through the server of the data folder, or here when there is none.
pub(crate) async fn run(config: Config, mut verb: Verb) -> Result<()> {
    let who = match &mut verb {
        Verb::Export(export) => {
            absolute(&mut export.to)?;
            &export.who
        }
        Verb::Import(import) => {
            absolute(&mut import.from)?;
            import.journal.as_mut().map_or(Ok(()), absolute)?;
            &import.who
        }
    };
    let password = match &who.password_file {
        Some(file) => Some(secret_file::read(file)?.expose().to_owned()),
        None => None,
    };
    let asked = Asked { verb, password };
    let data = DataDir::existing(&config.data)?;
    let (words, said) = mpsc::channel(WORDS_MAX);
    let showing = show(said);
    match data.lock()? {
        None => {
            let socket = data.admin_socket();
            let asking = socket::ask(&socket, Ask { moving: asked }, words);
            finish(tokio::join!(asking, showing))
        }
        Some(_lock) => {
            let gateway = Arc::new(Administration::open(&config, &data).await?);
            gateway.backends().add_accounts(&config)?;
            let working = async {
                let done = perform(&gateway, asked, words.clone()).await;
                end(&words, done).await;
                drop(words);
                Ok(())
            };
            tokio::select! {
                done = async { tokio::join!(working, showing) } => finish(done),
                interrupted = tokio::signal::ctrl_c() => {
                    interrupted.doing(|| "signals".to_owned())?;
                    Err(Failure::new("interrupted: run it again to go on"))
                }
            }
        }
    }
}

fn absolute(path: &mut std::path::PathBuf) -> Result<()> {
    let whole = std::path::absolute(&path);
    *path = whole.doing(|| path.display().to_string())?;
    Ok(())
}

fn finish((asked, shown): (Result<()>, Result<Option<Tally>>)) -> Result<()> {
    let tally = shown?;
    asked?;
    let tally = tally.ok_or_else(|| Failure::new("broken off: run it again to go on"))?;
    if tally.marked + tally.deleted > 0 {
        let (marked, deleted) = (tally.marked, tally.deleted);
        serve::say(&format!("{marked} changes of flags, {deleted} deleted"))?;
    }
    serve::say(&format!(
        "{} messages, {} bytes, {} skipped, {} failed",
        tally.messages, tally.bytes, tally.skipped, tally.failed
    ))?;
    match tally.failed {
        0 => Ok(()),
        failed => Err(Failure::new(format!(
            "{failed} messages could not be moved"
        ))),
    }
}

/// Shows what the work says, and returns what it did.
async fn show(mut said: mpsc::Receiver<Word>) -> Result<Option<Tally>> {
    let mut bar = Bar::new();
    let mut done = None;
    while let Some(word) = said.recv().await {
        match word {
            Word::Progress(progress) => bar.show(progress),
            Word::Remark(line) => bar.remark(&crate::mapi::plain(&line)),
            Word::Done(tally) => done = Some(tally),
            Word::Failed(code, why) => return Err(Failure::ended(code, why)),
        }
    }
    Ok(done)
}

async fn end(words: &mpsc::Sender<Word>, done: Result<Tally>) {
    let word = match done.map_err(Failure::telling) {
        Ok(tally) => Word::Done(tally),
        Err(failure) => Word::Failed(failure.exit_code(), failure.to_string()),
    };
    // Nobody listens any more: then nobody is told.
    let _ = words.send(word).await;
}

/// Work that goes on. Its type is hidden: it is large.
type Working<'a> = Pin<Box<dyn Future<Output = Result<Tally>> + Send + 'a>>;

/// Does what is asked. Whoever listened is gone: then it ends, without harm.
fn perform(gateway: &Arc<Administration>, asked: Asked, words: mpsc::Sender<Word>) -> Working<'_> {
    Box::pin(async move {
        let (progress, shown) = watch::channel(Progress::default());
        let (remarks, said) = mpsc::channel(WORDS_MAX);
        let report = Report { progress, remarks };
        let working = async {
            let done = work(gateway, asked, &report).await;
            drop(report);
            done
        };
        let (done, ()) = tokio::try_join!(working, tell(words, shown, said))?;
        Ok(done)
    })
}

/// Passes on what the work says, until it is done.
async fn tell(
    words: mpsc::Sender<Word>,
    mut progress: watch::Receiver<Progress>,
    mut remarks: mpsc::Receiver<String>,
) -> Result<()> {
    let gone = |_| Failure::new("nobody reads the answer any more");
    let mut ticks = tokio::time::interval(PROGRESS_EVERY);
    loop {
        tokio::select! {
            remark = remarks.recv() => match remark {
                Some(line) => words.send(Word::Remark(line)).await.map_err(gone)?,
                None => return Ok(()),
            },
            _ = ticks.tick() => if progress.has_changed().unwrap_or(false) {
                let progress = *progress.borrow_and_update();
                words.send(Word::Progress(progress)).await.map_err(gone)?;
            },
        }
    }
}

async fn work(gateway: &Arc<Administration>, asked: Asked, report: &Report) -> Result<Tally> {
    let whose = match &asked.verb {
        Verb::Export(export) => &export.who,
        Verb::Import(import) => &import.who,
    };
    let who = Who {
        address: whose.mailbox.clone(),
        asker: Asker::default(),
    };
    let session = Session::open(gateway, &who, asked.password.as_deref()).await?;
    let accounts = gateway.accounts();
    let account = accounts.open(&session.principal, &session.mailbox).await;
    let account = account.doing(|| format!("opening {}", session.mailbox))?;
    session.renew_tree().await?;
    match asked.verb {
        Verb::Export(export) => {
            for folder in session.folders().await?.iter() {
                if folder.rights.allow(Rights::READ_ANY) {
                    session.renew(folder).await?;
                }
            }
            let options = mail_files::Export {
                to: export.to,
                format: export.format.into(),
                folder: export.folder,
                delete: export.delete,
            };
            let exported = mail_files::export(&account, &options, report).await;
            exported.doing(|| doing("exporting to", &options.to))
        }
        Verb::Import(import) => {
            let options = mail_files::Import {
                from: import.from,
                format: import.format.map(Into::into),
                into: import.into,
                delete: import.delete,
                journal: import.journal,
            };
            let imported = mail_files::import((accounts, &account), &options, report).await;
            imported.doing(|| doing("importing from", &options.from))
        }
    }
}

fn doing(what: &str, path: &Path) -> String {
    format!("{what} {}", path.display())
}
