//! Names of folders as names of files.
//!
//! Maildir++ has every folder in one place, its path joined by dots, in IMAP's modified UTF-7 (RFC 3501 5.1.3), as Dovecot
//! has it by default. What would not survive that is written `\2e` (`.`), `\2f` (`/`) and `\5c` (`\`), as Dovecot's plugin
//! `listescape` does. Elsewhere a folder lies in the one above it, under its own name, with `%2F` for `/`, and so on.
//! A name that is too long for a file system gets a hash instead; the journal beside the messages has it in full.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

use imap_wire::mutf7;

/// The longest file name. Source: NAME_MAX of Linux.
const FILE_NAME_BYTES_MAX: usize = 255;

/// What file names get beside the folder's.
const ROOM_BYTES: usize = 64;

/// What would make a folder look like a message.
const ENDING: &str = ".eml";

/// The folder of a Maildir++ for a path; for none, an empty name: the Maildir itself.
pub(crate) fn maildir(path: &[String]) -> String {
    let mut name = Vec::new();
    for level in path {
        name.push(b'.');
        let mut escaped = String::new();
        for letter in level.chars() {
            match letter {
                '.' => escaped.push_str("\\2e"),
                '/' => escaped.push_str("\\2f"),
                '\\' => escaped.push_str("\\5c"),
                letter => escaped.push(letter),
            }
        }
        mutf7::encode(&escaped, &mut name);
    }
    // Modified UTF-7 is ASCII.
    let name = String::from_utf8_lossy(&name).into_owned();
    short(name, path, ".")
}

/// The path of a folder of a Maildir++; `None`: it is none.
pub(crate) fn of_maildir(name: &OsStr) -> Option<Vec<String>> {
    let levels = name.as_bytes().strip_prefix(b".")?;
    if levels.is_empty() {
        return None;
    }
    let level = |octets: &[u8]| unescape(&decode(octets), '\\');
    Some(levels.split(|octet| *octet == b'.').map(level).collect())
}

/// A name in modified UTF-7, or in UTF-8, which Dovecot writes when it is told to.
fn decode(octets: &[u8]) -> String {
    match octets.is_ascii() {
        true => mutf7::decode(octets),
        false => String::from_utf8_lossy(octets).into_owned(),
    }
}

/// The folder for a name.
pub(crate) fn nested(name: &str) -> String {
    let mut escaped = name.replace('%', "%25").replace('/', "%2F");
    if escaped.to_ascii_lowercase().ends_with(ENDING) {
        let dot = escaped.len() - ENDING.len();
        escaped.replace_range(dot..=dot, "%2E");
    }
    if escaped.starts_with('.') {
        escaped.replace_range(..1, "%2E");
    }
    short(escaped, &[name.to_owned()], "")
}

/// The name of a folder.
pub(crate) fn of_nested(name: &OsStr) -> String {
    unescape(&name.to_string_lossy(), '%')
}

/// Replaces a mark with two hexadecimal digits by the octet they say.
fn unescape(text: &str, mark: char) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(mark) {
        let (plain, escaped) = rest.split_at(at);
        octets.extend_from_slice(plain.as_bytes());
        let digits = escaped
            .get(1..3)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(octet) => {
                octets.push(octet);
                rest = escaped.get(3..).unwrap_or_default();
            }
            None => {
                octets.push(mark as u8);
                rest = escaped.get(1..).unwrap_or_default();
            }
        }
    }
    octets.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&octets).into_owned()
}

fn short(name: String, path: &[String], before: &str) -> String {
    if name.len() + ROOM_BYTES <= FILE_NAME_BYTES_MAX {
        return name;
    }
    let mut hasher = blake3::Hasher::new();
    for level in path {
        hasher.update(level.as_bytes());
        hasher.update(&[0]);
    }
    let hex = hasher.finalize().to_hex();
    let start: String = hex.chars().take(32).collect();
    format!("{before}~{start}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_in_a_maildir() {
        for (path, name) in [
            (&["Sent Items"][..], ".Sent Items"),
            (&["INBOX", "Projects"], ".INBOX.Projects"),
            (&["Entwürfe"], ".Entw&APw-rfe"),
            (&["v1.0", "a/b", "c\\2e&"], ".v1\\2e0.a\\2fb.c\\5c2e&-"),
        ] {
            let path: Vec<String> = path.iter().map(|level| (*level).to_owned()).collect();
            assert_eq!(maildir(&path), name);
            assert_eq!(of_maildir(OsStr::new(name)), Some(path));
        }
        assert_eq!(maildir(&[]), "");
        assert_eq!(of_maildir(OsStr::new("cur")), None);
    }

    #[test]
    fn names_survive_as_folders() {
        for (name, file) in [
            ("Sent Items", "Sent Items"),
            ("a/b%c", "a%2Fb%25c"),
            (".hidden", "%2Ehidden"),
            ("x.EML", "x%2EEML"),
            ("..", "%2E."),
            ("ä%2", "ä%252"),
        ] {
            assert_eq!(nested(name), file);
            assert_eq!(of_nested(OsStr::new(file)), name);
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_still_one_of_its_own() {
        let names: Vec<String> = ["a", "b"].map(|letter| letter.repeat(250)).into();
        let shortened: Vec<String> = names
            .iter()
            .map(|name| maildir(std::slice::from_ref(name)))
            .collect();
        assert_ne!(shortened[0], shortened[1]);
        assert!(
            shortened
                .iter()
                .all(|name| name.len() < 64 && name.starts_with(".~"))
        );
    }
}
