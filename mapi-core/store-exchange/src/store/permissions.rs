//! Permission tables: the server's are the truth, the mirror's say how they were set.
//!
//! A server has a row for everybody and one for who did not log in, always, and an order of its own. So that a table
//! comes back as it was set, what the mirror remembers is shown as far as the server's says the same. Rights to
//! free/busy times, which calendars have beside the others, stay as they are where other rights are set and none of
//! them; who gets no rights at all, or is left out, loses them. They are shown where some were set, and of members who
//! have no others.

use mapi_store::{Error, ErrorKind, Member, Permission, Result, Rights, Role};
use mapi_types::FolderId;
use mapi_wire::rop::PermissionData;

use super::ExchangeStore;
use crate::{
    mailbox::Work,
    remote::permissions::{ANONYMOUS, DEFAULT, Granted, add, modify, remove},
};

/// A row of the server's table, and whom it is for.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    member: Member,
    granted: Granted,
}

/// What is to be done to a table.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Modify(i64, u32),
    Remove(i64),
    Add(String, u32),
}

impl ExchangeStore {
    /// A folder's permission table. One request, and more for members the server does not name by address.
    pub(super) async fn permission_table(&self, folder: FolderId) -> Result<Vec<Permission>> {
        let now = self.server_table(folder).await?;
        let set = self.mailbox.inner.permissions(folder).await?;
        Ok(shown(&set, &now))
    }

