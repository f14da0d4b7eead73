//! Rights by the names that people give them, and members as tables name them. Source: MS-OXCPERM 2.2.7.

use account::{Member, Permission, Rights};
use mapi_store::{Error, ErrorKind};

use crate::failure::{Failure, Result};

/// Names for what programs of people give together.
const ROLES: [(&str, Rights); 12] = [
    ("none", Rights::NONE),
    ("visible", Rights::VISIBLE),
    ("contributor", Rights(0x402)),
    ("reviewer", Rights::REVIEWER),
    ("nonediting-author", Rights(0x413)),
    ("author", Rights(0x41b)),
    ("publishing-author", Rights(0x49b)),
    ("editor", Rights::EDITOR),
    ("publishing-editor", Rights(0x4fb)),
    ("owner", Rights::ALL),
    ("freebusy", Rights::FREE_BUSY_SIMPLE),
    ("freebusy-detailed", Rights::FREE_BUSY),
];

/// What single rights are called.
const BITS: [(&str, Rights); 12] = [
    ("read", Rights::READ_ANY),
    ("create", Rights::CREATE),
    ("edit-own", Rights::EDIT_OWNED),
    ("delete-own", Rights::DELETE_OWNED),
    ("edit", Rights::EDIT_ANY),
    ("delete", Rights::DELETE_ANY),
    ("create-folders", Rights::CREATE_SUBFOLDER),
    ("owner", Rights::OWNER),
    ("contact", Rights::CONTACT),
    ("visible", Rights::VISIBLE),
    ("freebusy", Rights::FREE_BUSY_SIMPLE),
    ("freebusy-detailed", Rights::FREE_BUSY_DETAILED),
];

/// What one has who has them all.
const EVERYTHING: u32 = Rights::ALL.0 | Rights::FREE_BUSY.0;

/// Names of roles and single rights, joined by `+`, or the bits as a number.
pub(crate) fn parse(text: &str) -> Result<Rights> {
    let named = |name: &str| {
        let mut all = ROLES.iter().chain(&BITS);
        let found = all.find(|(other, _)| *other == name);
        found.map(|(_, rights)| *rights)
    };
    let rights = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok().map(Rights),
        None => text
            .split('+')
            .try_fold(Rights::NONE, |all, name| Some(all | named(name)?)),
    };
    rights
        .filter(|rights| rights.0 & !EVERYTHING == 0)
        .ok_or_else(|| {
            let names: Vec<_> = ROLES.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            let why = format!("rights `{text}`: expected {names}, or bits as 0x401");
            Failure::of(Error::new(ErrorKind::Invalid, why))
        })
}

/// The role that is just these rights.
pub(crate) fn role(rights: Rights) -> Option<&'static str> {
    let role = ROLES.iter().find(|(_, bits)| *bits == rights);
    role.map(|(name, _)| *name)
}

/// The names of single rights.
pub(crate) fn single(rights: Rights) -> Vec<&'static str> {
    let granted = BITS.iter().filter(|(_, bit)| rights.allow(*bit));
    granted.map(|(name, _)| *name).collect()
}

/// A member as tables name it.
pub(crate) fn member_name(member: &Member) -> &str {
    match member {
        Member::Default => "default",
        Member::Anonymous => "anonymous",
        Member::User(user) => user,
    }
}

/// The member whom a text names: everybody, or somebody whom the table names so. That may be somebody whom nobody
/// knows any more.
pub(crate) fn member_in(table: &[Permission], text: &str) -> Option<Member> {
    let text = text.to_lowercase();
    let is = |member: &&Member| member_name(member).to_lowercase() == text;
    let members = table.iter().map(|row| &row.member);
    let mut all = [&Member::Default, &Member::Anonymous]
        .into_iter()
        .chain(members);
    all.find(is).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_said_by_role_by_name_and_by_number() {
        let check = |text: &str, expected: u32| {
            assert_eq!(parse(text).unwrap(), Rights(expected), "{text}");
        };
        check("none", 0);
        check("reviewer", 0x401);
        check("owner", 0x7fb);
        check("visible+create", 0x402);
        check("reviewer+freebusy", 0xc01);
        check("0x47b", 0x47b);
        for text in ["", "everything", "0x4", "0x80000000", "reviewer+"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(role(Rights(0x47b)), Some("editor"));
        assert_eq!(role(Rights(0x47a)), None);
        assert_eq!(single(Rights(0x401)), ["read", "visible"]);
    }

    #[test]
    fn a_member_is_found_by_the_text_that_the_table_shows() {
        let gone = Member::User("/o=org/cn=gone".to_owned());
        let table = [Permission {
            member: gone.clone(),
            rights: Rights::REVIEWER,
        }];
        assert_eq!(member_in(&table, "/O=Org/cn=gone"), Some(gone));
        assert_eq!(member_in(&[], "Default"), Some(Member::Default));
        assert_eq!(member_in(&table, "anonymous"), Some(Member::Anonymous));
        assert_eq!(member_in(&table, "eve@example.test"), None);
    }
}
