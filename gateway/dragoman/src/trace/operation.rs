//! One operation with all that was done for it, as text and as JSON.

use std::{
    fmt::Write,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, json};

/// The most spans of one operation; a FETCH of a large mailbox may have any number.
const SPANS_MAX: usize = 1000;

/// What a span says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(u64),
}

/// An operation.
#[derive(Debug)]
pub(crate) struct Operation {
    began: SystemTime,
    /// The first is the operation itself; each comes after the one it belongs to.
    spans: Vec<Span>,
    /// Spans for which there was no room.
    left_out: usize,
}

#[derive(Debug)]
struct Span {
    name: &'static str,
    /// The span it belongs to.
    within: usize,
    fields: Vec<(&'static str, Value)>,
    began: Instant,
    took: Option<Duration>,
}

impl Default for Operation {
    fn default() -> Self {
        Self {
            began: UNIX_EPOCH,
            spans: Vec::new(),
            left_out: 0,
        }
    }
}

impl Operation {
    pub(super) fn begin(name: &'static str, fields: Vec<(&'static str, Value)>) -> Self {
        Self {
            began: SystemTime::now(),
            spans: vec![Span::new(0, name, fields)],
            left_out: 0,
        }
    }

    /// Adds a span; none when there are too many.
    pub(super) fn add(
        &mut self,
        within: usize,
        name: &'static str,
        fields: Vec<(&'static str, Value)>,
    ) -> Option<usize> {
        if self.spans.len() >= SPANS_MAX {
            self.left_out += 1;
            return None;
        }
        self.spans.push(Span::new(within, name, fields));
        Some(self.spans.len() - 1)
    }

    /// A span says more.
    pub(super) fn say(&mut self, span: usize, fields: Vec<(&'static str, Value)>) {
        let Some(span) = self.spans.get_mut(span) else {
            return;
        };
        for (name, value) in fields {
            match span.fields.iter_mut().find(|(known, _)| *known == name) {
                Some((_, old)) => *old = value,
                None => span.fields.push((name, value)),
            }
        }
    }

    /// A span has ended.
    pub(super) fn end(&mut self, span: usize) {
        if let Some(span) = self.spans.get_mut(span) {
            span.took = Some(span.began.elapsed());
        }
    }

    /// Whether a task in the background looked up and found nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.spans.as_slice(), [only] if only.name == "mirror")
    }

    /// A line for each span, indented as they belong together.
    pub(crate) fn to_text(&self) -> String {
        let mut out = format!("{}\n", time_of_day(self.began));
        for (place, span) in self.spans.iter().enumerate() {
            let indent = 2 * self.depth(place);
            let ms = span.took.map_or_else(|| "…".to_owned(), milliseconds);
            // Writing into a String cannot fail.
            let _ = write!(out, "{ms:>12} ms  {:indent$}{}", "", span.name);
            for (name, value) in span.shown() {
                let _ = match (name, value) {
                    (None, value) => write!(out, " {value}"),
                    (Some(name), value) => write!(out, " {name}={value}"),
                };
            }
            out.push('\n');
        }
        if self.left_out > 0 {
            let _ = writeln!(out, "{:>12}     … and {} more", "", self.left_out);
        }
        out
    }

    /// An object on one line; what belongs to a span is in its `calls`.
    pub(crate) fn to_json(&self) -> String {
        let since = self.began.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut object = self.object(0);
        object.insert("unix_ms".to_owned(), json!(since.as_millis() as u64));
        if self.left_out > 0 {
            object.insert("left_out".to_owned(), json!(self.left_out));
        }
        format!("{}\n", serde_json::Value::Object(object))
    }

    fn object(&self, place: usize) -> Map<String, serde_json::Value> {
        let mut object = Map::new();
        let Some(span) = self.spans.get(place) else {
            return object;
        };
        object.insert("span".to_owned(), json!(span.name));
        if let Some(took) = span.took {
            object.insert("ms".to_owned(), json!(took.as_micros() as f64 / 1000.0));
        }
        for (name, value) in &span.fields {
            let value = match value {
                Value::Text(text) => json!(text),
                Value::Number(number) => json!(number),
            };
            object.insert((*name).to_owned(), value);
        }
        let within = self.spans.iter().enumerate().skip(place + 1);
        let calls = within.filter(|(_, span)| span.within == place);
        let calls: Vec<_> = calls.map(|(place, _)| self.object(place)).collect();
        if !calls.is_empty() {
            object.insert("calls".to_owned(), json!(calls));
        }
        object
    }

    fn depth(&self, mut place: usize) -> usize {
        let mut depth = 0;
        while place > 0 {
            place = self.spans.get(place).map_or(0, |span| span.within);
            depth += 1;
        }
        depth
    }
}

impl Span {
    fn new(within: usize, name: &'static str, fields: Vec<(&'static str, Value)>) -> Self {
        Self {
            name,
            within,
            fields,
            began: Instant::now(),
            took: None,
        }
    }

    /// What is shown in text: what it is about first and without a name, nothing twice, nothing that is empty.
    fn shown(&self) -> impl Iterator<Item = (Option<&'static str>, &Value)> {
        let what = match self.name {
            "imap" | "pop3" => "line",
            "store" => "call",
            "batch" => "rops",
            "http" => "request",
            _ => "",
        };
        // The line of a command says these itself.
        let is_said = |name: &str| self.name == "imap" && matches!(name, "command" | "tag");
        let first = self.fields.iter().filter(move |(name, _)| *name == what);
        let others = self
            .fields
            .iter()
            .filter(move |(name, value)| *name != what && !is_said(name) && !value.is_empty());
        let first = first.map(|(_, value)| (None, value));
        first.chain(others.map(|(name, value)| (Some(*name), value)))
    }
}

impl Value {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

fn milliseconds(took: Duration) -> String {
    format!("{:.3}", took.as_micros() as f64 / 1000.0)
}

/// The time of day, UTC.
fn time_of_day(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, ms) = (since.as_secs(), since.subsec_millis());
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}
