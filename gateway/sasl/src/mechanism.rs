//! The mechanisms by name.

/// A mechanism this server can run.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Mechanism {
    /// `EXTERNAL`, RFC 4422 appendix A: the client's TLS certificate says who it is.
    External,
    /// `PLAIN`, RFC 4616: name and password in one message. Only over TLS or loopback.
    Plain,
    /// `LOGIN`: name and password in two messages; obsolete, but some clients know nothing else.
    /// Only over TLS or loopback. Source: draft-murchison-sasl-login.
    Login,
    /// `SCRAM-SHA-256`, RFC 5802 and RFC 7677: the password never crosses the wire.
    ScramSha256,
    /// `SCRAM-SHA-256-PLUS`: the same, bound to the TLS channel it runs over.
    ScramSha256Plus,
    /// `OAUTHBEARER`, RFC 7628: a token of an issuer. Only over TLS or loopback.
    OAuthBearer,
    /// `XOAUTH2`: the same in an older form, which more clients know. Only over TLS or loopback.
    /// Source: Google, "OAuth 2.0 mechanism".
    XOAuth2,
}

impl Mechanism {
    /// Every mechanism, strongest first: the order in which to offer them.
    pub const ALL: [Self; 7] = [
        Self::External,
        Self::ScramSha256Plus,
        Self::ScramSha256,
        Self::OAuthBearer,
        Self::XOAuth2,
        Self::Plain,
        Self::Login,
    ];

    /// The name as registered with IANA.
    pub fn name(self) -> &'static str {
        match self {
            Self::External => "EXTERNAL",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::XOAuth2 => "XOAUTH2",
        }
    }

    /// The mechanism of a name, in any case; `None` for those not offered here.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// Whether the client sends the password itself, so that the channel must be private.
    pub fn sends_password(self) -> bool {
        matches!(self, Self::Plain | Self::Login)
    }

    /// Whether the client sends a token, so that the channel must be private.
    pub fn sends_token(self) -> bool {
        matches!(self, Self::OAuthBearer | Self::XOAuth2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_in_any_case() {
        for mechanism in Mechanism::ALL {
            assert_eq!(Mechanism::parse(mechanism.name()), Some(mechanism));
            assert_eq!(
                Mechanism::parse(&mechanism.name().to_ascii_lowercase()),
                Some(mechanism)
            );
        }
        assert_eq!(Mechanism::parse("CRAM-MD5"), None);
        assert_eq!(Mechanism::parse(""), None);
    }
}
