//! App passwords of users: made, listed, removed, checked.

use std::{
    collections::{BTreeSet, HashSet},
    time::Instant,
};

use super::{
    Directory,
    edit::{parse, this_second},
};
use crate::{
    APP_PASSWORDS_MAX, AppPassword, Error, Service,
    app_password::{self, AppPasswordEntry, Candidate},
    contents::UserEntry,
    snapshot::Snapshot,
};

impl Directory {
    /// Makes an app password for a user: what is told of it, and the secret, which nobody can be told again. In force
    /// at once.
    ///
    /// Errors: `Address`, `AppPassword`, `Unknown`, `Io`, `Broken`, `System`.
    pub fn add_app_password(
        &self,
        address: &str,
        name: &str,
        services: &BTreeSet<Service>,
    ) -> Result<(AppPassword, String), Error> {
        let address = parse(address)?;
        app_password::check_name(name)?;
        if services.is_empty() {
            return Err(Error::AppPassword("it would open nothing"));
        }
        let secret = app_password::generate()?;
        let made = Candidate::parse(secret.as_bytes());
        let made = made.ok_or_else(|| Error::System("no app password made".to_owned()))?;
        let mut public = AppPassword {
            id: String::new(),
            name: name.to_owned(),
            services: services.clone(),
            created: this_second().to_string(),
            last_used: None,
        };
        self.change(|snapshot| {
            let mut contents = snapshot.contents.clone();
            let taken = snapshot.app_password_ids();
            while public.id.is_empty() || taken.contains(public.id.as_str()) {
                public.id = app_password::generate_id()?;
            }
            let hash = made.hash(&contents.salt_key, &address)?;
            let Some(entry) = contents.users.get_mut(&address) else {
                return Err(Error::Unknown(address));
            };
            if entry.app_passwords.len() >= APP_PASSWORDS_MAX {
                return Err(Error::AppPassword("the user has 100 of them"));
            }
            let public = public.clone();
            entry.app_passwords.push(AppPasswordEntry { public, hash });
            Ok(contents)
        })?;
        Ok((public, secret))
    }

    /// A user's app passwords, the oldest first. Errors: `Address`, `Unknown`.
    pub fn app_passwords(&self, address: &str) -> Result<Vec<AppPassword>, Error> {
        let address = parse(address)?;
        let snapshot = self.snapshot();
        let Some(entry) = snapshot.contents.users.get(&address) else {
            return Err(Error::Unknown(address));
        };
        let told = |entry: &AppPasswordEntry| AppPassword {
            last_used: self.last_use.of(&entry.public.id),
            ..entry.public.clone()
        };
        Ok(entry.app_passwords.iter().map(told).collect())
    }

    /// Removes the app password of a user that is called so, or has that name if only one has. From now on it opens
    /// nothing; sessions that are open stay open.
    ///
    /// Errors: `Address`, `Unknown`, `UnknownAppPassword`, `Io`, `Broken`.
    pub fn remove_app_password(&self, address: &str, which: &str) -> Result<(), Error> {
        let address = parse(address)?;
        self.change(|snapshot| {
            let mut contents = snapshot.contents.clone();
            let Some(entry) = contents.users.get_mut(&address) else {
                return Err(Error::Unknown(address));
            };
            let all = &mut entry.app_passwords;
            let called = all.iter().position(|one| one.public.id == which);
            let named = || {
                let mut named = (0..)
                    .zip(all.iter())
                    .filter(|(_, one)| one.public.name == which);
                named
                    .next()
                    .filter(|_| named.next().is_none())
                    .map(|(at, _)| at)
            };
            match called.or_else(named) {
                Some(at) => drop(all.remove(at)),
                None => return Err(Error::UnknownAppPassword(address)),
            }
            Ok(contents)
        })
    }

    /// Says whether a user's app passwords alone are taken. Errors: `Address`, `Unknown`, `Io`, `Broken`.
    pub fn require_app_passwords(&self, address: &str, required: bool) -> Result<(), Error> {
        self.change_user(parse(address)?, |entry| {
            entry.user.app_passwords_only = required;
        })
    }

    /// The user's app password that this is, if it is one. Quick.
    pub(super) fn app_password<'a>(
        &self,
        snapshot: &Snapshot,
        entry: &'a UserEntry,
        password: &[u8],
    ) -> Option<&'a AppPassword> {
        let candidate = Candidate::parse(password)?;
        let key = &snapshot.contents.salt_key;
        let hash = candidate.hash(key, &entry.user.address).ok()?;
        let mut all = entry.app_passwords.iter();
        all.find(|one| one.fits(&hash)).map(|one| &one.public)
    }

    /// Takes note that an app password was used.
    pub(super) fn note_use(&self, snapshot: &Snapshot, id: &str) {
        let now = (this_second(), Instant::now());
        self.last_use.note(id, now, || snapshot.app_password_ids());
    }
}

impl Snapshot {
    /// What all app passwords are called by.
    fn app_password_ids(&self) -> HashSet<&str> {
        let all = self.contents.users.values();
        all.flat_map(|entry| &entry.app_passwords)
            .map(|one| one.public.id.as_str())
            .collect()
    }
}
