//! Which messages end within a line, so that two octets more are sent than are kept.
//!
//! A message that came by SMTP never does, one that a program filed may. Sizes must be those of what is sent (RFC 1939
//! 11), and what a message ends with is not kept anywhere but in the message. So the server looks at each message once,
//! when somebody first asks for all sizes, and remembers the few that do.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use account::{Account, Epoch, FolderId, FolderIndex, ItemNumber, MailboxId, Piece};

/// Octets that are sent behind a message that ends within a line.
pub(crate) const LINE_END_BYTES: u64 = 2;

/// Messages looked at together.
const PAGE_ITEMS: usize = 256;

/// What is known, by folder.
#[derive(Debug)]
pub(crate) struct Endings {
    folders_max: usize,
    known: Mutex<HashMap<(MailboxId, FolderId), Arc<Known>>>,
}

/// What is known of one folder. It never changes: a number stands for one content.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    epoch: Epoch,
    /// Every message below this number was looked at, or is gone.
    next: ItemNumber,
    /// Those that end within a line, ascending.
    open: Vec<ItemNumber>,
}

impl Known {
    /// Octets that are sent more than are kept.
    pub(crate) fn added(&self, item: ItemNumber) -> u64 {
        match self.open.binary_search(&item) {
            Ok(_) => LINE_END_BYTES,
            Err(_) => 0,
        }
    }
}

impl Endings {
    /// A memory for at most so many folders.
    pub(crate) fn new(folders_max: usize) -> Self {
        Self {
            folders_max,
            known: Mutex::default(),
        }
    }

    /// What is known of the messages of a snapshot, all of which are looked at. `size` tells their sizes; what has none
    /// is gone.
    pub(crate) async fn of(
        &self,
        account: &Account,
        (folder, index): (FolderId, &FolderIndex),
        size: impl Fn(ItemNumber) -> Option<u64>,
    ) -> account::Result<Arc<Known>> {
        let key = (account.mailbox().clone(), folder);
        let before = self.lock().get(&key).map(Arc::clone);
        let before = before.filter(|known| known.epoch == index.epoch());
        if let Some(known) = before
            .as_ref()
            .filter(|known| known.next >= index.next_number())
        {
            return Ok(Arc::clone(known));
        }
        let mut known = before.map_or_else(
            || Known {
                epoch: index.epoch(),
                next: ItemNumber(0),
                open: Vec::new(),
            },
            |known| (*known).clone(),
        );
        let new = known.next..index.next_number();
        let (Ok(from) | Err(from)) = index.search(new.start);
        let pieces = index.iter_from(from).filter_map(|item| {
            let size = size(item.number).filter(|size| *size > 0)?;
            Some(last_octets(item.number, size))
        });
        let pieces: Vec<Piece> = pieces.collect();
        for page in pieces.chunks(PAGE_ITEMS) {
            let read = account.read(folder, page).await?;
            let ends = page.iter().zip(read);
            let open = ends
                .filter(|(_, octets)| octets.as_ref().is_some_and(|octets| &**octets != b"\r\n"));
            known.open.extend(open.map(|(piece, _)| piece.item));
        }
        known.next = new.end;
        let known = Arc::new(known);
        let mut all = self.lock();
        if all.len() >= self.folders_max && !all.contains_key(&key) {
            // Forgetting is harmless: the messages are looked at once more.
            all.clear();
        }
        all.insert(key, Arc::clone(&known));
        Ok(known)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(MailboxId, FolderId), Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The octets that tell how a message ends.
pub(crate) const fn last_octets(item: ItemNumber, size: u64) -> Piece {
    Piece {
        item,
        range: size.saturating_sub(LINE_END_BYTES)..size,
    }
}
