//! LOGIN and AUTHENTICATE (RFC 3501 6.2, RFC 4959).

use account::{ErrorKind, MailboxId, Principal};
use imap_wire::{
    Code, Event, Mode, SaslReply,
    command::auth::{Authenticate, Login},
    sasl_reply,
};
use sasl::{
    Exchange, Identity, Mechanism, Nonce, Options, PasswordLogin, ScramVerifier, Secret, Step,
};

use crate::{
    Attempt, LoginOutcome, capability,
    connection::Wait,
    operation,
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
    if !matches!(session.state, State::NotAuthenticated) {
        return Err(Failure::bad("already logged in"));
    }
    let unsupported = || Failure::no(Code::Cannot, "unsupported authentication mechanism");
    let mechanism = Mechanism::parse(&command.mechanism).ok_or_else(unsupported)?;
    if mechanism.sends_password() {
        check_allowed(session)?;
    }
    // Held while the client proves who it is: an exchange that is broken off has failed.
    let mut attempt = None;
    let mut exchange = Exchange::new(mechanism, options(session, mechanism)?);
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
            Step::NeedScram(identity) => {
                attempt = Some(turn(session, &identity.authcid).await);
                let verifier = session.server.accounts.scram_verifier(&identity.authcid)?;
                step = exchange.verifier(&ScramVerifier {
                    salt: verifier.salt,
                    iterations: verifier.iterations,
                    stored_key: verifier.stored_key,
                    server_key: verifier.server_key,
                });
            }
            Step::Done(identity) => {
                let principal = session.server.accounts.principal(&identity.authcid);
                return enter(session, &identity, principal, attempt).await;
            }
            Step::Failed(sasl::Failure::BadProof) => return Err(refused(session, attempt)),
            Step::Failed(failure) => return Err(Failure::bad(failure.to_string())),
        }
    }
}

/// What an exchange of this mechanism needs; a mechanism without it is not offered.
fn options(session: &Session<'_>, mechanism: Mechanism) -> Result<Options, Failure> {
    let random = match mechanism {
        // They use no nonce.
        Mechanism::Plain | Mechanism::Login => Some([0; 18]),
        Mechanism::ScramSha256 => session.server.random.and_then(|random| random()),
        Mechanism::ScramSha256Plus => None,
    };
    match random {
        Some(random) => Ok(Options::new(Nonce::from_random(random))),
        None => Err(Failure::no(
            Code::Cannot,
            "unsupported authentication mechanism",
        )),
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
    let PasswordLogin {
        authzid,
        authcid,
        password,
    } = login;
    let attempt = turn(session, &authcid).await;
    let checked = match std::str::from_utf8(password.expose()) {
        Ok(password) => session.server.accounts.login(&authcid, password).await,
        Err(_) => Err(account::Error::new(
            ErrorKind::Unauthenticated,
            "password is not UTF-8",
        )),
    };
    let identity = Identity { authzid, authcid };
    enter(session, &identity, checked, Some(attempt)).await
}

/// Waits as long as the throttle wants.
async fn turn(session: &Session<'_>, user: &str) -> Box<dyn Attempt> {
    session
        .server
        .throttle
        .attempt(session.peer.addr, user)
        .await
}

/// Ends a login: opens the user's mailbox, or refuses.
async fn enter(
    session: &mut Session<'_>,
    identity: &Identity,
    checked: account::Result<Principal>,
    attempt: Option<Box<dyn Attempt>>,
) -> Reply {
    let server = session.server;
    let user = identity.authcid.as_str();
    let principal = match checked {
        Ok(principal) => principal,
        Err(error) if error.kind == ErrorKind::Unauthenticated => {
            return Err(refused(session, attempt));
        }
        Err(error) => {
            end(attempt, LoginOutcome::Undecided);
            return Err(error.into());
        }
    };
    end(attempt, LoginOutcome::Accepted);
    if identity
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
    operation::logged_in(&principal.user);
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

fn end(attempt: Option<Box<dyn Attempt>>, outcome: LoginOutcome) {
    if let Some(attempt) = attempt {
        attempt.end(outcome);
    }
}

fn refused(session: &mut Session<'_>, attempt: Option<Box<dyn Attempt>>) -> Failure {
    end(attempt, LoginOutcome::Refused);
    metrics::counter!("imap_logins_total", "outcome" => "refused").increment(1);
    tracing::info!(addr = ?session.peer.addr, "login refused");
    session.failed_logins += 1;
    if session.failed_logins >= session.server.config.failed_logins_max {
        return Failure::Bye("too many failed logins");
    }
    Failure::no(Code::AuthenticationFailed, "wrong user name or password")
}
