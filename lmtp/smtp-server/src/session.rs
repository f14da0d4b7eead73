//! One session: which command may come when.

use std::io;

use account::Principal;
use front_end::{Logins, Peer, TlsState};
use smtp_proto::Request;
use tokio::sync::watch;

use crate::{
    Server,
    connection::{Connection, Line},
    passing::Told,
    reply::Reply,
    server::Profile,
    transaction::Transaction,
};

pub(crate) struct Session<'s> {
    pub(crate) server: &'s Server,
    pub(crate) peer: Peer,
    /// What the client called itself in LHLO or EHLO.
    pub(crate) client_name: Option<String>,
    /// Who has logged in.
    pub(crate) principal: Option<Principal>,
    pub(crate) failed_logins: u32,
    pub(crate) transaction: Option<Transaction>,
    pub(crate) transactions: u64,
    errors: u32,
}

/// What follows a command.
pub(crate) enum Next {
    Command,
    StartTls,
    Close,
}

impl<'s> Session<'s> {
    pub(crate) fn new(server: &'s Server, peer: Peer) -> Self {
        Self {
            server,
            peer,
            client_name: None,
            principal: None,
            failed_logins: 0,
            transaction: None,
            transactions: 0,
            errors: 0,
        }
    }

    pub(crate) async fn run(
        mut self,
        mut connection: Connection,
        mut shutdown: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let config = &self.server.config;
        let protocol = match self.server.profile {
            Profile::Delivery => "LMTP",
            Profile::Submission(_) => "ESMTP",
        };
        connection.text(&format!("220 {} {protocol} Dragoman\r\n", config.hostname));
        loop {
            let next = match connection.line(config, &mut shutdown).await? {
                Line::Command(line) => self.command(&line, &mut connection).await?,
                Line::Refused(reply) => self.answer(reply, &mut connection),
                Line::Shutdown => self.last(Reply::SHUTTING_DOWN, &mut connection),
                Line::Timeout => self.last(Reply::TIMEOUT, &mut connection),
                Line::Closed => return Ok(()),
            };
            match next {
                Next::Command => {}
                Next::Close => return connection.close(config.write_timeout).await,
                Next::StartTls => {
                    let Some(tls) = self.server.tls.current() else {
                        return connection.close(config.write_timeout).await;
                    };
                    connection.flush(config.write_timeout).await?;
                    let encrypted = connection
                        .start_tls(&tls, config.command_timeout, self.peer.addr)
                        .await?;
                    connection = encrypted.0;
                    // RFC 3207 4.2: whatever was said before the handshake is forgotten.
                    self.peer.encrypted(encrypted.1);
                    self.client_name = None;
                    self.principal = None;
                    self.transaction = None;
                }
            }
        }
    }

    async fn command(&mut self, line: &[u8], connection: &mut Connection) -> io::Result<Next> {
        // Mechanisms are `sasl`'s affair, and no case of their names is wrong.
        if is_command(line, b"AUTH") {
            return Box::pin(self.authenticate(line, connection)).await;
        }
        let request = match Request::parse(&mut line.iter()) {
            Ok(request) => request,
            Err(error) => return Ok(self.answer(refusal(&error), connection)),
        };
        // RFC 3030 2: between BDAT chunks there is no other way than on, back or out.
        let transaction = self.transaction.as_ref();
        if transaction.is_some_and(|transaction| transaction.chunks.is_some())
            && matches!(
                request,
                Request::Mail { .. } | Request::Rcpt { .. } | Request::Data
            )
        {
            return Ok(self.answer(Reply::NOT_WITHIN_BDAT, connection));
        }
        let reply = match request {
            Request::Lhlo { host } | Request::Ehlo { host } | Request::Helo { host } => {
                return Ok(self.hello((line, host.into_owned()), connection));
            }
            Request::Mail { from } => self.mail(from).await,
            Request::Rcpt { to } => self.recipient(to).await,
            Request::Data if self.is_binary() => Reply::BINARY_NEEDS_BDAT,
            Request::Data if line.len() != b"DATA\r\n".len() => Reply::NO_PARAMETERS,
            Request::Data => return Box::pin(self.data(connection)).await,
            Request::Bdat {
                chunk_size,
                is_last,
            } => {
                return Box::pin(self.chunk(chunk_size as u64, is_last, connection)).await;
            }
            Request::Rset => {
                self.transaction = None;
                Reply::OK
            }
            Request::Noop { .. } => Reply::OK,
            Request::Help { .. } => match self.server.profile {
                Profile::Delivery => Reply::HELP,
                Profile::Submission(_) => Reply::SUBMISSION_HELP,
            },
            Request::Vrfy { .. } => Reply::VERIFY,
            Request::Quit => return Ok(self.last(Reply::BYE, connection)),
            Request::StartTls => return Ok(self.start_tls(connection)),
            // AUTH was looked at before.
            Request::Expn { .. }
            | Request::Auth { .. }
            | Request::Etrn { .. }
            | Request::Atrn { .. }
            | Request::Burl { .. } => Reply::UNSUPPORTED,
        };
        Ok(self.answer(reply, connection))
    }

    /// Queues a reply; too many errors end the session.
    pub(crate) fn answer(&mut self, reply: Reply, connection: &mut Connection) -> Next {
        self.told(&reply.into(), connection)
    }

