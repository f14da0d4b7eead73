//! One connection to the server: opened, searched, bound.

use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchOptions, adapters::EntriesOnly,
};

use crate::{Error, Options, Secret, Server, entry::Entry};

/// Entries that a search may bring: a second one tells that the name is of several users.
const ENTRIES_MAX: usize = 2;
/// Result codes that mean that the entry or the password is not good, whatever the server's policy says of the reason:
/// constraintViolation, noSuchObject, invalidDNSyntax, inappropriateAuthentication, invalidCredentials,
/// insufficientAccessRights, unwillingToPerform. Source: RFC 4511 appendix A.
const REFUSED: [u32; 7] = [19, 32, 34, 48, 49, 50, 53];
/// noSuchObject: the entry below which users are searched is not there.
const NO_SUCH_OBJECT: u32 = 32;

/// A connection.
pub(crate) struct Connection(Ldap);

/// Why a request brought nothing.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The connection is of no use any more.
    Connection(Error),
    /// The server has answered, and cannot or will not.
    Answer(Error),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Connection(error) | Fault::Answer(error) => error,
        }
    }
}

impl Connection {
    /// Connects, and goes over to TLS where that is wanted. Spawns a task that ends with the connection.
    pub(crate) async fn open(server: &Server) -> Result<Self, Error> {
        let settings = LdapConnSettings::new()
            .set_conn_timeout(server.timeout)
            .set_config(server.tls.clone())
            .set_starttls(server.starttls);
        let opened = LdapConnAsync::with_settings(settings, &server.url).await;
        let (connection, ldap) = opened.map_err(|error| of_ldap(&error))?;
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(%error, "LDAP connection ended");
            }
        });
        Ok(Self(ldap))
    }

    /// The same, as the gateway's own entry.
    pub(crate) async fn open_bound(server: &Server) -> Result<Self, Error> {
        let mut connection = Self::open(server).await?;
        if server.bind_dn.is_empty() {
            return Ok(connection);
        }
        let bound = connection.bind(server, (&server.bind_dn, &server.bind_password));
        match bound.await? {
            true => Ok(connection),
            false => Err(Error::new("the gateway's own entry or password is refused")),
        }
    }

    /// Whether nothing more can be asked over it.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.0.is_closed()
    }

    /// The entries that pass a filter, two at most.
    pub(crate) async fn search(
        &mut self,
        options: &Options,
        filter: &str,
    ) -> Result<Vec<Entry>, Fault> {
        let limits = SearchOptions::new()
            .sizelimit(2)
            .timelimit(i32::try_from(options.server.timeout.as_secs().max(1)).unwrap_or(i32::MAX));
        let ldap = self.0.with_timeout(options.server.timeout);
        let stream = ldap.with_search_options(limits).streaming_search_with(
            EntriesOnly::new(),
            &options.base,
            Scope::Subtree,
            filter,
            options.naming.attributes().collect::<Vec<_>>(),
        );
        let broken = |error: LdapError| Fault::Connection(of_ldap(&error));
        let mut stream = stream.await.map_err(broken)?;
        let mut entries = Vec::new();
        while let Some(found) = stream.next().await.map_err(broken)? {
            let entry = Entry::read(found)
                .ok_or_else(|| Fault::Connection(Error::new("an answer that is not understood")))?;
            entries.push(entry);
            if entries.len() > ENTRIES_MAX {
                return Err(Fault::Connection(Error::new("more entries than asked for")));
            }
        }
        match stream.finish().await.rc {
            // sizeLimitExceeded tells no more than that there are two.
            0 | 4 => Ok(entries),
            NO_SUCH_OBJECT => Err(Fault::Answer(Error::new(
                "the entry below which users are searched is not there",
            ))),
            code => Err(Fault::Answer(Error::new(format!(
                "the search failed with result code {code}"
            )))),
        }
    }

    /// Whether a password is an entry's. The connection is bound as that entry then, or as nobody.
    pub(crate) async fn bind(
        &mut self,
        server: &Server,
        (dn, password): (&str, &Secret),
    ) -> Result<bool, Fault> {
        // RFC 4513 5.1.1 and 5.1.2: such binds succeed, and prove nothing.
        if dn.is_empty() || password.expose().is_empty() {
            return Ok(false);
        }
        let ldap = self.0.with_timeout(server.timeout);
        let bound = ldap.simple_bind(dn, password.expose()).await;
        let bound = bound.map_err(|error| Fault::Connection(of_ldap(&error)))?;
        match bound.rc {
            0 => Ok(true),
            code if REFUSED.contains(&code) => Ok(false),
            code => Err(Fault::Answer(Error::new(format!(
                "the bind failed with result code {code}"
            )))),
        }
    }
}

/// What failed, without what was sent.
fn of_ldap(error: &LdapError) -> Error {
    Error::new(error.to_string())
}
