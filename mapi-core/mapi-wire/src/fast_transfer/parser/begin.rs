//! What an atom begins when nothing is open. Source: MS-OXCFXICS 2.2.4.2.

use mapi_types::PropTag;

use super::{
    AFTER_END, Expected, FOLDER_DEPTH_MAX, Parser, Stage,
    open::{List, Open},
};
use crate::fast_transfer::{
    builder::{Builder, Node},
    event::{Event, FolderLevel},
    lexer::Atom,
    marker::{Marker, meta},
    message::Message,
    property::{Property, Value},
};

impl Parser {
    /// Begins what an atom begins.
    pub(super) fn begin(&mut self, atom: Atom) -> Result<(), Expected> {
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

    pub(super) fn begin_folder(
        &mut self,
        level: FolderLevel,
        props: Vec<Property>,
    ) -> Result<(), Expected> {
        if self.folders.len() >= FOLDER_DEPTH_MAX {
            return Err("less nesting");
        }
        self.folders.push(level);
        self.events.push_back(Event::FolderBegin(level, props));
        Ok(())
    }
}
