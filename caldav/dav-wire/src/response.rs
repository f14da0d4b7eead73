//! Response bodies: written as they come, in pieces, without a tree.

mod error;
mod multistatus;
mod schedule;
pub mod value;

pub use error::{Detail, ErrorElement};
pub use multistatus::{Multistatus, PropertyWriter, make_collection_response};
pub use schedule::{RecipientStatus, ScheduleResponse};
