//! From octets to components. Source: RFC 5545 3.4, 3.6.

use bytes::Bytes;

use super::{
    Component, Error, Limits, Node, Property, Reason, lines::Lines, property, property::Source,
};

/// What one document holds: usually one VCALENDAR; an import may have several in a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Octets before the first line: a byte order mark, blank lines.
    pub(super) leading: Bytes,
    /// The components, in order; at least one when it was read.
    pub components: Vec<Component>,
}

/// The mark that some programs put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a document. Line ends may be CRLF or LF. Cost: one pass; memory about three times the document.
///
/// Errors: the first line that is no content line, that stands outside of a component, or that is beyond a limit.
pub fn parse(source: &Bytes, limits: &Limits) -> Result<Document, Error> {
    let fail = |line, reason| Err(Error { line, reason });
    if source.len() > limits.size_bytes_max {
        return fail(1, Reason::TooLarge);
    }
    let mark = match source.starts_with(BYTE_ORDER_MARK) {
        true => BYTE_ORDER_MARK.len(),
        false => 0,
    };
    let mut lines = Lines::new(source, mark, limits);
    let leading = source.slice(..lines.skip_blank());
    let mut tree = Tree {
        open: Vec::new(),
        done: Vec::new(),
        depth_max: limits.depth_max,
    };
    while let Some(line) = lines.next() {
        let line = line?;
        let mut property = property::read_line(&line.text, line.number, limits)?;
        property.source = Some(Source {
            octets: source.slice(line.range),
            line: line.number,
        });
        tree.add(property).map_err(|reason| Error {
            line: line.number,
            reason,
        })?;
    }
    if !tree.open.is_empty() {
        return fail(lines.number(), Reason::Unfinished);
    }
    if tree.done.is_empty() {
        return fail(lines.number().max(1), Reason::Empty);
    }
    Ok(Document {
        leading,
        components: tree.done,
    })
}

/// Components in the making.
struct Tree {
    /// From the outermost to the one that lines belong to.
    open: Vec<Component>,
    done: Vec<Component>,
    depth_max: usize,
}

impl Tree {
    fn add(&mut self, property: Property) -> Result<(), Reason> {
        if property.is("BEGIN") {
            if self.open.len() >= self.depth_max {
                return Err(Reason::TooDeep);
            }
            let mut component = Component::new(property.value().trim_ascii());
            component.begin = property.source;
            self.open.push(component);
            return Ok(());
        }
        if !property.is("END") {
            let open = self.open.last_mut().ok_or(Reason::OutsideComponent)?;
            open.nodes.push(Node::Property(property));
            return Ok(());
        }
        let mut component = self.open.pop().ok_or(Reason::UnexpectedEnd)?;
        if !component.is(property.value().trim_ascii()) {
            return Err(Reason::UnexpectedEnd);
        }
        component.end = property.source;
        match self.open.last_mut() {
            Some(parent) => parent.nodes.push(Node::Component(component)),
            None => self.done.push(component),
        }
        Ok(())
    }
}
