//! Commands: what a client asks for, decoded from one frame.
//!
//! One file per group of commands; each holds the group's types and the code that reads them.

pub mod append;
pub mod auth;
pub mod fetch;
pub mod id;
pub mod list;
pub mod mailbox;
mod quota;
pub mod search;
pub mod select;
pub mod status;
pub mod store;

use std::fmt;

use crate::cursor::{Cursor, DecodeError, is_astring_char};
use crate::frame::Frame;
use crate::sequence::MessageSet;

/// The label a client gives a command: ASTRING-CHARs without `+` (RFC 3501 9, `tag`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag(Box<str>);

impl Tag {
    /// Octets of the longest tag that is taken for one.
    pub const BYTES_MAX: usize = 256;

    /// The tag, when it is one.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let valid = !bytes.is_empty()
            && bytes.len() <= Self::BYTES_MAX
            && bytes
                .iter()
                .all(|&byte| is_astring_char(byte) && byte != b'+');
        let text = std::str::from_utf8(bytes).ok().filter(|_| valid)?;
        Some(Self(text.into()))
    }

    /// The tag's characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A command with its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What the tagged response repeats.
    pub tag: Tag,
    /// What is asked for.
    pub body: CommandBody,
}

/// Every command this grammar knows. `uid` fields say whether numbers are UIDs (the `UID` prefix) or sequence numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandBody {
    /// `CAPABILITY`
    Capability,
    /// `NOOP`
    Noop,
    /// `LOGOUT`
    Logout,
    /// `STARTTLS`
    StartTls,
    /// `AUTHENTICATE`, with an initial response or without (RFC 4959).
    Authenticate(auth::Authenticate),
    /// `LOGIN`
    Login(auth::Login),
    /// `UNAUTHENTICATE` (RFC 8437)
    Unauthenticate,
    /// `COMPRESS` (RFC 4978) with the algorithm in upper case.
    Compress(Box<str>),
    /// `ID` (RFC 2971); the pairs are empty for `NIL`.
    Id(Vec<id::IdPair>),
    /// `ENABLE` (RFC 5161): capability names in upper case.
    Enable(Vec<Box<str>>),
    /// `NAMESPACE` (RFC 2342)
    Namespace,
    /// `GETQUOTA` (RFC 9208): a quota root.
    GetQuota(Box<[u8]>),
    /// `GETQUOTAROOT` (RFC 9208)
    GetQuotaRoot(crate::MailboxName),
    /// `SETQUOTA` (RFC 9208): a quota root.
    SetQuota(Box<[u8]>),
    /// `IDLE` (RFC 2177). The session next switches the framer to [`Mode::Line`](crate::Mode::Line).
    Idle,
    /// `SELECT`
    Select(select::Select),
    /// `EXAMINE`
    Examine(select::Select),
    /// `CLOSE`
    Close,
    /// `UNSELECT` (RFC 3691)
    Unselect,
    /// `CHECK`
    Check,
    /// `CREATE`, with `USE` (RFC 6154) or without.
    Create(mailbox::Create),
    /// `DELETE`
    Delete(crate::MailboxName),
    /// `RENAME`
    Rename(mailbox::Rename),
    /// `SUBSCRIBE`
    Subscribe(crate::MailboxName),
    /// `UNSUBSCRIBE`
    Unsubscribe(crate::MailboxName),
    /// `LIST`, plain or extended (RFC 5258), with `RETURN (STATUS …)` (RFC 5819).
    List(list::List),
    /// `LSUB`
    Lsub(list::Lsub),
    /// `STATUS`
    Status(status::StatusCommand),
    /// `APPEND`, of one message or several (RFC 3502).
    Append(append::Append),
    /// `EXPUNGE`, or with UIDs `UID EXPUNGE` (RFC 4315).
    Expunge(Option<MessageSet>),
    /// `SEARCH`, `UID SEARCH`
    Search(search::Search),
    /// `FETCH`, `UID FETCH`
    Fetch(fetch::Fetch),
    /// `STORE`, `UID STORE`
    Store(store::Store),
    /// `COPY`, `UID COPY`
    Copy(store::Transfer),
    /// `MOVE`, `UID MOVE` (RFC 6851)
    Move(store::Transfer),
}

