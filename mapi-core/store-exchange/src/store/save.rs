//! Saving items: made durable here, uploaded under ids chosen in advance, then given their numbers.
//!
//! 1. The drafts become intents in the mirror, with their original bytes ([`Mirror::begin_save`]).
//! 2. Each is uploaded; repeating that changes nothing, for the id was chosen before.
//! 3. The intents become items ([`Mirror::finish_save`]).
//!
//! When the answer to 2 is lost, the next synchronization brings the message, and it becomes the item it was meant to
//! be, byte for byte. Where somebody may only add, a server may refuse ids that were chosen: then it chooses them, and a
//! lost answer leaves a message of which nobody knows.
//!
//! [`Mirror::begin_save`]: store_openchange::Mirror::begin_save
//! [`Mirror::finish_save`]: store_openchange::Mirror::finish_save

use std::collections::{HashMap, HashSet};

use mapi_store::{Error, ErrorKind, Expected, Result, Saved};
use mapi_types::{Draft, FolderId, OwnedValue, PropBag, Version, tags, tags::message_flags};
use mapi_wire::{Gid, Id, ics::PredecessorChangeList};
use store_openchange::{Begun, ChangeKey, Finished, Pending, RemoteId};

use super::{ExchangeStore, queue::can_be_read};
use crate::{
    fault::{Fault, code},
    mailbox::{Work, remote_id},
    remote::{Chosen, following},
};

/// How often a content is uploaded over one that somebody else changes at the same time.
const CONFLICTS_MAX: u32 = 3;

/// How far uploading came before a draft failed.
struct Stopped {
    finished: Vec<Finished>,
    failed: RemoteId,
    error: Error,
}

impl ExchangeStore {
    pub(super) async fn save_all(&self, folder: FolderId, drafts: &[Draft]) -> Result<Vec<Saved>> {
        let mailbox = &self.mailbox;
        mailbox.indexed(folder).await?;
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let _turn = mailbox.turn(Work::Write(folder)).await;
        let ready = match self.goes_behind().await? {
            true => None,
            false => self.ready(folder, drafts).await?,
        };
        let Some((fid, chosen)) = ready else {
            return self.queue_drafts(folder, drafts).await;
        };
        let pending: Vec<_> = chosen.iter().zip(drafts).map(pending).collect();
        let mut begun = mailbox.mirror.begin_save(folder, &pending).await?;
        let uploaded = self.upload_all((folder, fid), &mut begun, &chosen, drafts);
        let finished = match uploaded.await {
            Ok(finished) => finished,
            Err(stopped) => {
                let may_wait = self.may_wait(&stopped.error) && can_be_read(drafts);
                if may_wait && let Ok(all) = self.queue_begun(folder, begun).await {
                    return Ok(all);
                }
                let failed = (&stopped.failed, &stopped.error);
                self.take_back((folder, fid), &stopped.finished, failed)
                    .await;
                return Err(stopped.error);
            }
        };
        let ids: Vec<_> = finished.iter().map(|one| one.id.clone()).collect();
        let saved = mailbox.mirror.finish_save(folder, finished).await?;
        let all = answers(begun, &ids, &saved);
        match all.len() == drafts.len() {
            true => Ok(all),
            false => Err(Error::new(ErrorKind::Internal, "a saved item is missing")),
        }
    }

