//! What can go wrong between a session and its server, by what it means for what was asked.

use std::{error::Error as StdError, fmt, time::Duration};

use mapi_store::{Error, ErrorKind};
use mapi_wire::DecodeError;

use crate::{
    auth,
    http::{self, Sent},
};

/// A failure of one request to a server.
#[derive(Debug)]
pub enum Fault {
    /// The server cannot be reached, or said that it cannot serve: nothing was done.
    Away(Cause),
    /// The answer is lost: whether what was asked has been done is unknown.
    Lost(Cause),
    /// The session context is gone with all its handles: what was asked has not been done.
    Expired,
    /// The server asks to wait before the next try: nothing was done.
    Busy(Duration),
    /// The credentials are wrong or expired.
    Unauthenticated(Cause),
    /// The server will never do this for this user; the text says what an administrator must change.
    Denied(&'static str),
    /// The mailbox is on another server now (ecWrongServer).
    Moved,
    /// The server's octets make no sense; what was asked may have been done.
    Malformed(DecodeError),
    /// A remote operation failed with this code, after those before it in the batch had been done.
    Operation {
        /// Its RopId.
        rop: u8,
        /// Its ReturnValue. Source: MS-OXCDATA 2.4.
        code: u32,
    },
}

/// What lies below a fault, for the log.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// The result of a request.
pub type Result<T, E = Fault> = std::result::Result<T, E>;

/// How long to wait when a server is busy and does not say for how long.
pub(crate) const BUSY_DEFAULT: Duration = Duration::from_secs(5);

/// The longest pause before what takes several requests is begun anew.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Error codes of operations that the session or the store reacts to. Source: MS-OXCDATA 2.4.
pub mod code {
    /// ecNone.
    pub const SUCCESS: u32 = 0;
    /// ecUnknownUser.
    pub const UNKNOWN_USER: u32 = 0x3eb;
    /// ecServerOOM.
    pub const SERVER_OUT_OF_MEMORY: u32 = 0x3f0;
    /// ecLoginPerm.
    pub const LOGIN_PERMISSION: u32 = 0x3f2;
    /// ecWrongServer.
    pub const WRONG_SERVER: u32 = 0x478;
    /// ecServerBusy.
    pub const SERVER_BUSY: u32 = 0x480;
    /// ecRpcFormat.
    pub const RPC_FORMAT: u32 = 0x4b6;
    /// ecNullObject.
    pub const NULL_OBJECT: u32 = 0x4b9;
    /// ecQuotaExceeded.
    pub const QUOTA_EXCEEDED: u32 = 0x4d9;
    /// ecMaxSubmissionExceeded.
    pub const SUBMISSION_TOO_BIG: u32 = 0x4da;
    /// ecShutoffQuotaExceeded.
    pub const SHUTOFF_QUOTA_EXCEEDED: u32 = 0x4dd;
    /// ecMaxObjsExceeded.
    pub const TOO_MANY_OBJECTS: u32 = 0x4de;
    /// ecVirusScanInProgress.
    pub const VIRUS_SCAN: u32 = 0x50a;
    /// ecMapiTransportFailed-like: ecProtocolDisabled.
    pub const PROTOCOL_DISABLED: u32 = 0x7d8;
    /// ecWarnWithErrors.
    pub const WARN_WITH_ERRORS: u32 = 0x4_0380;
    /// ecPartialCompletion.
    pub const PARTIAL_COMPLETION: u32 = 0x4_0680;
    /// ecError.
    pub const FAILED: u32 = 0x8000_4005;
    /// ecNotSupported.
    pub const NOT_SUPPORTED: u32 = 0x8004_0102;
    /// ecInvalidEntryId.
    pub const INVALID_ENTRY_ID: u32 = 0x8004_0107;
    /// ecObjectModified.
    pub const OBJECT_MODIFIED: u32 = 0x8004_0109;
    /// ecObjectDeleted.
    pub const OBJECT_DELETED: u32 = 0x8004_010a;
    /// ecNotFound.
    pub const NOT_FOUND: u32 = 0x8004_010f;
    /// ecLoginFailure.
    pub const LOGIN_FAILURE: u32 = 0x8004_0111;
    /// ecRpcFailed.
    pub const RPC_FAILED: u32 = 0x8004_0115;
    /// ecTooBig.
    pub const TOO_BIG: u32 = 0x8004_0305;
    /// ecTimeout.
    pub const TIMEOUT: u32 = 0x8004_0401;
    /// ecDuplicateName.
    pub const DUPLICATE_NAME: u32 = 0x8004_0604;
    /// ecFolderHasFolders.
    pub const FOLDER_HAS_FOLDERS: u32 = 0x8004_0609;
    /// ecFolderCycle.
    pub const FOLDER_CYCLE: u32 = 0x8004_060b;
    /// SYNC_W_CLIENT_CHANGE_NEWER: it is done, and the client said it knows of more.
    pub const SYNC_CLIENT_CHANGE_NEWER: u32 = 0x4_0821;
    /// SYNC_E_OBJECT_DELETED.
    pub const SYNC_OBJECT_DELETED: u32 = 0x8004_0800;
    /// SYNC_E_IGNORE.
    pub const SYNC_IGNORE: u32 = 0x8004_0801;
    /// SYNC_E_CONFLICT.
    pub const SYNC_CONFLICT: u32 = 0x8004_0802;
    /// SYNC_E_NO_PARENT.
    pub const SYNC_NO_PARENT: u32 = 0x8004_0803;
    /// MAPI_E_NO_RECIPIENTS.
    pub const NO_RECIPIENTS: u32 = 0x8004_0607;
    /// ecTooManyRecips.
    pub const TOO_MANY_RECIPIENTS: u32 = 0x505;
    /// ecNPQuotaExceeded.
    pub const NAMED_PROPERTY_QUOTA: u32 = 0x8004_0900;
    /// ecNotImplemented.
    pub const NOT_IMPLEMENTED: u32 = 0x8004_0fff;
    /// ecAccessDenied.
    pub const ACCESS_DENIED: u32 = 0x8007_0005;
    /// ecMAPIOOM: the value does not fit and must be streamed.
    pub const NOT_ENOUGH_MEMORY: u32 = 0x8007_000e;
    /// ecInvalidParam.
    pub const INVALID_PARAMETER: u32 = 0x8007_0057;
}

impl Fault {
    /// Whether what was asked may have been done although no answer says so.
    pub const fn outcome_is_unknown(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Malformed(_))
    }

