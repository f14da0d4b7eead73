//! RENAME (RFC 3501 6.3.5).

use account::{FolderId, ItemNumber, NewFolder, Role};
use imap_wire::{Code, command::mailbox::Rename};

use crate::{
    command::create::make_parents,
    mailbox_name, mailboxes,
    reply::{Done, Failure, Reply},
    state::Authenticated,
};

/// Renames a mailbox with all below it; renaming INBOX moves its messages to a new mailbox.
pub(super) async fn run(user: &Authenticated, command: Rename) -> Reply {
    let (from, to) = (command.from.as_str(), command.to.as_str());
    if !mailbox_name::is_valid(to) {
        return Err(Failure::no(Code::Cannot, "not a possible mailbox name"));
    }
    let tree = user.account.folders().await?;
    let Some(folder) = mailboxes::find_exactly(&tree, from) else {
        return Err(Failure::no_mailbox());
    };
    if mailboxes::find_exactly(&tree, to).is_some() {
        return Err(Failure::no(
            Code::AlreadyExists,
            "the mailbox exists already",
        ));
    }
    let below = format!("{from}{}", mailbox_name::SEPARATOR);
    if folder.role != Some(Role::Inbox) && to.starts_with(&below) {
        return Err(Failure::no(
            Code::Cannot,
            "a mailbox cannot be moved below itself",
        ));
    }
    if folder.role.is_some_and(|role| role != Role::Inbox) {
        return Err(Failure::no(
            Code::Cannot,
            "a special mailbox cannot be renamed",
        ));
    }
    let (parent, leaf) = make_parents(user, to).await?;
    let name = mailbox_name::display_name(leaf);
    if folder.role != Some(Role::Inbox) {
        user.account.move_folder(folder.id, parent, &name).await?;
        return Ok(Done::new("RENAME completed"));
    }
    let target = NewFolder {
        parent,
        name,
        class: folder.class.clone(),
    };
    move_inbox(user, folder.id, &target).await?;
    Ok(Done::new("RENAME completed"))
}

/// Moves the messages of the Inbox to a new mailbox. When they cannot be moved, it stays: the store may have lost sight
/// of the outcome, and the messages come later.
async fn move_inbox(
    user: &Authenticated,
    inbox: FolderId,
    target: &NewFolder,
) -> Result<(), Failure> {
    let account = &user.account;
    let index = account.index(inbox).await?;
    let items: Vec<ItemNumber> = index.iter().map(|item| item.number).collect();
    let target = account.create_folder(target).await?;
    if !items.is_empty() {
        account.move_items(inbox, &items, target.id).await?;
    }
    Ok(())
}
