//! What must hold for lines and commands whatever a client sends. Called by the fuzz target and by tests.

use super::{
    command::Command,
    line::{Found, Lines, without_end},
};

/// The longest line.
const BYTES_MAX: usize = 60;

/// Lines are the same however they arrive, within their bounds, and each is a command or none.
pub(crate) fn check(input: &[u8]) {
    let Some((&cut, input)) = input.split_first() else {
        return;
    };
    let whole = lines(input, input.len().max(1), BYTES_MAX);
    assert_eq!(whole, lines(input, usize::from(cut) % 90 + 1, BYTES_MAX));
    for line in whole.iter().flatten() {
        assert!(line.len() < BYTES_MAX && !line.contains(&b'\n'));
        if let Ok(command) = Command::decode(line) {
            let name = command.name().as_bytes();
            assert!(
                line.get(..name.len())
                    .is_some_and(|word| word.eq_ignore_ascii_case(name))
            );
        }
    }
}

/// The lines of an input that arrives by so many octets; `None` for one that is too long.
pub(crate) fn lines(input: &[u8], step: usize, bytes_max: usize) -> Vec<Option<Vec<u8>>> {
    let mut lines = Lines::new(bytes_max);
    let (mut held, mut found) = (Vec::new(), Vec::new());
    for arriving in input.chunks(step) {
        held.extend_from_slice(arriving);
        loop {
            let used = match lines.find(&held) {
                Found::Line(length) => {
                    let line = held.get(..length).expect("no more than was given");
                    found.push(Some(without_end(line).to_vec()));
                    length
                }
                Found::TooLong(length) => {
                    found.push(None);
                    length
                }
                Found::Incomplete(unneeded) => {
                    held.drain(..unneeded);
                    break;
                }
            };
            held.drain(..used);
        }
        assert!(held.len() <= bytes_max, "{} octets held", held.len());
    }
    found
}
