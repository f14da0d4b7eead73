//! Why a body is refused, where, and with which answer.

use std::fmt;

use http::StatusCode;

use crate::condition::Condition;
use crate::limits::Limit;

/// Why a request body is refused: always the client's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyError {
    /// Where, in octets from the start of the body (of its UTF-8 form, without a byte order mark).
    pub at: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not well-formed XML with namespaces; what should have stood there.
    Syntax(&'static str),
    /// It is well-formed, but not what the method takes; what should have stood there.
    Expected(&'static str),
    /// It is larger than is taken.
    Limit(Limit),
    /// It breaks a precondition that the protocol has a name for.
    Condition(Condition),
}

impl BodyError {
    /// The status of the answer: 400, 413, or what goes with the precondition.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self.fault {
            Fault::Syntax(_) | Fault::Expected(_) => StatusCode::BAD_REQUEST,
            Fault::Limit(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Fault::Condition(condition) => condition.status(),
        }
    }

    /// The precondition that goes into the `error` element of the answer.
    #[must_use]
    pub const fn condition(&self) -> Option<Condition> {
        match self.fault {
            Fault::Condition(condition) => Some(condition),
            _ => None,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Fault::Syntax(expected) | Fault::Expected(expected) => write!(f, "expected {expected}"),
            Fault::Limit(limit) => write!(f, "too many {limit}"),
            Fault::Condition(condition) => {
                write!(f, "precondition {} is not met", condition.local())
            }
        }?;
        write!(f, " at octet {}", self.at)
    }
}

impl std::error::Error for BodyError {}

/// What reading a body gives.
pub(crate) type Result<T> = std::result::Result<T, BodyError>;
