//! Addresses: paths of this server, decoded into segments, and written in one form only.
//!
//! Clients compare addresses octet by octet, so each path has one spelling: everything is percent-encoded but
//! unreserved characters and `( ) : @`, which the servers most clients are tested with leave as they are.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::limits::{HREF_BYTES_MAX, SEGMENTS_MAX};

/// What is encoded in a segment (RFC 3986 3.3 lets more stay as it is).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'(')
    .remove(b')')
    .remove(b':')
    .remove(b'@');

/// A path of this server, such as `/calendars/user/work/`: decoded segments, and whether a slash ends it.
///
/// No segment is empty, `.` or `..`, and none holds a control character; one may hold a slash, written `%2F`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Href {
    segments: Vec<String>,
    is_collection: bool,
}

/// Why an address is not a path of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HrefError {
    /// Neither an absolute path nor an address of `http` or `https`.
    NotAbsolute,
    /// A percent sign that does not stand before two hexadecimal digits.
    Percent,
    /// Octets that are not UTF-8.
    Utf8,
    /// A segment that is `.` or `..`, encoded or not.
    Traversal,
    /// A control character.
    Control,
    /// More than [`HREF_BYTES_MAX`] octets or [`SEGMENTS_MAX`] segments.
    TooLong,
}

impl fmt::Display for HrefError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAbsolute => "not an absolute address",
            Self::Percent => "a percent sign without two digits",
            Self::Utf8 => "not UTF-8",
            Self::Traversal => "a relative segment",
            Self::Control => "a control character",
            Self::TooLong => "too long",
        })
    }
}

impl std::error::Error for HrefError {}

/// An address as it was given: the path, and the host if there was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Host and port as written, if the address is an absolute URI. The server compares it with the request's.
    pub authority: Option<String>,
    /// The path.
    pub href: Href,
}

impl Href {
    /// The path `/`.
    #[must_use]
    pub const fn root() -> Self {
        Self {
            segments: Vec::new(),
            is_collection: true,
        }
    }

    /// Reads a path, or the path of an `http` or `https` address, whose host is not looked at.
    ///
    /// Characters that should have been encoded are taken as they are, empty segments are passed over, and what
    /// follows `?` or `#` is dropped.
    pub fn parse(text: &str) -> Result<Self, HrefError> {
        Location::parse(text).map(|location| location.href)
    }

    /// The decoded segments.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Whether a slash ends it, as it ends the address of a collection. True for `/`.
    #[must_use]
    pub const fn is_collection(&self) -> bool {
        self.is_collection
    }

    /// The same path with or without a slash at its end. `/` stays as it is.
    #[must_use]
    pub fn as_collection(mut self, is_collection: bool) -> Self {
        self.is_collection = is_collection || self.segments.is_empty();
        self
    }

    /// The path of a member, which is no collection; nothing, if this cannot be a member's name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Self> {
        check_segment(name).ok()?;
        let mut segments = self.segments.clone();
        segments.push(name.to_owned());
        (segments.len() <= SEGMENTS_MAX).then_some(Self {
            segments,
            is_collection: false,
        })
    }

    /// The path of the collection it is in; nothing for `/`.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, parents) = self.segments.split_last()?;
        Some(Self {
            segments: parents.to_vec(),
            is_collection: true,
        })
    }

    /// Whether this is `other` or below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.segments.starts_with(&other.segments)
    }

    /// Appends its one spelling: ASCII, with nothing in it that XML would escape.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for segment in &self.segments {
            out.push(b'/');
            write_segment(out, segment);
        }
        if self.is_collection {
            out.push(b'/');
        }
    }
}

