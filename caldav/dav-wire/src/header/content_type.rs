//! Content-Type with parameters, and which vCard an Accept header asks for (RFC 9110 8.3, 12.5.1).

use std::fmt;

use crate::limits::HEADER_BYTES_MAX;
use crate::request::VcardVersion;

/// A media type with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// Type and subtype in small letters, such as `text/calendar`.
    pub essence: String,
    /// Names in small letters, values as written, unquoted.
    pub parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads a Content-Type; nothing, if it is not valid.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        if value.len() > HEADER_BYTES_MAX {
            return None;
        }
        let (essence, mut rest) = match value.split_once(';') {
            Some((essence, rest)) => (essence, rest),
            None => (value, ""),
        };
        let (main, sub) = essence.trim().split_once('/')?;
        if !is_token(main) || !is_token(sub) {
            return None;
        }
        let mut parameters = Vec::new();
        loop {
            rest = rest.trim_start_matches([' ', '\t', ';']);
            if rest.is_empty() {
                break;
            }
            let (name, after) = rest.split_once('=')?;
            let name = name.trim();
            if !is_token(name) {
                return None;
            }
            let (value, after) = parameter_value(after.trim_start())?;
            parameters.push((name.to_ascii_lowercase(), value));
            rest = after.trim_start();
            if !rest.is_empty() && !rest.starts_with(';') {
                return None;
            }
        }
        Some(Self {
            essence: essence.trim().to_ascii_lowercase(),
            parameters,
        })
    }

    /// The value of a parameter; `name` in small letters.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters.find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    /// The type of a calendar object with the kinds of components in it, as clients see it without reading it
    /// (RFC 5545 8.1): `text/calendar; charset=utf-8; component=vevent`.
    #[must_use]
    pub fn calendar(component: Option<&str>) -> Self {
        let mut parameters = vec![("charset".to_owned(), "utf-8".to_owned())];
        parameters
            .extend(component.map(|name| ("component".to_owned(), name.to_ascii_lowercase())));
        Self {
            essence: "text/calendar".to_owned(),
            parameters,
        }
    }

    /// The type of a card: `text/vcard; charset=utf-8`, with the version where it is not 3.0.
    #[must_use]
    pub fn vcard(version: VcardVersion) -> Self {
        let mut parameters = vec![("charset".to_owned(), "utf-8".to_owned())];
        if version != VcardVersion::V3 {
            parameters.push(("version".to_owned(), version.name().to_owned()));
        }
        Self {
            essence: "text/vcard".to_owned(),
            parameters,
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.essence)?;
        for (name, value) in &self.parameters {
            if is_token(value) {
                write!(f, "; {name}={value}")?;
            } else {
                let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "; {name}=\"{quoted}\"")?;
            }
        }
        Ok(())
    }
}

/// Which versions of vCard an Accept header takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptVcard {
    /// The one it likes best; of two that it likes the same, the older. Nothing: 406.
    pub preferred: Option<VcardVersion>,
}

impl AcceptVcard {
    /// Reads all Accept headers. Without any, and for `*/*`, version 3.0 is meant (RFC 6352 5.1).
    #[must_use]
    pub fn parse<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut best: Option<(u32, VcardVersion)> = None;
        let mut has_any = false;
        for range in values.into_iter().flat_map(|value| value.split(',')) {
            let Some(range) = MediaType::parse(range) else {
                continue;
            };
            has_any = true;
            let version = match (range.essence.as_str(), range.parameter("version")) {
                ("*/*" | "text/*" | "text/vcard" | "text/x-vcard" | "text/directory", None) => {
                    VcardVersion::V3
                }
                ("text/vcard", Some(name)) => match VcardVersion::find(name) {
                    Some(version) => version,
                    None => continue,
                },
                _ => continue,
            };
            let quality = range.parameter("q").map_or(1000, thousandths);
            let is_better = best.is_none_or(|(known, other)| {
                quality > known || (quality == known && version < other)
            });
            if quality > 0 && is_better {
                best = Some((quality, version));
            }
        }
        let preferred = match best {
            Some((_, version)) => Some(version),
            None => (!has_any).then_some(VcardVersion::V3),
        };
        Self { preferred }
    }
}

/// A weight, `0` to `1` with up to three digits; what is none counts as nothing.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    match whole {
        "1" => 1000,
        "0" => format!("{fraction:0<3}").parse().unwrap_or_default(),
        _ => 0,
    }
}

/// A token (RFC 9110 5.6.2).
fn is_token(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
}

/// A token or a quoted string, and what follows.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        let value = value.trim_end();
        return is_token(value).then(|| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_with_parameters() {
        for (value, essence, parameters) in [
            ("text/calendar", "text/calendar", &[][..]),
            (
                "Text/Calendar; Charset=UTF-8;component=\"VEVENT\" ; method=REQUEST",
                "text/calendar",
                &[
                    ("charset", "UTF-8"),
                    ("component", "VEVENT"),
                    ("method", "REQUEST"),
                ],
            ),
            ("text/x;a=\"b\\\"c;d\";", "text/x", &[("a", "b\"c;d")]),
        ] {
            let media_type = MediaType::parse(value).unwrap();
            assert_eq!(media_type.essence, essence);
            let found = media_type.parameters.iter();
            let found: Vec<_> = found.map(|(a, b)| (a.as_str(), b.as_str())).collect();
            assert_eq!(found, parameters);
            assert_eq!(MediaType::parse(&media_type.to_string()), Some(media_type));
        }
        for value in [
            "",
            "text",
            "/",
            "text/",
            "a/b;c",
            "a/b;c=\"d",
            "a/b;c=\"d\"e",
            "a/b; =c",
        ] {
            assert_eq!(MediaType::parse(value), None, "{value}");
        }
    }

    #[test]
    fn types_of_objects() {
        assert_eq!(
            MediaType::calendar(Some("VEVENT")).to_string(),
            "text/calendar; charset=utf-8; component=vevent"
        );
        assert_eq!(
            MediaType::vcard(VcardVersion::V3).to_string(),
            "text/vcard; charset=utf-8"
        );
        assert_eq!(
            MediaType::vcard(VcardVersion::V4).to_string(),
            "text/vcard; charset=utf-8; version=4.0"
        );
    }

    #[test]
    fn the_card_that_is_liked_best() {
        use VcardVersion::{V3, V4};
        for (values, expected) in [
            (&[][..], Some(V3)),
            (&["*/*"], Some(V3)),
            (&["text/vcard"], Some(V3)),
            (&["text/vcard;version=4.0"], Some(V4)),
            (&["text/vcard;version=4.0, text/vcard;q=0.5"], Some(V4)),
            (
                &["text/vcard;version=4.0;q=0.5", "text/vcard;version=3.0"],
                Some(V3),
            ),
            (
                &["text/vcard;version=4.0;q=0.123, text/vcard;version=3.0;q=0.12"],
                Some(V4),
            ),
            (&["text/vcard;version=4.0;q=0"], None),
            (&["text/vcard;version=2.1"], None),
            (&["image/png"], None),
            (&["application/vcard+json, */*;q=0.1"], Some(V3)),
        ] {
            let accept = AcceptVcard::parse(values.iter().copied());
            assert_eq!(accept.preferred, expected, "{values:?}");
        }
    }
}
