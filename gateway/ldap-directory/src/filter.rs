//! Filters that find one user. Source: RFC 4515 3.

use ldap3::{ldap_escape, parse_filter};

use crate::{Error, Naming};

/// The longest name that is searched for, in bytes.
const NAME_BYTES_MAX: usize = 320;

/// The filter that finds the user with an address, or with a login name where there is no `@`. `None`: no entry can
/// have such a name.
pub(crate) fn find(users: &str, naming: &Naming, name: &str) -> Option<String> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return None;
    }
    let attributes: Vec<&str> = match name.contains('@') {
        true => std::iter::once(&naming.address)
            .chain(&naming.aliases)
            .map(String::as_str)
            .collect(),
        false => naming.logins.iter().map(String::as_str).collect(),
    };
    if attributes.is_empty() {
        return None;
    }
    let name = ldap_escape(name);
    let any: String = attributes
        .iter()
        .map(|attribute| format!("({attribute}={name})"))
        .collect();
    Some(format!("(&{users}(|{any}))"))
}

/// Refuses what cannot be a part of a filter.
pub(crate) fn check(users: &str, naming: &Naming) -> Result<(), Error> {
    for attribute in naming.attributes() {
        // RFC 4512 1.4: a descriptor, or a numeric identifier.
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.');
        if attribute.is_empty() || !attribute.bytes().all(is_plain) {
            return Err(Error::new(format!("{attribute:?} is no attribute")));
        }
    }
    match users.starts_with('(') && parse_filter(users).is_ok() {
        true => Ok(()),
        false => Err(Error::new(format!(
            "{users:?} is no filter such as (objectClass=inetOrgPerson)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USERS: &str = "(objectClass=person)";

    fn naming() -> Naming {
        Naming {
            address: "mail".to_owned(),
            aliases: vec!["mailAlternateAddress".to_owned()],
            logins: vec!["uid".to_owned()],
        }
    }

    #[test]
    fn names_are_searched_where_they_belong_and_escaped() {
        for (name, expected) in [
            (
                "alice@example.test",
                Some(
                    "(&(objectClass=person)(|(mail=alice@example.test)(mailAlternateAddress=alice@example.test)))",
                ),
            ),
            ("alice", Some("(&(objectClass=person)(|(uid=alice)))")),
            ("*", Some(r"(&(objectClass=person)(|(uid=\2a)))")),
            (
                "a)(uid=*))(|(uid=b",
                Some(r"(&(objectClass=person)(|(uid=a\29\28uid=\2a\29\29\28|\28uid=b)))"),
            ),
            (r"a\2a", Some(r"(&(objectClass=person)(|(uid=a\5c2a)))")),
            ("a\0b", None),
            ("", None),
        ] {
            assert_eq!(
                find(USERS, &naming(), name).as_deref(),
                expected,
                "{name:?}"
            );
        }
        let without = Naming {
            logins: Vec::new(),
            ..naming()
        };
        assert_eq!(find(USERS, &without, "alice"), None);
    }

    #[test]
    fn what_would_break_every_search_is_refused_at_once() {
        assert!(check(USERS, &naming()).is_ok());
        assert!(check("(&(objectClass=person)(!(disabled=TRUE)))", &naming()).is_ok());
        for bad in [
            "",
            "objectClass=person",
            "(objectClass=person",
            "(a=b)(c=d)",
        ] {
            assert!(check(bad, &naming()).is_err(), "{bad}");
        }
        let odd = Naming {
            address: "mail)(".to_owned(),
            ..naming()
        };
        assert!(check(USERS, &odd).is_err());
    }

    proptest! {
        #[test]
        fn no_name_breaks_out_of_its_place(name in ".{1,60}") {
            if let Some(filter) = find(USERS, &naming(), &name) {
                let inner = filter.strip_prefix("(&(objectClass=person)(|").unwrap();
                let inner = inner.strip_suffix("))").unwrap();
                let assertions = if name.contains('@') { 2 } else { 1 };
                prop_assert_eq!(inner.matches('(').count(), assertions);
                prop_assert_eq!(inner.matches(')').count(), assertions);
                prop_assert!(!inner.contains('*'));
                prop_assert!(parse_filter(&filter).is_ok());
            }
        }
    }
}
