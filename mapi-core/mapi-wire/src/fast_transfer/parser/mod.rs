//! Atoms into events, whatever produced the stream. Source: MS-OXCFXICS 2.2.4.2, 2.2.4.3.

mod begin;
mod open;

use std::collections::VecDeque;

use mapi_types::PropTag;

use self::open::{List, Open};
use super::{
    builder::{Builder, Node},
    event::{Event, FolderLevel, MessageChange},
    failure::Failure,
    lexer::{Atom, Lexer, Limits},
    marker::Marker,
    property::{Property, find},
};
use crate::cursor::{DecodeError, Result};

/// How deep folders may lie in folders. Exchange allows 300.
pub const FOLDER_DEPTH_MAX: usize = 1000;

/// What an atom costs beside its octets.
const ATOM_COST: usize = 128;

/// PidTagSourceKey.
const SOURCE_KEY: PropTag = PropTag(0x65e0_0102);

/// What was expected instead of an atom; lower case.
type Expected = &'static str;

/// Makes events of a stream that comes in pieces. It holds one event, however long the stream is.
///
/// Feed a piece, take all events, feed the next; after the last piece call [`Parser::finish`] and take the rest.
#[derive(Clone, Debug)]
pub struct Parser {
    lexer: Lexer,
    open: Open,
    /// What came before the change that it belongs to.
    before: Before,
    folders: Vec<FolderLevel>,
    events: VecDeque<Event>,
    /// What the event in the making costs, and may cost.
    held: usize,
    event_octets_max: usize,
    stage: Stage,
    error: Option<DecodeError>,
}

/// What was said ahead of a change.
#[derive(Clone, Debug, Default)]
struct Before {
    progress: Option<Vec<Property>>,
    group_info: Option<Vec<Property>>,
    group_id: Option<i32>,
}

/// How far the stream is.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum Stage {
    /// Nothing has come.
    #[default]
    Fresh,
    /// Something has come that may end at any time.
    Begun,
    /// A synchronization has begun, which ends with a marker of its own.
    Sync,
    /// The synchronization has ended.
    Ended,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Parser {
    /// A parser with limits of the caller's own.
    pub fn new(limits: Limits) -> Self {
        Self {
            lexer: Lexer::new(limits),
            open: Open::Nothing,
            before: Before::default(),
            folders: Vec::new(),
            events: VecDeque::new(),
            held: 0,
            event_octets_max: limits.event_octets_max,
            stage: Stage::Fresh,
            error: None,
        }
    }

    /// Takes the next piece of the stream. Take all events before the next one.
    pub fn feed(&mut self, octets: &[u8]) {
        if self.error.is_none() {
            self.lexer.feed(octets);
        }
    }

    /// The next event; `None` when its end has not come yet. After an error there is nothing but that error.
    pub fn next_event(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if let Some(error) = &self.error {
                return Err(error.clone());
            }
            let at = self.lexer.position();
            let Some(atom) = self.lexer.next_atom()? else {
                return Ok(None);
            };
            let step = self.step(atom);
            self.note(step, at);
        }
    }

    /// Ends the stream, which tells what only its end can tell: take the events that this makes. An error when
    /// something is missing.
    pub fn finish(&mut self) -> Result<()> {
        self.lexer.finish()?;
        let at = self.lexer.position();
        let end = self.end();
        self.note(end, at);
        match &self.error {
            Some(error) if self.events.is_empty() => Err(error.clone()),
            _ => Ok(()),
        }
    }

    fn note(&mut self, result: Result<(), Expected>, at: usize) {
        if let Err(expected) = result {
            self.open = Open::Nothing;
            self.error = Some(DecodeError { at, expected });
        }
    }

    fn step(&mut self, atom: Atom) -> Result<(), Expected> {
        self.held = self.held.saturating_add(cost(&atom));
        if self.held > self.event_octets_max {
            return Err("a smaller object");
        }
        let open = std::mem::take(&mut self.open);
        let behind = match atom {
            Atom::Marker(Marker::ErrorInfo) => self.interrupt(open, atom)?,
            atom => self.go_on(open, atom)?,
        };
        if let Some(atom) = behind {
            self.begin(atom)?;
        }
        if !self.events.is_empty() {
            self.held = 0;
        }
        Ok(())
    }

    /// Leaves what is open for the reason that follows. Whether a change was complete, only that reason tells.
    fn interrupt(&mut self, open: Open, atom: Atom) -> Result<Option<Atom>, Expected> {
        let interrupted = match open {
            Open::Change(header, builder) if builder.is_outermost() => {
                Some(Box::new(self.complete(header, builder)?))
            }
            Open::Change(..)
            | Open::Listed(..)
            | Open::Group(..)
            | Open::Children(..)
            | Open::Bare(_)
            | Open::List(List::Header | List::PartialHeader, _) => None,
            Open::Nothing | Open::List(..) | Open::Failure(..) => {
                self.go_on(open, atom)?;
                None
            }
        };
        if self.stage == Stage::Ended {
            return Err(AFTER_END);
        }
        self.before = Before::default();
        self.stage = self.stage.max(Stage::Begun);
        self.open = Open::Failure(Vec::new(), interrupted);
        Ok(None)
    }

    fn fail(&mut self, props: Vec<Property>, interrupted: Option<Box<Event>>) {
        let complete = interrupted.filter(|event| match event.as_ref() {
            Event::Change(change) => is_about_another(&props, change),
            _ => false,
        });
        self.events.extend(complete.map(|event| *event));
        self.events.push_back(Event::Failure(props));
    }

    fn complete(&mut self, header: Vec<Property>, builder: Builder) -> Result<Event, Expected> {
        let before = std::mem::take(&mut self.before);
        Ok(Event::Change(Box::new(MessageChange {
            progress: before.progress,
            header,
            message: builder.into_message()?,
        })))
    }

    fn end(&mut self) -> Result<(), Expected> {
        match std::mem::take(&mut self.open) {
            Open::Nothing => {}
            Open::Failure(props, interrupted) => self.fail(props, interrupted),
            Open::Bare(builder) => self.events.push_back(match builder.finish()? {
                Node::Attachment(attachment) => Event::AttachmentContent(Box::new(attachment)),
                Node::Message(message) => Event::Content(Box::new(message)),
                Node::Recipient(_) => return Err("the end of a recipient"),
            }),
            _ => return Err("the rest of an object"),
        }
        if self.stage == Stage::Sync {
            return Err("the end of a synchronization");
        }
        if self.folders == [FolderLevel::Content] {
            self.folders.clear();
            self.events
                .push_back(Event::FolderEnd(FolderLevel::Content));
        }
        match self.folders.is_empty() {
            true => Ok(()),
            false => Err("the end of a folder"),
        }
    }
}

const AFTER_END: Expected = "nothing after the end of a synchronization";

/// Whether the reason of a failure names another message than the change before it, so that this is complete.
fn is_about_another(props: &[Property], change: &MessageChange) -> bool {
    let failed = Failure::from_properties(props).and_then(|failure| failure.message);
    let source_key = find(&change.header, SOURCE_KEY).and_then(Property::as_octets);
    match (failed, source_key) {
        (Some(failed), Some(source_key)) => failed.to_bytes() != source_key,
        _ => false,
    }
}

/// What an atom costs while it is held.
fn cost(atom: &Atom) -> usize {
    let octets = match atom {
        Atom::Marker(_) => 0,
        Atom::Property(property) => property.value.octets(),
    };
    octets.saturating_add(ATOM_COST)
}
