//! One session: reads commands, carries them out one after another, answers.

use std::io;

use front_end::{Peer, Wait};
use imap_wire::{
    Answer, Code, Command, CommandBody, Event, LiteralHeader, Refusal, RefusalReason, Status,
    decode,
};
use tokio::{sync::watch, time::Instant};
use tracing::Instrument;

use crate::{
    Server, capability,
    command::{self, append::Arriving},
    connection::Connection,
    operation,
    reply::{Failure, Reply},
    state::State,
};

/// Octets of a literal that may be an APPEND's mailbox name; it is kept in memory, and so is a message that short.
const MAILBOX_LITERAL_BYTES_MAX: u64 = 1 << 10;

/// A session.
pub(crate) struct Session<'s> {
    pub(crate) server: &'s Server,
    pub(crate) peer: Peer,
    pub(crate) connection: Connection,
    pub(crate) shutdown: watch::Receiver<bool>,
    pub(crate) state: State,
    /// Logins refused so far.
    pub(crate) failed_logins: u32,
    /// Malformed commands since the last good one.
    bad_commands: u32,
    /// Messages of the APPEND that is being read.
    pub(crate) arriving: Option<Box<Arriving>>,
}

/// What was read.
#[derive(Debug)]
enum Next {
    /// A frame is complete.
    Frame,
    /// A command was refused before it could be decoded.
    Refused(Refusal),
    /// There will be nothing more.
    End(Wait),
}

impl<'s> Session<'s> {
    /// A session with a client that was just accepted.
    pub(crate) fn new(
        server: &'s Server,
        peer: Peer,
        mut connection: Connection,
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        // Until somebody has logged in.
        connection.set_deadline(Some(Instant::now() + server.config.login_timeout));
        Self {
            server,
            peer,
            connection,
            shutdown,
            state: State::NotAuthenticated,
            failed_logins: 0,
            bad_commands: 0,
            arriving: None,
        }
    }

    /// Runs the session to its end. Errors: those of the connection.
    pub(crate) async fn run(mut self) -> io::Result<()> {
        tracing::debug!("connected");
        let capabilities = capability::names(self.server, &self.peer, &self.state);
        self.connection.writer().untagged(
            Status::Ok,
            Some(&Code::Capability(&capabilities)),
            "Dragoman ready",
        );
        drop(capabilities);
        loop {
            match self.next().await? {
                Next::Frame => {
                    let arriving = self.arriving.take();
                    let line = operation::line(&self.connection.framer);
                    match decode(self.connection.framer.frame()) {
                        Ok(command) => {
                            self.bad_commands = 0;
                            metrics::counter!("imap_commands_total", "command" => command.body.name())
                                .increment(1);
                            let span = operation::span(line, &command, &self.state);
                            // A command's future is large, a waiting session's should not be.
                            let execution = Box::pin(self.execute(command, arriving));
                            execution.instrument(span).await?;
                        }
                        Err(error) => {
                            self.bad_commands += 1;
                            let text = error.to_string();
                            let mut writer = self.connection.writer();
                            match &error.tag {
                                Some(tag) => writer.tagged(tag, Status::Bad, None, &text),
                                None => writer.untagged(Status::Bad, None, &text),
                            }
                        }
                    }
                }
                Next::Refused(refusal) => self.refuse(&refusal),
                Next::End(why) => return self.end(why).await,
            }
            // A client that sends commands without reading the answers gets no more than a buffer ahead.
            self.connection.flush_if_full().await?;
            if self.bad_commands >= self.server.config.bad_commands_max {
                self.connection
                    .writer()
                    .untagged(Status::Bye, None, "too many bad commands");
                self.state = State::Over;
            }
            if matches!(self.state, State::Over) {
                self.connection.close().await;
                tracing::debug!("ended");
                return Ok(());
            }
        }
    }

    /// Reads until a command is complete.
    async fn next(&mut self) -> io::Result<Next> {
        loop {
            match self.connection.event() {
                (Event::Frame, _) => return Ok(Next::Frame),
                (Event::Refused(refusal), _) => return Ok(Next::Refused(refusal)),
                (Event::Literal(header), _) => self.literal(header),
                (Event::LiteralData { last }, octets) => {
                    if let Some(arriving) = &mut self.arriving {
                        Box::pin(arriving.take(&octets, last)).await;
                    }
                }
                (Event::NeedInput, _) => {
                    self.connection.flush().await?;
                    self.connection.shrink();
                    let patience = self.server.config.idle_timeout;
                    match self.connection.wait(patience, &mut self.shutdown).await? {
                        Wait::Input => {}
                        end => return Ok(Next::End(end)),
                    }
                }
            }
        }
    }