    /// Makes a folder's permission table this one.
    ///
    /// Two requests, and more for new members. Errors: `Invalid` (a member is named twice), `NotFound` (a new member is
    /// not in the address book), `Denied`.
    pub(super) async fn put_permissions(
        &self,
        folder: FolderId,
        permissions: &[Permission],
    ) -> Result<()> {
        let wanted = normal(permissions)?;
        let is_about_times = wanted.iter().any(|row| times(row.rights) != 0);
        if is_about_times && !self.has_free_busy(folder).await? {
            let what = "only a calendar has rights to free/busy times";
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        let now = self.server_table(folder).await?;
        self.change_table(folder, steps(&now, &wanted)).await?;
        let mailbox = &self.mailbox;
        mailbox.circle.doubt_rights();
        let _turn = mailbox.turn(Work::Rights).await;
        mailbox.inner.set_permissions(folder, &wanted).await
    }

    /// Gives a new folder the permissions of the one it was made in, where the server has not done so.
    pub(super) async fn take_over_permissions(
        &self,
        folder: FolderId,
        parent: FolderId,
    ) -> Result<()> {
        let mut permissions = self.permission_table(parent).await?;
        for row in &mut permissions {
            row.rights = Rights(row.rights.0 & Rights::ALL.0);
        }
        self.put_permissions(folder, &permissions).await
    }

    async fn server_table(&self, folder: FolderId) -> Result<Vec<Row>> {
        let mailbox = &self.mailbox;
        let fid = mailbox.folder_fid(folder).await?;
        let free_busy = self.has_free_busy(folder).await?;
        let table = mailbox.remote.permissions(fid, free_busy).await?;
        let is_unnamed = |row: &&Granted| row.address.is_none() && !row.entry_id.is_empty();
        let unnamed = table.iter().filter(is_unnamed);
        let unnamed: Vec<_> = unnamed.map(|row| &*row.entry_id).collect();
        let named = mailbox.people.names_of(&unnamed).await;
        Ok(rows(&table, named))
    }

    async fn change_table(&self, folder: FolderId, steps: Vec<Step>) -> Result<()> {
        if steps.is_empty() {
            return Ok(());
        }
        let mailbox = &self.mailbox;
        let mut changes: Vec<PermissionData> = Vec::with_capacity(steps.len());
        for step in steps {
            changes.push(match step {
                Step::Modify(member, rights) => modify(member, rights),
                Step::Remove(member) => remove(member),
                Step::Add(address, rights) => {
                    add(&mailbox.people.entry_id_of(&address).await?, rights)
                }
            });
        }
        let fid = mailbox.folder_fid(folder).await?;
        let free_busy = self.has_free_busy(folder).await?;
        let done = mailbox
            .remote
            .modify_permissions(fid, changes, free_busy)
            .await;
        Ok(done?)
    }

    /// Whether a folder's rows have rights to free/busy times. Source: MS-OXCPERM 2.2.2.1.
    async fn has_free_busy(&self, folder: FolderId) -> Result<bool> {
        let info = self.mailbox.inner.folder(folder).await?;
        Ok(info.role == Some(Role::Calendar))
    }
}

/// Rows with their members. `named` are those whom the server does not name by address, in their order.
fn rows(table: &[Granted], named: Vec<String>) -> Vec<Row> {
    let mut named = named.into_iter();
    let mut rows: Vec<Row> = Vec::with_capacity(table.len());
    for granted in table {
        let member = match (granted.member, &granted.address) {
            (DEFAULT, _) => Member::Default,
            (ANONYMOUS, _) => Member::Anonymous,
            (_, Some(address)) => Member::User(address.to_lowercase()),
            (_, None) if granted.entry_id.is_empty() => continue,
            (_, None) => Member::User(named.next().unwrap_or_default()),
        };
        // Of two names for one person, the first counts.
        if rows.iter().all(|row| row.member != member) {
            let granted = granted.clone();
            rows.push(Row { member, granted });
        }
    }
    rows
}

/// A table with addresses in lower case and rights of the seam alone. Errors: `Invalid`.
fn normal(permissions: &[Permission]) -> Result<Vec<Permission>> {
    let mut wanted: Vec<Permission> = Vec::with_capacity(permissions.len());
    for row in permissions {
        let member = match &row.member {
            Member::User(user) => Member::User(user.to_lowercase()),
            other => other.clone(),
        };
        if wanted.iter().any(|other| other.member == member) {
            return Err(Error::new(ErrorKind::Invalid, "a member is named twice"));
        }
        wanted.push(Permission {
            member,
            rights: Rights(row.rights.0 & (Rights::ALL.0 | Rights::FREE_BUSY.0)),
        });
    }
    Ok(wanted)
}

/// Rights to free/busy times alone.
const fn times(rights: Rights) -> u32 {
    rights.0 & Rights::FREE_BUSY.0
}

/// What makes a table what is wanted.
fn steps(now: &[Row], wanted: &[Permission]) -> Vec<Step> {
    let mut steps = Vec::new();
    for row in now {
        let rights = wanted_of(wanted, &row.member);
        let step = match (&row.member, rights) {
            (Member::User(_), None) => Some(Step::Remove(row.granted.member)),
            (_, rights) => {
                let rights = rights.unwrap_or(Rights::NONE);
                let beside = match rights != Rights::NONE && times(rights) == 0 {
                    true => row.granted.rights & !Rights::ALL.0,
                    false => 0,
                };
                let rights = beside | rights.0;
                (rights != row.granted.rights).then_some(Step::Modify(row.granted.member, rights))
            }
        };
        steps.extend(step);
    }
    for row in wanted {
        if now.iter().any(|known| known.member == row.member) {
            continue;
        }
        steps.push(match &row.member {
            Member::Default => Step::Modify(DEFAULT, row.rights.0),
            Member::Anonymous => Step::Modify(ANONYMOUS, row.rights.0),
            Member::User(user) => Step::Add(user.clone(), row.rights.0),
        });
    }
    steps
}

fn wanted_of(wanted: &[Permission], member: &Member) -> Option<Rights> {
    let row = wanted.iter().find(|row| row.member == *member);
    row.map(|row| row.rights)
}

/// The server's table in the order in which it was set here. Rows that every server has and that grant nothing are
/// shown only where they were set.
fn shown(set: &[Permission], now: &[Row]) -> Vec<Permission> {
    let said = |row: &Row, set: Option<&Permission>| {
        let rights = row.granted.rights & Rights::ALL.0;
        let is_about_times = set.is_some_and(|set| times(set.rights) != 0) || rights == 0;
        let times = times(Rights(row.granted.rights));
        Rights(if is_about_times {
            rights | times
        } else {
            rights
        })
    };
    let rights = |set: &Permission| {
        let row = now.iter().find(|row| row.member == set.member);
        row.map(|row| said(row, Some(set)))
    };
    let always = |member: &Member| !matches!(member, Member::User(_));
    let mut shown = Vec::with_capacity(now.len());
    for row in set {
        let rights = match rights(row) {
            None if always(&row.member) => Rights::NONE,
            None => continue,
            Some(rights) => rights,
        };
        if always(&row.member) && rights == Rights::NONE && row.rights != Rights::NONE {
            continue;
        }
        let member = row.member.clone();
        shown.push(Permission { member, rights });
    }
    for row in now {
        let rights = said(row, None);
        let is_said = set.iter().any(|other| other.member == row.member);
        if is_said || always(&row.member) && rights == Rights::NONE {
            continue;
        }
        let member = row.member.clone();
        shown.push(Permission { member, rights });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOB: &str = "bob@example.test";
    const EVE: &str = "eve@example.test";
    /// FreeBusySimple. Source: MS-OXCPERM 2.2.7.
    const FREE_BUSY: u32 = 0x800;

    fn user(user: &str) -> Member {
        Member::User(user.into())
    }

    fn row(member: Member, id: i64, rights: u32) -> Row {
        let granted = Granted {
            member: id,
            entry_id: Box::default(),
            address: None,
            rights,
        };
        Row { member, granted }
    }

    fn wanted(member: Member, rights: Rights) -> Permission {
        Permission { member, rights }
    }

    /// A new folder's table, as gromox 3.10 and Exchange have it.
    fn bare() -> Vec<Row> {
        vec![
            row(Member::Default, DEFAULT, 0),
            row(Member::Anonymous, ANONYMOUS, 0),
        ]
    }

    #[test]
    fn a_table_is_changed_row_by_row() {
        let check = |now: &[Row], table: &[Permission], expected: &[Step]| {
            assert_eq!(steps(now, table), expected);
        };
        check(&bare(), &[], &[]);
        let reviewer = wanted(user(BOB), Rights::REVIEWER);
        check(
            &bare(),
            &[reviewer.clone(), wanted(Member::Default, Rights::VISIBLE)],
            &[Step::Modify(DEFAULT, 0x400), Step::Add(BOB.into(), 0x401)],
        );
        let mut now = bare();
        now.push(row(user(BOB), 7, 0x401));
        now.push(row(user(EVE), 8, 0x401));
        check(&now, std::slice::from_ref(&reviewer), &[Step::Remove(8)]);
        let editor = wanted(user(BOB), Rights::EDITOR);
        let same = wanted(user(EVE), Rights::REVIEWER);
        check(&now, &[editor, same], &[Step::Modify(7, 0x47b)]);
        check(&now, &[], &[Step::Remove(7), Step::Remove(8)]);
    }

    #[test]
    fn rights_to_free_busy_times_stay_beside_others() {
        let mut now = bare();
        now[0].granted.rights = FREE_BUSY | 0x400;
        now.push(row(user(BOB), 7, FREE_BUSY | 0x401));
        let table = [
            wanted(Member::Default, Rights::REVIEWER),
            wanted(user(BOB), Rights::EDITOR),
        ];
        let expected = [
            Step::Modify(DEFAULT, FREE_BUSY | 0x401),
            Step::Modify(7, FREE_BUSY | 0x47b),
        ];
        assert_eq!(steps(&now, &table), expected);
    }

    #[test]
    fn who_gets_no_rights_loses_those_to_free_busy_times() {
        let mut now = bare();
        now[0].granted.rights = FREE_BUSY | 0x400;
        now[1].granted.rights = FREE_BUSY;
        now.push(row(user(BOB), 7, FREE_BUSY | 0x401));
        now.push(row(user(EVE), 8, FREE_BUSY));
        let nothing = [
            wanted(Member::Anonymous, Rights::NONE),
            wanted(user(BOB), Rights::NONE),
        ];
        let expected = [
            Step::Modify(DEFAULT, 0),
            Step::Modify(ANONYMOUS, 0),
            Step::Modify(7, 0),
            Step::Remove(8),
        ];
        assert_eq!(steps(&now, &nothing), expected);
    }

    #[test]
    fn rights_to_free_busy_times_are_set_and_shown() {
        let mut now = bare();
        now.push(row(user(BOB), 7, 0x401));
        let set = [wanted(user(BOB), Rights::FREE_BUSY_SIMPLE)];
        assert_eq!(steps(&now, &set), [Step::Modify(7, FREE_BUSY)]);
        assert_eq!(steps(&bare(), &set), [Step::Add(BOB.into(), FREE_BUSY)]);
        now[2] = row(user(BOB), 7, FREE_BUSY);
        assert_eq!(shown(&set, &now), set);
        assert_eq!(shown(&[], &now), set);
        now[0].granted.rights = FREE_BUSY;
        let everybody = wanted(Member::Default, Rights::FREE_BUSY_SIMPLE);
        assert_eq!(shown(&[], &now), [everybody, set[0].clone()]);
        let both = Rights(FREE_BUSY | Rights::REVIEWER.0);
        now[2] = row(user(BOB), 7, both.0);
        let set = [wanted(user(BOB), both)];
        assert_eq!(shown(&set, &now)[0], set[0]);
    }

    #[test]
    fn a_table_is_shown_as_it_was_set_and_as_the_server_has_it() {
        let check = |set: &[Permission], now: &[Row], expected: &[Permission]| {
            assert_eq!(shown(set, now), expected);
        };
        check(&[], &bare(), &[]);
        let set = [
            wanted(user(BOB), Rights::EDITOR),
            wanted(Member::Anonymous, Rights::NONE),
        ];
        let mut now = bare();
        now.push(row(user(BOB), 7, 0x47b));
        check(&set, &now, &set);
        // Somebody else changed it: a row, the rights of one, and who may not do anything any more.
        now[0].granted.rights = 0x400;
        now[2] = row(user(EVE), 8, FREE_BUSY | 0x401);
        let expected = [
            wanted(Member::Anonymous, Rights::NONE),
            wanted(Member::Default, Rights::VISIBLE),
            wanted(user(EVE), Rights::REVIEWER),
        ];
        check(&set, &now, &expected);
        let before = [wanted(Member::Default, Rights::EDITOR)];
        check(&before, &bare(), &[]);
    }

    #[test]
    fn a_member_is_named_once_whatever_the_case() {
        let twice = [
            wanted(user("Bob@Example.test"), Rights::EDITOR),
            wanted(user(BOB), Rights::NONE),
        ];
        assert_eq!(normal(&twice).unwrap_err().kind, ErrorKind::Invalid);
        assert_eq!(normal(&twice[..1]).unwrap()[0].member, user(BOB));
    }
}
