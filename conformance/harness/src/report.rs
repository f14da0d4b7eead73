//! The score: one line per check as it ends, and the plain closing line `N passed, N failed`.

use std::time::Instant;

use crate::failure::Outcome;

/// Counts checks and prints them as they end.
#[derive(Debug, Default)]
pub struct Report {
    group: String,
    passed: usize,
    failed: usize,
    failures: Vec<String>,
}

impl Report {
    /// An empty score.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the group that the following checks belong to.
    pub fn enter(&mut self, group: &str) {
        self.group = group.to_owned();
    }

    /// Records one check by its outcome; returns whether it passed.
    pub fn record(&mut self, what: &str, outcome: &Outcome) -> bool {
        match outcome {
            Ok(()) => {
                self.passed += 1;
                say(&format!("  ok    {}: {what}", self.group));
            }
            Err(why) => {
                say(&format!("  FAIL  {}: {what}: {why}", self.group));
                self.failed += 1;
                self.failures.push(format!("{}: {what}", self.group));
            }
        }
        outcome.is_ok()
    }

    /// Runs one check and records it.
    pub fn check(&mut self, what: &str, run: impl FnOnce() -> Outcome) -> bool {
        let started = Instant::now();
        let outcome = run();
        let seconds = started.elapsed().as_secs();
        if seconds >= 5 {
            self.record(&format!("{what} ({seconds} s)"), &outcome)
        } else {
            self.record(what, &outcome)
        }
    }

    /// Records many equal checks in one line: `total` done, those in `failures` failed.
    pub fn tally(&mut self, what: &str, total: usize, failures: &[String]) {
        const SHOWN_MAX: usize = 20;
        self.passed += total.saturating_sub(failures.len());
        self.failed += failures.len();
        if failures.is_empty() {
            say(&format!("  ok    {}: {what} ({total})", self.group));
        } else {
            self.failures.push(format!(
                "{}: {what}: {} of {total}",
                self.group,
                failures.len()
            ));
        }
        for why in failures.iter().take(SHOWN_MAX) {
            say(&format!("  FAIL  {}: {what}: {why}", self.group));
        }
    }

    /// Takes over a check that another program scored.
    pub fn adopt(&mut self, line: &str) {
        if let Some(what) = line.strip_prefix("  ok   ") {
            self.record(what, &Ok(()));
        } else if let Some(what) = line.strip_prefix("  FAIL ") {
            let (what, why) = what.split_once(" | ").unwrap_or((what, ""));
            self.record(what, &Err(crate::failure::Failure(why.to_owned())));
        }
    }

    /// A remark, not a check.
    pub fn note(&self, text: &str) {
        say(&format!("        {}: {text}", self.group));
    }

    /// Prints what failed and the closing line; returns whether all passed.
    pub fn close(&self) -> bool {
        if self.failed > 0 {
            say("failed:");
            self.failures
                .iter()
                .for_each(|what| say(&format!("  {what}")));
        }
        say(&format!("{} passed, {} failed", self.passed, self.failed));
        self.failed == 0
    }
}

#[expect(clippy::print_stdout, reason = "the report is this program's output")]
fn say(line: &str) {
    println!("{line}");
}
