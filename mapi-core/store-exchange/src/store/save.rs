//! Saving items: made durable here, uploaded under ids chosen in advance, then given their numbers.
//!
//! 1. The drafts become intents in the mirror, with their original bytes ([`Mirror::begin_save`]).
//! 2. Each is uploaded; repeating that changes nothing, for the id was chosen before.
//! 3. The intents become items ([`Mirror::finish_save`]).
//!
//! When the answer to 2 is lost, the next synchronization brings the message, and it becomes the item it was meant to
//! be, byte for byte.
//!
//! [`Mirror::begin_save`]: store_openchange::Mirror::begin_save
//! [`Mirror::finish_save`]: store_openchange::Mirror::finish_save

use std::{sync::Arc, time::SystemTime};

use mapi_store::{Error, ErrorKind, Expected, Result, Saved};
use mapi_types::{Draft, FileTime, FolderId, PropBag, PropTag, tags};
use mapi_wire::{Gid, Id};
use store_openchange::{Begun, ChangeKey, Finished, Pending, RemoteId};
use tokio::task::spawn_blocking;

use super::ExchangeStore;
use crate::{
    mailbox::{Work, remote_id},
    message::{to_message, whole},
    remote::{Chosen, Upload},
};

impl ExchangeStore {
    pub(super) async fn save_all(&self, folder: FolderId, drafts: &[Draft]) -> Result<Vec<Saved>> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let mailbox = &self.mailbox;
        mailbox.indexed(folder).await?;
        let _turn = mailbox.turn(Work::Write(folder)).await;
        let fid = mailbox.folder_fid(folder).await?;
        let namespace = mailbox.namespace().await?;
        let chosen = mailbox.remote.choose(drafts.len(), namespace).await?;
        let pending: Vec<_> = chosen.iter().zip(drafts).map(pending).collect();
        let begun = mailbox.mirror.begin_save(folder, &pending).await?;
        let mut finished = Vec::new();
        for (at, begun) in begun.iter().enumerate() {
            let Begun::Upload(id) = begun else { continue };
            let (Some(chosen), Some(draft)) = (chosen.get(at), drafts.get(at)) else {
                continue;
            };
            let chosen = under(id, chosen);
            match self.upload(fid, &chosen, draft).await {
                Ok(one) => finished.push(one),
                Err(error) => {
                    self.take_back(folder, fid, &finished, id, &error).await;
                    return Err(error);
                }
            }
        }
        let mut saved = mailbox
            .mirror
            .finish_save(folder, finished)
            .await?
            .into_iter();
        let answer = |begun| match begun {
            Begun::Existing(saved) => Some(saved),
            Begun::Upload(_) => saved.next(),
        };
        let all: Vec<_> = begun.into_iter().filter_map(answer).collect();
        match all.len() == drafts.len() {
            true => Ok(all),
            false => Err(Error::new(ErrorKind::Internal, "a saved item is missing")),
        }
    }

    /// Uploads one draft.
    async fn upload(&self, fid: Id, chosen: &Chosen, draft: &Draft) -> Result<Finished> {
        let mailbox = &self.mailbox;
        let now = FileTime::from(SystemTime::now());
        let names = mailbox.names_of(&draft.props, &draft.message.tree).await;
        let source = draft.clone();
        let message = spawn_blocking(move || {
            let tree = whole(&source, now)?;
            let name_of = |id| names.get(&id).cloned();
            Ok::<_, std::io::Error>((to_message(&tree, &is_computed, &name_of), tree.props))
        });
        let failed = |error| Error::with_source(ErrorKind::Internal, "an upload failed", error);
        let (message, props) = message.await.map_err(failed)?.map_err(|error| {
            Error::with_source(ErrorKind::Unavailable, "reading a draft", error)
        })?;
        let upload = Upload {
            chosen: chosen.clone(),
            modified: now,
            message: Arc::new(message),
            associated: false,
        };
        let uploaded = mailbox.remote.upload(fid, &upload).await?;
        self.mark_read(fid, uploaded.id, &props).await?;
        let own = || chosen.change_key.to_bytes().into();
        Ok(Finished {
            id: remote_id(chosen.gid),
            change_key: ChangeKey(uploaded.change_key.unwrap_or_else(own)),
            props: PropBag::default(),
        })
    }

    /// An import is unread or read as the server likes: it is told.
    async fn mark_read(&self, fid: Id, message: Id, props: &PropBag) -> Result<()> {
        let flags = props.get(&tags::MESSAGE_FLAGS).unwrap_or_default();
        let read = flags & tags::message_flags::READ != 0;
        Ok(self.mailbox.remote.set_read(fid, &[message], read).await?)
    }

    /// All or none: what was uploaded before one failed goes again. What cannot be undone now, the next
    /// synchronization shows.
    async fn take_back(
        &self,
        folder: FolderId,
        fid: Id,
        finished: &[Finished],
        failed: &RemoteId,
        error: &Error,
    ) {
        let mailbox = &self.mailbox;
        let mut ids: Vec<_> = finished.iter().map(|one| one.id.clone()).collect();
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
        // Whether the failed one is there is not known when its answer was lost: its intent stays until then.
        let unknown = error
            .source
            .as_ref()
            .and_then(|source| source.downcast_ref::<crate::fault::Fault>())
            .is_none_or(crate::fault::Fault::outcome_is_unknown);
        if !unknown {
            ids.push(failed.clone());
        }
        if let Err(error) = mailbox.mirror.forget_pending(folder, ids).await {
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
        let _turn = mailbox.turn(Work::Write(folder)).await;
        let gone = || Error::new(ErrorKind::NotFound, "no such item");
        let known = mailbox.mirror.remote_ids(folder, &[expect.item]).await?;
        let known = known.into_iter().next().flatten().ok_or_else(gone)?;
        if let Some(version) = expect.version {
            let bag = self
                .inner
                .props(
                    mapi_store::Object::Item(folder, expect.item),
                    &[tags::ITEM_VERSION.tag()],
                )
                .await?;
            if bag
                .get(&tags::ITEM_VERSION)
                .unwrap_or_default()
                .cast_unsigned()
                > version.0
            {
                return Err(Error::new(ErrorKind::Conflict, "the item has changed"));
            }
        }
        let gid = Gid::from_bytes(&known.id.0).ok_or_else(gone)?;
        let fid = mailbox.folder_fid(folder).await?;
        let namespace = mailbox.namespace().await?;
        // The number of a fresh id counts this change.
        let fresh = mailbox.remote.choose(1, namespace).await?;
        let change_key = fresh.into_iter().next().map(|chosen| chosen.change_key);
        let chosen = Chosen {
            gid,
            change_key: change_key.ok_or_else(gone)?,
        };
        let pending = [pending((&chosen, draft))];
        mailbox.mirror.begin_save(folder, &pending).await?;
        let finished = self.upload(fid, &chosen, draft).await?;
        let saved = mailbox.mirror.finish_save(folder, vec![finished]).await?;
        saved.into_iter().next().ok_or_else(gone)
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

/// Properties that a server computes, or that say what the upload says otherwise.
fn is_computed(tag: PropTag) -> bool {
    const COMPUTED: [PropTag; 16] = [
        tags::ENTRY_ID.tag(),
        tags::RECORD_KEY.tag(),
        tags::SOURCE_KEY.tag(),
        tags::MESSAGE_SIZE.tag(),
        tags::HAS_ATTACHMENTS.tag(),
        tags::DISPLAY_TO.tag(),
        tags::DISPLAY_CC.tag(),
        tags::DISPLAY_BCC.tag(),
        tags::MESSAGE_STATUS.tag(),
        tags::INTERNET_ARTICLE_NUMBER.tag(),
        tags::CONVERSATION_ID.tag(),
        tags::RTF_IN_SYNC.tag(),
        tags::MESSAGE_TO_ME.tag(),
        tags::MESSAGE_CC_ME.tag(),
        tags::MESSAGE_RECIPIENT_ME.tag(),
        tags::LAST_MODIFICATION_TIME.tag(),
    ];
    COMPUTED.contains(&tag)
}
