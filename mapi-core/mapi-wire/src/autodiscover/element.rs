//! XML as a small tree: bounded when read, plain when written. No document types, no entities but the five of XML.
//!
//! Names keep their prefix; looking up goes by the local name, and letter case does not count, for servers differ.

use std::fmt::Write;

use quick_xml::{
    Reader, XmlVersion,
    errors::Error,
    escape::escape,
    events::{BytesRef, BytesStart, Event},
};

use crate::cursor::{DecodeError, Result};

/// The most octets of a document.
pub const DOCUMENT_BYTES_MAX: usize = 0x10_0000;

/// How deep elements may nest.
pub const DEPTH_MAX: usize = 32;

/// The most elements of a document.
pub const ELEMENTS_MAX: usize = 10_000;

/// The most attributes of an element.
pub const ATTRIBUTES_MAX: usize = 32;

/// An element with all that is in it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Element {
    /// Its name, with a prefix where it has one.
    pub name: String,
    /// Its attributes in order.
    pub attributes: Vec<(String, String)>,
    /// Its text; with children, what stands between them.
    pub text: String,
    /// The elements in it.
    pub children: Vec<Self>,
    /// Where it began in the document that was read.
    pub at: usize,
}

/// How a tree is laid out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layout {
    /// On one line.
    Compact,
    /// An element a line, four spaces a level.
    Indented,
}

impl Element {
    /// An element with nothing in it.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// An element with text.
    pub fn with_text(name: &str, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::new(name)
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a child.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Adds a child with text, where there is one.
    #[must_use]
    pub fn field(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.child(Self::with_text(name, text)),
            None => self,
        }
    }

    /// Whether this is its local name.
    pub fn is(&self, name: &str) -> bool {
        let local = self.name.rsplit(':').next().unwrap_or_default();
        local.eq_ignore_ascii_case(name)
    }

    /// The children of a local name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.is(name))
    }

    /// The first child of a local name.
    pub fn first(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(name))
    }

    /// The first child of a local name, or an error that says it was expected here.
    pub fn required(&self, name: &str, expected: &'static str) -> Result<&Self> {
        self.first(name).ok_or(self.error(expected))
    }

    /// The text of the first child of a local name, without white space around it; empty counts as missing.
    pub fn value(&self, name: &str) -> Option<String> {
        let text = self.first(name)?.text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The value of an attribute by its local name.
    pub fn attribute_value(&self, name: &str) -> Option<&str> {
        let local = |known: &str| known.rsplit(':').next().unwrap_or_default().to_owned();
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(known, _)| local(known).eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The error for something that is not in this element.
    pub const fn error(&self, expected: &'static str) -> DecodeError {
        DecodeError {
            at: self.at,
            expected,
        }
    }

    /// Reads a document in UTF-8.
    pub fn parse(document: &[u8]) -> Result<Self> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(DecodeError {
                at: DOCUMENT_BYTES_MAX,
                expected: "a document within its bound",
            });
        }
        let text = std::str::from_utf8(document).map_err(|error| DecodeError {
            at: error.valid_up_to(),
            expected: "UTF-8",
        })?;
        Parser::new(text).run()
    }

    /// Writes a document, declaration and all.
    pub fn to_document(&self, layout: Layout) -> String {
        let mut out = match layout {
            Layout::Compact => r#"<?xml version="1.0" encoding="utf-8"?>"#.to_owned(),
            Layout::Indented => "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
        };
        self.write(&mut out, layout, 0);
        out
    }

    fn write(&self, out: &mut String, layout: Layout, level: usize) {
        let (indent, end) = match layout {
            Layout::Compact => (0, ""),
            Layout::Indented => (level * 4, "\n"),
        };
        let Self { name, text, .. } = self;
        // Writing into a String cannot fail.
        let _ = write!(out, "{:indent$}<{name}", "");
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}=\"{}\"", escape(value.as_str()));
        }
        if self.children.is_empty() && text.is_empty() {
            let _ = write!(out, "/>{end}");
        } else if self.children.is_empty() {
            let _ = write!(out, ">{}</{name}>{end}", escape(text.as_str()));
        } else {
            let _ = write!(out, ">{end}");
            for child in &self.children {
                child.write(out, layout, level + 1);
            }
            let _ = write!(out, "{:indent$}</{name}>{end}", "");
        }
    }
}

