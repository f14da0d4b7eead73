//! Header fields written: folding, RFC 2047 words, RFC 2231 parameters. Source: RFC 5322 2.2.3.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Where lines are folded if they can be. Source: RFC 5322 2.1.1.
const LINE_WANTED: usize = 76;
/// No line is longer. Source: RFC 5322 2.1.1.
const LINE_MAX: usize = 998;
/// Octets of text in one base64 word, so that it fits into the first line behind most field names, and has at most
/// the 75 characters of RFC 2047 2.
const WORD_OCTETS: usize = 39;

/// Writes one field at a time; control characters never get into a value.
#[derive(Debug, Default)]
pub(super) struct Fields {
    out: String,
    /// Characters in the current line.
    column: usize,
}

impl Fields {
    /// The fields written so far; the blank line is not among them.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Appends fields that are complete already, with their line ends.
    pub(super) fn raw(&mut self, fields: &str) {
        self.out.push_str(fields);
    }

    /// A field of free text, encoded where it must be.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.begin(name);
        self.words(&clean(value));
        self.end();
    }

    /// A field of ids or other words that are never encoded: folded at white space.
    pub(super) fn ids(&mut self, name: &str, value: &str) {
        self.begin(name);
        for word in clean(value).split_ascii_whitespace() {
            self.token(word);
        }
        self.end();
    }

    /// A list of addresses, each given as display name and address; nothing for an empty list.
    pub(super) fn addresses(&mut self, name: &str, people: &[(String, String)]) {
        if people.is_empty() {
            return;
        }
        self.begin(name);
        for (index, (display, address)) in people.iter().enumerate() {
            let address = address_spec(address);
            let comma = if index + 1 < people.len() { "," } else { "" };
            let display = clean(display);
            if display.is_empty() || display == address {
                self.token(&format!("{address}{comma}"));
            } else {
                self.phrase(&display);
                self.token(&format!("<{address}>{comma}"));
            }
        }
        self.end();
    }

    /// A MIME field: its value, then parameters, RFC 2231 where they are not ASCII or long.
    pub(super) fn with_params(&mut self, name: &str, value: &str, params: &[(&str, &str)]) {
        self.begin(name);
        let mut pending = clean(value);
        for (param, value) in params {
            for piece in parameter(param, &clean(value)) {
                pending.push(';');
                self.token(&pending);
                pending = piece;
            }
        }
        self.token(&pending);
        self.end();
    }

    fn begin(&mut self, name: &str) {
        self.out.push_str(name);
        self.out.push(':');
        self.column = name.len() + 1;
    }

    fn end(&mut self) {
        self.out.push_str("\r\n");
        self.column = 0;
    }

    /// Appends a space and a word, on a new line if it does not fit.
    fn token(&mut self, word: &str) {
        // A folded line that is all white space would end nothing and mean nothing.
        if self.column + 1 + word.len() > LINE_WANTED && self.column > 1 && !self.out.ends_with(':')
        {
            self.out.push_str("\r\n");
            self.column = 0;
        }
        self.out.push(' ');
        self.out.push_str(word);
        self.column += 1 + word.len();
    }

    fn words(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        // White space that folding could change, and words that would be taken for encoded ones, are encoded.
        let plain = is_printable(text)
            && !text.contains("=?")
            && !text.contains("  ")
            && text.trim() == text
            && text.split(' ').all(|word| word.len() < LINE_MAX - 80);
        if plain {
            text.split(' ').for_each(|word| self.token(word));
        } else {
            self.encoded_words(text);
        }
    }

    fn encoded_words(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let mut end = rest.len().min(WORD_OCTETS);
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            let (word, tail) = rest.split_at(end);
            self.token(&format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
            rest = tail;
        }
    }

    fn phrase(&mut self, name: &str) {
        let is_atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~ ".contains(&b);
        if name.bytes().all(is_atom) {
            self.words(name);
        } else if is_printable(name) && !name.contains("=?") && name.len() < LINE_MAX - 80 {
            self.token(&quoted(name));
        } else {
            self.encoded_words(name);
        }
    }
}

