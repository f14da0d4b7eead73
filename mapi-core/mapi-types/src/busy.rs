//! What an appointment makes of its owner's time.

/// PidLidBusyStatus. Source: MS-OXOCAL 2.2.1.2.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum BusyStatus {
    /// Free.
    Free,
    /// Tentative.
    Tentative,
    /// Busy.
    #[default]
    Busy,
    /// Out of office.
    OutOfOffice,
    /// Working elsewhere.
    WorkingElsewhere,
}

impl BusyStatus {
    /// Every status, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Free,
        Self::Tentative,
        Self::Busy,
        Self::OutOfOffice,
        Self::WorkingElsewhere,
    ];

    /// The number.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The status of a number; an unknown one is busy, for it is better to be left alone.
    pub fn of(number: i32) -> Self {
        let place = usize::try_from(number).ok();
        let status = place.and_then(|place| Self::ALL.get(place));
        status.copied().unwrap_or(Self::Busy)
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Tentative => "tentative",
            Self::Busy => "busy",
            Self::OutOfOffice => "out-of-office",
            Self::WorkingElsewhere => "working-elsewhere",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_its_number() {
        for status in BusyStatus::ALL {
            assert_eq!(BusyStatus::of(status.number()), status);
        }
        assert_eq!(BusyStatus::OutOfOffice.number(), 3);
        assert_eq!(BusyStatus::of(-1), BusyStatus::Busy);
        assert_eq!(BusyStatus::of(9), BusyStatus::Busy);
    }
}
