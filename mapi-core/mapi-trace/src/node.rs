//! What there is to show, as a tree: text and JSON are written from it, so they cannot differ.

use std::borrow::Cow;

use bytes::Bytes;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// It is not there.
    Absent,
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(i128),
    /// A number that may have a fraction.
    Float(f64),
    /// What a peer wrote: quoted.
    Text(String),
    /// What this crate writes: ids, times, names.
    Word(String),
    /// A number that stands for something.
    Code(Code),
    /// What is not read any further.
    Octets(Octets),
    /// Several.
    List(Vec<Self>),
    /// Something with named parts.
    Entry(Entry),
}

/// Something with named parts: `head` says what it is, `fields` what is in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Entry {
    /// Keys of JSON; in text only the values stand there, in front.
    pub(crate) head: Vec<(&'static str, String)>,
    /// In the order of the document. A field named [`VALUE`] is what the head is about.
    pub(crate) fields: Vec<(Cow<'static, str>, Node)>,
}

/// The field whose name text leaves out.
pub(crate) const VALUE: &str = "value";

/// A number and what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Code {
    /// The number.
    pub(crate) number: u64,
    /// How many hexadecimal digits it has.
    pub(crate) digits: usize,
    /// Its name, or the names of its bits; bits without a name as a number.
    pub(crate) meaning: Vec<Cow<'static, str>>,
}

/// Octets that are not read any further, and why not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Octets {
    /// The octets.
    pub(crate) octets: Bytes,
    /// Why nobody reads them here.
    pub(crate) why: Cow<'static, str>,
}

impl Node {
    /// Octets that are not read any further, because of `why`.
    pub(crate) fn octets(octets: &[u8], why: impl Into<Cow<'static, str>>) -> Self {
        Self::shared(Bytes::copy_from_slice(octets), why)
    }

    /// The same, of octets that need no copy.
    pub(crate) fn shared(octets: Bytes, why: impl Into<Cow<'static, str>>) -> Self {
        Self::Octets(Octets {
            octets,
            why: why.into(),
        })
    }

    /// A word.
    pub(crate) fn word(word: impl Into<String>) -> Self {
        Self::Word(word.into())
    }

    /// A list.
    pub(crate) fn list(nodes: impl IntoIterator<Item = Self>) -> Self {
        Self::List(nodes.into_iter().collect())
    }
}

impl From<Entry> for Node {
    fn from(entry: Entry) -> Self {
        Self::Entry(entry)
    }
}

impl Entry {
    /// An entry that says what it is.
    pub(crate) fn new(key: &'static str, what: impl Into<String>) -> Self {
        Self {
            head: vec![(key, what.into())],
            fields: Vec::new(),
        }
    }

    /// Says more of what it is.
    #[must_use]
    pub(crate) fn and(mut self, key: &'static str, what: impl Into<String>) -> Self {
        self.head.push((key, what.into()));
        self
    }

    /// With one more field.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Node>) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a field.
    pub(crate) fn push(&mut self, name: &'static str, value: impl Into<Node>) {
        self.fields.push((name.into(), value.into()));
    }

    /// Adds a field, if it is there.
    pub(crate) fn push_some(&mut self, name: &'static str, value: Option<Node>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }
}
