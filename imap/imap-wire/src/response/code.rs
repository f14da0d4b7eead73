//! Response codes (RFC 3501 7.1, RFC 5530 and extensions).

use super::text::{write_astring, write_line_text, write_number};
use crate::flag::FlagBits;
use crate::sequence::NumberSet;

/// A response code with its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code<'a> {
    /// `ALERT`: the text must be shown to the user.
    Alert,
    /// `ALREADYEXISTS`
    AlreadyExists,
    /// `APPENDUID` (RFC 4315)
    AppendUid {
        /// UIDVALIDITY of the mailbox.
        uid_validity: u32,
        /// UIDs of the new messages.
        uids: &'a NumberSet,
    },
    /// `AUTHENTICATIONFAILED`
    AuthenticationFailed,
    /// `AUTHORIZATIONFAILED`
    AuthorizationFailed,
    /// `BADCHARSET`, with the charsets that work.
    BadCharset(&'a [&'a str]),
    /// `BADEVENT` without its list (RFC 5465)
    BadEvent,
    /// `CANNOT`
    Cannot,
    /// `CAPABILITY`
    Capability(&'a [&'a str]),
    /// `CLIENTBUG`
    ClientBug,
    /// `CLOSED`: the mailbox selected before is closed (RFC 7162).
    Closed,
    /// `COMPRESSIONACTIVE` (RFC 4978)
    CompressionActive,
    /// `CONTACTADMIN`
    ContactAdmin,
    /// `COPYUID` (RFC 4315). Both sets ascend together.
    CopyUid {
        /// UIDVALIDITY of the target.
        uid_validity: u32,
        /// UIDs copied.
        source: &'a NumberSet,
        /// UIDs given, in the same order.
        target: &'a NumberSet,
    },
    /// `CORRUPTION`
    Corruption,
    /// `EXPIRED`
    Expired,
    /// `EXPUNGEISSUED`
    ExpungeIssued,
    /// `HASCHILDREN` (RFC 9051)
    HasChildren,
    /// `HIGHESTMODSEQ` (RFC 7162)
    HighestModSeq(u64),
    /// `INUSE`
    InUse,
    /// `LIMIT`
    Limit,
    /// `MAILBOXID` (RFC 8474)
    MailboxId(&'a str),
    /// `MODIFIED`: what failed the UNCHANGEDSINCE test (RFC 7162).
    Modified(&'a NumberSet),
    /// `NOMODSEQ` (RFC 7162)
    NoModSeq,
    /// `NONEXISTENT`
    NonExistent,
    /// `NOPERM`
    NoPerm,
    /// `NOTIFICATIONOVERFLOW` (RFC 5465)
    NotificationOverflow,
    /// `NOTSAVED` (RFC 5182)
    NotSaved,
    /// `NOUPDATE` with the tag of the search (RFC 5267)
    NoUpdate(&'a str),
    /// `OVERQUOTA`
    OverQuota,
    /// `PARSE`
    Parse,
    /// `PERMANENTFLAGS`
    PermanentFlags(PermanentFlags<'a>),
    /// `PRIVACYREQUIRED`
    PrivacyRequired,
    /// `READ-ONLY`
    ReadOnly,
    /// `READ-WRITE`
    ReadWrite,
    /// `SERVERBUG`
    ServerBug,
    /// `TOOBIG` (RFC 7889)
    TooBig,
    /// `TRYCREATE`
    TryCreate,
    /// `UIDNEXT`
    UidNext(u32),
    /// `UIDNOTSTICKY` (RFC 4315)
    UidNotSticky,
    /// `UIDREQUIRED` (RFC 9586)
    UidRequired,
    /// `UIDVALIDITY`
    UidValidity(u32),
    /// `UNAVAILABLE`
    Unavailable,
    /// `UNKNOWN-CTE` (RFC 3516)
    UnknownCte,
    /// `UNSEEN`: the first message without `\Seen`.
    Unseen(u32),
    /// `USEATTR` (RFC 6154)
    UseAttr,
    /// Another code, as it is written.
    Other(&'a str),
}

/// The flags a client can change for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermanentFlags<'a> {
    /// System flags.
    pub flags: FlagBits,
    /// Keywords in use.
    pub keywords: &'a [&'a str],
    /// Whether new keywords can be made (`\*`).
    pub new_keywords: bool,
}

impl Code<'_> {
    /// Appends the code without its brackets.
    pub fn write(&self, out: &mut Vec<u8>) {
        match *self {
            Self::AppendUid { uid_validity, uids } => {
                number(out, "APPENDUID ", u64::from(uid_validity));
                set(out, " ", uids);
            }
            Self::CopyUid {
                uid_validity,
                source,
                target,
            } => {
                number(out, "COPYUID ", u64::from(uid_validity));
                set(out, " ", source);
                set(out, " ", target);
            }
            Self::BadCharset(charsets) => {
                out.extend_from_slice(b"BADCHARSET");
                for (index, charset) in charsets.iter().enumerate() {
                    out.extend_from_slice(if index == 0 { b" (" } else { b" " });
                    write_astring(out, charset.as_bytes());
                }
                if !charsets.is_empty() {
                    out.push(b')');
                }
            }
            Self::Capability(names) => {
                out.extend_from_slice(b"CAPABILITY");
                for name in names {
                    out.push(b' ');
                    write_line_text(out, name);
                }
            }
            Self::HighestModSeq(value) => number(out, "HIGHESTMODSEQ ", value),
            Self::MailboxId(id) => {
                out.extend_from_slice(b"MAILBOXID (");
                write_line_text(out, id);
                out.push(b')');
            }
            Self::Modified(numbers) => set(out, "MODIFIED ", numbers),
            Self::NoUpdate(tag) => {
                out.extend_from_slice(b"NOUPDATE \"");
                write_line_text(out, tag);
                out.push(b'"');
            }
            Self::PermanentFlags(flags) => flags.write(out),
            Self::UidNext(uid) => number(out, "UIDNEXT ", u64::from(uid)),
            Self::UidValidity(value) => number(out, "UIDVALIDITY ", u64::from(value)),
            Self::Unseen(sequence) => number(out, "UNSEEN ", u64::from(sequence)),
            Self::Other(text) => write_line_text(out, text),
            ref plain => out.extend_from_slice(plain.plain_name().as_bytes()),
        }
    }

    /// The name of a code without data.
    const fn plain_name(&self) -> &'static str {
        match self {
            Self::Alert => "ALERT",
            Self::AlreadyExists => "ALREADYEXISTS",
            Self::AuthenticationFailed => "AUTHENTICATIONFAILED",
            Self::AuthorizationFailed => "AUTHORIZATIONFAILED",
            Self::BadEvent => "BADEVENT",
            Self::Cannot => "CANNOT",
            Self::ClientBug => "CLIENTBUG",
            Self::Closed => "CLOSED",
            Self::CompressionActive => "COMPRESSIONACTIVE",
            Self::ContactAdmin => "CONTACTADMIN",
            Self::Corruption => "CORRUPTION",
            Self::Expired => "EXPIRED",
            Self::ExpungeIssued => "EXPUNGEISSUED",
            Self::HasChildren => "HASCHILDREN",
            Self::InUse => "INUSE",
            Self::Limit => "LIMIT",
            Self::NoModSeq => "NOMODSEQ",
            Self::NonExistent => "NONEXISTENT",
            Self::NoPerm => "NOPERM",
            Self::NotificationOverflow => "NOTIFICATIONOVERFLOW",
            Self::NotSaved => "NOTSAVED",
            Self::OverQuota => "OVERQUOTA",
            Self::Parse => "PARSE",
            Self::PrivacyRequired => "PRIVACYREQUIRED",
            Self::ReadOnly => "READ-ONLY",
            Self::ReadWrite => "READ-WRITE",
            Self::ServerBug => "SERVERBUG",
            Self::TooBig => "TOOBIG",
            Self::TryCreate => "TRYCREATE",
            Self::UidNotSticky => "UIDNOTSTICKY",
            Self::UidRequired => "UIDREQUIRED",
            Self::Unavailable => "UNAVAILABLE",
            Self::UnknownCte => "UNKNOWN-CTE",
            Self::UseAttr => "USEATTR",
            // These carry data and are written by `write`.
            Self::AppendUid { .. } => "APPENDUID",
            Self::BadCharset(_) => "BADCHARSET",
            Self::Capability(_) => "CAPABILITY",
            Self::CopyUid { .. } => "COPYUID",
            Self::HighestModSeq(_) => "HIGHESTMODSEQ",
            Self::MailboxId(_) => "MAILBOXID",
            Self::Modified(_) => "MODIFIED",
            Self::NoUpdate(_) => "NOUPDATE",
            Self::PermanentFlags(_) => "PERMANENTFLAGS",
            Self::UidNext(_) => "UIDNEXT",
            Self::UidValidity(_) => "UIDVALIDITY",
            Self::Unseen(_) => "UNSEEN",
            Self::Other(_) => "",
        }
    }
}

impl PermanentFlags<'_> {
    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"PERMANENTFLAGS ");
        super::fetch::write_flags(out, self.flags, self.keywords.iter().copied());
        if self.new_keywords {
            // Inside the list that was just closed.
            out.pop();
            let empty = out.last() == Some(&b'(');
            out.extend_from_slice(if empty { b"\\*)" } else { b" \\*)" });
        }
    }
}

fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    out.extend_from_slice(name.as_bytes());
    write_number(out, value);
}

fn set(out: &mut Vec<u8>, name: &str, numbers: &NumberSet) {
    out.extend_from_slice(name.as_bytes());
    numbers.write(out);
}
