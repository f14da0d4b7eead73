//! The outgoing queue: what a client submits and what the core must send goes out through it.
//!
//! [`Queue::submit`] returns when a message is durable. [`Runner::run`] then hands it on, each recipient by its own
//! [`Route`]: to a mail server ([`Hop`]), or inside, to the function that the gateway gives ([`Router`]). Every recipient
//! ends delivered, or failed with a report to the sender (RFC 3464); both are written in the transaction that ends it, so
//! nothing is lost and no report is doubled by a crash. A message is sent a second time only when its answer was lost, or the
//! program ended before it could note it.
//!
//! The queue is one SQLite file, with large messages in files beside it. What passes through is not changed.
//! Source: RFC 5321 (SMTP), 2033 (LMTP), 3461-3464 and 6533 (reports), 3207, 4954, 2920, 1870, 6152, 6531, 3030, 8689, 4865.

mod answer;
mod backoff;
mod content;
mod envelope;
mod error;
mod hop;
mod journal;
mod options;
mod queue;
mod report;
mod router;
mod runner;
mod status;

pub use answer::{Answer, Enhanced, Outcome, Verdict};
pub use content::Content;
pub use envelope::{BodyKind, Envelope, Notify, Purpose, Recipient, Returned};
pub use error::{Error, ErrorKind, Result};
pub use hop::{Authentication, Credentials, Hop, HopTls, Protocol, Secret};
pub use journal::QueueId;
pub use options::Options;
pub use queue::{Queue, Submission};
pub use router::{Origin, Parcel, Route, Router, Task};
pub use runner::Runner;
pub use status::{Filter, HopState, Listed, RecipientState, Shown, Totals};
