//! A writer of XML with fixed prefixes: every name comes from a table, every text is escaped, every element is closed.

use crate::href::Href;
use crate::name::{ElementName, Namespace};
use crate::property::PropertyName;
use crate::xml::escape;
use crate::xml::fragment::Fragment;

/// Writes XML into a buffer, without a tree and without an allocation of its own.
///
/// The prefixes of [`Namespace`] are declared by the root, see [`document`](Self::document).
#[derive(Debug, Default)]
pub struct XmlWriter {
    out: Vec<u8>,
}

impl XmlWriter {
    /// A whole document: the declaration, and a root that declares the namespaces.
    pub fn document(root: impl Into<ElementName>, content: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut writer = Self::default();
        let root = root.into();
        writer.open_root(root);
        content(&mut writer);
        writer.close(root);
        writer.out
    }

    /// An element, with what `content` writes in it.
    pub fn element(&mut self, name: impl Into<ElementName>, content: impl FnOnce(&mut Self)) {
        self.element_with(name, &[], content);
    }

    /// An element with attributes. Their names are not checked: they must be XML names.
    pub fn element_with(
        &mut self,
        name: impl Into<ElementName>,
        attributes: &[(&'static str, &str)],
        content: impl FnOnce(&mut Self),
    ) {
        let name = name.into();
        self.out.push(b'<');
        self.name(name);
        for (key, value) in attributes {
            self.raw(" ");
            self.raw(key);
            self.raw("=\"");
            escape::attribute(&mut self.out, value);
            self.raw("\"");
        }
        let written = self.open_tag_end();
        content(self);
        if !self.is_still_empty(written) {
            self.close(name);
        }
    }

    /// An element with nothing in it.
    pub fn empty(&mut self, name: impl Into<ElementName>) {
        self.out.push(b'<');
        self.name(name.into());
        self.raw("/>");
    }

    /// An element with text.
    pub fn text_element(&mut self, name: impl Into<ElementName>, text: &str) {
        self.element(name, |writer| writer.text(text));
    }

    /// Text, escaped. Characters that XML cannot say become U+FFFD.
    pub fn text(&mut self, text: &str) {
        escape::text(&mut self.out, text);
    }

    /// A number as text.
    pub fn number(&mut self, number: u64) {
        use std::io::Write;
        // Writing to a vector cannot fail.
        let _ = write!(self.out, "{number}");
    }

    /// `href` with an address of this server.
    pub fn href(&mut self, href: &Href) {
        self.raw("<D:href>");
        href.write(&mut self.out);
        self.raw("</D:href>");
    }

    /// `href` with an address as it is, such as `mailto:` or `urn:uuid:`.
    pub fn href_text(&mut self, uri: &str) {
        self.text_element(ElementName::dav("href"), uri);
    }

    /// A value that was kept.
    pub fn fragment(&mut self, fragment: &Fragment) {
        self.raw(fragment.as_str());
    }

    /// The empty element of a property's name.
    pub fn property_name(&mut self, name: &PropertyName) {
        self.property(name, |_| {});
    }

    /// The element of a property, with what `content` writes in it.
    pub fn property(&mut self, name: &PropertyName, content: impl FnOnce(&mut Self)) {
        let unknown = match name {
            PropertyName::Known(property) => return self.element(*property, content),
            PropertyName::Unknown(name) => name,
        };
        // Of a namespace in the table it may still be a name that is not.
        let known = Namespace::find(unknown.namespace());
        let prefix = match known {
            Some(namespace) => namespace.prefix(),
            None if unknown.namespace().is_empty() => "",
            None => "X",
        };
        self.out.push(b'<');
        self.prefixed(prefix, unknown.local());
        if prefix == "X" {
            self.raw(" xmlns:X=\"");
            escape::attribute(&mut self.out, unknown.namespace());
            self.raw("\"");
        }
        let written = self.open_tag_end();
        content(self);
        if !self.is_still_empty(written) {
            self.raw("</");
            self.prefixed(prefix, unknown.local());
            self.raw(">");
        }
    }

    /// What was written.
    pub(crate) const fn written(&self) -> &Vec<u8> {
        &self.out
    }

    /// Takes what was written; the next piece gets a buffer as large.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let capacity = self.out.capacity();
        std::mem::replace(&mut self.out, Vec::with_capacity(capacity))
    }

    /// The start of a document, its root's tag included.
    pub(crate) fn open_root(&mut self, root: ElementName) {
        self.raw("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<");
        self.name(root);
        for namespace in Namespace::ALL {
            self.raw(" xmlns:");
            self.raw(namespace.prefix());
            self.raw("=\"");
            self.raw(namespace.uri());
            self.raw("\"");
        }
        self.raw(">");
    }

    /// The end tag of an element.
    pub(crate) fn close(&mut self, name: ElementName) {
        self.raw("</");
        self.name(name);
        self.raw(">");
    }

    /// Markup as it is.
    pub(crate) fn raw(&mut self, markup: &str) {
        self.out.extend_from_slice(markup.as_bytes());
    }

    fn name(&mut self, name: ElementName) {
        self.prefixed(name.namespace.prefix(), name.local);
    }

    fn prefixed(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.raw(prefix);
            self.raw(":");
        }
        self.raw(local);
    }

    /// Ends a start tag; gives the place behind it.
    fn open_tag_end(&mut self) -> usize {
        self.raw(">");
        self.out.len()
    }

    /// Whether nothing was written since; the start tag then becomes an empty element's.
    fn is_still_empty(&mut self, since: usize) -> bool {
        let is_empty = self.out.len() == since;
        if is_empty {
            self.out.pop();
            self.raw("/>");
        }
        is_empty
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::property::Property;

    #[test]
    fn elements_are_closed_and_texts_escaped() {
        let document = XmlWriter::document(ElementName::dav("prop"), |writer| {
            writer.text_element(Property::DisplayName, "Privat & Co");
            writer.element(Property::ResourceType, |_| {});
            writer.element_with(
                ElementName::caldav("comp"),
                &[("name", "\"V\"<")],
                |writer| writer.empty(ElementName::calendar_server("read")),
            );
            for (namespace, local) in [("http://example.test/?a&b", "x"), ("", "y"), ("DAV:", "z")]
            {
                writer.property_name(&PropertyName::new(namespace, local).unwrap());
            }
        });
        let expected = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:prop xmlns:D=\"DAV:\" \
            xmlns:C=\"urn:ietf:params:xml:ns:caldav\" xmlns:CR=\"urn:ietf:params:xml:ns:carddav\" \
            xmlns:CS=\"http://calendarserver.org/ns/\" xmlns:A=\"http://apple.com/ns/ical/\">\
            <D:displayname>Privat &amp; Co</D:displayname><D:resourcetype/>\
            <C:comp name=\"&quot;V&quot;&lt;\"><CS:read/></C:comp>\
            <X:x xmlns:X=\"http://example.test/?a&amp;b\"/><y/><D:z/></D:prop>";
        assert_eq!(String::from_utf8(document).unwrap(), expected);
    }
}
