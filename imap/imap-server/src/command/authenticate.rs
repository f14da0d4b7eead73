//! LOGIN and AUTHENTICATE (RFC 3501 6.2, RFC 4959).

use account::{ErrorKind, MailboxId};
use imap_wire::{
    Code, Event, Mode, SaslReply,
    command::auth::{Authenticate, Login},
    sasl_reply,
};
use sasl::{Exchange, Mechanism, Nonce, Options, PasswordLogin, Secret, Step};

use crate::{
    LoginOutcome, capability,
    connection::Wait,
    reply::{Done, DoneCode, Failure, Reply},
    session::Session,
    state::{Authenticated, State},
};

/// `LOGIN user password`
pub(super) async fn login(session: &mut Session<'_>, command: Login) -> Reply {
    check_allowed(session)?;
    let password = Secret::new(command.password.0);
    check_password(
        session,
        PasswordLogin {
            authzid: None,
            authcid: command.user,
            password,
        },
    )
    .await
}

/// `AUTHENTICATE mechanism [initial-response]`
pub(super) async fn authenticate(session: &mut Session<'_>, command: Authenticate) -> Reply {
    check_allowed(session)?;
    let Some(mechanism @ (Mechanism::Plain | Mechanism::Login)) =
        Mechanism::parse(&command.mechanism)
    else {
        return Err(Failure::no(
            Code::Cannot,
            "unsupported authentication mechanism",
        ));
    };
    // Mechanisms that send the password use no nonce.
    let mut exchange = Exchange::new(mechanism, Options::new(Nonce::from_random([0; 18])));
    let mut step = exchange.start(command.initial_response.as_ref().map(|secret| &*secret.0));
    loop {
        match step {
            Step::Challenge(challenge) => {
                session.connection.writer().challenge(&challenge);
                let line = line(session).await?;
                step = match sasl_reply(&line) {
                    SaslReply::Data(response) => exchange.step(&response),
                    SaslReply::Cancel => return Err(Failure::bad("authentication cancelled")),
                    SaslReply::Malformed => return Err(Failure::bad("expected base64")),
                };
            }
            Step::NeedPassword(login) => return check_password(session, login).await,
            Step::Failed(failure) => return Err(Failure::bad(failure.to_string())),
            Step::NeedScram(_) | Step::Done(_) => {
                return Err(Failure::no(
                    Code::Cannot,
                    "unsupported authentication mechanism",
                ));
            }
        }
    }
}

fn check_allowed(session: &Session<'_>) -> Result<(), Failure> {
    if !matches!(session.state, State::NotAuthenticated) {
        return Err(Failure::bad("already logged in"));
    }
    if !session.is_private() {
        return Err(Failure::no(
            Code::PrivacyRequired,
            "start TLS before logging in",
        ));
    }
    Ok(())
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
                let patience = session.server.config.login_timeout;
                match session
                    .connection
                    .wait(patience, &mut session.shutdown)
                    .await?
                {
                    Wait::Input => {}
                    Wait::Closed => {
                        break Err(Failure::Io(std::io::ErrorKind::UnexpectedEof.into()));
                    }
                    Wait::Timeout => break Err(Failure::Bye("you were silent for too long")),
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

async fn check_password(session: &mut Session<'_>, login: PasswordLogin) -> Reply {
    let server = session.server;
    let (addr, user) = (session.peer.addr, login.authcid.as_str());
    tokio::time::sleep(server.throttle.delay(addr, user)).await;
    let checked = match std::str::from_utf8(login.password.expose()) {
        Ok(password) => server.accounts.login(user, password).await,
        Err(_) => Err(account::Error::new(
            ErrorKind::Unauthenticated,
            "password is not UTF-8",
        )),
    };
    let principal = match checked {
        Ok(principal) => principal,
        Err(error) if error.kind == ErrorKind::Unauthenticated => {
            server.throttle.note(addr, user, LoginOutcome::Refused);
            return Err(refused(session));
        }
        Err(error) => return Err(error.into()),
    };
    server.throttle.note(addr, user, LoginOutcome::Accepted);
    if login
        .authzid
        .as_deref()
        .is_some_and(|other| !other.eq_ignore_ascii_case(user))
    {
        return Err(Failure::no(
            Code::AuthorizationFailed,
            "you may act for yourself only",
        ));
    }
    let mailbox = MailboxId(principal.user.clone());
    let account = server.accounts.open(&principal, &mailbox).await?;
    tracing::info!(user = principal.user, "logged in");
    metrics::counter!("imap_logins_total", "outcome" => "accepted").increment(1);
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

fn refused(session: &mut Session<'_>) -> Failure {
    metrics::counter!("imap_logins_total", "outcome" => "refused").increment(1);
    tracing::info!(addr = ?session.peer.addr, "login refused");
    session.failed_logins += 1;
    if session.failed_logins >= session.server.config.failed_logins_max {
        return Failure::Bye("too many failed logins");
    }
    Failure::no(Code::AuthenticationFailed, "wrong user name or password")
}
