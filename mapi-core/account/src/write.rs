//! New items, and changes of flags.

use std::sync::Arc;

use mapi_store::{ErrorKind, Expected, Result, Saved, Updated};
use mapi_types::{
    Change, Draft, FileTime, FolderId, MailboxId, Message, OwnedValue, PropTag, tags,
    tags::message_flags,
};

use crate::{
    Account, FlagChange, Flags, FolderIndex, Spooled,
    delivery_key::once_key,
    flags::{Group, new_item_props},
};

/// A message to be filed.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// What it says.
    pub message: Spooled,
    /// Its flags.
    pub flags: Flags,
    /// Its keywords.
    pub keywords: Vec<Box<str>>,
    /// When it was received.
    pub received: FileTime,
    /// What this item has and no other one that comes from where it came, if it comes from somewhere: it is filed once in
    /// a folder, however often that is tried, unless it has been moved or deleted meanwhile.
    pub once: Option<Box<str>>,
}

impl Account {
    /// Files messages in a folder, all or none, in their order. Durable when it returns. One message that is in Sent
    /// Items as a copy made by the gateway takes the place of that copy.
    ///
    /// Errors: `NotFound`, `Denied`, `Quota`, `TooBig`, `Unavailable`.
    pub async fn append(&self, folder: FolderId, items: Vec<NewItem>) -> Result<Vec<Saved>> {
        if let [item] = items.as_slice()
            && item.once.is_none()
            && self.gets_copies(folder).await?
        {
            let state = self.0.mailbox.folder(folder);
            let _turn = state.filing.lock().await;
            match self.file_in_place(folder, item).await {
                Ok(Some(saved)) => return Ok(vec![saved]),
                Ok(None) => {}
                // Who may put messages there and not read or change them files beside the copy.
                Err(error) if error.kind == ErrorKind::Denied => {}
                Err(error) => return Err(error),
            }
            let draft = draft(item.clone(), &self.0.id);
            return self.save(folder, &[draft]).await;
        }
        let mailbox = &self.0.id;
        let drafts: Vec<Draft> = items.into_iter().map(|item| draft(item, mailbox)).collect();
        self.save(folder, &drafts).await
    }

    pub(crate) async fn save(&self, folder: FolderId, drafts: &[Draft]) -> Result<Vec<Saved>> {
        let saved = self.0.store.save(folder, drafts).await?;
        let state = self.0.mailbox.folder(folder);
        for saved in &saved {
            state.hear_number(saved.number);
            state.hear(saved.version);
        }
        Ok(saved)
    }

    /// Changes flags and keywords of items. An item that has a newer version than expected is left alone and named
    /// in [`Updated::stale`]; one that is as it should be gets no new version.
    ///
    /// One call to the store, unless the items differ in how Outlook shows them. Errors: `NotFound`, `Denied`,
    /// `Unavailable`.
    pub async fn set_flags(
        &self,
        folder: FolderId,
        items: &[Expected],
        change: &FlagChange,
    ) -> Result<Updated> {
        let index = self.index(folder).await?;
        let change = respell(change, &index);
        let (add, remove) = change.delta();
        let state = self.0.mailbox.folder(folder);
        let mut all = Updated::default();
        for (group, items) in groups(&index, items, add | remove) {
            let change = group.change(&change);
            if change == Change::default() && items.iter().all(|item| item.version.is_none()) {
                continue;
            }
            let updated = self.0.store.update(folder, &items, &change).await?;
            if let Some(version) = updated.version {
                state.hear(version);
            }
            all.version = all.version.max(updated.version);
            all.changed.extend(updated.changed);
            all.renumbered.extend(updated.renumbered);
            all.stale.extend(updated.stale);
        }
        all.changed.sort_unstable();
        all.renumbered.sort_unstable();
        all.stale.sort_unstable();
        Ok(all)
    }
}

/// Items by what a change of `touched` writes on them; items that are gone are left out.
fn groups(index: &FolderIndex, items: &[Expected], touched: Flags) -> Vec<(Group, Vec<Expected>)> {
    let mut groups: Vec<(Group, Vec<Expected>)> = Vec::new();
    for expected in items {
        let Some(item) = index.item(expected.item) else {
            continue;
        };
        let group = Group::new(item.flags, item.verb, touched);
        match groups.iter_mut().find(|(other, _)| *other == group) {
            Some((_, members)) => members.push(*expected),
            None => groups.push((group, vec![*expected])),
        }
    }
    groups
}

/// The change with keywords spelled as the folder spells them.
fn respell(change: &FlagChange, index: &FolderIndex) -> FlagChange {
    let table = index.keywords();
    let spelled = |names: &[Box<str>]| -> Vec<Box<str>> {
        let spelled = |name: &str| {
            table
                .find(name)
                .and_then(|id| table.name(id))
                .map(Box::from)
        };
        names
            .iter()
            .map(|name| spelled(name).unwrap_or_else(|| name.clone()))
            .collect()
    };
    match change {
        FlagChange::Delta {
            add,
            remove,
            add_keywords,
            remove_keywords,
        } => FlagChange::Delta {
            add: *add,
            remove: *remove,
            add_keywords: spelled(add_keywords),
            remove_keywords: remove_keywords.clone(),
        },
        FlagChange::Set { flags, keywords } => {
            let mut unique: Vec<Box<str>> = Vec::with_capacity(keywords.len());
            for name in spelled(keywords) {
                if !unique.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
                    unique.push(name);
                }
            }
            FlagChange::Set {
                flags: *flags,
                keywords: unique,
            }
        }
    }
}

pub(crate) fn draft(item: NewItem, mailbox: &MailboxId) -> Draft {
    let NewItem {
        message,
        flags,
        keywords,
        received,
        once,
    } = item;
    let key = once.map(|once| once_key(&message, &once, mailbox));
    let props = copy_props(&message.0, flags, &keywords, received);
    Draft {
        key,
        message: message.0,
        props: props.into_iter().collect(),
        prefix: Default::default(),
    }
}

/// Properties of one copy of a message.
pub(crate) fn copy_props(
    message: &Arc<Message>,
    flags: Flags,
    keywords: &[Box<str>],
    received: FileTime,
) -> Vec<(PropTag, OwnedValue)> {
    let content_flags = message.tree.props.get(&tags::MESSAGE_FLAGS).unwrap_or(0);
    let content_flags = content_flags | message_flags::UNMODIFIED;
    let mut props = new_item_props(flags, keywords, content_flags);
    props.push((
        tags::MESSAGE_DELIVERY_TIME.tag(),
        OwnedValue::Time(received),
    ));
    props
}
