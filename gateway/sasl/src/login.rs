//! `LOGIN`: the server asks for a name, then for a password. Source: draft-murchison-sasl-login.

use crate::{
    PasswordLogin, Step,
    plain::{password, required_name},
};

/// Where the dialogue stands.
#[derive(Debug, Default)]
pub(crate) struct Login {
    name: Option<String>,
}

impl Login {
    /// The first prompt. Outlook compares these words, so they are the customary ones.
    pub(crate) fn prompt() -> Step {
        Step::Challenge(b"Username:".to_vec())
    }

    /// Takes the name, then the password.
    pub(crate) fn respond(&mut self, response: &[u8]) -> Step {
        let Some(authcid) = self.name.take() else {
            return match required_name(response) {
                Ok(name) => {
                    self.name = Some(name);
                    Step::Challenge(b"Password:".to_vec())
                }
                Err(failure) => Step::Failed(failure),
            };
        };
        match password(response) {
            Ok(password) => Step::NeedPassword(PasswordLogin {
                authzid: None,
                authcid,
                password,
            }),
            Err(failure) => Step::Failed(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_password_are_asked_for_in_turn() {
        let mut login = Login::default();
        assert!(matches!(login.respond(b"alice"), Step::Challenge(c) if c == b"Password:"));
        let Step::NeedPassword(found) = login.respond(b"open sesame") else {
            panic!("no password asked")
        };
        assert_eq!((found.authcid.as_str(), found.authzid), ("alice", None));
        assert_eq!(found.password.expose(), b"open sesame");
    }

    #[test]
    fn an_empty_name_or_password_fails() {
        assert!(matches!(Login::default().respond(b""), Step::Failed(_)));
        let mut login = Login::default();
        login.respond(b"alice");
        assert!(matches!(login.respond(b""), Step::Failed(_)));
    }
}
