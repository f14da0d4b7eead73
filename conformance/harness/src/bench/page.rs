//! Medians of all rounds, and how Dragoman compares with the best peer.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::server::Kind;
use crate::load::{Measurement, quantile};

/// Everything measured so far.
#[derive(Default)]
pub(super) struct Results {
    tests: Vec<String>,
    values: BTreeMap<(String, &'static str, Kind), Vec<f64>>,
}

/// A row of the page: figure name, what it says, and whether more is better.
struct Row {
    figure: &'static str,
    label: &'static str,
    more_is_better: bool,
}

const ROWS: [Row; 6] = [
    Row {
        figure: "mb_per_s",
        label: "MB a second",
        more_is_better: true,
    },
    Row {
        figure: "per_s",
        label: "a second",
        more_is_better: true,
    },
    Row {
        figure: "exists_p95_ms",
        label: "EXISTS after the 250, p95, ms",
        more_is_better: false,
    },
    Row {
        figure: "proportional_kib_each",
        label: "KiB a connection (proportional)",
        more_is_better: false,
    },
    Row {
        figure: "resident_mib",
        label: "MiB resident",
        more_is_better: false,
    },
    Row {
        figure: "server_cpu_ms",
        label: "server CPU, ms each",
        more_is_better: false,
    },
];

impl Results {
    /// Takes a measurement in.
    pub(super) fn add(&mut self, kind: Kind, measurement: Measurement) {
        if !self.tests.contains(&measurement.test) {
            self.tests.push(measurement.test.clone());
        }
        for row in ROWS {
            if let Some(value) = measurement.figure(row.figure) {
                self.values
                    .entry((measurement.test.clone(), row.figure, kind))
                    .or_default()
                    .push(value);
            }
        }
    }

    /// The page in Markdown.
    pub(super) fn page(&self, machine: &str, rounds: usize) -> String {
        let mut out = format!(
            "# Performance\n\nWritten by `cargo xtask bench`: the same load driver against Dragoman and, from Debian packages, Dovecot 2.3\n\
             (maildir and mdbox) and Cyrus 3.6, stage by stage in turn. Medians of {rounds} rounds; in brackets the smallest and the\n\
             largest. *Ratio* says how many times better Dragoman is than the best peer; below 1 it is worse.\n\nMachine: {machine}.\n\n\
             | test | figure | {} | ratio |\n|---|---|{}---|\n",
            Kind::ALL.map(Kind::name).join(" | "),
            "---|".repeat(Kind::ALL.len()),
        );
        for test in &self.tests {
            for row in ROWS {
                self.line(test, &row, &mut out);
            }
        }
        out
    }

    fn line(&self, test: &str, row: &Row, out: &mut String) {
        let values = |kind| self.values.get(&(test.to_owned(), row.figure, kind));
        let median = |kind| values(kind).map(|values| quantile(values, 0.5));
        if Kind::ALL.iter().all(|kind| median(*kind).is_none()) {
            return;
        }
        let cells: Vec<String> = Kind::ALL
            .iter()
            .map(|kind| values(*kind).map(|v| cell(v)).unwrap_or_default())
            .collect();
        let peers = Kind::ALL
            .iter()
            .filter(|kind| **kind != Kind::Dragoman)
            .filter_map(|kind| median(*kind));
        let best = if row.more_is_better {
            peers.reduce(f64::max)
        } else {
            peers.reduce(f64::min)
        };
        let ratio = match (median(Kind::Dragoman), best) {
            (Some(ours), Some(best)) if ours > 0.0 && best > 0.0 => {
                format!(
                    "{:.2}",
                    if row.more_is_better {
                        ours / best
                    } else {
                        best / ours
                    }
                )
            }
            _ => String::new(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "| {test} | {} | {} | {ratio} |",
            row.label,
            cells.join(" | ")
        );
    }
}

fn cell(values: &[f64]) -> String {
    let [low, middle, high] = [0.0, 0.5, 1.0].map(|q| short(quantile(values, q)));
    if values.len() > 1 {
        format!("{middle} [{low} .. {high}]")
    } else {
        middle
    }
}

/// Three digits that matter.
fn short(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Results};
    use crate::load::Measurement;

    #[test]
    fn the_ratio_is_taken_from_medians_against_the_best_peer() {
        let mut results = Results::default();
        let figures = |value: f64| vec![("per_s".to_owned(), value)];
        for value in [10.0, 20.0, 90.0] {
            results.add(
                Kind::Dragoman,
                Measurement {
                    test: "t".into(),
                    figures: figures(value),
                },
            );
        }
        results.add(
            Kind::Cyrus,
            Measurement {
                test: "t".into(),
                figures: figures(8.0),
            },
        );
        results.add(
            Kind::DovecotMdbox,
            Measurement {
                test: "t".into(),
                figures: figures(10.0),
            },
        );
        let page = results.page("m", 3);
        assert!(
            page.contains("| t | a second | 20.0 [10.0 .. 90.0] |  | 10.0 | 8.00 | 2.00 |"),
            "{page}"
        );
    }
}
