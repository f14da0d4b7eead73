//! The Availability Web Service: when somebody is busy, as a server tells it to who may not read the calendar.
//!
//! The one thing about a mailbox that Outlook does not ask by MAPI. Series come expanded. Source: MS-OXWAVLS 3.1.4.1.

use crate::{
    autodiscover::element::Element,
    cursor::{DecodeError, Result},
    web_service::{NO_ERROR, answer, question},
};

/// The longest span that servers answer for at once, in days. Source: MS-OXWAVLS 2.2.4.
pub const SPAN_DAYS_MAX: u64 = 62;

/// A question about one mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AvailabilityRequest {
    /// The address of whom it is about.
    pub address: String,
    /// From when: `YYYY-MM-DDThh:mm:ss`, in UTC.
    pub start: String,
    /// Until when.
    pub end: String,
}

/// What a server answers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AvailabilityResponse {
    /// [`NO_ERROR`], `ErrorNoFreeBusyAccess`, `ErrorMailRecipientNotFound`, …
    pub code: String,
    /// In words.
    pub message: Option<String>,
    /// Times, in no order that one can rely on.
    pub events: Vec<CalendarEvent>,
}

/// A time in somebody's calendar. Source: MS-OXWAVLS 2.2.4.4 (CalendarEvent).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CalendarEvent {
    /// From when, as the server writes it: in UTC, as it was asked for.
    pub start: String,
    /// Until when.
    pub end: String,
    /// `Free`, `Tentative`, `Busy`, `OOF`, `WorkingElsewhere`, `NoData`.
    pub busy_type: String,
    /// What for, where the server tells.
    pub subject: Option<String>,
    /// Where, likewise.
    pub location: Option<String>,
    /// Whether its owner calls it private.
    pub is_private: bool,
}

impl AvailabilityRequest {
    /// Writes the document to post.
    pub fn to_xml(&self) -> String {
        let email = Element::new("t:Email").field("t:Address", Some(&self.address));
        let mailbox = Element::new("t:MailboxData")
            .child(email)
            .field("t:AttendeeType", Some("Required"));
        let window = Element::new("t:TimeWindow")
            .field("t:StartTime", Some(&self.start))
            .field("t:EndTime", Some(&self.end));
        let options = Element::new("t:FreeBusyViewOptions")
            .child(window)
            .field("t:MergedFreeBusyIntervalInMinutes", Some("30"))
            .field("t:RequestedView", Some("Detailed"));
        question(
            Element::new("m:GetUserAvailabilityRequest")
                .child(utc())
                .child(Element::new("m:MailboxDataArray").child(mailbox))
                .child(options),
        )
    }

    /// Reads what a client posted; only its first mailbox.
    pub fn parse(document: &[u8]) -> Result<Self> {
        let root = Element::parse(document)?;
        let body = root.required("Body", "a Body")?;
        let request =
            body.required("GetUserAvailabilityRequest", "a GetUserAvailabilityRequest")?;
        let mailboxes = request.required("MailboxDataArray", "a MailboxDataArray")?;
        let mailbox = mailboxes.required("MailboxData", "a MailboxData")?;
        let email = mailbox.required("Email", "an Email")?;
        let options = request.required("FreeBusyViewOptions", "FreeBusyViewOptions")?;
        let window = options.required("TimeWindow", "a TimeWindow")?;
        Ok(Self {
            address: value(email, "Address", "an Address")?,
            start: value(window, "StartTime", "a StartTime")?,
            end: value(window, "EndTime", "an EndTime")?,
        })
    }
}

impl AvailabilityResponse {
    /// Reads what a server answered about the one mailbox. A SOAP fault is an answer, too.
    pub fn parse(document: &[u8]) -> Result<Self> {
        let root = Element::parse(document)?;
        let body = root.required("Body", "a Body")?;
        if let Some(fault) = body.first("Fault") {
            return Ok(Self {
                code: value(fault, "faultcode", "a faultcode")?,
                message: fault.value("faultstring"),
                events: Vec::new(),
            });
        }
        let answer = body.required(
            "GetUserAvailabilityResponse",
            "a GetUserAvailabilityResponse",
        )?;
        let all = answer.required("FreeBusyResponseArray", "a FreeBusyResponseArray")?;
        let one = all.required("FreeBusyResponse", "a FreeBusyResponse")?;
        let said = one.required("ResponseMessage", "a ResponseMessage")?;
        let events = one
            .first("FreeBusyView")
            .and_then(|view| view.first("CalendarEventArray"))
            .map(|events| events.all("CalendarEvent").map(CalendarEvent::read));
        Ok(Self {
            code: value(said, "ResponseCode", "a ResponseCode")?,
            message: said.value("MessageText"),
            events: match events {
                Some(events) => events.collect::<Result<_>>()?,
                None => Vec::new(),
            },
        })
    }

    /// Writes what a server answers.
    pub fn to_xml(&self) -> String {
        let class = match self.code == NO_ERROR {
            true => "Success",
            false => "Error",
        };
        let said = Element::new("m:ResponseMessage")
            .attribute("ResponseClass", class)
            .field("m:MessageText", self.message.as_deref())
            .field("m:ResponseCode", Some(&self.code));
        let mut events = Element::new("t:CalendarEventArray");
        let written = self.events.iter().map(CalendarEvent::to_element);
        events.children.extend(written);
        let view = Element::new("m:FreeBusyView")
            .field("t:FreeBusyViewType", Some("Detailed"))
            .child(events);
        let one = Element::new("m:FreeBusyResponse").child(said).child(view);
        let all = Element::new("m:FreeBusyResponseArray").child(one);
        answer(Element::new("m:GetUserAvailabilityResponse").child(all))
    }
}

