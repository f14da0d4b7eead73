//! The tree as JSON: one object, on one line. Field names are those of the tree, in its order.

use std::fmt::Write;

use crate::{
    Detail,
    node::{Code, Entry, Node, Octets},
    pieces::{Layout, Pieces},
    text,
};

/// Writes an entry as an object.
pub(crate) fn write(entry: &Entry, detail: Detail, out: &mut Pieces) {
    out.push('{');
    let mut is_first = true;
    let mut key = |name: &str, out: &mut Pieces| {
        if !std::mem::take(&mut is_first) {
            out.push(',');
        }
        string(name, out);
        out.push(':');
    };
    for (name, what) in &entry.head {
        key(name, out);
        string(what, out);
    }
    for (name, value) in &entry.fields {
        key(name, out);
        node(value, detail, out);
    }
    out.push('}');
}

fn node(value: &Node, detail: Detail, out: &mut Pieces) {
    match value {
        Node::Absent => out.push_str("null"),
        Node::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        Node::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Node::Float(number) if number.is_finite() => {
            let _ = write!(out, "{number:?}");
        }
        // JSON has no word for what is no number.
        Node::Float(number) => string(&number.to_string(), out),
        Node::Text(text) | Node::Word(text) => string(text, out),
        Node::Code(code) => self::code(code, out),
        Node::Octets(octets) => self::octets(octets, detail, out),
        Node::List(nodes) => list(nodes, out, |one, out| node(one, detail, out)),
        Node::Entry(entry) => write(entry, detail, out),
    }
}

fn code(code: &Code, out: &mut Pieces) {
    let _ = write!(out, "{{\"number\":{},\"meaning\":", code.number);
    list(&code.meaning, out, |one, out| string(one, out));
    out.push('}');
}

fn octets(octets: &Octets, detail: Detail, out: &mut Pieces) {
    let Octets { octets, why } = octets;
    let _ = write!(out, "{{\"octets\":{},\"opaque\":", octets.len());
    string(why, out);
    if text::is_shown(octets, detail) {
        out.push_str(",\"hex\":\"");
        out.octets(octets, Layout::Digits);
        out.push('"');
    }
    out.push('}');
}

fn list<T>(items: &[T], out: &mut Pieces, mut write: impl FnMut(&T, &mut Pieces)) {
    out.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

fn string(text: &str, out: &mut Pieces) {
    let _ = write!(out, "{}", serde_json::Value::from(text));
}
