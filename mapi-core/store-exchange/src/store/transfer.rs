//! Copying and moving items within the mailbox, to ids chosen in advance.

use std::{collections::HashMap, time::SystemTime};

use mapi_store::{Error, ErrorKind, Result, Transfer, Transferred};
use mapi_types::{FileTime, FolderId, ItemKey, ItemNumber, tags};
use mapi_wire::{Gid, ics::Xid};
use store_openchange::{ChangeKey, Moved, RemoteId};

use super::ExchangeStore;
use crate::{
    fault::{Fault, code},
    mailbox::{Work, remote_id},
    remote::{AT_ONCE, Fate, Transferring, Transfers, Way},
};

impl ExchangeStore {
    /// A server does not move several messages at once: when it refuses one, those before it have gone, and are told
    /// by the change logs of both folders. Of copies, all are made or none, as far as the server lets itself be told.
    pub(super) async fn transfer_all(
        &self,
        from: FolderId,
        items: &[ItemNumber],
        to: FolderId,
        how: Transfer,
    ) -> Result<Vec<Transferred>> {
        let mailbox = &self.mailbox;
        mailbox.indexed(from).await?;
        mailbox.indexed(to).await?;
        let mut items = items.to_vec();
        items.sort_unstable();
        items.dedup();
        // Always in the same order, so that two that cross do not wait for each other.
        let _first = mailbox.turn(Work::Write(from.min(to))).await;
        let _second = match from == to {
            true => None,
            false => Some(mailbox.turn(Work::Write(from.max(to))).await),
        };
        if self.goes_behind().await? {
            let new = HashMap::new();
            return self.queue_transfer((from, to), &items, how, &new).await;
        }
        let (numbers, messages) = match self.transferring(from, &items).await {
            Err(error) if self.may_wait(&error) => {
                let new = HashMap::new();
                return self.queue_transfer((from, to), &items, how, &new).await;
            }
            known => known?,
        };
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        if how == Transfer::Move && from != to {
            self.refuse_taken_keys(from, &numbers, to).await?;
        }
        let asked: HashMap<_, _> = numbers.iter().copied().zip(messages.clone()).collect();
        let done = match self.carry_out((from, to), how, messages).await {
            Ok(done) => done,
            Err(error) => {
                return self
                    .not_done((from, to), (&numbers, how), &asked, error)
                    .await;
            }
        };
        let (moved, open) = self.sorted(from, numbers, done.fates);
        let Some(error) = done.failed.map(Error::from) else {
            return mailbox.mirror.transferred(from, to, how, moved).await;
        };
        if how == Transfer::Copy && !self.may_wait(&error) {
            let begun = open.iter().filter_map(|number| asked.get(number));
            // Those behind have not been asked for.
            let begun = begun.take(AT_ONCE).map(|one| remote_id(one.target.gid));
            let copies = moved.iter().map(|one| one.id.clone()).chain(begun);
            if self.take_copies_back(to, copies.collect()).await {
                return Err(error);
            }
        }
        let mut transferred = mailbox.mirror.transferred(from, to, how, moved).await?;
        let rest = self
            .not_done((from, to), (&open, how), &asked, error)
            .await?;
        transferred.extend(rest);
        Ok(transferred)
    }

    /// What has been transferred, and what has not as far as anybody knows. What is gone is soon gone here too.
    fn sorted(
        &self,
        from: FolderId,
        numbers: Vec<ItemNumber>,
        fates: Vec<Fate>,
    ) -> (Vec<Moved>, Vec<ItemNumber>) {
        let (mut moved, mut open) = (Vec::with_capacity(numbers.len()), Vec::new());
        for (number, fate) in numbers.into_iter().zip(fates) {
            match fate {
                Fate::Arrived(arrived) => moved.push(Moved {
                    number,
                    id: remote_id(arrived.gid),
                    change_key: arrived.change_key.map(ChangeKey),
                }),
                Fate::Gone => self.mailbox.keeper.doubt(from),
                Fate::Open => open.push(number),
            }
        }
        (moved, open)
    }

    /// Deletes copies at the server, some of which may not be there, for not all could be made. Source: RFC 9051 6.4.7.
    /// Whether it did: then nobody has seen them, else the mirror must know them.
    async fn take_copies_back(&self, folder: FolderId, copies: Vec<RemoteId>) -> bool {
        let mailbox = &self.mailbox;
        let taken = async {
            let fid = mailbox.folder_fid(folder).await?;
            let mut ids = Vec::with_capacity(copies.len());
            for copy in &copies {
                if let Some(gid) = Gid::from_bytes(&copy.0) {
                    ids.push(mailbox.remote.id(gid).await?);
                }
            }
            Ok::<_, Error>(mailbox.remote.delete(fid, &ids).await?)
        };
        let taken = taken.await;
        if let Err(error) = &taken {
            tracing::warn!(mailbox = %mailbox.id, %error, "copies that are not all there are not taken back");
        }
        mailbox.keeper.doubt(folder);
        taken.is_ok()
    }

