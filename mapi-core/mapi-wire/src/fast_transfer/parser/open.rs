//! What goes on with what is open. Source: MS-OXCFXICS 2.2.4.3.

use mapi_types::PropTag;

use super::{Expected, Parser};
use crate::fast_transfer::{
    builder::{Builder, Built, Node},
    event::{Event, FolderLevel, ListedMessage, PartialChange, PropertyGroup},
    lexer::Atom,
    marker::{Marker, meta},
    message::Message,
    property::Property,
};

/// What is open between the levels of the grammar.
#[derive(Clone, Debug, Default)]
pub(super) enum Open {
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
pub(super) enum List {
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
    /// Puts an atom into what is open; gives it back when it belongs behind that.
    pub(super) fn go_on(&mut self, open: Open, atom: Atom) -> Result<Option<Atom>, Expected> {
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

    pub(super) fn in_bare(
        &mut self,
        builder: Builder,
        atom: Atom,
    ) -> Result<Option<Atom>, Expected> {
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
}

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
