//! How users of a section prove to the server who they are: by the password they type, by tokens of the gateway's own,
//! or by those that their mail programs bring.

use std::{path::Path, sync::Arc};

use store_exchange::{
    auth::{
        Credentials, Kdc, Kerberos, KerberosKey, Password, Policy, Scheme,
        oauth::{Claims, Fixed},
    },
    http::Client,
};

use super::{login_name::LoginName, tokens::Tokens};
use crate::{
    config::{
        ExchangeConfig,
        exchange::{AccountConfig, Authentication, KerberosConfig},
    },
    failure::{Doing, Result},
    secret_file,
};

/// How users of a section prove who they are.
pub(crate) enum Proof {
    /// By password, in one of the ways that know no realm.
    Password,
    /// By tickets of a realm; `None`: the one that is named like the address's domain.
    Kerberos {
        realm: Option<String>,
        kdcs: Vec<Kdc>,
    },
    /// By tokens, whatever they type here.
    Tokens(Tokens),
    /// By tokens of their mail programs alone: there are no passwords.
    Brought,
}

/// What somebody shows to get in. A secret.
#[derive(Clone, Copy)]
pub(crate) enum Shows<'a> {
    /// A password.
    Password(&'a str),
    /// A token.
    Token(&'a str),
}

impl Shows<'_> {
    /// The secret.
    pub(super) const fn secret(&self) -> &str {
        match self {
            Self::Password(secret) | Self::Token(secret) => secret,
        }
    }

    /// Whether it is over by its own word, so that nobody need be asked.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Password(_) => false,
            Self::Token(token) => Claims::of(&(*token).into())
                .lifetime()
                .is_some_and(|left| left.is_zero()),
        }
    }
}

impl Proof {
    /// What the configuration says. Tokens are kept below the data folder.
    pub(crate) fn of(section: &ExchangeConfig, client: &Client, data: &Path) -> Result<Self> {
        if let Some(oauth) = &section.oauth {
            return Ok(Self::Tokens(Tokens::open(oauth, client.clone(), data)?));
        }
        if section.authentication == Authentication::Oauth {
            return Ok(Self::Brought);
        }
        if section.authentication != Authentication::Kerberos {
            return Ok(Self::Password);
        }
        let KerberosConfig { realm, kdcs } = section.kerberos.clone().unwrap_or_default();
        Ok(Self::Kerberos {
            realm: (!realm.is_empty()).then_some(realm),
            kdcs: kdcs
                .iter()
                .map(|kdc| Kdc::parse(kdc).doing(|| "kerberos.kdcs".to_owned()))
                .collect::<Result<_>>()?,
        })
    }

    /// What somebody signs in with who typed a password; with the gateway's tokens that is for the gateway alone, and
    /// where tokens are brought it is one.
    pub(crate) fn typed(&self, name: &LoginName, password: &str) -> Credentials {
        let address = name.address().to_string();
        match self {
            Self::Password => Credentials::Password(Password {
                user: name.windows_user().unwrap_or(&address).to_owned(),
                domain: name.windows_domain().map(str::to_owned),
                secret: password.into(),
            }),
            Self::Kerberos { .. } => {
                let user = name.windows_user().unwrap_or_default();
                self.ticket(&address, user, KerberosKey::Password(password.into()))
            }
            Self::Tokens(tokens) => tokens.credentials(&address),
            Self::Brought => Credentials::Bearer(Arc::new(Fixed(password.into()))),
        }
    }

    /// What somebody signs in with who shows this.
    pub(super) fn shown(&self, name: &LoginName, shows: Shows<'_>) -> Credentials {
        match shows {
            Shows::Password(password) => self.typed(name, password),
            Shows::Token(token) => Credentials::Bearer(Arc::new(Fixed(token.into()))),
        }
    }

