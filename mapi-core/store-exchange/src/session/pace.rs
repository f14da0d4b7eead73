//! How soon to wait for notifications again: at once as a rule, later while a server tells of very many one by one.
//!
//! Marking ten thousand messages makes some servers tell ten thousand times, each as soon as somebody waits: without a
//! pause, hearing of it would cost more than marking.

use std::time::Duration;

/// Notifications that follow each other within this time count as following closely.
const CLOSE: Duration = Duration::from_secs(1);

/// How many times they may do so without a pause: new mail is told of several times.
const CLOSE_MAX: u32 = 3;

/// So many messages a second are very many.
const MANY_PER_S: u128 = 10;

/// The pause after those, and the longest one, after which what others do is heard of so much later.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// How many times longer each pause is than the one before, while very many come.
const LONGER: u32 = 5;

/// What has been heard lately.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The last pause.
    pause: Duration,
    /// How often something was told closely behind the last.
    close: u32,
}

impl Pace {
    /// The pause before waiting again, when notifications about so many messages came so long after the last.
    pub(super) fn after(&mut self, told: usize, since: Duration) -> Duration {
        if since > self.pause + CLOSE {
            *self = Self::default();
        }
        self.close = self.close.saturating_add(1);
        if self.close > CLOSE_MAX {
            let many = told as u128 * 1000 > MANY_PER_S * since.as_millis();
            self.pause = match many && !self.pause.is_zero() {
                true => (self.pause * LONGER).min(PAUSE_MAX),
                false => PAUSE_FIRST,
            };
        }
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Told so many so many milliseconds after the last, the pauses in milliseconds.
    fn check(told: &[(usize, u64)], expected: &[u64]) {
        let mut pace = Pace::default();
        let pause_of = |(count, ms): &(usize, u64)| pace.after(*count, Duration::from_millis(*ms));
        let pauses: Vec<_> = told.iter().map(pause_of).collect();
        let expected: Vec<_> = expected
            .iter()
            .copied()
            .map(Duration::from_millis)
            .collect();
        assert_eq!(pauses, expected);
    }

    #[test]
    fn what_is_told_now_and_then_is_heard_at_once() {
        check(&[(3, 60_000), (1, 5), (1, 1500), (2, 5), (1, 5)], &[0; 5]);
    }

    #[test]
    fn a_storm_is_heard_of_less_and_less_often_until_it_is_over() {
        check(
            &[
                (1, 9000),
                (1, 20),
                (1, 20),
                (1, 20),
                (10, 120),
                (50, 520),
                (300, 2520),
                (900, 12_520),
                (900, 15_020),
                (1, 15_020),
                (1, 1101),
            ],
            &[0, 0, 0, 100, 500, 2500, 12_500, 15_000, 15_000, 100, 0],
        );
    }

    #[test]
    fn a_message_each_second_waits_for_no_more_than_the_first_pause() {
        let told = [(2, 9000), (1, 30), (2, 970), (1, 30), (3, 1000), (3, 1000)];
        check(&told, &[0, 0, 0, 100, 100, 100]);
    }

    #[test]
    fn mail_that_comes_one_by_one_is_no_storm() {
        let told = [(1, 9000), (1, 50), (1, 50), (1, 50), (1, 150), (1, 150)];
        check(&told, &[0, 0, 0, 100, 100, 100]);
    }
}
