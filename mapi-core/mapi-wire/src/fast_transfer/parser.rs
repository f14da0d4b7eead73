//! Atoms into events, whatever produced the stream. Source: MS-OXCFXICS 2.2.4.2, 2.2.4.3.

use std::collections::VecDeque;

use mapi_types::PropTag;

use super::{
    builder::{Builder, Built, Node},
    event::{Event, FolderLevel, ListedMessage, MessageChange, PartialChange, PropertyGroup},
    failure::Failure,
    lexer::{Atom, Lexer, Limits},
    marker::{Marker, meta},
    message::Message,
    property::{Property, Value, find},
};
use crate::cursor::{DecodeError, Result};

/// How much a parser holds of one event: octets of values, and [`ATOM_COST`] for each atom.
pub const EVENT_OCTETS_MAX: usize = 512 << 20;

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
#[derive(Clone, Debug, Default)]
pub struct Parser {
    lexer: Lexer,
    open: Open,
    /// What came before the change that it belongs to.
    before: Before,
    folders: Vec<FolderLevel>,
    events: VecDeque<Event>,
    /// What the event in the making costs.
    held: usize,
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

/// What is open between the levels of the grammar.
#[derive(Clone, Debug, Default)]
enum Open {
    /// Nothing: the next atom begins something.
    #[default]
    Nothing,
    /// A list of properties.
    List(List, Vec<Property>),
    /// A message of a list.
    Listed(bool, Builder),
    /// A message of a synchronization, after its header.
    Change(Vec<Property>, Builder),
    /// A partial change, in the group that was named last.
    Group(Box<PartialChange>, PropertyGroup),
    /// Recipients and attachments of a partial change.
    Children(Box<PartialChange>, Builder),
    /// A message or attachment without anything around it, or a folder before that is known.
    Bare(Builder),
    /// Why something is missing, and a change that may or may not have been complete before.
    Failure(Vec<Property>, Option<Box<Event>>),
}

/// What a list of properties is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum List {
    Progress,
    MessageProgress,
    GroupInfo,
    Header,
    PartialHeader,
    Deletions,
    ReadStates,
    State,
    Folder(FolderLevel),
}

