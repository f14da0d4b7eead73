//! The commands that a set of counters is written in. Source: MS-OXCFXICS 2.2.2.6, 3.1.5.4.3.
//!
//! They work on a stack of octets: what is pushed are the high octets that the counters after it have in common.

use super::globset::{Globset, Range};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Globcnt,
};

/// Octets of a counter.
const COUNTER: usize = 6;

const END: u8 = 0x00;
const BITMASK: u8 = 0x42;
const POP: u8 = 0x50;
const RANGE: u8 = 0x52;

/// The most ranges a set that is read may have: 64 MiB of memory. A folder of a million messages has a few thousand.
pub const RANGES_MAX: usize = 4 << 20;

impl Globset {
    /// Reads commands up to the end command. Any legal sequence is taken: ranges may come in any order and overlap.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let mut ranges = Vec::new();
        read_ranges(reader, &mut ranges, RANGES_MAX)?;
        Ok(ranges.into_iter().collect())
    }

    /// Writes the commands, the end command last. The same set always gives the same octets: a prefix is pushed where
    /// that saves octets, and where counters are scattered, bit masks are used.
    pub fn write(&self, writer: &mut Writer) {
        write_group(self.ranges(), 0, writer);
        writer.u8(END);
    }
}

/// Reads commands up to the end command, into at most `max` ranges together with those that are there.
pub(super) fn read_ranges(
    reader: &mut Reader<'_>,
    ranges: &mut Vec<Range>,
    max: usize,
) -> Result<()> {
    let mut stack = Stack::default();
    loop {
        let command = reader.clone();
        match reader.u8("a command of a set")? {
            END if stack.is_empty() => return Ok(()),
            END => return Err(command.error("a pop before the end of a set")),
            POP => stack.pop(&command)?,
            BITMASK => stack.bitmask(reader, ranges)?,
            RANGE => ranges.push(stack.range(reader)?),
            count @ 1..=6 => ranges.extend(stack.push(usize::from(count), reader)?),
            _ => return Err(command.error("a known command of a set")),
        }
        if ranges.len() > max {
            return Err(command.error("a set of fewer ranges"));
        }
    }
}

/// The high octets of the counters to come, in the groups they were pushed in.
#[derive(Default)]
struct Stack {
    octets: [u8; COUNTER],
    groups: Vec<u8>,
}

impl Stack {
    const fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    fn len(&self) -> usize {
        self.groups.iter().copied().map(usize::from).sum()
    }

    /// Pushes `count` octets. A full stack is a counter of its own, and the octets are off it again.
    fn push(&mut self, count: usize, reader: &mut Reader<'_>) -> Result<Option<Range>> {
        let len = self.len();
        if len + count > COUNTER {
            return Err(reader.error("no more than six octets on the stack of a set"));
        }
        let octets = reader.take(count, "octets of a counter")?;
        if len + count == COUNTER {
            let counter = self.counter(octets);
            return Ok(Range::new(counter, counter));
        }
        if let Some(place) = self.octets.get_mut(len..len + count) {
            place.copy_from_slice(octets);
        }
        self.groups.push(count as u8);
        Ok(None)
    }

    fn pop(&mut self, command: &Reader<'_>) -> Result<()> {
        match self.groups.pop() {
            Some(_) => Ok(()),
            None => Err(command.error("something to pop")),
        }
    }

    fn range(&self, reader: &mut Reader<'_>) -> Result<Range> {
        let low = COUNTER - self.len();
        let start = reader.clone();
        let first = self.counter(reader.take(low, "the first counter of a range")?);
        let last = self.counter(reader.take(low, "the last counter of a range")?);
        Range::new(first, last).ok_or_else(|| start.error("a range that ascends"))
    }

