//! ID (RFC 2971).

use imap_wire::command::id::IdPair;

use crate::{reply::Done, session::Session};

/// Says who we are, and notes in the log who the client says it is.
pub(super) fn run(session: &mut Session<'_>, pairs: &[IdPair]) -> Done {
    let field = |name: &str| {
        let pair = pairs
            .iter()
            .find(|pair| pair.field.eq_ignore_ascii_case(name))?;
        pair.value.as_deref()
    };
    tracing::debug!(name = field("name"), version = field("version"), "client");
    let version = session.server.config.version.as_str();
    let mut ours = vec![("name", "Dragoman")];
    if !version.is_empty() {
        ours.push(("version", version));
    }
    session.connection.writer().id(&ours);
    Done::new("ID completed")
}
