//! Message flags: system flags as a closed set, keywords as checked atoms (RFC 3501 2.3.2).

use std::fmt;

/// A flag as a client may set it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Flag {
    /// `\Answered`
    Answered,
    /// `\Deleted`
    Deleted,
    /// `\Draft`
    Draft,
    /// `\Flagged`
    Flagged,
    /// `\Seen`
    Seen,
    /// A keyword, such as `$Forwarded`.
    Keyword(Keyword),
    /// A flag with a backslash that no standard lets a client set (`\Recent` among them); kept so that a server can
    /// ignore or refuse it. Without the backslash.
    Extension(Box<str>),
}

impl Flag {
    /// The flag's name on the wire, without the backslash of system flags.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Answered => "Answered",
            Self::Deleted => "Deleted",
            Self::Draft => "Draft",
            Self::Flagged => "Flagged",
            Self::Seen => "Seen",
            Self::Keyword(keyword) => keyword.as_str(),
            Self::Extension(name) => name,
        }
    }

    /// The system flag of that name (without backslash, any case), else an extension.
    pub(crate) fn system(name: &str) -> Self {
        for flag in [
            Self::Answered,
            Self::Deleted,
            Self::Draft,
            Self::Flagged,
            Self::Seen,
        ] {
            if flag.name().eq_ignore_ascii_case(name) {
                return flag;
            }
        }
        Self::Extension(name.into())
    }

    /// The bit of a system flag that is stored; none for keywords and extensions.
    #[must_use]
    pub fn bit(&self) -> Option<FlagBits> {
        match self {
            Self::Answered => Some(FlagBits::ANSWERED),
            Self::Deleted => Some(FlagBits::DELETED),
            Self::Draft => Some(FlagBits::DRAFT),
            Self::Flagged => Some(FlagBits::FLAGGED),
            Self::Seen => Some(FlagBits::SEEN),
            Self::Keyword(_) | Self::Extension(_) => None,
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self, Self::Keyword(_)) {
            f.write_str("\\")?;
        }
        f.write_str(self.name())
    }
}

/// A keyword: an atom, kept in the client's spelling, compared without regard to ASCII case.
#[derive(Clone, Debug)]
pub struct Keyword(Box<str>);

impl Keyword {
    /// A keyword, when `name` is an atom (RFC 3501 `flag-keyword`).
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let atom = !name.is_empty() && name.bytes().all(crate::cursor::is_atom_char);
        atom.then(|| Self(name.into()))
    }

    /// The keyword as it was spelled.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Keyword {}

impl std::hash::Hash for Keyword {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

/// A set of system flags in one octet: what a response writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FlagBits(pub u8);

impl FlagBits {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// `\Answered`
    pub const ANSWERED: Self = Self(1);
    /// `\Flagged`
    pub const FLAGGED: Self = Self(2);
    /// `\Deleted`
    pub const DELETED: Self = Self(4);
    /// `\Seen`
    pub const SEEN: Self = Self(8);
    /// `\Draft`
    pub const DRAFT: Self = Self(16);
    /// `\Recent`, which only a server sets.
    pub const RECENT: Self = Self(32);

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set without the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether no flag is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