impl CommandBody {
    /// The command's name as in the standard, without `UID`; for logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Capability => "CAPABILITY",
            Self::Noop => "NOOP",
            Self::Logout => "LOGOUT",
            Self::StartTls => "STARTTLS",
            Self::Authenticate(_) => "AUTHENTICATE",
            Self::Login(_) => "LOGIN",
            Self::Unauthenticate => "UNAUTHENTICATE",
            Self::Compress(_) => "COMPRESS",
            Self::Id(_) => "ID",
            Self::Enable(_) => "ENABLE",
            Self::Namespace => "NAMESPACE",
            Self::GetQuota(_) => "GETQUOTA",
            Self::GetQuotaRoot(_) => "GETQUOTAROOT",
            Self::SetQuota(_) => "SETQUOTA",
            Self::Idle => "IDLE",
            Self::Select(_) => "SELECT",
            Self::Examine(_) => "EXAMINE",
            Self::Close => "CLOSE",
            Self::Unselect => "UNSELECT",
            Self::Check => "CHECK",
            Self::Create(_) => "CREATE",
            Self::Delete(_) => "DELETE",
            Self::Rename(_) => "RENAME",
            Self::Subscribe(_) => "SUBSCRIBE",
            Self::Unsubscribe(_) => "UNSUBSCRIBE",
            Self::List(_) => "LIST",
            Self::Lsub(_) => "LSUB",
            Self::Status(_) => "STATUS",
            Self::Append(_) => "APPEND",
            Self::Expunge(_) => "EXPUNGE",
            Self::Search(_) => "SEARCH",
            Self::Fetch(_) => "FETCH",
            Self::Store(_) => "STORE",
            Self::Copy(_) => "COPY",
            Self::Move(_) => "MOVE",
        }
    }
}

/// Decodes a complete frame.
///
/// The error names the position in the frame and what was expected there, and keeps the tag when one was read: the
/// answer is a tagged BAD, else an untagged one.
pub fn decode(frame: Frame<'_>) -> Result<Command, DecodeError> {
    let mut cursor = Cursor::new(frame);
    let tag = cursor.tag()?;
    let body = body(&mut cursor).and_then(|body| cursor.end_of_command().map(|()| body));
    match body {
        Ok(body) => Ok(Command { tag, body }),
        Err(error) => Err(DecodeError {
            tag: Some(tag),
            ..error
        }),
    }
}

