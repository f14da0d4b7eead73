//! Mailbox names: a folder's path as IMAP clients see it, and back.
//!
//! The hierarchy separator is `/`. A display name may hold that character too; such a `/` is written `=2F`. So that
//! every name has exactly one spelling, a display name that already holds `=2F` gets one `3D` more inside:
//!
//! | display name | level of the mailbox name |
//! |---|---|
//! | `Sales/Marketing` | `Sales=2FMarketing` |
//! | `Sales=2FMarketing` | `Sales=3D2FMarketing` |
//! | `Sales=3D2FMarketing` | `Sales=3D3D2FMarketing` |
//!
//! `=` in any other place means itself. The folder with the Inbox role is `INBOX` whatever its display name.

/// Separates the levels of a mailbox name.
pub(crate) const SEPARATOR: char = '/';
/// The name of the Inbox (RFC 3501 5.1).
pub(crate) const INBOX: &str = "INBOX";

const MARK: &str = "=";
const QUOTE: &str = "3D";
const SLASH: &str = "2F";

/// One level of a mailbox name, for a folder's display name. The inverse of [`display_name`].
pub(crate) fn level(display_name: &str) -> String {
    let mut level = String::with_capacity(display_name.len());
    for (index, piece) in display_name.split(SEPARATOR).enumerate() {
        if index > 0 {
            level.push_str(MARK);
            level.push_str(SLASH);
        }
        for (index, piece) in piece.split(MARK).enumerate() {
            if index > 0 {
                level.push_str(MARK);
                if is_escape(piece) {
                    level.push_str(QUOTE);
                }
            }
            level.push_str(piece);
        }
    }
    level
}

/// The display name for one level of a mailbox name. The inverse of [`level`].
pub(crate) fn display_name(level: &str) -> String {
    let mut name = String::with_capacity(level.len());
    for (index, piece) in level.split(MARK).enumerate() {
        if index == 0 {
            name.push_str(piece);
        } else if let Some(rest) = piece.strip_prefix(SLASH) {
            name.push(SEPARATOR);
            name.push_str(rest);
        } else {
            name.push_str(MARK);
            let quoted = if is_escape(piece) {
                piece.strip_prefix(QUOTE)
            } else {
                None
            };
            name.push_str(quoted.unwrap_or(piece));
        }
    }
    name
}

/// Whether what follows a mark makes it an escape: any number of `3D`, then `2F`.
fn is_escape(after_mark: &str) -> bool {
    let mut rest = after_mark;
    while let Some(shorter) = rest.strip_prefix(QUOTE) {
        rest = shorter;
    }
    rest.starts_with(SLASH)
}

/// Whether a name can be a mailbox's: no empty level, no control character.
pub(crate) fn is_valid(name: &str) -> bool {
    !name.chars().any(char::is_control) && name.split(SEPARATOR).all(|level| !level.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_display_names_are_inverse() {
        for (display, wire) in [
            ("Work", "Work"),
            ("Sales/Marketing", "Sales=2FMarketing"),
            ("Sales=2FMarketing", "Sales=3D2FMarketing"),
            ("Sales=3D2FMarketing", "Sales=3D3D2FMarketing"),
            ("a=b", "a=b"),
            ("=", "="),
            ("=/", "==2F"),
            ("=3D/", "=3D=2F"),
            ("=3D", "=3D"),
            ("/", "=2F"),
            ("//", "=2F=2F"),
            ("=2f", "=2f"),
            ("Grüße/2", "Grüße=2F2"),
        ] {
            assert_eq!(level(display), wire);
            assert_eq!(display_name(wire), display);
        }
    }

    #[test]
    fn every_short_name_survives_both_ways() {
        let letters = ['=', '/', '2', 'F', '3', 'D'];
        let mut names = vec![String::new()];
        for _ in 0..6 {
            let longer: Vec<String> = names
                .iter()
                .flat_map(|name| letters.map(|letter| format!("{name}{letter}")))
                .collect();
            for name in &longer {
                let wire = level(name);
                assert!(!wire.contains(SEPARATOR));
                assert_eq!(display_name(&wire), *name);
                if !name.contains(SEPARATOR) {
                    assert_eq!(level(&display_name(name)), *name);
                }
            }
            names = longer;
        }
    }

    #[test]
    fn names_with_empty_levels_or_controls_are_invalid() {
        for name in ["", "/", "a//b", "a/", "/a", "a\u{7f}", "a\nb"] {
            assert!(!is_valid(name), "{name:?}");
        }
        assert!(is_valid("a/b c"));
    }
}
