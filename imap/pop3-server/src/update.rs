//! DELE, RSET and what QUIT does (RFC 1939 5 and 6).

use std::sync::Arc;

use account::{
    Account, Deleted, Error, ErrorKind, Expected, FlagChange, Flags, FolderIndex, ItemNumber,
};

use crate::{
    Config, Seen,
    command::MessageNumber,
    maildrop::Maildrop,
    reply::{Code, Done, Failure, Reply},
};

/// `DELE message`: a mark in this session, nothing more.
pub(crate) fn dele(maildrop: &mut Maildrop, number: MessageNumber) -> Reply {
    let message = maildrop.message(number)?;
    maildrop.deleted.insert(message.position);
    Ok(Done::line("marked"))
}

/// `RSET`: takes all marks off.
pub(crate) fn rset(maildrop: &mut Maildrop) -> Reply {
    maildrop.deleted.clear();
    Ok(Done::line("nothing is marked any more"))
}

/// What QUIT does: fetched messages are marked as read, then all marked messages go, in one change of the store that
/// is durable when it is answered. A message that somebody else has deleted meanwhile is as gone as it should be; of
/// one that the store has kept the client is told, so that it does not believe it gone.
pub(crate) async fn quit(maildrop: &Maildrop, config: &Config) -> Reply {
    let deleted = numbers(maildrop, maildrop.deleted.iter());
    let fetched = maildrop.fetched.difference(&maildrop.deleted);
    let seen = match config.seen {
        Seen::AtQuit => numbers(maildrop, fetched),
        Seen::Never => Vec::new(),
    };
    if let Err(error) = mark_seen(maildrop, &seen).await {
        // The client was promised nothing of that.
        tracing::warn!(%error, "fetched messages not marked as read");
    }
    if deleted.is_empty() {
        return Ok(Done::Over("bye".into()));
    }
    match delete(maildrop, &deleted).await {
        Ok(Deleted { gone, kept }) => {
            metrics::counter!("pop3_messages_deleted_total").increment(gone.len() as u64);
            if !kept.is_empty() {
                tracing::warn!(kept = kept.len(), "the store kept deleted messages");
                return Err(Failure::Over(None, NOT_REMOVED.into()));
            }
            let text = format!("bye, {} messages deleted", gone.len());
            Ok(Done::Over(text.into()))
        }
        Err(error) => {
            tracing::warn!(%error, "messages not deleted");
            let code = match error.kind {
                ErrorKind::Conflict | ErrorKind::Throttled | ErrorKind::Unavailable => {
                    Code::SysTemp
                }
                _ => Code::SysPerm,
            };
            Err(Failure::Over(Some(code), NOT_REMOVED.into()))
        }
    }
}

/// As RFC 1939 6 says it.
const NOT_REMOVED: &str = "some deleted messages not removed";

fn numbers<'a>(maildrop: &Maildrop, positions: impl Iterator<Item = &'a usize>) -> Vec<ItemNumber> {
    let items = positions.filter_map(|position| maildrop.index.get(*position));
    items.map(|item| item.number).collect()
}

/// The Inbox as it is now, unless it is another one than at the login: then the numbers stand for something else.
async fn now(account: &Account, maildrop: &Maildrop) -> account::Result<Arc<FolderIndex>> {
    let now = account.index(maildrop.folder).await?;
    match now.epoch() == maildrop.index.epoch() {
        true => Ok(now),
        false => Err(Error::new(
            ErrorKind::Conflict,
            "the Inbox was restored meanwhile",
        )),
    }
}

async fn mark_seen(maildrop: &Maildrop, items: &[ItemNumber]) -> account::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    let account = &maildrop.account;
    let now = now(account, maildrop).await?;
    let is_unseen = |item: &ItemNumber| {
        now.item(*item)
            .is_some_and(|item| !item.flags.contains(Flags::SEEN))
    };
    let unseen = items.iter().copied().filter(is_unseen);
    let unseen: Vec<Expected> = unseen
        .map(|item| Expected {
            item,
            version: None,
        })
        .collect();
    if unseen.is_empty() {
        return Ok(());
    }
    let change = FlagChange::Delta {
        add: Flags::SEEN,
        remove: Flags::NONE,
        add_keywords: Vec::new(),
        remove_keywords: Vec::new(),
    };
    account.set_flags(maildrop.folder, &unseen, &change).await?;
    Ok(())
}

async fn delete(maildrop: &Maildrop, items: &[ItemNumber]) -> account::Result<Deleted> {
    let account = &maildrop.account;
    now(account, maildrop).await?;
    account.delete_items(maildrop.folder, items).await
}
