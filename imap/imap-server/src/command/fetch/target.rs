//! What is to be read of a message for the octets that were asked for, and how.

use std::ops::Range;

use account::mime;
use imap_wire::Partial;

use super::Message;
use crate::plan::{Octets, Plan, PlanItem, What};

/// How many chunks of one message may be held at once.
const MESSAGE_CHUNKS_MAX: u64 = 4;

/// What is to be done about an item of octets for one message. Ranges count from the message's first octet as clients
/// fetch it.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// Written from the facts.
    AtHand,
    /// There is no such part.
    Nil,
    /// Read together with others.
    Read(Range<u64>),
    /// A header, read together with others, to pick fields from.
    Header(Range<u64>),
    /// Too large to be held.
    Stream {
        /// The beginning, read together with others: that it can be read is known before anything is promised. Empty
        /// for all but the first of a message.
        head: Range<u64>,
        /// What follows, read chunk by chunk.
        rest: Range<u64>,
    },
}

impl Target {
    /// What is to be read together with others.
    pub(super) fn at_once(&self) -> Option<&Range<u64>> {
        match self {
            Self::Read(range) | Self::Header(range) => Some(range),
            Self::Stream { head, .. } => Some(head).filter(|head| !head.is_empty()),
            Self::AtHand | Self::Nil => None,
        }
    }

    /// The same without holding octets, where that is possible.
    fn streamed(self) -> Self {
        match self {
            Self::Read(range) => stream(range),
            other => other,
        }
    }
}

fn stream(rest: Range<u64>) -> Target {
    let head = rest.start..rest.start;
    Target::Stream { head, rest }
}

/// What to do about each item of octets.
pub(super) fn targets(plan: &Plan, message: &Message, chunk: u64, header_max: u64) -> Vec<Target> {
    let octets = plan.items.iter().filter_map(|item| match item {
        PlanItem::Octets(octets) => Some(octets),
        _ => None,
    });
    let targets = octets.map(|octets| target(octets, message, chunk, header_max));
    within_bounds(targets.collect(), chunk)
}

/// Holds no more than a few chunks of one message: of one asked for in many large pieces, none but a beginning.
fn within_bounds(mut targets: Vec<Target>, chunk: u64) -> Vec<Target> {
    let at_once: u64 = targets.iter().filter_map(Target::at_once).map(len).sum();
    if at_once > chunk.saturating_mul(MESSAGE_CHUNKS_MAX) {
        targets = targets.into_iter().map(Target::streamed).collect();
    }
    let first = targets.iter_mut().find_map(|target| match target {
        Target::Stream { head, rest } => Some((head, rest)),
        _ => None,
    });
    if let Some((head, rest)) = first {
        head.end = rest.end.min(rest.start + chunk);
        rest.start = head.end;
    }
    targets
}

fn target(octets: &Octets, message: &Message, chunk: u64, header_max: u64) -> Target {
    let section = |path: &[u32], kind| {
        let facts = message.facts.as_ref()?;
        let range = facts.structure()?.section(path, kind)?;
        Some(range.start + facts.prefix_len()..range.end + facts.prefix_len())
    };
    let range = match &octets.what {
        What::Header | What::Fields(_) => return Target::AtHand,
        What::Whole => Some(0..message.size()),
        What::Part { path, kind } => section(path, *kind),
        What::PartFields { path, .. } => {
            let Some(range) = section(path, mime::SectionKind::Header) else {
                return Target::Nil;
            };
            let end = range.end.min(range.start + header_max);
            return Target::Header(range.start..end);
        }
    };
    let Some(range) = range else {
        return Target::Nil;
    };
    let range = cut(range, octets.partial);
    if len(&range) <= chunk {
        Target::Read(range)
    } else {
        stream(range)
    }
}

/// The part of a range that was asked for; empty beyond its end.
pub(super) fn cut(range: Range<u64>, partial: Option<Partial>) -> Range<u64> {
    let Some(Partial { offset, length }) = partial else {
        return range;
    };
    let start = range.start.saturating_add(offset).min(range.end);
    start..start.saturating_add(length).min(range.end)
}

pub(super) const fn len(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_piece_begins_with_what_is_read_before_it_is_promised() {
        let large = |range| vec![Target::Nil, stream(range), stream(5..100)];
        let expected = vec![
            Target::Nil,
            Target::Stream {
                head: 50..60,
                rest: 60..90,
            },
            stream(5..100),
        ];
        assert_eq!(within_bounds(large(50..90), 10), expected);
    }

    #[test]
    fn of_many_pieces_only_a_beginning_is_held() {
        let pieces = |count| (0..count).map(|_| Target::Read(0..10)).collect::<Vec<_>>();
        assert_eq!(within_bounds(pieces(4), 10), pieces(4));
        let held = within_bounds(pieces(5), 10);
        let at_once: Vec<_> = held.iter().filter_map(Target::at_once).collect();
        assert_eq!(at_once, [&(0..10)]);
    }
}
