//! What a search folder shows. Source: MS-OXCFOLD 2.2.1.4.

use mapi_wire::restriction::Restriction;

use super::ids::Fid;

/// The criteria of a search folder.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchCriteria {
    /// Which messages.
    pub restriction: Option<Restriction>,
    /// In which folders.
    pub folders: Vec<Fid>,
    /// Whether in those below them too.
    pub recursive: bool,
    /// Whether it is stopped (SEARCH_STOP).
    pub stopped: bool,
}

/// Bits of SearchFlags in RopSetSearchCriteria and RopGetSearchCriteria. Source: MS-OXCFOLD 2.2.1.4.1, 2.2.1.5.2.
pub mod flags {
    /// STOP_SEARCH.
    pub const STOP: u32 = 0x1;
    /// RESTART_SEARCH.
    pub const RESTART: u32 = 0x2;
    /// RECURSIVE_SEARCH.
    pub const RECURSIVE: u32 = 0x4;
    /// SHALLOW_SEARCH.
    pub const SHALLOW: u32 = 0x8;
    /// In the answer: the search runs.
    pub const RUNNING: u32 = 0x1;
    /// In the answer: also below the folders.
    pub const ANSWER_RECURSIVE: u32 = 0x4;
    /// In the answer: it is complete.
    pub const COMPLETE: u32 = 0x1000;
}
