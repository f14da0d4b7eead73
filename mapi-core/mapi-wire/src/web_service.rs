//! Exchange Web Services, as far as MAPI leaves a question open: the envelope that all of them come in.
//!
//! Source: MS-OXWSCDATA 2.1; SOAP 1.1.

use crate::autodiscover::element::{Element, Layout};

/// The media type of both directions.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// The ResponseCode of what went well. Source: MS-OXWSCDATA (ResponseCodeType).
pub const NO_ERROR: &str = "NoError";

pub(crate) const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";
const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";

/// The document that asks for something.
pub(crate) fn question(body: Element) -> String {
    let version = Element::new("t:RequestServerVersion").attribute("Version", "Exchange2010");
    let header = Element::new("s:Header").child(version);
    document(envelope().child(header), body)
}

/// The document that answers.
pub(crate) fn answer(body: Element) -> String {
    document(envelope(), body)
}

fn envelope() -> Element {
    Element::new("s:Envelope")
        .attribute("xmlns:s", SOAP)
        .attribute("xmlns:t", TYPES)
        .attribute("xmlns:m", MESSAGES)
}

fn document(envelope: Element, body: Element) -> String {
    envelope
        .child(Element::new("s:Body").child(body))
        .to_document(Layout::Compact)
}
