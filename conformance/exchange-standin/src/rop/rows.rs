//! The rows of tables. Source: MS-OXCTABL 3.2.5.5, MS-OXCFOLD 2.2.2.2.

use std::cmp::Ordering;

use mapi_types::PropTag;
use mapi_wire::{PropValue, Utf16, restriction::Restriction, rop::Sort, row::PropertyRow};

use super::{
    call::Call,
    objects::{Entry, Handle, Object, Row, Table, TableKind},
    value_size,
};
use crate::model::{
    compare::compare,
    condition::{Subject, meets},
    error::{Code, Result},
    mailbox::Mailbox,
    message::Content,
    organisation::Organisation,
    permission::{MEMBER_ANONYMOUS, MEMBER_DEFAULT},
    tags,
};

/// The most characters of a string in a table. Exchange cuts there.
const TEXT_UNITS_MAX: usize = 255;

/// The most octets of a binary value in a table.
const OCTETS_MAX: usize = 510;

/// What the rows of a table are made from.
pub(crate) struct Rows<'a> {
    organisation: &'a Organisation,
    mailbox: &'a Mailbox,
    user: &'a str,
    /// The message whose attachments are shown.
    content: Option<&'a Content>,
    kind: TableKind,
}

/// A row as a restriction asks it.
struct RowSubject<'a>(&'a Rows<'a>, &'a Row);

impl Subject for RowSubject<'_> {
    fn prop(&self, tag: PropTag) -> Option<PropValue> {
        self.0.value(self.1, tag)
    }
}

impl Call<'_> {
    /// What the rows of a table are made from.
    pub(crate) fn rows_of(&self, handle: Handle) -> Result<Rows<'_>> {
        let entry = self.session.objects.get(handle)?;
        let Object::Table(table) = &entry.object else {
            return Err(Code::NOT_SUPPORTED);
        };
        let content = match table.kind {
            TableKind::Attachments => Some(self.content_of_parent(entry)?),
            _ => None,
        };
        Ok(Rows {
            organisation: self.organisation,
            mailbox: self.organisation.mailbox(&entry.mailbox)?,
            user: &self.session.user,
            content,
            kind: table.kind,
        })
    }

    fn content_of_parent(&self, entry: &Entry) -> Result<&Content> {
        let parent = self
            .session
            .objects
            .get(entry.parent.ok_or(Code::NULL_OBJECT)?)?;
        match &parent.object {
            Object::Message(message) => Ok(&message.content),
            _ => Err(Code::NULL_OBJECT),
        }
    }

    /// Makes the rows of a table when they are not there, or not those of now; how many there are.
    pub(crate) fn row_count(&mut self, handle: Handle) -> Result<usize> {
        let rows = self.rows_of(handle)?;
        let generation = rows.generation()?;
        let Object::Table(table) = &self.session.objects.get(handle)?.object else {
            return Err(Code::NOT_SUPPORTED);
        };
        if let Some((made_from, rows)) = &table.rows
            && *made_from == generation
        {
            return Ok(rows.len());
        }
        let made = rows.make(table.restriction.as_ref(), &table.sort)?;
        let count = made.len();
        if let Object::Table(table) = &mut self.session.objects.get_mut(handle)?.object {
            table.rows = Some((generation, made));
            table.position = table.position.min(count);
        }
        Ok(count)
    }

    /// The table in a slot, with rows as they are now.
    pub(crate) fn current_table(&mut self, slot: u8) -> Result<&mut Table> {
        let (handle, _) = self.entry(slot)?;
        self.row_count(handle)?;
        self.table_mut(slot)
    }
}

impl Table {
    /// The rows made last.
    pub(crate) fn made(&self) -> &[Row] {
        self.rows.as_ref().map_or(&[], |(_, rows)| rows)
    }
}

