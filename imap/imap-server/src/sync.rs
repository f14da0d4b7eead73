//! Telling the client what changed in its mailbox.

use std::sync::Arc;

use account::{ErrorKind, FolderIndex, ItemState};
use imap_wire::{FetchWriter, FlagBits};

use crate::{
    flags,
    recent::{Claim, Numbers},
    reply::Failure,
    state::{Access, Authenticated, KeywordNames, Selected, Talk},
    view::{Changed, Expunges},
};

/// What to tell the client of an item that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announce {
    /// Nothing: it knows.
    Nothing,
    /// Its flags.
    Flags,
    /// Its version alone: it knows the flags.
    ModSeq,
}

/// What a command's own effects are, so that they are not told as news.
pub(crate) type Told<'a> = &'a (dyn Fn(&Changed, &FolderIndex) -> Announce + Sync);

/// Nothing was told by the command: every visible change is news.
pub(crate) fn news(change: &Changed, _: &FolderIndex) -> Announce {
    let _ = change;
    Announce::Flags
}

/// Whether the mailbox could be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    /// It was.
    Now,
    /// The store is in trouble: look again later.
    Later,
}

/// The selected mailbox as of now; `None` when the store is in trouble, which is no reason to fail a command that
/// succeeded. A folder that is gone, or whose numbers are no longer valid, ends the session.
pub(crate) async fn look(
    user: &Authenticated,
    mailbox: &Selected,
) -> Result<Option<Arc<FolderIndex>>, Failure> {
    let index = match user.account.index(mailbox.folder).await {
        Ok(index) => index,
        Err(error) => match error.kind {
            ErrorKind::NotFound | ErrorKind::Denied => {
                return Err(Failure::Bye("the selected mailbox is gone"));
            }
            _ => {
                tracing::warn!(%error, "cannot look for changes");
                return Ok(None);
            }
        },
    };
    if index.epoch() != mailbox.epoch {
        return Err(Failure::Bye(
            "the selected mailbox was restored, select it again",
        ));
    }
    Ok(Some(index))
}

/// Brings the view up to date and writes what the client must be told of it. When it cannot be looked at, the view
/// stays as it is, and the next look tells.
pub(crate) async fn sync(
    talk: &mut Talk<'_>,
    user: &Authenticated,
    mailbox: &mut Selected,
    expunges: Expunges,
    told: Told<'_>,
) -> Result<Looked, Failure> {
    let Some(index) = look(user, mailbox).await? else {
        return Ok(Looked::Later);
    };
    let announced = claim(talk, user, mailbox, &index);
    let old = Arc::clone(mailbox.view.index());
    let updates = mailbox.view.update(index, announced, expunges);
    for sequence in updates.expunged {
        talk.connection.writer().expunge(sequence);
        talk.connection.flush_if_full().await?;
    }
    if updates.arrived {
        let recent = mailbox.view.recent_count() as u32;
        let mut writer = talk.connection.writer();
        writer.exists(mailbox.view.len() as u32);
        writer.recent(recent);
    }
    if mailbox.view.index().keywords().names().len() != mailbox.keywords_told {
        write_flags(talk, mailbox);
    }
    let mut names = KeywordNames::default();
    for change in &updates.changed {
        let announce = told(change, &old);
        if announce == Announce::Nothing || (!user.condstore && !is_visible(change, &old, mailbox))
        {
            continue;
        }
        write_change(talk, user, mailbox, (change, announce), &mut names);
        talk.connection.flush_if_full().await?;
    }
    Ok(Looked::Now)
}

/// Items above the number returned are recent in this session when they are new.
fn claim(
    talk: &Talk<'_>,
    user: &Authenticated,
    mailbox: &Selected,
    index: &FolderIndex,
) -> account::ItemNumber {
    let numbers = Numbers::of(index);
    if index.next_number() == mailbox.view.index().next_number() {
        return numbers.last;
    }
    let claim = match mailbox.access {
        Access::ReadWrite => Claim::Take,
        Access::ReadOnly => Claim::Leave,
    };
    let recent = &talk.server.recent;
    recent.look(user.account.mailbox(), mailbox.folder, numbers, claim)
}

/// Whether a client without CONDSTORE can see a difference.
fn is_visible(change: &Changed, old: &FolderIndex, mailbox: &Selected) -> bool {
    let new = mailbox.view.index();
    change.before.flags != change.after.flags
        || !old
            .keywords()
            .set(change.before.keywords)
            .eq(new.keywords().set(change.after.keywords))
}

fn write_change(
    talk: &mut Talk<'_>,
    user: &Authenticated,
    mailbox: &Selected,
    (change, announce): (&Changed, Announce),
    names: &mut KeywordNames,
) {
    let item = change.after;
    let mut writer = talk.connection.writer();
    let mut fetch = writer.fetch(change.sequence);
    if user.condstore {
        fetch.uid(item.number.0);
    }
    if announce == Announce::Flags {
        write_item_flags(&mut fetch, mailbox, &item, names);
    }
    if user.condstore {
        fetch.mod_seq(item.version.0);
    }
    fetch.finish();
}

/// Writes the FLAGS of an item of the view.
pub(crate) fn write_item_flags(
    fetch: &mut FetchWriter<'_>,
    mailbox: &Selected,
    item: &ItemState,
    names: &mut KeywordNames,
) {
    let keywords = names.of(item.flags, item.keywords, mailbox.view.index().keywords());
    let bits = flags::bits(item.flags, mailbox.view.is_recent(item.number));
    fetch.flags(bits, keywords.iter().map(String::as_str));
}

/// Writes the FLAGS response: everything that can be set, and every keyword in use (RFC 3501 7.2.6).
pub(crate) fn write_flags(talk: &mut Talk<'_>, mailbox: &mut Selected) {
    let keywords = mailbox_keywords(mailbox.view.index());
    mailbox.keywords_told = mailbox.view.index().keywords().names().len();
    talk.connection
        .writer()
        .flags(SYSTEM_FLAGS, keywords.iter().map(String::as_str));
}

/// The flags clients can set.
pub(crate) const SYSTEM_FLAGS: FlagBits = FlagBits::ANSWERED
    .with(FlagBits::FLAGGED)
    .with(FlagBits::DELETED)
    .with(FlagBits::SEEN)
    .with(FlagBits::DRAFT);

/// The keywords that messages of a folder have or had.
pub(crate) fn mailbox_keywords(index: &FolderIndex) -> Vec<String> {
    let own = [flags::FORWARDED, flags::MDN_SENT].map(str::to_owned);
    own.into_iter()
        .chain(index.keywords().names().map(imap_wire::keyword::keyword))
        .collect()
}
