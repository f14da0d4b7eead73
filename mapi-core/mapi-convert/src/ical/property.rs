//! One property: name, parameters, value. Source: RFC 5545 3.1, 3.2; RFC 6868.

use bytes::Bytes;

use super::{Error, Limits, Reason};

/// A property of a component.
///
/// One that was read keeps its octets until it is changed. Names compare without ASCII case.
#[derive(Clone, Debug)]
pub struct Property {
    pub(super) source: Option<Source>,
    name: Box<str>,
    params: Vec<Param>,
    value: Box<str>,
}

/// Where a line came from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Its octets, line ends included.
    pub(super) octets: Bytes,
    /// The number of its first line, from 1.
    pub(super) line: usize,
}

/// A parameter with its values, quotes and the escapes of RFC 6868 resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name, as written.
    pub name: Box<str>,
    /// Its values; at least one, which may be empty.
    pub values: Vec<String>,
}

impl Property {
    /// A new property without parameters; `value` is as it stands in the line, escapes included.
    pub fn new(name: &str, value: impl Into<Box<str>>) -> Self {
        Self {
            source: None,
            name: name.into(),
            params: Vec::new(),
            value: value.into(),
        }
    }

    /// This property with one parameter more.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: impl Into<String>) -> Self {
        self.source = None;
        self.params.push(Param {
            name: name.into(),
            values: vec![value.into()],
        });
        self
    }

    /// Reads an unfolded line.
    pub(super) fn read(text: &str, limits: &Limits) -> Result<Self, Reason> {
        let (name, mut rest) = take_name(text)?;
        let mut params = Vec::new();
        while let Some(tail) = rest.strip_prefix(';') {
            if params.len() >= limits.params_max {
                return Err(Reason::TooManyParams);
            }
            let (param, tail) = Param::read(tail, limits)?;
            params.push(param);
            rest = tail;
        }
        let value = rest.strip_prefix(':').ok_or(Reason::NoValue)?;
        Ok(Self {
            source: None,
            name: name.into(),
            params,
            value: value.into(),
        })
    }

    /// Its name, as written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Its value as it stands in the line, escapes included.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Its parameters, in order.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// The first value of a parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        let values = self.param_values(name)?;
        values.first().map(String::as_str)
    }

    /// Every value of a parameter.
    pub fn param_values(&self, name: &str) -> Option<&[String]> {
        let named = |param: &&Param| param.name.eq_ignore_ascii_case(name);
        self.params
            .iter()
            .find(named)
            .map(|param| param.values.as_slice())
    }

    /// Whether a parameter has this value, compared without ASCII case.
    pub fn param_is(&self, name: &str, value: &str) -> bool {
        self.param(name)
            .is_some_and(|found| found.eq_ignore_ascii_case(value))
    }

    /// The line it was read from, from 1; 0 of a new one.
    pub fn line(&self) -> usize {
        self.source.as_ref().map_or(0, |source| source.line)
    }

    /// Changes the value; one that stays the same keeps its octets.
    pub fn set_value(&mut self, value: impl Into<Box<str>>) {
        let value = value.into();
        if value != self.value {
            self.value = value;
            self.source = None;
        }
    }

    /// Sets a parameter to one value, or takes it away.
    pub fn set_param(&mut self, name: &str, value: Option<&str>) {
        let place = self
            .params
            .iter()
            .position(|param| param.name.eq_ignore_ascii_case(name));
        let values = value.map(|value| vec![value.to_owned()]);
        match (place.and_then(|place| self.params.get_mut(place)), values) {
            (None, None) => return,
            (Some(param), Some(values)) if param.values == values => return,
            (Some(param), Some(values)) => param.values = values,
            (Some(_), None) => self
                .params
                .retain(|param| !param.name.eq_ignore_ascii_case(name)),
            (None, Some(values)) => self.params.push(Param {
                name: name.into(),
                values,
            }),
        }
        self.source = None;
    }
}

impl PartialEq for Property {
    /// Whether they say the same, wherever they came from and however they were folded.
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.name) && self.params == other.params && self.value == other.value
    }
}

impl Param {
    /// Reads a parameter at the start of `text`; returns what follows it.
    fn read<'a>(text: &'a str, limits: &Limits) -> Result<(Self, &'a str), Reason> {
        let (name, rest) = take_name(text).map_err(|_| Reason::BadParam)?;
        let mut rest = rest.strip_prefix('=').ok_or(Reason::BadParam)?;
        let mut values = Vec::new();
        loop {
            if values.len() >= limits.params_max {
                return Err(Reason::TooManyParams);
            }
            let (value, tail) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or(Reason::OpenQuote)?,
                None => rest.split_at(rest.find([',', ';', ':']).ok_or(Reason::NoValue)?),
            };
            values.push(decode_caret(value));
            match tail.strip_prefix(',') {
                Some(next) => rest = next,
                None if tail.starts_with([';', ':']) => {
                    let name = name.into();
                    return Ok((Self { name, values }, tail));
                }
                None => return Err(Reason::BadParam),
            }
        }
    }
}

/// The name at the start of a line or of a parameter. `_` and the `.` of vCard groups occur.
fn take_name(text: &str) -> Result<(&str, &str), Reason> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = text.find(|c| !in_name(c)).unwrap_or(text.len());
    match text.split_at(end) {
        ("", _) => Err(Reason::BadName),
        (name, rest) if rest.starts_with([':', ';', '=']) => Ok((name, rest)),
        (_, "") => Err(Reason::NoValue),
        _ => Err(Reason::BadName),
    }
}

/// Source: RFC 6868 3.2. A caret before any other character is one.
fn decode_caret(value: &str) -> String {
    if !value.contains('^') {
        return value.to_owned();
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        let mut ahead = rest.clone();
        let decoded = match (c, ahead.next()) {
            ('^', Some('n')) => '\n',
            ('^', Some('\'')) => '"',
            ('^', Some('^')) => '^',
            _ => {
                text.push(c);
                continue;
            }
        };
        text.push(decoded);
        rest = ahead;
    }
    text
}

/// Source: RFC 6868 3.2. Other control characters cannot stand in a parameter and are left out.
pub(super) fn encode_caret(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\n' => text.push_str("^n"),
            '"' => text.push_str("^'"),
            '^' => text.push_str("^^"),
            '\t' => text.push(c),
            _ if c.is_control() => {}
            _ => text.push(c),
        }
    }
    text
}

/// What an unfolded line is.
pub(super) fn read_line(text: &str, line: usize, limits: &Limits) -> Result<Property, Error> {
    Property::read(text, limits).map_err(|reason| Error { line, reason })
}
