//! Running cargo and the harness from the workspace's root, their output passed through and kept.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::packages::as_root;
use crate::say;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// A finished program.
pub(crate) struct Finished {
    name: String,
    status: ExitStatus,
    lines: Vec<String>,
}

impl Finished {
    /// Fails unless the program succeeded.
    pub(crate) fn success(&self) -> Outcome {
        if self.status.success() {
            Ok(())
        } else {
            Err(Failure(format!("{}: {}", self.name, self.status)))
        }
    }

    /// How many checks passed and failed: from `N passed, N failed` or cargo's `test result:` lines. A program that
    /// failed without saying what counts as one failed check.
    pub(crate) fn scored(&self) -> (u64, u64) {
        let (passed, failed) = count(&self.lines);
        if self.status.success() || failed > 0 {
            (passed, failed)
        } else {
            (passed, 1)
        }
    }
}

fn count(lines: &[String]) -> (u64, u64) {
    let (mut passed, mut failed) = (0, 0);
    for line in lines {
        let is_cargo = line.starts_with("test result:");
        let is_closing = line.ends_with(" failed") && line.contains(" passed, ");
        if is_cargo || is_closing {
            passed += number_before(line, " passed");
            failed += number_before(line, " failed");
        }
    }
    (passed, failed)
}

fn number_before(line: &str, word: &str) -> u64 {
    let before = line.split(word).next().unwrap_or_default();
    before
        .rsplit(' ')
        .next()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs cargo.
pub(crate) fn cargo(arguments: &[&str]) -> Outcome<Finished> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    run(Command::new(program).args(arguments).current_dir(root()))
}

/// Runs the built harness.
pub(crate) fn harness(arguments: &[&str]) -> Outcome<Finished> {
    harness_with(&[], arguments)
}

/// Runs the built harness with more in its environment.
pub(crate) fn harness_with(environment: &[(&str, &str)], arguments: &[&str]) -> Outcome<Finished> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    // A private Postfix and a small file system of its own take root.
    let program = target.join("release/harness");
    run(as_root(&program.to_string_lossy())
        .envs(environment.iter().copied())
        .args(arguments)
        .current_dir(root()))
}

/// Runs a program; standard output is shown as it comes and kept.
pub(crate) fn run(command: &mut Command) -> Outcome<Finished> {
    let name = format!("{command:?}");
    say(&format!("$ {}", name.replace('"', "")));
    let missing = |error: std::io::Error| Failure(format!("{name}: {error}"));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(missing)?;
    let mut lines = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            say(&line);
            lines.push(line);
        }
    }
    Ok(Finished {
        name,
        status: child.wait()?,
        lines,
    })
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn scores_of_cargo_and_of_the_harness_add_up() {
        let lines = [
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
            "71 passed, 4 failed",
            "a line about what passed, and what failed to be said",
        ];
        assert_eq!(count(&lines.map(str::to_owned)), (86, 6));
    }
}
