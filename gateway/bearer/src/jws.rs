//! A signed token in its compact form: three parts in base64url with dots between. Source: RFC 7515 3.1 and 5.2.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::Deserialize;

use crate::{Algorithm, KeySet, Refusal, claims::Claims};

/// A token that has been taken apart; nothing in it is to be believed yet.
pub(crate) struct Token<'t> {
    header: Header,
    /// What the signature is of.
    signed: &'t [u8],
    payload: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// Extensions that must be understood. None is.
    crit: Option<serde_json::Value>,
}

/// Who says to have issued a token. Not to be believed: it only says whose keys to try.
pub fn issuer_of(token: &str) -> Option<String> {
    let token = Token::parse(token).ok()?;
    Claims::parse(&token.payload).ok()?.issuer
}

impl<'t> Token<'t> {
    /// Errors: `Malformed`.
    pub(crate) fn parse(text: &'t str) -> Result<Self, Refusal> {
        const EXPECTED: Refusal = Refusal::Malformed("not a signed token");
        let (signed, signature) = text.rsplit_once('.').ok_or(EXPECTED)?;
        let (header, payload) = signed.split_once('.').ok_or(EXPECTED)?;
        let decode = |part: &str| BASE64URL.decode(part).map_err(|_| EXPECTED);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| EXPECTED)?;
        if header.crit.is_some() {
            return Err(Refusal::Malformed("token with an unknown extension"));
        }
        // RFC 8725 3.11: a token for something else is none of these. RFC 7515 4.1.9: `application/` may be left out.
        let is_access_token = header.typ.as_deref().is_none_or(|name| {
            let name = name.to_ascii_lowercase();
            let name = name.strip_prefix("application/").unwrap_or(&name);
            matches!(name, "jwt" | "at+jwt")
        });
        if !is_access_token {
            return Err(Refusal::Malformed("token of another type"));
        }
        Ok(Self {
            header,
            signed: signed.as_bytes(),
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    /// The claims, if one of the keys has signed them by an algorithm that is allowed.
    ///
    /// Errors: `Malformed`, `Algorithm`, `UnknownKey`, `Signature`.
    pub(crate) fn verified(&self, keys: &KeySet, allowed: &[Algorithm]) -> Result<Claims, Refusal> {
        let algorithm = Algorithm::parse(&self.header.alg);
        let algorithm = algorithm
            .filter(|algorithm| allowed.contains(algorithm))
            .ok_or(Refusal::Algorithm)?;
        let id = self.header.kid.as_deref();
        keys.verify((id, algorithm), self.signed, &self.signature)?;
        Claims::parse(&self.payload)
    }
}
