//! One session: reads commands, carries them out one after another, answers.

use std::io;

use bytes::BytesMut;
use front_end::{Connection, Peer, Wait};
use tokio::{sync::watch, time::Instant};
use tracing::Instrument;

use crate::{
    Server, capability,
    command::{Command, Malformed},
    language,
    line::{Found, Lines, without_end},
    listing, login,
    maildrop::Maildrop,
    operation,
    reply::{self, Code, Done, Failure, Reply},
    retrieve, update,
};

/// A session.
pub(crate) struct Session<'s> {
    pub(crate) server: &'s Server,
    pub(crate) peer: Peer,
    pub(crate) connection: Connection,
    pub(crate) state: State,
    /// Logins refused so far.
    pub(crate) failed_logins: u32,
    lines: Lines,
    shutdown: watch::Receiver<bool>,
    /// Malformed commands since the last good one.
    bad_commands: u32,
}

/// Where a session stands (RFC 1939 3). What is called UPDATE there is the work of QUIT.
pub(crate) enum State {
    /// Nobody has logged in.
    Authorization {
        /// Whom USER named.
        user: Option<String>,
    },
    /// A user has logged in.
    Transaction(Box<Maildrop>),
    /// The session is over.
    Over,
}

/// What was read.
enum Next {
    /// A line with its end.
    Line(BytesMut),
    /// A line that was too long, and is gone.
    TooLong,
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
            state: State::Authorization { user: None },
            failed_logins: 0,
            lines: Lines::new(server.config.line_bytes_max),
            shutdown,
            bad_commands: 0,
        }
    }

    /// Runs the session to its end. Errors: those of the connection.
    pub(crate) async fn run(mut self) -> io::Result<()> {
        tracing::debug!("connected");
        reply::ok(self.connection.out(), "Dragoman ready");
        loop {
            match self.next().await? {
                Next::Line(line) => self.line(without_end(&line)).await?,
                Next::TooLong => self.answer(Err(Failure::Bad(LINE_TOO_LONG))).await?,
                Next::End(why) => return self.end(why).await,
            }
            // A client that sends commands without reading the answers gets no more than a buffer ahead.
            self.connection.flush_if_full().await?;
            if matches!(self.state, State::Over) {
                self.connection.close().await;
                tracing::debug!("ended");
                return Ok(());
            }
        }
    }

    /// Reads a line that is no command.
    pub(crate) async fn response(&mut self) -> Result<Vec<u8>, Failure> {
        match self.next().await? {
            Next::Line(line) => Ok(without_end(&line).to_vec()),
            Next::TooLong => Err(Failure::Bad(LINE_TOO_LONG)),
            Next::End(Wait::Shutdown) => Err(Failure::Over(Some(Code::SysTemp), STOPPING.into())),
            Next::End(Wait::Timeout) => Err(Failure::Io(io::ErrorKind::TimedOut.into())),
            Next::End(Wait::Closed | Wait::Input) => {
                Err(Failure::Io(io::ErrorKind::UnexpectedEof.into()))
            }
        }
    }

    /// Reads until a line is complete.
    async fn next(&mut self) -> io::Result<Next> {
        loop {
            match self.lines.find(self.connection.input()) {
                Found::Line(length) => return Ok(Next::Line(self.connection.take(length))),
                Found::TooLong(length) => {
                    self.connection.take(length);
                    return Ok(Next::TooLong);
                }
                Found::Incomplete(unneeded) => {
                    self.connection.take(unneeded);
                }
            }
            self.connection.flush().await?;
            self.connection.shrink();
            let patience = self.server.config.idle_timeout;
            match self.connection.wait(patience, &mut self.shutdown).await? {
                Wait::Input => {}
                end => return Ok(Next::End(end)),
            }
        }
    }

    /// Carries out a line and answers it.
    async fn line(&mut self, line: &[u8]) -> io::Result<()> {
        let command = match Command::decode(line) {
            Ok(command) => command,
            Err(Malformed(why)) => return self.answer(Err(Failure::Bad(why))).await,
        };
        metrics::counter!("pop3_commands_total", "command" => command.name()).increment(1);
        let span = operation::span(&command, self.user());
        // A command's future is large, a waiting session's should not be.
        let execution = Box::pin(async {
            let reply = self.execute(command).await;
            operation::answered(&reply);
            reply
        });
        let reply = execution.instrument(span).await;
        self.answer(reply).await
    }

    async fn execute(&mut self, command: Command<'_>) -> Reply {
        match command {
            Command::Capa => {
                let now = (&self.peer, &self.state);
                capability::write(self.connection.out(), self.server, now);
                Ok(Done::Written)
            }
            Command::Lang(range) => language::run(self.connection.out(), range),
            Command::User(name) => login::user(self, name),
            Command::Pass(password) => login::pass(self, password).await,
            Command::Auth(auth) => login::auth(self, auth).await,
            Command::Stls => login::stls(self),
            Command::Utf8 => match self.state {
                // Messages are sent as they are in either mode.
                State::Authorization { .. } => Ok(Done::line("UTF-8 it is")),
                _ => Err(Failure::Bad("UTF8 comes before the login")),
            },
            Command::Quit => match &self.state {
                State::Transaction(maildrop) => update::quit(maildrop, &self.server.config).await,
                _ => Ok(Done::Over("bye".into())),
            },
            command => self.transaction(command).await,
        }
    }

    /// Commands that need a maildrop.
    async fn transaction(&mut self, command: Command<'_>) -> Reply {
        let State::Transaction(maildrop) = &mut self.state else {
            return Err(Failure::Bad("log in first"));
        };
        let (server, connection) = (self.server, &mut self.connection);
        match command {
            Command::Stat => listing::stat(server, maildrop).await,
            Command::List(number) => listing::list(server, connection, maildrop, number).await,
            Command::Uidl(number) => listing::uidl(connection, maildrop, number).await,
            Command::Retr(number) => retrieve::retr(server, connection, maildrop, number).await,
            Command::Top(number, lines) => {
                retrieve::top(server, connection, maildrop, (number, lines)).await
            }
            Command::Dele(number) => update::dele(maildrop, number),
            Command::Rset => update::rset(maildrop),
            Command::Noop => Ok(Done::line("still here")),
            _ => Err(Failure::Bad("not now")),
        }
    }

    async fn answer(&mut self, reply: Reply) -> io::Result<()> {
        match &reply {
            Err(Failure::Bad(_)) => self.bad_commands += 1,
            _ => self.bad_commands = 0,
        }
        let out = self.connection.out();
        match reply {
            Ok(Done::Line(text)) => reply::ok(out, &text),
            Ok(Done::Written) => {}
            Ok(Done::Over(text)) => {
                reply::ok(out, &text);
                self.state = State::Over;
            }
            Ok(Done::StartTls(text)) => {
                reply::ok(out, text);
                self.start_tls().await?;
            }
            Err(Failure::Bad(text)) => reply::err(out, None, text),
            Err(Failure::No(code, text)) => reply::err(out, code, &text),
            Err(Failure::Over(code, text)) => {
                reply::err(out, code, &text);
                self.state = State::Over;
            }
            Err(Failure::Io(error)) => return Err(error),
        }
        if self.bad_commands >= self.server.config.bad_commands_max {
            tracing::debug!("too many bad commands");
            self.state = State::Over;
        }
        Ok(())
    }

    async fn start_tls(&mut self) -> io::Result<()> {
        let Some(tls) = self.server.tls.current() else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        self.connection.flush().await?;
        let patience = self.server.config.handshake_timeout;
        let addr = self.peer.addr;
        let channel = self.connection.start_tls(&tls, patience, addr).await?;
        self.peer.encrypted(channel);
        // RFC 2595 4: whatever was said before the handshake is forgotten.
        self.state = State::Authorization { user: None };
        tracing::debug!("TLS started");
        Ok(())
    }

    /// Ends a session that did not say QUIT: nothing is deleted. RFC 1939 3: one that was silent is told nothing.
    async fn end(&mut self, why: Wait) -> io::Result<()> {
        tracing::debug!(?why, "ended");
        match why {
            Wait::Closed | Wait::Input => return Ok(()),
            Wait::Timeout => {}
            Wait::Shutdown => reply::err(self.connection.out(), Some(Code::SysTemp), STOPPING),
        }
        self.connection.close().await;
        Ok(())
    }

    fn user(&self) -> Option<&str> {
        match &self.state {
            State::Transaction(maildrop) => Some(&maildrop.account.principal().user),
            _ => None,
        }
    }
}

const LINE_TOO_LONG: &str = "line too long";
const STOPPING: &str = "the server is shutting down";
