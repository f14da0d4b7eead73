//! `PLAIN`: `[authzid] NUL authcid NUL password`. Source: RFC 4616 2.

use crate::{Failure, NAME_BYTES_MAX, PASSWORD_BYTES_MAX, PasswordLogin, Secret, Step};

/// Reads the one message of the mechanism.
pub(crate) fn respond(message: &[u8]) -> Step {
    match parse(message) {
        Ok(login) => Step::NeedPassword(login),
        Err(failure) => Step::Failed(failure),
    }
}

fn parse(message: &[u8]) -> Result<PasswordLogin, Failure> {
    let mut fields = message.split(|&byte| byte == 0);
    let (Some(authzid), Some(authcid), Some(password), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(Failure::Malformed(
            "expected authorisation identity, user name and password",
        ));
    };
    let authzid = name(authzid)?;
    Ok(PasswordLogin {
        authzid: (!authzid.is_empty()).then_some(authzid),
        authcid: required_name(authcid)?,
        password: self::password(password)?,
    })
}

/// A user name: UTF-8, bounded.
pub(crate) fn name(bytes: &[u8]) -> Result<String, Failure> {
    if bytes.len() > NAME_BYTES_MAX {
        return Err(Failure::Malformed("user name too long"));
    }
    match std::str::from_utf8(bytes) {
        Ok(name) if !name.contains('\0') => Ok(name.to_owned()),
        Ok(_) => Err(Failure::Malformed("user name contains a null character")),
        Err(_) => Err(Failure::Malformed("user name is not UTF-8")),
    }
}

/// A user name that must be there.
pub(crate) fn required_name(bytes: &[u8]) -> Result<String, Failure> {
    let name = name(bytes)?;
    if name.is_empty() {
        Err(Failure::Malformed("user name missing"))
    } else {
        Ok(name)
    }
}

/// A password: not empty, bounded. Its character set is the caller's affair.
pub(crate) fn password(bytes: &[u8]) -> Result<Secret, Failure> {
    match bytes.len() {
        0 => Err(Failure::Malformed("password missing")),
        1..=PASSWORD_BYTES_MAX => Ok(Secret::new(bytes)),
        _ => Err(Failure::Malformed("password too long")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &[u8], expected: Result<(Option<&str>, &str, &[u8]), ()>) {
        match (respond(message), expected) {
            (Step::NeedPassword(login), Ok((authzid, authcid, password))) => {
                assert_eq!(login.authzid.as_deref(), authzid);
                assert_eq!(login.authcid, authcid);
                assert_eq!(login.password.expose(), password);
            }
            (Step::Failed(Failure::Malformed(_)), Err(())) => {}
            (step, _) => panic!("{message:?}: {step:?}"),
        }
    }

    #[test]
    fn the_examples_of_rfc_4616_are_read() {
        check(
            b"\0tim\0tanstaaftanstaaf",
            Ok((None, "tim", b"tanstaaftanstaaf")),
        );
        check(
            b"Ursel\0Kurt\0xipj3plmq",
            Ok((Some("Ursel"), "Kurt", b"xipj3plmq")),
        );
    }

    #[test]
    fn incomplete_and_overlong_messages_are_malformed() {
        for message in [
            &b""[..],
            b"\0",
            b"\0\0",
            b"alice",
            b"\0alice",
            b"\0alice\0",
            b"\0\0pw",
        ] {
            check(message, Err(()));
        }
        check(b"\0alice\0pw\0more", Err(()));
        check(b"\0\xff\0pw", Err(()));
        check(
            &[b"\0", &[b'a'; NAME_BYTES_MAX + 1][..], b"\0pw"].concat(),
            Err(()),
        );
        check(
            &[b"\0alice\0", &[b'p'; PASSWORD_BYTES_MAX + 1][..]].concat(),
            Err(()),
        );
    }

    #[test]
    fn a_password_may_be_in_any_character_set() {
        check(b"\0alice\0p\xe4ss", Ok((None, "alice", b"p\xe4ss")));
    }
}
