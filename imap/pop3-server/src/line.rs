//! Cutting what a client sends into lines of bounded length. Sans-IO.

use memchr::memchr;

/// Finds lines, and passes over those that are too long.
///
/// A line ends with LF; the CR before it is not missed when it is missing. What comes of octets does not depend on how
/// they are cut: the caller gives all that it has and not dealt with, which is never more than a line may be and what
/// was read at once.
#[derive(Debug)]
pub(crate) struct Lines {
    bytes_max: usize,
    /// Octets in which there is no line end.
    searched: usize,
    /// Whether the rest of a line that is too long is still to come.
    passing_over: bool,
}

/// What the input begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A line: so many octets with its end.
    Line(usize),
    /// The rest of a line that was too long: so many octets.
    TooLong(usize),
    /// No line yet. So many octets are not needed any more.
    Incomplete(usize),
}

impl Lines {
    /// Lines of at most so many octets, their ends included.
    pub(crate) const fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            searched: 0,
            passing_over: false,
        }
    }

    /// Looks at the input; call again once what was found is removed from it.
    pub(crate) fn find(&mut self, input: &[u8]) -> Found {
        let unsearched = input.get(self.searched..).unwrap_or_default();
        let Some(at) = memchr(b'\n', unsearched) else {
            self.passing_over |= input.len() > self.bytes_max;
            let unneeded = match self.passing_over {
                true => input.len(),
                false => 0,
            };
            self.searched = input.len() - unneeded;
            return Found::Incomplete(unneeded);
        };
        let length = std::mem::take(&mut self.searched) + at + 1;
        let is_too_long = std::mem::take(&mut self.passing_over) || length > self.bytes_max;
        match is_too_long {
            true => Found::TooLong(length),
            false => Found::Line(length),
        }
    }
}

/// A line without its end.
pub(crate) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::check_lines::{check, lines};

    #[test]
    fn lines_end_with_lf_and_long_ones_are_passed_over() {
        let input = b"NOOP\r\n\nSTAT\n0123456789\r\nQUIT\r\nRE";
        let found = lines(input, 3, 10);
        let texts: Vec<Option<&[u8]>> = found.iter().map(Option::as_deref).collect();
        assert_eq!(
            texts,
            [
                Some(&b"NOOP"[..]),
                Some(b""),
                Some(b"STAT"),
                None,
                Some(b"QUIT")
            ]
        );
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_they_arrive(
            input in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), any::<u8>()],
                0..300,
            ),
        ) {
            check(&input);
        }
    }
}
