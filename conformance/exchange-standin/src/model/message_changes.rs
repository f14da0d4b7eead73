//! Making, changing, moving and deleting messages.

use std::sync::Arc;

use mapi_types::PropTag;
use mapi_wire::PropValue;

use super::{
    change::{Predecessors, Xid},
    error::{Code, Result},
    event::{Event, Happening, OldPlace},
    folder_changes::Version,
    ids::{Cn, Fid, Mid},
    mailbox::Mailbox,
    message::{Content, Message, PendingReceipts},
    receipt,
    special::made_guid,
    tags::{self, message_flags},
};

/// A message to be made.
pub struct NewMessage {
    /// Where.
    pub folder: Fid,
    /// Whether it is one for programs (FAI).
    pub associated: bool,
    /// Its id, when a client chose it.
    pub mid: Option<Mid>,
    /// What is in it.
    pub content: Content,
    /// Who makes it: the key of a user.
    pub creator: Arc<str>,
    /// Its version, when a client says it.
    pub version: Option<Version>,
}

/// What happens to deleted messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deletion {
    /// They can still be had back.
    Soft,
    /// They are gone.
    Hard,
}

/// Properties that say what is in a message. When one changes, the message gets another article number.
const CONTENT_TAGS: [PropTag; 8] = [
    tags::SUBJECT,
    tags::BODY,
    tags::HTML,
    tags::RTF_COMPRESSED,
    tags::TRANSPORT_MESSAGE_HEADERS,
    tags::SENT_REPRESENTING_EMAIL_ADDRESS,
    tags::INTERNET_MESSAGE_ID,
    tags::CLIENT_SUBMIT_TIME,
];

impl Mailbox {
    /// Makes a message.
    pub fn create_message(&mut self, new: NewMessage) -> Result<Mid> {
        let mid = self.insert(new)?;
        let fid = self.message(mid)?.folder;
        self.events
            .push(Event::message(Happening::Created, fid, mid));
        self.contents_changed(fid);
        Ok(mid)
    }

    /// Makes a message that has arrived.
    pub fn deliver_message(&mut self, new: NewMessage) -> Result<Mid> {
        let mid = self.insert(new)?;
        let message = self.message(mid)?;
        let class = message
            .content
            .props
            .text(tags::MESSAGE_CLASS)
            .unwrap_or_default();
        let (fid, flags) = (message.folder, message.flags());
        let mut event = Event::message(Happening::NewMail, fid, mid);
        event.mail = Some((flags, class));
        self.events.push(event);
        self.events
            .push(Event::message(Happening::Created, fid, mid));
        self.contents_changed(fid);
        Ok(mid)
    }

    fn insert(&mut self, new: NewMessage) -> Result<Mid> {
        let mid = new.mid.unwrap_or_else(|| Mid(self.take_counter()));
        let (cn, own_key) = self.take_change();
        let now = self.clock.now();
        let mut content = new.content;
        content.derive();
        let props = &mut content.props;
        let key = made_guid(0x5b00, mid.0 as u32);
        props.set_default(tags::SEARCH_KEY, PropValue::Binary(self.search_key(key.0)));
        props.set_default(tags::CREATION_TIME, PropValue::Time(now));
        let modified = new.version.as_ref().map_or(now, |version| version.modified);
        props.set(tags::LAST_MODIFICATION_TIME, PropValue::Time(modified));
        let flags = props.i32(tags::MESSAGE_FLAGS);
        let flags = flags.unwrap_or(message_flags::UNSENT | message_flags::READ);
        props.set(
            tags::MESSAGE_FLAGS,
            PropValue::I32(flags & message_flags::SETTABLE),
        );
        let receipts = match flags & (message_flags::UNSENT | message_flags::READ) {
            0 => receipt::asked_for(&content),
            _ => PendingReceipts::default(),
        };
        let (change_key, predecessors) = match new.version {
            Some(version) => (version.change_key, version.predecessors),
            None => (own_key.clone(), Predecessors::of(&own_key)),
        };
        let folder = self.folder_mut(new.folder)?;
        let message = Message {
            mid,
            folder: new.folder,
            associated: new.associated,
            cn,
            read_cn: Cn(0),
            change_key,
            predecessors,
            article: folder.take_article(),
            read: flags & message_flags::READ != 0,
            receipts,
            status: 0,
            creator: new.creator,
            size: content.size(),
            content: Arc::new(content),
        };
        folder.put(Arc::new(message));
        self.places.insert(mid, new.folder);
        Ok(mid)
    }

