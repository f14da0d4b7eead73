//! The `error` element: which precondition a refusal is about (RFC 4918 14.5, 16).

use crate::condition::Condition;
use crate::href::Href;
use crate::name::ElementName;
use crate::property::Privilege;
use crate::xml::XmlWriter;

/// An `error` element with one condition.
#[derive(Clone, Copy, Debug)]
pub struct ErrorElement<'a> {
    /// What is not met.
    pub condition: Condition,
    /// What more is said of it.
    pub detail: Detail<'a>,
}

/// What an `error` element says beside the condition's name.
#[derive(Clone, Copy, Debug)]
pub enum Detail<'a> {
    /// Nothing.
    None,
    /// Which resources it is about, as with `lock-token-submitted` and `no-uid-conflict`.
    Hrefs(&'a [Href]),
    /// Which privilege is missing where (`need-privileges`, RFC 3744 7.1.1).
    Privileges(&'a [(Href, Privilege)]),
    /// A text, such as the largest size that is taken.
    Text(&'a str),
}

impl From<Condition> for ErrorElement<'_> {
    fn from(condition: Condition) -> Self {
        Self {
            condition,
            detail: Detail::None,
        }
    }
}

impl ErrorElement<'_> {
    /// A whole body with it.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        XmlWriter::document(ElementName::dav("error"), |writer| self.content(writer))
    }

    /// Writes it.
    pub fn write(&self, writer: &mut XmlWriter) {
        writer.element(ElementName::dav("error"), |writer| self.content(writer));
    }

    fn content(&self, writer: &mut XmlWriter) {
        writer.element(self.condition, |writer| match self.detail {
            Detail::None => {}
            Detail::Hrefs(hrefs) => hrefs.iter().for_each(|href| writer.href(href)),
            Detail::Text(text) => writer.text(text),
            Detail::Privileges(missing) => {
                for (href, privilege) in missing {
                    writer.element(ElementName::dav("resource"), |writer| {
                        writer.href(href);
                        writer.element(ElementName::dav("privilege"), |writer| {
                            writer.empty(*privilege);
                        });
                    });
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(condition: Condition, detail: Detail<'_>, expected: &str) {
        let document = ErrorElement { condition, detail }.document();
        let written = String::from_utf8(document).unwrap();
        let (_, content) = written.split_once("/ical/\">").unwrap();
        assert_eq!(content, format!("{expected}</D:error>"));
    }

    #[test]
    fn conditions_say_what_they_are_about() {
        let href = Href::parse("/cal/a b.ics").unwrap();
        check(Condition::ValidFilter, Detail::None, "<C:valid-filter/>");
        check(
            Condition::CalendarNoUidConflict,
            Detail::Hrefs(std::slice::from_ref(&href)),
            "<C:no-uid-conflict><D:href>/cal/a%20b.ics</D:href></C:no-uid-conflict>",
        );
        check(
            Condition::NeedPrivileges,
            Detail::Privileges(&[(href, Privilege::Bind)]),
            "<D:need-privileges><D:resource><D:href>/cal/a%20b.ics</D:href>\
            <D:privilege><D:bind/></D:privilege></D:resource></D:need-privileges>",
        );
        check(
            Condition::AddressbookMaxResourceSize,
            Detail::Text("<1>"),
            "<CR:max-resource-size>&lt;1&gt;</CR:max-resource-size>",
        );
    }
}
