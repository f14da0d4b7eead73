//! COPY (RFC 3501 6.4.7) and MOVE (RFC 6851), with COPYUID (RFC 4315 3).

use account::{FolderInfo, ItemNumber, Transferred};
use imap_wire::{Code, Status, command::store::Transfer};

use crate::{
    command::sequence_set,
    mailboxes,
    reply::{CopyUid, Done, DoneCode, Failure, Reply},
    state::{Access, Authenticated, Selected, Talk},
    uid_validity,
};

/// `COPY set mailbox`
pub(super) async fn copy(user: &Authenticated, mailbox: &Selected, command: Transfer) -> Reply {
    let (items, missing) = chosen(mailbox, &command)?;
    let target = target(user, &command).await?;
    if items.is_empty() {
        return nothing(missing, "COPY completed");
    }
    let copied = user
        .account
        .copy_items(mailbox.folder, &items, target.id)
        .await?;
    if copied.is_empty() {
        return nothing(true, "COPY completed");
    }
    let code = match copy_uid(user, &target, &copied).await {
        Some(pairs) => DoneCode::CopyUid(pairs),
        None => DoneCode::None,
    };
    Ok(Done {
        code,
        text: "COPY completed",
    })
}

/// `MOVE set mailbox`: COPYUID comes first, then the EXPUNGE responses with the other news (RFC 6851 4.3).
pub(super) async fn move_(
    talk: &mut Talk<'_>,
    user: &Authenticated,
    mailbox: &Selected,
    command: Transfer,
) -> Reply {
    if mailbox.access == Access::ReadOnly {
        return Err(Failure::no(Code::ReadOnly, "the mailbox is open read-only"));
    }
    let (items, missing) = chosen(mailbox, &command)?;
    let target = target(user, &command).await?;
    if items.is_empty() {
        return nothing(missing, "MOVE completed");
    }
    let moved = user
        .account
        .move_items(mailbox.folder, &items, target.id)
        .await?;
    if moved.is_empty() {
        return nothing(true, "MOVE completed");
    }
    if let Some(pairs) = copy_uid(user, &target, &moved).await {
        let mut writer = talk.connection.writer();
        writer.untagged(Status::Ok, Some(&pairs.code()), "moved");
    }
    Ok(Done::new("MOVE completed"))
}

/// The items a command names, and whether some of them are gone.
fn chosen(mailbox: &Selected, command: &Transfer) -> Result<(Vec<ItemNumber>, bool), Failure> {
    let selection = mailbox
        .view
        .select(sequence_set(&command.set)?, command.uid)?;
    let items = selection
        .items(mailbox.view.index())
        .map(|(_, item)| item.number)
        .collect();
    Ok((items, selection.missing))
}

async fn target(user: &Authenticated, command: &Transfer) -> Result<FolderInfo, Failure> {
    let tree = user.account.folders().await?;
    let folder = mailboxes::find(&tree, command.mailbox.as_str());
    folder
        .cloned()
        .ok_or_else(|| Failure::no(Code::TryCreate, "no such mailbox"))
}

/// No message was left to act on.
fn nothing(missing: bool, text: &'static str) -> Reply {
    if missing {
        return Err(Failure::no(Code::ExpungeIssued, "the messages are gone"));
    }
    Ok(Done::new(text))
}

/// Which UIDs became which; `None` when it cannot be said what the new ones are valid for.
async fn copy_uid(
    user: &Authenticated,
    target: &FolderInfo,
    pairs: &[Transferred],
) -> Option<CopyUid> {
    Some(CopyUid {
        uid_validity: uid_validity::after_write(user, target).await?,
        source: pairs.iter().map(|pair| pair.source.0).collect(),
        target: pairs.iter().map(|pair| pair.target.number.0).collect(),
    })
}
