//! Recorded bodies of MAPI over HTTP, RPC over HTTP and Autodiscover, as text for people and as JSON for programs. Pure.
//!
//! A [`Session`] takes [`Recording`]s in their order and gives a [`Body`] for each: everything in it by the names of the
//! documents, with what only the order tells (what a handle stands for, which columns a row has, what a stream says
//! that goes through many bodies). No octet is lost: what is not decoded stands there as opaque octets, with the reason.
//! What is broken is a [`Fault`] with its place, and the session goes on.
#![warn(clippy::indexing_slicing)]

mod body;
mod execute;
mod follow;
mod json;
mod made;
mod message;
mod names;
mod node;
mod object;
mod pieces;
mod recognise;
mod recording;
mod session;
mod text;
mod transfer;
mod view;

pub use body::{Body, Fault};
pub use message::{Message, Named, NamedBy, property_label};
pub use pieces::Pieces;
pub use recording::{Recording, is_named};
pub use session::Session;

/// How much is shown of octets that are not decoded.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Detail {
    /// Their count, and a few of them in hexadecimal digits.
    #[default]
    Short,
    /// All of them.
    Octets,
}
