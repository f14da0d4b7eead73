//! A mailbox as tests see and change it from outside: as another client would.

use std::sync::Arc;

use mapi_types::PropTag;
use mapi_wire::{
    PropValue,
    property_name::{NameId, PropertyName},
};

use crate::{
    model::{
        draft::{Draft, PS_PUBLIC_STRINGS},
        error::{Code, Result},
        folder_changes::FolderPlan,
        ids::{Fid, Mid},
        mailbox::{Mailbox, Quota},
        message::{Content, Message},
        message_changes::{Deletion, NewMessage},
        permission::Rights,
        props::Props,
        read_state::read_flags,
        tags,
    },
    state::Shared,
};

/// A mailbox, as another client would see and change it. Whoever asked to be told of changes is told.
#[derive(Clone)]
pub struct MailboxAccess {
    shared: Arc<Shared>,
    key: String,
}

impl MailboxAccess {
    pub(crate) fn new(shared: Arc<Shared>, key: &str) -> Self {
        Self {
            shared,
            key: key.to_owned(),
        }
    }

    /// Looks at the mailbox. Errors: there is none.
    pub fn look<T>(&self, look: impl FnOnce(&Mailbox) -> T) -> Result<T> {
        let state = self.shared.lock();
        Ok(look(state.organisation.mailbox(&self.key)?))
    }

    /// Changes the mailbox in any way.
    pub fn change<T>(&self, change: impl FnOnce(&mut Mailbox) -> Result<T>) -> Result<T> {
        let mut state = self.shared.lock();
        let done = change(state.organisation.mailbox_mut(&self.key)?);
        self.shared.publish(&mut state);
        done
    }

    /// Its Inbox.
    pub fn inbox(&self) -> Result<Fid> {
        self.look(|mailbox| mailbox.special.inbox())
    }

    /// The folder at a path below what its user sees, such as `Inbox/Work`.
    pub fn folder(&self, path: &str) -> Result<Fid> {
        self.look(|mailbox| {
            let mut fid = match mailbox.kind {
                crate::model::mailbox::MailboxKind::Private => mailbox.special.ipm_subtree(),
                crate::model::mailbox::MailboxKind::Public => Fid(mailbox.special.logon[1].0),
            };
            for name in path.split('/').filter(|name| !name.is_empty()) {
                fid = mailbox.child_named(fid, name).ok_or(Code::NOT_FOUND)?;
            }
            Ok(fid)
        })?
    }

    /// The names and ids of all folders.
    pub fn folders(&self) -> Result<Vec<(Fid, String)>> {
        self.look(|mailbox| {
            mailbox
                .folders()
                .map(|folder| (folder.fid, folder.name()))
                .collect()
        })
    }

    /// The messages for people in a folder, by id.
    pub fn messages(&self, folder: Fid) -> Result<Vec<Arc<Message>>> {
        self.look(|mailbox| Ok(mailbox.folder(folder)?.normal().values().cloned().collect()))?
    }

    /// A message.
    pub fn message(&self, mid: Mid) -> Result<Arc<Message>> {
        self.look(|mailbox| mailbox.message(mid).cloned())?
    }

    /// The subjects of the messages in a folder, by id.
    pub fn subjects(&self, folder: Fid) -> Result<Vec<String>> {
        let subject = |message: &Arc<Message>| {
            message
                .content
                .props
                .text(tags::SUBJECT)
                .unwrap_or_default()
        };
        Ok(self.messages(folder)?.iter().map(subject).collect())
    }

    /// Mail arrives where mail of its class goes.
    pub fn deliver(&self, draft: Draft) -> Result<Mid> {
        let delivered = self.deliver_all(vec![draft])?;
        delivered.into_iter().next().ok_or(Code::NOT_FOUND)
    }

    /// Several at once: whoever waits is told of them together.
    pub fn deliver_all(&self, drafts: Vec<Draft>) -> Result<Vec<Mid>> {
        self.shared.deliver(&self.key, drafts)
    }

    /// Puts a message into a folder.
    pub fn create(&self, folder: Fid, draft: Draft) -> Result<Mid> {
        let key = self.key.clone();
        self.change(|mailbox| {
            let now = mailbox.clock.now();
            let associated = draft.associated;
            let content = draft.into_content(now, &mut mailbox.named)?;
            mailbox.create_message(NewMessage {
                folder,
                associated,
                mid: None,
                content,
                creator: key.as_str().into(),
                version: None,
            })
        })
    }

    /// Edits what is in a message.
    pub fn edit(&self, mid: Mid, edit: impl FnOnce(&mut Content)) -> Result<()> {
        self.change(|mailbox| {
            let mut content = Content::clone(&mailbox.message(mid)?.content);
            edit(&mut content);
            mailbox.replace_content(mid, content, None)
        })
    }

    /// Sets properties of a message.
    pub fn set_props(&self, mid: Mid, props: &[(PropTag, PropValue)]) -> Result<()> {
        self.edit(mid, |content| content.props.extend(props.iter().cloned()))
    }

    /// Flags a message, or takes the flag away (PidTagFlagStatus).
    pub fn set_flagged(&self, mid: Mid, flagged: bool) -> Result<()> {
        self.edit(mid, |content| match flagged {
            true => content.props.set(tags::FLAG_STATUS, PropValue::I32(2)),
            false => {
                content.props.remove(tags::FLAG_STATUS);
            }
        })
    }

