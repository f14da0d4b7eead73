//! Messages as trees of properties. Source: MS-OXCFXICS 2.2.4.3.16 (messageContent), 2.2.4.3.15 (messageChildren).

use mapi_types::PropTag;

use super::property::{Property, find};

/// A message with all it contains.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// The properties of the message itself.
    pub props: Vec<Property>,
    /// Whether the recipients a receiver has are replaced, not added to.
    pub replaces_recipients: bool,
    /// The recipients, each a list of properties.
    pub recipients: Vec<Vec<Property>>,
    /// Whether the attachments a receiver has are replaced, not added to.
    pub replaces_attachments: bool,
    /// The attachments.
    pub attachments: Vec<Attachment>,
}

/// An attachment, with the message in it if it has one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachment {
    /// Its properties; the number of the attachment comes first (PidTagAttachNumber).
    pub props: Vec<Property>,
    /// The message it contains.
    pub embedded: Option<Box<Message>>,
}

impl Message {
    /// The property with this tag.
    pub fn get(&self, tag: PropTag) -> Option<&Property> {
        find(&self.props, tag)
    }

    /// Whether it has properties at most.
    pub(super) const fn is_leaf(&self) -> bool {
        self.recipients.is_empty() && self.attachments.is_empty()
    }
}

impl Attachment {
    /// The property with this tag.
    pub fn get(&self, tag: PropTag) -> Option<&Property> {
        find(&self.props, tag)
    }
}
