//! Who may do what, asked anew on every call and inside the transaction it is for.
//!
//! The owner may do everything. Others have what a folder's permission table gives: their own row, else the default
//! row; who did not log in has an empty address and the anonymous row. A folder that is not visible to the
//! principal is `NotFound`: its existence is nobody's business. A visible one without the right is `Denied`.

use mapi_store::{ErrorKind, Principal, Rights};
use mapi_types::{FolderId, MailboxId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    fail::{Fail, Result},
    ids::folder_row_id,
};

/// How permission rows say whom they are for.
pub(crate) mod member {
    pub(crate) const DEFAULT: i64 = 0;
    pub(crate) const ANONYMOUS: i64 = 1;
    pub(crate) const USER: i64 = 2;
}

/// A principal at one mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The address in lower case; empty for who did not log in.
    pub(crate) user: String,
    pub(crate) owner: bool,
}

impl Access {
    pub(crate) fn new(principal: &Principal, mailbox: &MailboxId) -> Self {
        Self {
            user: principal.user.to_ascii_lowercase(),
            owner: principal.user == mailbox.0,
        }
    }

    /// The owner of a mailbox.
    pub(crate) fn owner(mailbox: &MailboxId) -> Self {
        Self {
            user: mailbox.0.to_ascii_lowercase(),
            owner: true,
        }
    }

    /// What the principal may do in a folder; whether the folder exists is not looked at for the owner.
    pub(crate) fn rights(&self, conn: &Connection, folder: i64) -> Result<Rights> {
        if self.owner {
            return Ok(Rights::ALL);
        }
        let own = if self.user.is_empty() {
            member::ANONYMOUS
        } else {
            member::USER
        };
        let mut select = conn.prepare_cached(
            "SELECT rights FROM permissions WHERE folder = ?1 AND (
                 member = ?2 AND (member = 1 OR user = ?3) OR member = 0 AND ?2 <> 1
             ) ORDER BY member DESC LIMIT 1",
        )?;
        let rights = select
            .query_row(params![folder, own, self.user], |row| row.get(0))
            .optional()?;
        Ok(rights.map_or(Rights::NONE, Rights))
    }

    /// The row id of a folder in which the principal has these rights, and all its rights.
    ///
    /// Errors: `NotFound`, `Denied`.
    pub(crate) fn allowed(
        &self,
        conn: &Connection,
        folder: FolderId,
        needed: Rights,
    ) -> Result<(i64, Rights)> {
        let id = folder_row_id(folder)?;
        let rights = self.rights(conn, id)?;
        if !rights.allow(Rights::VISIBLE) || !exists(conn, id)? {
            return Err(no_folder());
        }
        if rights.allow(needed) {
            Ok((id, rights))
        } else {
            Err(denied())
        }
    }

    /// The same for what was softly deleted: also of a folder that was, which is the owner's alone.
    ///
    /// Errors: `NotFound`, `Denied`.
    pub(crate) fn allowed_deleted(
        &self,
        conn: &Connection,
        folder: FolderId,
        needed: Rights,
    ) -> Result<(i64, Rights)> {
        let id = folder_row_id(folder)?;
        let mut select = conn.prepare_cached("SELECT 1 FROM deleted_folders WHERE id = ?1")?;
        match self.owner && select.exists([id])? {
            true => Ok((id, Rights::ALL)),
            false => self.allowed(conn, folder, needed),
        }
    }

    /// Whether the principal may open the mailbox: it owns it or sees a folder of it.
    pub(crate) fn may_open(&self, conn: &Connection) -> Result<bool> {
        if self.owner {
            return Ok(true);
        }
        let mut select = conn.prepare("SELECT id FROM folders")?;
        let ids: Vec<i64> = select
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for id in ids {
            if self.rights(conn, id)?.allow(Rights::VISIBLE) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Errors: `Denied` unless the principal may do this to any item, or to its own and all of these are.
    pub(crate) fn check_items<'i>(
        &self,
        rights: Rights,
        (any, owned): (Rights, Rights),
        mut creators: impl Iterator<Item = Option<&'i str>>,
    ) -> Result<()> {
        let may = rights.allow(any)
            || rights.allow(owned) && creators.all(|creator| creator == Some(&self.user));
        if may { Ok(()) } else { Err(denied()) }
    }

    /// How an item says who made it.
    pub(crate) fn creator(&self) -> Option<&str> {
        (!self.owner).then_some(&self.user)
    }
}

pub(crate) fn exists(conn: &Connection, folder: i64) -> Result<bool> {
    let mut select = conn.prepare_cached("SELECT 1 FROM folders WHERE id = ?1")?;
    Ok(select.exists([folder])?)
}

pub(crate) fn no_folder() -> Fail {
    Fail::not_found("no such folder")
}

pub(crate) fn no_item() -> Fail {
    Fail::not_found("no such item")
}

pub(crate) fn denied() -> Fail {
    Fail::new(ErrorKind::Denied, "the principal may not")
}

pub(crate) fn invalid(context: &'static str) -> Fail {
    Fail::new(ErrorKind::Invalid, context)
}
