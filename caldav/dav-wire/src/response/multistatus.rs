//! The multistatus (RFC 4918 13, 14.16): one response a resource, its properties grouped by status.

use std::fmt::Display;

use http::StatusCode;

use super::error::ErrorElement;
use crate::condition::Condition;
use crate::href::Href;
use crate::name::ElementName;
use crate::property::PropertyName;
use crate::xml::{Fragment, XmlWriter};

const MULTISTATUS: ElementName = ElementName::dav("multistatus");

/// Writes a multistatus, response by response.
///
/// What was written can be taken at any time between two responses, so that an answer of any length needs little
/// memory. Each response costs no allocation but for names of properties that are not in the table.
#[derive(Debug)]
pub struct Multistatus {
    writer: XmlWriter,
    /// Properties of the response that is being written that are not found or failed; empty between responses.
    failed: Vec<Failed>,
    is_minimal: bool,
}

#[derive(Debug)]
struct Failed {
    status: StatusCode,
    condition: Option<Condition>,
    name: PropertyName,
}

impl Multistatus {
    /// The start of one. `is_minimal`: properties that are not found are left out (`return=minimal`, RFC 8144 2.1).
    #[must_use]
    pub fn new(is_minimal: bool) -> Self {
        let mut writer = XmlWriter::default();
        writer.open_root(MULTISTATUS);
        Self {
            writer,
            failed: Vec::new(),
            is_minimal,
        }
    }

    /// A response with properties: `content` gives them, in any order.
    ///
    /// It gives back what `content` does. Of a response whose `content` fails half-way, what was said so far stands.
    pub fn response<T>(
        &mut self,
        href: &Href,
        content: impl FnOnce(&mut PropertyWriter<'_>) -> T,
    ) -> T {
        self.writer.raw("<D:response>");
        self.writer.href(href);
        let result = properties(&mut self.writer, &mut self.failed, self.is_minimal, content);
        self.writer.raw("</D:response>");
        result
    }

    /// A response that is one status for the resource as a whole, such as 404 for a member that is gone.
    pub fn status(&mut self, href: &Href, status: StatusCode, error: Option<&ErrorElement<'_>>) {
        self.writer.raw("<D:response>");
        self.writer.href(href);
        self.end_status(status, error);
    }

    /// The same for an address as a client wrote it, which may be none of this server.
    pub fn status_of(&mut self, href: &str, status: StatusCode) {
        self.writer.raw("<D:response>");
        self.writer.href_text(href);
        self.end_status(status, None);
    }

    /// Says that there is more than was answered: 507 for the address of the request (RFC 6352 8.6.2, RFC 6578 3.6).
    pub fn truncated(&mut self, href: &Href) {
        let error = ErrorElement::from(Condition::NumberOfMatchesWithinLimits);
        self.status(href, StatusCode::INSUFFICIENT_STORAGE, Some(&error));
    }

    /// How many octets wait to be taken.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.writer.written().len()
    }

    /// Takes what was written since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        self.writer.take()
    }

    /// The end; gives what is left to send.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.writer.close(MULTISTATUS);
        self.writer.take()
    }

    /// The end of a `sync-collection`, with the token for the next one (RFC 6578 6.4).
    #[must_use]
    pub fn finish_with_token(mut self, token: &str) -> Vec<u8> {
        self.writer
            .text_element(ElementName::dav("sync-token"), token);
        self.finish()
    }

    fn end_status(&mut self, status: StatusCode, error: Option<&ErrorElement<'_>>) {
        write_status(&mut self.writer, status);
        if let Some(error) = error {
            error.write(&mut self.writer);
        }
        self.writer.raw("</D:response>");
    }
}