    /// Uploads what is to be uploaded. What got another id than was chosen has it in `begun` afterwards.
    async fn upload_all(
        &self,
        (folder, fid): (FolderId, Id),
        begun: &mut [Begun],
        chosen: &[Chosen],
        drafts: &[Draft],
    ) -> Result<Vec<Finished>, Stopped> {
        let mut finished: Vec<Finished> = Vec::new();
        let mut renamed: HashMap<RemoteId, RemoteId> = HashMap::new();
        for ((begun, chosen), draft) in begun.iter_mut().zip(chosen).zip(drafts) {
            let Begun::Upload(id) = begun else { continue };
            if let Some(new) = renamed.get(id) {
                *id = new.clone();
            }
            // A key that was given twice is one item.
            if finished.iter().any(|one| one.id == *id) {
                continue;
            }
            let asked = id.clone();
            let (fresh, mut chosen) = (chosen, under(id, chosen));
            let again = chosen.gid != fresh.gid;
            let new = PredecessorChangeList::new();
            let mut uploaded = self.upload(fid, (&chosen, draft), (new, again)).await;
            if let Err(error) = &uploaded
                && Fault::of(error).and_then(Fault::code) == Some(code::SYNC_OBJECT_DELETED)
                && again
            {
                *id = remote_id(fresh.gid);
                let deleted = std::mem::replace(&mut chosen, fresh.clone());
                uploaded = self
                    .upload_anew((folder, fid), (&deleted, fresh), draft)
                    .await;
            }
            if let Err(error) = &uploaded
                && self.may_only_add(error)
            {
                uploaded = self.upload_to_new((folder, fid), (&chosen, draft)).await;
            }
            match uploaded {
                Ok(one) => {
                    renamed.insert(asked, one.id.clone());
                    *id = one.id.clone();
                    finished.push(one);
                }
                Err(error) => {
                    return Err(Stopped {
                        finished,
                        failed: id.clone(),
                        error,
                    });
                }
            }
        }
        Ok(finished)
    }

    /// The folder at the server, and ids for drafts; `None` when the server is away and they can wait.
    async fn ready(&self, folder: FolderId, drafts: &[Draft]) -> Result<Option<(Id, Vec<Chosen>)>> {
        let mailbox = &self.mailbox;
        let ask = async {
            let fid = mailbox.folder_fid(folder).await?;
            let namespace = mailbox.namespace().await?;
            let chosen = mailbox.remote.choose(drafts.len(), namespace).await?;
            Ok((fid, chosen))
        };
        match ask.await {
            Err(error) if self.may_wait(&error) && can_be_read(drafts) => Ok(None),
            ready => ready.map(Some),
        }
    }

    /// Uploads one draft, which follows these changes; `again`: see [`Upload::again`].
    pub(super) async fn upload(
        &self,
        fid: Id,
        (chosen, draft): (&Chosen, &Draft),
        (after, again): (PredecessorChangeList, bool),
    ) -> Result<Finished> {
        let upload = self
            .mailbox
            .to_upload((chosen, draft), (after, again))
            .await?;
        let change_key = self.mailbox.remote.upload(fid, &upload).await?;
        Ok(finished(chosen.gid, change_key, chosen))
    }

    /// Uploads one draft under a fresh id: what an earlier attempt had brought under the first has been deleted.
    async fn upload_anew(
        &self,
        (folder, fid): (FolderId, Id),
        (deleted, fresh): (&Chosen, &Chosen),
        draft: &Draft,
    ) -> Result<Finished> {
        let mirror = &self.mailbox.mirror;
        let deleted = vec![remote_id(deleted.gid)];
        mirror.forget_pending(folder, deleted).await?;
        mirror
            .begin_save(folder, &[pending((fresh, draft))])
            .await?;
        let new = PredecessorChangeList::new();
        self.upload(fid, (fresh, draft), (new, false)).await
    }

    /// Whether a refusal may mean that somebody may add messages and not write to them after that: then gromox 3.10 takes
    /// none under an id that was chosen.
    fn may_only_add(&self, error: &Error) -> bool {
        let source = error.source.as_ref();
        let fault = source.and_then(|source| source.downcast_ref::<Fault>());
        self.guest.is_some() && fault.and_then(Fault::code) == Some(code::ACCESS_DENIED)
    }

