//! Who asks, and how that may be proved.

use std::sync::Arc;

use super::{Scheme, Secret, oauth::TokenSource};

/// Who asks. Nothing in it that is secret is ever printed.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A name and a password.
    Password(Password),
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
            Self::Bearer(_) => scheme == Scheme::Bearer,
        }
    }
}
