//! Who may do what in a folder. Source: MS-OXCPERM 2.2.7.

/// The rights of one member: bits of PidTagMemberRights.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rights(pub u32);

impl Rights {
    /// frightsReadAny.
    pub const READ_ANY: Self = Self(0x1);
    /// frightsCreate.
    pub const CREATE: Self = Self(0x2);
    /// frightsEditOwned.
    pub const EDIT_OWNED: Self = Self(0x8);
    /// frightsDeleteOwned.
    pub const DELETE_OWNED: Self = Self(0x10);
    /// frightsEditAny.
    pub const EDIT_ANY: Self = Self(0x20);
    /// frightsDeleteAny.
    pub const DELETE_ANY: Self = Self(0x40);
    /// frightsCreateSubfolder.
    pub const CREATE_SUBFOLDER: Self = Self(0x80);
    /// frightsOwner.
    pub const OWNER: Self = Self(0x100);
    /// frightsVisible.
    pub const VISIBLE: Self = Self(0x400);
    /// frightsFreeBusySimple.
    pub const FREE_BUSY_SIMPLE: Self = Self(0x800);
    /// frightsFreeBusyDetailed.
    pub const FREE_BUSY_DETAILED: Self = Self(0x1000);
    /// Everything.
    pub const ALL: Self = Self(0x1dfb);
    /// None.
    pub const NONE: Self = Self(0);
    /// A reviewer: sees the folder and reads what is in it.
    pub const REVIEWER: Self = Self(0x401);
    /// An editor: all but folders and permissions.
    pub const EDITOR: Self = Self(0x47b);

    /// Whether all of these are among them.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether they say anything beyond when somebody is free.
    pub const fn opens_folder(self) -> bool {
        self.0 & !(Self::FREE_BUSY_SIMPLE.0 | Self::FREE_BUSY_DETAILED.0) != 0
    }
}

/// One row of a folder's permissions.
#[derive(Clone, Debug, PartialEq)]
pub struct Permission {
    /// PidTagMemberId: 0 everybody, −1 anonymous, others as the server counts.
    pub member: i64,
    /// The key of a user; empty for everybody and anonymous.
    pub user: String,
    /// What they may do.
    pub rights: Rights,
}

/// The permissions of a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Permissions {
    rows: Vec<Permission>,
    next_member: i64,
}

/// PidTagMemberId of everybody who has no row.
pub const MEMBER_DEFAULT: i64 = 0;
/// PidTagMemberId of those who did not log in.
pub const MEMBER_ANONYMOUS: i64 = -1;

impl Permissions {
    /// Everybody may do this much.
    pub fn new(everybody: Rights) -> Self {
        let row = |member, rights| Permission {
            member,
            user: String::new(),
            rights,
        };
        Self {
            rows: vec![
                row(MEMBER_DEFAULT, everybody),
                row(MEMBER_ANONYMOUS, Rights::NONE),
            ],
            next_member: 1,
        }
    }

    /// The rows, everybody first.
    pub fn rows(&self) -> &[Permission] {
        &self.rows
    }

    /// What a user may do.
    pub fn rights_of(&self, user: &str) -> Rights {
        let own = self.rows.iter().find(|row| row.user == user);
        let everybody = || self.rows.iter().find(|row| row.member == MEMBER_DEFAULT);
        own.or_else(everybody)
            .map_or(Rights::NONE, |row| row.rights)
    }

    /// Sets what a user may do, in a row of their own; an empty name is everybody.
    pub fn grant(&mut self, user: &str, rights: Rights) {
        if user.is_empty() {
            self.set(MEMBER_DEFAULT, rights);
        } else if let Some(row) = self.rows.iter_mut().find(|row| row.user == user) {
            row.rights = rights;
        } else {
            let member = self.next_member;
            self.next_member += 1;
            self.rows.push(Permission {
                member,
                user: user.to_owned(),
                rights,
            });
        }
    }

    /// Sets the rights of a row; whether there is one.
    pub fn set(&mut self, member: i64, rights: Rights) -> bool {
        match self.rows.iter_mut().find(|row| row.member == member) {
            Some(row) => {
                row.rights = rights;
                true
            }
            None => false,
        }
    }

    /// Removes a row; whether there was one. Everybody and anonymous stay, without rights.
    pub fn remove(&mut self, member: i64) -> bool {
        if member <= MEMBER_DEFAULT {
            return self.set(member, Rights::NONE);
        }
        let before = self.rows.len();
        self.rows.retain(|row| row.member != member);
        self.rows.len() < before
    }

    /// Removes all rows of users.
    pub fn clear(&mut self) {
        self.rows.retain(|row| row.member <= MEMBER_DEFAULT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_ones_own_counts_before_that_of_everybody() {
        let mut permissions = Permissions::new(Rights::REVIEWER);
        permissions.grant("bob", Rights::NONE);
        assert_eq!(permissions.rights_of("bob"), Rights::NONE);
        assert_eq!(permissions.rights_of("carol"), Rights::REVIEWER);
        assert!(permissions.remove(1));
        assert_eq!(permissions.rights_of("bob"), Rights::REVIEWER);
        assert!(!permissions.remove(1));
    }

    #[test]
    fn free_busy_alone_opens_no_folder() {
        assert!(!Rights::FREE_BUSY_SIMPLE.opens_folder());
        assert!(Rights::CREATE.opens_folder());
    }
}
