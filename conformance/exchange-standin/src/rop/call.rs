//! One ROP under way: what it may look at and change.

use std::sync::Arc;

use mapi_wire::{
    Id,
    rop::{Details, NO_HANDLE, Response},
};

use super::objects::{Entry, Handle, Object, OpenMessage, Place};
use crate::{
    config::{Limits, Manners},
    model::{
        error::{Code, Result},
        folder::Folder,
        ids::{Cn, Fid, Mid},
        mailbox::Mailbox,
        message::Message,
        organisation::Organisation,
        permission::Rights,
        view::View,
    },
    session::Session,
};

/// A ROP under way.
pub(crate) struct Call<'a> {
    /// People and mailboxes.
    pub(crate) organisation: &'a mut Organisation,
    /// Who asks, and what is open.
    pub(crate) session: &'a mut Session,
    /// How much of everything.
    pub(crate) limits: &'a Limits,
    /// What the server does beyond the ordinary.
    pub(crate) manners: Manners,
    /// What the client did that no client may.
    pub(crate) violations: &'a mut Vec<String>,
    /// The handles of the batch.
    pub(crate) handles: &'a mut Vec<Handle>,
    /// The logon that the ROP names.
    pub(crate) logon: u8,
    /// Octets that the response may take.
    pub(crate) room: usize,
    /// Octets that it may take when it is asked for alone: what fits there is not left out here.
    pub(crate) room_alone: usize,
    /// How long the client shall wait before it goes on with a download.
    pub(crate) busy_ms: Option<u32>,
}

/// Why a ROP failed.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// ReturnValue.
    pub(crate) code: Code,
    /// What else is said, when not what is usual.
    pub(crate) details: Option<Details>,
}

/// What comes of a ROP.
pub(crate) type Outcome = Result<Response, Refusal>;

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self {
            code,
            details: None,
        }
    }
}

