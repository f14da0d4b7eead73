//! Exchanges recorded with a server of others, at the layers below ROPs: decoded to the last octet, encoded back to the
//! same octets, and what they say checked.

#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod autodiscover;
mod bodies;
mod broken;
mod corpus;
mod rpc;
mod values;
