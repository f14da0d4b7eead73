//! Values of properties, read from and written as the text of a line. Source: RFC 5545 3.3.
//!
//! Reading refuses what the grammar does not allow; writing is deterministic. Days and times of day are numbers, so
//! that arithmetic on them is plain; which moment a local time is, the module of time zones says.

mod address;
mod date;
mod duration;
mod list;
mod offset;
mod period;
mod recur;
mod recur_text;
mod text;
mod when;

pub use address::{email_of, mailto};
pub use date::{Date, LocalTime, SECONDS_A_DAY, Weekday};
pub(crate) use date::{days_in_month, is_leap};
pub use duration::Duration;
pub use list::{split_list, split_structured};
pub use offset::UtcOffset;
pub use period::{Period, PeriodEnd};
pub use recur::{End, Frequency, Recur, RecurError, Skip, WeekdayNumber};
pub use text::{escape, unescape};
pub use when::When;
