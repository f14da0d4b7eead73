//! Matching text: collations (RFC 4790, RFC 5051) and `text-match` (RFC 4791 9.7.5, RFC 6352 10.5.4).

use std::borrow::Cow;

use icu_normalizer::DecomposingNormalizerBorrowed;

use crate::condition::Condition;
use crate::error::Result;
use crate::xml::{Reader, Start};

/// How texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Collation {
    /// `i;ascii-casemap`: the case of ASCII letters does not count (RFC 4790 9.2).
    AsciiCasemap,
    /// `i;octet`: octet by octet (RFC 4790 9.3).
    Octet,
    /// `i;unicode-casemap`: neither case nor the way of composing characters counts (RFC 5051).
    UnicodeCasemap,
}

impl Collation {
    /// All of them, as `supported-collation-set` lists them.
    pub const ALL: [Self; 3] = [Self::AsciiCasemap, Self::Octet, Self::UnicodeCasemap];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsciiCasemap => "i;ascii-casemap",
            Self::Octet => "i;octet",
            Self::UnicodeCasemap => "i;unicode-casemap",
        }
    }

    /// The form in which equal texts are equal octets.
    #[must_use]
    pub fn fold(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Octet => Cow::Borrowed(text),
            Self::AsciiCasemap if text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Cow::Owned(text.to_ascii_lowercase())
            }
            Self::UnicodeCasemap if !text.is_ascii() => {
                let nfkd = const { DecomposingNormalizerBorrowed::new_nfkd() };
                let lower = text.to_uppercase().to_lowercase();
                Cow::Owned(nfkd.normalize(&lower).into_owned())
            }
            Self::UnicodeCasemap => Self::AsciiCasemap.fold(text),
            Self::AsciiCasemap => Cow::Borrowed(text),
        }
    }

    /// The collation of a `collation` attribute; `default` stands for the protocol's.
    fn find(name: &str, default: Self) -> Option<Self> {
        if name == "default" {
            return Some(default);
        }
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// Where in a value the text must be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchType {
    /// Anywhere.
    Contains,
    /// It is the value.
    Equals,
    /// At the start.
    StartsWith,
    /// At the end.
    EndsWith,
}

impl MatchType {
    pub(crate) fn find(name: &str) -> Option<Self> {
        match name {
            "contains" => Some(Self::Contains),
            "equals" => Some(Self::Equals),
            "starts-with" => Some(Self::StartsWith),
            "ends-with" => Some(Self::EndsWith),
            _ => None,
        }
    }
}

/// A text that a value is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextMatch {
    /// In the collation's form already.
    folded: String,
    /// How it is compared.
    pub collation: Collation,
    /// Where it must be found.
    pub match_type: MatchType,
    /// Whether it matches what it would not.
    pub is_negated: bool,
}

impl TextMatch {
    /// A text to compare with.
    #[must_use]
    pub fn new(text: &str, collation: Collation, match_type: MatchType) -> Self {
        Self {
            folded: collation.fold(text).into_owned(),
            collation,
            match_type,
            is_negated: false,
        }
    }

    /// Whether a value matches. Linear in the value.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let value = self.collation.fold(value);
        let text = self.folded.as_str();
        let is_match = match self.match_type {
            MatchType::Contains => value.contains(text),
            MatchType::Equals => value == text,
            MatchType::StartsWith => value.starts_with(text),
            MatchType::EndsWith => value.ends_with(text),
        };
        is_match != self.is_negated
    }

    /// Reads a `text-match`. `refusals`: what an unknown collation and an unknown value of another attribute break.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        start: &Start<'_>,
        default: Collation,
        (collation_refusal, filter_refusal): (Condition, Condition),
    ) -> Result<Self> {
        let collation = match start.attribute("collation") {
            None => default,
            Some(name) => {
                Collation::find(&name, default).ok_or_else(|| start.breaks(collation_refusal))?
            }
        };
        let match_type = match start.attribute("match-type") {
            None => MatchType::Contains,
            Some(name) => MatchType::find(&name).ok_or_else(|| start.breaks(filter_refusal))?,
        };
        let is_negated = match start.attribute("negate-condition").as_deref() {
            None | Some("no") => false,
            Some("yes") => true,
            Some(_) => return Err(start.breaks(filter_refusal)),
        };
        let text = reader.text(start)?;
        Ok(Self {
            is_negated,
            ..Self::new(&text, collation, match_type)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collations_decide_what_is_equal() {
        use Collation::{AsciiCasemap, Octet, UnicodeCasemap};
        for (collation, text, value, expected) in [
            (Octet, "a", "A", false),
            (Octet, "ö", "o\u{308}", false),
            (AsciiCasemap, "MEETING", "team meeting", true),
            (AsciiCasemap, "Ö", "ö", false),
            (UnicodeCasemap, "JÖRG", "jo\u{308}rg Müller", true),
            (UnicodeCasemap, "strasse", "Straße", true),
            (UnicodeCasemap, "jorg", "Jörg", false),
            (UnicodeCasemap, "ΣΊΣΥΦΟΣ", "Σίσυφος", true),
            (UnicodeCasemap, "abc", "xABCx", true),
        ] {
            let text_match = TextMatch::new(text, collation, MatchType::Contains);
            assert_eq!(text_match.matches(value), expected, "{text} in {value}");
        }
    }

    #[test]
    fn match_types_and_negation() {
        for (match_type, value, expected) in [
            (MatchType::Equals, "AB", true),
            (MatchType::Equals, "abc", false),
            (MatchType::StartsWith, "ABc", true),
            (MatchType::StartsWith, "cab", false),
            (MatchType::EndsWith, "cAB", true),
            (MatchType::EndsWith, "abc", false),
        ] {
            let mut text_match = TextMatch::new("ab", Collation::AsciiCasemap, match_type);
            assert_eq!(text_match.matches(value), expected);
            text_match.is_negated = true;
            assert_eq!(text_match.matches(value), !expected);
        }
    }
}
