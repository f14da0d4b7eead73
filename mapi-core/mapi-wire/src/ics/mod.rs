//! Incremental change synchronization: what a client has seen, and what changes are called.
//!
//! A client keeps a [`State`] for each folder and gives it back to the server, which answers with what is new since,
//! and a new state. Sets of ids are kept as ranges; changes have numbers within a replica and keys of their own across
//! replicas.
//!
//! Source: MS-OXCFXICS 2.2.1.1, 2.2.2, 3.1.5.

mod globset;
mod globset_code;
mod id_set;

pub use globset::{Globset, Range};
pub use id_set::{CnSet, IdSet, Replica};