impl Rows<'_> {
    /// Changes whenever the rows may have changed.
    fn generation(&self) -> Result<u64> {
        Ok(match self.kind {
            TableKind::Hierarchy { fid, .. } => {
                self.mailbox.folder(fid).map_err(|_| Code::OBJECT_DELETED)?;
                self.mailbox.hierarchy_generation
            }
            TableKind::Contents { fid, .. } => {
                let folder = self.mailbox.folder(fid).map_err(|_| Code::OBJECT_DELETED)?;
                folder.generation + u64::from(folder.deleted_total)
            }
            TableKind::Attachments => self
                .content
                .map_or(0, |content| content.attachments.len() as u64),
            TableKind::Permissions(_) | TableKind::Rules(_) => 0,
        })
    }

    fn make(&self, restriction: Option<&Restriction>, sort: &Sort) -> Result<Vec<Row>> {
        let mut rows = self.all()?;
        if let Some(restriction) = restriction {
            rows.retain(|row| meets(&RowSubject(self, row), restriction));
        }
        if !sort.orders.is_empty() {
            self.sort(&mut rows, sort);
        }
        Ok(rows)
    }

    fn all(&self) -> Result<Vec<Row>> {
        let mailbox = self.mailbox;
        Ok(match self.kind {
            TableKind::Hierarchy { fid, deep } => {
                let found = match deep {
                    true => mailbox.descendants(fid),
                    false => mailbox.children(fid).map(|child| (child.fid, 1)).collect(),
                };
                let visible = |(fid, _): &(_, u32)| mailbox.rights(self.user, *fid).opens_folder();
                let found = found.into_iter().filter(visible);
                found.map(|(fid, depth)| Row::Folder(fid, depth)).collect()
            }
            TableKind::Contents { fid, shown } => {
                let messages = mailbox.shown(mailbox.folder(fid)?, shown);
                messages.into_iter().map(Row::Message).collect()
            }
            TableKind::Attachments => {
                let attachments = self.content.map_or(&[][..], |content| &content.attachments);
                attachments
                    .iter()
                    .map(|a| Row::Attachment(a.number))
                    .collect()
            }
            TableKind::Permissions(fid) => {
                let rows = mailbox.folder(fid)?.permissions.rows();
                rows.iter().map(|row| Row::Member(row.member)).collect()
            }
            TableKind::Rules(fid) => mailbox
                .folder(fid)?
                .rules
                .rows()
                .map(|(id, _)| Row::Rule(id))
                .collect(),
        })
    }

    fn sort(&self, rows: &mut Vec<Row>, sort: &Sort) {
        let key = |row: &Row| -> Vec<_> {
            sort.orders
                .iter()
                .map(|order| self.value(row, order.tag))
                .collect()
        };
        let mut keyed: Vec<_> = rows.drain(..).map(|row| (key(&row), row)).collect();
        keyed.sort_by(|(a, _), (b, _)| {
            let pairs = a.iter().zip(b).zip(&sort.orders);
            let orders = pairs.map(|((a, b), order)| match order.order {
                mapi_wire::table::SortOrder::DESCENDING => order_of(b, a),
                _ => order_of(a, b),
            });
            orders.fold(Ordering::Equal, Ordering::then)
        });
        rows.extend(keyed.into_iter().map(|(_, row)| row));
    }

    /// A row in these columns.
    pub(crate) fn row(&self, row: &Row, columns: &[PropTag]) -> PropertyRow {
        let cell = |tag: &PropTag| {
            let value = self.value(row, *tag).ok_or(Code::NOT_FOUND);
            value_size::cell(*tag, value.and_then(shortened))
        };
        value_size::row_of(columns.iter().map(cell).collect())
    }

    /// Whether a row meets a restriction.
    pub(crate) fn meets(&self, row: &Row, restriction: &Restriction) -> bool {
        meets(&RowSubject(self, row), restriction)
    }

    /// A value of a row.
    fn value(&self, row: &Row, tag: PropTag) -> Option<PropValue> {
        match row {
            Row::Folder(_, depth) if tag == tags::DEPTH => Some(PropValue::I32(*depth as i32)),
            Row::Folder(fid, _) => {
                let folder = self.mailbox.folder(*fid).ok()?;
                self.mailbox.folder_prop(folder, self.user, tag)
            }
            Row::Message(message) => self.mailbox.message_prop(message, tag),
            Row::Attachment(number) => {
                let attachment = self.content?.attachment(*number)?;
                match tag {
                    tags::ATTACH_NUMBER => Some(PropValue::I32(*number as i32)),
                    tags::ATTACH_SIZE => Some(PropValue::I32(attachment.size() as i32)),
                    tags::ATTACH_DATA | tags::ATTACH_DATA_OBJECT => None,
                    tag => attachment.props.read(tag),
                }
            }
            Row::Member(member) => self.member(*member, tag),
            Row::Rule(id) => {
                let TableKind::Rules(fid) = self.kind else {
                    return None;
                };
                let folder = self.mailbox.folder(fid).ok()?;
                let (_, props) = folder.rules.rows().find(|(known, _)| known == id)?;
                props.read(tag)
            }
        }
    }

    /// A value of a row of permissions. Source: MS-OXCPERM 2.2.4 to 2.2.7.
    fn member(&self, member: i64, tag: PropTag) -> Option<PropValue> {
        let TableKind::Permissions(fid) = self.kind else {
            return None;
        };
        let rows = self.mailbox.folder(fid).ok()?.permissions.rows();
        let row = rows.iter().find(|row| row.member == member)?;
        let user = self.organisation.user(&row.user);
        match tag {
            tags::MEMBER_ID => Some(PropValue::I64(member)),
            tags::MEMBER_RIGHTS => Some(PropValue::I32(row.rights.0 as i32)),
            tags::MEMBER_NAME => {
                let name = match member {
                    MEMBER_DEFAULT => "",
                    MEMBER_ANONYMOUS => "Anonymous",
                    _ => user.map_or("", |user| user.display_name.as_str()),
                };
                Some(PropValue::String(name.into()))
            }
            tags::ENTRY_ID => {
                let entry_id = user.map(|user| user.entry_id()).unwrap_or_default();
                Some(PropValue::Binary(entry_id))
            }
            _ => None,
        }
    }
}

/// The order of two values, of which one may be missing: that comes first.
fn order_of(a: &Option<PropValue>, b: &Option<PropValue>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare(a, b).unwrap_or(Ordering::Equal),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// A value as tables show it: long strings are cut, other long values are left to be read elsewhere.
fn shortened(value: PropValue) -> Result<PropValue> {
    match value {
        PropValue::String(text) if text.0.len() > TEXT_UNITS_MAX => {
            let short = text.0.iter().take(TEXT_UNITS_MAX).copied().collect();
            Ok(PropValue::String(Utf16(short)))
        }
        PropValue::String8(text) if text.len() > TEXT_UNITS_MAX => Ok(PropValue::String8(
            text.iter().take(TEXT_UNITS_MAX).copied().collect(),
        )),
        PropValue::Binary(octets) if octets.len() > OCTETS_MAX => Err(Code::NOT_ENOUGH_MEMORY),
        value => Ok(value),
    }
}
