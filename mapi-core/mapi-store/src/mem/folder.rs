//! One folder: its items, its numbers and its change log.

use std::collections::{BTreeMap, HashMap, VecDeque};

use mapi_types::{Epoch, FolderId, ItemKey, ItemNumber, OwnedValue, PropTag, Value, Version, tags};

use super::item::Item;
use crate::{Error, ErrorKind, FolderInfo, Permission, Result, Rights, Role};

/// Expunged items a folder remembers; a reader that lags further starts anew.
const EXPUNGED_MAX: usize = 100_000;

/// What the bound of an unrendered item's size is above the truth: nobody may take one for the other.
const UNRENDERED_SLACK_BYTES: u64 = 1 << 10;

/// A folder with its items.
pub(super) struct Folder {
    pub(super) id: FolderId,
    pub(super) parent: Option<FolderId>,
    pub(super) name: String,
    pub(super) class: String,
    pub(super) role: Option<Role>,
    pub(super) permissions: Vec<Permission>,
    pub(super) props: BTreeMap<PropTag, OwnedValue>,
    /// Its latest change in the log of the hierarchy.
    pub(super) changed: Version,
    pub(super) epoch: Epoch,
    /// Its latest change: normal and associated items share the log and the numbers.
    pub(super) version: Version,
    /// Items that can be read, by number.
    pub(super) items: BTreeMap<u32, Item>,
    /// Items that can be recovered, by the number they had.
    pub(super) soft_deleted: BTreeMap<u32, Item>,
    /// Normal items that are gone, oldest first.
    pub(super) expunged: VecDeque<Expunged>,
    /// Up to here the log has forgotten expunged items.
    pub(super) forgotten: Version,
    keys: HashMap<ItemKey, u32>,
    next: u32,
}

/// A number that is gone.
#[derive(Clone, Copy)]
pub(super) struct Expunged {
    pub(super) number: u32,
    /// The version that brought the number: who never saw it need not hear that it is gone.
    pub(super) created: Version,
    pub(super) version: Version,
}

impl Folder {
    pub(super) fn new(id: FolderId, epoch: Epoch, name: &str, class: &str) -> Self {
        Self {
            id,
            parent: None,
            name: name.into(),
            class: class.into(),
            role: None,
            permissions: Vec::new(),
            props: BTreeMap::new(),
            changed: Version(0),
            epoch,
            version: Version(0),
            items: BTreeMap::new(),
            soft_deleted: BTreeMap::new(),
            expunged: VecDeque::new(),
            forgotten: Version(0),
            keys: HashMap::new(),
            next: 1,
        }
    }

    /// The folder as a principal with these rights sees it below `parent`.
    pub(super) fn info(&self, parent: Option<FolderId>, rights: Rights) -> FolderInfo {
        let mut info = FolderInfo {
            id: self.id,
            parent,
            name: self.name.clone(),
            class: self.class.clone(),
            role: self.role,
            hidden: self.props.get(&tags::ATTRIBUTE_HIDDEN.tag()) == Some(&OwnedValue::Bool(true)),
            rights,
            epoch: self.epoch,
            next_number: ItemNumber(self.next),
            version: self.version,
            items: 0,
            unread: 0,
            deleted: 0,
            size: 0,
        };
        for body in self
            .items
            .values()
            .map(|item| &item.body)
            .filter(|body| !body.is_associated())
        {
            info.items += 1;
            info.unread += u32::from(!body.is_read());
            info.deleted += u32::from(body.is_marked_deleted());
            info.size += if body.is_rendered() { body.size() } else { 0 };
        }
        info
    }

    /// Octets that the normal items which are not rendered yet take at most.
    fn unrendered_size_max(&self) -> Option<u64> {
        let bodies = self.items.values().map(|item| &item.body);
        let unrendered = bodies.filter(|body| !body.is_rendered() && !body.is_associated());
        let sizes = unrendered.map(|body| body.size() + UNRENDERED_SLACK_BYTES);
        sizes.reduce(u64::saturating_add)
    }

