//! The directory at one moment, indexed for lookups.

use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::{
    Address, MailboxName,
    address::{split, without_detail},
    contents::{Contents, UserEntry},
};

/// The most addresses one address may expand to, on the way included; what comes after is left out.
const EXPANSION_MAX: usize = 10_000;

/// Contents with an index of local parts, for names without a domain.
pub(crate) struct Snapshot {
    pub(crate) contents: Contents,
    users_by_local: BTreeMap<String, OneOf>,
    others_by_local: BTreeMap<String, OneOf>,
    domains: HashSet<String>,
}

/// The one address with a local part, if it is one.
enum OneOf {
    One(Address),
    Several,
}

impl Snapshot {
    pub(crate) fn new(contents: Contents) -> Self {
        let users_by_local = by_local(contents.users.keys());
        let others_by_local = by_local(contents.aliases.keys().chain(contents.shared.keys()));
        let addresses = contents.users.keys().chain(contents.aliases.keys());
        let addresses = addresses.chain(contents.shared.keys());
        let domains = addresses
            .map(|address| address.domain().to_owned())
            .collect();
        Self {
            contents,
            users_by_local,
            others_by_local,
            domains,
        }
    }

    /// The user of a login name: the full address, or the local part if only one user has it.
    pub(crate) fn login(&self, name: &str) -> Option<&UserEntry> {
        match split(name).ok()? {
            (local, Some(domain)) => self.contents.users.get(&Address::of(&local, &domain)),
            (local, None) => match self.users_by_local.get(&local)? {
                OneOf::One(address) => self.contents.users.get(address),
                OneOf::Several => None,
            },
        }
    }

    /// The mailboxes that mail for an address goes to, each once; `None` if the address leads to none.
    pub(crate) fn resolve(&self, text: &str) -> Option<Vec<MailboxName>> {
        let start = match split(text).ok()? {
            (local, Some(domain)) => self.known(Address::of(&local, &domain))?,
            (local, None) => self
                .with_local(&local)
                .or_else(|| without_detail(&local).and_then(|local| self.with_local(local)))?
                .clone(),
        };
        let mailboxes = self.expand(start);
        (!mailboxes.is_empty()).then_some(mailboxes)
    }

    /// Whether any address has this domain.
    pub(crate) fn serves(&self, domain: &str) -> bool {
        // Addresses are kept in lower case.
        self.domains.contains(&domain.to_lowercase())
    }

    /// The address itself if it is known, else without its detail if that is known.
    pub(crate) fn known(&self, address: Address) -> Option<Address> {
        if self.contents.knows(&address) {
            return Some(address);
        }
        address
            .without_detail()
            .filter(|address| self.contents.knows(address))
    }

    /// The one user with a local part; if no user has it, the one alias or shared mailbox.
    fn with_local(&self, local: &str) -> Option<&Address> {
        let found = self
            .users_by_local
            .get(local)
            .or_else(|| self.others_by_local.get(local))?;
        match found {
            OneOf::One(address) => Some(address),
            OneOf::Several => None,
        }
    }

    /// Follows aliases, nearest first. An address is visited once, so loops end.
    fn expand(&self, start: Address) -> Vec<MailboxName> {
        let mut mailboxes = Vec::new();
        let mut seen = HashSet::from([start.clone()]);
        let mut queue = VecDeque::from([start]);
        while let Some(address) = queue.pop_front() {
            if let Some(entry) = self.contents.users.get(&address) {
                mailboxes.push(entry.user.mailbox.clone());
            } else if let Some(shared) = self.contents.shared.get(&address) {
                mailboxes.push(shared.mailbox.clone());
            }
            for target in self.contents.aliases.get(&address).into_iter().flatten() {
                // A target may have lost its user since; the others still get the mail.
                if let Some(target) = self.known(target.clone())
                    && seen.len() < EXPANSION_MAX
                    && seen.insert(target.clone())
                {
                    queue.push_back(target);
                }
            }
        }
        mailboxes
    }

    /// Whether following aliases from an address leads to another.
    pub(crate) fn leads_to(&self, start: Address, goal: &Address) -> bool {
        let mut seen = HashSet::new();
        let mut stack = vec![start];
        while let Some(address) = stack.pop() {
            if address == *goal {
                return true;
            }
            if seen.insert(address.clone()) {
                stack.extend(
                    self.contents
                        .aliases
                        .get(&address)
                        .into_iter()
                        .flatten()
                        .cloned(),
                );
            }
        }
        false
    }
}

