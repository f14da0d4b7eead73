//! The requests and responses of the address book. Source: MS-OXCMAPIHTTP 2.2.5; meanings MS-OXNSPI 3.1.4.1.
//!
//! `reserved` is 0. A `Stat` that is absent counts as one of zeros.

use mapi_types::PropTag;

use super::{
    rows::{Rows, Tagged},
    stat::{MId, Stat},
};
use crate::{
    cursor::Utf16,
    http::{
        body::{Text8, body, requests},
        emsmdb::Nothing,
    },
    ids::Guid,
    restriction::Restriction,
};

requests! {
    Bind => Bound,
    Unbind => Nothing,
    CompareMIds => Compared,
    DnToMId => FoundMIds,
    GetMatches => Matches,
    GetPropList => PropList,
    GetProps => Props,
    GetSpecialTable => SpecialTable,
    GetTemplateInfo => TemplateInfo,
    ModLinkAtt => Nothing,
    ModProps => Nothing,
    QueryRows => RowsFound,
    QueryColumns => Columns,
    ResolveNames => Resolved,
    ResortRestriction => Resorted,
    SeekEntries => RowsFound,
    UpdateStat => UpdatedStat,
    GetMailboxUrl => Url,
    GetAddressBookUrl => Url,
}

body! {
    /// Begins a session.
    Bind {
        /// 0, or 0x20 for an anonymous one.
        flags: u32,
        /// Code page and locales of the session.
        stat: Option<Stat>,
    }
}

body! {
    /// A session has begun.
    Bound {
        /// The server: stands in its ephemeral entry ids.
        server_guid: Guid,
    }
}

body! {
    /// Ends a session. Its error code is 1 when that went well.
    Unbind {
        /// Reserved.
        reserved: u32,
    }
}

body! {
    /// Asks which of two entries comes first in a table.
    CompareMIds {
        /// Reserved.
        reserved: u32,
        /// The table.
        stat: Option<Stat>,
        /// One entry.
        first: MId,
        /// The other.
        second: MId,
    }
}

body! {
    /// Which of two entries comes first. gromox 3.10 writes the result where the error code belongs, and the other way
    /// round.
    Compared {
        /// Below 0: the first; 0: they are the same; above: the second.
        result: i32,
    }
}

body! {
    /// Asks for entries by distinguished name.
    DnToMId {
        /// Reserved.
        reserved: u32,
        /// The names.
        names: Option<Vec<Text8>>,
    }
}

body! {
    /// Entries by distinguished name.
    FoundMIds {
        /// One for each name; 0 where there is none.
        mids: Option<Vec<MId>>,
    }
}

body! {
    /// A property set and an id in it, for members of a list that are kept in a property.
    PropertyName {
        /// The property set.
        guid: Guid,
        /// The id.
        id: u32,
    }
}

body! {
    /// Asks for the entries that meet a condition, or that a property of an entry holds.
    GetMatches {
        /// Reserved.
        reserved: u32,
        /// The table.
        stat: Option<Stat>,
        /// Entries to choose from; servers ignore them.
        mids: Option<Vec<MId>>,
        /// Reserved.
        interface_flags: u32,
        /// The condition.
        restriction: Option<Restriction>,
        /// The property of the entry that `stat` names, by name.
        property_name: Option<PropertyName>,
        /// The most entries; more of them are an error.
        row_count: u32,
        /// The columns wanted; without them, no rows but entries.
        columns: Option<Vec<PropTag>>,
    }
}

body! {
    /// Entries that meet a condition.
    Matches {
        /// The table.
        stat: Option<Stat>,
        /// The entries: a table to page through by QueryRows.
        mids: Option<Vec<MId>>,
        /// The first rows of it.
        rows: Option<Rows>,
    }
}

body! {
    /// Asks which properties an entry has.
    GetPropList {
        /// 1: without objects.
        flags: u32,
        /// The entry.
        mid: MId,
        /// The code page of 8-bit strings.
        code_page: u32,
    }
}

body! {
    /// Which properties an entry has.
    PropList {
        /// Their tags.
        tags: Option<Vec<PropTag>>,
    }
}

body! {
    /// Asks for properties of one entry.
    GetProps {
        /// 1: without objects, 2: ephemeral entry ids.
        flags: u32,
        /// The entry: `current_rec`.
        stat: Option<Stat>,
        /// Which; all when absent.
        tags: Option<Vec<PropTag>>,
    }
}

body! {
    /// Properties of one entry. The error code is 0x40380 when some could not be read.
    Props {
        /// The code page of 8-bit strings.
        code_page: u32,
        /// The properties; type PtypErrorCode where one could not be read.
        values: Option<Vec<Tagged>>,
    }
}

body! {
    /// Asks for the address lists, or for the templates of new addresses.
    GetSpecialTable {
        /// 2: templates, 4: Unicode.
        flags: u32,
        /// Code page and locales.
        stat: Option<Stat>,
        /// The version the client has.
        version: Option<u32>,
    }
}

body! {
    /// The address lists, or the templates of new addresses.
    SpecialTable {
        /// The code page of 8-bit strings.
        code_page: u32,
        /// The version of the table.
        version: Option<u32>,
        /// One list of properties a row; absent when the client has this version.
        rows: Option<Vec<Vec<Tagged>>>,
    }
}

