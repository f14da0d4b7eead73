//! A message: who it is, and what is in it.

use std::sync::Arc;

use mapi_wire::PropValue;

use super::{
    change::{Predecessors, Xid},
    ids::{Cn, Fid, Mid},
    props::Props,
    tags::{self, message_flags},
};

/// What is in a message: properties, recipients, attachments. Also that of a message inside an attachment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// The properties that are kept; others are computed when asked for.
    pub props: Props,
    /// To whom, by row.
    pub recipients: Vec<Recipient>,
    /// Attachments, by number.
    pub attachments: Vec<Attachment>,
    /// The number of the next attachment: numbers are not used again.
    pub next_attachment: u32,
}

/// A recipient.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recipient {
    /// Its row: chosen by the client, kept.
    pub row: u32,
    /// PidTagRecipientType with its flags: 1 To, 2 Cc, 3 Bcc.
    pub kind: u8,
    /// The rest.
    pub props: Props,
}

/// An attachment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachment {
    /// PidTagAttachNumber.
    pub number: u32,
    /// Its properties, the data among them.
    pub props: Props,
    /// The message in it, with PidTagAttachMethod 5.
    pub embedded: Option<Box<Content>>,
}

/// Receipts that a message asks for and that have not been sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PendingReceipts {
    /// One when it is read.
    pub read: bool,
    /// One when it is deleted unread.
    pub unread: bool,
}

/// A message in a folder.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub mid: Mid,
    /// Where it is.
    pub folder: Fid,
    /// Whether it is one for programs (FAI).
    pub associated: bool,
    /// The number of its last change.
    pub cn: Cn,
    /// The number of its last change of read state; 0 when there was none.
    pub read_cn: Cn,
    /// The identifier of its last change.
    pub change_key: Xid,
    /// The versions it came after.
    pub predecessors: Predecessors,
    /// PidTagInternetArticleNumber: ascending in its folder, another one when the content changes.
    pub article: u32,
    /// Whether it was read.
    pub read: bool,
    /// Receipts still to be sent.
    pub receipts: PendingReceipts,
    /// PidTagMessageStatus: kept outside of the content, and no change of it has a number.
    pub status: u32,
    /// Who made it: the key of a user.
    pub creator: Arc<str>,
    /// What is in it.
    pub content: Arc<Content>,
    /// PidTagMessageSize, of that content.
    pub size: usize,
}

impl Content {
    /// PidTagMessageSize: about the octets of all that is in it.
    pub fn size(&self) -> usize {
        let recipients = self.recipients.iter().map(|r| 16 + r.props.size());
        let attachments = self.attachments.iter().map(Attachment::size);
        128 + self.props.size() + recipients.sum::<usize>() + attachments.sum::<usize>()
    }

    /// The attachment with this number.
    pub fn attachment(&self, number: u32) -> Option<&Attachment> {
        self.attachments.iter().find(|a| a.number == number)
    }

    /// Replaces the attachment of this number, or adds it.
    pub fn put_attachment(&mut self, attachment: Attachment) {
        match self
            .attachments
            .iter_mut()
            .find(|a| a.number == attachment.number)
        {
            Some(slot) => *slot = attachment,
            None => self.attachments.push(attachment),
        }
    }

    /// A number for a new attachment.
    pub fn take_attachment_number(&mut self) -> u32 {
        let number = self.next_attachment;
        self.next_attachment += 1;
        number
    }

    /// What a server derives when a message is saved: the subject's parts, who is shown as recipient, the kind of body.
    /// Source: MS-OXCMSG 2.2.1.7 to 2.2.1.10 and 2.2.1.46, MS-OXBBODY 2.1.
    pub fn derive(&mut self) {
        self.derive_subject();
        for (tag, kind) in [
            (tags::DISPLAY_TO, 1),
            (tags::DISPLAY_CC, 2),
            (tags::DISPLAY_BCC, 3),
        ] {
            let names = self.recipients.iter().filter(|r| r.kind & 0xf == kind);
            let names: Vec<_> = names.map(Recipient::display_name).collect();
            self.props.set_text(tag, &names.join("; "));
        }
        self.props
            .set_default(tags::MESSAGE_CLASS, PropValue::String("IPM.Note".into()));
        self.props.set_default(tags::IMPORTANCE, PropValue::I32(1));
        self.props.set_default(tags::SENSITIVITY, PropValue::I32(0));
        let body = if self.props.get(tags::HTML).is_some() {
            Some(3)
        } else if self.props.get(tags::RTF_COMPRESSED).is_some() {
            Some(2)
        } else {
            self.props.get(tags::BODY).map(|_| 1)
        };
        if let Some(body) = body {
            self.props.set(tags::NATIVE_BODY, PropValue::I32(body));
        }
    }

