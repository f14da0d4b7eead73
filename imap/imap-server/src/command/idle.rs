//! IDLE (RFC 2177): tells what happens as it happens.

use front_end::Wait;
use imap_wire::{Event, Mode};
use tokio::time::{Instant, sleep};

use crate::{
    reply::{Done, Failure, Reply},
    session::Session,
    state::{State, Talk},
    sync::{self, Looked},
    view::Expunges,
};

/// Idles until the client says DONE.
pub(super) async fn run(session: &mut Session<'_>) -> Reply {
    if session.state.authenticated().is_none() {
        return Err(Failure::bad("log in first"));
    }
    session.connection.writer().continuation("idling");
    session.connection.framer.set_mode(Mode::Line);
    let ended = idle(session).await;
    session.connection.framer.set_mode(Mode::Command);
    ended?;
    Ok(Done::new("IDLE completed"))
}

async fn idle(session: &mut Session<'_>) -> Result<(), Failure> {
    // The watch is taken first and the mailbox looked at after: nothing that happens in between is missed.
    let mut watch = match &session.state {
        State::Selected(user, mailbox) => Some(user.account.watch(Some(mailbox.folder))),
        _ => None,
    };
    let deadline = Instant::now() + session.server.config.idle_timeout;
    loop {
        let mut looked = Looked::Now;
        if let State::Selected(user, mailbox) = &mut session.state {
            let mut talk = Talk {
                server: session.server,
                connection: &mut session.connection,
            };
            let sync = sync::sync(&mut talk, user, mailbox, Expunges::Announce, &sync::news);
            looked = Box::pin(sync).await?;
        }
        session.connection.flush().await?;
        match session.connection.event() {
            (Event::Frame, _) => {
                let line = session.connection.framer.frame().line();
                if line.eq_ignore_ascii_case(b"DONE") {
                    return Ok(());
                }
                return Err(Failure::bad("expected DONE"));
            }
            (Event::Refused(refusal), _) => return Err(Failure::bad(refusal.reason.text())),
            (Event::Literal(_) | Event::LiteralData { .. }, _) => {
                return Err(Failure::bad("expected DONE"));
            }
            (Event::NeedInput, _) => {}
        }
        session.connection.shrink();
        let patience = deadline.saturating_duration_since(Instant::now());
        let changed = async {
            match &mut watch {
                Some(watch) => watch.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            came = session.connection.wait(patience, &mut session.shutdown) => match came? {
                Wait::Input => {}
                Wait::Closed => return Err(Failure::Io(std::io::ErrorKind::UnexpectedEof.into())),
                Wait::Timeout => return Err(Failure::Bye("you were silent for too long")),
                Wait::Shutdown => return Err(Failure::Bye("the server is shutting down")),
            },
            () = changed => {}
            () = sleep(session.server.config.look_again), if looked == Looked::Later => {}
        }
    }
}
