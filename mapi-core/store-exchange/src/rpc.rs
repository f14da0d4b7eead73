//! RPC over HTTP, for servers without MAPI over HTTP: a client of one virtual connection at a time.
//!
//! From below: [`channels`] opens the two HTTP requests of a virtual connection, one that carries packets to the server
//! and one that carries them back; [`link`] keeps both going (windows, signs of life, and the [`replacement`] of a channel
//! that has carried its fill); [`Association`] binds interfaces and makes calls, one after another. Nothing here has a task: a
//! connection that nobody uses says nothing, and a call says signs of life while it waits.
//!
//! Source: MS-RPCH, MS-RPCE, C706.

mod association;
mod channels;
mod flow;
mod link;
mod replacement;
#[cfg(test)]
mod tests;
mod verdict;

pub(crate) use self::association::Association;
