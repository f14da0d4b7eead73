//! Passwords: of new users, read from standard input or made up and shown once; of others, asked for.

use std::io::{BufRead, IsTerminal, Read};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use store_exchange::auth::Secret;

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

/// Asks for a password that somebody has. A terminal does not show what is typed.
pub(crate) fn ask(prompt: &str) -> Result<Secret> {
    let stdin = std::io::stdin();
    let _quiet = match stdin.is_terminal() {
        true => {
            eprint!("{prompt}: ");
            Some(Quiet::new()?)
        }
        false => None,
    };
    let mut text = String::new();
    stdin
        .lock()
        .take(PASSWORD_BYTES_MAX as u64 + 2)
        .read_line(&mut text)
        .doing(|| "reading the password".to_owned())?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Failure::new("a password is needed")),
        text => Ok(Secret::new(text)),
    }
}

/// A terminal that does not show what is typed, until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn new() -> Result<Self> {
        let doing = || "the terminal".to_owned();
        let before = tcgetattr(std::io::stdin()).doing(doing)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet).doing(doing)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Nobody can be told.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
        eprintln!();
    }
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