impl Parser {
    /// A parser with limits of the caller's own for the octets.
    pub fn new(limits: Limits) -> Self {
        Self {
            lexer: Lexer::new(limits),
            ..Self::default()
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
        if self.held > EVENT_OCTETS_MAX {
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

    /// Puts an atom into what is open; gives it back when it belongs behind that.
    fn go_on(&mut self, open: Open, atom: Atom) -> Result<Option<Atom>, Expected> {
        match open {
            Open::Nothing => Ok(Some(atom)),
            Open::List(list, mut props) => match atom {
                Atom::Property(property) if !is_syntax(property.tag) => {
                    props.push(property);
                    self.open = Open::List(list, props);
                    Ok(None)
                }
                atom => self.close_list(list, props, atom),
            },
            Open::Listed(associated, builder) => self.in_listed(associated, builder, atom),
            Open::Change(header, mut builder) => match builder.push(atom)? {
                Built::In => {
                    self.open = Open::Change(header, builder);
                    Ok(None)
                }
                Built::Behind(atom) => {
                    let change = self.complete(header, builder)?;
                    self.events.push_back(change);
                    Ok(Some(atom))
                }
            },
            Open::Group(change, group) => self.in_group(change, group, atom),
            Open::Children(change, builder) => self.in_children(change, builder, atom),
            Open::Bare(builder) => self.in_bare(builder, atom),
            Open::Failure(mut props, interrupted) => match atom {
                Atom::Property(property) if !is_syntax(property.tag) => {
                    props.push(property);
                    self.open = Open::Failure(props, interrupted);
                    Ok(None)
                }
                atom => {
                    self.fail(props, interrupted);
                    Ok(Some(atom))
                }
            },
        }
    }

    /// Ends a list of properties with the atom after it.
    fn close_list(
        &mut self,
        list: List,
        props: Vec<Property>,
        atom: Atom,
    ) -> Result<Option<Atom>, Expected> {
        match (list, &atom) {
            (List::State, Atom::Marker(Marker::StateEnd)) => {
                self.events.push_back(Event::State(props));
                return Ok(None);
            }
            (List::State, _) => return Err("the end of a state"),
            (List::Header, Atom::Marker(Marker::Message)) => {
                self.open = Open::Change(props, Builder::new(Node::Message(Message::default())));
                return Ok(None);
            }
            (List::Header, _) => self.events.push_back(Event::FolderChange(props)),
            (List::PartialHeader, _) => {
                let before = std::mem::take(&mut self.before);
                let change = PartialChange {
                    progress: before.progress,
                    group_info: before.group_info,
                    group_id: before.group_id,
                    header: props,
                    ..PartialChange::default()
                };
                return self.after_groups(Box::new(change), atom);
            }
            (List::Folder(level), _) => self.begin_folder(level, props)?,
            (List::Progress, _) => self.events.push_back(Event::Progress(props)),
            (List::MessageProgress, _) => self.before.progress = Some(props),
            (List::GroupInfo, _) => self.before.group_info = Some(props),
            (List::Deletions, _) => self.events.push_back(Event::Deletions(props)),
            (List::ReadStates, _) => self.events.push_back(Event::ReadStates(props)),
        }
        Ok(Some(atom))
    }

    fn in_listed(
        &mut self,
        associated: bool,
        mut builder: Builder,
        atom: Atom,
    ) -> Result<Option<Atom>, Expected> {
        match builder.push(atom)? {
            Built::In => self.open = Open::Listed(associated, builder),
            Built::Behind(Atom::Marker(Marker::EndMessage)) => {
                let message = builder.into_message()?;
                let listed = ListedMessage {
                    associated,
                    message,
                };
                self.events.push_back(Event::Message(Box::new(listed)));
            }
            Built::Behind(_) => return Err("the end of a message"),
        }
        Ok(None)
    }

    fn in_group(
        &mut self,
        mut change: Box<PartialChange>,
        mut group: PropertyGroup,
        atom: Atom,
    ) -> Result<Option<Atom>, Expected> {
        match atom {
            Atom::Property(property) if !is_syntax(property.tag) => {
                group.props.push(property);
                self.open = Open::Group(change, group);
                Ok(None)
            }
            atom => {
                change.groups.push(group);
                self.after_groups(change, atom)
            }
        }
    }

    /// Goes on with a partial change after its header or a group.
    fn after_groups(
        &mut self,
        change: Box<PartialChange>,
        atom: Atom,
    ) -> Result<Option<Atom>, Expected> {
        match atom {
            Atom::Property(property) if property.tag == meta::GROUP => {
                let group = PropertyGroup {
                    index: property.as_i32().unwrap_or_default(),
                    props: Vec::new(),
                };
                self.open = Open::Group(change, group);
                Ok(None)
            }
            atom => {
                let builder = Builder::new(Node::Message(Message::default()));
                self.in_children(change, builder, atom)
            }
        }
    }

    fn in_children(
        &mut self,
        mut change: Box<PartialChange>,
        mut builder: Builder,
        atom: Atom,
    ) -> Result<Option<Atom>, Expected> {
        match builder.push(atom)? {
            Built::In => {
                self.open = Open::Children(change, builder);
                Ok(None)
            }
            Built::Behind(atom) => {
                change.children = builder.into_message()?;
                self.events.push_back(Event::PartialChange(change));
                Ok(Some(atom))
            }
        }
    }

    fn in_bare(&mut self, builder: Builder, atom: Atom) -> Result<Option<Atom>, Expected> {
        if builder.is_outermost() && is_of_folder(&atom) {
            self.begin_folder(FolderLevel::Content, builder.into_props()?)?;
            return Ok(Some(atom));
        }
        let embedded = matches!(atom, Atom::Marker(Marker::StartEmbedded));
        let mut builder = match embedded && builder.is_outermost() {
            true => builder.into_attachment()?,
            false => builder,
        };
        match builder.push(atom)? {
            Built::In => self.open = Open::Bare(builder),
            Built::Behind(_) => return Err("a recipient, an attachment or the end of the stream"),
        }
        Ok(None)
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

    fn begin_folder(&mut self, level: FolderLevel, props: Vec<Property>) -> Result<(), Expected> {
        if self.folders.len() >= FOLDER_DEPTH_MAX {
            return Err("less nesting");
        }
        self.folders.push(level);
        self.events.push_back(Event::FolderBegin(level, props));
        Ok(())
    }

    /// Begins what an atom begins.
    fn begin(&mut self, atom: Atom) -> Result<(), Expected> {
        if self.stage == Stage::Ended {
            return Err(AFTER_END);
        }
        match atom {
            Atom::Marker(marker) => self.begin_marker(marker),
            Atom::Property(property) => self.begin_property(property),
        }
    }

    fn begin_marker(&mut self, marker: Marker) -> Result<(), Expected> {
        let fresh = self.stage == Stage::Fresh;
        self.stage = self.stage.max(Stage::Begun);
        let list = match marker {
            Marker::Progress => List::Progress,
            Marker::MessageProgress => List::MessageProgress,
            Marker::GroupInfo => List::GroupInfo,
            Marker::Change => List::Header,
            Marker::PartialChange => List::PartialHeader,
            Marker::Deletions => List::Deletions,
            Marker::ReadStates => List::ReadStates,
            Marker::StateBegin => List::State,
            Marker::StartTopFolder if self.folders.is_empty() => List::Folder(FolderLevel::Top),
            Marker::StartSubFolder if !self.folders.is_empty() => List::Folder(FolderLevel::Sub),
            Marker::StartSubFolder if fresh => {
                self.begin_folder(FolderLevel::Content, Vec::new())?;
                List::Folder(FolderLevel::Sub)
            }
            Marker::StartMessage | Marker::StartAssociatedMessage => {
                let builder = Builder::new(Node::Message(Message::default()));
                self.open = Open::Listed(marker == Marker::StartAssociatedMessage, builder);
                return Ok(());
            }
            Marker::StartRecipient | Marker::StartAttachment | Marker::StartEmbedded if fresh => {
                let builder = Builder::new(Node::Message(Message::default()));
                return self.in_bare(builder, Atom::Marker(marker)).map(|_| ());
            }
            Marker::EndFolder => return self.end_folder(),
            Marker::SyncEnd => {
                self.stage = Stage::Ended;
                self.events.push_back(Event::SyncEnd);
                return Ok(());
            }
            _ => return Err("the beginning of an object"),
        };
        let is_sync = !matches!(list, List::State | List::Folder(_));
        if is_sync {
            self.stage = Stage::Sync;
        }
        self.open = Open::List(list, Vec::new());
        Ok(())
    }

    fn begin_property(&mut self, property: Property) -> Result<(), Expected> {
        let fresh = self.stage == Stage::Fresh;
        let value = property.as_i32().unwrap_or_default();
        match property.tag {
            // MS-OXCFXICS 2.2.4.1.5.1: a client ignores it.
            meta::DN_PREFIX => return Ok(()),
            meta::WARNING => self.events.push_back(Event::Warning(value)),
            meta::GROUP_ID => self.before.group_id = Some(value),
            _ if fresh => {
                let builder = Builder::new(Node::Message(Message::default()));
                self.stage = Stage::Begun;
                let behind = self.in_bare(builder, Atom::Property(property))?;
                return behind.map_or(Ok(()), |atom| self.begin(atom));
            }
            meta::DELETES if !self.folders.is_empty() => {
                let what = PropTag(value.cast_unsigned());
                self.events.push_back(Event::FolderReplaces(what));
            }
            meta::NEW_FOLDER if !self.folders.is_empty() => {
                if let Value::Octets(replicas) = property.value {
                    self.events.push_back(Event::FolderElsewhere(replicas));
                }
            }
            _ => return Err("the beginning of an object"),
        }
        self.stage = self.stage.max(Stage::Begun);
        Ok(())
    }

    fn end_folder(&mut self) -> Result<(), Expected> {
        match self.folders.pop() {
            Some(level @ (FolderLevel::Top | FolderLevel::Sub)) => {
                self.events.push_back(Event::FolderEnd(level));
                Ok(())
            }
            Some(FolderLevel::Content) | None => Err("the beginning of an object"),
        }
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

/// Whether a property is a word of the grammar, so that it ends a list of properties.
fn is_syntax(tag: PropTag) -> bool {
    [
        meta::DELETES,
        meta::WARNING,
        meta::NEW_FOLDER,
        meta::GROUP_ID,
        meta::GROUP,
    ]
    .contains(&tag)
}

/// Whether an atom makes a folder of the properties before it.
fn is_of_folder(atom: &Atom) -> bool {
    match atom {
        Atom::Marker(marker) => matches!(
            marker,
            Marker::StartMessage | Marker::StartAssociatedMessage | Marker::StartSubFolder
        ),
        Atom::Property(property) => match property.tag {
            meta::NEW_FOLDER | meta::WARNING => true,
            meta::DELETES => matches!(
                property.as_i32().map(i32::cast_unsigned),
                Some(meta::DELETES_CONTENTS | meta::DELETES_ASSOCIATED | meta::DELETES_SUBFOLDERS)
            ),
            _ => false,
        },
    }
}

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
