//! One LMTP session: which command may come when, and what it does.

use std::{io, time::SystemTime};

use account::{Error, FileTime};
use smtp_proto::{MAIL_BODY_BINARYMIME, MAIL_SMTPUTF8, MailFrom, RcptTo, Request};
use tokio::sync::watch;

use crate::{
    Peer, Server, Tls,
    connection::{Connection, Line},
    data::DataDecoder,
    reply::Reply,
    trace::Trace,
    transaction::{Body, Recipient, Transaction},
};

pub(crate) struct Session<'s> {
    server: &'s Server,
    peer: Peer,
    /// What the client called itself in LHLO.
    client_name: Option<String>,
    transaction: Option<Transaction>,
    transactions: u64,
    errors: u32,
}

/// What follows a command.
enum Next {
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
        connection.text(&format!("220 {} LMTP Dragoman\r\n", config.hostname));
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
                    let Some(acceptor) = self.server.acceptor() else {
                        return connection.close(config.write_timeout).await;
                    };
                    connection.flush(config.write_timeout).await?;
                    connection = connection
                        .start_tls(&acceptor, config.command_timeout)
                        .await?;
                    // RFC 3207 4.2: whatever was said before the handshake is forgotten.
                    self.peer.tls = Tls::Active;
                    self.client_name = None;
                    self.transaction = None;
                }
            }
        }
    }

    async fn command(&mut self, line: &[u8], connection: &mut Connection) -> io::Result<Next> {
        let request = match Request::parse(&mut line.iter()) {
            Ok(request) => request,
            Err(error) => return Ok(self.answer(refusal(&error), connection)),
        };
        // RFC 3030 2: between BDAT chunks there is no other way than on, back or out.
        let within_chunks = self
            .transaction
            .as_ref()
            .is_some_and(|transaction| transaction.chunks.is_some());
        if within_chunks
            && matches!(
                request,
                Request::Mail { .. } | Request::Rcpt { .. } | Request::Data
            )
        {
            return Ok(self.answer(Reply::NOT_WITHIN_BDAT, connection));
        }
        let reply = match request {
            Request::Lhlo { host } => {
                self.client_name = Some(host.into_owned());
                self.transaction = None;
                self.greet(connection);
                return Ok(Next::Command);
            }
            Request::Ehlo { .. } | Request::Helo { .. } => Reply::USE_LHLO,
            Request::Mail { from } => self.mail(from),
            Request::Rcpt { to } => self.recipient(to).await,
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
            Request::Help { .. } => Reply::HELP,
            Request::Vrfy { .. } => Reply::VERIFY,
            Request::Quit => return Ok(self.last(Reply::BYE, connection)),
            Request::StartTls => return Ok(self.start_tls(connection)),
            Request::Expn { .. }
            | Request::Auth { .. }
            | Request::Etrn { .. }
            | Request::Atrn { .. }
            | Request::Burl { .. } => Reply::UNSUPPORTED,
        };
        Ok(self.answer(reply, connection))
    }

    /// Queues a reply; too many errors end the session.
    fn answer(&mut self, reply: Reply, connection: &mut Connection) -> Next {
        connection.reply(reply);
        self.errors += u32::from(reply.is_error());
        if self.errors > self.server.config.errors_max {
            return self.last(Reply::TOO_MANY_ERRORS, connection);
        }
        Next::Command
    }

    fn last(&mut self, reply: Reply, connection: &mut Connection) -> Next {
        connection.reply(reply);
        Next::Close
    }

    fn greet(&self, connection: &mut Connection) {
        let config = &self.server.config;
        connection.text(&format!("250-{}\r\n", config.hostname));
        connection
            .text("250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250-DSN\r\n");
        if self.peer.tls == Tls::Inactive && self.server.acceptor().is_some() {
            connection.text("250-STARTTLS\r\n");
        }
        connection.text(&format!(
            "250-SIZE {}\r\n250 ENHANCEDSTATUSCODES\r\n",
            config.message_bytes_max
        ));
    }

    fn start_tls(&mut self, connection: &mut Connection) -> Next {
        if self.peer.tls == Tls::Active {
            return self.answer(Reply::TLS_ALREADY, connection);
        }
        if self.server.acceptor().is_none() {
            return self.answer(Reply::NO_TLS, connection);
        }
        if connection.has_input() {
            // Somebody in between may have put it there to be taken as said under TLS.
            return self.last(Reply::DATA_BEHIND_STARTTLS, connection);
        }
        connection.reply(Reply::START_TLS);
        Next::StartTls
    }

    fn mail(&mut self, from: MailFrom<std::borrow::Cow<'_, str>>) -> Reply {
        if self.client_name.is_none() {
            return Reply::LHLO_FIRST;
        }
        if self.transaction.is_some() {
            return Reply::NESTED_MAIL;
        }
        let utf8 = from.flags & MAIL_SMTPUTF8 != 0;
        if from.flags & MAIL_BODY_BINARYMIME != 0 {
            return Reply::UNKNOWN_PARAMETER;
        }
        if from.size as u64 > self.server.config.message_bytes_max {
            return Reply::TOO_BIG;
        }
        if !utf8 && !from.address.is_ascii() {
            return Reply::SMTPUTF8_NEEDED;
        }
        self.transaction = Some(Transaction::new(from.address.into_owned(), utf8));
        Reply::SENDER_OK
    }

    async fn recipient(&mut self, to: RcptTo<std::borrow::Cow<'_, str>>) -> Reply {
        let Some(transaction) = &mut self.transaction else {
            return Reply::MAIL_FIRST;
        };
        if transaction.recipients.len() >= self.server.config.recipients_max {
            return Reply::TOO_MANY_RECIPIENTS;
        }
        if !transaction.utf8 && !to.address.is_ascii() {
            return Reply::SMTPUTF8_NEEDED;
        }
        match self.server.accounts.resolve(&to.address).await {
            Ok(mailboxes) => {
                transaction.recipients.push(Recipient {
                    address: to.address.into_owned(),
                    mailboxes,
                });
                Reply::RECIPIENT_OK
            }
            Err(error) => {
                let reply = Reply::recipient(&error);
                if reply.0.starts_with('4') {
                    tracing::warn!(connection = self.peer.id, %error, "recipient cannot be looked up");
                }
                reply
            }
        }
    }

    async fn data(&mut self, connection: &mut Connection) -> io::Result<Next> {
        match &self.transaction {
            None => return Ok(self.answer(Reply::MAIL_FIRST, connection)),
            Some(transaction) if transaction.recipients.is_empty() => {
                return Ok(self.answer(Reply::NO_RECIPIENTS, connection));
            }
            Some(_) => {}
        }
        connection.reply(Reply::START_DATA);
        connection.flush(self.server.config.write_timeout).await?;
        let mut body = Body::new(self.server.accounts.spool());
        let mut decoder = DataDecoder::new();
        loop {
            let input = connection.octets(&self.server.config).await?;
            let mut used = 0;
            let mut end = false;
            while !end && let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
                let piece = decoder.next(rest);
                if !piece.content.is_empty() {
                    body.write(piece.content).await;
                }
                used += piece.used;
                end = piece.end;
            }
            connection.used(used);
            if end {
                break;
            }
        }
        self.deliver(body, connection).await
    }

    /// BDAT (RFC 3030 2). The chunk is read even where it is refused, for its octets follow in any case.
    async fn chunk(
        &mut self,
        size: u64,
        is_last: bool,
        connection: &mut Connection,
    ) -> io::Result<Next> {
        let accepted = match &mut self.transaction {
            None => Err(Reply::MAIL_FIRST),
            Some(transaction) if transaction.recipients.is_empty() => Err(Reply::NO_RECIPIENTS),
            Some(transaction) => Ok(transaction
                .chunks
                .take()
                .unwrap_or_else(|| Body::new(self.server.accounts.spool()))),
        };
        let mut body = accepted;
        let mut left = size;
        while left > 0 {
            let input = connection.octets(&self.server.config).await?;
            let used = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
            if let (Ok(body), Some(octets)) = (&mut body, input.get(..used)) {
                body.write(octets).await;
            }
            connection.used(used);
            left -= used as u64;
        }
        match (body, &mut self.transaction) {
            (Ok(body), Some(transaction)) if !is_last => {
                transaction.chunks = Some(body);
                Ok(self.answer(Reply::CHUNK_OK, connection))
            }
            (Ok(body), _) => self.deliver(body, connection).await,
            (Err(reply), _) => Ok(self.answer(reply, connection)),
        }
    }

    /// Delivers to every recipient and queues their replies.
    async fn deliver(&mut self, body: Body, connection: &mut Connection) -> io::Result<Next> {
        let Some(transaction) = self.transaction.take() else {
            return Ok(self.answer(Reply::MAIL_FIRST, connection));
        };
        self.transactions += 1;
        let now = FileTime::from(SystemTime::now());
        let replies = match self.spooled(body, &transaction, now).await {
            Ok(replies) => replies,
            Err(error) => {
                tracing::warn!(connection = self.peer.id, %error, "message not taken");
                vec![Reply::delivery(&error); transaction.recipients.len()]
            }
        };
        let delivered = replies.iter().filter(|reply| !reply.is_error()).count();
        metrics::counter!("lmtp_recipients_delivered_total").increment(delivered as u64);
        metrics::counter!("lmtp_recipients_failed_total")
            .increment((replies.len() - delivered) as u64);
        for reply in replies {
            connection.reply(reply);
        }
        Ok(Next::Command)
    }

    async fn spooled(
        &self,
        body: Body,
        transaction: &Transaction,
        now: FileTime,
    ) -> Result<Vec<Reply>, Error> {
        let message = body.finish()?.finish().await?;
        let id = format!("{:x}-{:x}", self.peer.id, self.transactions);
        let trace = Trace {
            sender: &transaction.sender,
            client_name: self.client_name.as_deref().unwrap_or_default(),
            client_addr: self.peer.addr,
            hostname: &self.server.config.hostname,
            protocol: self.protocol(transaction.utf8),
            id: &id,
            now,
        };
        let copies = transaction.copies(|recipient| trace.fields(recipient));
        let outcomes = self.server.accounts.deliver(&message, &copies, now).await;
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            tracing::warn!(connection = self.peer.id, id, %error, "delivery failed");
        }
        Ok(transaction.replies(&copies, &outcomes))
    }

    /// The protocol's name in Received fields (RFC 3848, RFC 6531 4.3).
    const fn protocol(&self, utf8: bool) -> &'static str {
        match (self.peer.tls, utf8) {
            (Tls::Inactive, false) => "LMTP",
            (Tls::Active, false) => "LMTPS",
            (Tls::Inactive, true) => "UTF8LMTP",
            (Tls::Active, true) => "UTF8LMTPS",
        }
    }
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
