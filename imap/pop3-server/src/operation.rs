//! A span for each command, for who traces what an operation of a client costs.
//!
//! The spans have the target `operation` and are there only while somebody traces. They carry the command with its
//! numbers: names, passwords and what else a client logs in with are left out.

use tracing::{Span, field::Empty};

use crate::{command::Command, reply::Reply};

/// The span of a command; a disabled one when nobody traces.
pub(crate) fn span(command: &Command<'_>, user: Option<&str>) -> Span {
    if !is_traced() {
        return Span::none();
    }
    tracing::trace_span!(
        target: "operation",
        "pop3",
        user,
        line = line(command),
        status = Empty,
    )
}

/// Takes note of how a command was answered.
pub(crate) fn answered(reply: &Reply) {
    if is_traced() {
        Span::current().record("status", if reply.is_ok() { "+OK" } else { "-ERR" });
    }
}

/// Takes note of who has logged in.
pub(crate) fn logged_in(user: &str) {
    if is_traced() {
        Span::current().record("user", user);
    }
}

fn is_traced() -> bool {
    tracing::enabled!(target: "operation", tracing::Level::TRACE)
}

/// A command without what is nobody's business.
fn line(command: &Command<'_>) -> String {
    let name = command.name();
    match command {
        Command::Dele(number)
        | Command::Retr(number)
        | Command::List(Some(number))
        | Command::Uidl(Some(number)) => format!("{name} {number}"),
        Command::Top(number, lines) => format!("{name} {number} {lines}"),
        Command::Auth(Some(_)) | Command::Lang(Some(_)) | Command::Pass(_) | Command::User(_) => {
            format!("{name} …")
        }
        Command::Auth(None)
        | Command::Capa
        | Command::Lang(None)
        | Command::List(None)
        | Command::Noop
        | Command::Quit
        | Command::Rset
        | Command::Stat
        | Command::Stls
        | Command::Uidl(None)
        | Command::Utf8 => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_logs_in_with_is_left_out() {
        for (text, expected) in [
            ("USER ann@example.test", "USER …"),
            ("pass secret", "PASS …"),
            ("AUTH PLAIN AGFubgBzZWNyZXQ=", "AUTH …"),
            ("retr 3", "RETR 3"),
            ("TOP 3 0", "TOP 3 0"),
            ("UIDL", "UIDL"),
        ] {
            assert_eq!(line(&Command::decode(text.as_bytes()).unwrap()), expected);
        }
    }
}