    fn search_key(&self, seed: [u8; 16]) -> Box<[u8]> {
        let mixed = seed.iter().zip(self.replica.0);
        mixed.map(|(a, b)| a ^ b.rotate_left(3)).collect()
    }

    /// Gives a message new content. It keeps its id; what is content to a reader of mail gives it a new article number.
    pub fn replace_content(
        &mut self,
        mid: Mid,
        mut content: Content,
        version: Option<Version>,
    ) -> Result<()> {
        let message = Arc::clone(self.message(mid)?);
        let (cn, own_key) = self.take_change();
        let now = self.clock.now();
        content.derive();
        let modified = version.as_ref().map_or(now, |version| version.modified);
        content
            .props
            .set(tags::LAST_MODIFICATION_TIME, PropValue::Time(modified));
        let kept = message
            .content
            .props
            .i32(tags::MESSAGE_FLAGS)
            .unwrap_or_default();
        let kept = kept & !message_flags::UNMODIFIED;
        content.props.set(tags::MESSAGE_FLAGS, PropValue::I32(kept));
        let renumber = is_other_content(&message.content, &content);
        let folder = self.folder_mut(message.folder)?;
        let article = match renumber {
            true => folder.take_article(),
            false => message.article,
        };
        folder.change(mid, |message| {
            message.cn = cn;
            message.article = article;
            message.size = content.size();
            message.content = Arc::new(content);
            match version {
                Some(version) => {
                    message.change_key = version.change_key;
                    message.predecessors = version.predecessors;
                }
                None => {
                    message.predecessors.add(&own_key);
                    message.change_key = own_key;
                }
            }
        });
        self.modified(message.folder, mid);
        Ok(())
    }

    /// Merges the versions a client had into those of a message, whose content stays: the client's version lost.
    pub fn absorb_version(&mut self, mid: Mid, other: &Predecessors) -> Result<()> {
        let fid = self.message(mid)?.folder;
        let (cn, own_key) = self.take_change();
        self.folder_mut(fid)?.change(mid, |message| {
            message.cn = cn;
            message.predecessors.merge(other);
            message.predecessors.add(&own_key);
            message.change_key = own_key;
        });
        self.modified(fid, mid);
        Ok(())
    }

    /// Sets the bits of `mask` in PidTagMessageStatus; what it was before. No change is numbered.
    /// Source: MS-OXCMSG 2.2.1.8, 3.2.5.8.
    pub fn set_status(&mut self, fid: Fid, mid: Mid, status: u32, mask: u32) -> Result<u32> {
        let folder = self.folder_mut(fid)?;
        let old = folder.change(mid, |message| {
            let old = message.status;
            message.status = old & !mask | status & mask;
            old
        });
        old.ok_or(Code::NOT_FOUND)
    }

    /// Copies messages into a folder; the new ids, in order. Ids that are not in the source are left out.
    pub fn copy_messages(
        &mut self,
        from: Fid,
        to: Fid,
        mids: &[Mid],
        by: &str,
    ) -> Result<Vec<Mid>> {
        self.folder(to)?;
        let mut copies = Vec::new();
        for mid in mids {
            let Some(message) = self.folder(from)?.message(*mid).cloned() else {
                continue;
            };
            let copy = self.place_copy(&message, to, by)?;
            let mut event = Event::message(Happening::Copied, to, copy);
            event.old = Some(OldPlace {
                folder: from,
                message: Some(*mid),
                parent: None,
            });
            self.events.push(event);
            copies.push(copy);
        }
        self.contents_changed(to);
        Ok(copies)
    }

    fn place_copy(&mut self, message: &Message, to: Fid, by: &str) -> Result<Mid> {
        let mid = Mid(self.take_counter());
        let (cn, change_key) = self.take_change();
        let folder = self.folder_mut(to)?;
        let copy = Message {
            mid,
            folder: to,
            cn,
            read_cn: Cn(0),
            predecessors: Predecessors::of(&change_key),
            change_key,
            article: folder.take_article(),
            creator: by.into(),
            ..message.clone()
        };
        folder.put(Arc::new(copy));
        self.places.insert(mid, to);
        Ok(mid)
    }

