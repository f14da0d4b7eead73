//! A maildrop: the Inbox as a session saw it at its login (RFC 1939 4 and 5).
//!
//! What arrives later is seen by the next session, and numbers stay. What others delete meanwhile keeps its number and
//! cannot be fetched any more. Messages that an IMAP client has marked `\Deleted` are there: they are not deleted before
//! they are expunged, and a POP3 client could not tell why they are missing.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use account::{
    Account, Facts, FolderId, FolderIndex, ItemNumber, ItemState, MailboxId, Principal, Role,
};

use crate::{
    Server,
    command::MessageNumber,
    ending::{Known, LINE_END_BYTES, last_octets},
    reply::{Code, Failure},
    retrieve::Ahead,
};

/// The maildrop of a session.
pub(crate) struct Maildrop {
    pub(crate) account: Account,
    pub(crate) folder: FolderId,
    /// The snapshot. A message's number is its position, counted from 1.
    pub(crate) index: Arc<FolderIndex>,
    /// Positions of messages to be deleted at QUIT.
    pub(crate) deleted: BTreeSet<usize>,
    /// Positions of messages that were fetched.
    pub(crate) fetched: BTreeSet<usize>,
    /// Messages that are read in advance.
    pub(crate) ahead: Ahead,
    sizes: Sizes,
}

/// Sizes that the snapshot does not know.
#[derive(Default)]
struct Sizes {
    /// Octets that are kept; `None` of a message that is gone.
    asked: HashMap<ItemNumber, Option<u64>>,
    /// How messages end; there once all sizes are known.
    endings: Option<Arc<Known>>,
    /// Octets that are sent of all messages together.
    total: u64,
}

/// A message of the maildrop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) position: usize,
    pub(crate) item: ItemState,
}

impl Maildrop {
    /// Opens a user's Inbox. A call to the store or none.
    pub(crate) async fn open(server: &Server, principal: &Principal) -> Result<Self, Failure> {
        let mailbox = MailboxId(principal.user.clone());
        let account = server.logins.accounts().open(principal, &mailbox).await?;
        let tree = account.folders().await?;
        let Some(inbox) = tree.role(Role::Inbox) else {
            return Err(Failure::No(Some(Code::SysPerm), "there is no Inbox".into()));
        };
        let folder = inbox.id;
        let index = account.index(folder).await?;
        Ok(Self {
            account,
            folder,
            index,
            deleted: BTreeSet::new(),
            fetched: BTreeSet::new(),
            ahead: Ahead::default(),
            sizes: Sizes::default(),
        })
    }

    /// The message of a number. One that is marked as deleted is none any more (RFC 1939 5, DELE).
    pub(crate) fn message(&self, number: MessageNumber) -> Result<Message, Failure> {
        let position = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
        let found = position.and_then(|position| {
            let item = *self.index.get(position)?;
            Some(Message { position, item })
        });
        match found {
            Some(message) if self.deleted.contains(&message.position) => {
                Err(Failure::no("that message is deleted"))
            }
            Some(message) => Ok(message),
            None => Err(Failure::no("there is no such message")),
        }
    }

    /// The messages that are not marked as deleted.
    pub(crate) fn messages(&self) -> impl Iterator<Item = Message> {
        let items = self.index.iter().copied().enumerate();
        let messages = items.map(|(position, item)| Message { position, item });
        messages.filter(|message| !self.deleted.contains(&message.position))
    }

    /// How many messages are not marked as deleted.
    pub(crate) fn count(&self) -> usize {
        self.index.len() - self.deleted.len()
    }

    /// Octets that are sent of the messages that are not marked as deleted. [`Self::measure`] first.
    pub(crate) fn total(&self) -> u64 {
        let deleted = self.deleted.iter().filter_map(|at| self.index.get(*at));
        let deleted: u64 = deleted.map(|item| self.size(item)).sum();
        self.sizes.total - deleted
    }

    /// Octets that are sent of a message, the dots of the protocol aside; 0 when it is gone. [`Self::measure`] first.
    pub(crate) fn size(&self, item: &ItemState) -> u64 {
        let added = |known: &Arc<Known>| known.added(item.number);
        let endings = self.sizes.endings.as_ref();
        self.kept(item)
            .map_or(0, |kept| kept + endings.map_or(0, added))
    }

    /// Makes all sizes known.
    ///
    /// Costs a look at every message that nobody has looked at before. A message on Exchange whose original has not
    /// been made yet gets it now, which takes as long as fetching it.
    pub(crate) async fn measure(&mut self, server: &Server) -> Result<(), Failure> {
        if self.sizes.endings.is_some() {
            return Ok(());
        }
        let unknown = self.index.iter().filter(|item| item.size.known().is_none());
        let unknown: Vec<ItemNumber> = unknown.map(|item| item.number).collect();
        self.ask(&unknown).await?;
        let kept = |number| self.index.item(number).and_then(|item| self.kept(item));
        let (place, endings) = ((self.folder, &*self.index), &server.endings);
        let endings = endings.of(&self.account, place, kept).await?;
        self.sizes.endings = Some(endings);
        self.sizes.total = self.index.iter().map(|item| self.size(item)).sum();
        Ok(())
    }

    /// Octets that are sent of one message, when those of the others do not matter; `None` when it is gone.
    pub(crate) async fn measure_one(&mut self, item: &ItemState) -> Result<Option<u64>, Failure> {
        let Some(kept) = self.kept_size(item).await? else {
            return Ok(None);
        };
        if self.sizes.endings.is_some() || kept == 0 {
            return Ok(Some(self.size(item)));
        }
        let read = self
            .account
            .read(self.folder, &[last_octets(item.number, kept)])
            .await?;
        let end = read.into_iter().next().flatten();
        let is_open = |end: &[u8]| u64::from(end != b"\r\n");
        Ok(end.map(|end| kept + LINE_END_BYTES * is_open(&end)))
    }

    /// Octets that are kept of a message; `None` when it is gone.
    pub(crate) async fn kept_size(&mut self, item: &ItemState) -> Result<Option<u64>, Failure> {
        if item.size.known().is_none() && !self.sizes.asked.contains_key(&item.number) {
            self.ask(&[item.number]).await?;
        }
        Ok(self.kept(item))
    }

    /// Whether a message is still there, as far as the store has told.
    pub(crate) async fn has(&self, item: ItemNumber) -> Result<bool, Failure> {
        let now = self.account.index(self.folder).await?;
        Ok(now.epoch() == self.index.epoch() && now.item(item).is_some())
    }

    fn kept(&self, item: &ItemState) -> Option<u64> {
        let asked = || self.sizes.asked.get(&item.number).copied().flatten();
        item.size.known().or_else(asked)
    }

    async fn ask(&mut self, items: &[ItemNumber]) -> Result<(), Failure> {
        if items.is_empty() {
            return Ok(());
        }
        let facts = self.account.facts(self.folder, items, Facts::NONE).await?;
        let sizes = facts
            .iter()
            .map(|facts| facts.as_ref().map(|facts| facts.size()));
        self.sizes.asked.extend(items.iter().copied().zip(sizes));
        Ok(())
    }
}
