//! An element that is kept for a client as it came: the value of a property, the owner of a lock.
//!
//! A fragment stands alone. Whatever namespace or language it inherited is declared on it, so it can be stored and put
//! into any document (RFC 4918 4.3). It is in one form: what was read, written and read again is the same octets.

use std::fmt;

use crate::error::Result;
use crate::limits::Limits;
use crate::name::Namespace;
use crate::xml::{Reader, Start, Token, decode, escape};

/// One element with all that is in it, its attributes, and the namespaces that it needs.
///
/// Names, prefixes, attributes and text are the client's; comments, CDATA sections and the way characters were escaped
/// are not kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fragment {
    xml: Box<str>,
}

impl Fragment {
    /// Reads a fragment that was stored.
    ///
    /// Errors as for a body: what is not one well-formed element within `limits` is refused.
    pub fn parse(xml: &str, limits: &Limits) -> Result<Self> {
        let text = decode(xml.as_bytes(), limits)?;
        let mut reader = Reader::new(&text, limits);
        let root = reader.root()?;
        let fragment = Self::read(&mut reader, &root)?;
        reader.finish()?;
        Ok(fragment)
    }

    /// Its XML, to be stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.xml
    }

    /// The text in it; of elements in it nothing is taken.
    pub fn text(&self) -> Result<String> {
        self.with_reader(|reader, root| reader.text(root))
    }

    /// The addresses in it: the texts of its `href` elements, without white space around them.
    pub fn hrefs(&self) -> Result<Vec<String>> {
        self.with_reader(|reader, root| {
            let mut found = Vec::new();
            while let Some(child) = reader.child(root)? {
                if child.is(Namespace::Dav, "href") {
                    found.push(reader.trimmed(&child)?);
                }
            }
            Ok(found)
        })
    }

    /// Reads it with a reader that stands behind its start tag.
    pub(crate) fn with_reader<T>(
        &self,
        read: impl FnOnce(&mut Reader<'_>, &Start<'_>) -> Result<T>,
    ) -> Result<T> {
        // It was bounded when it came.
        let limits = Limits {
            body_bytes_max: usize::MAX,
            depth_max: usize::MAX,
            elements_max: usize::MAX,
            attributes_max: usize::MAX,
            attribute_bytes_max: usize::MAX,
            text_bytes_max: usize::MAX,
            fragment_bytes_max: usize::MAX,
        };
        let mut reader = Reader::new(&self.xml, &limits);
        let root = reader.root()?;
        read(&mut reader, &root)
    }

    /// Takes the element whose start was just read.
    pub(crate) fn read(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<Self> {
        let mut builder = Builder::default();
        let has_language = root.attributes().any(|(key, _)| key == "xml:lang");
        let language = reader.language().filter(|_| !has_language);
        let language = language.map(str::to_owned);
        let mut head = Vec::new();
        builder.attributes(reader, root, &mut head)?;
        let mut content = Vec::new();
        builder.content(reader, root, &mut content)?;
        let mut xml = Vec::with_capacity(head.len() + content.len() + 64);
        xml.push(b'<');
        xml.extend_from_slice(root.written_name().as_bytes());
        for (prefix, uri) in &builder.inherited {
            declare(&mut xml, prefix, uri);
        }
        if let Some(language) = &language {
            put_attribute(&mut xml, "xml:lang", language);
        }
        xml.extend_from_slice(&head);
        end_start_tag(&mut xml, root, &content);
        reader.keep(xml.len())?;
        // Only whole strings were put in.
        let xml = String::from_utf8(xml).unwrap_or_default();
        Ok(Self { xml: xml.into() })
    }
}

impl fmt::Debug for Fragment {
    /// What a client stores is nobody's business: its size alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fragment({} octets)", self.xml.len())
    }
}

#[derive(Default)]
struct Builder {
    /// Prefixes declared in the fragment, with the depth of the element that does; empty for the default namespace.
    declared: Vec<(usize, String)>,
    /// Prefixes with namespaces that it uses and does not declare, in the order of use.
    inherited: Vec<(String, String)>,
}