    /// As [`Self::answer`].
    pub(crate) fn told(&mut self, told: &Told, connection: &mut Connection) -> Next {
        told.queue(connection);
        self.errors += u32::from(told.is_error());
        if self.errors > self.server.config.errors_max {
            return self.last(Reply::TOO_MANY_ERRORS, connection);
        }
        Next::Command
    }

    pub(crate) fn last(&mut self, reply: Reply, connection: &mut Connection) -> Next {
        connection.reply(reply);
        Next::Close
    }

    /// LHLO, EHLO and HELO: each profile has its own.
    fn hello(&mut self, (line, host): (&[u8], String), connection: &mut Connection) -> Next {
        let is_lmtp = is_command(line, b"LHLO");
        match self.server.profile {
            Profile::Delivery if !is_lmtp => return self.answer(Reply::USE_LHLO, connection),
            Profile::Submission(_) if is_lmtp => return self.answer(Reply::USE_EHLO, connection),
            Profile::Delivery | Profile::Submission(_) => {}
        }
        self.client_name = Some(host);
        self.transaction = None;
        match is_command(line, b"HELO") {
            // RFC 5321 4.1.1.1: no extensions are told to who did not ask.
            true => connection.text(&format!("250 {}\r\n", self.server.config.hostname)),
            false => self.greet(connection),
        }
        Next::Command
    }

    /// Whether the transaction has octets that DATA cannot carry.
    fn is_binary(&self) -> bool {
        let transaction = self.transaction.as_ref();
        transaction.is_some_and(Transaction::is_binary)
    }

    fn greet(&self, connection: &mut Connection) {
        let config = &self.server.config;
        let mut lines = vec![config.hostname.clone()];
        let common = [
            "PIPELINING",
            "8BITMIME",
            "SMTPUTF8",
            "CHUNKING",
            "DSN",
            "ENHANCEDSTATUSCODES",
        ];
        lines.extend(common.map(str::to_owned));
        lines.push(format!("SIZE {}", config.message_bytes_max));
        if self.peer.tls == TlsState::None && self.server.tls.current().is_some() {
            lines.push("STARTTLS".to_owned());
        }
        if let Profile::Submission(logins) = &self.server.profile {
            self.offer_submission(logins, &mut lines);
        }
        let last = lines.len() - 1;
        for (at, line) in lines.iter().enumerate() {
            let mark = if at == last { ' ' } else { '-' };
            connection.text(&format!("250{mark}{line}\r\n"));
        }
    }

    /// What only submission offers. Source: RFC 3030, 4865, 4954, 8689.
    fn offer_submission(&self, logins: &Logins, lines: &mut Vec<String>) {
        let hold = self.server.config.hold_time_max;
        lines.push("BINARYMIME".to_owned());
        lines.push(format!(
            "FUTURERELEASE {} {}",
            hold.as_secs(),
            self.latest_release()
        ));
        if self.peer.tls == TlsState::Active {
            // RFC 8689 3: only where it was kept so far.
            lines.push("REQUIRETLS".to_owned());
        }
        let names: Vec<_> = logins
            .mechanisms(&self.peer)
            .map(|one| one.name())
            .collect();
        if self.principal.is_none() && !names.is_empty() {
            lines.push(format!("AUTH {}", names.join(" ")));
        }
    }

    fn start_tls(&mut self, connection: &mut Connection) -> Next {
        if self.peer.tls == TlsState::Active {
            return self.answer(Reply::TLS_ALREADY, connection);
        }
        if self.server.tls.current().is_none() {
            return self.answer(Reply::NO_TLS, connection);
        }
        if connection.has_input() {
            // Somebody in between may have put it there to be taken as said under TLS.
            return self.last(Reply::DATA_BEHIND_STARTTLS, connection);
        }
        connection.reply(Reply::START_TLS);
        Next::StartTls
    }

    /// The protocol's name in Received fields (RFC 3848, RFC 6531 4.3).
    pub(crate) const fn protocol(&self, utf8: bool) -> &'static str {
        let tls = matches!(self.peer.tls, TlsState::Active);
        match (&self.server.profile, tls, utf8) {
            (Profile::Delivery, false, false) => "LMTP",
            (Profile::Delivery, true, false) => "LMTPS",
            (Profile::Delivery, false, true) => "UTF8LMTP",
            (Profile::Delivery, true, true) => "UTF8LMTPS",
            (Profile::Submission(_), false, false) => "ESMTPA",
            (Profile::Submission(_), true, false) => "ESMTPSA",
            (Profile::Submission(_), false, true) => "UTF8SMTPA",
            (Profile::Submission(_), true, true) => "UTF8SMTPSA",
        }
    }
}

/// Whether a line holds this command, in any case.
fn is_command(line: &[u8], verb: &[u8]) -> bool {
    let word = line.get(..verb.len()).unwrap_or_default();
    word.eq_ignore_ascii_case(verb) && matches!(line.get(verb.len()), Some(b' ' | b'\r'))
}

/// What a line that cannot be parsed is answered with.
fn refusal(error: &smtp_proto::Error) -> Reply {
    use smtp_proto::Error;
    match error {
        Error::UnknownCommand => Reply::UNKNOWN_COMMAND,
        Error::InvalidSenderAddress => Reply::BAD_SENDER,
        Error::InvalidRecipientAddress => Reply::BAD_RECIPIENT,
        Error::UnsupportedParameter { .. } => Reply::UNKNOWN_PARAMETER,
        Error::ResponseTooLong => Reply::LINE_TOO_LONG,
        _ => Reply::BAD_PARAMETER,
    }
}