/// Reads the arguments of a command, behind the space.
type Arguments = fn(&mut Cursor<'_>) -> Result<CommandBody, DecodeError>;

fn body(cursor: &mut Cursor<'_>) -> Result<CommandBody, DecodeError> {
    cursor.space()?;
    let at = cursor.at();
    let name = cursor.atom_upper("a command name")?;
    if &*name == "UID" {
        return uid_body(cursor);
    }
    if let Some(body) = bare(&name) {
        return Ok(body);
    }
    let arguments: Arguments = match &*name {
        "AUTHENTICATE" => |cursor| auth::authenticate(cursor).map(CommandBody::Authenticate),
        "LOGIN" => |cursor| auth::login(cursor).map(CommandBody::Login),
        "COMPRESS" => |cursor| cursor.atom_upper("an algorithm").map(CommandBody::Compress),
        "ID" => |cursor| id::id(cursor).map(CommandBody::Id),
        "ENABLE" => |cursor| id::enable(cursor).map(CommandBody::Enable),
        "SELECT" => |cursor| select::select(cursor).map(CommandBody::Select),
        "EXAMINE" => |cursor| select::select(cursor).map(CommandBody::Examine),
        "CREATE" => |cursor| mailbox::create(cursor).map(CommandBody::Create),
        "DELETE" => |cursor| cursor.mailbox().map(CommandBody::Delete),
        "RENAME" => |cursor| mailbox::rename(cursor).map(CommandBody::Rename),
        "SUBSCRIBE" => |cursor| cursor.mailbox().map(CommandBody::Subscribe),
        "UNSUBSCRIBE" => |cursor| cursor.mailbox().map(CommandBody::Unsubscribe),
        "LIST" => |cursor| list::list(cursor).map(CommandBody::List),
        "LSUB" => |cursor| list::lsub(cursor).map(CommandBody::Lsub),
        "STATUS" => |cursor| status::status(cursor).map(CommandBody::Status),
        "GETQUOTA" => |cursor| quota::get_quota(cursor).map(CommandBody::GetQuota),
        "GETQUOTAROOT" => |cursor| cursor.mailbox().map(CommandBody::GetQuotaRoot),
        "SETQUOTA" => |cursor| quota::set_quota(cursor).map(CommandBody::SetQuota),
        "APPEND" => |cursor| append::append(cursor).map(CommandBody::Append),
        name => by_number(name, false).ok_or(DecodeError::new(at, "a command name"))?,
    };
    cursor.space()?;
    arguments(cursor)
}

/// Commands without arguments.
fn bare(name: &str) -> Option<CommandBody> {
    Some(match name {
        "CAPABILITY" => CommandBody::Capability,
        "NOOP" => CommandBody::Noop,
        "LOGOUT" => CommandBody::Logout,
        "STARTTLS" => CommandBody::StartTls,
        "UNAUTHENTICATE" => CommandBody::Unauthenticate,
        "NAMESPACE" => CommandBody::Namespace,
        "IDLE" => CommandBody::Idle,
        "CLOSE" => CommandBody::Close,
        "UNSELECT" => CommandBody::Unselect,
        "CHECK" => CommandBody::Check,
        "EXPUNGE" => CommandBody::Expunge(None),
        _ => return None,
    })
}

/// Commands behind `UID` (RFC 3501 6.4.8).
fn uid_body(cursor: &mut Cursor<'_>) -> Result<CommandBody, DecodeError> {
    const KNOWN: &str = "SEARCH, FETCH, STORE, COPY, MOVE or EXPUNGE";
    cursor.space()?;
    let at = cursor.at();
    let name = cursor.atom_upper(KNOWN)?;
    let arguments = by_number(&name, true).ok_or(DecodeError::new(at, KNOWN))?;
    cursor.space()?;
    arguments(cursor)
}

/// Commands that name messages by sequence number or UID.
fn by_number(name: &str, uid: bool) -> Option<Arguments> {
    Some(match (name, uid) {
        ("SEARCH", false) => |cursor| search::search(cursor, false).map(CommandBody::Search),
        ("SEARCH", true) => |cursor| search::search(cursor, true).map(CommandBody::Search),
        ("FETCH", false) => |cursor| fetch::fetch(cursor, false).map(CommandBody::Fetch),
        ("FETCH", true) => |cursor| fetch::fetch(cursor, true).map(CommandBody::Fetch),
        ("STORE", false) => |cursor| store::store(cursor, false).map(CommandBody::Store),
        ("STORE", true) => |cursor| store::store(cursor, true).map(CommandBody::Store),
        ("COPY", false) => |cursor| store::transfer(cursor, false).map(CommandBody::Copy),
        ("COPY", true) => |cursor| store::transfer(cursor, true).map(CommandBody::Copy),
        ("MOVE", false) => |cursor| store::transfer(cursor, false).map(CommandBody::Move),
        ("MOVE", true) => |cursor| store::transfer(cursor, true).map(CommandBody::Move),
        ("EXPUNGE", true) => |cursor| {
            cursor
                .message_set()
                .map(|set| CommandBody::Expunge(Some(set)))
        },
        _ => return None,
    })
}
