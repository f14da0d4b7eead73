//! The connections to one mail server, kept for the next message.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use super::{
    Credentials, Hop,
    connection::{Connection, Fault},
    transaction::{Lost, Mail},
};
use crate::Outcome;

/// The connections to one mail server that nobody uses now.
pub(crate) struct Pool {
    hop: Hop,
    hostname: String,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: Connection,
    /// As whom it was opened.
    user: Option<String>,
    since: Instant,
}

impl Pool {
    pub(crate) const fn new(hop: Hop, hostname: String) -> Self {
        Self {
            hop,
            hostname,
            idle: Mutex::new(Vec::new()),
        }
    }

    pub(crate) const fn hop(&self) -> &Hop {
        &self.hop
    }

    /// Sends a message to recipients; one outcome each. A connection that was kept and has gone meanwhile is replaced.
    ///
    /// Errors: `Connection` (about the server; nothing was said about the message), `Message` (the connection broke),
    /// `Answer` (it broke when the message was out: the server may have taken it).
    pub(crate) async fn send(
        &self,
        mail: &Mail<'_>,
        credentials: Option<&Credentials>,
    ) -> Result<Vec<Outcome>, Lost> {
        let user = credentials.map(|credentials| credentials.user.as_str());
        while let Some(mut connection) = self.kept(user).await {
            match connection.transact(&self.hop, mail).await {
                Err(Lost::Message(_)) => {}
                done => return self.end(done, connection, user).await,
            }
        }
        let opened = Connection::open(&self.hop, &self.hostname, credentials).await;
        let mut connection = opened.map_err(|Fault(answer)| Lost::Connection(answer))?;
        let done = connection.transact(&self.hop, mail).await;
        self.end(done, connection, user).await
    }

    async fn end(
        &self,
        done: Result<Vec<Outcome>, Lost>,
        mut connection: Connection,
        user: Option<&str>,
    ) -> Result<Vec<Outcome>, Lost> {
        let outcomes = done?;
        connection.messages += 1;
        if connection.is_spent {
            return Ok(outcomes);
        }
        let closing = outcomes.iter().any(|outcome| outcome.answer.code == 421);
        if closing || connection.messages >= self.hop.messages_per_connection_max {
            connection.quit().await;
            return Ok(outcomes);
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(Idle {
            connection,
            user: user.map(str::to_owned),
            since: Instant::now(),
        });
        Ok(outcomes)
    }

    /// A connection that was kept and still works.
    async fn kept(&self, user: Option<&str>) -> Option<Connection> {
        loop {
            let mut one = {
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                let at = idle.iter().rposition(|one| one.user.as_deref() == user)?;
                idle.swap_remove(at)
            };
            if one.since.elapsed() < self.hop.idle_timeout && !one.connection.is_stale().await {
                return Some(one.connection);
            }
        }
    }

    /// Ends the connections that nobody has used for long; all of them with `everything`.
    pub(crate) async fn tidy(&self, everything: bool) {
        let old: Vec<_> = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.extract_if(.., |one| {
                everything || one.since.elapsed() >= self.hop.idle_timeout
            })
            .collect()
        };
        for one in old {
            one.connection.quit().await;
        }
    }
}
