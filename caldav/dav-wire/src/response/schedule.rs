//! The answer of a scheduling outbox (RFC 6638 5.1, 10).

use crate::condition::Condition;
use crate::name::ElementName;
use crate::response::error::ErrorElement;
use crate::xml::XmlWriter;

const ROOT: ElementName = ElementName::caldav("schedule-response");

/// Writes a `schedule-response`, recipient by recipient.
#[derive(Debug)]
pub struct ScheduleResponse {
    writer: XmlWriter,
}

/// What became of a request to one recipient.
#[derive(Clone, Copy, Debug)]
pub struct RecipientStatus<'a> {
    /// Who, as the request named them.
    pub recipient: &'a str,
    /// iCalendar's status, such as `2.0;Success` (RFC 5546 3.6).
    pub request_status: &'a str,
    /// What is not met, if it failed.
    pub condition: Option<Condition>,
    /// The free-busy object that was asked for.
    pub calendar_data: Option<&'a str>,
}

impl Default for ScheduleResponse {
    fn default() -> Self {
        let mut writer = XmlWriter::default();
        writer.open_root(ROOT);
        Self { writer }
    }
}

impl ScheduleResponse {
    /// Adds a recipient.
    pub fn recipient(&mut self, status: &RecipientStatus<'_>) {
        self.writer
            .element(ElementName::caldav("response"), |writer| {
                writer.element(ElementName::caldav("recipient"), |writer| {
                    writer.href_text(status.recipient);
                });
                writer.text_element(ElementName::caldav("request-status"), status.request_status);
                if let Some(condition) = status.condition {
                    ErrorElement::from(condition).write(writer);
                }
                if let Some(data) = status.calendar_data {
                    writer.text_element(ElementName::caldav("calendar-data"), data);
                }
            });
    }

    /// The end; gives the whole body.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.writer.close(ROOT);
        self.writer.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_recipient_has_a_status() {
        let mut response = ScheduleResponse::default();
        response.recipient(&RecipientStatus {
            recipient: "mailto:a@example.test",
            request_status: "2.0;Success",
            condition: None,
            calendar_data: Some("BEGIN:VCALENDAR\r\n"),
        });
        let written = String::from_utf8(response.finish()).unwrap();
        assert!(written.ends_with(
            "<C:response><C:recipient><D:href>mailto:a@example.test</D:href></C:recipient>\
            <C:request-status>2.0;Success</C:request-status>\
            <C:calendar-data>BEGIN:VCALENDAR&#13;\n</C:calendar-data></C:response></C:schedule-response>"
        ));
    }
}
