//! Files into a mailbox.

mod files;
mod folder;
mod target;

use account::{Account, Accounts};

use crate::{
    Import, Report, Result, Tally,
    durable::{make_folder, off_reactor},
    source,
};

/// A run.
pub(crate) struct Run<'a> {
    pub(crate) accounts: &'a Accounts,
    pub(crate) account: &'a Account,
    pub(crate) options: &'a Import,
    pub(crate) report: &'a Report,
    pub(crate) tally: Tally,
}

/// Files messages into a mailbox; of what an earlier run imported, only what changed since.
///
/// Durable when it returns. A run that is broken off loses and doubles nothing: run it again. A message that cannot be
/// filed is named and counted. Errors: the files cannot be read, or the mailbox cannot be written.
pub async fn import(
    (accounts, account): (&Accounts, &Account),
    options: &Import,
    report: &Report,
) -> Result<Tally> {
    let (from, format, journal) = (
        options.from.clone(),
        options.format,
        options.journal.clone(),
    );
    let folders = off_reactor(move || {
        if let Some(journal) = journal {
            make_folder(&journal)?;
        }
        source::folders(&from, format)
    })
    .await?;
    let mut run = Run {
        accounts,
        account,
        options,
        report,
        tally: Tally::default(),
    };
    let mut targets = target::Targets::new(account, options.into.as_deref()).await?;
    let mut total = 0;
    let mut pairs = Vec::with_capacity(folders.len());
    for source in folders {
        let target = targets.folder(&source).await?;
        pairs.push((source, target));
    }
    for (source, target) in pairs {
        folder::import(&mut run, (source, target), &mut total).await?;
    }
    Ok(run.tally)
}
