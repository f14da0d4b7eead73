//! Messages collected at test time.
