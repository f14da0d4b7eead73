//! How long to wait before the next attempt.

use std::time::Duration;

/// How much of a waiting time is left to chance, so that what failed together is not tried again together.
const JITTER: f64 = 0.2;

/// The wait after `failures` failures in a row: `min`, and twice as long each time, up to `max`. `chance` is between 0 and 1.
pub(crate) fn wait(failures: u32, (min, max): (Duration, Duration), chance: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(30);
    let base = min.saturating_mul(1 << doublings).min(max);
    base.mul_f64(1.0 - JITTER / 2.0 + JITTER * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let bounds = (Duration::from_secs(60), Duration::from_secs(3600));
        let waits: Vec<_> = (0..9)
            .map(|failures| wait(failures, bounds, 0.5).as_secs())
            .collect();
        assert_eq!(waits, [60, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(wait(1, bounds, 0.0), Duration::from_secs(54));
        assert_eq!(wait(1, bounds, 1.0), Duration::from_secs(66));
        assert_eq!(wait(u32::MAX, bounds, 0.5), Duration::from_secs(3600));
    }
}