impl CalendarEvent {
    fn read(element: &Element) -> Result<Self> {
        let details = element.first("CalendarEventDetails");
        let detail = |name| details.and_then(|details| details.value(name));
        Ok(Self {
            start: value(element, "StartTime", "a StartTime")?,
            end: value(element, "EndTime", "an EndTime")?,
            busy_type: value(element, "BusyType", "a BusyType")?,
            subject: detail("Subject"),
            location: detail("Location"),
            is_private: detail("IsPrivate").is_some_and(|is| is == "true" || is == "1"),
        })
    }

    fn to_element(&self) -> Element {
        let event = Element::new("t:CalendarEvent")
            .field("t:StartTime", Some(&self.start))
            .field("t:EndTime", Some(&self.end))
            .field("t:BusyType", Some(&self.busy_type));
        if self.subject.is_none() && self.location.is_none() && !self.is_private {
            return event;
        }
        let is_private = if self.is_private { "true" } else { "false" };
        event.child(
            Element::new("t:CalendarEventDetails")
                .field("t:Subject", self.subject.as_deref())
                .field("t:Location", self.location.as_deref())
                .field("t:IsPrivate", Some(is_private)),
        )
    }
}

/// The zone in which times are asked for and answered: UTC, with rules for summer that change nothing, for the schema
/// wants some.
fn utc() -> Element {
    let rule = |name: &str, order: &str, month: &str| {
        Element::new(name)
            .field("t:Bias", Some("0"))
            .field("t:Time", Some("02:00:00"))
            .field("t:DayOrder", Some(order))
            .field("t:Month", Some(month))
            .field("t:DayOfWeek", Some("Sunday"))
    };
    Element::new("t:TimeZone")
        .field("t:Bias", Some("0"))
        .child(rule("t:StandardTime", "5", "10"))
        .child(rule("t:DaylightTime", "5", "3"))
}

fn value(element: &Element, name: &str, expected: &'static str) -> Result<String, DecodeError> {
    element.value(name).ok_or(element.error(expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web_service::SOAP;

    #[test]
    fn a_question_is_read_as_it_was_written() {
        let request = AvailabilityRequest {
            address: "a&b@example.test".to_owned(),
            start: "2026-12-01T00:00:00".to_owned(),
            end: "2026-12-02T00:00:00".to_owned(),
        };
        let xml = request.to_xml();
        assert_eq!(AvailabilityRequest::parse(xml.as_bytes()).unwrap(), request);
        assert!(AvailabilityRequest::parse(b"<a/>").is_err());
    }

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let event = CalendarEvent {
            start: "2026-12-01T10:00:00".to_owned(),
            end: "2026-12-01T11:00:00".to_owned(),
            busy_type: "OOF".to_owned(),
            ..CalendarEvent::default()
        };
        let detailed = CalendarEvent {
            subject: Some("x<y".to_owned()),
            location: Some("here".to_owned()),
            is_private: true,
            ..event.clone()
        };
        let answer = AvailabilityResponse {
            code: NO_ERROR.to_owned(),
            message: None,
            events: vec![event, detailed],
        };
        let xml = answer.to_xml();
        assert_eq!(AvailabilityResponse::parse(xml.as_bytes()).unwrap(), answer);
    }

    /// What gromox 3.10 answers, with other white space.
    #[test]
    fn answers_of_servers_are_read() {
        let check = |inner: &str, expected: AvailabilityResponse| {
            let xml = format!(
                "<?xml version=\"1.0\"?><SOAP:Envelope xmlns:SOAP=\"{SOAP}\"><SOAP:Header/><SOAP:Body>{inner}</SOAP:Body></SOAP:Envelope>"
            );
            assert_eq!(
                AvailabilityResponse::parse(xml.as_bytes()).unwrap(),
                expected
            );
        };
        let answer = |message: &str, view: &str| {
            format!(
                "<m:GetUserAvailabilityResponse><m:FreeBusyResponseArray><m:FreeBusyResponse>\
                 <m:ResponseMessage ResponseClass=\"x\">{message}</m:ResponseMessage>{view}\
                 </m:FreeBusyResponse></m:FreeBusyResponseArray></m:GetUserAvailabilityResponse>"
            )
        };
        let view = "<m:FreeBusyView><t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray>\
            <t:CalendarEvent><t:StartTime> 2026-12-01T10:00:00Z </t:StartTime><t:EndTime>2026-12-01T11:00:00Z</t:EndTime>\
            <t:BusyType>Busy</t:BusyType></t:CalendarEvent></t:CalendarEventArray></m:FreeBusyView>";
        check(
            &answer("<m:ResponseCode>NoError</m:ResponseCode>", view),
            AvailabilityResponse {
                code: NO_ERROR.to_owned(),
                message: None,
                events: vec![CalendarEvent {
                    start: "2026-12-01T10:00:00Z".to_owned(),
                    end: "2026-12-01T11:00:00Z".to_owned(),
                    busy_type: "Busy".to_owned(),
                    ..CalendarEvent::default()
                }],
            },
        );
        check(
            &answer(
                "<m:MessageText>no</m:MessageText><m:ResponseCode>ErrorNoFreeBusyAccess</m:ResponseCode>",
                "",
            ),
            AvailabilityResponse {
                code: "ErrorNoFreeBusyAccess".to_owned(),
                message: Some("no".to_owned()),
                events: Vec::new(),
            },
        );
        check(
            "<SOAP:Fault><faultcode>SOAP:Client</faultcode><faultstring>why</faultstring></SOAP:Fault>",
            AvailabilityResponse {
                code: "SOAP:Client".to_owned(),
                message: Some("why".to_owned()),
                events: Vec::new(),
            },
        );
    }
}
