//! Bytes that must not reach a log: passwords.

use std::{fmt, hint::black_box};

/// A password in memory. It cannot be printed, and its bytes are overwritten when it is dropped.
///
/// The overwriting is best effort: it does not reach copies made by others, nor swapped-out memory.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes over a password's bytes. No character set is implied; clients send UTF-8.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The password itself, for the one place that checks it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without a reader the compiler may drop the writes above.
        black_box(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_password() {
        assert_eq!(format!("{:?}", Secret::new("open sesame")), "Secret(..)");
    }
}
