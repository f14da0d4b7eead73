//! Whole-mailbox FETCH, as clients do when they open a folder for the first time.

use std::time::Instant;

use super::process_tree::cpu_seconds;
use super::{Measurement, Target};
use crate::failure::{Outcome, ensure};

/// What is fetched of every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchItemsKind {
    /// FLAGS.
    Flags,
    /// INTERNALDATE.
    Dates,
    /// RFC822.SIZE.
    Sizes,
    /// FLAGS, size, date and ENVELOPE.
    Envelope,
    /// BODYSTRUCTURE.
    Structure,
    /// Whole messages.
    Body,
}

impl FetchItemsKind {
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "flags" => Self::Flags,
            "dates" => Self::Dates,
            "sizes" => Self::Sizes,
            "envelope" => Self::Envelope,
            "structure" => Self::Structure,
            "body" => Self::Body,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flags => "flags",
            Self::Dates => "dates",
            Self::Sizes => "sizes",
            Self::Envelope => "envelope",
            Self::Structure => "structure",
            Self::Body => "body",
        }
    }

    fn command(self) -> &'static str {
        match self {
            Self::Flags => "UID FETCH 1:* (FLAGS)",
            Self::Dates => "UID FETCH 1:* (INTERNALDATE)",
            Self::Sizes => "UID FETCH 1:* (RFC822.SIZE)",
            Self::Envelope => "UID FETCH 1:* (UID FLAGS RFC822.SIZE ENVELOPE INTERNALDATE)",
            Self::Structure => "UID FETCH 1:* (UID BODYSTRUCTURE)",
            Self::Body => "UID FETCH 1:* (UID BODY.PEEK[])",
        }
    }
}

/// Fetches `runs` times, each on a fresh connection, and keeps the best.
pub fn fetch(
    target: &Target,
    mailbox: &str,
    what: FetchItemsKind,
    runs: usize,
) -> Outcome<Measurement> {
    let (mut best, mut first, mut bytes, mut exists) = (f64::MAX, 0.0, 0, 0);
    let cpu = cpu_seconds(&target.roots);
    for run in 0..runs {
        let mut session = target.session(1)?;
        exists = session.select(mailbox)?;
        session.received = 0;
        let mut answers = 0;
        let started = Instant::now();
        session.stream(what.command(), &mut |line| {
            let digits = line
                .get(2..)
                .unwrap_or_default()
                .iter()
                .take_while(|byte| byte.is_ascii_digit());
            let after = line.get(2 + digits.count()..).unwrap_or_default();
            answers += u32::from(after.starts_with(b" FETCH "));
        })?;
        let seconds = started.elapsed().as_secs_f64();
        ensure(answers >= exists, || {
            format!("{answers} answers for {exists} messages")
        })?;
        bytes = session.received;
        best = seconds.min(best);
        if run == 0 {
            first = seconds;
        }
        session.expect_ok("LOGOUT").ok();
    }
    let cpu = (cpu_seconds(&target.roots) - cpu) / runs as f64;
    let figures = vec![
        ("per_s".into(), f64::from(exists) / best),
        ("first_run_per_s".into(), f64::from(exists) / first),
        ("mb".into(), bytes as f64 / 1e6),
        ("server_cpu_s".into(), cpu),
    ];
    Ok(Measurement {
        test: format!("fetch {} count={exists}", what.name()),
        figures,
    })
}
