//! Latencies of many operations, summed up.

use std::time::Duration;

/// Times of equal operations.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<f64>);

impl Latencies {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1e3);
    }

    /// Adds those of another client.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Median, 95th percentile and maximum in milliseconds, as `NAME_p50_ms` and so on.
    pub fn figures(&self, name: &str) -> Vec<(String, f64)> {
        let quantiles = [("p50", 0.5), ("p95", 0.95), ("max", 1.0)];
        quantiles
            .map(|(label, q)| (format!("{name}_{label}_ms"), quantile(&self.0, q)))
            .to_vec()
    }
}

/// The value below which a share `q` of `values` lies (0 when there are none).
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted
        .get((last as f64 * q).round() as usize)
        .copied()
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles_of_a_known_series() {
        let values: Vec<f64> = (0..101).rev().map(f64::from).collect();
        assert_eq!(quantile(&values, 0.5), 50.0);
        assert_eq!(quantile(&values, 0.95), 95.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
