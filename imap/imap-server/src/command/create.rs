//! CREATE (RFC 3501 6.3.3).

use account::{FolderId, NewFolder};
use imap_wire::{Code, command::mailbox::Create};

use crate::{
    mailbox_name::{self, SEPARATOR},
    mailboxes,
    reply::{Done, Failure, Reply},
    state::Authenticated,
};

/// The container class of mail folders.
const MAIL_CLASS: &str = "IPF.Note";

/// Makes a mailbox, and the ones above it that are missing.
pub(super) async fn run(user: &Authenticated, command: Create) -> Reply {
    if !command.special_uses.is_empty() {
        return Err(Failure::no(
            Code::UseAttr,
            "special uses cannot be assigned",
        ));
    }
    // RFC 3501 6.3.3: a separator at the end declares that there will be names below.
    let name = command.mailbox.as_str();
    let name = name.strip_suffix(SEPARATOR).unwrap_or(name);
    if !mailbox_name::is_valid(name) {
        return Err(Failure::no(Code::Cannot, "not a possible mailbox name"));
    }
    let tree = user.account.folders().await?;
    if mailboxes::find_exactly(&tree, name).is_some() {
        return Err(Failure::no(
            Code::AlreadyExists,
            "the mailbox exists already",
        ));
    }
    let (parent, leaf) = make_parents(user, name).await?;
    make(user, parent, leaf).await?;
    Ok(Done::new("CREATE completed"))
}

/// Makes the folders above a name as far as they are missing; the folder for it, and the name's last level.
pub(super) async fn make_parents<'n>(
    user: &Authenticated,
    name: &'n str,
) -> Result<(Option<FolderId>, &'n str), Failure> {
    let Some((above, leaf)) = name.rsplit_once(SEPARATOR) else {
        return Ok((None, name));
    };
    let tree = user.account.folders().await?;
    let mut parent = None;
    let mut end = 0;
    for level in above.split(SEPARATOR) {
        end += level.len();
        let path = above.get(..end).unwrap_or(above);
        end += SEPARATOR.len_utf8();
        parent = match mailboxes::find_any(&tree, path) {
            Some(folder) => Some(folder.id),
            None => Some(make(user, parent, level).await?),
        };
    }
    Ok((parent, leaf))
}

async fn make(
    user: &Authenticated,
    parent: Option<FolderId>,
    level: &str,
) -> Result<FolderId, Failure> {
    let name = mailbox_name::display_name(level);
    let folder = NewFolder {
        parent,
        name,
        class: MAIL_CLASS.to_owned(),
    };
    Ok(user.account.create_folder(&folder).await?.id)
}