fn by_local<'a>(addresses: impl Iterator<Item = &'a Address>) -> BTreeMap<String, OneOf> {
    let mut index = BTreeMap::new();
    for address in addresses {
        index
            .entry(address.local().to_owned())
            .and_modify(|found| *found = OneOf::Several)
            .or_insert_with(|| OneOf::One(address.clone()));
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Shared, User};

    fn address(text: &str) -> Address {
        Address::parse(text).expect("address")
    }

    fn snapshot(users: &[&str], aliases: &[(&str, &[&str])], shared: &[&str]) -> Snapshot {
        let mut contents = Contents::empty([0; 32]);
        for user in users.iter().map(|user| address(user)) {
            let mailbox = MailboxName::of(&user).expect("mailbox");
            let created = "2026-11-24T16:43:00Z".to_owned();
            let user = User {
                address: user,
                mailbox,
                created,
                disabled: false,
                app_passwords_only: false,
            };
            contents.users.insert(
                user.address.clone(),
                UserEntry {
                    user,
                    password: None,
                    scram: None,
                    app_passwords: Vec::new(),
                },
            );
        }
        for (alias, targets) in aliases {
            contents.aliases.insert(
                address(alias),
                targets.iter().map(|target| address(target)).collect(),
            );
        }
        for shared in shared.iter().map(|shared| address(shared)) {
            let mailbox = MailboxName::of(&shared).expect("mailbox");
            contents.shared.insert(
                shared.clone(),
                Shared {
                    address: shared,
                    mailbox,
                },
            );
        }
        Snapshot::new(contents)
    }

    fn check(snapshot: &Snapshot, text: &str, expected: &[&str]) {
        let found = snapshot.resolve(text).unwrap_or_default();
        assert_eq!(
            found.iter().map(MailboxName::as_str).collect::<Vec<_>>(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn addresses_are_found_in_any_case_and_with_a_detail() {
        let snapshot = snapshot(
            &[
                "alice@example.test",
                "jürgen@münchen.test",
                "alice+lists@example.test",
            ],
            &[],
            &["Info@example.test"],
        );
        check(&snapshot, "ALICE@Example.Test", &["alice@example.test"]);
        check(&snapshot, "\"alice\"@example.test", &["alice@example.test"]);
        check(
            &snapshot,
            "alice+shop@example.test",
            &["alice@example.test"],
        );
        check(
            &snapshot,
            "alice+lists@example.test",
            &["alice+lists@example.test"],
        );
        check(
            &snapshot,
            "alice+lists+rust@example.test",
            &["alice@example.test"],
        );
        check(&snapshot, "JÜRGEN+x@MÜNCHEN.test", &["jürgen@münchen.test"]);
        check(&snapshot, "info@example.test", &["info@example.test"]);
        for unknown in [
            "bob@example.test",
            "alice@example.org",
            "+alice@example.test",
            "",
            "@",
            "alice@",
            "<>",
        ] {
            check(&snapshot, unknown, &[]);
            assert!(snapshot.resolve(unknown).is_none());
        }
    }

    #[test]
    fn a_name_without_domain_is_found_if_it_is_the_only_one() {
        let snapshot = snapshot(
            &["alice@example.test", "bob@example.test", "bob@example.org"],
            &[
                ("postmaster@example.test", &["bob@example.org"]),
                ("alice@example.org", &["bob@example.org"]),
            ],
            &[],
        );
        check(&snapshot, "Alice", &["alice@example.test"]);
        check(&snapshot, "alice+x", &["alice@example.test"]);
        check(&snapshot, "bob", &[]);
        check(&snapshot, "Postmaster", &["bob@example.org"]);
        assert!(snapshot.login("alice").is_some() && snapshot.login("Bob@Example.org").is_some());
        assert!(snapshot.login("bob").is_none() && snapshot.login("postmaster").is_none());
        assert!(snapshot.login("alice+x@example.test").is_none());
    }

    #[test]
    fn aliases_are_followed_and_each_mailbox_is_reached_once() {
        let snapshot = snapshot(
            &["alice@example.test", "bob@example.test"],
            &[
                (
                    "all@example.test",
                    &[
                        "team@example.test",
                        "alice@example.test",
                        "info+new@example.test",
                    ],
                ),
                (
                    "team@example.test",
                    &[
                        "bob@example.test",
                        "alice@example.test",
                        "gone@example.test",
                    ],
                ),
                ("empty@example.test", &["gone@example.test"]),
            ],
            &["info@example.test"],
        );
        check(
            &snapshot,
            "all@example.test",
            &[
                "alice@example.test",
                "info@example.test",
                "bob@example.test",
            ],
        );
        check(
            &snapshot,
            "all+x@example.test",
            &[
                "alice@example.test",
                "info@example.test",
                "bob@example.test",
            ],
        );
        check(&snapshot, "empty@example.test", &[]);
    }

    #[test]
    fn a_loop_of_aliases_ends() {
        let snapshot = snapshot(
            &["alice@example.test"],
            &[
                ("a@example.test", &["b@example.test", "a@example.test"]),
                ("b@example.test", &["a@example.test", "alice@example.test"]),
                ("c@example.test", &["c@example.test"]),
            ],
            &[],
        );
        check(&snapshot, "a@example.test", &["alice@example.test"]);
        check(&snapshot, "c@example.test", &[]);
        assert!(snapshot.leads_to(address("a@example.test"), &address("b@example.test")));
        assert!(!snapshot.leads_to(address("a@example.test"), &address("c@example.test")));
    }

    #[test]
    fn an_expansion_has_a_bound() {
        let users: Vec<String> = (0..EXPANSION_MAX + 5)
            .map(|n| format!("u{n}@example.test"))
            .collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let snapshot = snapshot(&users, &[("all@example.test", &users)], &[]);
        assert_eq!(
            snapshot.resolve("all@example.test").expect("known").len(),
            EXPANSION_MAX - 1
        );
    }
}