struct Parser<'a> {
    reader: Reader<&'a [u8]>,
    skipped: usize,
    elements: usize,
    /// The elements that are open, outermost first.
    open: Vec<Element>,
    root: Option<Element>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        let without_mark = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self {
            reader: Reader::from_str(without_mark),
            skipped: text.len() - without_mark.len(),
            elements: 0,
            open: Vec::new(),
            root: None,
        }
    }

    fn run(mut self) -> Result<Element> {
        loop {
            let at = self.position();
            let event = self.reader.read_event().map_err(|_| self.malformed())?;
            match event {
                Event::Start(start) => {
                    let element = self.begin(&start, at)?;
                    self.open.push(element);
                }
                Event::Empty(start) => {
                    let element = self.begin(&start, at)?;
                    self.close(element);
                }
                Event::End(_) => {
                    let element = self.open.pop().ok_or(error(at, "an element to end"))?;
                    self.close(element);
                }
                Event::Text(text) => self.text(&text.xml10_content(), at)?,
                Event::CData(text) => self.text(&text.xml10_content(), at)?,
                Event::GeneralRef(reference) => {
                    let character = resolve(&reference).ok_or(error(at, "an entity of XML"))?;
                    self.text(character.encode_utf8(&mut [0; 4]), at)?;
                }
                Event::DocType(_) => return Err(error(at, "no document type")),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
                Event::Eof if self.open.is_empty() => {
                    return self.root.ok_or(error(at, "an element"));
                }
                Event::Eof => return Err(error(at, "the end of an element")),
            }
        }
    }

    fn position(&self) -> usize {
        self.skipped + self.reader.buffer_position() as usize
    }

    fn malformed(&self) -> DecodeError {
        let at = self.skipped + self.reader.error_position() as usize;
        error(at, "well-formed XML")
    }

    fn begin(&mut self, start: &BytesStart<'_>, at: usize) -> Result<Element> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(error(at, "fewer elements"));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(error(at, "less nesting"));
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(error(at, "one root element"));
        }
        let mut element = Element::new(start.name().into_inner());
        element.at = at;
        for attribute in start.attributes() {
            if element.attributes.len() >= ATTRIBUTES_MAX {
                return Err(error(at, "fewer attributes"));
            }
            let attribute = attribute.map_err(|_| error(at, "well-formed attributes"))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value =
                value.map_err(|_: Error| error(at, "an attribute without entities of its own"))?;
            let name = attribute.key.into_inner().to_owned();
            element.attributes.push((name, value.into_owned()));
        }
        Ok(element)
    }

    fn close(&mut self, element: Element) {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str, at: usize) -> Result<()> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(error(at, "an element")),
        }
        Ok(())
    }
}

const fn error(at: usize, expected: &'static str) -> DecodeError {
    DecodeError { at, expected }
}

/// What a reference stands for: a character by number, or one of the five that XML names.
fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok()?;
    }
    match reference.xml10_content().as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prefixes_case_comments_and_entities_do_not_matter() {
        let document =
            b"\xef\xbb\xbf<?xml version='1.0'?><!-- a --><a:Root xmlns:a='u' i:Type=\"x &amp; y\">\
            <a:User> Tom &amp; J&#233;r&#xf4;me <![CDATA[<x>]]> </a:User><Empty/></a:Root>";
        let root = Element::parse(document).unwrap();
        assert_eq!(
            root.value("user").as_deref(),
            Some("Tom & J\u{e9}r\u{f4}me <x>")
        );
        assert_eq!(root.value("Empty"), None);
        assert_eq!(root.attribute_value("type"), Some("x & y"));
        assert_eq!(root.first("User").unwrap().at, 73);
    }

    #[test]
    fn a_tree_is_written_and_read_alike() {
        let root = Element::new("A")
            .attribute("xmlns", "http://example.test/?a=1&b=\"2\"")
            .child(Element::with_text("B", "1 < 2 & 3"))
            .field("C", None)
            .child(Element::new("D"));
        let compact = root.to_document(Layout::Compact);
        assert_eq!(
            compact,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><A xmlns=\"http://example.test/?a=1&amp;b=&quot;2&quot;\">\
             <B>1 &lt; 2 &amp; 3</B><D/></A>"
        );
        let indented = root.to_document(Layout::Indented);
        for document in [compact, indented] {
            let again = Element::parse(document.as_bytes()).unwrap();
            assert_eq!(again.value("B").as_deref(), Some("1 < 2 & 3"));
            assert_eq!(again.attributes, root.attributes);
            assert_eq!(again.children.len(), 2);
        }
    }

    #[test]
    fn what_is_broken_or_dangerous_says_where() {
        let deep = "<a>".repeat(DEPTH_MAX + 1);
        let wide = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX));
        let attributes: String = (0..=ATTRIBUTES_MAX)
            .map(|number| format!(" a{number}=''"))
            .collect();
        let attributes = format!("<a{attributes}/>");
        let cases: [(&[u8], usize, &str); 14] = [
            (b"", 0, "an element"),
            (b"text", 0, "an element"),
            (b"<a>", 3, "the end of an element"),
            (b"<a></b>", 3, "well-formed XML"),
            (b"<a/><b/>", 4, "one root element"),
            (b"<a>\xff</a>", 3, "UTF-8"),
            (
                b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
                0,
                "no document type",
            ),
            (b"<a>&x;</a>", 3, "an entity of XML"),
            (b"<a>&#0;</a>", 3, "an entity of XML"),
            (
                b"<a b='&x;'/>",
                0,
                "an attribute without entities of its own",
            ),
            (b"<a b='1' b='2'/>", 0, "well-formed attributes"),
            (deep.as_bytes(), 3 * DEPTH_MAX, "less nesting"),
            (
                wide.as_bytes(),
                3 + 4 * (ELEMENTS_MAX - 1),
                "fewer elements",
            ),
            (attributes.as_bytes(), 0, "fewer attributes"),
        ];
        for (document, at, expected) in cases {
            assert_eq!(Element::parse(document).unwrap_err(), error(at, expected));
        }
        let huge = vec![b' '; DOCUMENT_BYTES_MAX + 1];
        assert_eq!(Element::parse(&huge).unwrap_err().at, DOCUMENT_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            parts in prop::collection::vec(
                prop::sample::select(vec!["<a", "</a>", ">", "/>", " b='", "'", "&amp;", "&#", ";", "<!--", "-->", "<![CDATA[", "]]>", "<?", "x", "\u{e9}"]),
                0..40,
            ),
        ) {
            let document = parts.concat();
            if let Ok(root) = Element::parse(document.as_bytes()) {
                let again = Element::parse(root.to_document(Layout::Compact).as_bytes());
                prop_assert!(again.is_ok());
            }
        }
    }
}
