//! Which ids the server gave the named properties that the index of a folder has.
//!
//! Ids are those of one mailbox: nothing here is shared between mailboxes. Source: MS-OXCPRPT 2.2.12.

use mapi_store::PS_PUBLIC_STRINGS;
use mapi_types::{PropTag, PropType};
use mapi_wire::{
    Guid,
    named::MaybeNamed,
    property_name::{NameId, PropertyName},
    rop::{self, GetPropertyIdsFromNames},
};

use super::Remote;
use crate::{
    fault::Result,
    session::{Batch, Repeat, expect_rop},
    values::tag,
};

/// The tags of named properties that matter to the index of a folder.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IndexNames {
    /// PidNameKeywords.
    pub(super) keywords: Option<PropTag>,
}

/// PidNameKeywords.
pub(crate) fn keywords() -> PropertyName {
    PropertyName {
        set: Guid(PS_PUBLIC_STRINGS),
        id: NameId::Text("Keywords".into()),
    }
}

impl Remote {
    /// The tags of the index's named properties. One request for each mailbox.
    pub(super) async fn index_names(&self) -> Result<IndexNames> {
        let mut names = self.known.names.lock().await;
        if let Some(names) = *names {
            return Ok(names);
        }
        let ids = self.property_ids(vec![keywords()]).await?;
        let known = IndexNames {
            keywords: ids
                .first()
                .copied()
                .flatten()
                .map(|id| tag(id, PropType::Strs)),
        };
        *names = Some(known);
        Ok(known)
    }

    /// The ids the server gave to names, making them where they are new; `None` where it refuses.
    pub(crate) async fn property_ids(&self, names: Vec<PropertyName>) -> Result<Vec<Option<u16>>> {
        let names: Vec<_> = names.into_iter().map(MaybeNamed::Named).collect();
        let mut answers = self
            .sessions
            .front
            .run(&self.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                batch.push(rop::GetPropertyIdsFromNames {
                    logon_id: logon.logon_id,
                    input: Batch::LOGON,
                    flags: GetPropertyIdsFromNames::CREATE,
                    property_names: names.clone(),
                });
                batch
            })
            .await?;
        let ids = expect_rop!(answers, GetPropertyIdsFromNames)?.property_ids;
        Ok(ids
            .into_iter()
            .map(|id| (id >= 0x8000).then_some(id))
            .collect())
    }
}
