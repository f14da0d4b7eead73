//! Autodiscover version 2: one GET, one URL. It has no word for MAPI over HTTP; what it is good for is to find where to
//! ask by POX. The request is not authenticated. Not in a Microsoft document; as Exchange and its clients do it.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::cursor::{DecodeError, Result};

/// The path on every host.
pub const PATH: &str = "/autodiscover/autodiscover.json";

/// The protocol that means POX.
pub const POX: &str = "AutodiscoverV1";

/// The most octets of an answer.
pub const ANSWER_BYTES_MAX: usize = 0x1_0000;

/// What a client asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Query {
    /// The user's address.
    pub email: String,
    /// The protocol whose URL is wanted, such as [`POX`].
    pub protocol: String,
}

/// What a server answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Where the protocol is spoken.
    Found {
        /// The protocol, in the server's letter case.
        protocol: String,
        /// Its URL.
        url: String,
    },
    /// The server cannot say.
    Error {
        /// Such as `UserNotFound`, `ProtocolNotSupported`, `MandatoryParameterMissing`.
        code: String,
        /// In words.
        message: String,
    },
}

impl Query {
    /// The URL to get, on a host that may have a port.
    pub fn url(&self, host: &str) -> String {
        let email = escape(&self.email);
        let protocol = escape(&self.protocol);
        format!("https://{host}{PATH}?Email={email}&Protocol={protocol}")
    }

    /// The URL to get in the form with the address in the path, which Exchange Online prefers.
    pub fn url_v1(&self, host: &str) -> String {
        let email = escape(&self.email);
        let protocol = escape(&self.protocol);
        format!("https://{host}{PATH}/v1.0/{email}?Protocol={protocol}")
    }

    /// Reads path and query of a request in either form, or says what to answer.
    pub fn parse(path: &str, query: &str) -> Result<Self, Answer> {
        let parameter = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let value = pairs.find(|(known, _)| known.eq_ignore_ascii_case(name))?.1;
            Some(unescape(&value.replace('+', " "))).filter(|value| !value.is_empty())
        };
        let in_path = path.split_once("/v1.0/").map(|(_, email)| unescape(email));
        let missing = |code: &str, message: &str| Answer::Error {
            code: code.to_owned(),
            message: message.to_owned(),
        };
        let email = parameter("Email")
            .or(in_path)
            .filter(|email| email.contains('@'));
        Ok(Self {
            email: email.ok_or_else(|| {
                missing("MandatoryParameterMissing", "an e-mail address is missing")
            })?,
            protocol: parameter("Protocol")
                .ok_or_else(|| missing("MissingProtocol", "the parameter 'Protocol' is missing"))?,
        })
    }
}

impl Answer {
    /// Reads what a server answered.
    pub fn parse(document: &[u8]) -> Result<Self> {
        const EXPECTED: &str = "a JSON object with Protocol and Url or with ErrorCode";
        let error = |at| DecodeError {
            at,
            expected: EXPECTED,
        };
        if document.len() > ANSWER_BYTES_MAX {
            return Err(DecodeError {
                at: ANSWER_BYTES_MAX,
                expected: "an answer within its bound",
            });
        }
        let value: Value = serde_json::from_slice(document).map_err(|failure| {
            let lines = document.split_inclusive(|&octet| octet == b'\n');
            let before: usize = lines
                .take(failure.line().saturating_sub(1))
                .map(<[u8]>::len)
                .sum();
            error(before + failure.column().saturating_sub(1))
        })?;
        let object = value.as_object().ok_or(error(0))?;
        if let Some(code) = text(object, "ErrorCode") {
            let message = text(object, "ErrorMessage").unwrap_or_default();
            return Ok(Self::Error { code, message });
        }
        Ok(Self::Found {
            protocol: text(object, "Protocol").ok_or(error(0))?,
            url: text(object, "Url").ok_or(error(0))?,
        })
    }

    /// Writes the answer.
    pub fn to_json(&self) -> String {
        let value = match self {
            Self::Found { protocol, url } => json!({ "Protocol": protocol, "Url": url }),
            Self::Error { code, message } => json!({ "ErrorCode": code, "ErrorMessage": message }),
        };
        value.to_string()
    }
}

fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    let (_, value) = object
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986 2.3, and "@", which servers want to see.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                out.push(octet.into())
            }
            // Writing into a String cannot fail.
            _ => drop(write!(out, "%{octet:02X}")),
        }
    }
    out
}

fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let coded = match (first, tail) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        match coded {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(email: &str) -> Query {
        Query {
            email: email.into(),
            protocol: POX.into(),
        }
    }

    #[test]
    fn a_query_goes_there_and_back() {
        let query = query("al+ice&co@example.test");
        let url = query.url("mail.example.test:8443");
        let expected = "https://mail.example.test:8443/autodiscover/autodiscover.json?Email=al%2Bice%26co@example.test&Protocol=AutodiscoverV1";
        assert_eq!(url, expected);
        let url_v1 = query.url_v1("mail.example.test");
        for url in [url, url_v1] {
            let (path, parameters) = url.split_once('?').unwrap();
            assert_eq!(Query::parse(path, parameters).as_ref(), Ok(&query));
        }
    }

    #[test]
    fn what_a_query_lacks_is_the_answer() {
        let code = |path: &str, query: &str| match Query::parse(path, query) {
            Err(Answer::Error { code, .. }) => code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code(PATH, ""), "MandatoryParameterMissing");
        assert_eq!(code(PATH, "Email=&Protocol=x"), "MandatoryParameterMissing");
        assert_eq!(
            code(PATH, "Email=a@example.test&Protocol="),
            "MissingProtocol"
        );
        assert_eq!(
            query("a%2@b"),
            Query::parse(PATH, "email=a%2@b&protocol=AutodiscoverV1").unwrap()
        );
    }

    #[test]
    fn an_answer_reads_back() {
        let found = Answer::Found {
            protocol: POX.into(),
            url: "https://mail.example.test/autodiscover/autodiscover.xml".into(),
        };
        let json = r#"{"Protocol":"AutodiscoverV1","Url":"https://mail.example.test/autodiscover/autodiscover.xml"}"#;
        assert_eq!(found.to_json(), json);
        assert_eq!(Answer::parse(json.as_bytes()), Ok(found));
        let error = Answer::Error {
            code: "UserNotFound".into(),
            message: "who?".into(),
        };
        assert_eq!(Answer::parse(error.to_json().as_bytes()), Ok(error));
    }

    #[test]
    fn what_is_no_answer_says_where() {
        let cases: [(&[u8], usize); 5] = [
            (b"", 0),
            (b"[]", 0),
            (b"{}", 0),
            (b"{\n\"a\": x}", 7),
            (b"{\"Url\":\"x\"}", 0),
        ];
        for (document, at) in cases {
            assert_eq!(Answer::parse(document).unwrap_err().at, at, "{document:?}");
        }
        let deep = "[".repeat(10_000);
        assert!(Answer::parse(deep.as_bytes()).is_err());
        assert_eq!(
            Answer::parse(&[b' '; ANSWER_BYTES_MAX + 1]).unwrap_err().at,
            ANSWER_BYTES_MAX
        );
    }
}