impl Builder {
    /// Notes what an element declares and uses, and writes its attributes.
    fn attributes(
        &mut self,
        reader: &Reader<'_>,
        start: &Start<'_>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        for (key, _) in start.attributes() {
            if let Some(prefix) = declared_prefix(key) {
                self.declared.push((start.depth, prefix.to_owned()));
            }
        }
        self.uses(reader, start.written_name(), true)?;
        for (key, value) in start.attributes() {
            if declared_prefix(key).is_none() {
                self.uses(reader, key, false)?;
            }
            put_attribute(out, key, &value);
        }
        Ok(())
    }

    fn content(
        &mut self,
        reader: &mut Reader<'_>,
        root: &Start<'_>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        // Where each open element's name stands in `out`, and whether its start tag is still open.
        let mut open: Vec<std::ops::Range<usize>> = Vec::new();
        let mut is_tag_open = false;
        let mut depth = root.depth;
        while let Some(token) = reader.token()? {
            match token {
                Token::Start(start) => {
                    end_tag_if(&mut is_tag_open, out);
                    out.push(b'<');
                    let from = out.len();
                    out.extend_from_slice(start.written_name().as_bytes());
                    open.push(from..out.len());
                    self.attributes(reader, &start, out)?;
                    is_tag_open = true;
                    depth = start.depth;
                }
                Token::Text(text) => {
                    if !text.is_empty() {
                        end_tag_if(&mut is_tag_open, out);
                        escape::text(out, &text);
                    }
                }
                Token::End => {
                    self.forget(depth);
                    depth = depth.saturating_sub(1);
                    let Some(name) = open.pop() else {
                        return Ok(());
                    };
                    if std::mem::take(&mut is_tag_open) {
                        out.extend_from_slice(b"/>");
                    } else {
                        out.extend_from_slice(b"</");
                        out.extend_from_within(name);
                        out.push(b'>');
                    }
                }
            }
            if out.len() > reader.limits().fragment_bytes_max {
                reader.keep(out.len())?;
            }
        }
        Ok(())
    }

    /// Declarations of an element that ends are no longer in force.
    fn forget(&mut self, depth: usize) {
        while self.declared.pop_if(|(at, _)| *at >= depth).is_some() {}
    }

    fn uses(&mut self, reader: &Reader<'_>, name: &str, is_element: bool) -> Result<()> {
        let prefix = match name.split_once(':') {
            Some(("xml", _)) => return Ok(()),
            Some((prefix, _)) => prefix,
            // An attribute without a prefix is in no namespace.
            None if is_element => "",
            None => return Ok(()),
        };
        let is_declared = self.declared.iter().any(|(_, known)| known == prefix);
        if is_declared || self.inherited.iter().any(|(known, _)| known == prefix) {
            return Ok(());
        }
        let uri = reader.namespace_of(name, is_element)?;
        if !(prefix.is_empty() && uri.is_empty()) {
            self.inherited.push((prefix.to_owned(), uri.into_owned()));
        }
        Ok(())
    }
}

/// The prefix that an attribute declares; empty for the default namespace.
fn declared_prefix(key: &str) -> Option<&str> {
    match key.strip_prefix("xmlns") {
        Some("") => Some(""),
        Some(rest) => rest.strip_prefix(':'),
        None => None,
    }
}

fn declare(out: &mut Vec<u8>, prefix: &str, uri: &str) {
    if prefix.is_empty() {
        return put_attribute(out, "xmlns", uri);
    }
    out.extend_from_slice(b" xmlns:");
    out.extend_from_slice(prefix.as_bytes());
    put_value(out, uri);
}

fn put_attribute(out: &mut Vec<u8>, key: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(key.as_bytes());
    put_value(out, value);
}

fn put_value(out: &mut Vec<u8>, value: &str) {
    out.extend_from_slice(b"=\"");
    escape::attribute(out, value);
    out.push(b'"');
}

fn end_tag_if(is_tag_open: &mut bool, out: &mut Vec<u8>) {
    if std::mem::take(is_tag_open) {
        out.push(b'>');
    }
}

