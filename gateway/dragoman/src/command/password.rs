//! Passwords for new users: read from standard input, or made up and shown once.

use std::io::{BufRead, IsTerminal};

use crate::{
    failure::{Doing, Failure, Result},
    serve,
};

/// Octets of a password that are taken.
const PASSWORD_BYTES_MAX: usize = 1024;

/// A password and whether somebody has yet to be told it. No `Debug`.
pub(crate) struct Password {
    pub(crate) text: String,
    made_up: bool,
}

/// Reads a line from standard input; a terminal or an empty line makes a password up.
pub(crate) fn read() -> Result<Password> {
    let stdin = std::io::stdin();
    let mut text = String::new();
    if !stdin.is_terminal() {
        stdin
            .lock()
            .read_line(&mut text)
            .doing(|| "reading the password".to_owned())?;
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.len() > PASSWORD_BYTES_MAX {
        return Err(Failure::new(format!(
            "a password has at most {PASSWORD_BYTES_MAX} octets"
        )));
    }
    if text.is_empty() {
        let text = directory::generate_password().doing(|| "making up a password".to_owned())?;
        return Ok(Password {
            text,
            made_up: true,
        });
    }
    Ok(Password {
        text,
        made_up: false,
    })
}

impl Password {
    /// Prints a made-up password, once.
    pub(crate) fn show(&self) -> Result<()> {
        if self.made_up {
            serve::say(&format!("password: {}", self.text))
        } else {
            Ok(())
        }
    }
}
