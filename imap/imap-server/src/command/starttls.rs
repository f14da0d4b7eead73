//! STARTTLS (RFC 3501 6.2.1).

use std::io;

use front_end::TlsState;
use imap_wire::{Status, Tag};

use crate::{session::Session, state::State};

/// Answers, and goes on encrypted.
///
/// Octets that came along with the command were not encrypted; whoever put them there may not be the client. The
/// connection is closed, so that they are never taken for its commands.
pub(crate) async fn run(session: &mut Session<'_>, tag: &Tag) -> io::Result<()> {
    let refusal = if session.peer.tls == TlsState::Active {
        Some("TLS is active already")
    } else if !matches!(session.state, State::NotAuthenticated) {
        Some("STARTTLS comes before the login")
    } else {
        None
    };
    let tls = session.server.tls.current();
    let (None, Some(tls)) = (refusal, tls) else {
        let text = refusal.unwrap_or("STARTTLS is not offered");
        session
            .connection
            .writer()
            .tagged(tag, Status::Bad, None, text);
        return Ok(());
    };
    if session.connection.has_input() {
        tracing::warn!("octets behind STARTTLS");
        let mut writer = session.connection.writer();
        writer.tagged(
            tag,
            Status::Bad,
            None,
            "nothing may follow STARTTLS before the handshake",
        );
        writer.untagged(Status::Bye, None, "closing");
        session.state = State::Over;
        return Ok(());
    }
    session
        .connection
        .writer()
        .tagged(tag, Status::Ok, None, "begin TLS now");
    session.connection.flush().await?;
    let patience = session.server.config.handshake_timeout;
    let addr = session.peer.addr;
    let channel = session.connection.start_tls(&tls, patience, addr).await?;
    session.peer.encrypted(channel);
    tracing::debug!("TLS started");
    Ok(())
}
