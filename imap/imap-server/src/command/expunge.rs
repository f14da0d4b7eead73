//! EXPUNGE (RFC 3501 6.4.3) and UID EXPUNGE (RFC 4315 2.1).

use account::{Flags, ItemNumber};
use imap_wire::{Code, MessageSet, NumberSet};

use crate::{
    command::sequence_set,
    reply::{Done, Failure, Reply},
    state::{Access, Authenticated, Selected},
};

/// Removes what is marked `\Deleted`; the EXPUNGE responses come with the other news of the mailbox.
pub(super) async fn run(
    user: &Authenticated,
    mailbox: &Selected,
    set: Option<MessageSet>,
) -> Reply {
    if mailbox.access == Access::ReadOnly {
        return Err(Failure::no(Code::ReadOnly, "the mailbox is open read-only"));
    }
    let uids = match &set {
        Some(set) => {
            let index = mailbox.view.index();
            let last = index.len().checked_sub(1).and_then(|last| index.get(last));
            Some(sequence_set(set)?.resolve(last.map_or(0, |item| item.number.0)))
        }
        None => None,
    };
    remove(user, mailbox, uids).await?;
    Ok(Done::new("EXPUNGE completed"))
}

/// Removes what is marked `\Deleted`, of these UIDs only when some are given. Fails when a message that is still marked
/// stays, although others may have gone.
pub(super) async fn remove(
    user: &Authenticated,
    mailbox: &Selected,
    uids: Option<NumberSet>,
) -> Result<(), Failure> {
    let index = user.account.index(mailbox.folder).await?;
    if index.counts().deleted == 0 {
        return Ok(());
    }
    let chosen = |number: ItemNumber| uids.as_ref().is_none_or(|uids| uids.contains(number.0));
    let marked: Vec<ItemNumber> = index
        .iter()
        .filter(|item| item.flags.contains(Flags::DELETED) && chosen(item.number))
        .map(|item| item.number)
        .collect();
    if !marked.is_empty() {
        // The marks are those of a moment ago: the store looks again, for a client may have been told that one is off.
        let deleted = user.account.delete_marked(mailbox.folder, &marked).await?;
        if !deleted.kept.is_empty() {
            tracing::warn!(kept = deleted.kept.len(), "the store kept deleted messages");
            return Err(Failure::no(
                Code::Cannot,
                "some messages could not be removed",
            ));
        }
    }
    Ok(())
}
