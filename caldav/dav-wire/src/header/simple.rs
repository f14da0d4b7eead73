//! Headers with a word or two: Depth, Overwrite, Timeout, Lock-Token, Prefer and Brief.

use std::fmt;

/// How deep a request goes (RFC 4918 10.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    /// The resource.
    Zero,
    /// The resource and its members.
    One,
    /// Everything below it, too.
    Infinity,
}

impl Depth {
    /// Reads a Depth header; nothing, if it is not valid. What `,noroot` adds is dropped: clients say it in Prefer.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        let depth = value.split(',').next().unwrap_or_default().trim();
        match depth {
            "0" => Some(Self::Zero),
            "1" => Some(Self::One),
            _ if depth.eq_ignore_ascii_case("infinity") => Some(Self::Infinity),
            _ => None,
        }
    }
}

/// Reads an Overwrite header (RFC 4918 10.6): true without one, nothing if it is not valid.
#[must_use]
pub fn overwrite(value: Option<&str>) -> Option<bool> {
    match value.map(str::trim) {
        None | Some("T" | "t") => Some(true),
        Some("F" | "f") => Some(false),
        Some(_) => None,
    }
}

/// How long a lock is wanted (RFC 4918 10.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockTimeout {
    /// So many seconds.
    Seconds(u32),
    /// For ever.
    Infinite,
}

/// Reads a Timeout header: the first wish in it that can be read; nothing, if there is none.
#[must_use]
pub fn parse_timeout(value: &str) -> Option<LockTimeout> {
    value.split(',').find_map(|wish| {
        let wish = wish.trim();
        if wish.eq_ignore_ascii_case("infinite") {
            return Some(LockTimeout::Infinite);
        }
        let (unit, digits) = wish.split_at_checked("Second-".len())?;
        if !unit.eq_ignore_ascii_case("Second-") || digits.is_empty() {
            return None;
        }
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // RFC 4918 10.7: up to 2^32-1; more means as long as can be.
        Some(LockTimeout::Seconds(digits.parse().unwrap_or(u32::MAX)))
    })
}

impl fmt::Display for LockTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "Second-{seconds}"),
            Self::Infinite => f.write_str("Infinite"),
        }
    }
}

/// Reads a Lock-Token header: the token without its brackets (RFC 4918 10.5).
#[must_use]
pub fn parse_lock_token(value: &str) -> Option<&str> {
    let token = value.trim().strip_prefix('<')?.strip_suffix('>')?;
    let is_uri = token.contains(':') && !token.contains(['<', '>', ' ', '"']);
    is_uri.then_some(token)
}

/// A token as a Lock-Token header has it.
#[must_use]
pub fn write_lock_token(token: &str) -> String {
    format!("<{token}>")
}

/// What a client would like of the answer: Prefer (RFC 7240, RFC 8144) and Microsoft's Brief.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Preferences {
    /// `return=minimal`, or `Brief: t`: no properties that are not found, no bodies that say only success.
    pub is_minimal: bool,
    /// `return=representation`: the object after the change.
    pub wants_representation: bool,
    /// `depth-noroot`: the members alone.
    pub without_root: bool,
}

impl Preferences {
    /// Reads all Prefer headers and the Brief header. What is not known is passed over (RFC 7240 2).
    #[must_use]
    pub fn parse<'a>(prefer: impl IntoIterator<Item = &'a str>, brief: Option<&str>) -> Self {
        let mut preferences = Self {
            is_minimal: brief.is_some_and(|value| value.trim().eq_ignore_ascii_case("t")),
            ..Self::default()
        };
        for one in prefer.into_iter().flat_map(|value| value.split(',')) {
            // Parameters of a preference say nothing here.
            let one = one.split(';').next().unwrap_or_default();
            let (name, value) = one.split_once('=').unwrap_or((one, ""));
            let value = value.trim().trim_matches('"');
            let name = name.trim();
            if name.eq_ignore_ascii_case("return") {
                preferences.is_minimal |= value.eq_ignore_ascii_case("minimal");
                preferences.wants_representation |= value.eq_ignore_ascii_case("representation");
            } else if name.eq_ignore_ascii_case("depth-noroot") {
                preferences.without_root = true;
            } else if name.eq_ignore_ascii_case("return-minimal") {
                // The form before RFC 7240, which old clients still send.
                preferences.is_minimal = true;
            }
        }
        preferences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depths() {
        for (value, expected) in [
            ("0", Some(Depth::Zero)),
            (" 1 ", Some(Depth::One)),
            ("1,noroot", Some(Depth::One)),
            ("Infinity", Some(Depth::Infinity)),
            ("2", None),
            ("", None),
            ("-1", None),
        ] {
            assert_eq!(Depth::parse(value), expected, "{value}");
        }
    }

    #[test]
    fn overwriting_is_allowed_unless_forbidden() {
        for (value, expected) in [
            (None, Some(true)),
            (Some("T"), Some(true)),
            (Some("F"), Some(false)),
            (Some("no"), None),
        ] {
            assert_eq!(overwrite(value), expected);
        }
    }

    #[test]
    fn the_first_timeout_that_can_be_read_counts() {
        for (value, expected) in [
            ("Infinite, Second-4100000000", Some(LockTimeout::Infinite)),
            ("Second-604800", Some(LockTimeout::Seconds(604_800))),
            ("Extend-1, second-3", Some(LockTimeout::Seconds(3))),
            ("Second-99999999999", Some(LockTimeout::Seconds(u32::MAX))),
            ("Second--1", None),
            ("Second-", None),
            ("Sécond-1", None),
            ("", None),
        ] {
            assert_eq!(parse_timeout(value), expected, "{value}");
        }
        assert_eq!(LockTimeout::Seconds(5).to_string(), "Second-5");
    }

    #[test]
    fn lock_tokens_stand_in_brackets() {
        assert_eq!(parse_lock_token(" <urn:uuid:1> "), Some("urn:uuid:1"));
        for value in ["urn:uuid:1", "<1>", "<a:<b>", "<", ""] {
            assert_eq!(parse_lock_token(value), None, "{value}");
        }
        assert_eq!(write_lock_token("urn:uuid:1"), "<urn:uuid:1>");
    }

    #[test]
    fn preferences_add_up() {
        let minimal = Preferences {
            is_minimal: true,
            ..Preferences::default()
        };
        assert_eq!(Preferences::parse([], Some("t")), minimal);
        assert_eq!(Preferences::parse(["return=minimal"], Some("f")), minimal);
        assert_eq!(
            Preferences::parse(["Return = \"minimal\"; foo=bar"], None),
            minimal
        );
        assert_eq!(
            Preferences::parse(["wait=10, respond-async"], None),
            Preferences::default()
        );
        let all = Preferences::parse(["depth-noroot, return=representation", "x"], None);
        assert!(all.without_root && all.wants_representation && !all.is_minimal);
    }
}
