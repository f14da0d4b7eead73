//! A decoded body, and what is broken in it.

use std::fmt;

use mapi_wire::DecodeError;

use crate::{
    Detail, Pieces, json,
    node::{Entry, Node},
    recording::{Direction, Kind},
    text,
};

/// What a recorded body says.
#[derive(Clone, Debug)]
pub struct Body {
    name: String,
    entry: Entry,
    faults: Vec<Fault>,
}

/// Octets that are not what they should be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// In which part of the body; the place counts from its beginning.
    pub within: String,
    /// Where, and what was expected there.
    pub error: DecodeError,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in {}: {}", self.within, self.error)
    }
}

/// A body in the making.
#[derive(Debug)]
pub(crate) struct Draft {
    name: String,
    octets: usize,
    note: Option<String>,
    pub(crate) direction: Option<Direction>,
    pub(crate) endpoint: Option<String>,
    pub(crate) kind: Option<Kind>,
    pub(crate) could_be: Vec<&'static str>,
    pub(crate) fields: Entry,
    faults: Vec<Fault>,
}

impl Draft {
    pub(crate) fn new(name: &str, octets: usize, note: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            octets,
            note: note.map(str::to_owned),
            direction: None,
            endpoint: None,
            kind: None,
            could_be: Vec::new(),
            fields: Entry::default(),
            faults: Vec::new(),
        }
    }

    /// Takes note of something broken. What is shown instead of it, the caller adds.
    pub(crate) fn fault(&mut self, within: impl Into<String>, error: DecodeError) {
        self.faults.push(Fault {
            within: within.into(),
            error,
        });
    }

    pub(crate) fn finish(self) -> Body {
        let mut entry = Entry::new("name", &self.name);
        if let Some(direction) = self.direction {
            entry = entry.and("direction", direction.word());
        }
        entry = entry.and("type", self.kind.map_or("unknown", Kind::word));
        if let Some(endpoint) = &self.endpoint {
            entry.push("endpoint", Node::word(endpoint));
        }
        entry.push("octets", Node::Number(self.octets as i128));
        entry.push_some("note", self.note.map(Node::Word));
        if !self.could_be.is_empty() {
            let others = self.could_be.iter().map(|name| Node::word(*name));
            entry.push("could_be", Node::list(others));
        }
        if !self.faults.is_empty() {
            let faults = self.faults.iter().map(|fault| {
                Entry::default()
                    .with("within", Node::word(&fault.within))
                    .with("at", Node::Number(fault.error.at as i128))
                    .with("expected", Node::word(fault.error.expected))
                    .into()
            });
            entry.push("malformed", Node::list(faults));
        }
        entry.fields.extend(self.fields.fields);
        Body {
            name: self.name,
            entry,
            faults: self.faults,
        }
    }
}

impl Body {
    /// A body that says what was never complete in its session.
    pub(crate) const fn of(name: String, entry: Entry) -> Self {
        Self {
            name,
            entry,
            faults: Vec::new(),
        }
    }

    /// The name of the recording.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is broken in it.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Whether something is broken in it.
    pub const fn is_malformed(&self) -> bool {
        !self.faults.is_empty()
    }

    /// As text: several lines, without a line end after the last.
    pub fn to_text(&self, detail: Detail) -> String {
        let mut out = Pieces::default();
        text::write(&self.entry, 0, detail, &mut out);
        out.collect()
    }

    /// As a JSON object on one line.
    pub fn to_json(&self, detail: Detail) -> String {
        let mut out = Pieces::default();
        json::write(&self.entry, detail, &mut out);
        out.collect()
    }
}