    /// What is configured for a mailbox. Reads the password's file; a keytab is read when it is needed.
    pub(crate) fn configured(&self, address: &str, account: &AccountConfig) -> Result<Credentials> {
        let password = || secret_file::read(&account.password_file);
        match self {
            Self::Password => {
                let domain = account.windows_domain.as_str();
                let user = match account.user.as_str() {
                    "" => address,
                    user => user,
                };
                Ok(Credentials::Password(Password {
                    user: user.to_owned(),
                    domain: (!domain.is_empty()).then(|| domain.to_owned()),
                    secret: password()?,
                }))
            }
            Self::Kerberos { .. } => {
                let key = match account.keytab.as_os_str().is_empty() {
                    true => KerberosKey::Password(password()?),
                    false => KerberosKey::Keytab(account.keytab.clone()),
                };
                Ok(self.ticket(address, &account.user, key))
            }
            Self::Tokens(tokens) => Ok(tokens.credentials(address)),
            // The configuration is checked: there are no such accounts.
            Self::Brought => Ok(Credentials::Bearer(Arc::new(Fixed("".into())))),
        }
    }

    fn ticket(&self, address: &str, user: &str, key: KerberosKey) -> Credentials {
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        let (realm, kdcs) = match self {
            Self::Kerberos { realm, kdcs } => (realm.clone(), kdcs.clone()),
            Self::Password | Self::Tokens(_) | Self::Brought => (None, Vec::new()),
        };
        Credentials::Kerberos(Kerberos {
            user: if user.is_empty() { local } else { user }.to_owned(),
            realm: realm.unwrap_or_else(|| domain.to_uppercase()),
            kdcs,
            key,
        })
    }

    /// The tokens, if it is by these.
    pub(crate) const fn tokens(&self) -> Option<&Tokens> {
        match self {
            Self::Tokens(tokens) => Some(tokens),
            Self::Password | Self::Kerberos { .. } | Self::Brought => None,
        }
    }

    /// Why no password opens a mailbox, if none does.
    pub(crate) const fn why_no_passwords(&self) -> Option<&'static str> {
        match self {
            Self::Password | Self::Kerberos { .. } => None,
            Self::Tokens(_) => Some("the gateway has tokens of its own for it"),
            Self::Brought => Some("mail programs bring tokens for it"),
        }
    }

    /// Whether users may bring tokens.
    pub(crate) const fn takes_tokens(&self) -> bool {
        matches!(self, Self::Tokens(_) | Self::Brought)
    }
}

/// By which schemes credentials are used.
pub(super) fn policy(authentication: Authentication) -> Policy {
    let schemes = match authentication {
        Authentication::Auto => return Policy::default(),
        Authentication::Basic => vec![Scheme::Basic],
        Authentication::Ntlm => vec![Scheme::Ntlm],
        Authentication::Negotiate | Authentication::Kerberos => vec![Scheme::Negotiate],
        Authentication::Oauth => vec![Scheme::Bearer],
    };
    Policy { schemes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(realm: Option<&str>, user: &str) -> (String, String) {
        let proof = Proof::Kerberos {
            realm: realm.map(str::to_owned),
            kdcs: Vec::new(),
        };
        let account = AccountConfig {
            user: user.to_owned(),
            keytab: "some.keytab".into(),
            ..AccountConfig::default()
        };
        match proof.configured("anna@example.test", &account).unwrap() {
            Credentials::Kerberos(Kerberos { user, realm, .. }) => (user, realm),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_principal_is_made_of_the_address_unless_it_is_configured() {
        let check = |realm, user, expected: (&str, &str)| {
            let (user, realm) = ticket(realm, user);
            assert_eq!((user.as_str(), realm.as_str()), expected);
        };
        check(None, "", ("anna", "EXAMPLE.TEST"));
        check(Some("CORP.TEST"), "", ("anna", "CORP.TEST"));
        check(None, "svc/gateway", ("svc/gateway", "EXAMPLE.TEST"));
    }
}
