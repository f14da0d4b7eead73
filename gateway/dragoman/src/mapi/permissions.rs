//! `dragoman mapi permissions`: who may do what in a folder. Source: MS-OXCPERM 2.2.7.

use account::{FolderId, Member, Permission, Rights};
use serde_json::json;

use super::{
    output::{Output, aligned, plain},
    session::{Session, invalid, missing},
};
use crate::{
    cli::mapi::{PermissionChange, Permissions},
    failure::{Doing, Result},
};

/// Rights by the names that programs of people give them.
const ROLES: [(&str, u32); 12] = [
    ("none", 0),
    ("visible", 0x400),
    ("contributor", 0x402),
    ("reviewer", 0x401),
    ("nonediting-author", 0x413),
    ("author", 0x41b),
    ("publishing-author", 0x49b),
    ("editor", 0x47b),
    ("publishing-editor", 0x4fb),
    ("owner", 0x7fb),
    ("freebusy", Rights::FREE_BUSY_SIMPLE.0),
    ("freebusy-detailed", Rights::FREE_BUSY.0),
];

/// What the bits are called.
const BITS: [(u32, &str); 12] = [
    (0x1, "read"),
    (0x2, "create"),
    (0x8, "edit-own"),
    (0x10, "delete-own"),
    (0x20, "edit"),
    (0x40, "delete"),
    (0x80, "create-folders"),
    (0x100, "owner"),
    (0x200, "contact"),
    (0x400, "visible"),
    (0x800, "freebusy"),
    (0x1000, "freebusy-detailed"),
];

/// Shows a table, changes it first if that is wanted.
pub(super) async fn run(session: &Session, what: Permissions, out: &Output) -> Result<()> {
    let folder = session.folder(&what.folder).await?.id;
    match what.change {
        None => {}
        Some(PermissionChange::Set { member, rights }) => {
            let rights = rights_of(&rights)?;
            let member = member_of(session, &member)?;
            let mut table = read(session, folder).await?;
            match table.iter_mut().find(|row| row.member == member) {
                Some(row) => row.rights = rights,
                None => table.push(Permission { member, rights }),
            }
            write(session, folder, &table).await?;
        }
        Some(PermissionChange::Remove { member }) => {
            let wanted = member_of(session, &member)?;
            let mut table = read(session, folder).await?;
            let before = table.len();
            table.retain(|row| row.member != wanted);
            if table.len() == before {
                return Err(missing(format!("{member}: not in the table")));
            }
            write(session, folder, &table).await?;
        }
    }
    print(&read(session, folder).await?, out).await
}

async fn read(session: &Session, folder: FolderId) -> Result<Vec<Permission>> {
    let table = session.store.permissions(folder).await;
    table.doing(|| "reading the permissions".to_owned())
}

async fn write(session: &Session, folder: FolderId, table: &[Permission]) -> Result<()> {
    let done = session.store.set_permissions(folder, table).await;
    done.doing(|| "changing the permissions".to_owned())
}

async fn print(table: &[Permission], out: &Output) -> Result<()> {
    let mut rows = Vec::new();
    for row in table {
        let role = role(row.rights);
        let bits = bits(row.rights);
        match out.is_json {
            true => {
                let line = json!({
                    "member": name(&row.member),
                    "rights": row.rights.0,
                    "role": role,
                    "may": bits,
                });
                out.line(line.to_string()).await?;
            }
            false => rows.push(vec![
                plain(name(&row.member)),
                role.unwrap_or("-").to_owned(),
                format!("{:#x}", row.rights.0),
                bits.join(","),
            ]),
        }
    }
    for line in aligned(&rows) {
        out.line(line).await?;
    }
    Ok(())
}

fn role(rights: Rights) -> Option<&'static str> {
    let role = ROLES.iter().find(|(_, bits)| *bits == rights.0);
    role.map(|(name, _)| *name)
}

fn bits(rights: Rights) -> Vec<&'static str> {
    let set = BITS.iter().filter(|(bit, _)| rights.0 & bit != 0);
    set.map(|(_, name)| *name).collect()
}

/// Names of roles and bits, joined by `+`, or a number.
fn rights_of(text: &str) -> Result<Rights> {
    let known: u32 = BITS.iter().map(|(bit, _)| bit).sum();
    let number = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.split('+').try_fold(0, |all, name| {
            let role = ROLES.iter().find(|(role, _)| *role == name);
            let bit = BITS.iter().find(|(_, bit)| *bit == name);
            let role = role.map(|(_, bits)| *bits);
            Some(all | role.or_else(|| bit.map(|(bit, _)| *bit))?)
        }),
    };
    number
        .filter(|number| number & !known == 0)
        .map(Rights)
        .ok_or_else(|| {
            let names: Vec<_> = ROLES.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            invalid(format!(
                "rights `{text}`: expected {names}, or bits as 0x401"
            ))
        })
}

fn member_of(session: &Session, text: &str) -> Result<Member> {
    Ok(match text {
        "default" => Member::Default,
        "anonymous" => Member::Anonymous,
        user => Member::User(session.gateway.mapi_member(user)?),
    })
}

fn name(member: &Member) -> &str {
    match member {
        Member::Default => "default",
        Member::Anonymous => "anonymous",
        Member::User(user) => user,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_said_by_name_by_bit_and_by_number() {
        let check = |text: &str, expected: u32| {
            assert_eq!(rights_of(text).unwrap(), Rights(expected), "{text}");
        };
        check("reviewer", 0x401);
        check("owner", 0x7fb);
        check("visible+create", 0x402);
        check("reviewer+freebusy", 0xc01);
        check("0x47b", 0x47b);
        for text in ["", "everything", "0x4", "0x80000000", "reviewer+"] {
            assert!(rights_of(text).is_err(), "{text}");
        }
        assert_eq!(role(Rights(0x47b)), Some("editor"));
        assert_eq!(role(Rights(0x47a)), None);
        assert_eq!(bits(Rights(0x401)), ["read", "visible"]);
    }
}
