//! Who somebody is, and whether a password is theirs.

use moka::future::Cache;

use crate::{Error, Options, Secret, connection::Connection, entry::Entry, filter, pool::Pool};

/// Somebody in the directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// The user's address as the server writes it, which names the mailbox.
    pub address: String,
}

/// Why a password lets nobody in. For the log alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refused {
    /// Nobody has this name.
    UnknownUser,
    /// The server does not take this password of the user.
    WrongPassword,
}

/// The users of a server.
pub struct LdapDirectory {
    options: Options,
    searches: Pool,
    binds: Pool,
    /// Whose an address is that mail came for; `None`: nobody's.
    addresses: Cache<String, Option<User>>,
}

impl LdapDirectory {
    /// The users of a server, which nobody has asked yet. Errors: options that can never work.
    pub fn new(options: Options) -> Result<Self, Error> {
        filter::check(&options.filter, &options.naming)?;
        let addresses = Cache::builder()
            .max_capacity(options.cache_entries_max)
            .time_to_live(options.cache_for)
            .build();
        Ok(Self {
            searches: Pool::new(&options.server, true),
            binds: Pool::new(&options.server, false),
            addresses,
            options,
        })
    }

    /// Checks a password. One search and one bind; a name of nobody costs a bind too, as far as there is somebody to bind
    /// as.
    pub async fn authenticate(
        &self,
        name: &str,
        password: Secret,
    ) -> Result<Result<User, Refused>, Error> {
        if password.expose().is_empty() {
            return Ok(Err(Refused::WrongPassword));
        }
        let entry = self.search(name).await?;
        let server = &self.options.server;
        let dn = match &entry {
            Some((_, entry)) => entry.dn.clone(),
            // Nobody's entry, so that this takes as long.
            None => format!("cn=nobody,{}", self.options.base),
        };
        // The password may be good on another server: only the one that knows the user gets it.
        let password = match &entry {
            Some(_) => password,
            None => Secret::new("nobody"),
        };
        let fits = self.binds.ask(server, |mut connection: Connection| {
            let (dn, password) = (dn.clone(), password.clone());
            async move {
                let answer = connection.bind(server, (&dn, &password)).await;
                (connection, answer)
            }
        });
        Ok(match (fits.await?, entry) {
            (true, Some((user, _))) => Ok(user),
            (false, Some(_)) => Err(Refused::WrongPassword),
            (_, None) => Err(Refused::UnknownUser),
        })
    }

    /// The user with a name: an address, or a login name. Asks the server every time.
    pub async fn find(&self, name: &str) -> Result<Option<User>, Error> {
        Ok(self.search(name).await?.map(|(user, _)| user))
    }

    /// The user who gets mail for an address. The answer may be as old as the options say.
    pub async fn resolve(&self, address: &str) -> Result<Option<User>, Error> {
        let key = address.to_lowercase();
        if let Some(known) = self.addresses.get(&key).await {
            return Ok(known);
        }
        let found = self.find(address).await?;
        self.addresses.insert(key, found.clone()).await;
        Ok(found)
    }

    async fn search(&self, name: &str) -> Result<Option<(User, Entry)>, Error> {
        let options = &self.options;
        let Some(filter) = filter::find(&options.filter, &options.naming, name) else {
            return Ok(None);
        };
        let entries = self
            .searches
            .ask(&options.server, |mut connection: Connection| {
                let filter = filter.clone();
                async move {
                    let answer = connection.search(options, &filter).await;
                    (connection, answer)
                }
            });
        let mut entries = entries.await?.into_iter();
        let Some(entry) = entries.next() else {
            return Ok(None);
        };
        if entries.next().is_some() {
            return Err(Error::new("a name is of several users"));
        }
        // Servers pass over spaces and invisible characters (RFC 4518 2): a name written so would be another one for
        // whoever counts failed logins.
        if !entry.has(name) {
            return Ok(None);
        }
        let address = entry.first(&options.naming.address).map(str::to_owned);
        match address {
            Some(address) => Ok(Some((User { address }, entry))),
            None => Err(Error::new("a user without an address")),
        }
    }
}