    /// Whether what was begun in a session context cannot be gone on with, while another one may serve.
    pub const fn lost_context(&self) -> bool {
        matches!(self, Self::Expired | Self::Lost(_))
    }

    /// How long to pause before what takes several requests, and may be begun anew, is; `None`: that is of no use.
    pub(crate) const fn begins_anew(&self) -> Option<Duration> {
        match self {
            Self::Expired | Self::Lost(_) | Self::Malformed(_) => Some(Duration::ZERO),
            Self::Busy(wait) if wait.as_millis() < PAUSE_MAX.as_millis() => Some(*wait),
            Self::Busy(_) => Some(PAUSE_MAX),
            _ => None,
        }
    }

    /// Whether the session context is of no more use.
    pub const fn ends_session(&self) -> bool {
        matches!(
            self,
            Self::Lost(_)
                | Self::Expired
                | Self::Malformed(_)
                | Self::Away(_)
                // The next context may have better credentials.
                | Self::Unauthenticated(_)
        )
    }

    /// What an operation's code means. Codes that concern the session become faults of the session.
    pub fn operation(rop: u8, code: u32) -> Self {
        match code {
            code::SERVER_BUSY | code::VIRUS_SCAN | code::TIMEOUT => Self::Busy(BUSY_DEFAULT),
            code::WRONG_SERVER => Self::Moved,
            // Another context has room for as many handles again.
            code::RPC_FAILED | code::TOO_MANY_OBJECTS => Self::Expired,
            _ => Self::Operation { rop, code },
        }
    }

    /// The fault below an error of the layers above, if it is one.
    pub(crate) fn of(error: &Error) -> Option<&Self> {
        error.source.as_ref()?.downcast_ref()
    }

    /// Whether the server cannot be reached, or went away in the middle: what was asked may be asked again later.
    pub(crate) const fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Away(_) | Self::Lost(_) | Self::Expired | Self::Moved
        )
    }

    /// What it means to the layers above.
    pub(crate) const fn kind(&self) -> ErrorKind {
        match self {
            Self::Away(_) | Self::Lost(_) | Self::Expired | Self::Moved | Self::Malformed(_) => {
                ErrorKind::Unavailable
            }
            Self::Busy(_) => ErrorKind::Throttled,
            Self::Unauthenticated(_) => ErrorKind::Unauthenticated,
            Self::Denied(_) => ErrorKind::Denied,
            Self::Operation { code, .. } => kind(*code),
        }
    }

    /// Whether the server says that there is no such thing, or that it is not for this user: it does not always tell
    /// the one from the other.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(
            self.code(),
            Some(code::NOT_FOUND | code::OBJECT_DELETED | code::ACCESS_DENIED)
        )
    }

    /// The code of a failed operation.
    pub const fn code(&self) -> Option<u32> {
        match self {
            Self::Operation { code, .. } => Some(*code),
            _ => None,
        }
    }
}

