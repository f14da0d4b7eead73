//! One score over several programs.

use crate::command::{Failure, Outcome};
use crate::say;

/// Adds up what passed and failed.
#[derive(Default)]
pub(crate) struct Score {
    parts: Vec<(String, u64, u64)>,
}

impl Score {
    /// Adds a part's passed and failed checks.
    pub(crate) fn add(&mut self, name: &str, (passed, failed): (u64, u64)) {
        self.parts.push((name.to_owned(), passed, failed));
    }

    /// Prints the parts and, last, the sum; fails when a check failed or none was made.
    pub(crate) fn close(&self) -> Outcome {
        for (name, passed, failed) in &self.parts {
            say(&format!("{name}: {passed} passed, {failed} failed"));
        }
        let passed: u64 = self.parts.iter().map(|(_, passed, _)| passed).sum();
        let failed: u64 = self.parts.iter().map(|(_, _, failed)| failed).sum();
        let line = format!("{passed} passed, {failed} failed");
        if failed > 0 || passed == 0 {
            return Err(Failure(line));
        }
        say(&line);
        Ok(())
    }
}
