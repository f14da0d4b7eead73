//! What can go wrong with the directory, said so that an administrator can mend it.

use std::{error, fmt, io, path::PathBuf};

use crate::{Address, AddressError};

/// Why the directory could not be read or changed. A failed change leaves everything as it was.
#[derive(Debug)]
pub enum Error {
    /// The file, its folder or its lock could not be read or written.
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is not what it should be.
    Broken {
        /// Which file.
        path: PathBuf,
        /// In which line, from 1.
        line: usize,
        /// What is wrong, and what was expected.
        message: String,
    },
    /// The file was written by a newer version of the program.
    TooNew {
        /// Which file.
        path: PathBuf,
        /// The file's format version.
        version: u32,
    },
    /// A text that should be an address is none, or not one that a mailbox can have.
    Address {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: AddressError,
    },
    /// A password that cannot be used; why.
    Password(&'static str),
    /// An app password that cannot be made; why.
    AppPassword(&'static str),
    /// The user has no app password of this name.
    UnknownAppPassword(Address),
    /// The address is taken by a user, an alias or a shared mailbox.
    Exists(Address),
    /// There is no user, alias or shared mailbox (as the request asked for) with this address.
    Unknown(Address),
    /// An alias without targets, or with more than the directory allows.
    Targets {
        /// The alias.
        alias: Address,
        /// How many targets are allowed.
        max: usize,
    },
    /// An alias may not lead to an address that the directory does not know.
    UnknownTarget {
        /// The alias.
        alias: Address,
        /// The unknown address.
        target: Address,
    },
    /// An alias would lead to itself.
    Loop(Address),
    /// The operating system gave no random bytes, or hashing found no memory.
    System(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, .. } => write!(f, "cannot use {}", path.display()),
            Self::Broken {
                path,
                line,
                message,
            } => write!(f, "{}:{line}: {message}", path.display()),
            Self::TooNew { path, version } => write!(
                f,
                "{}: format version {version} is newer than this program understands",
                path.display()
            ),
            Self::Address { text, reason } => {
                write!(f, "{text:?} is not a usable address: {reason}")
            }
            Self::Password(why) => write!(f, "unusable password: {why}"),
            Self::AppPassword(why) => write!(f, "unusable app password: {why}"),
            Self::UnknownAppPassword(address) => {
                write!(f, "{address} has no app password of that name, or several")
            }
            Self::Exists(address) => write!(f, "{address} exists already"),
            Self::Unknown(address) => write!(f, "{address} is unknown"),
            Self::Targets { alias, max } => write!(f, "alias {alias} needs 1 to {max} targets"),
            Self::UnknownTarget { alias, target } => {
                write!(f, "alias {alias} would lead to {target}, which is unknown")
            }
            Self::Loop(alias) => write!(f, "alias {alias} would lead to itself"),
            Self::System(what) => f.write_str(what),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Address { reason, .. } => Some(reason),
            _ => None,
        }
    }
}
