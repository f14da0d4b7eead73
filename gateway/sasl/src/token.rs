//! `OAUTHBEARER` and `XOAUTH2`: a token of an issuer instead of a password. Source: RFC 7628; the older one as Google
//! describes it.
//!
//! A refusal is no end yet: the client is told what is wanted as a challenge, answers that with nothing that matters,
//! and is refused then.

use std::fmt::Write;

use crate::{Failure, NAME_BYTES_MAX, Secret, Step, TOKEN_BYTES_MAX, plain::required_name};

/// What stands between fields.
const SEPARATOR: u8 = 0x01;

/// A token to check.
#[derive(Clone, Debug)]
pub struct TokenLogin {
    /// Who the client says it is: to be believed when whoever knows the token has confirmed it. `OAUTHBEARER` may leave
    /// it to the token.
    pub user: Option<String>,
    /// The token. Empty: the client wants to be told what is wanted, and is to be refused.
    pub token: Secret,
}

/// What a client is told that brought no good token. What is empty is left out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TokenTerms {
    /// The scope that a token needs.
    pub scope: String,
    /// Where the issuer says what it can do (`…/.well-known/openid-configuration`).
    pub openid_configuration: String,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Bearer,
    Google,
}

impl Kind {
    /// Reads the one message of the mechanism.
    pub(crate) fn respond(self, message: &[u8]) -> Step {
        let parsed = match self {
            Self::Bearer => parse_bearer(message),
            Self::Google => parse_google(message),
        };
        match parsed {
            Ok(login) => Step::NeedToken(login),
            Err(failure) => Step::Failed(failure),
        }
    }

    /// What a refused client is told. Source: RFC 7628 3.2.2.
    pub(crate) fn refusal(self, terms: &TokenTerms) -> Vec<u8> {
        let TokenTerms {
            scope,
            openid_configuration,
        } = terms;
        let fields = match self {
            Self::Bearer => [
                ("status", "invalid_token"),
                ("scope", scope),
                ("openid-configuration", openid_configuration),
            ],
            Self::Google => [("status", "401"), ("schemes", "Bearer"), ("scope", scope)],
        };
        let mut json = String::from("{");
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            if json.len() > 1 {
                json.push(',');
            }
            json.push('"');
            json.push_str(name);
            json.push_str("\":");
            push_string(&mut json, value);
        }
        json.push('}');
        json.into_bytes()
    }
}

/// `gs2-header kvsep *(key "=" value kvsep) kvsep`. Source: RFC 7628 3.1; RFC 5801 4.
fn parse_bearer(message: &[u8]) -> Result<TokenLogin, Failure> {
    const EXPECTED: Failure = Failure::Malformed("expected a header and fields with ends");
    let at = message.iter().position(|&octet| octet == SEPARATOR);
    let (header, fields) = message.split_at(at.ok_or(EXPECTED)?);
    let mut parts = header.split(|&octet| octet == b',');
    let (Some(binding), Some(name), Some(b""), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(EXPECTED);
    };
    if !matches!(binding, b"n" | b"y") {
        return Err(Failure::ChannelBinding("tokens are not bound to a channel"));
    }
    let user = match name {
        b"" => None,
        name => {
            let name = name.strip_prefix(b"a=").ok_or(EXPECTED)?;
            Some(required_name(&unescape(name)?)?)
        }
    };
    Ok(TokenLogin {
        user,
        token: token(fields.get(1..).unwrap_or_default())?,
    })
}

/// `user=NAME ^A auth=Bearer TOKEN ^A ^A`.
fn parse_google(message: &[u8]) -> Result<TokenLogin, Failure> {
    const EXPECTED: Failure = Failure::Malformed("expected a user and a token with their ends");
    let rest = message.strip_prefix(b"user=").ok_or(EXPECTED)?;
    let at = rest.iter().position(|&octet| octet == SEPARATOR);
    let (name, fields) = rest.split_at(at.ok_or(EXPECTED)?);
    Ok(TokenLogin {
        user: Some(required_name(name)?),
        token: token(fields.get(1..).unwrap_or_default())?,
    })
}

