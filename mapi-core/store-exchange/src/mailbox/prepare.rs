//! Drafts made ready for the server: all that is in them as one stream of properties.

use std::{sync::Arc, time::SystemTime};

use mapi_store::{Error, ErrorKind, Result};
use mapi_types::{Draft, FileTime, PropTag, tags, tags::message_flags};
use mapi_wire::{fast_transfer, ics::PredecessorChangeList};
use tokio::task::spawn_blocking;

use super::Mailbox;
use crate::{
    message::{to_message, whole},
    remote::{Chosen, Upload},
};

/// A draft as it goes to the server.
pub(crate) struct Prepared {
    pub(crate) message: fast_transfer::Message,
    flags: i32,
}

impl Mailbox {
    /// What is uploaded of a draft under this id, which follows these changes; `again`: see [`Upload::again`].
    pub(crate) async fn to_upload(
        &self,
        (chosen, draft): (&Chosen, &Draft),
        (after, again): (PredecessorChangeList, bool),
    ) -> Result<Upload> {
        let now = FileTime::from(SystemTime::now());
        let prepared = self.prepared(draft, now).await?;
        Ok(Upload {
            chosen: chosen.clone(),
            after,
            modified: now,
            message: Arc::new(prepared.message),
            associated: prepared.flags & message_flags::ASSOCIATED != 0,
            read: prepared.flags & message_flags::READ != 0,
            again,
        })
    }

    /// A draft as a stream of properties.
    pub(crate) async fn prepared(&self, draft: &Draft, now: FileTime) -> Result<Prepared> {
        let names = self.names_of(draft).await;
        let source = draft.clone();
        let prepare = move || {
            let tree = whole(&source, now)?;
            let name_of = |id| names.get(&id).cloned();
            Ok::<_, std::io::Error>(Prepared {
                message: to_message(&tree, &is_computed, &name_of),
                flags: tree.props.get(&tags::MESSAGE_FLAGS).unwrap_or_default(),
            })
        };
        let failed = |error| Error::with_source(ErrorKind::Internal, "an upload failed", error);
        spawn_blocking(prepare)
            .await
            .map_err(failed)?
            .map_err(|error| Error::with_source(ErrorKind::Unavailable, "reading a draft", error))
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