    /// Decides about a literal: messages are streamed into the spool, other strings are kept in the frame.
    fn literal(&mut self, header: LiteralHeader) {
        let framer = &mut self.connection.framer;
        let is_append = framer
            .command_name()
            .is_some_and(|name| name.eq_ignore_ascii_case("APPEND"));
        let may_be_name = header.index == 0 && header.len <= MAILBOX_LITERAL_BYTES_MAX;
        let answer = if !is_append || may_be_name {
            Answer::Inline
        } else if self.state.authenticated().is_none() {
            Answer::Refuse
        } else {
            let arriving = self.arriving.get_or_insert_default();
            if arriving.expect(self.server, header) {
                Answer::Stream
            } else {
                Answer::Refuse
            }
        };
        if self.connection.framer.answer(answer) {
            self.connection.writer().continuation("go ahead");
        }
    }

    /// Answers a command that was refused before it could be decoded.
    fn refuse(&mut self, refusal: &Refusal) {
        let arriving = self.arriving.take();
        let failure = match (
            refusal.reason,
            arriving.and_then(|arriving| arriving.failure),
        ) {
            (RefusalReason::LiteralRefused, Some(failure)) => failure,
            (RefusalReason::LiteralRefused, None) => Failure::bad("log in first"),
            (reason, _) => Failure::bad(reason.text()),
        };
        self.bad_commands += u32::from(matches!(failure, Failure::Bad(_)));
        let mut writer = self.connection.writer();
        match &refusal.tag {
            Some(tag) => {
                let (status, code, text) = words(&failure);
                writer.tagged(tag, status, code, text);
            }
            None => writer.untagged(Status::Bad, None, refusal.reason.text()),
        }
    }

    /// Carries out a command and answers it.
    async fn execute(
        &mut self,
        command: Command,
        arriving: Option<Box<Arriving>>,
    ) -> io::Result<()> {
        let Command { tag, body } = command;
        tracing::trace!(command = body.name(), "command");
        if matches!(body, CommandBody::StartTls) {
            return command::starttls::run(self, &tag).await;
        }
        let reply = command::run(self, &tag, body, arriving).await;
        self.answer(&tag, reply).await
    }

    async fn answer(&mut self, tag: &imap_wire::Tag, reply: Reply) -> io::Result<()> {
        operation::answered(reply.as_ref().map_or_else(status, |_| "OK"));
        let mut writer = self.connection.writer();
        match reply {
            Ok(done) => done.write(tag, &mut writer),
            Err(Failure::Io(error)) => return Err(error),
            Err(Failure::Bye(reason)) => {
                writer.untagged(Status::Bye, None, reason);
                self.state = State::Over;
            }
            Err(failure) => {
                let (status, code, text) = words(&failure);
                writer.tagged(tag, status, code, text);
            }
        }
        Ok(())
    }

    /// Says why the session ends, when there is anybody left to hear it.
    async fn end(&mut self, why: Wait) -> io::Result<()> {
        let reason = match why {
            Wait::Closed | Wait::Input => {
                tracing::debug!("client closed the connection");
                return Ok(());
            }
            Wait::Timeout => match self.state {
                State::NotAuthenticated => LOGIN_TOO_LONG,
                _ => "you were silent for too long",
            },
            Wait::Shutdown => "the server is shutting down",
        };
        self.connection.writer().untagged(Status::Bye, None, reason);
        self.connection.close().await;
        tracing::debug!(reason, "ended");
        Ok(())
    }
}

/// What a client is told that has not logged in in time.
pub(crate) const LOGIN_TOO_LONG: &str = "the login took too long";

/// How a failure is answered.
const fn status(failure: &Failure) -> &'static str {
    match failure {
        Failure::Bad(_) => "BAD",
        Failure::No(..) => "NO",
        Failure::Bye(_) => "BYE",
        Failure::Io(_) => "connection lost",
    }
}

/// A failure in the words of a tagged response.
fn words(failure: &Failure) -> (Status, Option<&Code<'static>>, &str) {
    match failure {
        Failure::Bad(text) => (Status::Bad, None, text),
        Failure::No(code, text) => (Status::No, code.as_ref(), text),
        Failure::Bye(text) => (Status::No, None, text),
        Failure::Io(_) => (Status::No, Some(&Code::Unavailable), "connection lost"),
    }
}