    /// Uploads one draft under an id that the server chooses. When the answer is lost, nobody knows which: then the
    /// message may be there although this says that it failed.
    async fn upload_to_new(
        &self,
        (folder, fid): (FolderId, Id),
        (chosen, draft): (&Chosen, &Draft),
    ) -> Result<Finished> {
        let mailbox = &self.mailbox;
        let upload = mailbox
            .to_upload((chosen, draft), (PredecessorChangeList::new(), false))
            .await?;
        // Nothing will come under the id that was refused.
        let refused = vec![remote_id(chosen.gid)];
        mailbox.mirror.forget_pending(folder, refused).await?;
        let (id, change_key) = mailbox.remote.upload_to_new(fid, &upload).await?;
        let new = Chosen {
            gid: mailbox.remote.gid(id).await?,
            ..chosen.clone()
        };
        let pending = [pending((&new, draft))];
        mailbox.mirror.begin_save(folder, &pending).await?;
        Ok(finished(new.gid, change_key, chosen))
    }

    /// All or none: what was uploaded before one failed goes again. What cannot be undone now, the next
    /// synchronization shows.
    async fn take_back(
        &self,
        (folder, fid): (FolderId, Id),
        finished: &[Finished],
        (failed, error): (&RemoteId, &Error),
    ) {
        let mailbox = &self.mailbox;
        let mut ids: Vec<_> = finished.iter().map(|one| one.id.clone()).collect();
        // Whether the failed one is there is not known when its answer was lost: its intent stays until then. Else it
        // may be there in part, for a batch goes on after a ROP that failed.
        if outcome_is_known(error) {
            ids.push(failed.clone());
        }
        if let Err(error) = mailbox.mirror.condemn_pending(folder, ids.clone()).await {
            tracing::warn!(%error, "drafts that were not saved are not taken back");
            mailbox.keeper.doubt(folder);
            return;
        }
        let mut messages = Vec::new();
        for id in &ids {
            if let Some(gid) = Gid::from_bytes(&id.0)
                && let Ok(id) = mailbox.remote.id(gid).await
            {
                messages.push(id);
            }
        }
        if !messages.is_empty() && mailbox.remote.delete(fid, &messages).await.is_err() {
            mailbox.keeper.doubt(folder);
            return;
        }
        self.forget(folder, ids).await;
    }

    async fn forget(&self, folder: FolderId, ids: Vec<RemoteId>) {
        if let Err(error) = self.mailbox.mirror.forget_pending(folder, ids).await {
            tracing::warn!(%error, "drafts that were not saved are still kept");
        }
    }

