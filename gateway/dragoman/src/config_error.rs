//! Configuration errors: where, which key, what stands there and what was expected.

use std::{fmt, io, path::Path};

#[derive(Debug)]
pub(crate) struct ConfigError(String);

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ConfigError {
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self(format!("{}: cannot be read: {error}", path.display()))
    }

    /// A fault with a place in a file.
    pub(crate) fn in_file(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let key = text
            .lines()
            .nth(line - 1)
            .and_then(|line| line.split_once('='))
            .map(|(key, _)| key.trim());
        let key = key.map(|key| format!(" key `{key}`:")).unwrap_or_default();
        Self(format!(
            "{}:{line}:{key} {}",
            path.display(),
            error.message().replace('\n', " ")
        ))
    }

    /// A fault that `--set` brought in.
    pub(crate) fn overridden(error: &toml::de::Error) -> Self {
        Self(format!(
            "--set: {}",
            error.to_string().trim().replace('\n', " ")
        ))
    }

    /// A value that has the right type and is not right.
    pub(crate) fn value(key: &str, found: &str, expected: &str) -> Self {
        Self(format!("key `{key}`: found `{found}`, expected {expected}"))
    }
}
