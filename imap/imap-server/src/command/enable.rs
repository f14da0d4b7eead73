//! ENABLE (RFC 5161).

use imap_wire::{Code, Status};

use crate::{
    reply::{Done, Failure, Reply},
    session::Session,
    state::State,
};

/// Switches on what the client names and the server has; the rest is ignored.
pub(super) fn run(session: &mut Session<'_>, names: &[Box<str>]) -> Reply {
    let Some(user) = session.state.authenticated() else {
        return Err(Failure::bad("log in first"));
    };
    let condstore = names.iter().any(|name| &**name == "CONDSTORE");
    user.condstore |= condstore;
    let mut writer = session.connection.writer();
    if condstore {
        writer.enabled(&["CONDSTORE"]);
        // RFC 7162 3.1.2: the client needs a MODSEQ to start from.
        if let State::Selected(_, mailbox) = &session.state {
            let highest = mailbox.view.index().version().0.max(1);
            writer.untagged(
                Status::Ok,
                Some(&Code::HighestModSeq(highest)),
                "highest MODSEQ",
            );
        }
    } else {
        writer.enabled(&[]);
    }
    Ok(Done::new("ENABLE completed"))
}
