//! Versions of clients and servers, by which each knows what the other can do.

use std::fmt;

/// A version of four numbers, such as 15.2.1118.7. Versions compare.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version(pub [u16; 4]);

impl Version {
    /// From `Exchange/15.02.1118.007` (X-ServerApplication) or `Outlook/16.0.4266.1001` (X-ClientApplication); missing
    /// numbers are 0. Source: MS-OXCMAPIHTTP 2.2.3.3.6, 2.2.3.3.7.
    pub fn from_application(text: &str) -> Option<Self> {
        let (_, numbers) = text.trim().split_once('/')?;
        let mut version = Self::default();
        let mut parts = numbers.split('.');
        for (place, part) in version.0.iter_mut().zip(parts.by_ref()) {
            *place = part.parse().ok()?;
        }
        parts.next().is_none().then_some(version)
    }

    /// From the three words of EcDoConnectEx. Source: MS-OXCRPC 3.1.4.1.3.1.
    pub const fn from_words(words: [u16; 3]) -> Self {
        let [first, second, third] = words;
        match second & NORMALIZED {
            0 => Self([first, 0, second, third]),
            _ => Self([first >> 8, first & 0xff, second & !NORMALIZED, third]),
        }
    }

    /// The three words of EcDoConnectEx, all four numbers in them. Source: MS-OXCRPC 3.1.4.1.3.2.
    pub const fn to_words(self) -> [u16; 3] {
        let [major, minor, build, revision] = self.0;
        [major << 8 | minor & 0xff, build | NORMALIZED, revision]
    }
}

/// The bit that says that the first word holds two numbers.
const NORMALIZED: u16 = 0x8000;

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, build, revision] = self.0;
        write!(f, "{major}.{minor}.{build}.{revision}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applications_say_their_version() {
        let cases = [
            ("Exchange/15.02.1118.007", Some([15, 2, 1118, 7])),
            ("Outlook/16.0.4266.1001", Some([16, 0, 4266, 1001])),
            ("Exchange/15.0", Some([15, 0, 0, 0])),
            ("15.0.847.4040", None),
            ("Exchange/15.x", None),
            ("Exchange/1.2.3.4.5", None),
        ];
        for (text, version) in cases {
            assert_eq!(
                Version::from_application(text),
                version.map(Version),
                "{text}"
            );
        }
    }

    #[test]
    fn words_hold_four_numbers_or_three() {
        assert_eq!(
            Version::from_words([0x0f00, 0x834f, 0x0fc8]),
            Version([15, 0, 847, 4040])
        );
        assert_eq!(
            Version([15, 0, 847, 4040]).to_words(),
            [0x0f00, 0x834f, 0x0fc8]
        );
        assert_eq!(Version::from_words([8, 685, 24]), Version([8, 0, 685, 24]));
    }
}
