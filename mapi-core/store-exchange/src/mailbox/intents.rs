//! Uploads of which nobody heard whether they arrived. What is kept of them lets whoever asks again find them under the
//! same id; if nobody does, it goes once it is known what became of them.

use std::collections::HashMap;

use mapi_store::{ErrorKind, Result};
use mapi_types::FolderId;
use mapi_wire::{
    Gid,
    ics::{PredecessorChangeList, Xid},
};
use store_openchange::{Intent, ItemBatch, PendingItem, RemoteId};
use tokio::time::Instant;

use super::{Mailbox, Turn, Work};
use crate::remote::Chosen;

/// The most of them looked at in one turn.
const AT_ONCE: u32 = 50;

/// Since when uploads are known, by where they go.
#[derive(Default)]
pub(super) struct Intents(HashMap<Intent, Instant>);

impl Mailbox {
    /// Looks what became of uploads that may not be on their way any more. One request for each.
    ///
    /// Errors: those of the server and of the mirror.
    pub(super) async fn settle_intents(&self, known: &mut Intents) -> Result<()> {
        let intents = self.mirror.intents(AT_ONCE).await?;
        known.0.retain(|intent, _| intents.contains(intent));
        for intent in intents {
            let since = *known.0.entry(intent.clone()).or_insert_with(Instant::now);
            if since.elapsed() >= self.options.uploads_kept {
                self.settle_intent(&intent).await?;
            }
        }
        Ok(())
    }

    async fn settle_intent(&self, intent: &Intent) -> Result<()> {
        // Nobody uploads to the folder meanwhile. News of other folders do not wait for who does: there is another time.
        let Some(turn) = self.try_turn(Work::Write(intent.folder)) else {
            return Ok(());
        };
        if self.is_there(intent).await? {
            // This makes an item of it.
            self.sync_contents_with(intent.folder, Some(&turn)).await?;
        }
        tracing::debug!(mailbox = %self.id, "an upload that was broken off is settled");
        let ids = vec![intent.id.clone()];
        self.mirror.forget_pending(intent.folder, ids).await
    }

    /// Takes out of a batch what is there in part of uploads that were broken off, and deletes it: whoever uploaded it was
    /// not told that it is saved. It is not for somebody who may still be uploading to the folder; `writes`: nobody is.
    ///
    /// A request or two for each upload that arrived, none as long as there is none.
    pub(super) async fn leave_parts(
        &self,
        folder: FolderId,
        batch: &mut ItemBatch,
        writes: Option<&Turn>,
    ) -> Result<()> {
        if batch.changed.is_empty() || self.mirror.intents(1).await?.is_empty() {
            return Ok(());
        }
        let own = match writes {
            Some(_) => None,
            None => match self.try_turn(Work::Write(folder)) {
                None => return Ok(()),
                own => own,
            },
        };
        let ids = batch.changed.iter().map(|item| item.id.clone()).collect();
        let mut parts = Vec::new();
        for arrived in self.mirror.pending_among(folder, ids).await? {
            if self.is_part(folder, &arrived).await? {
                parts.push(arrived.id);
            }
        }
        if !parts.is_empty() {
            self.delete_parts(folder, &parts).await?;
            batch.changed.retain(|item| !parts.contains(&item.id));
        }
        drop(own);
        Ok(())
    }

    async fn is_part(&self, folder: FolderId, arrived: &PendingItem) -> Result<bool> {
        let (Some(gid), Some(change_key)) = (Gid::from_bytes(&arrived.id.0), &arrived.change_key)
        else {
            return Ok(false);
        };
        let Some(change_key) = Xid::from_bytes(&change_key.0) else {
            return Ok(false);
        };
        let chosen = Chosen { gid, change_key };
        let new = (PredecessorChangeList::new(), false);
        let upload = self.to_upload((&chosen, &arrived.draft), new).await?;
        let fid = self.folder_fid(folder).await?;
        Ok(self.remote.is_whole(fid, &upload).await? == Some(false))
    }

    async fn delete_parts(&self, folder: FolderId, parts: &[RemoteId]) -> Result<()> {
        tracing::info!(mailbox = %self.id, "what was uploaded in part is deleted at the server");
        let mut ids = Vec::with_capacity(parts.len());
        for gid in parts.iter().filter_map(|part| Gid::from_bytes(&part.0)) {
            ids.push(self.remote.id(gid).await?);
        }
        // From now on nothing can be saved under these ids.
        self.mirror.condemn_pending(folder, parts.to_vec()).await?;
        let fid = self.folder_fid(folder).await?;
        self.remote.delete(fid, &ids).await?;
        self.mirror.forget_pending(folder, parts.to_vec()).await
    }

    async fn is_there(&self, intent: &Intent) -> Result<bool> {
        let Some(gid) = Gid::from_bytes(&intent.id.0) else {
            return Ok(false);
        };
        let folder = match self.folder_fid(intent.folder).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(false),
            folder => folder?,
        };
        let message = self.remote.id(gid).await?;
        let session = &self.remote.sessions.back;
        Ok(self.remote.is_there(session, folder, message).await?)
    }
}