/// The token among fields that each end with a separator, as their whole does.
fn token(fields: &[u8]) -> Result<Secret, Failure> {
    const EXPECTED: Failure = Failure::Malformed("expected fields with ends");
    let fields = fields.strip_suffix(&[SEPARATOR]).ok_or(EXPECTED)?;
    let mut token = None;
    let fields = match fields {
        b"" => fields,
        fields => fields.strip_suffix(&[SEPARATOR]).ok_or(EXPECTED)?,
    };
    for field in fields.split(|&octet| octet == SEPARATOR) {
        let at = field.iter().position(|&octet| octet == b'=');
        let (key, value) = match at {
            Some(at) => field.split_at(at),
            None if fields.is_empty() => continue,
            None => return Err(EXPECTED),
        };
        if !key.eq_ignore_ascii_case(b"auth") {
            continue;
        }
        let value = value.get(1..).unwrap_or_default();
        if token.replace(bearer(value)?).is_some() {
            return Err(Failure::Malformed("one token is enough"));
        }
    }
    Ok(token.unwrap_or_else(|| Secret::new("")))
}

/// The token in what would be an Authorization header. Source: RFC 6750 2.1.
fn bearer(value: &[u8]) -> Result<Secret, Failure> {
    const SCHEME: &[u8] = b"bearer";
    let value = value.trim_ascii();
    if value.is_empty() {
        return Ok(Secret::new(""));
    }
    let (scheme, token) = value.split_at(SCHEME.len().min(value.len()));
    if !scheme.eq_ignore_ascii_case(SCHEME) || !matches!(token, [] | [b' ', ..]) {
        return Err(Failure::Malformed("expected a bearer token"));
    }
    let token = token.trim_ascii();
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Failure::Malformed("token too long"));
    }
    match token.iter().all(u8::is_ascii_graphic) {
        true => Ok(Secret::new(token)),
        false => Err(Failure::Malformed("no token in it")),
    }
}

/// A `saslname`: `=2C` is a comma and `=3D` an equals sign. Source: RFC 5801 4.
fn unescape(name: &[u8]) -> Result<Vec<u8>, Failure> {
    const EXPECTED: Failure = Failure::Malformed("expected =2C or =3D");
    if name.len() > 3 * NAME_BYTES_MAX {
        return Err(Failure::Malformed("user name too long"));
    }
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'=', [b'2', b'C', tail @ ..]) => {
                plain.push(b',');
                rest = tail;
            }
            (b'=', [b'3', b'D', tail @ ..]) => {
                plain.push(b'=');
                rest = tail;
            }
            (b'=', _) => return Err(EXPECTED),
            _ => {
                plain.push(*first);
                rest = tail;
            }
        }
    }
    Ok(plain)
}

