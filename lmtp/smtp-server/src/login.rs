//! AUTH. Source: RFC 4954.

use std::io;

use account::Service;
use front_end::{NotOffered, Progress, Refusal};
use sasl::{LineError, decode_initial, decode_line, encode_line};

use crate::{
    connection::{Connection, Response},
    reply::Reply,
    server::Profile,
    session::{Next, Session},
};

impl Session<'_> {
    /// `AUTH mechanism [initial-response]`
    pub(crate) async fn authenticate(
        &mut self,
        line: &[u8],
        connection: &mut Connection,
    ) -> io::Result<Next> {
        let server = self.server;
        let Profile::Submission(logins) = &server.profile else {
            return Ok(self.answer(Reply::UNSUPPORTED, connection));
        };
        let refused = match () {
            () if self.client_name.is_none() => Some(Reply::EHLO_FIRST),
            () if self.principal.is_some() => Some(Reply::AUTHENTICATED_ALREADY),
            () if self.transaction.is_some() => Some(Reply::NO_AUTH_NOW),
            () => None,
        };
        if let Some(reply) = refused {
            return Ok(self.answer(reply, connection));
        }
        let mut words = line
            .split(|octet| octet.is_ascii_whitespace())
            .filter(|word| !word.is_empty())
            .skip(1);
        let mechanism = words
            .next()
            .map(String::from_utf8_lossy)
            .unwrap_or_default();
        let initial = words.next().map(decode_initial).transpose();
        if mechanism.is_empty() || words.next().is_some() {
            return Ok(self.answer(Reply::BAD_PARAMETER, connection));
        }
        let initial = match initial {
            Ok(initial) => initial,
            Err(error) => return Ok(self.answer(malformed(error), connection)),
        };
        let mut login = match logins.begin(Service::Smtp, &self.peer, &mechanism) {
            Ok(login) => login,
            Err(NotOffered::NeedsTls) => return Ok(self.answer(Reply::TLS_FIRST, connection)),
            Err(NotOffered::Unknown) => {
                return Ok(self.answer(Reply::UNKNOWN_MECHANISM, connection));
            }
        };
        let mut progress = login.start(initial.as_deref()).await;
        loop {
            match progress {
                Progress::Challenge(challenge) => {
                    connection.text(&format!("334 {}\r\n", encode_line(&challenge)));
                    let response = match connection.response(&self.server.config).await? {
                        Response::Line(line) => decode_line(&line),
                        // What is left of the line must not be taken for commands.
                        Response::TooLong => {
                            return Ok(self.last(Reply::RESPONSE_TOO_LONG, connection));
                        }
                        Response::Timeout => return Ok(self.last(Reply::TIMEOUT, connection)),
                    };
                    match response {
                        Ok(response) => progress = login.step(&response).await,
                        Err(error) => return Ok(self.answer(malformed(error), connection)),
                    }
                }
                Progress::Accepted(principal) => {
                    metrics::counter!("submission_logins_total", "outcome" => "accepted")
                        .increment(1);
                    self.principal = Some(principal);
                    return Ok(self.answer(Reply::AUTHENTICATED, connection));
                }
                Progress::Refused(refusal) => return Ok(self.refuse(refusal, connection)),
            }
        }
    }

    fn refuse(&mut self, refusal: Refusal, connection: &mut Connection) -> Next {
        let reply = match refusal {
            Refusal::WrongPassword => Reply::WRONG_PASSWORD,
            Refusal::OtherIdentity => Reply::OTHER_IDENTITY,
            Refusal::Malformed(_) => Reply::BAD_RESPONSE,
            Refusal::Failed(_) => Reply::LOGIN_UNAVAILABLE,
        };
        metrics::counter!("submission_logins_total", "outcome" => "refused").increment(1);
        self.failed_logins += 1;
        if self.failed_logins >= self.server.config.failed_logins_max {
            return self.last(Reply::TOO_MANY_LOGINS, connection);
        }
        self.answer(reply, connection)
    }
}

const fn malformed(error: LineError) -> Reply {
    match error {
        LineError::Cancelled => Reply::AUTH_CANCELLED,
        LineError::TooLong => Reply::RESPONSE_TOO_LONG,
        LineError::Malformed => Reply::BAD_BASE64,
    }
}
