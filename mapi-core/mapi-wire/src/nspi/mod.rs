//! The address book: NSPI as MAPI over HTTP carries it. Each request is a [`crate::http::Request`], to be encoded and
//! decoded by [`crate::http::encode_request`] and its like.
//!
//! Values look otherwise than in ROPs ([`crate::Dialect::Nspi`]): some have an octet before them that says whether they
//! are there. Rows come with their columns ([`Rows`]), lists of properties with their tags ([`Tagged`]).
//!
//! Source: MS-OXCMAPIHTTP 2.2.1 and 2.2.5, MS-OXNSPI.

mod bodies;
mod entry_id;
mod rows;
mod stat;

pub use bodies::{
    Bind, Bound, Columns, CompareMIds, Compared, DnToMId, FoundMIds, GetAddressBookUrl,
    GetMailboxUrl, GetMatches, GetPropList, GetProps, GetSpecialTable, GetTemplateInfo, Matches,
    ModLinkAtt, ModProps, PropList, PropertyName, Props, QueryColumns, QueryRows, ResolveNames,
    Resolved, ResortRestriction, Resorted, RowsFound, SeekEntries, SpecialTable, TemplateInfo,
    Unbind, UpdateStat, UpdatedStat, Url,
};
pub use entry_id::EntryId;
pub use rows::{CELLS_MAX, Cell, CellState, Row, Rows, Tagged};
pub use stat::{MId, Stat, sort};