/// A JSON string. Source: RFC 8259 7.
fn push_string(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                json.push('\\');
                json.push(c);
            }
            // Writing into a String cannot fail.
            c if c.is_control() => drop(write!(json, "\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exchange, Mechanism, Nonce, Options};

    fn exchange(mechanism: Mechanism) -> Exchange {
        Exchange::new(mechanism, Options::new(Nonce::from_random([0; 18])))
    }

    fn check(mechanism: Mechanism, message: &[u8], expected: Option<(Option<&str>, &str)>) {
        match (exchange(mechanism).start(Some(message)), expected) {
            (Step::NeedToken(login), Some((user, token))) => {
                assert_eq!(login.user.as_deref(), user);
                assert_eq!(login.token.expose(), token.as_bytes());
            }
            (Step::Failed(Failure::Malformed(_)), None) => {}
            (step, _) => panic!("{:?}: {step:?}", message.escape_ascii().to_string()),
        }
    }

    #[test]
    fn the_examples_of_rfc_7628_are_read() {
        let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
        let message = format!(
            "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer {token}\x01\x01"
        );
        let user = Some("user@example.com");
        check(
            Mechanism::OAuthBearer,
            message.as_bytes(),
            Some((user, token)),
        );
        // 4.3: a client that wants to know what is wanted.
        let message =
            b"n,a=user@example.com,\x01host=server.example.com\x01port=587\x01auth=\x01\x01";
        check(Mechanism::OAuthBearer, message, Some((user, "")));
    }

    #[test]
    fn a_user_may_be_left_to_the_token_and_names_are_unescaped() {
        let bearer = Mechanism::OAuthBearer;
        check(bearer, b"n,,\x01auth=Bearer t\x01\x01", Some((None, "t")));
        check(bearer, b"y,,\x01AUTH=bearer  t\x01\x01", Some((None, "t")));
        check(
            bearer,
            b"n,a=a=2Cb=3Dc,\x01auth=Bearer t\x01\x01",
            Some((Some("a,b=c"), "t")),
        );
        check(bearer, b"n,,\x01\x01", Some((None, "")));
    }

    #[test]
    fn the_older_form_has_a_user_and_a_token() {
        let google = Mechanism::XOAuth2;
        check(
            google,
            b"user=someuser@example.com\x01auth=Bearer ya29.vF9\x01\x01",
            Some((Some("someuser@example.com"), "ya29.vF9")),
        );
        check(
            google,
            b"user=a@b\x01auth=\x01\x01",
            Some((Some("a@b"), "")),
        );
        for broken in [
            &b""[..],
            b"user=",
            b"user=a@b",
            b"user=\x01auth=Bearer t\x01\x01",
            b"user=a@b\x01auth=Bearer t",
            b"user=a@b\x01auth=Bearer t\x01",
            b"user=a@b\x01auth=Basic t\x01\x01",
            b"user=a@b\x01auth=Bearer\xff t\x01\x01",
            b"user=a@b\x01auth=Bearer a b\x01\x01",
            b"user=a@b\x01auth=Bearer t\x01auth=Bearer u\x01\x01",
            b"n,a=a@b,\x01auth=Bearer t\x01\x01",
        ] {
            check(google, broken, None);
        }
    }

    #[test]
    fn broken_messages_are_malformed() {
        for broken in [
            &b""[..],
            b"n,,",
            b"n,\x01auth=Bearer t\x01\x01",
            b"n,a=,\x01auth=Bearer t\x01\x01",
            b"n,a=a=2,\x01auth=Bearer t\x01\x01",
            b"n,b=c,\x01auth=Bearer t\x01\x01",
            b"n,,x,\x01auth=Bearer t\x01\x01",
            b"n,,\x01auth=Bearer t\x01host\x01\x01",
            b"n,,\x01auth=Bearer t\x01",
        ] {
            check(Mechanism::OAuthBearer, broken, None);
        }
        let step = exchange(Mechanism::OAuthBearer)
            .start(Some(b"p=tls-exporter,,\x01auth=Bearer t\x01\x01"));
        assert!(matches!(step, Step::Failed(Failure::ChannelBinding(_))));
        let long = [
            b"n,,\x01auth=Bearer ",
            &[b'a'; TOKEN_BYTES_MAX + 1][..],
            b"\x01\x01",
        ]
        .concat();
        check(Mechanism::OAuthBearer, &long, None);
    }

    #[test]
    fn a_refused_client_is_told_what_is_wanted_and_then_refused() {
        let terms = TokenTerms {
            scope: "mail \"all\"\n".to_owned(),
            openid_configuration: "https://issuer.example.test/.well-known/openid-configuration"
                .to_owned(),
        };
        let cases: [(_, &[u8], &str); 2] = [
            (
                Mechanism::OAuthBearer,
                b"n,,\x01auth=Bearer t\x01\x01",
                r#"{"status":"invalid_token","scope":"mail \"all\"\u000a","openid-configuration":"https://issuer.example.test/.well-known/openid-configuration"}"#,
            ),
            (
                Mechanism::XOAuth2,
                b"user=a@b\x01auth=Bearer t\x01\x01",
                r#"{"status":"401","schemes":"Bearer","scope":"mail \"all\"\u000a"}"#,
            ),
        ];
        for (mechanism, message, expected) in cases {
            let mut exchange = exchange(mechanism);
            assert!(matches!(exchange.start(Some(message)), Step::NeedToken(_)));
            let Step::Challenge(told) = exchange.refuse_token(&terms) else {
                panic!("nothing told")
            };
            assert_eq!(String::from_utf8(told).unwrap(), expected);
            // Whatever the client answers.
            let end = exchange.step(b"\x01");
            assert!(matches!(end, Step::Failed(Failure::BadProof)));
            let over = exchange.step(message);
            assert!(matches!(over, Step::Failed(Failure::OutOfOrder)));
        }
    }

    #[test]
    fn only_a_token_that_is_being_checked_can_be_refused() {
        let mut exchange = exchange(Mechanism::XOAuth2);
        let step = exchange.refuse_token(&TokenTerms::default());
        assert!(matches!(step, Step::Failed(Failure::OutOfOrder)));
    }
}
