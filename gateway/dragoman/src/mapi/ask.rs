//! What a verb is asked, as it goes to a running server: one line of JSON, then the octets of a message to be sent.

use serde::{Deserialize, Serialize};

use crate::cli::mapi::Verb;

/// The request's line. It may carry a password, so it has no `Debug`.
#[derive(Deserialize, Serialize)]
pub(crate) struct Ask {
    pub(crate) mapi: Asked,
}

/// A verb with what the command knows and the server does not.
#[derive(Deserialize, Serialize)]
pub(crate) struct Asked {
    pub(crate) verb: Verb,
    /// The user's password at an Exchange server.
    pub(crate) password: Option<String>,
    /// How many octets of a message follow.
    pub(crate) octets: u64,
}

/// What stands in front of each piece of the answer.
#[derive(Debug, Deserialize, Serialize)]
pub(super) enum Said {
    /// A line.
    Line(String),
    /// So many octets follow.
    Octets(u64),
    /// It is over: the exit code, and what went wrong.
    End(u8, Option<String>),
}
