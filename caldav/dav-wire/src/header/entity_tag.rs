//! Entity tags: If-Match, If-None-Match (RFC 9110 13.1) and If-Schedule-Tag-Match (RFC 6638 8.3).

use std::fmt;

use crate::limits::{ENTITY_TAGS_MAX, HEADER_BYTES_MAX};

/// An entity tag, or a schedule tag, which has the same form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntityTag {
    /// Whether equal tags do not mean equal octets.
    pub is_weak: bool,
    /// What stands between the quotation marks.
    pub opaque: String,
}

impl EntityTag {
    /// A strong tag.
    #[must_use]
    pub fn strong(opaque: impl Into<String>) -> Self {
        Self {
            is_weak: false,
            opaque: opaque.into(),
        }
    }

    /// Reads one tag and nothing more. A tag without quotation marks is taken, too: some clients lose them.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (tag, rest) = Self::first(value.trim())?;
        rest.is_empty().then_some(tag)
    }

    /// Whether both are strong and equal (RFC 9110 8.8.3.2).
    #[must_use]
    pub fn is_strongly(&self, other: &Self) -> bool {
        !self.is_weak && !other.is_weak && self.opaque == other.opaque
    }

    /// The tag that the text begins with, and what follows.
    pub(crate) fn first(text: &str) -> Option<(Self, &str)> {
        let (is_weak, text) = match text.strip_prefix("W/") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (opaque, rest) = match text.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => text.split_at(text.find([',', ' ', '\t', ']']).unwrap_or(text.len())),
        };
        // RFC 9110 8.8.3: no white space, no control characters, no quotation marks.
        if opaque.contains(|c: char| c <= ' ' || c == '\u{7f}' || c == '"') {
            return None;
        }
        let is_bare = !text.starts_with('"');
        if is_bare && (opaque.is_empty() || opaque == "*") {
            return None;
        }
        let tag = Self {
            is_weak,
            opaque: opaque.to_owned(),
        };
        Some((tag, rest))
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weak = if self.is_weak { "W/" } else { "" };
        write!(f, "{weak}\"{}\"", self.opaque)
    }
}

/// The value of If-Match or If-None-Match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`: whatever there is.
    Any,
    /// One of these.
    Listed(Vec<EntityTag>),
}

impl EntityTags {
    /// Reads all headers of one name; nothing, if one is not valid: the answer is then 400.
    #[must_use]
    pub fn parse<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut tags = Vec::new();
        let mut is_any = false;
        for value in values {
            if value.len() > HEADER_BYTES_MAX {
                return None;
            }
            let mut rest = value.trim();
            is_any |= rest == "*";
            while !rest.is_empty() && rest != "*" {
                let (tag, after) = EntityTag::first(rest)?;
                if tags.len() == ENTITY_TAGS_MAX {
                    return None;
                }
                tags.push(tag);
                let after = after.trim_start();
                rest = match after.strip_prefix(',') {
                    Some(next) => next.trim_start(),
                    None if after.is_empty() => "",
                    None => return None,
                };
            }
        }
        match (is_any, tags.is_empty()) {
            (true, true) => Some(Self::Any),
            (false, false) => Some(Self::Listed(tags)),
            _ => None,
        }
    }

    /// Whether If-Match with this value lets a request pass (RFC 9110 13.1.1). `current`: the tag of what is there.
    #[must_use]
    pub fn match_strongly(&self, current: Option<&EntityTag>) -> bool {
        match (self, current) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::Listed(tags), Some(current)) => tags.iter().any(|tag| tag.is_strongly(current)),
        }
    }

    /// Whether If-None-Match with this value lets a request pass (RFC 9110 13.1.2).
    #[must_use]
    pub fn none_match(&self, current: Option<&EntityTag>) -> bool {
        match (self, current) {
            (_, None) => true,
            (Self::Any, Some(_)) => false,
            (Self::Listed(tags), Some(current)) => {
                tags.iter().all(|tag| tag.opaque != current.opaque)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_as_they_are_read() {
        for (value, is_weak, opaque, written) in [
            ("\"a-1\"", false, "a-1", "\"a-1\""),
            ("W/\"a\"", true, "a", "W/\"a\""),
            (" \"\" ", false, "", "\"\""),
            ("bare", false, "bare", "\"bare\""),
            ("\"ü\"", false, "ü", "\"ü\""),
        ] {
            let tag = EntityTag::parse(value).unwrap();
            assert_eq!((tag.is_weak, tag.opaque.as_str()), (is_weak, opaque));
            assert_eq!(tag.to_string(), written);
        }
        for value in ["", "*", "\"a", "\"a b\"", "\"a\" x", "\"a\"b\"", "\"\r\n\""] {
            assert_eq!(EntityTag::parse(value), None, "{value}");
        }
    }

    #[test]
    fn lists_of_tags() {
        let listed = EntityTags::parse(["\"a\", W/\"b\" ,\"c,d\"", "e"]).unwrap();
        let tags = ["\"a\"", "W/\"b\"", "\"c,d\"", "e"].map(|tag| EntityTag::parse(tag).unwrap());
        assert_eq!(listed, EntityTags::Listed(tags.to_vec()));
        assert_eq!(EntityTags::parse([" * "]), Some(EntityTags::Any));
        for values in [&["\"a\" \"b\""][..], &[""], &["*", "\"a\""], &["\"a"], &[]] {
            assert_eq!(
                EntityTags::parse(values.iter().copied()),
                None,
                "{values:?}"
            );
        }
    }

    #[test]
    fn conditions_on_what_is_there() {
        let current = EntityTag::strong("1");
        let weak = EntityTag::parse("W/\"1\"").unwrap();
        let listed = |value| EntityTags::parse([value]).unwrap();
        for (tags, current, is_match, is_none) in [
            (EntityTags::Any, Some(&current), true, false),
            (EntityTags::Any, None, false, true),
            (listed("\"1\""), Some(&current), true, false),
            (listed("\"2\", \"1\""), Some(&current), true, false),
            (listed("\"2\""), Some(&current), false, true),
            (listed("W/\"1\""), Some(&current), false, false),
            (listed("\"1\""), Some(&weak), false, false),
            (listed("\"1\""), None, false, true),
        ] {
            assert_eq!(tags.match_strongly(current), is_match, "{tags:?}");
            assert_eq!(tags.none_match(current), is_none, "{tags:?}");
        }
    }
}