fn end_start_tag(xml: &mut Vec<u8>, root: &Start<'_>, content: &[u8]) {
    if content.is_empty() {
        xml.extend_from_slice(b"/>");
        return;
    }
    xml.push(b'>');
    xml.extend_from_slice(content);
    xml.extend_from_slice(b"</");
    xml.extend_from_slice(root.written_name().as_bytes());
    xml.push(b'>');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fragment of the first element in the root, and that it reads back as itself.
    fn check(document: &str, expected: &str) {
        let limits = Limits::default();
        let mut reader = Reader::new(document, &limits);
        let root = reader.root().unwrap();
        let child = reader.child(&root).unwrap().unwrap();
        let fragment = Fragment::read(&mut reader, &child).unwrap();
        reader.finish().unwrap();
        assert_eq!(fragment.as_str(), expected);
        let again = Fragment::parse(expected, &limits).unwrap();
        assert_eq!(again.as_str(), expected);
    }

    #[test]
    fn a_fragment_brings_the_namespaces_it_uses() {
        check(
            r#"<D:prop xmlns:D="DAV:" xmlns:z="urn:z" xmlns="urn:d"><z:a D:b="1" c="2"><d/><z:e/></z:a></D:prop>"#,
            r#"<z:a xmlns:z="urn:z" xmlns:D="DAV:" xmlns="urn:d" D:b="1" c="2"><d/><z:e/></z:a>"#,
        );
    }

    #[test]
    fn declarations_within_a_fragment_stay_where_they_are() {
        check(
            r#"<prop xmlns="DAV:"><t:v xmlns:t="urn:t"><foo xmlns="http://bar"><t:x/></foo><baz/></t:v></prop>"#,
            r#"<t:v xmlns="DAV:" xmlns:t="urn:t"><foo xmlns="http://bar"><t:x/></foo><baz/></t:v>"#,
        );
        // Used above the place where it is declared anew.
        check(
            r#"<p xmlns:a="urn:1"><a:v><b xmlns:a="urn:2"><a:c/></b><a:d/></a:v></p>"#,
            r#"<a:v xmlns:a="urn:1"><b xmlns:a="urn:2"><a:c/></b><a:d/></a:v>"#,
        );
    }

    #[test]
    fn names_without_a_namespace_stay_without_one() {
        check(
            r#"<D:p xmlns:D="DAV:"><x><y z=""/></x></D:p>"#,
            r#"<x><y z=""/></x>"#,
        );
        check(
            r#"<p xmlns="DAV:"><x xmlns=""><y/></x></p>"#,
            r#"<x xmlns=""><y/></x>"#,
        );
    }

    #[test]
    fn the_language_in_force_is_kept() {
        check(
            r#"<p xml:lang="de"><x>ja<y xml:lang="en"/></x></p>"#,
            r#"<x xml:lang="de">ja<y xml:lang="en"/></x>"#,
        );
        check(
            r#"<p xml:lang="de"><x xml:lang="fr"/></p>"#,
            r#"<x xml:lang="fr"/>"#,
        );
        check(
            r#"<p><x><y xml:lang="en"/></x></p>"#,
            r#"<x><y xml:lang="en"/></x>"#,
        );
    }

    #[test]
    fn text_is_kept_to_the_character() {
        check(
            "<p><x a=\"&#10;&quot;'\">\n <![CDATA[<&>]]>&amp;&#13;\r\n&#x1F600;<!-- no --><?no no?> </x></p>",
            "<x a=\"&#10;&quot;'\">\n &lt;&amp;&gt;&amp;&#13;\n😀 </x>",
        );
    }

    #[test]
    fn what_a_fragment_inherits_counts() {
        let limits = Limits {
            fragment_bytes_max: 64,
            ..Limits::default()
        };
        let xml = format!("<a xmlns:b=\"{}\"><b:c/></a>", "u".repeat(64));
        assert!(Fragment::parse(&xml, &limits).is_err());
    }

    #[test]
    fn texts_and_addresses_are_read_out() {
        let xml = "<x xmlns:D=\"DAV:\">a<D:href> /b/ </D:href>c<D:href>/d</D:href></x>";
        let fragment = Fragment::parse(xml, &Limits::default()).unwrap();
        assert_eq!(fragment.text().unwrap(), "ac");
        assert_eq!(fragment.hrefs().unwrap(), ["/b/", "/d"]);
    }
}
