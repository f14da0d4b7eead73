//! IDLE: how soon a delivery is told, and what a thousand idle connections cost.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::generate::{Profile, message};
use super::latency::Latencies;
use super::process_tree::{cpu_seconds, memory};
use super::{Measurement, Target};
use crate::failure::{Failure, Outcome};
use crate::imap::Literals;
use crate::lmtp::{Lmtp, dot_stuffed};
use crate::random::Random;

/// How long EXISTS may take before the delivery counts as missed.
const MISSED_AFTER: Duration = Duration::from_secs(40);
/// Pause between deliveries: longer than any server's batching of notifications.
const GAP: Duration = Duration::from_millis(800);
/// How long an idle server is watched.
const WATCH: Duration = Duration::from_secs(5);
/// How long a server may settle before memory is read.
const SETTLE: Duration = Duration::from_secs(3);
/// Users that share the idle connections.
const IDLE_USERS: usize = 20;

/// Delivers `count` messages to user 1, who idles; measures from the 250 to `* n EXISTS`. An EXISTS that comes
/// before the 250 counts as 0.
pub fn idle_latency(target: &Target, count: usize) -> Outcome<Measurement> {
    let mut watcher = target.session(1)?;
    watcher.select("INBOX")?;
    watcher.read_limit(Some(Duration::from_secs(120)))?;
    let mut lmtp = Lmtp::connect(target.lmtp)?;
    let (sender, receiver) = mpsc::channel();
    watcher.idle_begin()?;
    let thread = std::thread::spawn(move || {
        while let Ok(line) = watcher.response(Literals::Skip) {
            if line.ends_with(b" EXISTS") && sender.send(Instant::now()).is_err() {
                return;
            }
        }
    });
    std::thread::sleep(GAP);
    let (nonce, mut latencies, mut missed) = (Random::fresh_seed(), Latencies::default(), 0.0);
    for index in 0..count as u64 {
        while receiver.try_recv().is_ok() {}
        let stuffed = dot_stuffed(&message(nonce, index, Profile::Fixed(4096)));
        lmtp.deliver_pipelined("sender@example.com", &target.address(1), &stuffed)?;
        let accepted = Instant::now();
        match receiver.recv_timeout(MISSED_AFTER) {
            Ok(told) => latencies.add(told.saturating_duration_since(accepted)),
            Err(_) => missed += 1.0,
        }
        std::thread::sleep(GAP);
    }
    drop(receiver);
    // One more message lets the watcher see that nobody listens any more.
    let last = dot_stuffed(&message(nonce, count as u64, Profile::Fixed(2000)));
    lmtp.deliver_pipelined("sender@example.com", &target.address(1), &last)?;
    thread
        .join()
        .map_err(|_| Failure("the watcher panicked".into()))?;
    let mut figures = vec![("missed".into(), missed)];
    figures.extend(latencies.figures("exists"));
    Ok(Measurement {
        test: "idle latency".into(),
        figures,
    })
}

/// Opens `count` connections that idle in INBOX, one after another, and measures what they cost.
pub fn idle_mass(target: &Target, count: usize) -> Outcome<Measurement> {
    // Pools and caches shall exist before the baseline is taken.
    let mut warm = target.session(1)?;
    warm.select("INBOX")?;
    let tag = warm.idle_begin()?;
    warm.idle_end(&tag)?;
    std::thread::sleep(SETTLE);
    let before = memory(&target.roots);
    let mut held = Vec::with_capacity(count);
    let mut setup = Latencies::default();
    for index in 0..count {
        let started = Instant::now();
        let mut session = target.session(1 + index % IDLE_USERS)?;
        session.select("INBOX")?;
        session.idle_begin()?;
        setup.add(started.elapsed());
        held.push(session.into_socket());
    }
    std::thread::sleep(SETTLE);
    let after = memory(&target.roots);
    let cpu = cpu_seconds(&target.roots);
    std::thread::sleep(WATCH);
    let idle_cpu = cpu_seconds(&target.roots) - cpu;
    let each = |before: u64, after: u64| after.saturating_sub(before) as f64 / count as f64;
    let mut figures = vec![
        ("held".into(), held.len() as f64),
        (
            "resident_kib_each".into(),
            each(before.resident_kib, after.resident_kib),
        ),
        (
            "proportional_kib_each".into(),
            each(before.proportional_kib, after.proportional_kib),
        ),
        ("resident_mib".into(), after.resident_kib as f64 / 1024.0),
        (
            "proportional_mib".into(),
            after.proportional_kib as f64 / 1024.0,
        ),
        (
            "idle_cpu_percent".into(),
            idle_cpu * 100.0 / WATCH.as_secs_f64(),
        ),
    ];
    figures.extend(setup.figures("setup"));
    Ok(Measurement {
        test: format!("idle mass count={count}"),
        figures,
    })
}