impl fmt::Display for Href {
    /// Its one spelling, for a header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        self.write(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

impl Location {
    /// Reads an absolute path or an absolute `http` or `https` URI, as [`Href::parse`] does.
    pub fn parse(text: &str) -> Result<Self, HrefError> {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        if text.len() > HREF_BYTES_MAX {
            return Err(HrefError::TooLong);
        }
        let (authority, path) = split_authority(text)?;
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let mut segments = Vec::new();
        for raw in path.split('/').filter(|raw| !raw.is_empty()) {
            if segments.len() == SEGMENTS_MAX {
                return Err(HrefError::TooLong);
            }
            segments.push(decode_segment(raw)?);
        }
        let is_collection = path.ends_with('/') || segments.is_empty();
        Ok(Self {
            authority: authority.map(str::to_owned),
            href: Href {
                segments,
                is_collection,
            },
        })
    }
}

/// Appends a segment, percent-encoded.
pub(crate) fn write_segment(out: &mut Vec<u8>, segment: &str) {
    for piece in percent_encode(segment.as_bytes(), ENCODED) {
        out.extend_from_slice(piece.as_bytes());
    }
}

fn split_authority(text: &str) -> Result<(Option<&str>, &str), HrefError> {
    if text.starts_with('/') {
        // `//host/path` is an address without a scheme, but also a path with an empty segment: WebDAV has only the
        // latter (RFC 4918 8.3).
        return Ok((None, text));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(HrefError::NotAbsolute);
    };
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(HrefError::NotAbsolute);
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.is_empty() {
        return Err(HrefError::NotAbsolute);
    }
    Ok((Some(authority), path))
}

fn decode_segment(raw: &str) -> Result<String, HrefError> {
    let mut after = raw.split('%');
    after.next();
    for piece in after {
        match piece.as_bytes() {
            [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {}
            _ => return Err(HrefError::Percent),
        }
    }
    let decoded = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| HrefError::Utf8)?;
    check_segment(&decoded)?;
    Ok(decoded.into_owned())
}

fn check_segment(segment: &str) -> Result<(), HrefError> {
    if matches!(segment, "" | "." | "..") {
        return Err(HrefError::Traversal);
    }
    if segment.chars().any(char::is_control) {
        return Err(HrefError::Control);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_path_is_written_as_one() {
        for (text, segments, written) in [
            ("/", &[][..], "/"),
            (
                "/cal/user%40example.test/",
                &["cal", "user@example.test"],
                "/cal/user@example.test/",
            ),
            ("/cal//a", &["cal", "a"], "/cal/a"),
            ("/a%2Fb/c%2e", &["a/b", "c."], "/a%2Fb/c."),
            ("/K%C3%B6ln%20(1)", &["Köln (1)"], "/K%C3%B6ln%20(1)"),
            ("/Köln (1)", &["Köln (1)"], "/K%C3%B6ln%20(1)"),
            (
                "/a+b&c'd\"e<f;g=h,i",
                &["a+b&c'd\"e<f;g=h,i"],
                "/a%2Bb%26c%27d%22e%3Cf%3Bg%3Dh%2Ci",
            ),
            ("https://dav.example.test:8443/a/?q#f", &["a"], "/a/"),
            ("HTTP://dav.example.test", &[], "/"),
            (" /a\n", &["a"], "/a"),
            ("/a:b~c!*.ics", &["a:b~c!*.ics"], "/a:b~c%21%2A.ics"),
            ("/%25", &["%"], "/%25"),
            ("/...", &["..."], "/..."),
        ] {
            let href = Href::parse(text).unwrap();
            assert_eq!(href.segments(), segments, "{text}");
            assert_eq!(href.to_string(), written);
            assert_eq!(Href::parse(written), Ok(href));
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for (text, error) in [
            ("", HrefError::NotAbsolute),
            ("a/b", HrefError::NotAbsolute),
            ("mailto:user@example.test", HrefError::NotAbsolute),
            ("ftp://example.test/", HrefError::NotAbsolute),
            ("http:///a", HrefError::NotAbsolute),
            ("/a/../b", HrefError::Traversal),
            ("/a/%2e%2E/b", HrefError::Traversal),
            ("/a/./b", HrefError::Traversal),
            ("/%zz", HrefError::Percent),
            ("/%4", HrefError::Percent),
            ("/%", HrefError::Percent),
            ("/%e4", HrefError::Utf8),
            ("/%c0%ae%c0%ae/", HrefError::Utf8),
            ("/a%00b", HrefError::Control),
            ("/a%0d%0ab", HrefError::Control),
        ] {
            assert_eq!(Href::parse(text), Err(error), "{text}");
        }
        assert_eq!(Href::parse(&"/a".repeat(65)), Err(HrefError::TooLong));
        assert_eq!(Href::parse(&"/".repeat(9000)), Err(HrefError::TooLong));
    }

    #[test]
    fn members_and_parents() {
        let home = Href::parse("/cal/user/").unwrap();
        let event = home.member("a/b.ics").unwrap();
        assert_eq!(event.to_string(), "/cal/user/a%2Fb.ics");
        assert_eq!(event.parent(), Some(home.clone()));
        assert!(event.is_within(&home) && !home.is_within(&event));
        assert_eq!(home.member(".."), None);
        assert_eq!(Href::root().parent(), None);
        assert_eq!(home.as_collection(false).to_string(), "/cal/user");
        assert_eq!(Href::root().as_collection(false).to_string(), "/");
    }

    #[test]
    fn the_host_is_kept_for_the_server_to_compare() {
        let location = Location::parse("http://dav.example.test:80/a").unwrap();
        assert_eq!(location.authority.as_deref(), Some("dav.example.test:80"));
        assert_eq!(Location::parse("/a").unwrap().authority, None);
    }
}
