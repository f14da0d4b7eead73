//! Who is this, and which mailbox is that: users, aliases, shared mailboxes and credentials.
//!
//! [`Directory`] keeps them in one readable file, `directory.toml` in the data folder, and answers from a snapshot
//! in memory. [`Throttle`] slows down those who guess passwords. Passwords are kept only as argon2id hashes and
//! SCRAM-SHA-256 verifiers.

mod address;
mod contents;
mod directory;
mod error;
mod file;
mod gate;
mod login_cache;
mod password;
mod scram;
mod snapshot;
mod throttle;

pub use address::{Address, AddressError};
pub use contents::{Alias, MailboxName, SendGrant, Sender, Shared, User};
pub use directory::{Directory, Verdict};
pub use error::Error;
pub use password::{PASSWORD_BYTES_MAX, generate_password};
pub use scram::{SCRAM_ITERATIONS, ScramVerifier};
pub use throttle::{Attempt, Throttle, ThrottleLimits};
