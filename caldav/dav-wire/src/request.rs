//! Request bodies: octets to values that need no further check.

mod acl;
mod address_query;
mod calendar_data;
mod calendar_query;
mod collation;
mod lock;
mod post;
mod principal_reports;
mod properties;
mod report;
mod update;

pub use acl::{Ace, AcePrincipal, Acl};
pub use address_query::{
    AddressData, AddressFilter, AddressParamFilter, AddressPropFilter, AddressQuery, AddressTest,
    VcardVersion,
};
pub use calendar_data::{
    CalendarData, ComponentSelection, PropertySelection, Recurrences, Selection,
};
pub use calendar_query::{
    CalendarQuery, CompFilter, CompTest, ParamFilter, ParamTest, PropFilter, PropTest, Test,
};
pub use collation::{Collation, MatchType, TextMatch};
pub use lock::{LockInfo, LockScope};
pub use post::{CalendarServerPost, InviteReply, ShareAccess, ShareChange};
pub use principal_reports::{
    ExpandProperty, PrincipalMatch, PrincipalPropertySearch, PrincipalSearch, PrincipalSelf,
    PropertySearch,
};
pub use properties::{Propfind, RequestedData, RequestedProperties};
pub use report::{FreeBusyQuery, Multiget, Report, SyncCollection, SyncLevel};
pub use update::{Change, MakeCollection, PropertyUpdate, PropertyValue};

use crate::error::Result;
use crate::limits::Limits;
use crate::xml::{Reader, Start, decode};

/// Reads a whole document; `read` gets its root.
fn document<T>(
    body: &[u8],
    limits: &Limits,
    read: impl FnOnce(&mut Reader<'_>, &Start<'_>) -> Result<T>,
) -> Result<T> {
    let text = decode(body, limits)?;
    let mut reader = Reader::new(&text, limits);
    let root = reader.root()?;
    let value = read(&mut reader, &root)?;
    reader.finish()?;
    Ok(value)
}
