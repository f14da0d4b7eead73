//! The heads of requests and responses, typed. Header names do not depend on letter case.
//!
//! Source: MS-OXCMAPIHTTP 2.2.3.

use std::{fmt, str::FromStr};

use super::{
    cookies::Cookies, request_type::RequestType, response_code::ResponseCode, version::Version,
};
use crate::ids::Guid;

/// Names and fixed values of headers.
pub mod header {
    /// Content-Type.
    pub const CONTENT_TYPE: &str = "Content-Type";
    /// The content type of requests, and of responses that were accepted; the others are HTML.
    pub const MAPI_HTTP: &str = "application/mapi-http";
    /// The cookies a client sends.
    pub const COOKIE: &str = "Cookie";
    /// A cookie a server sets.
    pub const SET_COOKIE: &str = "Set-Cookie";
    /// What the request is.
    pub const REQUEST_TYPE: &str = "X-RequestType";
    /// Session context and number of the request.
    pub const REQUEST_ID: &str = "X-RequestId";
    /// Client and number of its session context.
    pub const CLIENT_INFO: &str = "X-ClientInfo";
    /// Name and version of the client.
    pub const CLIENT_APPLICATION: &str = "X-ClientApplication";
    /// Name and version of the server.
    pub const SERVER_APPLICATION: &str = "X-ServerApplication";
    /// What the transport says of the request.
    pub const RESPONSE_CODE: &str = "X-ResponseCode";
    /// Milliseconds between lines that keep the connection alive.
    pub const PENDING_PERIOD: &str = "X-PendingPeriod";
    /// Milliseconds that an idle session context lives.
    pub const EXPIRATION_INFO: &str = "X-ExpirationInfo";
    /// Milliseconds the server was at work.
    pub const ELAPSED_TIME: &str = "X-ElapsedTime";
    /// When it began.
    pub const START_TIME: &str = "X-StartTime";
    /// How long to stay away; HTTP's own.
    pub const RETRY_AFTER: &str = "Retry-After";
    /// Asks Autodiscover for MAPI over HTTP. Source: MS-OXDSCLI 2.2.2.
    pub const MAPI_HTTP_CAPABILITY: &str = "X-MapiHttpCapability";
}

/// A GUID and a number: the value of X-RequestId and X-ClientInfo. Source: MS-OXCMAPIHTTP 2.2.3.3.2, 2.2.3.3.4.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Numbered {
    /// Which session context, or which client.
    pub guid: Guid,
    /// Which request of it, ascending; or which session context.
    pub number: u64,
}

impl fmt::Display for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guid = self.guid.to_string().to_ascii_uppercase();
        write!(f, "{{{guid}}}:{}", self.number)
    }
}

/// A value that is not `{GUID}:number`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotNumbered;

impl FromStr for Numbered {
    type Err = NotNumbered;

    fn from_str(text: &str) -> Result<Self, NotNumbered> {
        let (guid, number) = text.trim().rsplit_once(':').ok_or(NotNumbered)?;
        let guid = guid
            .strip_prefix('{')
            .and_then(|guid| guid.strip_suffix('}'))
            .ok_or(NotNumbered)?;
        Ok(Self {
            guid: parse_guid(guid).ok_or(NotNumbered)?,
            number: number.parse().map_err(|_| NotNumbered)?,
        })
    }
}

/// A GUID in its text form without braces.
pub(crate) fn parse_guid(text: &str) -> Option<Guid> {
    let [d1, d2, d3, d4, d5] = text.split('-').collect::<Vec<_>>().try_into().ok()?;
    let lengths = [d1, d2, d3, d4, d5].map(str::len);
    if lengths != [8, 4, 4, 4, 12]
        || !text
            .bytes()
            .all(|octet| octet == b'-' || octet.is_ascii_hexdigit())
    {
        return None;
    }
    let tail = u64::from_str_radix(&format!("{d4}{d5}"), 16).ok()?;
    Some(Guid::from_fields(
        u32::from_str_radix(d1, 16).ok()?,
        u16::from_str_radix(d2, 16).ok()?,
        u16::from_str_radix(d3, 16).ok()?,
        tail.to_be_bytes(),
    ))
}

/// The head of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestHead {
    /// What it is.
    pub request_type: RequestType,
    /// X-RequestId as it stands: a server sends it back unchanged. A client makes it from a [`Numbered`].
    pub request_id: String,
    /// X-ClientInfo as it stands.
    pub client_info: String,
    /// X-ClientApplication.
    pub client_application: Option<String>,
    /// The cookies of the session context.
    pub cookies: Cookies,
}

