//! The Exchange backend: a mailbox on an Exchange server, mirrored into the tables of the embedded store.
//!
//! The modules from below: [`http`] moves requests and says what may have arrived, [`auth`] proves who asks.

pub mod auth;
pub mod discover;
pub mod fault;
pub mod http;
mod message;
mod remote;
mod session;
mod values;
