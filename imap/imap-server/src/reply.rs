//! How a command ends: what its tagged response says, and whose fault a failure is.

use std::{borrow::Cow, io};

use account::{Error, ErrorKind};
use imap_wire::{Code, NumberSet, Status, Tag, Writer};

/// A command that succeeded.
#[derive(Debug)]
pub(crate) struct Done {
    /// What the response code says.
    pub(crate) code: DoneCode,
    /// The text for humans.
    pub(crate) text: &'static str,
}

/// The response code of a tagged OK.
#[derive(Debug)]
pub(crate) enum DoneCode {
    /// None.
    None,
    /// One without data of its own.
    Plain(Code<'static>),
    /// `APPENDUID`
    AppendUid {
        /// UIDVALIDITY of the mailbox.
        uid_validity: u32,
        /// The new UIDs.
        uids: NumberSet,
    },
    /// `COPYUID`
    CopyUid(CopyUid),
    /// `MODIFIED`: numbers of the kind the command used.
    Modified(NumberSet),
    /// `CAPABILITY`
    Capability(Vec<&'static str>),
}

/// The data of `COPYUID`: both sets ascend together.
#[derive(Debug)]
pub(crate) struct CopyUid {
    /// UIDVALIDITY of the target.
    pub(crate) uid_validity: u32,
    /// UIDs in the source.
    pub(crate) source: NumberSet,
    /// UIDs in the target.
    pub(crate) target: NumberSet,
}

/// A command that failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The client's fault: BAD.
    Bad(Cow<'static, str>),
    /// It cannot be done: NO.
    No(Option<Code<'static>>, Cow<'static, str>),
    /// The connection cannot go on: BYE.
    Bye(&'static str),
    /// The client is gone.
    Io(io::Error),
}

/// The end of a command.
pub(crate) type Reply = Result<Done, Failure>;

impl Done {
    /// Success without a code.
    pub(crate) const fn new(text: &'static str) -> Self {
        Self {
            code: DoneCode::None,
            text,
        }
    }

    /// Success with a code that has no data.
    pub(crate) const fn with(code: Code<'static>, text: &'static str) -> Self {
        Self {
            code: DoneCode::Plain(code),
            text,
        }
    }

    /// Writes the tagged OK.
    pub(crate) fn write(&self, tag: &Tag, out: &mut Writer<'_>) {
        let code = match &self.code {
            DoneCode::None => None,
            DoneCode::Plain(code) => Some(*code),
            DoneCode::AppendUid { uid_validity, uids } => Some(Code::AppendUid {
                uid_validity: *uid_validity,
                uids,
            }),
            DoneCode::CopyUid(pair) => Some(pair.code()),
            DoneCode::Modified(numbers) => Some(Code::Modified(numbers)),
            DoneCode::Capability(names) => Some(Code::Capability(names)),
        };
        out.tagged(tag, Status::Ok, code.as_ref(), self.text);
    }
}

impl CopyUid {
    /// As a response code.
    pub(crate) const fn code(&self) -> Code<'_> {
        let Self {
            uid_validity,
            source,
            target,
        } = self;
        Code::CopyUid {
            uid_validity: *uid_validity,
            source,
            target,
        }
    }
}

impl Failure {
    /// BAD with a reason.
    pub(crate) fn bad(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Bad(reason.into())
    }

    /// NO with a code and a reason.
    pub(crate) fn no(code: Code<'static>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::No(Some(code), reason.into())
    }

    /// NO: there is no such mailbox.
    pub(crate) fn no_mailbox() -> Self {
        Self::no(Code::NonExistent, "no such mailbox")
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error.kind {
            ErrorKind::Conflict => Some(Code::InUse),
            ErrorKind::Corrupt => Some(Code::Corruption),
            ErrorKind::Denied => Some(Code::NoPerm),
            ErrorKind::Exists => Some(Code::AlreadyExists),
            ErrorKind::Internal => Some(Code::ServerBug),
            ErrorKind::Invalid | ErrorKind::Unsupported => Some(Code::Cannot),
            ErrorKind::NotFound => Some(Code::NonExistent),
            ErrorKind::Quota => Some(Code::OverQuota),
            ErrorKind::TooBig => Some(Code::TooBig),
            ErrorKind::Unauthenticated => Some(Code::AuthenticationFailed),
            // RFC 5530 3: LIMIT is for bounds that stay, UNAVAILABLE for what passes.
            ErrorKind::Throttled | ErrorKind::Unavailable => Some(Code::Unavailable),
        };
        if matches!(
            error.kind,
            ErrorKind::Corrupt
                | ErrorKind::Internal
                | ErrorKind::Throttled
                | ErrorKind::Unavailable
        ) {
            tracing::warn!(%error, cause = error.source.as_ref().map(tracing::field::display), "command failed");
        }
        // The context may name what only the log should know when the fault is ours.
        let text: Cow<'static, str> = match error.kind {
            ErrorKind::Corrupt => "stored data is damaged".into(),
            ErrorKind::Internal => "internal error".into(),
            ErrorKind::Throttled => "too much to do, try again later".into(),
            ErrorKind::Unavailable => "temporarily unavailable".into(),
            _ => error.context,
        };
        Self::No(code, text)
    }
}
