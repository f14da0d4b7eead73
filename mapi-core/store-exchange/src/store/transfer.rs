//! Copying and moving items within the mailbox, to ids chosen in advance.

use std::time::SystemTime;

use mapi_store::{Result, Transfer, Transferred};
use mapi_types::{FileTime, FolderId, ItemNumber};
use mapi_wire::Gid;
use store_openchange::{ChangeKey, Moved};

use super::ExchangeStore;
use crate::{
    fault::Fault,
    mailbox::{Work, remote_id},
    remote::Transferring,
};

impl ExchangeStore {
    pub(super) async fn transfer_all(
        &self,
        from: FolderId,
        items: &[ItemNumber],
        to: FolderId,
        how: Transfer,
    ) -> Result<Vec<Transferred>> {
        let mailbox = &self.mailbox;
        mailbox.indexed(to).await?;
        // Always in the same order, so that two that cross do not wait for each other.
        let _first = mailbox.turn(Work::Write(from.min(to))).await;
        let _second = match from == to {
            true => None,
            false => Some(mailbox.turn(Work::Write(from.max(to))).await),
        };
        let known = mailbox.mirror.remote_ids(from, items).await?;
        let namespace = mailbox.namespace().await?;
        let mut chosen = mailbox
            .remote
            .choose(items.len(), namespace)
            .await?
            .into_iter();
        let (mut numbers, mut messages) = (Vec::new(), Vec::new());
        for (number, known) in items.iter().zip(known) {
            let source = known.and_then(|known| Gid::from_bytes(&known.id.0));
            let (Some(source), Some(target)) = (source, chosen.next()) else {
                continue;
            };
            numbers.push(*number);
            messages.push(Transferring {
                source,
                source_id: mailbox.remote.id(source).await?,
                target,
            });
        }
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let arrived = self.carry_out(from, to, how, messages).await;
        let arrived = match arrived {
            Ok(arrived) => arrived,
            Err(fault) => {
                // Part of it may have been done: both folders will show.
                mailbox.keeper.doubt(from);
                mailbox.keeper.doubt(to);
                return Err(fault.into());
            }
        };
        let moved: Vec<_> = numbers
            .into_iter()
            .zip(arrived)
            .filter_map(|(number, arrived)| {
                let arrived = arrived?;
                Some(Moved {
                    number,
                    id: remote_id(arrived.gid),
                    change_key: Some(ChangeKey(arrived.change_key)),
                })
            })
            .collect();
        mailbox.mirror.transferred(from, to, how, moved).await
    }

    async fn carry_out(
        &self,
        from: FolderId,
        to: FolderId,
        how: Transfer,
        messages: Vec<Transferring>,
    ) -> Result<Vec<Option<crate::remote::Arrived>>, Fault> {
        let mailbox = &self.mailbox;
        let gid = |folder| async move {
            mailbox
                .folder_gid(folder)
                .await
                .map_err(|error| Fault::Away(error.into()))
        };
        let (from, to) = (gid(from).await?, gid(to).await?);
        let remote = &mailbox.remote;
        let to = remote.id(to).await?;
        match how {
            Transfer::Move => remote.move_messages((from, to), messages).await,
            Transfer::Copy => {
                let from = remote.id(from).await?;
                let now = FileTime::from(SystemTime::now());
                remote.copy_messages((from, to), messages, now).await
            }
        }
    }
}
