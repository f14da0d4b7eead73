//! CLOSE (RFC 3501 6.4.2) and UNSELECT (RFC 3691).

use crate::{
    command::expunge,
    reply::{Done, Failure, Reply},
    session::Session,
    state::{Access, State},
};

/// Removes what is marked `\Deleted`, without a word, and leaves the mailbox; when some of it cannot be removed
/// now, the mailbox stays selected.
pub(super) async fn close(session: &mut Session<'_>) -> Reply {
    let State::Selected(user, mailbox) = &session.state else {
        return Err(Failure::bad("no mailbox is selected"));
    };
    if mailbox.access == Access::ReadWrite {
        expunge::remove(user, mailbox, None).await?;
    }
    leave(session);
    Ok(Done::new("CLOSE completed"))
}

/// Leaves the mailbox as it is.
pub(super) fn unselect(session: &mut Session<'_>) -> Reply {
    if !matches!(session.state, State::Selected(..)) {
        return Err(Failure::bad("no mailbox is selected"));
    }
    leave(session);
    Ok(Done::new("UNSELECT completed"))
}

/// Back to the authenticated state.
pub(super) fn leave(session: &mut Session<'_>) {
    session.state = match std::mem::replace(&mut session.state, State::Over) {
        State::Selected(user, _) => State::Authenticated(user),
        other => other,
    };
}
