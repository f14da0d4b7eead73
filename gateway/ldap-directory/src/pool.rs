//! Connections that wait for the next request. A bounded number is open at once.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::{
    Error, Server,
    connection::{Connection, Fault},
};

/// Connections to one server, all for the same.
pub(crate) struct Pool {
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
    is_bound: bool,
}

impl Pool {
    /// No connections yet. `is_bound`: they are the gateway's own entry's from the beginning.
    pub(crate) fn new(server: &Server, is_bound: bool) -> Self {
        Self {
            idle: Mutex::default(),
            places: Semaphore::new(server.connections_max.max(1)),
            is_bound,
        }
    }

    /// Asks over a connection. One that waited may have been closed at the other end meanwhile: then it is asked again
    /// over a new one. Errors: also when no connection becomes free in time.
    pub(crate) async fn ask<T, F>(
        &self,
        server: &Server,
        mut request: impl FnMut(Connection) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = (Connection, Result<T, Fault>)>,
    {
        let _place = self.place(server).await?;
        if let Some(connection) = self.idle() {
            let (connection, answer) = request(connection).await;
            match answer {
                Err(Fault::Connection(_)) => {}
                answer => return self.settle(connection, answer),
            }
        }
        let opened = match self.is_bound {
            true => Connection::open_bound(server).await,
            false => Connection::open(server).await,
        };
        let (connection, answer) = request(opened?).await;
        self.settle(connection, answer)
    }

    /// Keeps a connection for the next request, if it is of any use.
    fn settle<T>(&self, connection: Connection, answer: Result<T, Fault>) -> Result<T, Error> {
        if !matches!(answer, Err(Fault::Connection(_))) {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(connection);
        }
        answer.map_err(Error::from)
    }

    async fn place(&self, server: &Server) -> Result<SemaphorePermit<'_>, Error> {
        let place = timeout(server.timeout, self.places.acquire()).await;
        let place = place.map_err(|_| Error::new("all connections are in use"))?;
        place.map_err(|_| Error::new("closed"))
    }

    /// The connection that was used last; those that were closed are dropped.
    fn idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain_mut(|connection| !connection.is_closed());
        idle.pop()
    }
}
