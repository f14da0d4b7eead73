//! CREATE with special uses (RFC 6154), RENAME, and the special uses themselves.

use crate::cursor::{Cursor, DecodeError};
use crate::mailbox::MailboxName;

/// `CREATE mailbox [(USE (…))]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The new mailbox; a trailing hierarchy separator is kept.
    pub mailbox: MailboxName,
    /// What it is for.
    pub special_uses: Vec<SpecialUse>,
}

/// `RENAME from to`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The mailbox as it is called now.
    pub from: MailboxName,
    /// Its new name.
    pub to: MailboxName,
}

/// What a mailbox is for (RFC 6154 2, RFC 8457).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SpecialUse {
    /// `\All`
    All,
    /// `\Archive`
    Archive,
    /// `\Drafts`
    Drafts,
    /// `\Flagged`
    Flagged,
    /// `\Important`
    Important,
    /// `\Junk`
    Junk,
    /// `\Sent`
    Sent,
    /// `\Trash`
    Trash,
    /// Another one, without its backslash.
    Other(Box<str>),
}

impl SpecialUse {
    const KNOWN: [Self; 8] = [
        Self::All,
        Self::Archive,
        Self::Drafts,
        Self::Flagged,
        Self::Important,
        Self::Junk,
        Self::Sent,
        Self::Trash,
    ];

    /// The attribute without its backslash.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::All => "All",
            Self::Archive => "Archive",
            Self::Drafts => "Drafts",
            Self::Flagged => "Flagged",
            Self::Important => "Important",
            Self::Junk => "Junk",
            Self::Sent => "Sent",
            Self::Trash => "Trash",
            Self::Other(name) => name,
        }
    }
}

pub(super) fn create(cursor: &mut Cursor<'_>) -> Result<Create, DecodeError> {
    let mailbox = cursor.mailbox()?;
    let mut special_uses = Vec::new();
    if cursor.take(b' ') {
        cursor.expect(b'(', "a list of parameters")?;
        cursor.expect_word("USE", "USE")?;
        cursor.space()?;
        cursor.expect(b'(', "a list of special uses")?;
        while cursor.next_item(special_uses.len())? {
            cursor.expect(b'\\', "a special use")?;
            let name = cursor.atom("a special use")?;
            let known = SpecialUse::KNOWN.into_iter();
            let mut known = known.filter(|known| known.name().eq_ignore_ascii_case(name));
            special_uses.push(
                known
                    .next()
                    .unwrap_or_else(|| SpecialUse::Other(name.into())),
            );
        }
        cursor.expect(b')', "\")\"")?;
    }
    Ok(Create {
        mailbox,
        special_uses,
    })
}

pub(super) fn rename(cursor: &mut Cursor<'_>) -> Result<Rename, DecodeError> {
    let from = cursor.mailbox()?;
    cursor.space()?;
    Ok(Rename {
        from,
        to: cursor.mailbox()?,
    })
}
