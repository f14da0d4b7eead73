//! A pull reader over `quick-xml`: what it lets through is well-formed, within bounds, and without entities.
//!
//! Reading costs as much as the body is long: every octet is passed once, and no text is looked at twice.

use std::borrow::Cow;

use quick_xml::NsReader;
use quick_xml::errors::Error;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceError, PrefixDeclaration, QName, ResolveResult};

use crate::condition::Condition;
use crate::error::{BodyError, Fault, Result};
use crate::limits::{Limit, Limits, NAME_BYTES_MAX, NAMESPACE_BYTES_MAX, NAMESPACES_MAX};
use crate::name::Namespace;
use crate::property::PropertyName;
use crate::xml::syntax::{attribute_value, is_local_name, is_qualified_name, is_space, reference};

/// A document that is read from its start to its end.
pub(crate) struct Reader<'a> {
    events: NsReader<&'a [u8]>,
    limits: Limits,
    /// Elements that are open.
    depth: usize,
    /// Elements that were opened.
    elements: usize,
    /// Octets of the fragments that were taken out.
    fragment_bytes: usize,
    /// Where the event that was read last begins.
    at: usize,
    /// `xml:lang` of the elements that are open, with their depths.
    languages: Vec<(usize, String)>,
}

/// The start of an element; its content comes next.
pub(crate) struct Start<'a> {
    tag: BytesStart<'a>,
    namespace: Option<Namespace>,
    /// Its depth; the root's is 1.
    pub(crate) depth: usize,
    /// Where it begins.
    pub(crate) at: usize,
}

/// What a document is made of. Comments and processing instructions are passed over.
pub(crate) enum Token<'a> {
    /// An element begins.
    Start(Start<'a>),
    /// The innermost open element ends.
    End,
    /// A piece of text: one text may come in several.
    Text(Cow<'a, str>),
}

impl Start<'_> {
    /// Its name, for a `match`; the namespace is nothing for one that is not known.
    pub(crate) fn name(&self) -> (Option<Namespace>, &str) {
        (self.namespace, self.local())
    }

    /// Its name without prefix.
    pub(crate) fn local(&self) -> &str {
        self.tag.local_name().into_inner()
    }

    /// Its name as it is written, with its prefix.
    pub(crate) fn written_name(&self) -> &str {
        self.tag.name().into_inner()
    }

    /// Whether this is its name.
    pub(crate) fn is(&self, namespace: Namespace, local: &str) -> bool {
        self.name() == (Some(namespace), local)
    }

    /// The value of an attribute without namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = |(key, value): (&str, _)| (key == name).then_some(value);
        self.attributes().find_map(value)
    }

    /// All attributes as they are written, with their values; namespace declarations, too.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        // The reader has checked them, so that none is left out here.
        self.tag.attributes().flatten().filter_map(|attribute| {
            let key = attribute.key.into_inner();
            let value = match attribute.value {
                Cow::Borrowed(raw) => attribute_value(raw)?,
                Cow::Owned(raw) => Cow::Owned(attribute_value(&raw)?.into_owned()),
            };
            Some((key, value))
        })
    }

    /// The error that something else should have stood here.
    pub(crate) const fn expected(&self, expected: &'static str) -> BodyError {
        BodyError {
            at: self.at,
            fault: Fault::Expected(expected),
        }
    }

    /// The error that this breaks a precondition.
    pub(crate) const fn breaks(&self, condition: Condition) -> BodyError {
        BodyError {
            at: self.at,
            fault: Fault::Condition(condition),
        }
    }

    /// The error that this is one too many.
    pub(crate) const fn exceeds(&self, limit: Limit) -> BodyError {
        BodyError {
            at: self.at,
            fault: Fault::Limit(limit),
        }
    }
}

impl<'a> Reader<'a> {
    /// A reader at the start of a text that [`decode`](crate::xml::decode) gave.
    pub(crate) fn new(text: &'a str, limits: &Limits) -> Self {
        let mut events = NsReader::from_str(text);
        let config = events.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        events
            .resolver_mut()
            .set_max_namespace_bindings(NAMESPACES_MAX);
        Self {
            events,
            limits: *limits,
            depth: 0,
            elements: 0,
            fragment_bytes: 0,
            at: 0,
            languages: Vec::new(),
        }
    }