    /// A counter, and those of the eight after it whose bits are set.
    fn bitmask(&self, reader: &mut Reader<'_>, ranges: &mut Vec<Range>) -> Result<()> {
        if self.len() != COUNTER - 1 {
            return Err(reader.error("five octets on the stack before a bit mask"));
        }
        let place = reader.clone();
        let first = reader.u8("the first counter of a bit mask")?;
        let mask = reader.u8("a bit mask")?;
        let base = self.counter(&[first]);
        ranges.extend(Range::new(base, base));
        for bit in (0..8).filter(|bit| mask & (1 << bit) != 0) {
            let counter = base + 1 + bit;
            // All counters of a mask have the same five octets.
            if counter >> 8 != base >> 8 {
                return Err(place.error("a bit mask that ends with its block of counters"));
            }
            ranges.extend(Range::new(counter, counter));
        }
        Ok(())
    }

    /// The counter that ends in `low`; what is missing between is zero.
    fn counter(&self, low: &[u8]) -> u64 {
        let len = self.len();
        let high = self.octets.iter().take(len);
        let octets = high.chain(low);
        octets.fold(0, |counter, &octet| (counter << 8) | u64::from(octet))
    }
}

/// The octet of a counter at a place, the highest at 0.
const fn octet(counter: u64, place: usize) -> u8 {
    (counter >> (8 * (COUNTER - 1 - place))) as u8
}

/// How many high octets two counters have in common.
const fn common(a: u64, b: u64) -> usize {
    COUNTER - (64 - (a ^ b).leading_zeros() as usize).div_ceil(8)
}

fn put_low(counter: u64, depth: usize, writer: &mut Writer) {
    let octets = Globcnt::from_u64(counter).0;
    writer.put(octets.get(depth..).unwrap_or_default());
}

/// Writes ranges that have `depth` high octets in common, which are on the stack.
fn write_group(ranges: &[Range], depth: usize, writer: &mut Writer) {
    if depth == COUNTER - 1 {
        return write_block(ranges, writer);
    }
    for group in ranges.chunk_by(|a, b| {
        // A range that spans more than one octet value at this place stands alone.
        common(a.first, b.last) > depth
    }) {
        match group {
            [range] => write_range(*range, depth, writer),
            [first, .., last] => {
                let prefix = common(first.first, last.last);
                push(first.first, depth, prefix, writer);
                write_group(group, prefix, writer);
                writer.u8(POP);
            }
            [] => {}
        }
    }
}

fn push(counter: u64, depth: usize, to: usize, writer: &mut Writer) {
    writer.u8((to - depth) as u8);
    for place in depth..to {
        writer.u8(octet(counter, place));
    }
}

/// Writes a range that shares nothing more with its neighbours.
fn write_range(range: Range, depth: usize, writer: &mut Writer) {
    let prefix = common(range.first, range.last);
    if prefix == COUNTER {
        return push(range.first, depth, COUNTER, writer);
    }
    // Pushing costs two octets more and saves one for each octet pushed.
    let pushes = prefix > depth + 2;
    let to = if pushes { prefix } else { depth };
    if pushes {
        push(range.first, depth, to, writer);
    }
    writer.u8(RANGE);
    put_low(range.first, to, writer);
    put_low(range.last, to, writer);
    if pushes {
        writer.u8(POP);
    }
}

/// Writes ranges that have all but the last octet in common.
fn write_block(ranges: &[Range], writer: &mut Writer) {
    let mut rest = ranges.iter().copied().peekable();
    while let Some(range) = rest.next() {
        let window = range.first + 8;
        let follows = rest.peek().is_some_and(|next| next.last <= window);
        if !follows || range.last >= window {
            write_range(range, COUNTER - 1, writer);
            continue;
        }
        let mut mask = bits(range, range.first);
        while let Some(next) = rest.next_if(|next| next.last <= window) {
            mask |= bits(next, range.first);
        }
        writer.u8(BITMASK);
        writer.u8(octet(range.first, COUNTER - 1));
        writer.u8(mask);
    }
}

/// The bits of the counters of a range in the mask of `base`, which has none itself.
fn bits(range: Range, base: u64) -> u8 {
    let counters = range.first.max(base + 1)..=range.last;
    counters.fold(0, |mask, counter| mask | 1 << (counter - base - 1))
}
