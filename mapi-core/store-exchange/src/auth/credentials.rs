//! Who asks, and how that may be proved.

use std::{path::PathBuf, sync::Arc};

use url::{Host, Url};

use super::{Scheme, Secret, oauth::TokenSource};
use crate::http::ConfigError;

/// Who asks. Nothing in it that is secret is ever printed.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A name and a password.
    Password(Password),
    /// A principal of a Kerberos realm.
    Kerberos(Kerberos),
    /// Whoever a token names.
    Bearer(Arc<dyn TokenSource>),
}

/// A name and a password: for Basic, NTLM, and NTLM within Negotiate.
#[derive(Debug, Clone)]
pub struct Password {
    /// The user: a user principal name (`user@example.test`) or an account name.
    pub user: String,
    /// The Windows domain, where the user is an account name.
    pub domain: Option<String>,
    /// The password.
    pub secret: Secret,
}

/// A principal of a Kerberos realm: for Negotiate.
#[derive(Debug, Clone)]
pub struct Kerberos {
    /// The principal without its realm: `user`, or `service/host`.
    pub user: String,
    /// The realm, in capitals as a rule.
    pub realm: String,
    /// Where the realm's key distribution centres are. They are tried in this order. Without any, the realm's own name
    /// is asked, which an Active Directory domain gives to its controllers.
    pub kdcs: Vec<Kdc>,
    /// What proves it to them.
    pub key: KerberosKey,
}

/// What proves a principal to its realm.
#[derive(Debug, Clone)]
pub enum KerberosKey {
    /// A password.
    Password(Secret),
    /// A keytab file, readable by its owner alone, which is read for every authentication.
    Keytab(PathBuf),
}

/// Where a key distribution centre is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kdc {
    /// The host.
    pub host: Host<String>,
    /// The TCP port.
    pub port: u16,
}

impl Kdc {
    /// The port when none is given (RFC 4120 7.2.1).
    pub(super) const PORT: u16 = 88;

    /// Reads `kdc.example.test`, `kdc.example.test:88`, `192.0.2.1` or `[2001:db8::1]:88`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let fault = || ConfigError(format!("{text:?} is no host of a key distribution centre"));
        let url = Url::parse(&format!("tcp://{text}")).map_err(|_| fault())?;
        let host = url.host_str().unwrap_or_default();
        let only_host = url.username().is_empty()
            && url.password().is_none()
            && url.path().is_empty()
            && url.query().is_none()
            && url.fragment().is_none();
        if host.is_empty() || !only_host {
            return Err(fault());
        }
        Ok(Self {
            // Only now: a URL of an unknown scheme takes any text for a host.
            host: Host::parse(host).map_err(|_| fault())?,
            port: url.port().unwrap_or(Self::PORT),
        })
    }
}

/// Which schemes may be used, the preferred first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The schemes. The first that the server offers and that the credentials can serve is used; there is no second
    /// try with another after a refusal, for each counts towards an account's lock-out.
    pub schemes: Vec<Scheme>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            schemes: vec![
                Scheme::Negotiate,
                Scheme::Ntlm,
                Scheme::Basic,
                Scheme::Bearer,
            ],
        }
    }
}

impl Credentials {
    /// Whether these credentials can be used with a scheme.
    pub fn serve(&self, scheme: Scheme) -> bool {
        match self {
            Self::Password(_) => {
                matches!(scheme, Scheme::Basic | Scheme::Ntlm | Scheme::Negotiate)
            }
            Self::Kerberos(_) => scheme == Scheme::Negotiate,
            Self::Bearer(_) => scheme == Scheme::Bearer,
        }
    }

    /// Whether they are a program's own: see [`TokenSource::is_programs`].
    pub(crate) fn are_programs(&self) -> bool {
        matches!(self, Self::Bearer(source) if source.is_programs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_distribution_centre_is_a_host_and_perhaps_a_port() {
        for (text, host, port) in [
            ("kdc.example.test", "kdc.example.test", 88),
            ("KDC.example.test:750", "kdc.example.test", 750),
            ("192.0.2.1", "192.0.2.1", 88),
            ("[2001:db8::1]:89", "[2001:db8::1]", 89),
        ] {
            let kdc = Kdc::parse(text).unwrap();
            assert_eq!((kdc.host.to_string().as_str(), kdc.port), (host, port));
        }
        for broken in [
            "",
            ":88",
            "a b",
            "kdc:port",
            "kdc/path",
            "user@kdc",
            "kdc:99999",
        ] {
            assert!(Kdc::parse(broken).is_err(), "{broken:?}");
        }
    }
}
