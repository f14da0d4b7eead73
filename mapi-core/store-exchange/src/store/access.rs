//! What others than the owner may do, checked on every call.
//!
//! The server's own word on the principal stands in the mirror's permission tables, no older than a minute; the mirror
//! enforces it on what is read. Before something is written the same word is looked at here, so that a call that touches
//! several items does nothing when one of them is refused; the server, asked with the principal's own session, has the
//! last word.

use mapi_store::{Error, ErrorKind, Object, Result, Rights};
use mapi_types::{BitChange, Change, FolderId, ItemNumber, tags, tags::message_flags};
use mapi_wire::Gid;

use super::ExchangeStore;
use crate::{
    mailbox::{About, Guest},
    session::StoreName,
};

/// A right to every item, the one to one's own items, and what the server calls it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ItemRight {
    any: Rights,
    owned: Rights,
    /// A bit of PidTagAccess. Source: MS-OXCPRPT 2.2.1.1.
    access: u32,
}

/// Editing items.
pub(super) const EDIT: ItemRight = ItemRight {
    any: Rights::EDIT_ANY,
    owned: Rights::EDIT_OWNED,
    access: 0x01,
};

/// Deleting items.
pub(super) const DELETE: ItemRight = ItemRight {
    any: Rights::DELETE_ANY,
    owned: Rights::DELETE_OWNED,
    access: 0x04,
};

impl ExchangeStore {
    async fn learn(&self, guest: &Guest, folder: FolderId) -> Result<()> {
        let about = About::Folder(folder);
        self.mailbox.learn_rights(guest, about).await
    }

    /// Sees to it that the mirror knows what the principal may do everywhere.
    pub(super) async fn learn_everything(&self) -> Result<()> {
        match &self.guest {
            Some(guest) => self.mailbox.learn_rights(guest, About::Everything).await,
            None => Ok(()),
        }
    }

    /// What the principal may do in a folder. Errors: `NotFound`, `Denied`, those of the server.
    pub(super) async fn admit(&self, folder: FolderId, needed: Rights) -> Result<Rights> {
        let Some(guest) = &self.guest else {
            return Ok(Rights::ALL);
        };
        self.learn(guest, folder).await?;
        let rights = self.inner.folder(folder).await?.rights;
        if !(Rights::VISIBLE | Rights::READ_ANY).allow(needed) {
            self.refuse_nobody()?;
        }
        match rights.allow(needed) {
            true => Ok(rights),
            false => Err(denied()),
        }
    }

    /// Whether a folder may be made below another, or go there. The top is no folder of the mirror: one request then.
    pub(super) async fn admit_below(&self, parent: Option<FolderId>) -> Result<()> {
        self.refuse_nobody()?;
        match (&self.guest, parent) {
            (_, Some(parent)) => self.admit(parent, Rights::CREATE_SUBFOLDER).await.map(drop),
            (None, None) => Ok(()),
            (Some(_), None) => {
                let remote = &self.mailbox.remote;
                let top = remote.logon().await?.top();
                let rights = remote.rights(&[top]).await?;
                match rights
                    .iter()
                    .all(|rights| rights.allow(Rights::CREATE_SUBFOLDER))
                {
                    true => Ok(()),
                    false => Err(denied()),
                }
            }
        }
    }

    /// Whether an object may be looked at; what else may be done with it, the mirror knows then.
    pub(super) async fn admit_object(&self, object: Object) -> Result<()> {
        match object {
            Object::Mailbox => Ok(()),
            Object::Folder(folder) => self.admit(folder, Rights::VISIBLE).await.map(drop),
            Object::Item(folder, _) => self.admit(folder, Rights::READ_ANY).await.map(drop),
        }
    }

    /// Whether the principal may do this to all of the items: to any, or because they are the principal's own. Items
    /// that are gone do not matter. One request for dozens of items where it depends on whose they are.
    pub(super) async fn admit_items(
        &self,
        folder: FolderId,
        items: &[ItemNumber],
        right: ItemRight,
    ) -> Result<()> {
        let rights = self.admit(folder, Rights::VISIBLE).await?;
        self.refuse_nobody()?;
        if rights.allow(right.any) {
            return Ok(());
        }
        if !rights.allow(right.owned) {
            return Err(denied());
        }
        let mailbox = &self.mailbox;
        let mut messages = Vec::with_capacity(items.len());
        for known in mailbox.mirror.remote_ids(folder, items).await? {
            if let Some(gid) = known.and_then(|known| Gid::from_bytes(&known.id.0)) {
                messages.push(mailbox.remote.id(gid).await?);
            }
        }
        let fid = mailbox.folder_fid(folder).await?;
        let access = mailbox.remote.access(fid, &messages).await?;
        let may = |access: &Option<u32>| access.is_none_or(|bits| bits & right.access != 0);
        match access.iter().all(may) {
            true => Ok(()),
            false => Err(denied()),
        }
    }

    /// Whether a change is about the principal alone: what somebody has read of the public folders is not seen by others.
    pub(super) fn is_ones_own(&self, change: &Change) -> bool {
        let read = |bits: &BitChange| {
            bits.tag == tags::MESSAGE_FLAGS.tag()
                && (bits.set | bits.clear) & !message_flags::READ == 0
        };
        self.mailbox.remote.store == StoreName::Public
            && change.set.is_empty()
            && change.delete.is_empty()
            && change.strings.is_empty()
            && !change.bits.is_empty()
            && change.bits.iter().all(read)
    }

    /// Who did not log in has no session to write with.
    pub(super) fn refuse_nobody(&self) -> Result<()> {
        match &self.guest {
            Some(guest) if guest.principal.user.is_empty() => Err(denied()),
            _ => Ok(()),
        }
    }
}

fn denied() -> Error {
    Error::new(ErrorKind::Denied, "the principal may not")
}
