//! The tree as text for people: short things on one line, others a line a field, indented.

use std::fmt::Write;

use crate::{
    Detail,
    node::{Code, Entry, Node, Octets, VALUE},
    pieces::{Layout, Pieces},
};

/// How long a line may become by putting something on it as a whole.
const LINE_CHARS_MAX: usize = 120;

/// How many opaque octets are shown without being asked for.
pub(crate) const OCTETS_SHOWN_MAX: usize = 32;

/// Octets on one line of many.
pub(crate) const OCTETS_A_LINE: usize = 32;

/// What a level is indented by.
const INDENT: usize = 2;

/// Writes an entry, beginning at column `indent` of a line that is there already, without a line end after it.
pub(crate) fn write(entry: &Entry, indent: usize, detail: Detail, out: &mut Pieces) {
    Writer { detail, out }.entry(entry, indent);
}

/// A string in quotes, on one line.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if char.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out.push('"');
    out
}

/// Octets in hexadecimal digits, with a space between them.
pub(crate) fn hex(octets: &[u8]) -> String {
    let mut out = String::with_capacity(3 * octets.len());
    for (place, octet) in octets.iter().enumerate() {
        let space = if place == 0 { "" } else { " " };
        let _ = write!(out, "{space}{octet:02x}");
    }
    out
}

/// Whether the octets stand in the text behind their count.
pub(crate) const fn is_shown(octets: &[u8], detail: Detail) -> bool {
    octets.len() <= OCTETS_SHOWN_MAX || matches!(detail, Detail::Octets)
}

struct Writer<'a> {
    detail: Detail,
    out: &'a mut Pieces,
}

impl Writer<'_> {
    /// Head and fields of an entry; the first field stands on this line where there is no head.
    fn entry(&mut self, entry: &Entry, indent: usize) {
        self.out.push_str(&head(entry));
        if entry.fields.is_empty() {
            return;
        }
        let mut line = String::new();
        if self.fits(
            indent + entry.head.len(),
            |out, room| body_inline(entry, out, room),
            &mut line,
        ) {
            self.out.push_str(&line);
            return;
        }
        if let [(name, value)] = entry.fields.as_slice()
            && name == VALUE
        {
            self.out.push(':');
            return self.after_name(value, indent);
        }
        let within = match entry.head.is_empty() {
            true => indent,
            false => indent + INDENT,
        };
        for (place, (name, value)) in entry.fields.iter().enumerate() {
            if place > 0 || !entry.head.is_empty() {
                self.line(within);
            }
            self.out.push_str(name);
            self.out.push(':');
            self.after_name(value, within);
        }
    }

    /// A value behind its name and colon, which stand at column `indent`.
    fn after_name(&mut self, value: &Node, indent: usize) {
        let mut line = String::from(" ");
        if self.fits(indent, |out, room| inline(value, out, room), &mut line) {
            self.out.push_str(&line);
            return;
        }
        match value {
            Node::List(nodes) => {
                for node in nodes {
                    self.line(indent + INDENT);
                    self.out.push_str("- ");
                    self.item(node, indent + INDENT + INDENT);
                }
            }
            Node::Entry(entry) if entry.head.is_empty() => {
                self.line(indent + INDENT);
                self.entry(entry, indent + INDENT);
            }
            Node::Entry(entry) => {
                self.out.push(' ');
                self.entry(entry, indent);
            }
            value => {
                self.out.push(' ');
                self.item(value, indent);
            }
        }
    }

    /// A value that begins at column `indent`.
    fn item(&mut self, node: &Node, indent: usize) {
        match node {
            Node::Entry(entry) => self.entry(entry, indent),
            Node::Octets(octets) => self.octets(octets, indent),
            Node::List(nodes) => {
                let mut line = String::new();
                if self.fits(indent, |out, room| list_inline(nodes, out, room), &mut line) {
                    return self.out.push_str(&line);
                }
                for (place, node) in nodes.iter().enumerate() {
                    if place > 0 {
                        self.line(indent);
                    }
                    self.out.push_str("- ");
                    self.item(node, indent + INDENT);
                }
            }
            node => {
                let mut line = String::new();
                inline(node, &mut line, usize::MAX);
                self.out.push_str(&line);
            }
        }
    }

    fn octets(&mut self, octets: &Octets, indent: usize) {
        let Octets { octets, why } = octets;
        let _ = write!(self.out, "{} octets ({why})", octets.len());
        if octets.is_empty() {
            return;
        }
        if !is_shown(octets, self.detail) {
            return;
        }
        self.out.push(':');
        let indent = indent + INDENT;
        self.out.octets(octets, Layout::Lines { indent });
    }

    fn line(&mut self, indent: usize) {
        let _ = write!(self.out, "\n{:indent$}", "");
    }

    /// Tries to put something on a line that has `used` characters already.
    fn fits(
        &self,
        used: usize,
        write: impl FnOnce(&mut String, usize) -> bool,
        line: &mut String,
    ) -> bool {
        write(line, LINE_CHARS_MAX.saturating_sub(used))
    }
}

fn head(entry: &Entry) -> String {
    let words: Vec<&str> = entry.head.iter().map(|(_, word)| word.as_str()).collect();
    words.join(" ")
}

/// Writes something on one line, as far as `room` goes. Whether it was all; if not, the line is of no use.
fn inline(node: &Node, out: &mut String, room: usize) -> bool {
    match node {
        Node::Absent => out.push_str("none"),
        Node::Bool(value) => out.push_str(if *value { "yes" } else { "no" }),
        Node::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Node::Float(number) => {
            let _ = write!(out, "{number}");
        }
        Node::Text(text) => out.push_str(&quoted(text)),
        Node::Word(word) => out.push_str(word),
        Node::Code(code) => code_inline(code, out),
        Node::Octets(Octets { octets, why }) => {
            if octets.len() > OCTETS_SHOWN_MAX {
                return false;
            }
            let _ = write!(out, "{} octets ({why})", octets.len());
            if !octets.is_empty() {
                let _ = write!(out, ": {}", hex(octets));
            }
        }
        Node::List(nodes) => return list_inline(nodes, out, room),
        Node::Entry(entry) => {
            out.push_str(&head(entry));
            return out.len() <= room && body_inline(entry, out, room);
        }
    }
    // Characters would be fairer than octets; a line that is too short is no harm.
    out.len() <= room
}

fn list_inline(nodes: &[Node], out: &mut String, room: usize) -> bool {
    out.push('[');
    for (place, node) in nodes.iter().enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        if !inline(node, out, room) {
            return false;
        }
    }
    out.push(']');
    out.len() <= room
}

/// What follows the head of an entry.
fn body_inline(entry: &Entry, out: &mut String, room: usize) -> bool {
    match entry.fields.as_slice() {
        [] => return true,
        [(name, value)] if name == VALUE && !entry.head.is_empty() => {
            out.push_str(": ");
            return inline(value, out, room);
        }
        _ => {}
    }
    out.push_str(if entry.head.is_empty() { "{" } else { " {" });
    for (place, (name, value)) in entry.fields.iter().enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        out.push_str(name);
        out.push_str(": ");
        if !inline(value, out, room) {
            return false;
        }
    }
    out.push('}');
    out.len() <= room
}

fn code_inline(code: &Code, out: &mut String) {
    let Code {
        number,
        digits,
        meaning,
    } = code;
    let _ = write!(out, "{number:#0width$x}", width = digits + 2);
    if !meaning.is_empty() {
        let _ = write!(out, " ({})", meaning.join(" | "));
    }
}
