//! Streams that go through several bodies: downloads, uploads, and sets of a synchronization's state.

use mapi_types::PropTag;
use mapi_wire::{
    cursor::Result,
    fast_transfer::{Atom, Event, Lexer, Parser},
};

/// A FastTransfer stream.
///
/// Atoms are cut out first and handed to the parser one by one, so that it is known what of the stream has not become
/// an event yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transfer {
    lexer: Lexer,
    parser: Parser,
    /// Octets that have come and are in no atom yet.
    rest: Vec<u8>,
    /// Atoms that have come since the last event.
    atoms: Vec<Atom>,
    /// Octets fed before this buffer.
    octets: u64,
    is_broken: bool,
}

/// What a buffer brought.
#[derive(Debug)]
pub(crate) struct Brought {
    /// Where in the stream the buffer began.
    pub(crate) at: u64,
    /// What was complete with it.
    pub(crate) events: Vec<Event>,
    /// Where the stream is broken.
    pub(crate) broken: Result<()>,
}

/// What remains of a stream.
#[derive(Debug)]
pub(crate) struct Left {
    /// Atoms that are in no event.
    pub(crate) atoms: Vec<Atom>,
    /// Octets that are in no atom.
    pub(crate) octets: Vec<u8>,
}

impl Transfer {
    /// Takes a buffer.
    pub(crate) fn feed(&mut self, octets: &[u8]) -> Brought {
        let at = self.octets;
        self.octets = self.octets.saturating_add(octets.len() as u64);
        let mut events = Vec::new();
        if self.is_broken {
            return Brought {
                at,
                events,
                broken: Ok(()),
            };
        }
        self.rest.extend_from_slice(octets);
        self.lexer.feed(octets);
        let broken = self.run(&mut events);
        self.is_broken = broken.is_err();
        Brought { at, events, broken }
    }

    /// Ends the stream.
    pub(crate) fn finish(&mut self) -> Brought {
        let at = self.octets;
        let mut events = Vec::new();
        let broken = match self.is_broken {
            true => Ok(()),
            false => self.parser.finish().and_then(|()| self.drain(&mut events)),
        };
        self.is_broken |= broken.is_err();
        if broken.is_ok() && !self.is_broken {
            self.atoms.clear();
        }
        Brought { at, events, broken }
    }

    /// Whether it was broken at some place; what comes after that is not read.
    pub(crate) const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Gives the stream up: what comes from now on is not read.
    pub(crate) const fn give_up(&mut self) {
        self.is_broken = true;
    }

    /// Whether something has come that waits for more, or for the end.
    pub(crate) const fn is_open(&self) -> bool {
        !self.is_broken && (!self.atoms.is_empty() || !self.rest.is_empty())
    }

    /// Takes what has not become an event.
    pub(crate) fn take_left(&mut self) -> Left {
        Left {
            atoms: std::mem::take(&mut self.atoms),
            octets: std::mem::take(&mut self.rest),
        }
    }

    fn run(&mut self, events: &mut Vec<Event>) -> Result<()> {
        let rest = std::mem::take(&mut self.rest);
        let mut taken = 0;
        let result = loop {
            let before = self.lexer.position();
            let atom = match self.lexer.next_atom() {
                Ok(Some(atom)) => atom,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            let len = self.lexer.position() - before;
            let octets = rest.get(taken..taken + len).unwrap_or_default();
            taken += len;
            let count = events.len();
            self.parser.feed(octets);
            let step = self.drain(events);
            // The atom that ends an event may begin the next one, so it is kept.
            if events.len() > count {
                self.atoms.clear();
            }
            self.atoms.push(atom);
            if step.is_err() {
                break step;
            }
        };
        self.rest = rest.get(taken..).unwrap_or_default().to_vec();
        result
    }

    fn drain(&mut self, events: &mut Vec<Event>) -> Result<()> {
        while let Some(event) = self.parser.next_event()? {
            events.push(event);
        }
        Ok(())
    }
}

/// A set of a client's state on its way to the server. Source: MS-OXCFXICS 3.2.5.3.
#[derive(Clone, Debug)]
pub(crate) struct StateUpload {
    /// Which set.
    pub(crate) property: PropTag,
    /// What has come of it.
    pub(crate) octets: Vec<u8>,
}

/// The longest set that is kept. Sets have kilobytes.
const SET_OCTETS_MAX: usize = 1 << 24;

impl StateUpload {
    /// Whether so many octets more are kept.
    pub(crate) const fn has_room(&self, octets: usize) -> bool {
        octets <= SET_OCTETS_MAX.saturating_sub(self.octets.len())
    }

    /// Takes a part.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        if self.has_room(octets.len()) {
            self.octets.extend_from_slice(octets);
        }
    }
}
