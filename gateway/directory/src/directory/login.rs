//! Logging in: passwords checked, verifiers handed out.

use std::{fmt, time::Instant};

use super::Directory;
use crate::{
    Error, ScramVerifier, Service, User, address::split, contents::UserEntry, password,
    snapshot::Snapshot,
};

/// What came of a name and a password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The password is this user's.
    Verified(User),
    /// It is not, or does not count. Why is for the log alone: a client is never told.
    Refused(Reason),
}

/// Why a password opens nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// No user has this name.
    UnknownUser,
    /// The user is barred from logging in.
    Disabled,
    /// The password is another one.
    WrongPassword,
    /// The user's app passwords alone are taken, and it is none of them.
    NoAppPassword,
    /// It is an app password of the user, for other protocols.
    OtherService,
    /// Nothing could be checked.
    System,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownUser => "unknown user",
            Self::Disabled => "user is disabled",
            Self::WrongPassword => "wrong password",
            Self::NoAppPassword => "not an app password",
            Self::OtherService => "app password for other protocols",
            Self::System => "nothing can be checked",
        })
    }
}

impl Directory {
    /// Checks a password, or app password. The name is the full address, or the local part if only one user has it.
    ///
    /// Takes about 24 ms and 19 MiB, and waits while as many checks run as the machine has cores: call it from a
    /// thread that may block. A login verified in the last five minutes takes microseconds, until the password
    /// changes, and one with an app password always does. An unknown or disabled user takes as long as a wrong
    /// password.
    pub fn verify(&self, service: Service, name: &str, password: &[u8]) -> Verdict {
        let snapshot = self.snapshot();
        let known = snapshot.login(name);
        let entry = known.filter(|entry| !entry.user.disabled);
        let app = entry.and_then(|entry| {
            let app = self.app_password(&snapshot, entry, password)?;
            Some((&entry.user, app))
        });
        match app {
            Some((user, app)) if app.services.contains(&service) => {
                self.note_use(&snapshot, &app.id);
                return Verdict::Verified(user.clone());
            }
            Some(_) => return Verdict::Refused(Reason::OtherService),
            None => {}
        }
        let own = entry.filter(|entry| !entry.user.app_passwords_only);
        let refused = Verdict::Refused(match (known, entry, own) {
            (None, ..) => Reason::UnknownUser,
            (_, None, _) => Reason::Disabled,
            (_, _, None) => Reason::NoAppPassword,
            _ => Reason::WrongPassword,
        });
        match self.fits(own, password) {
            Ok(Some(user)) => Verdict::Verified(user),
            Ok(None) => refused,
            Err(_) => Verdict::Refused(Reason::System),
        }
    }

    /// Whose password it is. Nobody takes as long as somebody else.
    fn fits(&self, entry: Option<&UserEntry>, password: &[u8]) -> Result<Option<User>, Error> {
        let user = entry.map(|entry| &entry.user);
        let stored = entry.and_then(|entry| entry.password.as_deref());
        let address = user
            .map(|user| user.address.to_string())
            .unwrap_or_default();
        let hash = stored.unwrap_or(&self.nobodys_hash);
        let key = self.logins.key(&address, hash, password)?;
        let verified = || user.filter(|_| stored.is_some()).cloned();
        if self.logins.contains(key, Instant::now()) {
            return Ok(verified());
        }
        let _place = self.gate.enter();
        // Several connections of one client often log in at once; the first check serves them all.
        if self.logins.contains(key, Instant::now()) {
            return Ok(verified());
        }
        if !password::fits(password, hash) {
            return Ok(None);
        }
        let user = verified();
        if user.is_some() {
            self.logins.insert(key, Instant::now());
        }
        Ok(user)
    }

    /// The verifier for SCRAM-SHA-256 of a user. An unknown or disabled one gets an invented verifier that no
    /// password fits, with a salt that stays the same, so that nobody learns who exists; so does one of whom app
    /// passwords alone are taken. Quick.
    ///
    /// Errors: `System`.
    pub fn scram_verifier(&self, name: &str) -> Result<ScramVerifier, Error> {
        let snapshot = self.snapshot();
        let entry = snapshot.login(name);
        let entry = entry.filter(|entry| !entry.user.disabled && !entry.user.app_passwords_only);
        match entry.and_then(|entry| entry.scram.clone()) {
            Some(verifier) => Ok(verifier),
            None => {
                ScramVerifier::invented(&snapshot.contents.salt_key, &full_name(&snapshot, name))
            }
        }
    }

    /// The name under which failed logins are counted: one for all spellings of a user's login name.
    pub fn throttle_name(&self, name: &str) -> String {
        let snapshot = self.snapshot();
        match snapshot.login(name) {
            Some(entry) => entry.user.address.to_string(),
            None => full_name(&snapshot, name),
        }
    }
}

/// An unknown name as if it were known: a real user's short name and address are one, so these must be too.
fn full_name(snapshot: &Snapshot, name: &str) -> String {
    match split(name) {
        Ok((local, Some(domain))) => format!("{local}@{domain}"),
        Ok((local, None)) => match snapshot.contents.users.keys().next() {
            Some(address) => format!("{local}@{}", address.domain()),
            None => local,
        },
        Err(_) => name.to_lowercase(),
    }
}
