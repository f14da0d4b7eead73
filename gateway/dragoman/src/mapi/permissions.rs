//! `dragoman mapi permissions`: who may do what in a folder. Source: MS-OXCPERM 2.2.7.

use account::{FolderId, Member, Permission};
use serde_json::json;

use super::{
    output::{Output, aligned, plain},
    session::{Session, missing},
};
use crate::{
    cli::mapi::{PermissionChange, Permissions},
    failure::{Doing, Result},
    rights,
};

/// Shows a table, changes it first if that is wanted.
pub(super) async fn run(session: &Session, what: Permissions, out: &Output) -> Result<()> {
    let folder = session.folder(&what.folder).await?.id;
    match what.change {
        None => {}
        Some(PermissionChange::Set { member, rights }) => {
            let rights = rights::parse(&rights)?;
            let mut table = read(session, folder).await?;
            let member = member_of(session, &table, &member).await?;
            match table.iter_mut().find(|row| row.member == member) {
                Some(row) => row.rights = rights,
                None => table.push(Permission { member, rights }),
            }
            write(session, folder, &table).await?;
        }
        Some(PermissionChange::Remove { member }) => {
            let mut table = read(session, folder).await?;
            let wanted = member_of(session, &table, &member).await?;
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
        let role = rights::role(row.rights);
        let single = rights::single(row.rights);
        let name = rights::member_name(&row.member);
        match out.is_json {
            true => {
                let line = json!({
                    "member": name,
                    "rights": row.rights.0,
                    "role": role,
                    "may": single,
                });
                out.line(line.to_string()).await?;
            }
            false => rows.push(vec![
                plain(name),
                role.unwrap_or("-").to_owned(),
                format!("{:#x}", row.rights.0),
                single.join(","),
            ]),
        }
    }
    for line in aligned(&rows) {
        out.line(line).await?;
    }
    Ok(())
}

/// Somebody whom the table names, or who is known.
async fn member_of(session: &Session, table: &[Permission], text: &str) -> Result<Member> {
    match rights::member_in(table, text) {
        Some(member) => Ok(member),
        None => Ok(Member::User(session.gateway.mapi_member(text).await?)),
    }
}