    fn derive_subject(&mut self) {
        let props = &mut self.props;
        let Some(subject) = props.text(tags::SUBJECT) else {
            let prefix = props.text(tags::SUBJECT_PREFIX).unwrap_or_default();
            if let Some(normalized) = props.text(tags::NORMALIZED_SUBJECT) {
                props.set_text(tags::SUBJECT, &format!("{prefix}{normalized}"));
            }
            return;
        };
        let given = props.text(tags::SUBJECT_PREFIX);
        let prefix = match given.filter(|prefix| subject.starts_with(prefix.as_str())) {
            Some(prefix) => prefix,
            None => subject_prefix(&subject).to_owned(),
        };
        let normalized = subject.get(prefix.len()..).unwrap_or_default().to_owned();
        props.set_text(tags::SUBJECT_PREFIX, &prefix);
        props.set_text(tags::NORMALIZED_SUBJECT, &normalized);
        props.set_default(
            tags::CONVERSATION_TOPIC,
            PropValue::String(normalized.as_str().into()),
        );
    }
}

/// One to three letters, a colon and a space at the beginning. Source: MS-OXCMSG 2.2.1.9.
fn subject_prefix(subject: &str) -> &str {
    match subject.split_once(": ") {
        Some((word, _))
            if (1..=3).contains(&word.chars().count()) && word.chars().all(char::is_alphabetic) =>
        {
            subject.get(..word.len() + 2).unwrap_or_default()
        }
        _ => "",
    }
}

impl Recipient {
    /// The name to show.
    pub fn display_name(&self) -> String {
        let props = &self.props;
        let name = props.text(tags::DISPLAY_NAME);
        let name = name.or_else(|| props.text(tags::RECIPIENT_DISPLAY_NAME));
        name.or_else(|| self.address()).unwrap_or_default()
    }

    /// The SMTP address, or what else there is as an address.
    pub fn address(&self) -> Option<String> {
        let smtp = self.props.text(tags::SMTP_ADDRESS);
        smtp.or_else(|| self.props.text(tags::EMAIL_ADDRESS))
    }
}

impl Attachment {
    /// PidTagAttachSize.
    pub fn size(&self) -> usize {
        let embedded = self.embedded.as_ref().map_or(0, |content| content.size());
        32 + self.props.size() + embedded
    }
}

impl Message {
    /// PidTagMessageFlags: what was set before the first save, and what is computed.
    pub fn flags(&self) -> i32 {
        let kept = self
            .content
            .props
            .i32(tags::MESSAGE_FLAGS)
            .unwrap_or_default();
        let computed = [
            (self.read, message_flags::READ),
            (
                !self.content.attachments.is_empty(),
                message_flags::HAS_ATTACH,
            ),
            (self.associated, message_flags::ASSOCIATED),
            (self.receipts.read, message_flags::NOTIFY_READ),
            (self.receipts.unread, message_flags::NOTIFY_UNREAD),
        ];
        let mask = computed.iter().fold(0, |mask, (_, bit)| mask | bit);
        let computed = computed.iter().filter(|(yes, _)| *yes);
        computed.fold(kept & !mask, |flags, (_, bit)| flags | bit)
    }

    /// Whether it is a draft.
    pub fn is_unsent(&self) -> bool {
        self.flags() & message_flags::UNSENT != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_split_at_a_short_word_with_a_colon() {
        for (subject, prefix, normalized) in [
            ("Re: lunch", "Re: ", "lunch"),
            ("AW: lunch", "AW: ", "lunch"),
            ("Note: lunch", "", "Note: lunch"),
            ("1: lunch", "", "1: lunch"),
            ("lunch", "", "lunch"),
        ] {
            let mut content = Content::default();
            content.props.set_text(tags::SUBJECT, subject);
            content.derive();
            assert_eq!(
                content.props.text(tags::SUBJECT_PREFIX).as_deref(),
                Some(prefix)
            );
            assert_eq!(
                content.props.text(tags::NORMALIZED_SUBJECT).as_deref(),
                Some(normalized)
            );
        }
    }

    #[test]
    fn a_subject_in_parts_becomes_whole() {
        let mut content = Content::default();
        content.props.set_text(tags::SUBJECT_PREFIX, "Re: ");
        content.props.set_text(tags::NORMALIZED_SUBJECT, "lunch");
        content.derive();
        assert_eq!(
            content.props.text(tags::SUBJECT).as_deref(),
            Some("Re: lunch")
        );
    }
}
