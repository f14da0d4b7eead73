//! STATUS (RFC 3501 6.3.10, RFC 7162 3.1.7, RFC 7889 4, RFC 8438, RFC 9208).

use account::{Flags, FolderInfo, ItemNumber};
use imap_wire::command::status::{StatusAttribute, StatusCommand};

use crate::{
    mailboxes,
    recent::{Claim, Numbers},
    reply::{Done, Failure, Reply},
    state::{Authenticated, Talk},
};

/// `STATUS mailbox (…)`
pub(super) async fn run(
    talk: &mut Talk<'_>,
    user: &mut Authenticated,
    command: StatusCommand,
) -> Reply {
    check(&command.attributes)?;
    let tree = user.account.folders().await?;
    let name = command.mailbox.as_str();
    let Some(folder) = mailboxes::find(&tree, name) else {
        return Err(Failure::no_mailbox());
    };
    answer(talk, user, (name, folder), &command.attributes).await?;
    Ok(Done::new("STATUS completed"))
}

/// Refuses attributes of extensions that are not offered.
pub(super) fn check(attributes: &[StatusAttribute]) -> Result<(), Failure> {
    match attributes.contains(&StatusAttribute::MailboxId) {
        true => Err(Failure::bad("status attribute not supported")),
        false => Ok(()),
    }
}

/// Writes the STATUS response of a mailbox.
pub(super) async fn answer(
    talk: &mut Talk<'_>,
    user: &mut Authenticated,
    (name, folder): (&str, &FolderInfo),
    attributes: &[StatusAttribute],
) -> Result<(), Failure> {
    // RFC 8438, RFC 9051 6.3.11: SIZE is never less than the sum of all RFC822.SIZE, but may be more. What nobody has read yet is
    // bounded, for a question about a mailbox must not make the originals of all its messages.
    let unknown = match attributes.contains(&StatusAttribute::Size) {
        true => user.account.unknown_size_max(folder.id).await?,
        false => 0,
    };
    let now = user.account.folder(folder.id).await?;
    let mut values = Vec::with_capacity(attributes.len());
    for &attribute in attributes {
        let value = match attribute {
            StatusAttribute::Messages => now.items.into(),
            StatusAttribute::Unseen => now.unread.into(),
            StatusAttribute::Deleted => now.deleted.into(),
            StatusAttribute::UidNext => now.next_number.0.into(),
            StatusAttribute::UidValidity => now.epoch.0.into(),
            StatusAttribute::HighestModSeq => {
                // RFC 7162 3.1: asking for it switches CONDSTORE on.
                user.condstore = true;
                now.version.0.max(1)
            }
            StatusAttribute::Size => now.size.saturating_add(unknown),
            StatusAttribute::AppendLimit => talk.server.config.append_bytes_max,
            StatusAttribute::Recent => recent(talk, user, &now).await?,
            StatusAttribute::DeletedStorage => deleted_storage(user, &now).await?,
            StatusAttribute::MailboxId => continue,
        };
        values.push((attribute, value));
    }
    talk.connection.writer().status(name, &values);
    Ok(())
}

/// RFC 9208 4.1.4: octets that removing what is marked would free; never less, where sizes are not known yet.
async fn deleted_storage(user: &Authenticated, folder: &FolderInfo) -> Result<u64, Failure> {
    if folder.deleted == 0 {
        return Ok(0);
    }
    let index = user.account.index(folder.id).await?;
    let (mut octets, mut unknown) = (0_u64, false);
    for item in index
        .iter()
        .filter(|item| item.flags.contains(Flags::DELETED))
    {
        match item.size.known() {
            Some(size) => octets = octets.saturating_add(size),
            None => unknown = true,
        }
    }
    Ok(match unknown {
        true => octets.saturating_add(user.account.unknown_size_max(folder.id).await?),
        false => octets,
    })
}

async fn recent(
    talk: &Talk<'_>,
    user: &Authenticated,
    folder: &FolderInfo,
) -> Result<u64, Failure> {
    let index = user.account.index(folder.id).await?;
    let (recent, numbers) = (&talk.server.recent, Numbers::of(&index));
    let announced = recent.look(user.account.mailbox(), folder.id, numbers, Claim::Leave);
    let first = ItemNumber(announced.0.saturating_add(1));
    let (Ok(place) | Err(place)) = index.search(first);
    Ok((index.len() - place) as u64)
}
