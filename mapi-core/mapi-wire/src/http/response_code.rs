//! X-ResponseCode: what the transport says of a request, before any ROP. Source: MS-OXCMAPIHTTP 2.2.3.3.3.

use std::fmt;

/// The result of a request as far as the transport goes.
///
/// gromox 3.10 numbers its refusals otherwise (missing header 3, body 5, cookie missing 6, sequence 7, type 8): to a
/// client, whatever is not [`Self::SUCCESS`] means that the session context may be gone.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ResponseCode(pub u32);

impl ResponseCode {
    /// The request was accepted.
    pub const SUCCESS: Self = Self(0);
    /// The server failed.
    pub const UNKNOWN_FAILURE: Self = Self(1);
    /// The method is not POST.
    pub const INVALID_VERB: Self = Self(2);
    /// The path names no endpoint.
    pub const INVALID_PATH: Self = Self(3);
    /// A header has a wrong value.
    pub const INVALID_HEADER: Self = Self(4);
    /// X-RequestType is unknown here.
    pub const INVALID_REQUEST_TYPE: Self = Self(5);
    /// The cookie of the session context is wrong.
    pub const INVALID_CONTEXT_COOKIE: Self = Self(6);
    /// A header that must be there is missing.
    pub const MISSING_HEADER: Self = Self(7);
    /// The request was not authenticated.
    pub const ANONYMOUS_NOT_ALLOWED: Self = Self(8);
    /// The request is too large.
    pub const TOO_LARGE: Self = Self(9);
    /// The session context does not exist any more.
    pub const CONTEXT_NOT_FOUND: Self = Self(10);
    /// The session context belongs to somebody else.
    pub const NO_PRIVILEGE: Self = Self(11);
    /// The body cannot be read.
    pub const INVALID_REQUEST_BODY: Self = Self(12);
    /// The cookie of the session context is missing.
    pub const MISSING_COOKIE: Self = Self(13);
    /// Two requests ran in one session context at the same time.
    pub const INVALID_SEQUENCE: Self = Self(15);
    /// MAPI over HTTP is switched off for this mailbox.
    pub const ENDPOINT_DISABLED: Self = Self(16);
    /// The server could not write its response.
    pub const INVALID_RESPONSE: Self = Self(17);
    /// The server is about to stop.
    pub const ENDPOINT_SHUTTING_DOWN: Self = Self(18);

    /// Whether the request was accepted.
    pub const fn is_success(self) -> bool {
        self.0 == 0
    }

    /// Its meaning in words, for a log.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::SUCCESS => "success",
            Self::UNKNOWN_FAILURE => "unknown failure",
            Self::INVALID_VERB => "invalid method",
            Self::INVALID_PATH => "invalid path",
            Self::INVALID_HEADER => "invalid header",
            Self::INVALID_REQUEST_TYPE => "invalid request type",
            Self::INVALID_CONTEXT_COOKIE => "invalid session cookie",
            Self::MISSING_HEADER => "missing header",
            Self::ANONYMOUS_NOT_ALLOWED => "authentication required",
            Self::TOO_LARGE => "request too large",
            Self::CONTEXT_NOT_FOUND => "session context not found",
            Self::NO_PRIVILEGE => "session context of another user",
            Self::INVALID_REQUEST_BODY => "invalid request body",
            Self::MISSING_COOKIE => "missing session cookie",
            Self::INVALID_SEQUENCE => "requests out of sequence",
            Self::ENDPOINT_DISABLED => "endpoint disabled for this mailbox",
            Self::INVALID_RESPONSE => "invalid response",
            Self::ENDPOINT_SHUTTING_DOWN => "endpoint shutting down",
            _ => "undocumented code",
        }
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.meaning())
    }
}
