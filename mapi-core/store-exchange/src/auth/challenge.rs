//! What a server offers with a 401: WWW-Authenticate (RFC 9110 11.6.1).

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::http::{HeaderMap, header::WWW_AUTHENTICATE};

/// An authentication scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Name and password with every request (RFC 7617).
    Basic,
    /// NTLM (MS-NTHT), which authenticates the TCP connection.
    Ntlm,
    /// Kerberos or NTLM by agreement (RFC 4559).
    Negotiate,
    /// A token with every request (RFC 6750).
    Bearer,
}

/// One scheme that a server offers, or the next step of one that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme.
    pub scheme: Scheme,
    /// The server's token, in a scheme of several steps.
    pub token: Option<Vec<u8>>,
}

impl Scheme {
    /// The name, as it stands in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate",
            Self::Bearer => "Bearer",
        }
    }

    /// The scheme of a name, in any case (RFC 9110 11.1).
    pub fn named(name: &str) -> Option<Self> {
        [Self::Basic, Self::Ntlm, Self::Negotiate, Self::Bearer]
            .into_iter()
            .find(|scheme| scheme.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The schemes of an answer that are known here, in the server's order. Others and their parameters are passed over.
pub fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(items)
        .filter_map(challenge)
        .collect()
}

/// A list's items: the text between commas that are not within quotes.
fn items(list: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    list.split(move |c| {
        let within = quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        c == ',' && !within
    })
    .map(str::trim)
}

/// The challenge that an item begins; nothing for a further parameter of the one before.
fn challenge(item: &str) -> Option<Challenge> {
    let (name, rest) = item.split_once(' ').unwrap_or((item, ""));
    let rest = rest.trim();
    if rest.starts_with('=') {
        return None;
    }
    let scheme = Scheme::named(name)?;
    let token = match scheme {
        Scheme::Ntlm | Scheme::Negotiate if !rest.is_empty() => BASE64_STANDARD.decode(rest).ok(),
        _ => None,
    };
    Some(Challenge { scheme, token })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Scheme::{Basic, Bearer, Negotiate, Ntlm};

    fn check(values: &[&str], expected: &[(Scheme, Option<&[u8]>)]) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        let got = challenges(&headers);
        let got: Vec<_> = got.iter().map(|c| (c.scheme, c.token.as_deref())).collect();
        assert_eq!(got, expected, "{values:?}");
    }

    #[test]
    fn every_scheme_of_every_header_is_seen() {
        check(
            &[
                "Basic realm=\"msrpc realm\", charset=\"utf-8\"",
                "Negotiate",
            ],
            &[(Basic, None), (Negotiate, None)],
        );
        check(
            &["Negotiate, NTLM, basic realm=\"a, NTLM\\\", Bearer\" , Bearer"],
            &[
                (Negotiate, None),
                (Ntlm, None),
                (Basic, None),
                (Bearer, None),
            ],
        );
        check(
            &["Digest qop=\"auth\", nonce = \"x\", NTLM"],
            &[(Ntlm, None)],
        );
        check(&["Basic = \"no scheme\"", "Basic=x", "", ",,"], &[]);
    }

    #[test]
    fn tokens_are_decoded_and_broken_ones_are_none() {
        check(
            &["NTLM TlRMTVNTUAACAAAA", "Negotiate oQ=="],
            &[
                (Ntlm, Some(b"NTLMSSP\0\x02\0\0\0")),
                (Negotiate, Some(b"\xA1")),
            ],
        );
        check(&["NTLM !!", "Basic abc="], &[(Ntlm, None), (Basic, None)]);
    }

    proptest! {
        #[test]
        fn no_header_panics(value in "[ -~]{0,80}", more in "(NTLM|Basic|,| |=|\"|\\\\){0,20}") {
            let mut headers = HeaderMap::new();
            for value in [value, more] {
                headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
            }
            challenges(&headers);
        }
    }
}