    /// Moves messages into a folder; the new ids, in order. Ids that are not in the source are left out.
    pub fn move_messages(&mut self, from: Fid, to: Fid, mids: &[Mid]) -> Result<Vec<Mid>> {
        let mut moved = Vec::new();
        for mid in mids {
            if self.folder(from)?.message(*mid).is_some() {
                moved.push(self.move_message(*mid, to, None, None)?);
            }
        }
        Ok(moved)
    }

    /// Moves a message into a folder. It gets another id and version: those that a client chose, when it chose them.
    /// Source: MS-OXCFXICS 3.2.5.9.4.4.
    pub fn move_message(
        &mut self,
        mid: Mid,
        to: Fid,
        target: Option<Mid>,
        version: Option<(Xid, Predecessors)>,
    ) -> Result<Mid> {
        self.folder(to)?;
        let from = self.message(mid)?.folder;
        let old = self.folder_mut(from)?.take(mid).ok_or(Code::NOT_FOUND)?;
        self.forget(from, mid)?;
        let (cn, own_key) = self.take_change();
        let (change_key, mut predecessors) =
            version.unwrap_or_else(|| (own_key, old.predecessors.clone()));
        predecessors.add(&change_key);
        let new = target.unwrap_or_else(|| Mid(self.take_counter()));
        let folder = self.folder_mut(to)?;
        let message = Message {
            mid: new,
            folder: to,
            cn,
            read_cn: Cn(0),
            change_key,
            predecessors,
            article: folder.take_article(),
            ..Message::clone(&old)
        };
        folder.put(Arc::new(message));
        self.places.insert(new, to);
        let mut event = Event::message(Happening::Moved, to, new);
        event.old = Some(OldPlace {
            folder: from,
            message: Some(mid),
            parent: None,
        });
        self.events.push(event);
        self.contents_changed(from);
        self.contents_changed(to);
        Ok(new)
    }

    /// Deletes a message. With `notify_unread` a receipt goes out when one is asked for and it was not read.
    pub fn delete_message(
        &mut self,
        fid: Fid,
        mid: Mid,
        how: Deletion,
        notify_unread: bool,
    ) -> Result<()> {
        let folder = self.folder_mut(fid)?;
        let Some(message) = folder.take(mid) else {
            return match how == Deletion::Hard && folder.purge(mid) {
                true => Ok(()),
                false => Err(Code::NOT_FOUND),
            };
        };
        if how == Deletion::Soft {
            folder.keep_deleted(Arc::clone(&message));
        }
        if notify_unread && message.receipts.unread && !message.read {
            self.send_receipt(&message, receipt::ReceiptKind::NotRead);
        }
        self.forget(fid, mid)?;
        self.events
            .push(Event::message(Happening::Deleted, fid, mid));
        self.contents_changed(fid);
        Ok(())
    }

    fn forget(&mut self, fid: Fid, mid: Mid) -> Result<()> {
        self.places.remove(&mid);
        self.gone.insert(mid);
        self.folder_mut(fid)?.deleted_total += 1;
        Ok(())
    }

    /// Remembers that a message was deleted that never was here.
    pub fn remember_gone(&mut self, mid: Mid) {
        self.gone.insert(mid);
    }

    pub(super) fn modified(&mut self, fid: Fid, mid: Mid) {
        self.events
            .push(Event::message(Happening::Modified, fid, mid));
        self.contents_changed(fid);
    }

    /// Says that the messages of a folder changed: once for a row of changes of one folder.
    pub(super) fn contents_changed(&mut self, fid: Fid) {
        let now = self.clock.now();
        let Ok(folder) = self.folder_mut(fid) else {
            return;
        };
        folder.committed = now;
        let counts = (folder.normal().len() as u32, folder.unread());
        let mut event = Event::folder(Happening::Modified, fid, folder.parent);
        event.counts = Some(counts);
        let about_folder = |e: &Event| e.message.is_none() && e.folder == fid && e.counts.is_some();
        let recent = self.events.iter_mut().rev().take(3);
        match recent.into_iter().find(|e| about_folder(e)) {
            Some(known) => *known = event,
            None => self.events.push(event),
        }
    }
}

fn is_other_content(old: &Content, new: &Content) -> bool {
    old.recipients != new.recipients
        || old.attachments != new.attachments
        || CONTENT_TAGS
            .iter()
            .any(|tag| old.props.get(*tag) != new.props.get(*tag))
}
