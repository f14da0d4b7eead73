//! Address lists of From, To, Cc and their like, as written; names are not decoded here.
//!
//! Every entry comes back, however broken: a word without a domain is a mailbox without one. Groups are bracketed by
//! [`Entry::GroupStart`] and [`Entry::GroupEnd`], as IMAP's ENVELOPE shows them. Source: RFC 5322 3.4 and 4.4.

use crate::cursor::{Cursor, is_closed_quote, is_dropped, is_space};

/// One entry of an address list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An address.
    Mailbox(Mailbox),
    /// The name of a group that begins.
    GroupStart(Vec<u8>),
    /// The end of that group.
    GroupEnd,
}

/// An address as written: octets without line ends and NUL, quotes and escapes resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// Display name (or the comment after an address), RFC 2047 words not decoded.
    pub name: Option<Vec<u8>>,
    /// Source route, as `@a,@b` (obsolete).
    pub route: Option<Vec<u8>>,
    /// What stands before the `@`.
    pub local: Vec<u8>,
    /// What stands after it; a literal keeps its brackets.
    pub domain: Option<Vec<u8>>,
}

impl Mailbox {
    /// `local@domain` as text, bytes that are not UTF-8 replaced; only `local` without a domain.
    pub fn address(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.local).into_owned();
        if let Some(domain) = &self.domain {
            text.push('@');
            text.push_str(&String::from_utf8_lossy(domain));
        }
        text
    }
}

/// Reads the value of an address field.
pub fn parse_list(value: &[u8]) -> Vec<Entry> {
    let mut parser = Parser {
        cursor: Cursor::new(value),
        entries: Vec::new(),
        in_group: false,
    };
    while !parser.cursor.is_empty() {
        parser.entry();
    }
    if parser.in_group {
        parser.entries.push(Entry::GroupEnd);
    }
    parser.entries
}

/// The mailboxes of a list, those in groups included.
pub fn mailboxes(value: &[u8]) -> Vec<Mailbox> {
    let entries = parse_list(value).into_iter();
    entries
        .filter_map(|entry| match entry {
            Entry::Mailbox(mailbox) => Some(mailbox),
            _ => None,
        })
        .collect()
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    entries: Vec<Entry>,
    in_group: bool,
}

/// Words before it is known whether they are a name, a group or an address.
#[derive(Default)]
struct Words {
    /// With single spaces where white space stood.
    phrase: Vec<u8>,
    /// What would be the local part if `@` came next.
    local: Vec<u8>,
    /// Where in `phrase` that begins.
    local_start: usize,
    comment: Option<Vec<u8>>,
    seen: bool,
}

impl Words {
    fn push(&mut self, word: &[u8], space_before: bool) {
        if space_before && !self.phrase.is_empty() {
            self.phrase.push(b' ');
            // White space around dots is obsolete syntax; elsewhere it ends a name without `<`.
            if self.local.last() != Some(&b'.') && !word.starts_with(b".") {
                self.local.clear();
                self.local_start = self.phrase.len();
            }
        }
        self.phrase.extend_from_slice(word);
        self.local.extend_from_slice(word);
        self.seen = true;
    }
}