    /// Lets items wait that could not be transferred, to the ids that were chosen for them: some may have arrived.
    /// Errors: why they could not, if they may not wait.
    async fn not_done(
        &self,
        (from, to): (FolderId, FolderId),
        (items, how): (&[ItemNumber], Transfer),
        asked: &HashMap<ItemNumber, Transferring>,
        error: Error,
    ) -> Result<Vec<Transferred>> {
        if self.may_wait(&error)
            && let Ok(queued) = self.queue_transfer((from, to), items, how, asked).await
        {
            return Ok(queued);
        }
        self.mailbox.keeper.doubt(from);
        self.mailbox.keeper.doubt(to);
        Err(error)
    }

    /// Those of the items that are there, with what the server has to be told of them.
    async fn transferring(
        &self,
        from: FolderId,
        items: &[ItemNumber],
    ) -> Result<(Vec<ItemNumber>, Vec<Transferring>)> {
        let mailbox = &self.mailbox;
        let known = mailbox.mirror.remote_ids(from, items).await?;
        let rows = self
            .rows_of(from, items, &[tags::MESSAGE_FLAGS.tag()])
            .await?;
        let namespace = mailbox.namespace().await?;
        let chosen = mailbox.remote.choose(items.len(), namespace).await?;
        let (mut numbers, mut messages) = (Vec::new(), Vec::new());
        for ((number, known), target) in items.iter().zip(known).zip(chosen) {
            let Some(known) = known else { continue };
            let Some(source) = Gid::from_bytes(&known.id.0) else {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    "the server has not taken a message that is to be copied or moved",
                ));
            };
            // A change key that is none agrees with nothing: what moved is then looked at anew.
            let change_key = Xid::from_bytes(&known.change_key.0);
            let change_key = change_key.unwrap_or(target.change_key);
            let flags = rows.get(*number, &tags::MESSAGE_FLAGS).unwrap_or_default();
            numbers.push(*number);
            messages.push(Transferring {
                source,
                source_id: mailbox.remote.id(source).await?,
                change_key,
                target_id: mailbox.remote.id(target.gid).await?,
                target,
                flags,
            });
        }
        Ok((numbers, messages))
    }

    /// What moves keeps its key, which must not be taken.
    pub(super) async fn refuse_taken_keys(
        &self,
        from: FolderId,
        numbers: &[ItemNumber],
        to: FolderId,
    ) -> Result<()> {
        let rows = self
            .rows_of(from, numbers, &[tags::SOURCE_KEY.tag()])
            .await?;
        let key = |number: &ItemNumber| rows.get(*number, &tags::SOURCE_KEY);
        let keys: Vec<_> = numbers
            .iter()
            .filter_map(key)
            .map(|key| ItemKey(key.into()))
            .collect();
        let taken = self.mailbox.inner.find(to, &keys).await?;
        match taken.iter().any(Option::is_some) {
            true => Err(Error::new(
                ErrorKind::Exists,
                "the folder has an item with this key",
            )),
            false => Ok(()),
        }
    }

    pub(super) async fn carry_out(
        &self,
        (from, to): (FolderId, FolderId),
        how: Transfer,
        messages: Vec<Transferring>,
    ) -> Result<Transfers> {
        let mailbox = &self.mailbox;
        let from = mailbox.folder_gid(from).await?;
        let way = Way {
            from,
            from_id: mailbox.remote.id(from).await?,
            to_id: mailbox.folder_fid(to).await?,
        };
        Ok(match how {
            Transfer::Move => mailbox.remote.move_messages(way, messages).await,
            Transfer::Copy => self.copy(way, messages).await,
        })
    }

    async fn copy(&self, way: Way, messages: Vec<Transferring>) -> Transfers {
        let remote = &self.mailbox.remote;
        let now = FileTime::from(SystemTime::now());
        let done = remote.copy_messages(way, messages.clone(), now).await;
        let refused = done.failed.as_ref().and_then(Fault::code) == Some(code::ACCESS_DENIED);
        if !refused {
            return done;
        }
        let open = messages.into_iter().zip(&done.fates);
        let open = open.filter(|(_, fate)| matches!(fate, Fate::Open));
        let open = open.map(|(one, _)| one).collect();
        let again = remote.copy_to_new(way, open).await;
        let mut more = again.fates.into_iter();
        let fates = done.fates.into_iter().map(|fate| match fate {
            Fate::Open => more.next().unwrap_or(Fate::Open),
            known => known,
        });
        Transfers {
            fates: fates.collect(),
            failed: again.failed,
        }
    }
}
