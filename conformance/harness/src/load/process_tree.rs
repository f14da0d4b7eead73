//! CPU and memory of a server, over its whole process tree, from /proc.

use std::collections::{BTreeMap, BTreeSet};

/// Clock ticks a second in /proc/PID/stat; 100 on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// Memory of a process tree.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Processes in the tree.
    pub processes: usize,
    /// Resident set, in KiB, shared pages counted once a process.
    pub resident_kib: u64,
    /// Proportional set, in KiB, shared pages divided among their users.
    pub proportional_kib: u64,
}

/// User and system CPU that the tree has used, in seconds, children waited for included.
pub fn cpu_seconds(roots: &[u32]) -> f64 {
    tree(roots)
        .into_iter()
        .filter_map(stat)
        .map(|(_, ticks)| ticks as f64)
        .sum::<f64>()
        / TICKS
}

/// Memory of the tree now.
pub fn memory(roots: &[u32]) -> Memory {
    let mut sum = Memory::default();
    for pid in tree(roots) {
        let Ok(text) = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else {
            continue;
        };
        let kib = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
                .unwrap_or(0)
        };
        sum.processes += 1;
        sum.resident_kib += kib("Rss:");
        sum.proportional_kib += kib("Pss:");
    }
    sum
}

/// Parent and CPU ticks of a process.
fn stat(pid: u32) -> Option<(u32, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold blanks and brackets; the fields follow its last bracket.
    let fields: Vec<&str> = text.get(text.rfind(')')? + 2..)?.split(' ').collect();
    let ticks = fields
        .get(11..15)?
        .iter()
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Some((fields.get(1)?.parse().ok()?, ticks))
}

fn tree(roots: &[u32]) -> BTreeSet<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Ok(pid) = entry.file_name().to_string_lossy().parse()
            && let Some((parent, _)) = stat(pid)
        {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = BTreeSet::new();
    let mut open = roots.to_vec();
    while let Some(pid) = open.pop() {
        if found.insert(pid) {
            open.extend(children.get(&pid).into_iter().flatten());
        }
    }
    found
}
