//! The mailbox over RPC, for servers without MAPI over HTTP: what the calls carry, and the packets they travel in.
//!
//! From the inside out: [`call`] (requests of a session as calls), [`emsmdb`] (the stubs of EcDoConnectEx and its like,
//! whose ROP buffers are those of [`crate::buffer`]), [`pdu`] (packets of DCE RPC: bind, request, response, fault, with
//! a place for signatures), [`rts`] (packets that control the two HTTP channels) and [`recycling`] (those that replace
//! them). Who signs and seals, and how the channels are kept, is the caller's business.
//!
//! Source: MS-OXCRPC, MS-RPCE, C706, MS-RPCH.

mod bodies;
pub mod call;
pub mod emsmdb;
pub mod fragments;
pub mod interfaces;
mod ndr;
pub mod pdu;
pub mod recycling;
pub mod rts;

pub use bodies::{Bind, BindAck, Body, Context, ContextResult, Fault, Request, Response, Syntax};
pub use call::{Call, Caller, Returned};
pub use emsmdb::{ContextHandle, Stub};
pub use pdu::{Auth, Pdu};
