//! Who may send in whose name.

use super::{Directory, edit::parse};
use crate::{
    Address, Error,
    contents::{Contents, SendGrant, Sender},
};

impl Directory {
    /// Lets a member send in the name of a user, a shared mailbox or an alias, in this way alone; `None` takes that back.
    ///
    /// The member need not be known here: users of other servers may send for mailboxes of this one.
    /// Errors: `Address`, `Unknown` (the name, or the grant to take back), `Io`, `Broken`.
    pub fn grant_sending(
        &self,
        name: &str,
        member: &str,
        grant: Option<SendGrant>,
    ) -> Result<(), Error> {
        let key = (parse(name)?, parse(member)?);
        self.change(|snapshot| {
            let mut contents = snapshot.contents.clone();
            match grant {
                Some(_) if !contents.knows(&key.0) => return Err(Error::Unknown(key.0)),
                Some(grant) => {
                    contents.senders.insert(key, grant);
                }
                None if contents.senders.remove(&key).is_none() => {
                    return Err(Error::Unknown(key.1));
                }
                None => {}
            }
            Ok(contents)
        })
    }

    /// Who may send in whose name, by name.
    pub fn senders(&self) -> Vec<Sender> {
        let snapshot = self.snapshot();
        let sender = |((name, member), grant): (&(Address, Address), &SendGrant)| Sender {
            name: name.clone(),
            member: member.clone(),
            grant: *grant,
        };
        snapshot.contents.senders.iter().map(sender).collect()
    }

    /// How a member may send in the name of an address that was given away as it stands, or as an alias of one mailbox
    /// that was. A `+detail` does not matter.
    pub fn send_grant(&self, address: &str, member: &str) -> Option<SendGrant> {
        let snapshot = self.snapshot();
        let member = Address::parse(member).ok()?;
        let known = snapshot.known(Address::parse(address).ok()?)?;
        let of = |name: Address| {
            let grants = &snapshot.contents.senders;
            grants.get(&(name, member.clone())).copied()
        };
        let mailbox = match &snapshot.resolve(address)?[..] {
            [mailbox] => Address::parse(mailbox.as_str()).ok(),
            _ => None,
        };
        of(known).max(mailbox.and_then(of))
    }
}

impl Contents {
    /// Takes back whatever was given to somebody who is gone, and given away in that name: who gets the address next is
    /// somebody else.
    pub(crate) fn forget_sending(&mut self, gone: &Address) {
        self.senders
            .retain(|(name, member), _| name != gone && member != gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "alice@example.test";

    fn directory() -> Directory {
        let directory = Directory::in_memory().expect("directory");
        for user in [ALICE, "boss@example.test", "bob@example.test"] {
            directory.add_user(user, "open sesame").expect("added");
        }
        directory.add_shared("info@example.test").expect("added");
        for (alias, targets) in [
            ("chief@example.test", &["boss@example.test"][..]),
            ("team@example.test", &[ALICE, "bob@example.test"]),
        ] {
            directory.add_alias(alias, targets).expect("added");
        }
        directory
    }

    #[test]
    fn a_grant_counts_for_its_name_and_what_leads_there_alone() {
        let directory = directory();
        for (name, grant) in [
            ("Boss@example.test", SendGrant::OnBehalf),
            ("info@example.test", SendGrant::As),
            ("team@example.test", SendGrant::As),
        ] {
            let granted = directory.grant_sending(name, ALICE, Some(grant));
            granted.expect("granted");
        }
        let check = |address: &str, member: &str, expected: Option<SendGrant>| {
            assert_eq!(directory.send_grant(address, member), expected, "{address}");
        };
        for address in [
            "boss@example.test",
            "BOSS+x@Example.test",
            "chief@example.test",
        ] {
            check(address, ALICE, Some(SendGrant::OnBehalf));
            check(address, "bob@example.test", None);
        }
        check(
            "info@example.test",
            "ALICE@example.test",
            Some(SendGrant::As),
        );
        check("team@example.test", ALICE, Some(SendGrant::As));
        // What leads to several is nobody's name.
        check("bob@example.test", ALICE, None);
        check("nobody@example.test", ALICE, None);
        check("", ALICE, None);
        let chief = directory.grant_sending("chief@example.test", ALICE, Some(SendGrant::As));
        chief.expect("granted");
        check("chief@example.test", ALICE, Some(SendGrant::As));
        check("boss@example.test", ALICE, Some(SendGrant::OnBehalf));
    }

    #[test]
    fn grants_are_taken_back_and_end_with_either_side() {
        let directory = directory();
        let grant = |name: &str, grant| directory.grant_sending(name, ALICE, grant);
        grant("info@example.test", Some(SendGrant::As)).expect("granted");
        grant("info@example.test", Some(SendGrant::OnBehalf)).expect("changed");
        assert_eq!(directory.senders().len(), 1);
        grant("info@example.test", None).expect("taken back");
        assert!(matches!(
            grant("info@example.test", None),
            Err(Error::Unknown(_))
        ));
        assert!(matches!(
            grant("nobody@example.test", Some(SendGrant::As)),
            Err(Error::Unknown(_))
        ));
        for name in [
            "info@example.test",
            "boss@example.test",
            "chief@example.test",
        ] {
            grant(name, Some(SendGrant::As)).expect("granted");
        }
        directory
            .remove_shared("info@example.test")
            .expect("removed");
        directory
            .remove_alias("chief@example.test")
            .expect("removed");
        assert_eq!(directory.senders().len(), 1);
        directory.remove_user(ALICE).expect("removed");
        assert!(directory.senders().is_empty());
    }
}