body! {
    /// Asks for the template of a dialog.
    GetTemplateInfo {
        /// 1 the template, 4 its script, 0x10 the address type, 0x20 a help file, 0x40 its contents.
        flags: u32,
        /// What kind of entry.
        display_type: u32,
        /// The distinguished name of a template of an address type.
        template_dn: Option<Text8>,
        /// The code page of 8-bit strings.
        code_page: u32,
        /// The locale.
        locale_id: u32,
    }
}

body! {
    /// The template of a dialog.
    TemplateInfo {
        /// The code page of 8-bit strings.
        code_page: u32,
        /// Its properties.
        values: Option<Vec<Tagged>>,
    }
}

body! {
    /// Changes a property that holds entries, such as the members of a list.
    ModLinkAtt {
        /// 1: remove instead of add.
        flags: u32,
        /// The property.
        tag: PropTag,
        /// The entry that has it.
        mid: MId,
        /// The entry ids to add or remove.
        entry_ids: Option<Vec<Box<[u8]>>>,
    }
}

body! {
    /// Changes properties of an entry.
    ModProps {
        /// Reserved.
        reserved: u32,
        /// The entry: `current_rec`.
        stat: Option<Stat>,
        /// Which to remove.
        tags: Option<Vec<PropTag>>,
        /// Which to set.
        values: Option<Vec<Tagged>>,
    }
}

body! {
    /// Asks for rows from a place in a table on, or of given entries.
    QueryRows {
        /// 1: without objects, 2: ephemeral entry ids.
        flags: u32,
        /// The table and the place.
        stat: Option<Stat>,
        /// The entries, instead of the table; may be empty.
        mids: Vec<MId>,
        /// The most rows.
        row_count: u32,
        /// The columns; a choice of the server when absent.
        columns: Option<Vec<PropTag>>,
    }
}

body! {
    /// Rows of a table.
    RowsFound {
        /// The place after them.
        stat: Option<Stat>,
        /// The rows.
        rows: Option<Rows>,
    }
}

body! {
    /// Asks which columns there are. gromox 3.10 knows this request only as `QueryColumn`.
    QueryColumns {
        /// Reserved.
        reserved: u32,
        /// 0x80000000: Unicode.
        flags: u32,
    }
}

body! {
    /// Which columns there are.
    Columns {
        /// Their tags.
        columns: Option<Vec<PropTag>>,
    }
}

body! {
    /// Asks who is meant by names that a user typed.
    ResolveNames {
        /// Reserved.
        reserved: u32,
        /// The table.
        stat: Option<Stat>,
        /// The columns.
        columns: Option<Vec<PropTag>>,
        /// The names.
        names: Option<Vec<Utf16>>,
    }
}

body! {
    /// Who is meant by names.
    Resolved {
        /// The code page of 8-bit strings.
        code_page: u32,
        /// One for each name: [`MId::UNRESOLVED`], [`MId::AMBIGUOUS`] or [`MId::RESOLVED`].
        mids: Option<Vec<MId>>,
        /// One row for each name that was resolved.
        rows: Option<Rows>,
    }
}

body! {
    /// Asks to sort entries as a table is sorted.
    ResortRestriction {
        /// Reserved.
        reserved: u32,
        /// The table and its order.
        stat: Option<Stat>,
        /// The entries.
        mids: Option<Vec<MId>>,
    }
}

body! {
    /// Entries in order.
    Resorted {
        /// The table.
        stat: Option<Stat>,
        /// The entries; those that do not exist are left out.
        mids: Option<Vec<MId>>,
    }
}

body! {
    /// Asks for the first row at or after a value.
    SeekEntries {
        /// Reserved.
        reserved: u32,
        /// The table.
        stat: Option<Stat>,
        /// The value: of the display name, as the table is sorted.
        target: Option<Tagged>,
        /// Entries to seek in, instead of the table.
        mids: Option<Vec<MId>>,
        /// The columns; without them, only the place.
        columns: Option<Vec<PropTag>>,
    }
}

body! {
    /// Asks where a place in a table is, after moving it.
    UpdateStat {
        /// Reserved.
        reserved: u32,
        /// The place, with the rows to move by.
        stat: Option<Stat>,
        /// Not 0: by how many rows it moved is wanted too.
        delta_requested: u8,
    }
}

body! {
    /// Where a place in a table is.
    UpdatedStat {
        /// The place.
        stat: Option<Stat>,
        /// By how many rows it moved.
        delta: Option<i32>,
    }
}

body! {
    /// Asks for the mailbox endpoint of a server.
    GetMailboxUrl {
        /// 0.
        flags: u32,
        /// The distinguished name of the server.
        server_dn: Utf16,
    }
}

body! {
    /// Asks for the address-book endpoint of a user.
    GetAddressBookUrl {
        /// 0.
        flags: u32,
        /// The distinguished name of the user.
        user_dn: Utf16,
    }
}

body! {
    /// An endpoint.
    Url {
        /// Its URL.
        server_url: Utf16,
    }
}
