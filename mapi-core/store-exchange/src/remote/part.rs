//! The folder tree as somebody sees it who does not see all of it.
//!
//! By tables, which show everybody what they may see; a synchronization may be for those alone who read the folder it is
//! asked about. Source: MS-OXCFOLD 2.2.1.13.

use mapi_store::Rights;
use mapi_types::{PropBag, PropTag, tags};
use mapi_wire::{
    Gid, Id, PropValue,
    rop::{self, QueryRows, bookmark, table_flags},
};

use super::{FOLDERS_MAX, FolderRow, Remote, SpecialFolders};
use crate::{
    fault::Result,
    session::{Batch, Repeat, expect_rop},
    values::from_row,
};

/// Rows asked for at a time.
const ROWS_AT_ONCE: u16 = 200;

const FOLDER_ID: PropTag = PropTag(0x6748_0014);
const PARENT_FOLDER_ID: PropTag = PropTag(0x6749_0014);

/// What is asked of a folder.
const COLUMNS: [PropTag; 7] = [
    FOLDER_ID,
    PARENT_FOLDER_ID,
    tags::DISPLAY_NAME.tag(),
    tags::CONTAINER_CLASS.tag(),
    tags::ATTRIBUTE_HIDDEN.tag(),
    tags::COMMENT.tag(),
    tags::LAST_MODIFICATION_TIME.tag(),
];

impl Remote {
    /// The folders that this user sees. One request for hundreds of them.
    ///
    /// For who may not even open the top these are the special ones and what is below them: two requests for each.
    pub(crate) async fn visible(&self, special: &SpecialFolders) -> Result<Vec<FolderRow>> {
        let top = self.logon().await?.top();
        match self.visible_below(top).await {
            Err(fault) if fault.is_refusal() => self.visible_special(special).await,
            rows => rows,
        }
    }

    async fn visible_special(&self, special: &SpecialFolders) -> Result<Vec<FolderRow>> {
        let mut folders: Vec<Id> = Vec::new();
        for (_, gid) in &special.roles {
            let id = self.id(*gid).await?;
            if !folders.contains(&id) {
                folders.push(id);
            }
        }
        let rights = self.rights(&folders).await?;
        let mut rows = Vec::new();
        for (id, rights) in folders.into_iter().zip(rights) {
            if !rights.allow(Rights::VISIBLE) {
                continue;
            }
            match self.one_with_below(id).await {
                Ok(more) => rows.extend(more),
                // It has just been taken away.
                Err(fault) if fault.is_refusal() => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(rows)
    }

    async fn one_with_below(&self, id: Id) -> Result<Vec<FolderRow>> {
        let mut answers = self
            .in_folder(id, Repeat::Safe, |batch, input| {
                batch.push(rop::GetPropertiesSpecific {
                    logon_id: batch.logon_id,
                    input,
                    property_size_limit: 0,
                    want_unicode: 1,
                    property_tags: COLUMNS.to_vec(),
                });
            })
            .await?;
        let row = expect_rop!(answers, GetPropertiesSpecific)?.row;
        let own = self.folder_row(|place| row.value(place)).await?;
        let mut rows: Vec<_> = own.into_iter().collect();
        rows.extend(self.visible_below(id).await?);
        Ok(rows)
    }

    /// The folders that this user sees below another, at every depth.
    async fn visible_below(&self, folder: Id) -> Result<Vec<FolderRow>> {
        let session = &self.sessions.back;
        let mut answers = session
            .run(&self.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                let input = batch.open_folder(folder);
                open_table(&mut batch, input);
                batch
            })
            .await?;
        expect_rop!(answers, OpenFolder)?;
        expect_rop!(answers, GetHierarchyTable)?;
        expect_rop!(answers, SetColumns)?;
        let generation = answers.generation;
        let (input, table) = (answers.handle(1)?, answers.handle(2)?);
        let (mut rows, mut seen) = (Vec::new(), 0);
        loop {
            let page = expect_rop!(answers, QueryRows)?;
            // Also those that do not say which folder they are, or there could be no end.
            seen += page.rows.len();
            for row in &page.rows {
                rows.extend(self.folder_row(|place| row.value(place)).await?);
            }
            let last = page.rows.is_empty() || page.origin == bookmark::END;
            if last || seen >= FOLDERS_MAX {
                break;
            }
            answers = session
                .go_on(&self.store, generation, move |logon| {
                    let mut batch = Batch::new(logon);
                    let table = batch.known(table);
                    query(&mut batch, table);
                    batch
                })
                .await?;
        }
        session.release_later(&self.store, generation, vec![table, input]);
        Ok(rows)
    }

    /// A folder of these values, in the order of [`COLUMNS`]; `None` when they do not say which one.
    async fn folder_row<'v>(
        &self,
        value: impl Fn(usize) -> Option<&'v PropValue>,
    ) -> Result<Option<FolderRow>> {
        let id = |value: Option<&PropValue>| match value {
            Some(PropValue::I64(id)) => Some(Id::from_u64(id.cast_unsigned())),
            _ => None,
        };
        let (Some(own), parent) = (id(value(0)), id(value(1))) else {
            return Ok(None);
        };
        let known = COLUMNS.iter().enumerate();
        let known: PropBag = known
            .filter_map(|(place, tag)| from_row(*tag, value(place)?))
            .collect();
        let name = known.get(&tags::DISPLAY_NAME).unwrap_or_default();
        let name = name.to_owned();
        let parent: Option<Gid> = match parent {
            Some(parent) => Some(self.gid(parent).await?),
            None => None,
        };
        let place = (self.gid(own).await?, parent);
        Ok(Some(FolderRow::of(place, name, &known)))
    }
}

fn open_table(batch: &mut Batch, input: u8) {
    let logon_id = batch.logon_id;
    let output = batch.slot();
    batch.push(rop::GetHierarchyTable {
        logon_id,
        input,
        output,
        table_flags: table_flags::DEPTH | table_flags::NO_NOTIFICATIONS | table_flags::USE_UNICODE,
    });
    batch.push(rop::SetColumns {
        logon_id,
        input: output,
        set_columns_flags: 0,
        property_tags: COLUMNS.to_vec(),
    });
    query(batch, output);
}

fn query(batch: &mut Batch, input: u8) {
    batch.push(QueryRows {
        logon_id: batch.logon_id,
        input,
        query_rows_flags: 0,
        forward_read: true,
        row_count: ROWS_AT_ONCE,
    });
}
