//! Uploads of which nobody heard whether they arrived. What is kept of them lets whoever asks again find them under the
//! same id; if nobody does, it goes once it is known what became of them.

use std::collections::HashMap;

use mapi_store::{ErrorKind, Result};
use mapi_wire::Gid;
use store_openchange::Intent;
use tokio::time::Instant;

use super::{Mailbox, Work};

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
        // Nobody uploads to the folder meanwhile.
        let _turn = self.turn(Work::Write(intent.folder)).await;
        if self.is_there(intent).await? {
            // This makes an item of it.
            self.sync_contents_in_write(intent.folder).await?;
        }
        tracing::debug!(mailbox = %self.id, "an upload that was broken off is settled");
        let ids = vec![intent.id.clone()];
        self.mirror.forget_pending(intent.folder, ids).await
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
