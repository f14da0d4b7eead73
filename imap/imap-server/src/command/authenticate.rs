//! LOGIN and AUTHENTICATE (RFC 3501 6.2, RFC 4959).

use account::{MailboxId, Principal, Service};
use front_end::{NotOffered, Progress, Refusal, Wait};
use imap_wire::{
    Code, Event, Mode, SaslReply,
    command::auth::{Authenticate, Login},
    sasl_reply,
};

use crate::{
    capability, operation,
    reply::{Done, DoneCode, Failure, Reply},
    session::{LOGIN_TOO_LONG, Session},
    state::{Authenticated, State},
};

/// `LOGIN user password`
pub(super) async fn login(session: &mut Session<'_>, command: Login) -> Reply {
    check_state(session)?;
    if !session.peer.is_private() {
        return Err(needs_tls());
    }
    let (user, password) = (&command.user, &*command.password.0);
    let logins = &session.server.logins;
    match logins
        .password(Service::Imap, &session.peer, user, password)
        .await
    {
        Ok(principal) => enter(session, principal).await,
        Err(refusal) => Err(refused(session, refusal)),
    }
}

/// `AUTHENTICATE mechanism [initial-response]`
pub(super) async fn authenticate(session: &mut Session<'_>, command: Authenticate) -> Reply {
    check_state(session)?;
    let logins = &session.server.logins;
    let mut login = match logins.begin(Service::Imap, &session.peer, &command.mechanism) {
        Ok(login) => login,
        Err(NotOffered::NeedsTls) => return Err(needs_tls()),
        Err(NotOffered::Unknown) => {
            return Err(Failure::no(
                Code::Cannot,
                "unsupported authentication mechanism",
            ));
        }
    };
    let initial = command.initial_response.as_ref().map(|secret| &*secret.0);
    let mut progress = login.start(initial).await;
    loop {
        match progress {
            Progress::Challenge(challenge) => {
                session.connection.writer().challenge(&challenge);
                let line = line(session).await?;
                progress = match sasl_reply(&line) {
                    SaslReply::Data(response) => login.step(&response).await,
                    SaslReply::Cancel => return Err(Failure::bad("authentication cancelled")),
                    SaslReply::Malformed => return Err(Failure::bad("expected base64")),
                };
            }
            Progress::Accepted(principal) => return enter(session, principal).await,
            Progress::Refused(refusal) => return Err(refused(session, refusal)),
        }
    }
}

fn check_state(session: &Session<'_>) -> Result<(), Failure> {
    match session.state {
        State::NotAuthenticated => Ok(()),
        _ => Err(Failure::bad("already logged in")),
    }
}

fn needs_tls() -> Failure {
    Failure::no(Code::PrivacyRequired, "start TLS before logging in")
}

/// Reads one line that is no command.
async fn line(session: &mut Session<'_>) -> Result<Vec<u8>, Failure> {
    session.connection.framer.set_mode(Mode::Line);
    let line = loop {
        match session.connection.event() {
            (Event::Frame, _) => break Ok(session.connection.framer.frame().line().to_vec()),
            (Event::Refused(refusal), _) => break Err(Failure::bad(refusal.reason.text())),
            (Event::NeedInput, _) => {
                session.connection.flush().await?;
                let patience = session.server.config.idle_timeout;
                match session
                    .connection
                    .wait(patience, &mut session.shutdown)
                    .await?
                {
                    Wait::Input => {}
                    Wait::Closed => {
                        break Err(Failure::Io(std::io::ErrorKind::UnexpectedEof.into()));
                    }
                    Wait::Timeout => break Err(Failure::Bye(LOGIN_TOO_LONG)),
                    Wait::Shutdown => break Err(Failure::Bye("the server is shutting down")),
                }
            }
            (Event::Literal(_) | Event::LiteralData { .. }, _) => {
                break Err(Failure::bad("expected a line"));
            }
        }
    };
    session.connection.framer.set_mode(Mode::Command);
    line
}

/// Opens the user's mailbox.
async fn enter(session: &mut Session<'_>, principal: Principal) -> Reply {
    let server = session.server;
    let mailbox = MailboxId(principal.user.clone());
    let account = server.logins.accounts().open(&principal, &mailbox).await?;
    operation::logged_in(&principal.user);
    metrics::counter!("imap_logins_total", "outcome" => "accepted").increment(1);
    session.connection.set_deadline(None);
    session.state = State::Authenticated(Authenticated {
        account,
        condstore: false,
    });
    let capabilities = capability::names(server, &session.peer, &session.state);
    Ok(Done {
        code: DoneCode::Capability(capabilities),
        text: "logged in",
    })
}

fn refused(session: &mut Session<'_>, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::WrongPassword => {}
        Refusal::OtherIdentity => {
            let text = "you may act for yourself only";
            return Failure::no(Code::AuthorizationFailed, text);
        }
        Refusal::Malformed(why) => return Failure::bad(why),
        Refusal::Failed(error) => return error.into(),
    }
    metrics::counter!("imap_logins_total", "outcome" => "refused").increment(1);
    session.failed_logins += 1;
    if session.failed_logins >= session.server.config.failed_logins_max {
        return Failure::Bye("too many failed logins");
    }
    Failure::no(Code::AuthenticationFailed, "wrong user name or password")
}