impl RequestHead {
    /// The headers a client sends, beside those of HTTP and of authentication.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            (header::CONTENT_TYPE, header::MAPI_HTTP.to_owned()),
            (header::REQUEST_TYPE, self.request_type.name().to_owned()),
            (header::REQUEST_ID, self.request_id.clone()),
            (header::CLIENT_INFO, self.client_info.clone()),
        ];
        let application = self.client_application.clone();
        headers.extend(application.map(|name| (header::CLIENT_APPLICATION, name)));
        headers.extend(
            self.cookies
                .to_header()
                .map(|cookies| (header::COOKIE, cookies)),
        );
        headers
    }

    /// Reads the headers a server received, or says with which code to refuse the request.
    pub fn from_headers<'a>(
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ResponseCode> {
        let mut found: [Option<&str>; NAMES.len()] = [None; NAMES.len()];
        for (name, value) in headers {
            let place = NAMES
                .iter()
                .position(|known| known.eq_ignore_ascii_case(name));
            if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
                *slot = Some(value.trim());
            }
        }
        let [
            content_type,
            request_type,
            request_id,
            client_info,
            application,
            cookie,
        ] = found;
        let missing = ResponseCode::MISSING_HEADER;
        let request_type = request_type.ok_or(missing)?;
        let media_type = content_type
            .ok_or(missing)?
            .split(';')
            .next()
            .unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case(header::MAPI_HTTP) {
            return Err(ResponseCode::INVALID_HEADER);
        }
        Ok(Self {
            request_type: request_type
                .parse()
                .map_err(|_| ResponseCode::INVALID_REQUEST_TYPE)?,
            request_id: request_id.ok_or(missing)?.to_owned(),
            client_info: client_info.ok_or(missing)?.to_owned(),
            client_application: application.map(str::to_owned),
            cookies: cookie.map(Cookies::from_header).unwrap_or_default(),
        })
    }

    /// The version of the client, if it says one.
    pub fn client_version(&self) -> Option<Version> {
        Version::from_application(self.client_application.as_deref()?)
    }
}

const NAMES: [&str; 6] = [
    header::CONTENT_TYPE,
    header::REQUEST_TYPE,
    header::REQUEST_ID,
    header::CLIENT_INFO,
    header::CLIENT_APPLICATION,
    header::COOKIE,
];

/// The head of a response, with what the additional headers after DONE changed.
///
/// A header with a value that cannot be read counts as missing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ResponseHead {
    /// X-ResponseCode; the later one counts. A response of MAPI over HTTP always has it.
    pub response_code: Option<ResponseCode>,
    /// X-RequestType, sent back.
    pub request_type: Option<RequestType>,
    /// X-RequestId, sent back.
    pub request_id: Option<String>,
    /// X-ClientInfo, sent back.
    pub client_info: Option<String>,
    /// X-ServerApplication.
    pub server_application: Option<String>,
    /// X-PendingPeriod in milliseconds.
    pub pending_period_ms: Option<u32>,
    /// X-ExpirationInfo in milliseconds.
    pub expiration_ms: Option<u32>,
    /// X-ElapsedTime in milliseconds (gromox 3.10: in seconds).
    pub elapsed_ms: Option<u32>,
    /// X-StartTime.
    pub start_time: Option<String>,
    /// Content-Type.
    pub content_type: Option<String>,
    /// The value of every Set-Cookie, in order, at most [`super::cookies::COOKIES_MAX`].
    pub set_cookies: Vec<String>,
}

