//! Who is this, and which mailbox is that: users, aliases, shared mailboxes and credentials.
//!
//! [`Directory`] keeps them in one readable file, `directory.toml` in the data folder, and answers from a snapshot
//! in memory. [`Throttle`] slows down those who guess passwords. Passwords are kept only as argon2id hashes and
//! SCRAM-SHA-256 verifiers, and app passwords as keyed hashes.

mod address;
mod app_password;
mod contents;
mod directory;
mod error;
mod file;
mod gate;
mod last_use;
mod login_cache;
mod password;
mod scram;
mod service;
mod snapshot;
mod throttle;

pub use address::{Address, AddressError};
pub use app_password::{APP_PASSWORDS_MAX, AppPassword};
pub use contents::{Alias, MailboxName, SendGrant, Sender, Shared, User};
pub use directory::{Directory, Reason, Verdict};
pub use error::Error;
pub use password::{PASSWORD_BYTES_MAX, generate_password};
pub use scram::{SCRAM_ITERATIONS, ScramVerifier};
pub use service::Service;
pub use throttle::{Attempt, Throttle, ThrottleLimits};
