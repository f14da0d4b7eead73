//! Logging in: passwords checked, verifiers handed out.

use std::time::Instant;

use super::Directory;
use crate::{
    Error, ScramVerifier, User, address::split, contents::UserEntry, password, snapshot::Snapshot,
};

/// What came of a name and a password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The password is this user's.
    Verified(User),
    /// It is not, or the user is unknown or disabled; which of these is not told.
    Refused,
}

impl Directory {
    /// Checks a password. The name is the full address, or the local part if only one user has it.
    ///
    /// Takes about 24 ms and 19 MiB, and waits while as many checks run as the machine has cores: call it from a
    /// thread that may block. A login verified in the last five minutes takes microseconds, until the password
    /// changes. An unknown or disabled user takes as long as a wrong password.
    pub fn verify(&self, name: &str, password: &[u8]) -> Verdict {
        let snapshot = self.snapshot();
        let entry = may_log_in(&snapshot, name);
        let user = entry.map(|entry| &entry.user);
        let stored = entry.and_then(|entry| entry.password.as_deref());
        let address = user
            .map(|user| user.address.to_string())
            .unwrap_or_default();
        let hash = stored.unwrap_or(&self.nobodys_hash);
        let Ok(key) = self.logins.key(&address, hash, password) else {
            return Verdict::Refused;
        };
        let verdict = |fits: bool| match user {
            Some(user) if fits && stored.is_some() => Verdict::Verified(user.clone()),
            _ => Verdict::Refused,
        };
        if self.logins.contains(key, Instant::now()) {
            return verdict(true);
        }
        let _place = self.gate.enter();
        // Several connections of one client often log in at once; the first check serves them all.
        if self.logins.contains(key, Instant::now()) {
            return verdict(true);
        }
        let verdict = verdict(password::fits(password, hash));
        if matches!(verdict, Verdict::Verified(_)) {
            self.logins.insert(key, Instant::now());
        }
        verdict
    }

    /// The verifier for SCRAM-SHA-256 of a user. An unknown or disabled one gets an invented verifier that no
    /// password fits, with a salt that stays the same, so that nobody learns who exists. Quick.
    ///
    /// Errors: `System`.
    pub fn scram_verifier(&self, name: &str) -> Result<ScramVerifier, Error> {
        let snapshot = self.snapshot();
        match may_log_in(&snapshot, name).and_then(|entry| entry.scram.clone()) {
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

fn may_log_in<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a UserEntry> {
    snapshot.login(name).filter(|entry| !entry.user.disabled)
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
