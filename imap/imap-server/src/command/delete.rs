//! DELETE (RFC 3501 6.3.4).

use imap_wire::{Code, MailboxName};

use crate::{
    command::close,
    mailboxes,
    reply::{Done, Failure, Reply},
    session::Session,
    state::State,
};

/// Deletes a mailbox with its messages. One with mailboxes below it is refused (RFC 9051 6.3.5, HASCHILDREN).
pub(super) async fn run(session: &mut Session<'_>, name: MailboxName) -> Reply {
    let Some(user) = session.state.authenticated() else {
        return Err(Failure::bad("log in first"));
    };
    let tree = user.account.folders().await?;
    let Some(folder) = mailboxes::find_exactly(&tree, name.as_str()) else {
        return Err(Failure::no_mailbox());
    };
    if folder.role.is_some() {
        return Err(Failure::no(
            Code::Cannot,
            "a special mailbox cannot be deleted",
        ));
    }
    if tree.children(Some(folder.id)).next().is_some() {
        return Err(Failure::no(
            Code::HasChildren,
            "there are mailboxes below it",
        ));
    }
    user.account.delete_folder(folder.id).await?;
    if matches!(&session.state, State::Selected(_, mailbox) if mailbox.folder == folder.id) {
        close::leave(session);
    }
    Ok(Done::new("DELETE completed"))
}
