//! What must not be lost when things go wrong: the process killed, the disk full, the machine without power.

mod disk;
mod envelope_reads;
mod exchange;
mod full_disk;
mod kill;
mod ledger;
mod smarthost;
mod sync_points;
mod trace;

use crate::failure::Outcome;
use crate::report::Report;
use crate::subject::Kind;

/// How hard to try.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// SIGKILL rounds.
    pub rounds: usize,
    /// Seed of every random choice.
    pub seed: u64,
    /// Sync points that are rebuilt, spread evenly over the run; each in several ways.
    pub points: usize,
    /// Messages whose sizes, envelopes and structures are fetched.
    pub messages: usize,
}

/// A group of fault checks.
pub struct Group {
    /// Its name, for `--only`.
    pub name: &'static str,
    run: fn(&Kind, &Effort, &mut Report) -> Outcome,
}

/// Every group, in the order run.
pub const GROUPS: &[Group] = &[
    Group {
        name: "sync-points",
        run: sync_points::run,
    },
    Group {
        name: "kill",
        run: kill::run,
    },
    Group {
        name: "full-disk",
        run: full_disk::run,
    },
    Group {
        name: "exchange",
        run: exchange::run,
    },
    Group {
        name: "smarthost",
        run: smarthost::run,
    },
    Group {
        name: "envelope-reads",
        run: envelope_reads::run,
    },
];

/// Runs one group; trouble outside a single check is a failed check too.
pub fn run_group(group: &Group, kind: &Kind, effort: &Effort, report: &mut Report) {
    report.enter(group.name);
    if let Err(why) = (group.run)(kind, effort, report) {
        report.record("runs to its end", &Err(why));
    }
}