impl Call<'_> {
    /// The object in a slot.
    pub(crate) fn entry(&self, slot: u8) -> Result<(Handle, &Entry)> {
        let handle = self.handles.get(usize::from(slot)).copied();
        let handle = handle
            .filter(|handle| *handle != NO_HANDLE)
            .ok_or(Code::NULL_OBJECT)?;
        let entry = self.session.objects.get(handle)?;
        match entry.logon == self.logon {
            true => Ok((handle, entry)),
            false => Err(Code::NULL_OBJECT),
        }
    }

    /// The object in a slot, to be changed.
    pub(crate) fn object_mut(&mut self, slot: u8) -> Result<&mut Object> {
        let (handle, _) = self.entry(slot)?;
        Ok(&mut self.session.objects.get_mut(handle)?.object)
    }

    /// The key of the mailbox that the object in a slot is in.
    pub(crate) fn mailbox_key(&self, slot: u8) -> Result<Arc<str>> {
        Ok(Arc::clone(&self.entry(slot)?.1.mailbox))
    }

    /// The mailbox that the object in a slot is in.
    pub(crate) fn mailbox(&self, slot: u8) -> Result<&Mailbox> {
        self.organisation.mailbox(&self.entry(slot)?.1.mailbox)
    }

    /// The mailbox that the object in a slot is in, to be changed.
    pub(crate) fn mailbox_mut(&mut self, slot: u8) -> Result<&mut Mailbox> {
        let key = self.mailbox_key(slot)?;
        self.organisation.mailbox_mut(&key)
    }

    /// The mailbox of the store in a slot. Other objects are refused.
    pub(crate) fn store(&self, slot: u8) -> Result<&Mailbox> {
        let (_, entry) = self.entry(slot)?;
        match entry.object {
            Object::Logon => self.organisation.mailbox(&entry.mailbox),
            _ => Err(Code::NOT_SUPPORTED),
        }
    }

    /// The folder in a slot, when it still exists.
    pub(crate) fn folder_id(&self, slot: u8) -> Result<Fid> {
        let (_, entry) = self.entry(slot)?;
        match entry.object {
            Object::Folder(fid) => {
                let folder = self.organisation.mailbox(&entry.mailbox)?.folder(fid);
                folder
                    .map(|folder| folder.fid)
                    .map_err(|_| Code::OBJECT_DELETED)
            }
            _ => Err(Code::NOT_SUPPORTED),
        }
    }

    /// The folder in a slot, with its mailbox.
    pub(crate) fn folder(&self, slot: u8) -> Result<(&Mailbox, &Folder)> {
        let fid = self.folder_id(slot)?;
        let mailbox = self.mailbox(slot)?;
        Ok((mailbox, mailbox.folder(fid)?))
    }

    /// The message in a slot. One that was sent is gone.
    pub(crate) fn message(&self, slot: u8) -> Result<(Handle, &OpenMessage)> {
        let (handle, entry) = self.entry(slot)?;
        match &entry.object {
            Object::Message(message) if message.submitted => Err(Code::OBJECT_DELETED),
            Object::Message(message) => Ok((handle, message)),
            _ => Err(Code::NOT_SUPPORTED),
        }
    }

    /// The message in a slot, to be changed; one open for reading is refused.
    pub(crate) fn writable_message(&mut self, slot: u8) -> Result<&mut OpenMessage> {
        self.message(slot)?;
        match self.object_mut(slot)? {
            Object::Message(message) if message.writable => Ok(message),
            _ => Err(Code::ACCESS_DENIED),
        }
    }

    /// The user who asks.
    pub(crate) fn user(&self) -> &str {
        &self.session.user
    }

    /// Refuses who may not do this in a folder. Who may not even see it is told that there is none.
    pub(crate) fn need(&self, mailbox: &Mailbox, fid: Fid, rights: Rights) -> Result<()> {
        let has = mailbox.rights(self.user(), fid);
        if has.has(rights) {
            return Ok(());
        }
        match has.opens_folder() {
            true => Err(Code::ACCESS_DENIED),
            false => Err(Code::NOT_FOUND),
        }
    }

    /// Puts a new object into a slot.
    pub(crate) fn open(&mut self, slot: u8, from: u8, object: Object) -> Result<Handle> {
        let (parent, entry) = self.entry(from)?;
        let entry = Entry {
            logon: self.logon,
            mailbox: Arc::clone(&entry.mailbox),
            parent: Some(parent),
            object,
        };
        self.put(slot, entry)
    }

    /// Puts an entry into a slot.
    pub(crate) fn put(&mut self, slot: u8, entry: Entry) -> Result<Handle> {
        if usize::from(slot) >= self.handles.len() {
            return Err(Code::RPC_FORMAT);
        }
        let handle = self.session.objects.open(entry, self.limits)?;
        if let Some(place) = self.handles.get_mut(usize::from(slot)) {
            *place = handle;
        }
        Ok(handle)
    }

    /// The message of a handle as it sees it.
    pub(crate) fn view(&self, mailbox: &Mailbox, message: &OpenMessage) -> Result<View> {
        let Place::Folder { mid: Some(mid), .. } = message.place else {
            return Ok(View::Loose(Arc::clone(&message.content)));
        };
        let saved = mailbox.message(mid).map_err(|_| Code::OBJECT_DELETED)?;
        let view = Message {
            content: Arc::clone(&message.content),
            size: message.content.size(),
            ..Message::clone(saved)
        };
        Ok(View::Saved(Box::new(view)))
    }

    /// Notes something that no client may do.
    pub(crate) fn violation(&mut self, what: impl Into<String>) {
        self.violations
            .push(format!("{}: {}", self.session.user, what.into()));
    }
}

/// A folder's id from a ROP.
pub(crate) fn fid_of(id: Id) -> Result<Fid> {
    Fid::from_wire(id).ok_or(Code::NOT_FOUND)
}

/// A message's id from a ROP.
pub(crate) fn mid_of(id: Id) -> Result<Mid> {
    Mid::from_wire(id).ok_or(Code::NOT_FOUND)
}

/// Opens a message that is in a folder.
pub(crate) fn open_saved(message: &Message, writable: bool) -> OpenMessage {
    OpenMessage {
        place: Place::Folder {
            fid: message.folder,
            mid: Some(message.mid),
            associated: message.associated,
            import: None,
        },
        writable,
        content: Arc::clone(&message.content),
        base: Some(Cn(message.cn.0)),
        submitted: false,
    }
}
