//! Opening tables and saying what they show. Source: MS-OXCTABL 3.2.5, MS-OXCFOLD 3.2.5.13, 3.2.5.14.

use std::collections::HashMap;

use mapi_types::PropTag;
use mapi_wire::{
    rop::{
        GetAttachmentTable, GetAttachmentTableResponse, GetContentsTable, GetContentsTableResponse,
        GetHierarchyTable, GetHierarchyTableResponse, GetPermissionsTable,
        GetPermissionsTableResponse, GetRulesTable, GetRulesTableResponse, GetStatus,
        GetStatusResponse, QueryColumnsAll, QueryColumnsAllResponse, ResetTable,
        ResetTableResponse, Restrict, RestrictResponse, SetColumns, SetColumnsResponse, Sort,
        SortTable, SortTableResponse, table_flags,
    },
    value::types,
};

use super::{
    call::{Call, Outcome},
    objects::{Object, Table, TableKind},
};
use crate::model::{
    contents::Shown,
    error::{Code, Result},
    folder_props, message_props,
    permission::Rights,
    tags,
};

/// TBLSTAT_COMPLETE. Source: MS-OXCTABL 2.2.2.1.3.
const COMPLETE: u8 = 0;

impl Table {
    fn new(kind: TableKind, notifies: bool) -> Self {
        Self {
            kind,
            columns: None,
            sort: Sort::default(),
            restriction: None,
            position: 0,
            bookmarks: HashMap::new(),
            rows: None,
            notifies,
        }
    }

    /// Begins anew, with rows to be made.
    fn begin(&mut self) {
        self.rows = None;
        self.position = 0;
        self.bookmarks.clear();
    }
}

impl Call<'_> {
    /// The table in a slot.
    pub(crate) fn table_mut(&mut self, slot: u8) -> Result<&mut Table> {
        match self.object_mut(slot)? {
            Object::Table(table) => Ok(table),
            _ => Err(Code::NOT_SUPPORTED),
        }
    }
}

/// The folders in a folder.
pub(crate) fn hierarchy(call: &mut Call<'_>, ask: &GetHierarchyTable) -> Outcome {
    let fid = call.folder_id(ask.input)?;
    let kind = TableKind::Hierarchy {
        fid,
        deep: ask.table_flags & table_flags::DEPTH != 0,
    };
    let notifies = ask.table_flags & table_flags::NO_NOTIFICATIONS == 0;
    let handle = call.open(
        ask.output,
        ask.input,
        Object::Table(Box::new(Table::new(kind, notifies))),
    )?;
    Ok(GetHierarchyTableResponse {
        index: ask.output,
        row_count: call.row_count(handle)? as u32,
    }
    .into())
}

/// The messages of a folder.
pub(crate) fn contents(call: &mut Call<'_>, ask: &GetContentsTable) -> Outcome {
    let fid = call.folder_id(ask.input)?;
    call.need(call.mailbox(ask.input)?, fid, Rights::READ_ANY)?;
    let has = |flag| ask.table_flags & flag != 0;
    if has(table_flags::CONVERSATION_MEMBERS) {
        return Err(Code::NOT_SUPPORTED.into());
    }
    let shown = match (has(table_flags::ASSOCIATED), has(table_flags::SOFT_DELETES)) {
        (false, false) => Shown::Normal,
        (true, false) => Shown::Associated,
        (false, true) => Shown::SoftDeleted,
        (true, true) => Shown::SoftDeletedAssociated,
    };
    let kind = TableKind::Contents { fid, shown };
    let table = Table::new(kind, !has(table_flags::NO_NOTIFICATIONS));
    let handle = call.open(ask.output, ask.input, Object::Table(Box::new(table)))?;
    Ok(GetContentsTableResponse {
        index: ask.output,
        row_count: call.row_count(handle)? as u32,
    }
    .into())
}

/// The attachments of a message.
pub(crate) fn attachments(call: &mut Call<'_>, ask: &GetAttachmentTable) -> Outcome {
    call.message(ask.input)?;
    let table = Table::new(TableKind::Attachments, false);
    call.open(ask.output, ask.input, Object::Table(Box::new(table)))?;
    Ok(GetAttachmentTableResponse { index: ask.output }.into())
}

/// Who may do what in a folder.
pub(crate) fn permissions(call: &mut Call<'_>, ask: &GetPermissionsTable) -> Outcome {
    let fid = call.folder_id(ask.input)?;
    call.need(call.mailbox(ask.input)?, fid, Rights::VISIBLE)?;
    let table = Table::new(TableKind::Permissions(fid), false);
    call.open(ask.output, ask.input, Object::Table(Box::new(table)))?;
    Ok(GetPermissionsTableResponse { index: ask.output }.into())
}