impl Parser<'_> {
    /// Reads up to and including the separator that ends one entry.
    fn entry(&mut self) {
        let mut words = Words::default();
        loop {
            let (comment, space) = self.cursor.skip_cfws();
            words.comment = comment.or(words.comment);
            match self.cursor.peek() {
                None | Some(b',') => {
                    self.cursor.bump();
                    return self.bare(words);
                }
                Some(b';') => {
                    self.cursor.bump();
                    self.bare(words);
                    if self.in_group {
                        self.in_group = false;
                        self.entries.push(Entry::GroupEnd);
                    }
                    return;
                }
                Some(b':') if !self.in_group => {
                    self.cursor.bump();
                    self.in_group = true;
                    return self.entries.push(Entry::GroupStart(words.phrase));
                }
                Some(b'<') => {
                    self.cursor.bump();
                    return self.angle(words);
                }
                Some(b'@') => {
                    self.cursor.bump();
                    return self.addr_spec(words);
                }
                // A quote that never closes would swallow the address.
                Some(b'"') if !is_closed_quote(self.cursor.rest()) => {
                    self.cursor.bump();
                }
                Some(b'"') => words.push(&self.cursor.quoted(), space),
                Some(_) => {
                    let word = atom(&mut self.cursor);
                    words.push(&word, space);
                }
            }
        }
    }

    fn push(&mut self, mailbox: Mailbox) {
        let name = mailbox.name.filter(|name| !name.is_empty());
        self.entries
            .push(Entry::Mailbox(Mailbox { name, ..mailbox }));
    }

    /// An entry without `@` and without `<`.
    fn bare(&mut self, words: Words) {
        if words.seen {
            self.push(Mailbox {
                name: words.comment,
                local: words.phrase,
                ..Mailbox::default()
            });
        }
    }

    /// `local@domain (name)`: the `@` has been read.
    fn addr_spec(&mut self, words: Words) {
        let domain = domain(&mut self.cursor);
        let (comment, _) = self.cursor.skip_cfws();
        // Some programs write `user@example.test <user@example.test>`.
        if self.cursor.eat(b'<') {
            let mut name = words.phrase;
            name.push(b'@');
            name.extend_from_slice(&domain);
            return self.angle(Words {
                phrase: name,
                seen: true,
                ..Words::default()
            });
        }
        let before = words
            .phrase
            .get(..words.local_start)
            .unwrap_or_default()
            .trim_ascii_end();
        self.push(Mailbox {
            name: comment.or(words.comment).or_else(|| Some(before.to_vec())),
            route: None,
            local: words.local,
            domain: Some(domain),
        });
        self.skip_to_separator();
    }

    /// `name <route:local@domain>`: the `<` has been read.
    fn angle(&mut self, words: Words) {
        let route = self.route();
        let mut local = Vec::new();
        let mut host = None;
        loop {
            self.cursor.skip_cfws();
            match self.cursor.peek() {
                None | Some(b'>') => break,
                Some(b'@') => {
                    self.cursor.bump();
                    // `<a@b@example.test>`: the last one counts.
                    if let Some(earlier) = host.replace(domain(&mut self.cursor)) {
                        local.push(b'@');
                        local.extend_from_slice(&earlier);
                    }
                }
                Some(b'"') => local.extend_from_slice(&self.cursor.quoted()),
                Some(b',' | b';' | b':' | b'<') => {
                    local.extend(self.cursor.bump());
                }
                Some(_) => local.extend_from_slice(&atom(&mut self.cursor)),
            }
        }
        self.cursor.eat(b'>');
        let (comment, _) = self.cursor.skip_cfws();
        let name = if words.seen {
            Some(words.phrase)
        } else {
            comment.or(words.comment)
        };
        if !(local.is_empty() && host.is_none() && name.is_none()) {
            self.push(Mailbox {
                name,
                route,
                local,
                domain: host,
            });
        }
        self.skip_to_separator();
    }

    /// An obsolete source route with its colon, if one is next.
    fn route(&mut self) -> Option<Vec<u8>> {
        let mut ahead = self.cursor;
        ahead.skip_cfws();
        if ahead.peek() != Some(b'@') {
            return None;
        }
        let text = ahead.take_while(|b| !matches!(b, b':' | b'>' | b'<' | b'"'));
        if !ahead.eat(b':') {
            return None;
        }
        self.cursor = ahead;
        Some(
            text.iter()
                .copied()
                .filter(|b| !is_space(*b) && *b != 0)
                .collect(),
        )
    }

    /// Passes over what follows a complete address, up to and including the separator.
    fn skip_to_separator(&mut self) {
        loop {
            self.cursor.skip_cfws();
            match self.cursor.peek() {
                Some(b'"') => {
                    self.cursor.quoted();
                }
                Some(b';') if self.in_group => {
                    self.cursor.bump();
                    self.in_group = false;
                    return self.entries.push(Entry::GroupEnd);
                }
                None | Some(b',' | b';') => {
                    self.cursor.bump();
                    return;
                }
                Some(_) => {
                    self.cursor.bump();
                }
            }
        }
    }
}

fn domain(cursor: &mut Cursor<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    loop {
        cursor.skip_cfws();
        match cursor.peek() {
            Some(b'[') => {
                text.extend(
                    cursor
                        .take_while(|b| b != b']')
                        .iter()
                        .filter(|b| !is_dropped(**b)),
                );
                text.extend(cursor.bump());
            }
            None | Some(b',' | b';' | b':' | b'<' | b'>' | b'@' | b'"') => return text,
            Some(_) => text.extend_from_slice(&atom(cursor)),
        }
        // Words after white space are not part of a domain unless a dot joins them.
        let mut ahead = *cursor;
        let (_, space) = ahead.skip_cfws();
        if space && ahead.peek() != Some(b'.') && text.last() != Some(&b'.') {
            return text;
        }
    }
}

