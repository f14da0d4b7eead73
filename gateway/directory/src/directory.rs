//! The directory in use: answered from memory, kept in a file, changed by one process at a time.

mod app_passwords;
mod edit;
mod login;
mod sending;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

pub use self::login::{Reason, Verdict};
use crate::{
    Address, Alias, Error, MailboxName, Shared, User,
    contents::Contents,
    file::{DirectoryFile, Stamp},
    gate::Gate,
    last_use::LastUse,
    login_cache::LoginCache,
    password,
    snapshot::Snapshot,
};

/// How often the file is looked at for changes by others, when the directory is used.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Users, aliases and shared mailboxes.
///
/// Share it behind an `Arc`. Lookups answer from memory; at most once a second one of them looks at the file's date
/// and reads the file if another process has changed it (should it be broken, what was known stays in force and the
/// fault is logged). Changes block until they are on the disk, and [`Directory::verify`] for as long as hashing
/// takes: call these from a thread that may block.
pub struct Directory {
    place: Place,
    current: RwLock<Arc<Snapshot>>,
    /// Serialises changes within the process; the file's lock does so between processes.
    changing: Mutex<()>,
    logins: LoginCache,
    last_use: LastUse,
    gate: Gate,
    /// Checked when there is no user to check, so that both take the same time.
    nobodys_hash: String,
}

/// Where a directory is kept.
enum Place {
    Memory,
    File {
        file: DirectoryFile,
        watch: Mutex<Watch>,
    },
}

/// What was last seen of the file.
struct Watch {
    stamp: Option<Stamp>,
    looked: Instant,
    look_every: Duration,
}

impl Directory {
    /// Opens the directory of a file, by custom `directory.toml` in the data folder. Without a file it is empty, and
    /// the first change makes one.
    ///
    /// Errors: `Io`, `Broken`, `TooNew`, `System`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = DirectoryFile::new(path);
        let (contents, stamp) = match file.read()? {
            Some((contents, stamp)) => (contents, Some(stamp)),
            None => (empty()?, None),
        };
        let watch = Mutex::new(Watch {
            stamp,
            looked: Instant::now(),
            look_every: LOOK_EVERY,
        });
        Self::new(Place::File { file, watch }, contents)
    }

    /// Makes an empty directory that is kept in memory only, for tests and demonstrations. Errors: `System`.
    pub fn in_memory() -> Result<Self, Error> {
        Self::new(Place::Memory, empty()?)
    }

    fn new(place: Place, contents: Contents) -> Result<Self, Error> {
        let last_use = match &place {
            Place::Memory => None,
            Place::File { file, .. } => Some(file.beside("used")),
        };
        Ok(Self {
            place,
            last_use: LastUse::open(last_use),
            current: RwLock::new(Arc::new(Snapshot::new(contents))),
            changing: Mutex::new(()),
            logins: LoginCache::new()?,
            gate: Gate::of_this_machine(),
            nobodys_hash: password::nobodys_hash(),
        })
    }

    /// Reads the file again, whether or not it seems changed. What was known stays in force if that fails.
    ///
    /// Errors: `Io`, `Broken`, `TooNew`.
    pub fn reload(&self) -> Result<(), Error> {
        let Place::File { file, watch } = &self.place else {
            return Ok(());
        };
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((contents, stamp)) = file.read()? {
            watch.lock().unwrap_or_else(PoisonError::into_inner).stamp = Some(stamp);
            self.replace(contents);
        }
        Ok(())
    }

    /// The mailboxes that mail for an address goes to; `None` if the address is unknown.
    ///
    /// Both parts are compared in any case. If the address as it stands is unknown, it is tried without its
    /// `+detail`. Aliases are followed, each mailbox is named once, and targets that no longer exist are left out.
    /// An address without domain is known if exactly one user has that local part, or no user and exactly one alias
    /// or shared mailbox. Disabled users receive mail.
    pub fn resolve(&self, address: &str) -> Option<Vec<MailboxName>> {
        self.snapshot().resolve(address)
    }

    /// Whether addresses of a domain, in any case, are in the directory: mail for others of that domain goes nowhere.
    pub fn serves(&self, domain: &str) -> bool {
        self.snapshot().serves(domain)
    }

    /// The user with a login name: the full address, or the local part if only one user has it.
    pub fn user(&self, name: &str) -> Option<User> {
        self.snapshot().login(name).map(|entry| entry.user.clone())
    }

    /// All users, by domain and name.
    pub fn users(&self) -> Vec<User> {
        self.snapshot()
            .contents
            .users
            .values()
            .map(|entry| entry.user.clone())
            .collect()
    }

    /// All aliases, by domain and name.
    pub fn aliases(&self) -> Vec<Alias> {
        let snapshot = self.snapshot();
        let alias = |(address, targets): (&Address, &Vec<Address>)| Alias {
            address: address.clone(),
            targets: targets.clone(),
        };
        snapshot.contents.aliases.iter().map(alias).collect()
    }

    /// All shared mailboxes, by domain and name.
    pub fn shared(&self) -> Vec<Shared> {
        self.snapshot().contents.shared.values().cloned().collect()
    }

    /// What is known now, after a look at the file if one is due.
    fn snapshot(&self) -> Arc<Snapshot> {
        self.look();
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, contents: Contents) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Snapshot::new(contents));
    }

    /// Reads the file if it has changed. Whoever finds another thread at it goes on with what is known.
    fn look(&self) {
        let Place::File { file, watch } = &self.place else {
            return;
        };
        let Ok(_changing) = self.changing.try_lock() else {
            return;
        };
        let Ok(mut watch) = watch.try_lock() else {
            return;
        };
        if watch.looked.elapsed() < watch.look_every {
            return;
        }
        watch.looked = Instant::now();
        let stamp = file.stamp();
        if stamp == watch.stamp {
            return;
        }
        // Noted before reading: a broken file is complained about once, and read again when it changes again.
        watch.stamp = stamp;
        match file.read() {
            Ok(Some((contents, stamp))) => {
                watch.stamp = Some(stamp);
                self.replace(contents);
                tracing::info!(path = %file.path().display(), "directory changed, read again");
            }
            Ok(None) => {
                tracing::warn!(path = %file.path().display(), "directory file is gone, keeping what it said")
            }
            Err(error) => {
                tracing::error!(%error, "directory file changed but unusable, keeping what it said before")
            }
        }
    }
}

fn empty() -> Result<Contents, Error> {
    let mut salt_key = [0; 32];
    password::random(&mut salt_key)?;
    Ok(Contents::empty(salt_key))
}

#[cfg(test)]
mod tests;
