//! Whether every recipient of every message got it once, or its sender was told once.

use std::collections::BTreeMap;

use super::attempts::{Attempt, Attempts, REFUSED, id_in};
use super::lossy_proxy::Seen;
use super::sink::{Got, Sink};
use crate::failure::Outcome;
use crate::imap::Imap;
use crate::subject::Subject;

/// So many messages cannot pass without a lost answer and a refused recipient, as good as surely.
const REAL_FROM: usize = 1000;
/// Faults that are told in full; the rest is counted.
const TOLD_MAX: usize = 10;

/// How often the sender was told that a message did not reach a recipient.
pub(super) type Reports = BTreeMap<(u64, String), usize>;

/// What came of everything.
#[derive(Debug, Default)]
pub(super) struct Reckoning {
    pub(super) wrong: Vec<String>,
    pub(super) doubled: Vec<String>,
    pub(super) altered: Vec<String>,
    wanted: usize,
    acknowledged: usize,
    recipients: usize,
    reported: usize,
    second_copies: usize,
    answers_lost: usize,
}

impl Reckoning {
    pub(super) fn make(
        attempts: &Attempts,
        (sink, seen): (&Sink, &Seen),
        reports: &Reports,
        wanted: usize,
    ) -> Self {
        let got = sink.got();
        let mut reckoning = Self {
            altered: got.altered.clone(),
            wanted,
            acknowledged: attempts.acknowledged(),
            answers_lost: seen.lost(),
            ..Self::default()
        };
        attempts.with(|all| {
            for attempt in all.values() {
                reckoning.look_at(attempt, (&got, seen), reports);
            }
        });
        for list in [
            &mut reckoning.wrong,
            &mut reckoning.doubled,
            &mut reckoning.altered,
        ] {
            let more = list.len().saturating_sub(TOLD_MAX);
            list.truncate(TOLD_MAX);
            if more > 0 {
                list.push(format!("and {more} more"));
            }
        }
        reckoning
    }

    fn look_at(&mut self, attempt: &Attempt, (got, seen): (&Got, &Seen), reports: &Reports) {
        let outcomes: Vec<(usize, usize)> = attempt
            .recipients
            .iter()
            .map(|recipient| {
                let key = (attempt.id, recipient.clone());
                let copies = got.copies.get(&key);
                let unexplained = copies.into_iter().flatten().filter(|id| !seen.is_lost(id));
                if unexplained.count() > 1 {
                    self.doubled.push(format!("{key:?} by {copies:?}"));
                }
                let copies = copies.map_or(0, |ids| ids.len());
                self.second_copies += copies.saturating_sub(1);
                (copies, reports.get(&key).copied().unwrap_or(0))
            })
            .collect();
        // Whether a message came into the queue whose answer was lost nobody can know; then with all its recipients.
        let nothing = outcomes.iter().all(|outcome| *outcome == (0, 0));
        if nothing && !attempt.acknowledged {
            return;
        }
        for (recipient, (copies, told)) in attempt.recipients.iter().zip(outcomes) {
            self.recipients += 1;
            self.reported += told;
            let is_right = match recipient.starts_with(REFUSED) {
                true => copies == 0 && told == 1,
                false => copies >= 1 && told == 0,
            };
            if !is_right {
                self.wrong.push(format!(
                    "attempt {} (acknowledged: {}) to {recipient}: {copies} copies, {told} reports",
                    attempt.id, attempt.acknowledged
                ));
            }
        }
    }

    /// Whether as much was sent as was meant to be, with everything that was to go wrong.
    pub(super) fn is_real(&self) -> bool {
        let trouble = self.reported > 0 && self.answers_lost > 0;
        self.acknowledged >= self.wanted && (trouble || self.wanted < REAL_FROM)
    }

    pub(super) fn figures(&self) -> String {
        format!(
            "{} messages acknowledged, {} recipients, {} told of by report; {} answers of the smarthost lost, {} second copies",
            self.acknowledged,
            self.recipients,
            self.reported,
            self.answers_lost,
            self.second_copies
        )
    }
}

/// The reports that the sender has.
pub(super) fn reports(subject: &Subject) -> Outcome<Reports> {
    let all = Imap::login(subject.listeners.imap, &subject.alice)?.all_messages("INBOX")?;
    let mut reports = Reports::new();
    for (_, message) in all {
        let Some(id) = id_in(&message) else { continue };
        let text = String::from_utf8_lossy(&message);
        let failed = text
            .lines()
            .filter_map(|line| line.strip_prefix("Final-Recipient: "));
        for recipient in failed.filter_map(|value| value.split_once(';')) {
            let key = (id, recipient.1.trim().to_owned());
            *reports.entry(key).or_default() += 1;
        }
    }
    Ok(reports)
}
