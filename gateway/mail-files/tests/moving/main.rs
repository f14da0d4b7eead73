//! Mailboxes into files and back.

mod incremental;
mod round_trip;
mod world;