/// The meaning of an operation's code to the layers above.
const fn kind(of: u32) -> ErrorKind {
    match of {
        code::NOT_FOUND
        | code::OBJECT_DELETED
        | code::INVALID_ENTRY_ID
        | code::UNKNOWN_USER
        | code::SYNC_OBJECT_DELETED
        | code::SYNC_NO_PARENT => ErrorKind::NotFound,
        code::ACCESS_DENIED | code::LOGIN_PERMISSION | code::PROTOCOL_DISABLED => ErrorKind::Denied,
        code::OBJECT_MODIFIED | code::SYNC_CONFLICT => ErrorKind::Conflict,
        code::DUPLICATE_NAME => ErrorKind::Exists,
        code::FOLDER_CYCLE
        | code::FOLDER_HAS_FOLDERS
        | code::INVALID_PARAMETER
        | code::NO_RECIPIENTS
        | code::TOO_MANY_RECIPIENTS => ErrorKind::Invalid,
        code::QUOTA_EXCEEDED | code::SHUTOFF_QUOTA_EXCEEDED => ErrorKind::Quota,
        code::TOO_BIG | code::SUBMISSION_TOO_BIG => ErrorKind::TooBig,
        code::NOT_SUPPORTED | code::NOT_IMPLEMENTED => ErrorKind::Unsupported,
        code::LOGIN_FAILURE => ErrorKind::Unauthenticated,
        // The server is short of something, or says only that it failed: it may do better later.
        _ => ErrorKind::Unavailable,
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let (kind, context) = match &fault {
            Fault::Away(_) => (
                ErrorKind::Unavailable,
                "the Exchange server is out of reach",
            ),
            Fault::Lost(_) => (
                ErrorKind::Unavailable,
                "the Exchange server's answer was lost",
            ),
            Fault::Expired => (ErrorKind::Unavailable, "the Exchange session ended"),
            Fault::Busy(_) => (ErrorKind::Throttled, "the Exchange server is busy"),
            Fault::Unauthenticated(_) => (
                ErrorKind::Unauthenticated,
                "the Exchange server refuses the credentials",
            ),
            Fault::Denied(why) => (ErrorKind::Denied, *why),
            Fault::Moved => (
                ErrorKind::Unavailable,
                "the mailbox is being moved to another server",
            ),
            Fault::Malformed(_) => (
                ErrorKind::Unavailable,
                "the Exchange server's answer makes no sense",
            ),
            Fault::Operation { code, .. } => (kind(*code), "the Exchange server refused"),
        };
        Self::with_source(kind, context, fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(cause) => write!(f, "the server is out of reach: {cause}"),
            Self::Lost(cause) => write!(f, "the answer is lost: {cause}"),
            Self::Expired => f.write_str("the session context is gone"),
            Self::Busy(wait) => write!(f, "the server asks to wait {} ms", wait.as_millis()),
            Self::Unauthenticated(cause) => write!(f, "not authenticated: {cause}"),
            Self::Denied(why) => f.write_str(why),
            Self::Moved => f.write_str("the mailbox is on another server"),
            Self::Malformed(error) => write!(f, "malformed answer: {error}"),
            Self::Operation { rop, code } => write!(f, "ROP {rop:#04x} failed with {code:#010x}"),
        }
    }
}

impl StdError for Fault {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Away(cause) | Self::Lost(cause) | Self::Unauthenticated(cause) => Some(&**cause),
            Self::Malformed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

impl From<http::Error> for Fault {
    fn from(error: http::Error) -> Self {
        match error.sent {
            Sent::No => Self::Away(error.into()),
            Sent::Maybe => Self::Lost(error.into()),
        }
    }
}

impl From<auth::Error> for Fault {
    fn from(error: auth::Error) -> Self {
        match error {
            auth::Error::Http(error) => error.into(),
            // Nobody has refused anybody.
            other if other.is_temporary() => Self::Away(other.into()),
            other => Self::Unauthenticated(other.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::oauth;

    #[test]
    fn codes_say_what_they_mean_to_the_layers_above() {
        let check = |code, expected| {
            let error = Error::from(Fault::operation(0x02, code));
            assert_eq!(error.kind, expected, "{code:#x}");
        };
        check(code::NOT_FOUND, ErrorKind::NotFound);
        check(code::ACCESS_DENIED, ErrorKind::Denied);
        check(code::SERVER_BUSY, ErrorKind::Throttled);
        check(code::QUOTA_EXCEEDED, ErrorKind::Quota);
        check(0x8888_8888, ErrorKind::Unavailable);
    }

    #[test]
    fn an_issuer_that_is_away_has_not_refused_anybody() {
        let check = |error: oauth::Error, expected| {
            let error = Error::from(Fault::from(auth::Error::from(error)));
            assert_eq!(error.kind, expected);
        };
        let away = oauth::Error::Unavailable {
            why: "it answers 503".to_owned(),
            retry_after: None,
        };
        check(away, ErrorKind::Unavailable);
        let away = Error::from(Fault::from(auth::Error::Away("no answer".to_owned())));
        assert_eq!(away.kind, ErrorKind::Unavailable);
        let ended = oauth::Error::LoginNeeded("invalid_grant".to_owned());
        check(ended, ErrorKind::Unauthenticated);
    }
}
