//! USER, PASS, AUTH and STLS: the AUTHORIZATION state (RFC 1939 4 and 7, RFC 5034, RFC 2595 4).

use account::{Principal, Service};
use front_end::{NotOffered, Progress, Refusal, TlsState};
use sasl::{LineError, decode_initial, decode_line, encode_line};

use crate::{
    command::Auth,
    maildrop::Maildrop,
    operation,
    reply::{self, Code, Done, Failure, Reply},
    session::{Session, State},
};

/// `USER name`: the same answer for every name.
pub(crate) fn user(session: &mut Session<'_>, name: &str) -> Reply {
    let State::Authorization { user } = &mut session.state else {
        return Err(logged_in());
    };
    if !session.peer.is_private() {
        return Err(needs_tls());
    }
    *user = Some(name.to_owned());
    Ok(Done::line("now the password"))
}

/// `PASS password`
pub(crate) async fn pass(session: &mut Session<'_>, password: &[u8]) -> Reply {
    let State::Authorization { user } = &mut session.state else {
        return Err(logged_in());
    };
    if !session.peer.is_private() {
        return Err(needs_tls());
    }
    let Some(user) = user.take() else {
        return Err(Failure::Bad("USER comes first"));
    };
    let logins = &session.server.logins;
    match logins
        .password(Service::Pop3, &session.peer, &user, password)
        .await
    {
        Ok(principal) => enter(session, principal).await,
        Err(refusal) => Err(refused(session, refusal)),
    }
}

/// `AUTH [mechanism [initial-response]]`
pub(crate) async fn auth(session: &mut Session<'_>, auth: Option<Auth<'_>>) -> Reply {
    let State::Authorization { .. } = session.state else {
        return Err(logged_in());
    };
    let logins = &session.server.logins;
    let Some(auth) = auth else {
        // Clients older than CAPA ask so.
        let out = session.connection.out();
        reply::ok(out, "mechanisms follow");
        for mechanism in logins.mechanisms(&session.peer) {
            out.extend_from_slice(mechanism.name().as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
        return Ok(Done::Written);
    };
    let mut login = match logins.begin(Service::Pop3, &session.peer, auth.mechanism) {
        Ok(login) => login,
        Err(NotOffered::NeedsTls) => return Err(needs_tls()),
        Err(NotOffered::Unknown) => return Err(Failure::no("unsupported mechanism")),
    };
    let initial = auth.initial.map(decode_initial).transpose();
    let initial = initial.map_err(malformed)?;
    let mut progress = login.start(initial.as_deref()).await;
    loop {
        match progress {
            Progress::Challenge(challenge) => {
                let line = format!("+ {}\r\n", encode_line(&challenge));
                session.connection.out().extend_from_slice(line.as_bytes());
                let response = session.response().await?;
                let response = decode_line(&response).map_err(malformed)?;
                progress = login.step(&response).await;
            }
            Progress::Accepted(principal) => return enter(session, principal).await,
            Progress::Refused(refusal) => return Err(refused(session, refusal)),
        }
    }
}

/// `STLS`. Octets that came along with it were not encrypted, and whoever put them there may not be the client: the
/// connection is closed, so that they are never taken for its commands.
pub(crate) fn stls(session: &Session<'_>) -> Reply {
    if session.peer.tls == TlsState::Active {
        return Err(Failure::Bad("TLS is active already"));
    }
    let State::Authorization { .. } = session.state else {
        return Err(logged_in());
    };
    if session.server.tls.current().is_none() {
        return Err(Failure::Bad("STLS is not offered"));
    }
    if session.connection.has_input() {
        tracing::warn!("octets behind STLS");
        let text = "nothing may follow STLS before the handshake";
        return Err(Failure::Over(None, text.into()));
    }
    Ok(Done::StartTls("begin TLS now"))
}

fn logged_in() -> Failure {
    Failure::Bad("already logged in")
}

fn needs_tls() -> Failure {
    Failure::auth("start TLS before logging in")
}

fn malformed(error: LineError) -> Failure {
    match error {
        LineError::Cancelled => Failure::no("authentication cancelled"),
        LineError::TooLong => Failure::Bad("response too long"),
        LineError::Malformed => Failure::Bad("expected base64"),
    }
}

/// Opens the user's Inbox.
async fn enter(session: &mut Session<'_>, principal: Principal) -> Reply {
    operation::logged_in(&principal.user);
    let maildrop = Box::pin(Maildrop::open(session.server, &principal)).await?;
    metrics::counter!("pop3_logins_total", "outcome" => "accepted").increment(1);
    let text = format!("{} messages", maildrop.count());
    session.connection.set_deadline(None);
    session.state = State::Transaction(Box::new(maildrop));
    Ok(Done::Line(text.into()))
}

fn refused(session: &mut Session<'_>, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::WrongPassword => {}
        Refusal::OtherIdentity => return Failure::auth("you may act for yourself only"),
        Refusal::Malformed(why) => return Failure::No(None, why.into()),
        Refusal::Failed(error) => return error.into(),
    }
    metrics::counter!("pop3_logins_total", "outcome" => "refused").increment(1);
    session.failed_logins += 1;
    if session.failed_logins >= session.server.config.failed_logins_max {
        return Failure::Over(Some(Code::Auth), "too many failed logins".into());
    }
    Failure::auth("wrong user name or password")
}
