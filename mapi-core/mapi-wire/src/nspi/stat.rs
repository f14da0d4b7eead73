//! Where a client stands in a table. Source: MS-OXNSPI 2.3.7, 2.2.1.8; MS-OXCMAPIHTTP 2.2.5.

use crate::{
    cursor::{Reader, Result, Writer},
    http::{Body, body::body},
};

/// A minimal entry id: names an entry, or a place in a table, for the life of a session.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MId(pub u32);

impl MId {
    /// Before the first row.
    pub const BEGINNING_OF_TABLE: Self = Self(0);
    /// Where the table stands already; in UpdateStat only.
    pub const CURRENT: Self = Self(1);
    /// After the last row.
    pub const END_OF_TABLE: Self = Self(2);

    /// ResolveNames: nobody has this name.
    pub const UNRESOLVED: Self = Self(0);
    /// ResolveNames: several have this name. gromox 3.10 says so of names that nobody has.
    pub const AMBIGUOUS: Self = Self(1);
    /// ResolveNames: the next row is who has this name.
    pub const RESOLVED: Self = Self(2);
}

impl Body for MId {
    const OCTETS_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self> {
        Ok(Self(reader.u32(name)?))
    }

    fn write(&self, writer: &mut Writer) {
        writer.u32(self.0);
    }
}

/// Orders of a table. Source: MS-OXNSPI 2.2.1.10.
pub mod sort {
    /// By display name.
    pub const DISPLAY_NAME: u32 = 0;
    /// By phonetic display name.
    pub const PHONETIC: u32 = 3;
    /// The values of a property that holds entries, read only.
    pub const ENTRIES_READ_ONLY: u32 = 0x3e8;
    /// The values of a property that holds entries, to be changed.
    pub const ENTRIES_WRITABLE: u32 = 0x3e9;
}

body! {
    /// STAT: a table and a place in it.
    #[derive(Copy, Default, Eq)]
    Stat {
        /// The order: see [`sort`].
        sort_type: u32,
        /// The address list; 0 is the global one.
        container_id: MId,
        /// The place: an entry, or the beginning or end of the table.
        current_rec: MId,
        /// Rows from there.
        delta: i32,
        /// About which row that is.
        num_pos: u32,
        /// About how many rows there are.
        total_recs: u32,
        /// The code page of 8-bit strings.
        code_page: u32,
        /// The locale of templates.
        template_locale: u32,
        /// The locale of the order.
        sort_locale: u32,
    }
}