/// A run of bytes up to white space or a special; at least one byte. An encoded word is one atom, whatever is in it.
fn atom(cursor: &mut Cursor<'_>) -> Vec<u8> {
    if let Some(len) = encoded_word_len(cursor.rest()) {
        return cursor.take(len).to_vec();
    }
    let is_atom = |b| {
        !is_space(b)
            && !matches!(
                b,
                b'(' | b',' | b':' | b';' | b'<' | b'>' | b'@' | b'"' | b'['
            )
    };
    let mut word = cursor.take_while(is_atom);
    if word.is_empty() {
        word = cursor.take(1);
    }
    word.iter().copied().filter(|b| !is_dropped(*b)).collect()
}

/// The length of `=?charset?encoding?text?=` at the start of `bytes`.
fn encoded_word_len(bytes: &[u8]) -> Option<usize> {
    let mut cursor = Cursor::new(bytes.strip_prefix(b"=?")?);
    let charset = cursor.take_while(|b| !is_space(b) && b != b'?');
    let encoding = cursor.take(3);
    if charset.is_empty() || !matches!(encoding, [b'?', b'B' | b'b' | b'Q' | b'q', b'?']) {
        return None;
    }
    let text = cursor.take_while(|b| !is_space(b) && b != b'?' && b != b'<');
    (cursor.take(2) == b"?=").then_some(2 + charset.len() + 3 + text.len() + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> String {
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        let mut out = String::new();
        for entry in parse_list(value.as_bytes()) {
            match entry {
                Entry::GroupStart(name) => out += &format!("{{{} ", text(&name)),
                Entry::GroupEnd => out += "} ",
                Entry::Mailbox(m) => {
                    let part = |p: &Option<Vec<u8>>| p.as_deref().map_or("-".into(), text);
                    out += &format!(
                        "[{}|{}|{}|{}] ",
                        part(&m.name),
                        part(&m.route),
                        text(&m.local),
                        part(&m.domain)
                    );
                }
            }
        }
        out.trim_end().into()
    }

    #[test]
    fn address_lists_are_read_as_mail_programs_write_them() {
        let cases = [
            ("a@example.test", "[-|-|a|example.test]"),
            (
                "Ann Lee <a@example.test>, b@example.test (Bob)",
                "[Ann Lee|-|a|example.test] [Bob|-|b|example.test]",
            ),
            (
                "\"Lee, Ann\"\r\n <a@example.test>",
                "[Lee, Ann|-|a|example.test]",
            ),
            (
                "=?utf-8?Q?Lee,_Ann?= <a@example.test>",
                "[=?utf-8?Q?Lee,_Ann?=|-|a|example.test]",
            ),
            ("undisclosed-recipients:;", "{undisclosed-recipients }"),
            (
                "G: a@x.test, B <b@x.test>; c@x.test",
                "{G [-|-|a|x.test] [B|-|b|x.test] } [-|-|c|x.test]",
            ),
            ("G: a@x.test", "{G [-|-|a|x.test] }"),
            ("<@r.test,@s.test:a@x.test>", "[-|@r.test,@s.test|a|x.test]"),
            ("nobody", "[-|-|nobody|-]"),
            ("two words", "[-|-|two words|-]"),
            ("\"quoted @ local\"@x.test", "[-|-|quoted @ local|x.test]"),
            ("a@[127.0.0.1]", "[-|-|a|[127.0.0.1]]"),
            ("Big Bug bb@x.test", "[Big Bug|-|bb|x.test]"),
            ("\"\" <a@x.test>", "[-|-|a|x.test]"),
            ("a . b @ x . test", "[-|-|a.b|x.test]"),
            ("a@x.test <a@x.test>", "[a@x.test|-|a|x.test]"),
            ("J. R. <a@x.test>", "[J. R.|-|a|x.test]"),
            ("<>", ""),
            (",,;", ""),
            ("A <a@x.test", "[A|-|a|x.test]"),
            (
                "A <a@b@x.test> junk, c@x.test",
                "[A|-|a@b|x.test] [-|-|c|x.test]",
            ),
            ("\"never closed <a@x.test>", "[never closed|-|a|x.test]"),
        ];
        for (value, expected) in cases {
            assert_eq!(shown(value), expected, "{value}");
        }
    }
}