impl ResponseHead {
    /// Reads the headers a client received.
    pub fn from_headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut head = Self::default();
        for (name, value) in headers {
            head.apply(name, value);
        }
        head
    }

    /// Takes one header, of the head or additional; a later one overrides, cookies add up.
    pub fn apply(&mut self, name: &str, value: &str) {
        let value = value.trim();
        let text = || Some(value.to_owned());
        match name.to_ascii_lowercase().as_str() {
            "x-responsecode" => self.response_code = value.parse().ok().map(ResponseCode),
            "x-requesttype" => self.request_type = value.parse().ok(),
            "x-requestid" => self.request_id = text(),
            "x-clientinfo" => self.client_info = text(),
            "x-serverapplication" => self.server_application = text(),
            "x-pendingperiod" => self.pending_period_ms = value.parse().ok(),
            "x-expirationinfo" => self.expiration_ms = value.parse().ok(),
            "x-elapsedtime" => self.elapsed_ms = value.parse().ok(),
            "x-starttime" => self.start_time = text(),
            "content-type" => self.content_type = text(),
            "set-cookie" if self.set_cookies.len() < super::cookies::COOKIES_MAX => {
                self.set_cookies.push(value.to_owned());
            }
            _ => {}
        }
    }

    /// The headers a server sends before the body; elapsed and start time go after DONE.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let number = |number: u32| number.to_string();
        let fields = [
            (header::CONTENT_TYPE, self.content_type.clone()),
            (
                header::REQUEST_TYPE,
                self.request_type.map(|kind| kind.name().to_owned()),
            ),
            (header::REQUEST_ID, self.request_id.clone()),
            (header::CLIENT_INFO, self.client_info.clone()),
            (
                header::RESPONSE_CODE,
                self.response_code.map(|code| number(code.0)),
            ),
            (header::PENDING_PERIOD, self.pending_period_ms.map(number)),
            (header::EXPIRATION_INFO, self.expiration_ms.map(number)),
            (header::SERVER_APPLICATION, self.server_application.clone()),
        ];
        let fields = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let cookies = self
            .set_cookies
            .iter()
            .map(|cookie| (header::SET_COOKIE, cookie.clone()));
        fields.chain(cookies).collect()
    }

    /// Whether the body is one of MAPI over HTTP, and not a page of some server or proxy in between.
    pub fn is_mapi_http(&self) -> bool {
        let media_type = self
            .content_type
            .as_deref()
            .and_then(|value| value.split(';').next());
        media_type.is_some_and(|value| value.trim().eq_ignore_ascii_case(header::MAPI_HTTP))
    }

    /// The version of the server, if it says one.
    pub fn server_version(&self) -> Option<Version> {
        Version::from_application(self.server_application.as_deref()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> RequestHead {
        RequestHead {
            request_type: RequestType::Execute,
            request_id: "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:7".into(),
            client_info: "{2EF33C39-49C8-421C-B876-CDF7F2AC3AA0}:1".into(),
            client_application: Some("Outlook/16.0.4266.1001".into()),
            cookies: Cookies::from_header("sid=abc; sequence=1"),
        }
    }

    #[test]
    fn a_numbered_guid_reads_back() {
        let text = "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:123456";
        let id: Numbered = text.parse().unwrap();
        assert_eq!((id.to_string().as_str(), id.number), (text, 123_456));
        for broken in [
            "",
            "{}:1",
            "E2EA6C1C-E61B-49E9-9CFB-38184F907552:1",
            "{E2EA6C1C}:1",
            "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:x",
            "{+2EA6C1C-E61B-49E9-9CFB-38184F907552}:1",
        ] {
            assert_eq!(broken.parse::<Numbered>(), Err(NotNumbered), "{broken}");
        }
    }

    #[test]
    fn a_server_reads_what_a_client_writes() {
        let head = head();
        let headers = head.headers();
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(RequestHead::from_headers(headers), Ok(head.clone()));
        assert_eq!(head.client_version(), Some(Version([16, 0, 4266, 1001])));
    }

    #[test]
    fn a_missing_or_wrong_header_has_its_code() {
        let refusal = |name: &str, value: Option<&str>| {
            let mut headers = head().headers();
            match value {
                Some(value) => headers
                    .iter_mut()
                    .filter(|h| h.0 == name)
                    .for_each(|h| h.1 = value.into()),
                None => headers.retain(|h| h.0 != name),
            }
            RequestHead::from_headers(headers.iter().map(|(n, v)| (*n, v.as_str()))).unwrap_err()
        };
        for name in [
            header::REQUEST_TYPE,
            header::REQUEST_ID,
            header::CLIENT_INFO,
            header::CONTENT_TYPE,
        ] {
            assert_eq!(refusal(name, None), ResponseCode::MISSING_HEADER, "{name}");
        }
        assert_eq!(
            refusal(header::REQUEST_TYPE, Some("Dance")),
            ResponseCode::INVALID_REQUEST_TYPE
        );
        assert_eq!(
            refusal(header::CONTENT_TYPE, Some("text/html")),
            ResponseCode::INVALID_HEADER
        );
    }

    #[test]
    fn a_client_reads_what_a_server_writes() {
        let mut head = ResponseHead {
            response_code: Some(ResponseCode::SUCCESS),
            request_type: Some(RequestType::Execute),
            request_id: Some("{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:7".into()),
            client_info: Some("{2EF33C39-49C8-421C-B876-CDF7F2AC3AA0}:1".into()),
            server_application: Some("Exchange/15.02.1118.007".into()),
            pending_period_ms: Some(30_000),
            expiration_ms: Some(900_000),
            content_type: Some(header::MAPI_HTTP.into()),
            set_cookies: vec!["sid=a".into(), "sequence=2".into()],
            ..ResponseHead::default()
        };
        let headers = head.headers();
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(ResponseHead::from_headers(headers), head);
        assert!(head.is_mapi_http());
        assert_eq!(head.server_version(), Some(Version([15, 2, 1118, 7])));
        head.apply("x-responsecode", " 10 ");
        head.apply(header::ELAPSED_TIME, "12");
        assert_eq!(head.response_code, Some(ResponseCode::CONTEXT_NOT_FOUND));
        assert_eq!(head.elapsed_ms, Some(12));
    }
}
