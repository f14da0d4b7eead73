//! The client's two messages. Grammar: RFC 5802 7.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::{Failure, Identity, NAME_BYTES_MAX};

/// The longest client nonce, in bytes; real ones have about 24.
const NONCE_BYTES_MAX: usize = 1024;

/// What the client says about channel binding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Binding {
    /// `n`: it cannot.
    Unsupported,
    /// `y`: it can, but saw no `-PLUS` mechanism offered.
    NotOffered,
    /// `p=name`: it does, with this type.
    Used(String),
}

/// `gs2-header client-first-message-bare`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ClientFirst {
    pub(super) binding: Binding,
    pub(super) identity: Identity,
    /// The header as sent, both commas included.
    pub(super) header: String,
    /// All after the header.
    pub(super) bare: String,
    pub(super) nonce: String,
}

impl ClientFirst {
    pub(super) fn parse(message: &[u8]) -> Result<Self, Failure> {
        let message = text(message)?;
        let mut fields = message.splitn(3, ',');
        let (Some(flag), Some(authzid), Some(bare)) = (fields.next(), fields.next(), fields.next())
        else {
            return Err(Failure::Malformed("header incomplete"));
        };
        let binding = match flag {
            "n" => Binding::Unsupported,
            "y" => Binding::NotOffered,
            _ => match flag.strip_prefix("p=") {
                Some(name) if !name.is_empty() => Binding::Used(name.to_owned()),
                _ => return Err(Failure::Malformed("unknown channel binding flag")),
            },
        };
        let authzid = match authzid {
            "" => None,
            _ => Some(sasl_name(attribute(
                Some(authzid),
                "a=",
                "authorisation identity",
            )?)?),
        };
        let mut attributes = bare.split(',');
        let name = attributes.next();
        if name.is_some_and(|first| first.starts_with("m=")) {
            return Err(Failure::Malformed("mandatory extension not supported"));
        }
        let authcid = sasl_name(attribute(name, "n=", "user name expected")?)?;
        let nonce = attribute(attributes.next(), "r=", "nonce expected")?;
        if nonce.is_empty()
            || nonce.len() > NONCE_BYTES_MAX
            || !nonce.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(Failure::Malformed("nonce empty, too long or not printable"));
        }
        Ok(Self {
            binding,
            identity: Identity { authzid, authcid },
            header: message.strip_suffix(bare).unwrap_or_default().to_owned(),
            bare: bare.to_owned(),
            nonce: nonce.to_owned(),
        })
    }
}

/// `client-final-message`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ClientFinal {
    /// The decoded channel binding attribute.
    pub(super) channel: Vec<u8>,
    pub(super) nonce: String,
    pub(super) proof: [u8; 32],
    /// The message up to the comma before the proof.
    pub(super) without_proof: String,
}

impl ClientFinal {
    pub(super) fn parse(message: &[u8]) -> Result<Self, Failure> {
        let message = text(message)?;
        let Some((without_proof, proof)) = message.rsplit_once(",p=") else {
            return Err(Failure::Malformed("proof expected at the end"));
        };
        let mut attributes = without_proof.split(',');
        let channel = attribute(attributes.next(), "c=", "channel binding expected")?;
        let nonce = attribute(attributes.next(), "r=", "nonce expected")?;
        let decode = |value: &str| {
            BASE64
                .decode(value)
                .map_err(|_| Failure::Malformed("attribute is not base64"))
        };
        Ok(Self {
            channel: decode(channel)?,
            nonce: nonce.to_owned(),
            proof: decode(proof)?
                .try_into()
                .map_err(|_| Failure::Malformed("proof has the wrong length"))?,
            without_proof: without_proof.to_owned(),
        })
    }
}

fn text(message: &[u8]) -> Result<&str, Failure> {
    match std::str::from_utf8(message) {
        Ok(text) if !text.contains('\0') => Ok(text),
        Ok(_) => Err(Failure::Malformed("message contains a null character")),
        Err(_) => Err(Failure::Malformed("message is not UTF-8")),
    }
}

fn attribute<'a>(
    field: Option<&'a str>,
    prefix: &str,
    missing: &'static str,
) -> Result<&'a str, Failure> {
    field
        .and_then(|field| field.strip_prefix(prefix))
        .ok_or(Failure::Malformed(missing))
}

/// Undoes `=2C` and `=3D`; any other use of `=` is an error. RFC 5802 5.1.
fn sasl_name(escaped: &str) -> Result<String, Failure> {
    if escaped.is_empty() || escaped.len() > NAME_BYTES_MAX {
        return Err(Failure::Malformed("user name empty or too long"));
    }
    let mut pieces = escaped.split('=');
    let mut name = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (plain, rest) = if let Some(rest) = piece.strip_prefix("2C") {
            (',', rest)
        } else if let Some(rest) = piece.strip_prefix("3D") {
            ('=', rest)
        } else {
            return Err(Failure::Malformed("unknown escape in a user name"));
        };
        name.push(plain);
        name.push_str(rest);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unescaped_and_bad_escapes_refused() {
        assert_eq!(sasl_name("a=2Cb=3Dc"), Ok("a,b=c".to_owned()));
        assert_eq!(sasl_name("=3D2C"), Ok("=2C".to_owned()));
        for bad in ["a=", "a=2c", "=41", ""] {
            assert!(sasl_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_header_is_kept_to_the_byte() {
        let first = ClientFirst::parse(b"p=tls-exporter,a=bob,n=alice,r=xyz,e=1").expect("valid");
        assert_eq!(first.header, "p=tls-exporter,a=bob,");
        assert_eq!(first.bare, "n=alice,r=xyz,e=1");
        assert_eq!(first.binding, Binding::Used("tls-exporter".to_owned()));
        assert_eq!(first.identity.authzid.as_deref(), Some("bob"));
    }

    #[test]
    fn malformed_first_messages_are_refused() {
        for bad in [
            "",
            "n",
            "n,",
            "n,,",
            "n,,n=alice",
            "n,,n=alice,r=",
            "n,,r=abc,n=alice",
            "x,,n=alice,r=abc",
            "p=,,n=alice,r=abc",
            "n,b=bob,n=alice,r=abc",
            "n,,m=ext,n=alice,r=abc",
            "n,,n=,r=abc",
            "n,,n=alice,r=a\x7f",
            "n,,n=al\0ice,r=abc",
        ] {
            assert!(ClientFirst::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn malformed_final_messages_are_refused() {
        let proof = BASE64.encode([1; 32]);
        assert!(ClientFinal::parse(format!("c=biws,r=abc,p={proof}").as_bytes()).is_ok());
        for bad in [
            String::new(),
            "c=biws,r=abc".to_owned(),
            format!("r=abc,c=biws,p={proof}"),
            format!("c=biws,p={proof}"),
            format!("c=*,r=abc,p={proof}"),
            "c=biws,r=abc,p=AAAA".to_owned(),
            "c=biws,r=abc,p=".to_owned(),
            format!("c=biws,r=abc,p={proof},x=1"),
        ] {
            assert!(ClientFinal::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