/// Text without control characters: no value can begin another field.
fn clean(value: &str) -> String {
    let spaced = value.replace("\r\n", " ").replace(['\r', '\n', '\t'], " ");
    spaced.chars().filter(|c| !c.is_control()).collect()
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// An address that has no white space and no specials outside quotes.
fn address_spec(address: &str) -> String {
    let address = clean(address);
    let is_atext = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let domain: String = domain
                .chars()
                .filter(|c| c.is_alphanumeric() || ".-[]:_".contains(*c))
                .collect();
            let plain = !local.is_empty() && local.chars().all(is_atext);
            if plain {
                format!("{local}@{domain}")
            } else {
                format!("{}@{domain}", quoted(local))
            }
        }
        None if !address.is_empty() && address.chars().all(is_atext) => address,
        None => quoted(&address),
    }
}

/// The pieces of one parameter. Source: RFC 2231 3 and 4.
fn parameter(name: &str, value: &str) -> Vec<String> {
    if is_printable(value) && value.len() <= LINE_WANTED {
        let token = !value.is_empty()
            && value
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b));
        return vec![if token {
            format!("{name}={value}")
        } else {
            format!("{name}={}", quoted(value))
        }];
    }
    let mut pieces = vec![String::from("utf-8''")];
    for octet in value.bytes() {
        let escaped = if octet.is_ascii_alphanumeric() || b"-_.".contains(&octet) {
            char::from(octet).to_string()
        } else {
            format!("%{octet:02X}")
        };
        match pieces.last_mut() {
            Some(last) if last.len() + escaped.len() <= LINE_WANTED - 20 => last.push_str(&escaped),
            _ => pieces.push(escaped),
        }
    }
    if let [only] = pieces.as_slice() {
        return vec![format!("{name}*={only}")];
    }
    pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| format!("{name}*{index}*={piece}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{address, encoded_word, header, parameter as read};

    fn written(write: impl FnOnce(&mut Fields)) -> String {
        let mut fields = Fields::default();
        write(&mut fields);
        fields.finish()
    }

    #[test]
    fn free_text_comes_back_as_it_was() {
        let long = "word ".repeat(60) + "end";
        let texts = [
            "plain",
            "",
            "naïve café",
            "two  spaces",
            " lead",
            "=?utf-8?Q?x?=",
            &long,
            &"é".repeat(200),
            &"x".repeat(2000),
        ];
        for text in texts {
            let field = written(|f| f.text("Subject", text));
            assert!(field.lines().all(|line| line.len() <= 78), "{field}");
            let value = header::fields(field.as_bytes()).next().unwrap().value;
            assert_eq!(encoded_word::decode(value), text);
        }
    }

    #[test]
    fn no_value_begins_another_field() {
        let field = written(|f| {
            f.text("Subject", "a\r\nBcc: x@example.test\n\nbody");
            f.ids("References", "<1>\r\n\r\nbody");
        });
        let names: Vec<_> = header::fields(field.as_bytes())
            .map(|field| field.name)
            .collect();
        assert_eq!(names, [&b"Subject"[..], b"References"]);
    }

    #[test]
    fn addresses_come_back_as_they_were() {
        let people = [
            ("Lee, Ann", "a@x.test"),
            ("", "b@x.test"),
            ("Zoë", "c@x.test"),
            ("J. \"Q\"", "odd one@x.test"),
        ];
        let owned: Vec<_> = people
            .iter()
            .map(|(n, a)| ((*n).to_owned(), (*a).to_owned()))
            .collect();
        let field = written(|f| f.addresses("To", &owned));
        let back: Vec<_> =
            address::mailboxes(header::fields(field.as_bytes()).next().unwrap().value)
                .iter()
                .map(|m| {
                    (
                        m.name
                            .as_deref()
                            .map(encoded_word::decode)
                            .unwrap_or_default(),
                        m.address(),
                    )
                })
                .collect();
        assert_eq!(back, owned);
    }

    #[test]
    fn parameters_come_back_as_they_were() {
        for name in [
            "plain.txt",
            "with space.txt",
            "quo\"te.txt",
            "naïve.txt",
            &"ü".repeat(100),
            &"a".repeat(100),
        ] {
            let field = written(|f| {
                f.with_params("Content-Disposition", "attachment", &[("filename", name)])
            });
            assert!(field.lines().all(|line| line.len() <= 100), "{field}");
            let value = header::fields(field.as_bytes()).next().unwrap().value;
            let disposition = read::disposition(value).unwrap();
            assert_eq!(
                read::joined(&disposition.params, "filename").as_deref(),
                Some(name)
            );
        }
    }
}
