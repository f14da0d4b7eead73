//! From components to octets. Source: RFC 5545 3.1.

use super::{
    Component, Document, Node, Property,
    property::{Source, encode_caret},
};

/// Octets of a line before it is folded. Source: RFC 5545 3.1.
const LINE_BYTES_MAX: usize = 75;

impl Document {
    /// A document of one new component.
    pub fn new(component: Component) -> Self {
        Self {
            components: vec![component],
            ..Self::default()
        }
    }

    /// The whole as octets: what was read and not changed, as it was read.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.leading.to_vec();
        for component in &self.components {
            component.write(&mut out);
        }
        out
    }
}

impl Component {
    /// Appends the component. What was read and not changed is written as it was read.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_frame(self.begin.as_ref(), "BEGIN", self.name(), out);
        for node in &self.nodes {
            match node {
                Node::Property(property) => property.write(out),
                // Recursion is bounded by the parser's depth, or by who built it.
                Node::Component(component) => component.write(out),
            }
        }
        write_frame(self.end.as_ref(), "END", self.name(), out);
    }
}

impl Property {
    /// Appends the property's line or lines, line end included.
    pub fn write(&self, out: &mut Vec<u8>) {
        match &self.source {
            Some(source) => write_source(source, out),
            None => fold(&self.line_text(), out),
        }
    }

    /// The line before folding, without line end.
    fn line_text(&self) -> String {
        let mut line = self.name().to_owned();
        for param in self.params() {
            line.push(';');
            line.push_str(&param.name);
            for (place, value) in param.values.iter().enumerate() {
                line.push(if place == 0 { '=' } else { ',' });
                let value = encode_caret(value);
                match value.contains([',', ';', ':']) {
                    true => line.extend(["\"", &value, "\""]),
                    false => line.push_str(&value),
                }
            }
        }
        line.push(':');
        // A line end would begin another property.
        line.extend(self.value().chars().filter(|c| !matches!(c, '\r' | '\n')));
        line
    }
}

fn write_frame(source: Option<&Source>, word: &str, name: &str, out: &mut Vec<u8>) {
    match source {
        Some(source) => write_source(source, out),
        None => fold(&format!("{word}:{name}"), out),
    }
}

fn write_source(source: &Source, out: &mut Vec<u8>) {
    end_line(out);
    out.extend_from_slice(&source.octets);
}

/// Ends the line before, when what was read ended without a line end.
fn end_line(out: &mut Vec<u8>) {
    if out.last().is_some_and(|last| *last != b'\n') && out != b"\xef\xbb\xbf" {
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends a line in pieces of at most [`LINE_BYTES_MAX`] octets, none of which cuts a character in two.
fn fold(line: &str, out: &mut Vec<u8>) {
    end_line(out);
    let mut rest = line;
    let mut room = LINE_BYTES_MAX;
    while rest.len() > room {
        let mut end = room;
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, tail) = rest.split_at(end);
        out.extend_from_slice(piece.as_bytes());
        out.extend_from_slice(b"\r\n ");
        rest = tail;
        room = LINE_BYTES_MAX - 1;
    }
    out.extend_from_slice(rest.as_bytes());
    out.extend_from_slice(b"\r\n");
}