/// The body of the answer to an extended MKCOL or MKCALENDAR that failed (RFC 5689 5.2, RFC 4791 9.3).
///
/// `root` is `mkcol-response` or `mkcalendar-response`.
pub fn make_collection_response(
    root: ElementName,
    content: impl FnOnce(&mut PropertyWriter<'_>),
) -> Vec<u8> {
    XmlWriter::document(root, |writer| {
        properties(writer, &mut Vec::new(), false, content);
    })
}

fn properties<T>(
    writer: &mut XmlWriter,
    failed: &mut Vec<Failed>,
    is_minimal: bool,
    content: impl FnOnce(&mut PropertyWriter<'_>) -> T,
) -> T {
    failed.clear();
    let mut properties = PropertyWriter {
        writer,
        failed,
        is_minimal,
        has_found: false,
    };
    let result = content(&mut properties);
    properties.finish();
    result
}

/// The properties of one response: those with a value are written at once, the others follow, grouped by status.
#[derive(Debug)]
pub struct PropertyWriter<'a> {
    writer: &'a mut XmlWriter,
    failed: &'a mut Vec<Failed>,
    is_minimal: bool,
    has_found: bool,
}

impl PropertyWriter<'_> {
    /// A property with a value that `content` writes.
    pub fn value(&mut self, name: impl Into<PropertyName>, content: impl FnOnce(&mut XmlWriter)) {
        self.found().property(&name.into(), content);
    }

    /// A property whose value is a text.
    pub fn text(&mut self, name: impl Into<PropertyName>, text: &str) {
        self.value(name, |writer| writer.text(text));
    }

    /// A property whose value is written as text: a number, a time.
    pub fn display(&mut self, name: impl Into<PropertyName>, value: impl Display) {
        self.text(name, &value.to_string());
    }

    /// A property whose value is addresses of this server.
    pub fn hrefs<'h>(
        &mut self,
        name: impl Into<PropertyName>,
        hrefs: impl IntoIterator<Item = &'h Href>,
    ) {
        self.value(name, |writer| {
            hrefs.into_iter().for_each(|href| writer.href(href));
        });
    }

    /// A property without value: in the answer to `propname`, or where a change succeeded.
    pub fn name(&mut self, name: &PropertyName) {
        self.found().property_name(name);
    }

    /// A property with the element that a client gave it.
    pub fn stored(&mut self, value: &Fragment) {
        self.found().fragment(value);
    }

    /// A property that is not there.
    pub fn not_found(&mut self, name: &PropertyName) {
        // RFC 8144 2.1
        if !self.is_minimal {
            self.failed(name, StatusCode::NOT_FOUND, None);
        }
    }

    /// A property that cannot be read or changed, and why.
    pub fn failed(&mut self, name: &PropertyName, status: StatusCode, why: Option<Condition>) {
        self.failed.push(Failed {
            status,
            condition: why,
            name: name.clone(),
        });
    }

    fn found(&mut self) -> &mut XmlWriter {
        if !std::mem::replace(&mut self.has_found, true) {
            self.writer.raw("<D:propstat><D:prop>");
        }
        self.writer
    }

    fn finish(&mut self) {
        if self.has_found {
            self.writer.raw("</D:prop>");
            end_propstat(self.writer, StatusCode::OK, None);
        }
        // A stable sort: within a group the order is the request's.
        self.failed
            .sort_by_key(|failed| (failed.status.as_u16(), failed.condition));
        for group in self
            .failed
            .chunk_by(|a, b| (a.status, a.condition) == (b.status, b.condition))
        {
            self.writer.raw("<D:propstat><D:prop>");
            for failed in group {
                self.writer.property_name(&failed.name);
            }
            self.writer.raw("</D:prop>");
            if let Some(first) = group.first() {
                end_propstat(self.writer, first.status, first.condition);
            }
        }
        // A response has at least one (RFC 4918 14.24, RFC 8144 2.1).
        if !self.has_found && self.failed.is_empty() {
            self.writer.raw("<D:propstat><D:prop/>");
            end_propstat(self.writer, StatusCode::OK, None);
        }
        self.failed.clear();
    }
}

fn end_propstat(writer: &mut XmlWriter, status: StatusCode, condition: Option<Condition>) {
    write_status(writer, status);
    if let Some(condition) = condition {
        ErrorElement::from(condition).write(writer);
    }
    writer.raw("</D:propstat>");
}

