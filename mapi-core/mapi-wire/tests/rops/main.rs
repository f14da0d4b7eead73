//! ROPs that were exchanged with a server of others: decoded in order to the last octet, encoded back to the same
//! octets, and what they say checked. Beside them every ROP by its documented layout, and broken ones.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "assertions of tests"
)]

mod broken;
mod exchange;
mod known;
mod layouts;
mod recorded;
mod values;