    /// Sets the categories of a message.
    pub fn set_keywords(&self, mid: Mid, keywords: &[&str]) -> Result<()> {
        let name = PropertyName {
            set: PS_PUBLIC_STRINGS,
            id: NameId::Text("Keywords".into()),
        };
        let values = keywords.iter().map(|keyword| (*keyword).into()).collect();
        let id = self.change(|mailbox| mailbox.named.id_or_new(&name))?;
        let tag = PropTag(u32::from(id) << 16 | 0x101f);
        self.set_props(mid, &[(tag, PropValue::Strings(values))])
    }

    /// The id of a named property; a new one if it has none.
    pub fn named(&self, name: &PropertyName) -> Result<u16> {
        self.change(|mailbox| mailbox.named.id_or_new(name))
    }

    /// Marks a message as read or not, without a receipt.
    pub fn set_read(&self, mid: Mid, read: bool) -> Result<()> {
        let flags = match read {
            true => read_flags::SUPPRESS,
            false => read_flags::SUPPRESS | read_flags::CLEAR,
        };
        self.change(|mailbox| mailbox.set_read_flags(mid, flags).map(drop))
    }

    /// Moves a message; its new id.
    pub fn move_message(&self, mid: Mid, to: Fid) -> Result<Mid> {
        self.change(|mailbox| mailbox.move_message(mid, to, None, None))
    }

    /// Copies a message; the id of the copy.
    pub fn copy_message(&self, mid: Mid, to: Fid) -> Result<Mid> {
        let key = self.key.clone();
        self.change(|mailbox| {
            let from = mailbox.message(mid)?.folder;
            let copies = mailbox.copy_messages(from, to, &[mid], &key)?;
            copies.first().copied().ok_or(Code::NOT_FOUND)
        })
    }

    /// Deletes a message.
    pub fn delete(&self, mid: Mid, how: Deletion) -> Result<()> {
        self.change(|mailbox| {
            let folder = mailbox.message(mid)?.folder;
            mailbox.delete_message(folder, mid, how, false)
        })
    }

    /// Makes a folder in another.
    pub fn create_folder(&self, parent: Fid, name: &str, class: &str) -> Result<Fid> {
        let key = self.key.clone();
        self.change(|mailbox| {
            let fid = mailbox.create_folder(&FolderPlan {
                parent,
                name,
                search: false,
                creator: &key,
                fid: None,
            })?;
            if !class.is_empty() {
                let class = PropValue::String(class.into());
                mailbox.change_folder(
                    fid,
                    Props::from_iter([(tags::CONTAINER_CLASS, class)]),
                    &[],
                )?;
            }
            Ok(fid)
        })
    }

    /// Renames a folder.
    pub fn rename_folder(&self, folder: Fid, name: &str) -> Result<()> {
        let name = PropValue::String(name.into());
        let props = Props::from_iter([(tags::DISPLAY_NAME, name)]);
        self.change(|mailbox| mailbox.change_folder(folder, props, &[]))
    }

    /// Moves a folder into another.
    pub fn move_folder(&self, folder: Fid, to: Fid) -> Result<()> {
        self.change(|mailbox| {
            let name = mailbox.folder(folder)?.name();
            mailbox.move_folder(folder, to, &name)
        })
    }

    /// Deletes a folder with all that is in it.
    pub fn delete_folder(&self, folder: Fid) -> Result<()> {
        self.change(|mailbox| mailbox.delete_folder(folder))
    }

    /// Says what a user may do in a folder; an empty name is everybody.
    pub fn grant(&self, folder: Fid, user: &str, rights: Rights) -> Result<()> {
        self.change(|mailbox| {
            mailbox.folder_mut(folder)?.permissions.grant(user, rights);
            mailbox.touch_folder(folder)
        })
    }

    /// Lets a user do everything in the mailbox, or no longer.
    pub fn grant_full_access(&self, user: &str, granted: bool) -> Result<()> {
        self.change(|mailbox| {
            match granted {
                true => mailbox.full_access.insert(user.to_owned()),
                false => mailbox.full_access.remove(user),
            };
            Ok(())
        })
    }

    /// Says how much the mailbox may hold.
    pub fn set_quota(&self, quota: Quota) -> Result<()> {
        self.change(|mailbox| {
            mailbox.quota = quota;
            Ok(())
        })
    }

    /// Puts many small messages into a folder.
    pub fn fill(&self, folder: Fid, count: u32) -> Result<()> {
        self.change(|mailbox| mailbox.fill(folder, count))
    }
}

impl Shared {
    /// Mail arrives for somebody.
    pub(crate) fn deliver(&self, user: &str, drafts: Vec<Draft>) -> Result<Vec<Mid>> {
        let mut state = self.lock();
        let mailbox = state.organisation.mailbox_mut(user)?;
        let now = mailbox.clock.now();
        let delivered = drafts.into_iter().map(|draft| {
            let content = draft.into_content(now, &mut mailbox.named)?;
            mailbox.deliver(content)
        });
        let delivered = delivered.collect();
        self.publish(&mut state);
        delivered
    }

    /// Moves a mailbox to another of the servers; session contexts of who is connected to it end.
    pub(crate) fn move_mailbox(&self, user: &str, site: u32) -> Result<()> {
        let mut state = self.lock();
        state.organisation.mailbox_mut(user)?.site = site;
        let open: Vec<_> = state.mail.ids();
        for id in open {
            let uses = state.mail.get_mut(id).is_some_and(|context| {
                context
                    .session
                    .objects
                    .iter()
                    .any(|(_, entry)| *entry.mailbox == *user)
            });
            if uses && let Some(session) = state.mail.end(id) {
                session.bell.notify_one();
            }
        }
        Ok(())
    }
}