    pub(super) async fn replace_one(
        &self,
        folder: FolderId,
        expect: Expected,
        draft: &Draft,
    ) -> Result<Saved> {
        let mailbox = &self.mailbox;
        mailbox.indexed(folder).await?;
        let _turn = mailbox.turn(Work::Write(folder)).await;
        mailbox.caught_up().await?;
        let mut tries = 1;
        loop {
            match self.try_replace(folder, expect, draft).await {
                // Somebody was faster. Who expects no version takes what is there.
                Err(error)
                    if error.kind == ErrorKind::Conflict
                        && expect.version.is_none()
                        && tries < CONFLICTS_MAX =>
                {
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    async fn try_replace(
        &self,
        folder: FolderId,
        expect: Expected,
        draft: &Draft,
    ) -> Result<Saved> {
        let mailbox = &self.mailbox;
        let gone = || Error::new(ErrorKind::NotFound, "no such item");
        let changed = || Error::new(ErrorKind::Conflict, "the item has changed");
        let known = mailbox.mirror.remote_ids(folder, &[expect.item]).await?;
        let known = known.into_iter().next().flatten().ok_or_else(gone)?;
        let gid = Gid::from_bytes(&known.id.0).ok_or_else(gone)?;
        let columns = [tags::ITEM_VERSION.tag(), tags::MESSAGE_FLAGS.tag()];
        let rows = self.rows_of(folder, &[expect.item], &columns).await?;
        let version = rows
            .get(expect.item, &tags::ITEM_VERSION)
            .ok_or_else(gone)?;
        let is_newer = |seen: Version| version.cast_unsigned() > seen.0;
        if expect.version.is_some_and(is_newer) {
            return Err(changed());
        }
        let fid = mailbox.folder_fid(folder).await?;
        let mid = mailbox.remote.id(gid).await?;
        let there = mailbox.remote.versions(fid, mid).await?;
        let there = there.ok_or_else(gone).inspect_err(|_| {
            mailbox.keeper.doubt(folder);
        })?;
        if expect.version.is_some() && there.change_key != known.change_key.0 {
            mailbox.keeper.doubt(folder);
            return Err(changed());
        }
        let namespace = mailbox.namespace().await?;
        // The number of a fresh id counts this change.
        let fresh = mailbox.remote.choose(1, namespace).await?;
        let change_key = fresh.first().map(|chosen| chosen.change_key);
        let change_key = change_key.and_then(|key| following(key, &there.predecessors));
        let chosen = Chosen {
            gid,
            change_key: change_key.ok_or_else(gone)?,
        };
        let flags = rows.get(expect.item, &tags::MESSAGE_FLAGS).unwrap_or(0);
        let draft = &in_table_of(draft, flags);
        let pending = [pending((&chosen, draft))];
        mailbox.mirror.begin_save(folder, &pending).await?;
        let after = (there.predecessors, false);
        let finished = match self.upload(fid, (&chosen, draft), after).await {
            Ok(finished) => finished,
            Err(error) => {
                if outcome_is_known(&error) {
                    self.forget(folder, vec![known.id]).await;
                }
                mailbox.keeper.doubt(folder);
                return Err(error);
            }
        };
        let saved = mailbox.mirror.finish_save(folder, vec![finished]).await?;
        saved.into_iter().next().ok_or_else(gone)
    }
}

/// A draft that the server has; without a change key of the server's, it has the one that was chosen.
fn finished(gid: Gid, change_key: Option<Box<[u8]>>, chosen: &Chosen) -> Finished {
    let own = || chosen.change_key.to_bytes().into();
    Finished {
        id: remote_id(gid),
        change_key: ChangeKey(change_key.unwrap_or_else(own)),
        props: PropBag::default(),
    }
}

/// The draft as one for whom the item with these flags is, people or programs: that stays.
fn in_table_of(draft: &Draft, flags: i32) -> Draft {
    let tag = &tags::MESSAGE_FLAGS;
    let shared = draft.message.tree.props.get(tag);
    let own = draft.props.get(tag).or(shared).unwrap_or_default();
    let there = flags & message_flags::ASSOCIATED;
    let flags = OwnedValue::I32(own & !message_flags::ASSOCIATED | there);
    Draft {
        props: draft.props.with(&[(tag.tag(), flags)], &[]),
        ..draft.clone()
    }
}

/// One answer for each draft. `saved` are the items of `ids`.
fn answers(begun: Vec<Begun>, ids: &[RemoteId], saved: &[Saved]) -> Vec<Saved> {
    let mut told = HashSet::new();
    let mut answer = |begun| match begun {
        Begun::Existing(saved) => Some(saved),
        Begun::Upload(id) => {
            let at = ids.iter().position(|one| *one == id)?;
            let saved = saved.get(at)?.clone();
            Some(Saved {
                existing: saved.existing || !told.insert(id),
                ..saved
            })
        }
    };
    begun.into_iter().filter_map(&mut answer).collect()
}

/// Whether it is known that the server has not done what was asked.
fn outcome_is_known(error: &Error) -> bool {
    match Fault::of(error) {
        Some(fault) => !fault.outcome_is_unknown(),
        // It was not asked at all.
        None => true,
    }
}

fn pending((chosen, draft): (&Chosen, &Draft)) -> Pending {
    Pending {
        id: remote_id(chosen.gid),
        change_key: Some(ChangeKey(chosen.change_key.to_bytes().into())),
        draft: draft.clone(),
    }
}

/// The id of an earlier attempt, if there was one.
fn under(id: &RemoteId, chosen: &Chosen) -> Chosen {
    Chosen {
        gid: Gid::from_bytes(&id.0).unwrap_or(chosen.gid),
        ..chosen.clone()
    }
}
