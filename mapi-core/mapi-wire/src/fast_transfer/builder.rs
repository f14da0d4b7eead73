//! Atoms into the tree of one message. Source: MS-OXCFXICS 2.2.4.3.15, 2.2.4.3.16.

use mapi_types::PropTag;

use super::{
    lexer::Atom,
    marker::{Marker, meta},
    message::{Attachment, Message},
    property::Property,
};
use crate::cursor::DEPTH_MAX;

/// How many messages may lie within each other, below the outermost, each with all its parts.
pub const EMBEDDED_DEPTH_MAX: usize = DEPTH_MAX as usize - 1;

/// A message under construction, or an attachment that comes alone.
#[derive(Clone, Debug)]
pub(super) struct Builder {
    /// What contains what is open.
    outer: Vec<Node>,
    /// What is open.
    open: Node,
}

/// What can be open.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Message(Message),
    Recipient(Vec<Property>),
    Attachment(Attachment),
}

/// What became of an atom.
#[derive(Debug)]
pub(super) enum Built {
    /// It is in the tree.
    In,
    /// It belongs behind the tree, which is complete.
    Behind(Atom),
}

/// What was expected instead of an atom; lower case.
type Expected = &'static str;

impl Builder {
    pub(super) const fn new(open: Node) -> Self {
        Self {
            outer: Vec::new(),
            open,
        }
    }

    /// Whether only the outermost object is open.
    pub(super) const fn is_outermost(&self) -> bool {
        self.outer.is_empty()
    }

    /// The outermost object, when no other is open.
    pub(super) fn finish(self) -> Result<Node, Expected> {
        match self.outer.is_empty() {
            true => Ok(self.open),
            false => Err("the end of a recipient, an attachment or an embedded message"),
        }
    }

    /// The outermost object taken for an attachment, which it can be as long as it has nothing but properties.
    pub(super) fn into_attachment(self) -> Result<Self, Expected> {
        let props = self.into_props()?;
        Ok(Self::new(Node::Attachment(Attachment {
            props,
            embedded: None,
        })))
    }

    /// The properties of the outermost object, if it has nothing else.
    pub(super) fn into_props(self) -> Result<Vec<Property>, Expected> {
        match self.finish()? {
            Node::Message(message) if message.is_leaf() => Ok(message.props),
            _ => Err("the end of the stream"),
        }
    }

    /// The outermost object, which is a message.
    pub(super) fn into_message(self) -> Result<Message, Expected> {
        match self.finish()? {
            Node::Message(message) => Ok(message),
            Node::Recipient(_) | Node::Attachment(_) => Err("the end of an attachment"),
        }
    }

    /// Puts an atom into the tree.
    pub(super) fn push(&mut self, atom: Atom) -> Result<Built, Expected> {
        match atom {
            Atom::Property(property) if self.is_outermost() && is_outside(property.tag) => {
                return Ok(Built::Behind(Atom::Property(property)));
            }
            Atom::Property(property) => self.property(property)?,
            Atom::Marker(marker) => {
                if !self.marker(marker)? {
                    return Ok(Built::Behind(atom));
                }
            }
        }
        Ok(Built::In)
    }

    fn property(&mut self, property: Property) -> Result<(), Expected> {
        match &mut self.open {
            Node::Recipient(props) => props.push(property),
            Node::Attachment(attachment) if attachment.embedded.is_some() => {
                return Err("the end of an attachment");
            }
            Node::Attachment(attachment) => attachment.props.push(property),
            Node::Message(message) => return message_property(message, property),
        }
        Ok(())
    }

    /// Obeys a marker; whether it belongs to the tree.
    fn marker(&mut self, marker: Marker) -> Result<bool, Expected> {
        match (&self.open, marker) {
            (Node::Message(_), Marker::StartRecipient) => self.begin(Node::Recipient(Vec::new())),
            (Node::Message(_), Marker::StartAttachment) => {
                self.begin(Node::Attachment(Attachment::default()))
            }
            (Node::Attachment(Attachment { embedded: None, .. }), Marker::StartEmbedded) => {
                self.begin(Node::Message(Message::default()))
            }
            (Node::Recipient(_), Marker::EndRecipient)
            | (Node::Attachment(_), Marker::EndAttachment)
            | (Node::Message(_), Marker::EndEmbedded) => self.end(),
            (Node::Recipient(_), _) => Err("the end of a recipient"),
            _ if self.outer.is_empty() => Ok(false),
            (Node::Attachment(_), _) => Err("the end of an attachment"),
            (Node::Message(_), _) => Err("the end of an embedded message"),
        }
    }

    fn begin(&mut self, node: Node) -> Result<bool, Expected> {
        // Each message that is embedded adds itself and its attachment.
        if self.outer.len() >= 2 * (EMBEDDED_DEPTH_MAX + 1) {
            return Err("less nesting");
        }
        let outer = std::mem::replace(&mut self.open, node);
        self.outer.push(outer);
        Ok(true)
    }

    fn end(&mut self) -> Result<bool, Expected> {
        let Some(outer) = self.outer.pop() else {
            return Ok(false);
        };
        let inner = std::mem::replace(&mut self.open, outer);
        match (&mut self.open, inner) {
            (Node::Message(message), Node::Recipient(props)) => message.recipients.push(props),
            (Node::Message(message), Node::Attachment(inner)) => message.attachments.push(inner),
            (Node::Attachment(attachment), Node::Message(message)) => {
                attachment.embedded = Some(Box::new(message));
            }
            _ => return Err("the end of what is open"),
        }
        Ok(true)
    }
}

/// Whether a property is about what comes after a message.
fn is_outside(tag: PropTag) -> bool {
    [meta::WARNING, meta::GROUP_ID, meta::NEW_FOLDER].contains(&tag)
}

fn message_property(message: &mut Message, property: Property) -> Result<(), Expected> {
    match property.tag {
        meta::DELETES => {
            match property.as_i32().map(i32::cast_unsigned) {
                Some(meta::DELETES_RECIPIENTS) => message.replaces_recipients = true,
                Some(meta::DELETES_ATTACHMENTS) => message.replaces_attachments = true,
                // A message has no other kinds of sub-objects.
                _ => {}
            }
        }
        // MS-OXCFXICS 2.2.4.1.5.1: a client ignores it.
        meta::DN_PREFIX => {}
        _ if message.is_leaf() => message.props.push(property),
        _ => return Err("a recipient or an attachment"),
    }
    Ok(())
}
