//! The address book of an organisation: who is meant, and where mail for them goes.
//!
//! An [`AddressBook`] is one user's view of it, over NSPI in MAPI over HTTP. It has one session context at a time, which
//! begins with the first question and ends with any failure below NSPI: a server may have lost count of the requests
//! then (gromox 3.10 does). All questions only read, so one is asked a second time in a context of its own.
//!
//! Source: MS-OXNSPI 3.1.4, MS-OXCMAPIHTTP 2.2.5.

mod book;
mod bound;
mod columns;
mod entry;
mod known;
mod questions;
#[cfg(test)]
mod tests;

pub use self::{
    book::{AddressBook, ENTRIES_MAX},
    entry::{AddressList, Details, Entry, EntryKind},
};
