//! What the server says of folders beside the tree: which one is for what. Source: MS-OXOSFLD 2.2.

use mapi_store::Role;
use mapi_types::PropTag;
use mapi_wire::{
    Gid, Id, PropValue,
    entry_id::EntryId,
    rop::{self, LogonResponse},
};

use super::Remote;
use crate::{
    fault::{Fault, Result},
    session::{Batch, LoggedOn, Repeat, expect_rop},
};

/// Which folder is for what.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpecialFolders(pub(crate) Vec<(Role, Gid)>);

/// Folders named by the logon: their places there. Source: MS-OXCSTOR 2.2.1.1.3.
const BY_LOGON: [(Role, usize); 4] = [
    (Role::Inbox, LogonResponse::INBOX),
    (Role::Outbox, LogonResponse::OUTBOX),
    (Role::SentItems, LogonResponse::SENT_ITEMS),
    (Role::DeletedItems, LogonResponse::DELETED_ITEMS),
];

/// Folders named by entry ids on the Inbox. Source: MS-OXOSFLD 2.2.3.
const BY_ENTRY_ID: [(Role, PropTag); 6] = [
    (Role::Calendar, PropTag(0x36d0_0102)),
    (Role::Contacts, PropTag(0x36d1_0102)),
    (Role::Journal, PropTag(0x36d2_0102)),
    (Role::Notes, PropTag(0x36d3_0102)),
    (Role::Tasks, PropTag(0x36d4_0102)),
    (Role::Drafts, PropTag(0x36d7_0102)),
];

/// PidTagAdditionalRenEntryIds; its fifth value is the junk folder. Source: MS-OXOSFLD 2.2.4.
const ADDITIONAL: PropTag = PropTag(0x36d8_1102);
const ADDITIONAL_JUNK: usize = 4;

impl Remote {
    /// Logs on, and says what the server said then.
    pub(crate) async fn logon(&self) -> Result<LoggedOn> {
        let answers = self
            .sessions
            .front
            .run(&self.store, Repeat::Safe, Batch::new)
            .await?;
        let logon = answers.logon;
        self.learn_replica(logon.replid, logon.replguid).await;
        Ok(logon)
    }

    /// Which folders are special. One request.
    pub(crate) async fn special_folders(&self) -> Result<SpecialFolders> {
        let logon = self.logon().await?;
        if logon.is_public {
            return Ok(SpecialFolders::default());
        }
        let place = |place: usize| logon.folders.get(place).copied();
        let mut special = Vec::new();
        for (role, at) in BY_LOGON {
            if let Some(id) = place(at) {
                special.push((role, self.gid(id).await?));
            }
        }
        let inbox = place(LogonResponse::INBOX).unwrap_or_default();
        let mut columns: Vec<_> = BY_ENTRY_ID.iter().map(|(_, tag)| *tag).collect();
        columns.push(ADDITIONAL);
        match self.folder_props(inbox, columns).await {
            Ok(values) => special.extend(named(&values)),
            // Who may not read the Inbox of another does not learn of the rest.
            Err(Fault::Operation { .. }) => {}
            Err(fault) => return Err(fault),
        }
        Ok(SpecialFolders(special))
    }

    /// Properties of a folder, in the order of `tags`. One request.
    pub(crate) async fn folder_props(
        &self,
        folder: Id,
        tags: Vec<PropTag>,
    ) -> Result<Vec<Option<PropValue>>> {
        let count = tags.len();
        let mut answers = self
            .sessions
            .front
            .run(&self.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                let input = batch.open_folder(folder);
                batch.push(rop::GetPropertiesSpecific {
                    logon_id: logon.logon_id,
                    input,
                    property_size_limit: 0,
                    want_unicode: 1,
                    property_tags: tags.clone(),
                });
                batch.release(input);
                batch
            })
            .await?;
        expect_rop!(answers, OpenFolder)?;
        let row = expect_rop!(answers, GetPropertiesSpecific)?.row;
        Ok((0..count).map(|place| row.value(place).cloned()).collect())
    }
}

fn named(values: &[Option<PropValue>]) -> Vec<(Role, Gid)> {
    let folder = |octets: &[u8]| match EntryId::from_bytes(octets) {
        Ok(EntryId::Folder(id)) => Some(id.folder),
        _ => None,
    };
    let mut special: Vec<_> = BY_ENTRY_ID
        .iter()
        .zip(values)
        .filter_map(|((role, _), value)| match value {
            Some(PropValue::Binary(octets)) => Some((*role, folder(octets)?)),
            _ => None,
        })
        .collect();
    if let Some(Some(PropValue::Binaries(list))) = values.get(BY_ENTRY_ID.len())
        && let Some(junk) = list.get(ADDITIONAL_JUNK).and_then(|octets| folder(octets))
    {
        special.push((Role::Junk, junk));
    }
    special
}