/// The rules of a folder.
pub(crate) fn rules(call: &mut Call<'_>, ask: &GetRulesTable) -> Outcome {
    let fid = call.folder_id(ask.input)?;
    call.need(call.mailbox(ask.input)?, fid, Rights::OWNER)?;
    let table = Table::new(TableKind::Rules(fid), false);
    call.open(ask.output, ask.input, Object::Table(Box::new(table)))?;
    Ok(GetRulesTableResponse { index: ask.output }.into())
}

/// Says which columns the rows have.
pub(crate) fn set_columns(call: &mut Call<'_>, ask: &SetColumns) -> Outcome {
    let instances = |tag: &PropTag| tag.0 as u16 & types::INSTANCE == types::INSTANCE;
    if ask.property_tags.is_empty() {
        return Err(Code::INVALID_PARAMETER.into());
    }
    if ask.property_tags.iter().any(instances) {
        return Err(Code::NOT_SUPPORTED.into());
    }
    call.table_mut(ask.input)?.columns = Some(ask.property_tags.clone());
    Ok(SetColumnsResponse {
        index: ask.input,
        table_status: COMPLETE,
    }
    .into())
}

/// Says in which order the rows come.
pub(crate) fn sort(call: &mut Call<'_>, ask: &SortTable) -> Outcome {
    let table = call.table_mut(ask.input)?;
    let sortable = matches!(table.kind, TableKind::Contents { .. });
    if !sortable || ask.sort.category_count > 0 {
        return Err(Code::NOT_SUPPORTED.into());
    }
    table.sort = ask.sort.clone();
    table.begin();
    Ok(SortTableResponse {
        index: ask.input,
        table_status: COMPLETE,
    }
    .into())
}

/// Says which rows there are.
pub(crate) fn restrict(call: &mut Call<'_>, ask: &Restrict) -> Outcome {
    let table = call.table_mut(ask.input)?;
    if !matches!(
        table.kind,
        TableKind::Contents { .. } | TableKind::Hierarchy { .. } | TableKind::Rules(_)
    ) {
        return Err(Code::NOT_SUPPORTED.into());
    }
    table.restriction = ask.restriction.clone();
    table.begin();
    Ok(RestrictResponse {
        index: ask.input,
        table_status: COMPLETE,
    }
    .into())
}

/// Forgets columns, order and restriction.
pub(crate) fn reset(call: &mut Call<'_>, ask: &ResetTable) -> Outcome {
    let table = call.table_mut(ask.input)?;
    table.columns = None;
    table.sort = Sort::default();
    table.restriction = None;
    table.begin();
    Ok(ResetTableResponse { index: ask.input }.into())
}

/// What a table does: nothing.
pub(crate) fn status(call: &mut Call<'_>, ask: &GetStatus) -> Outcome {
    call.table_mut(ask.input)?;
    Ok(GetStatusResponse {
        index: ask.input,
        table_status: COMPLETE,
    }
    .into())
}

/// All columns a table has.
pub(crate) fn all_columns(call: &mut Call<'_>, ask: &QueryColumnsAll) -> Outcome {
    let property_tags = match call.table_mut(ask.input)?.kind {
        TableKind::Hierarchy { .. } => {
            let mut all = folder_props::COMPUTED.to_vec();
            all.extend([
                tags::DISPLAY_NAME,
                tags::CONTAINER_CLASS,
                tags::COMMENT,
                tags::DEPTH,
            ]);
            all
        }
        TableKind::Contents { .. } => {
            let mut all = message_props::COMPUTED.to_vec();
            all.extend([
                tags::SUBJECT,
                tags::MESSAGE_CLASS,
                tags::MESSAGE_DELIVERY_TIME,
            ]);
            all
        }
        TableKind::Attachments => vec![
            tags::ATTACH_NUMBER,
            tags::ATTACH_SIZE,
            tags::ATTACH_METHOD,
            tags::ATTACH_LONG_FILENAME,
        ],
        TableKind::Permissions(_) => vec![
            tags::MEMBER_ID,
            tags::MEMBER_NAME,
            tags::MEMBER_RIGHTS,
            tags::ENTRY_ID,
        ],
        TableKind::Rules(_) => vec![tags::RULE_ID],
    };
    Ok(QueryColumnsAllResponse {
        index: ask.input,
        property_tags,
    }
    .into())
}
