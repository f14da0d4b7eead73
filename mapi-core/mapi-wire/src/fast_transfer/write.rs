//! Events into atoms: the exact inverse of parsing. Source: MS-OXCFXICS 2.2.4.2.

use super::{
    encoder::Encoder,
    event::{Event, FolderLevel, MessageChange, PartialChange},
    marker::{Marker, meta},
    message::{Attachment, Message},
    property::{Property, Value},
};

impl Encoder {
    /// Writes an event.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Progress(props) => self.list(Marker::Progress, props),
            Event::Change(change) => self.change(change),
            Event::PartialChange(change) => self.partial_change(change),
            Event::FolderChange(props) => self.list(Marker::Change, props),
            Event::Deletions(props) => self.list(Marker::Deletions, props),
            Event::ReadStates(props) => self.list(Marker::ReadStates, props),
            Event::State(props) => {
                self.list(Marker::StateBegin, props);
                self.marker(Marker::StateEnd);
            }
            Event::SyncEnd => self.marker(Marker::SyncEnd),
            Event::Message(listed) => {
                self.marker(match listed.associated {
                    true => Marker::StartAssociatedMessage,
                    false => Marker::StartMessage,
                });
                self.message(&listed.message);
                self.marker(Marker::EndMessage);
            }
            Event::Warning(code) => self.property(&Property::i32(meta::WARNING.0, *code)),
            Event::FolderBegin(level, props) => match level {
                FolderLevel::Top => self.list(Marker::StartTopFolder, props),
                FolderLevel::Sub => self.list(Marker::StartSubFolder, props),
                FolderLevel::Content => self.properties(props),
            },
            Event::FolderElsewhere(replicas) => {
                self.property(&Property::new(
                    meta::NEW_FOLDER,
                    Value::Octets(replicas.clone()),
                ));
            }
            Event::FolderReplaces(what) => self.replaces(what.0),
            Event::FolderEnd(FolderLevel::Content) => {}
            Event::FolderEnd(_) => self.marker(Marker::EndFolder),
            Event::Content(message) => self.message(message),
            Event::AttachmentContent(attachment) => self.attachment(attachment),
            Event::Failure(props) => self.list(Marker::ErrorInfo, props),
        }
    }

    /// Writes a message without the markers around it.
    pub fn message(&mut self, message: &Message) {
        self.properties(&message.props);
        if message.replaces_recipients {
            self.replaces(meta::DELETES_RECIPIENTS);
        }
        for recipient in &message.recipients {
            self.list(Marker::StartRecipient, recipient);
            self.marker(Marker::EndRecipient);
        }
        if message.replaces_attachments {
            self.replaces(meta::DELETES_ATTACHMENTS);
        }
        for attachment in &message.attachments {
            self.marker(Marker::StartAttachment);
            self.attachment(attachment);
            self.marker(Marker::EndAttachment);
        }
    }

    fn attachment(&mut self, attachment: &Attachment) {
        self.properties(&attachment.props);
        if let Some(message) = &attachment.embedded {
            self.marker(Marker::StartEmbedded);
            self.message(message);
            self.marker(Marker::EndEmbedded);
        }
    }

    fn change(&mut self, change: &MessageChange) {
        if let Some(progress) = &change.progress {
            self.list(Marker::MessageProgress, progress);
        }
        self.list(Marker::Change, &change.header);
        self.marker(Marker::Message);
        self.message(&change.message);
    }

    fn partial_change(&mut self, change: &PartialChange) {
        if let Some(progress) = &change.progress {
            self.list(Marker::MessageProgress, progress);
        }
        if let Some(group_info) = &change.group_info {
            self.list(Marker::GroupInfo, group_info);
        }
        if let Some(id) = change.group_id {
            self.property(&Property::i32(meta::GROUP_ID.0, id));
        }
        self.list(Marker::PartialChange, &change.header);
        for group in &change.groups {
            self.property(&Property::i32(meta::GROUP.0, group.index));
            self.properties(&group.props);
        }
        self.message(&change.children);
    }

    fn list(&mut self, marker: Marker, props: &[Property]) {
        self.marker(marker);
        self.properties(props);
    }

    fn replaces(&mut self, what: u32) {
        self.property(&Property::i32(meta::DELETES.0, what.cast_signed()));
    }
}
