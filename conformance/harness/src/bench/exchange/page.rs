//! The section of the page: medians, and how the two stores compare.

use std::fmt::Write;
use std::path::Path;

use super::{Plan, quantile};
use crate::failure::Outcome;

/// The heading of the section, which is the page's last.
const HEADING: &str = "## A mailbox on Exchange";

/// What was measured, in order.
#[derive(Default)]
pub(super) struct Figures {
    alone: Vec<(String, Vec<f64>)>,
    both: Vec<(String, [f64; 2])>,
}

impl Figures {
    /// Adds a figure that only the mailbox on the server has.
    pub(super) fn alone(&mut self, name: &str, value: f64) {
        match self.alone.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push(value),
            None => self.alone.push((name.to_owned(), vec![value])),
        }
    }

    /// Adds a rate that both have: on the server, embedded.
    pub(super) fn both(&mut self, name: &str, values: [f64; 2]) {
        self.both.push((name.to_owned(), values));
    }

    /// The section in Markdown.
    pub(super) fn section(&self, machine: &str, plan: &Plan) -> String {
        let mut out = format!(
            "{HEADING}\n\nWritten by `cargo xtask bench exchange --messages {} --rounds {}`: one gateway, one mailbox on the\n\
             stand-in server (a process beside it) and the same messages in the embedded store. Medians; in brackets the smallest\n\
             and the largest.\n\nMachine: {machine}.\n\n| what | figure |\n|---|---|\n",
            plan.messages, plan.rounds,
        );
        for (name, values) in &self.alone {
            let [low, middle, high] = [0.0, 0.5, 1.0].map(|q| short(quantile(values, q)));
            // Writing to a string cannot fail.
            let _ = match values.len() {
                1 => writeln!(out, "| {name} | {middle} |"),
                _ => writeln!(out, "| {name} | {middle} [{low} .. {high}] |"),
            };
        }
        out.push_str("\n| what | Exchange | embedded | ratio |\n|---|---|---|---|\n");
        for (name, [there, here]) in &self.both {
            let ratio = there / here;
            let [there, here] = [there, here].map(|value| short(*value));
            let _ = writeln!(out, "| {name} | {there} | {here} | {ratio:.2} |");
        }
        out
    }
}

/// Puts the section in the place of the one that a page has, or behind it.
pub(super) fn replace(path: &Path, section: &str) -> Outcome {
    let page = std::fs::read_to_string(path)?;
    let (before, _) = split(&page);
    std::fs::write(path, format!("{}\n\n{section}", before.trim_end()))?;
    Ok(())
}

/// What a page says before this section, and the section, which may be missing.
fn split(page: &str) -> (&str, &str) {
    page.split_at(page.find(HEADING).unwrap_or(page.len()))
}

/// Three digits that matter.
fn short(value: f64) -> String {
    match value {
        _ if value >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Figures, Plan, split};

    #[test]
    fn a_section_has_medians_and_ratios_and_is_found_again() {
        let mut figures = Figures::default();
        for value in [3.0, 1.0, 2.5] {
            figures.alone("pass, s", value);
        }
        figures.both("FLAGS, a second", [150.0, 300.0]);
        let plan = Plan {
            messages: 5,
            rounds: 3,
            page: None,
        };
        let section = figures.section("m", &plan);
        assert!(section.contains("| pass, s | 2.50 [1 .. 3] |"), "{section}");
        assert!(
            section.contains("| FLAGS, a second | 150 | 300 | 0.50 |"),
            "{section}"
        );
        let page = format!("# Performance\n\n{section}");
        assert_eq!(split(&page), ("# Performance\n\n", &*section));
        assert_eq!(split("# Other\n"), ("# Other\n", ""));
    }
}