    /// The root element.
    pub(crate) fn root(&mut self) -> Result<Start<'a>> {
        match self.token()? {
            Some(Token::Start(start)) => Ok(start),
            _ => Err(self.syntax("an element")),
        }
    }

    /// The next child of an element, or nothing at its end. What is left of earlier children is passed over.
    pub(crate) fn child(&mut self, parent: &Start<'_>) -> Result<Option<Start<'a>>> {
        while self.depth >= parent.depth {
            match self.token()? {
                Some(Token::Start(start)) if start.depth == parent.depth + 1 => {
                    return Ok(Some(start));
                }
                Some(_) => {}
                None => return Err(self.syntax("an end tag")),
            }
        }
        Ok(None)
    }

    /// The text of an element, to its end; of elements in it nothing is taken.
    pub(crate) fn text(&mut self, element: &Start<'_>) -> Result<String> {
        let mut text = String::new();
        while self.depth >= element.depth {
            match self.token()? {
                Some(Token::Text(piece)) if self.depth == element.depth => {
                    if text.len() + piece.len() > self.limits.text_bytes_max {
                        return Err(self.exceeds(Limit::TextBytes));
                    }
                    text.push_str(&piece);
                }
                Some(_) => {}
                None => return Err(self.syntax("an end tag")),
            }
        }
        Ok(text)
    }

    /// The text of an element without white space around it.
    pub(crate) fn trimmed(&mut self, element: &Start<'_>) -> Result<String> {
        let text = self.text(element)?;
        let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
        if trimmed.len() == text.len() {
            return Ok(text);
        }
        Ok(trimmed.to_owned())
    }

    /// Reads to the end of the document: behind its root nothing may stand.
    pub(crate) fn finish(&mut self) -> Result<()> {
        while self.depth > 0 {
            self.token()?;
        }
        match self.token()? {
            None => Ok(()),
            Some(_) => Err(self.syntax("the end of the body")),
        }
    }

    /// The name of an element whose start was just read, as a property's.
    pub(crate) fn property_name(&self, start: &Start<'_>) -> Result<PropertyName> {
        let uri = self.resolve(start.tag.name(), true)?;
        PropertyName::new(&uri, start.local()).ok_or_else(|| self.exceeds(Limit::NamespaceBytes))
    }

    /// The namespace in force for a name as it is written; empty for none.
    pub(crate) fn namespace_of(&self, written: &str, is_element: bool) -> Result<Cow<'_, str>> {
        self.resolve(QName(written), is_element)
    }

    /// `xml:lang` in force where the reader stands.
    pub(crate) fn language(&self) -> Option<&str> {
        self.languages.last().map(|(_, value)| value.as_str())
    }

    /// Counts octets that are kept as fragments.
    pub(crate) fn keep(&mut self, bytes: usize) -> Result<()> {
        self.fragment_bytes += bytes;
        if self.fragment_bytes > self.limits.fragment_bytes_max {
            return Err(self.exceeds(Limit::FragmentBytes));
        }
        Ok(())
    }

    /// The bounds that hold.
    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The next token, or nothing at the end of the document.
    pub(crate) fn token(&mut self) -> Result<Option<Token<'a>>> {
        loop {
            self.at = position(self.events.buffer_position());
            match self.events.read_event() {
                Ok(Event::Start(tag) | Event::Empty(tag)) => {
                    return self.start(tag).map(|start| Some(Token::Start(start)));
                }
                Ok(Event::End(_)) => {
                    self.languages.pop_if(|(depth, _)| *depth >= self.depth);
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Some(Token::End));
                }
                Ok(Event::Text(text)) => {
                    let raw: &str = &text;
                    if raw.contains("]]>") || (self.depth == 0 && !is_space(raw)) {
                        return Err(self.syntax("markup"));
                    }
                    if self.depth > 0 {
                        return Ok(Some(Token::Text(text.xml10_content())));
                    }
                }
                Ok(Event::CData(text)) if self.depth > 0 => {
                    return Ok(Some(Token::Text(text.xml10_content())));
                }
                Ok(Event::GeneralRef(name)) if self.depth > 0 => {
                    return self.reference(&name).map(|text| Some(Token::Text(text)));
                }
                Ok(Event::CData(_) | Event::GeneralRef(_)) => return Err(self.syntax("an element")),
                Ok(Event::Decl(declaration)) => self.declaration(&declaration)?,
                Ok(Event::Comment(_)) => {}
                Ok(Event::PI(instruction)) => {
                    let target = instruction.target();
                    if !is_local_name(target) || target.eq_ignore_ascii_case("xml") {
                        return Err(self.syntax("the target of an instruction"));
                    }
                }
                // A document type is where entities and addresses of other documents would be declared.
                Ok(Event::DocType(_)) => return Err(self.breaks(Condition::NoExternalEntities)),
                Ok(Event::Eof) if self.depth > 0 => return Err(self.syntax("an end tag")),
                Ok(Event::Eof) => return Ok(None),
                Err(error) => return Err(self.refuse(&error)),
            }
        }
    }

    fn start(&mut self, tag: BytesStart<'a>) -> Result<Start<'a>> {
        self.depth += 1;
        self.elements += 1;
        if self.depth > self.limits.depth_max {
            return Err(self.exceeds(Limit::Depth));
        }
        if self.elements > self.limits.elements_max {
            return Err(self.exceeds(Limit::Elements));
        }
        self.check_name(tag.name())?;
        self.check_attributes(&tag)?;
        let uri = self.resolve(tag.name(), true)?;
        let namespace = Namespace::find(&uri);
        Ok(Start {
            tag,
            namespace,
            depth: self.depth,
            at: self.at,
        })
    }

    fn check_name(&self, name: QName<'_>) -> Result<()> {
        if name.0.len() > NAME_BYTES_MAX {
            return Err(self.exceeds(Limit::NameBytes));
        }
        if is_qualified_name(name.0) {
            Ok(())
        } else {
            Err(self.syntax("a name"))
        }
    }

    fn check_attributes(&mut self, tag: &BytesStart<'a>) -> Result<()> {
        for (count, attribute) in tag.attributes().enumerate() {
            let Ok(attribute) = attribute else {
                return Err(self.syntax("an attribute"));
            };
            if count >= self.limits.attributes_max {
                return Err(self.exceeds(Limit::Attributes));
            }
            if attribute.value.len() > self.limits.attribute_bytes_max {
                return Err(self.exceeds(Limit::AttributeBytes));
            }
            self.check_name(attribute.key)?;
            let Some(value) = attribute_value(&attribute.value) else {
                return Err(self.syntax("the value of an attribute"));
            };
            match attribute.key.as_namespace_binding() {
                // Namespaces in XML 1.0, 2.2: a prefix cannot be taken back.
                Some(PrefixDeclaration::Named(_)) if value.is_empty() => {
                    return Err(self.syntax("a namespace"));
                }
                Some(_) if value.len() > NAMESPACE_BYTES_MAX => {
                    return Err(self.exceeds(Limit::NamespaceBytes));
                }
                Some(_) => {}
                None => {
                    self.resolve(attribute.key, false)?;
                }
            }
            if attribute.key.0 == "xml:lang" {
                self.languages.push((self.depth, value.into_owned()));
            }
        }
        Ok(())
    }

    fn resolve(&self, name: QName<'_>, is_element: bool) -> Result<Cow<'_, str>> {
        match self.events.resolver().resolve(name, is_element).0 {
            ResolveResult::Unbound => Ok(Cow::Borrowed("")),
            ResolveResult::Bound(uri) => {
                attribute_value(uri.0).ok_or_else(|| self.syntax("a namespace"))
            }
            ResolveResult::Unknown(_) => Err(self.syntax("a declared prefix")),
        }
    }

    fn reference(&self, name: &BytesRef<'a>) -> Result<Cow<'a, str>> {
        let Some(character) = reference(name) else {
            return Err(self.syntax("a reference to a character"));
        };
        Ok(Cow::Owned(character.to_string()))
    }

    fn declaration(&self, declaration: &BytesDecl<'_>) -> Result<()> {
        if self.at != 0 {
            return Err(self.syntax("no declaration here"));
        }
        match declaration.encoding() {
            None => Ok(()),
            Some(Ok(name)) if is_known_encoding(&name) => Ok(()),
            Some(_) => Err(self.syntax("UTF-8")),
        }
    }

    fn refuse(&self, error: &Error) -> BodyError {
        match error {
            Error::Namespace(NamespaceError::TooManyBindings(_)) => self.exceeds(Limit::Namespaces),
            Error::Namespace(_) => self.syntax("a namespace"),
            Error::IllFormed(_) => self.syntax("matching tags"),
            _ => BodyError {
                at: position(self.events.error_position()),
                fault: Fault::Syntax("well-formed XML"),
            },
        }
    }

    const fn syntax(&self, expected: &'static str) -> BodyError {
        BodyError {
            at: self.at,
            fault: Fault::Syntax(expected),
        }
    }

    const fn exceeds(&self, limit: Limit) -> BodyError {
        BodyError {
            at: self.at,
            fault: Fault::Limit(limit),
        }
    }

    const fn breaks(&self, condition: Condition) -> BodyError {
        BodyError {
            at: self.at,
            fault: Fault::Condition(condition),
        }
    }
}

fn is_known_encoding(name: &str) -> bool {
    [
        "utf-8", "utf8", "us-ascii", "utf-16", "utf-16le", "utf-16be",
    ]
    .iter()
    .any(|known| name.eq_ignore_ascii_case(known))
}

fn position(octets: u64) -> usize {
    usize::try_from(octets).unwrap_or(usize::MAX)
}
