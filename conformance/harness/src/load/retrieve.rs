//! POP3: everything in the Inbox fetched by RETR, one message after another, as programs do that fetch mail.

use std::time::Instant;

use super::process_tree::cpu_seconds;
use super::{Measurement, Target};
use crate::failure::{Failure, Outcome, ensure};
use crate::pop3::Pop3;

/// Fetches the Inbox of user 1 `runs` times, each in a session of its own, and keeps the best.
pub fn retrieve(target: &Target, name: &str, runs: usize) -> Outcome<Measurement> {
    let port = target.pop3.ok_or_else(|| Failure("no POP3 port".into()))?;
    let (mut best, mut first, mut octets, mut count) = (f64::MAX, 0.0, 0, 0);
    let cpu = cpu_seconds(&target.roots);
    for run in 0..runs {
        let started = Instant::now();
        let mut session = Pop3::login(port, &target.account(1))?;
        count = session.lines("LIST")?.len();
        let login = started.elapsed().as_secs_f64();
        let started = Instant::now();
        octets = 0;
        for number in 1..=count {
            octets += session.drain(&format!("RETR {number}"))?;
        }
        best = started.elapsed().as_secs_f64().min(best);
        if run == 0 {
            first = login;
        }
        session.command("QUIT")?;
    }
    ensure(count > 0, || "the Inbox is empty".into())?;
    let cpu = (cpu_seconds(&target.roots) - cpu) / runs as f64;
    let figures = vec![
        ("mb_per_s".into(), octets as f64 / 1e6 / best),
        ("per_s".into(), count as f64 / best),
        ("first_list_ms".into(), first * 1e3),
        ("mb".into(), octets as f64 / 1e6),
        ("server_cpu_ms".into(), cpu * 1e3 / count as f64),
    ];
    Ok(Measurement {
        test: format!("pop3 retr {name} count={count}"),
        figures,
    })
}