fn write_status(writer: &mut XmlWriter, status: StatusCode) {
    writer.raw("<D:status>HTTP/1.1 ");
    writer.raw(status.as_str());
    writer.raw(" ");
    writer.raw(status.canonical_reason().unwrap_or("Status"));
    writer.raw("</D:status>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::property::Property;

    const START: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\" \
        xmlns:C=\"urn:ietf:params:xml:ns:caldav\" xmlns:CR=\"urn:ietf:params:xml:ns:carddav\" \
        xmlns:CS=\"http://calendarserver.org/ns/\" xmlns:A=\"http://apple.com/ns/ical/\">";

    fn check(is_minimal: bool, write: impl FnOnce(&mut Multistatus), expected: &str) {
        let mut multistatus = Multistatus::new(is_minimal);
        write(&mut multistatus);
        let written = String::from_utf8(multistatus.finish()).unwrap();
        assert_eq!(written, format!("{START}{expected}</D:multistatus>"));
    }

    fn href(text: &str) -> Href {
        Href::parse(text).unwrap()
    }

    fn mixed(multistatus: &mut Multistatus) {
        multistatus.response(&href("/a b/"), |properties| {
            properties.not_found(&Property::CalendarColor.into());
            properties.text(Property::DisplayName, "A & B");
            properties.failed(&Property::Acl.into(), StatusCode::FORBIDDEN, None);
            properties.not_found(&PropertyName::new("urn:x", "y").unwrap());
            properties.hrefs(Property::Owner, [&href("/p/")]);
        });
    }

    #[test]
    fn properties_are_grouped_by_status() {
        check(
            false,
            mixed,
            "<D:response><D:href>/a%20b/</D:href><D:propstat><D:prop><D:displayname>A &amp; B</D:displayname>\
            <D:owner><D:href>/p/</D:href></D:owner></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>\
            <D:propstat><D:prop><D:acl/></D:prop><D:status>HTTP/1.1 403 Forbidden</D:status></D:propstat>\
            <D:propstat><D:prop><A:calendar-color/><X:y xmlns:X=\"urn:x\"/></D:prop>\
            <D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response>",
        );
    }

    #[test]
    fn a_minimal_answer_leaves_out_what_is_not_found_and_nothing_else() {
        check(
            true,
            mixed,
            "<D:response><D:href>/a%20b/</D:href><D:propstat><D:prop><D:displayname>A &amp; B</D:displayname>\
            <D:owner><D:href>/p/</D:href></D:owner></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>\
            <D:propstat><D:prop><D:acl/></D:prop><D:status>HTTP/1.1 403 Forbidden</D:status></D:propstat>\
            </D:response>",
        );
        check(
            true,
            |multistatus| {
                multistatus.response(&href("/"), |properties| {
                    properties.not_found(&Property::Acl.into());
                });
            },
            "<D:response><D:href>/</D:href><D:propstat><D:prop/><D:status>HTTP/1.1 200 OK</D:status>\
            </D:propstat></D:response>",
        );
    }

    #[test]
    fn a_resource_may_have_one_status() {
        check(
            false,
            |multistatus| {
                multistatus.status(&href("/gone.ics"), StatusCode::NOT_FOUND, None);
                multistatus.status_of("/%zz?<", StatusCode::NOT_FOUND);
                multistatus.truncated(&href("/cal/"));
            },
            "<D:response><D:href>/gone.ics</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>\
            <D:response><D:href>/%zz?&lt;</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>\
            <D:response><D:href>/cal/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status>\
            <D:error><D:number-of-matches-within-limits/></D:error></D:response>",
        );
    }

    #[test]
    fn a_change_that_fails_names_its_reason() {
        check(
            false,
            |multistatus| {
                multistatus.response(&href("/cal/"), |properties| {
                    let failed = StatusCode::FAILED_DEPENDENCY;
                    properties.failed(&Property::DisplayName.into(), failed, None);
                    properties.failed(
                        &Property::GetEtag.into(),
                        StatusCode::FORBIDDEN,
                        Some(Condition::CannotModifyProtectedProperty),
                    );
                });
            },
            "<D:response><D:href>/cal/</D:href><D:propstat><D:prop><D:getetag/></D:prop>\
            <D:status>HTTP/1.1 403 Forbidden</D:status><D:error><D:cannot-modify-protected-property/></D:error>\
            </D:propstat><D:propstat><D:prop><D:displayname/></D:prop>\
            <D:status>HTTP/1.1 424 Failed Dependency</D:status></D:propstat></D:response>",
        );
    }

    #[test]
    fn pieces_make_the_same_whole_and_the_token_comes_last() {
        let mut multistatus = Multistatus::new(false);
        let mut whole = multistatus.take();
        for member in ["/1.ics", "/2.ics"] {
            multistatus.response(&href(member), |properties| {
                properties.text(Property::GetEtag, "\"1\"");
            });
            assert!(multistatus.pending() > 0);
            whole.extend(multistatus.take());
        }
        whole.extend(multistatus.finish_with_token("http://example.test/sync/1?a&b"));
        let whole = String::from_utf8(whole).unwrap();
        assert!(whole.starts_with(START));
        assert_eq!(whole.matches("<D:getetag>\"1\"</D:getetag>").count(), 2);
        assert!(whole.ends_with(
            "<D:sync-token>http://example.test/sync/1?a&amp;b</D:sync-token></D:multistatus>"
        ));
    }
}
