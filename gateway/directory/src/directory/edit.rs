//! Changes: read anew under the lock, changed, written, then shown to everybody.

use std::{
    sync::{Arc, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use toml::value::{Date, Datetime, Offset, Time};

use super::{Directory, Place};
use crate::{
    Address, Error, MailboxName, ScramVerifier, Shared, User,
    contents::{Contents, UserEntry},
    password,
    snapshot::Snapshot,
};

/// The most targets one alias may have.
const TARGETS_MAX: usize = 1000;

impl Directory {
    /// Adds a user, or says why not. Hashes: tens of milliseconds.
    ///
    /// Errors: `Address`, `Password`, `Exists`, `Io`, `Broken`, `System`.
    pub fn add_user(&self, address: &str, password: &str) -> Result<User, Error> {
        let address = parse(address)?;
        let mailbox = mailbox(&address)?;
        let credentials = Credentials::of(password)?;
        let user = User {
            address: address.clone(),
            mailbox,
            created: now(),
            disabled: false,
            app_passwords_only: false,
        };
        self.change(|snapshot| {
            let mut contents = with_new(snapshot, &address)?;
            let entry = UserEntry {
                user: user.clone(),
                password: Some(credentials.password),
                scram: Some(credentials.scram),
                app_passwords: Vec::new(),
            };
            contents.users.insert(address, entry);
            Ok(contents)
        })?;
        Ok(user)
    }

    /// Gives a user another password, in force at once. Hashes: tens of milliseconds.
    ///
    /// Errors: `Address`, `Password`, `Unknown`, `Io`, `Broken`, `System`.
    pub fn set_password(&self, address: &str, password: &str) -> Result<(), Error> {
        let address = parse(address)?;
        let credentials = Credentials::of(password)?;
        self.change_user(address, |entry| {
            entry.password = Some(credentials.password);
            entry.scram = Some(credentials.scram);
        })
    }

    /// Bars a user from logging in. Mail is still accepted, and sessions that are open stay open.
    ///
    /// Errors: `Address`, `Unknown`, `Io`, `Broken`.
    pub fn disable_user(&self, address: &str) -> Result<(), Error> {
        self.change_user(parse(address)?, |entry| entry.user.disabled = true)
    }

    /// Lets a disabled user log in again. Errors: `Address`, `Unknown`, `Io`, `Broken`.
    pub fn enable_user(&self, address: &str) -> Result<(), Error> {
        self.change_user(parse(address)?, |entry| entry.user.disabled = false)
    }

    /// Removes a user. The mailbox itself is the store's affair; aliases that lead to the user stay, and lead
    /// nowhere.
    ///
    /// Errors: `Address`, `Unknown`, `Io`, `Broken`.
    pub fn remove_user(&self, address: &str) -> Result<(), Error> {
        let address = parse(address)?;
        self.change(|snapshot| {
            let mut contents = snapshot.contents.clone();
            contents.forget_sending(&address);
            contents
                .users
                .remove(&address)
                .map(|_| contents)
                .ok_or(Error::Unknown(address))
        })
    }

    /// Lets an address stand for others, which must be known (a `+detail` is allowed) and not lead back to it.
    ///
    /// Errors: `Address`, `Exists`, `Targets`, `UnknownTarget`, `Loop`, `Io`, `Broken`.
    pub fn add_alias(&self, address: &str, targets: &[&str]) -> Result<(), Error> {
        let alias = parse(address)?;
        let mut wanted: Vec<Address> = Vec::new();
        for target in targets {
            let target = parse(target)?;
            if !wanted.contains(&target) {
                wanted.push(target);
            }
        }
        if wanted.is_empty() || wanted.len() > TARGETS_MAX {
            return Err(Error::Targets {
                alias,
                max: TARGETS_MAX,
            });
        }
        self.change(|snapshot| {
            let mut contents = with_new(snapshot, &alias)?;
            for target in &wanted {
                if *target == alias {
                    return Err(Error::Loop(alias));
                }
                let Some(known) = snapshot.known(target.clone()) else {
                    return Err(Error::UnknownTarget {
                        alias,
                        target: target.clone(),
                    });
                };
                if snapshot.leads_to(known, &alias) {
                    return Err(Error::Loop(alias));
                }
            }
            contents.aliases.insert(alias, wanted);
            Ok(contents)
        })
    }

    /// Removes an alias. Errors: `Address`, `Unknown`, `Io`, `Broken`.
    pub fn remove_alias(&self, address: &str) -> Result<(), Error> {
        let alias = parse(address)?;
        self.change(|snapshot| {
            let mut contents = snapshot.contents.clone();
            contents.forget_sending(&alias);
            contents
                .aliases
                .remove(&alias)
                .map(|_| contents)
                .ok_or(Error::Unknown(alias))
        })
    }

    /// Adds a mailbox that nobody logs in to. Errors: `Address`, `Exists`, `Io`, `Broken`.
    pub fn add_shared(&self, address: &str) -> Result<Shared, Error> {
        let address = parse(address)?;
        let shared = Shared {
            mailbox: mailbox(&address)?,
            address,
        };
        self.change(|snapshot| {
            let mut contents = with_new(snapshot, &shared.address)?;
            contents
                .shared
                .insert(shared.address.clone(), shared.clone());
            Ok(contents)
        })?;
        Ok(shared)
    }

    /// Removes a shared mailbox's entry. The mailbox itself is the store's affair.
    ///
    /// Errors: `Address`, `Unknown`, `Io`, `Broken`.
    pub fn remove_shared(&self, address: &str) -> Result<(), Error> {
        let address = parse(address)?;
        self.change(|snapshot| {
            let mut contents = snapshot.contents.clone();
            contents.forget_sending(&address);
            contents
                .shared
                .remove(&address)
                .map(|_| contents)
                .ok_or(Error::Unknown(address))
        })
    }

    pub(super) fn change_user(
        &self,
        address: Address,
        change: impl FnOnce(&mut UserEntry),
    ) -> Result<(), Error> {
        self.change(|snapshot| {
            let mut contents = snapshot.contents.clone();
            match contents.users.get_mut(&address) {
                Some(entry) => change(entry),
                None => return Err(Error::Unknown(address)),
            }
            Ok(contents)
        })
    }

    /// Applies a change to what the file says now, not to what was known of it.
    pub(super) fn change(
        &self,
        change: impl FnOnce(&Snapshot) -> Result<Contents, Error>,
    ) -> Result<(), Error> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let Place::File { file, watch } = &self.place else {
            self.replace(change(&known)?);
            return Ok(());
        };
        let _lock = file.lock()?;
        let contents = match file.read()? {
            Some((contents, _)) => change(&Snapshot::new(contents))?,
            None => change(&known)?,
        };
        let stamp = file.write(&contents)?;
        watch.lock().unwrap_or_else(PoisonError::into_inner).stamp = Some(stamp);
        self.replace(contents);
        Ok(())
    }
}

/// Both forms of a new password. Made before the lock is taken: hashing is slow.
struct Credentials {
    password: String,
    scram: ScramVerifier,
}

impl Credentials {
    fn of(password: &str) -> Result<Self, Error> {
        password::check(password)?;
        Ok(Self {
            password: password::hash(password)?,
            scram: ScramVerifier::of_password(password)?,
        })
    }
}

/// The contents, to which an address may be added.
fn with_new(snapshot: &Snapshot, address: &Address) -> Result<Contents, Error> {
    if snapshot.contents.knows(address) {
        return Err(Error::Exists(address.clone()));
    }
    Ok(snapshot.contents.clone())
}

pub(super) fn parse(text: &str) -> Result<Address, Error> {
    Address::parse(text).map_err(|reason| Error::Address {
        text: text.to_owned(),
        reason,
    })
}

fn mailbox(address: &Address) -> Result<MailboxName, Error> {
    MailboxName::of(address).map_err(|reason| Error::Address {
        text: address.to_string(),
        reason,
    })
}

/// This second, in UTC, as RFC 3339 writes it.
fn now() -> String {
    this_second().to_string()
}

/// This second, in UTC.
pub(super) fn this_second() -> Datetime {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    date_time(seconds)
}

/// The date and time of so many seconds after 1970-01-01T00:00:00Z.
fn date_time(seconds: u64) -> Datetime {
    let small = |value: u64| u8::try_from(value).unwrap_or(0);
    let mut days = seconds / 86_400;
    let mut year = 1970_u16;
    while days >= year_days(year) {
        days -= year_days(year);
        year = year.saturating_add(1);
    }
    let february = year_days(year) - 337;
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let time = Time {
        hour: small(seconds / 3600 % 24),
        minute: small(seconds / 60 % 60),
        second: Some(small(seconds % 60)),
        nanosecond: None,
    };
    Datetime {
        date: Some(Date {
            year,
            month,
            day: small(days + 1),
        }),
        time: Some(time),
        offset: Some(Offset::Z),
    }
}

fn year_days(year: u16) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    if leap { 366 } else { 365 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_written_as_the_dates_they_are() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_000_000_000, "2001-09-09T01:46:40Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(date_time(seconds).to_string(), expected);
        }
    }
}