    /// A property of the folder itself.
    pub(super) fn value(&self, tag: PropTag) -> Option<OwnedValue> {
        let count = |filter: fn(&Item) -> bool| {
            let items = self
                .items
                .values()
                .filter(|item| !item.body.is_associated());
            Some(OwnedValue::I32(
                items.filter(|item| filter(item)).count() as i32
            ))
        };
        match tag {
            tag if tag == tags::DISPLAY_NAME.tag() => {
                Some(OwnedValue::Str(self.name.as_str().into()))
            }
            tag if tag == tags::CONTAINER_CLASS.tag() => {
                Some(OwnedValue::Str(self.class.as_str().into()))
            }
            tag if tag == tags::CONTENT_COUNT.tag() => count(|_| true),
            tag if tag == tags::CONTENT_UNREAD_COUNT.tag() => count(|item| !item.body.is_read()),
            tag if tag == tags::UNRENDERED_SIZE_MAX.tag() => self
                .unrendered_size_max()
                .map(|octets| OwnedValue::I64(octets as i64)),
            _ => self.props.get(&tag).cloned(),
        }
    }

    /// Sets or removes a property of the folder itself.
    pub(super) fn set(&mut self, tag: PropTag, value: Option<OwnedValue>) {
        if tag == tags::CONTAINER_CLASS.tag() {
            self.class = match value.as_ref().map(OwnedValue::as_value) {
                Some(Value::Str(class)) => class.into(),
                _ => String::new(),
            };
            return;
        }
        match value {
            Some(value) => self.props.insert(tag, value),
            None => self.props.remove(&tag),
        };
    }

    /// The number of the item with this key.
    pub(super) fn number_of(&self, key: &ItemKey) -> Option<u32> {
        self.keys.get(key).copied()
    }

    /// Errors: `Quota` when fewer than `count` numbers are left.
    pub(super) fn check_numbers(&self, count: usize) -> Result<()> {
        if count >= (u32::MAX - self.next) as usize {
            return Err(Error::new(
                ErrorKind::Quota,
                "the folder's numbers are used up",
            ));
        }
        Ok(())
    }

    /// A new epoch: whoever knows an earlier version starts anew.
    pub(super) fn renew(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.forgotten = self.bump();
    }

    /// Begins a change: its version.
    pub(super) fn bump(&mut self) -> Version {
        self.version.0 += 1;
        self.version
    }

    /// Puts an item in under the next number.
    pub(super) fn add(&mut self, mut item: Item, version: Version) -> u32 {
        let number = self.next;
        self.next += 1;
        item.version = version;
        item.created = version;
        self.keys.insert(item.key.clone(), number);
        self.items.insert(number, item);
        number
    }

    /// Takes an item out and logs that its number is gone.
    pub(super) fn take(&mut self, number: u32, version: Version) -> Option<Item> {
        let item = self.items.remove(&number)?;
        self.keys.remove(&item.key);
        if !item.body.is_associated() {
            self.expunged.push_back(Expunged {
                number,
                created: item.created,
                version,
            });
        }
        if self.expunged.len() > EXPUNGED_MAX {
            self.forgotten = self
                .expunged
                .pop_front()
                .map_or(self.forgotten, |old| old.version);
        }
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mapi_types::{Draft, Message, PropBag};

    use super::{super::item::Body, *};
    use crate::Changes;

    #[test]
    fn a_reader_that_lags_beyond_the_log_starts_anew() {
        let draft = Draft {
            key: None,
            message: Message::default().into(),
            props: PropBag::default(),
            prefix: Bytes::new(),
        };
        let item = Item {
            key: ItemKey([1].into()),
            version: Version(0),
            created: Version(0),
            creator: String::new(),
            deleted: None,
            body: Body::new(&draft, true).expect("a body"),
        };
        let mut folder = Folder::new(FolderId(1), Epoch(1), "folder", "IPF.Note");
        for _ in 0..=EXPUNGED_MAX {
            let version = folder.bump();
            let number = folder.add(item.clone(), version);
            let version = folder.bump();
            folder.take(number, version);
        }
        let columns = [tags::ITEM_VERSION.tag()];
        let expired = |since| matches!(folder.changes(since, &columns, 1), Changes::Expired);
        assert!(
            expired(Version(1)),
            "the first removal, of version 2, is forgotten"
        );
        assert!(!expired(Version(2)));
        assert!(!expired(folder.version));
        assert!(!expired(Version(0)), "who knows nothing misses nothing");
    }
}
