//! [`Size`]: octets of a message in four octets, as far as a folder's index knows them.

/// Octets of a message as a client fetches it, if the index knows them.
///
/// It does not know them of a message whose original has not been made yet, nor of one of 4 GiB and more. Then
/// [`crate::ItemFacts::size`] tells; [`crate::Account::facts`] makes what is missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Size(u32);

impl Size {
    /// Not known.
    pub const UNKNOWN: Self = Self(u32::MAX);

    /// A size; what does not fit is not known.
    pub const fn new(octets: u64) -> Self {
        if octets < u32::MAX as u64 {
            Self(octets as u32)
        } else {
            Self::UNKNOWN
        }
    }

    /// The octets; `None` when they are not known.
    pub const fn known(self) -> Option<u64> {
        match self {
            Self::UNKNOWN => None,
            Self(octets) => Some(octets as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_known_and_nothing_else() {
        let max = u64::from(u32::MAX);
        for (octets, known) in [
            (0, Some(0)),
            (1, Some(1)),
            (max - 1, Some(max - 1)),
            (max, None),
            (max + 1, None),
            (u64::MAX, None),
        ] {
            assert_eq!(Size::new(octets).known(), known);
        }
        assert_eq!(Size::UNKNOWN.known(), None);
    }
}
