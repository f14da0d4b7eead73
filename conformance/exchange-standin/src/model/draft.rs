//! A message in the words of mail, for tests to put into mailboxes.

use mapi_types::PropTag;
use mapi_wire::{
    Guid, PropValue,
    property_name::{NameId, PropertyName},
};

use super::{
    error::Result,
    message::{Attachment, Content, Recipient},
    named::NamedProperties,
    props::Props,
    tags::{self, message_flags},
};

/// PS_PUBLIC_STRINGS.
pub const PS_PUBLIC_STRINGS: Guid =
    Guid::from_fields(0x0002_0329, 0, 0, [0xc0, 0, 0, 0, 0, 0, 0, 0x46]);

/// A person as mail names them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Person {
    /// What they are called.
    pub name: String,
    /// Their SMTP address.
    pub address: String,
}

impl Person {
    /// A person without a name of their own.
    pub fn at(address: &str) -> Self {
        let name = address.split('@').next().unwrap_or(address);
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
        }
    }
}

/// A message to be put into a mailbox.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// PidTagMessageClass; `IPM.Note` when empty.
    pub class: String,
    /// Its subject.
    pub subject: String,
    /// Who wrote it.
    pub from: Option<Person>,
    /// To whom.
    pub to: Vec<Person>,
    /// To whom also.
    pub cc: Vec<Person>,
    /// To whom secretly.
    pub bcc: Vec<Person>,
    /// The plain body.
    pub text: Option<String>,
    /// The HTML body, in UTF-8.
    pub html: Option<String>,
    /// The header it arrived with.
    pub header: Option<String>,
    /// Message-ID with its brackets.
    pub message_id: Option<String>,
    /// When it was sent, as PtypTime; now when missing.
    pub sent: Option<u64>,
    /// When it arrived, as PtypTime; now when missing.
    pub received: Option<u64>,
    /// Whether it has been read.
    pub read: bool,
    /// Whether it is a draft.
    pub unsent: bool,
    /// Whether it asks for a read receipt.
    pub asks_receipt: bool,
    /// Whether it is for programs (FAI).
    pub associated: bool,
    /// Categories.
    pub keywords: Vec<String>,
    /// Files.
    pub attachments: Vec<DraftAttachment>,
    /// Messages inside.
    pub embedded: Vec<Self>,
    /// Any other properties.
    pub props: Vec<(PropTag, PropValue)>,
}

/// A file in a [`Draft`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DraftAttachment {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// What is in it.
    pub data: Vec<u8>,
}

impl Draft {
    /// A message with this subject.
    pub fn about(subject: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            ..Self::default()
        }
    }

    /// With a plain body.
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    /// From this address.
    pub fn from(mut self, address: &str) -> Self {
        self.from = Some(Person::at(address));
        self
    }

    /// To this address too.
    pub fn to(mut self, address: &str) -> Self {
        self.to.push(Person::at(address));
        self
    }

    /// What it is in MAPI's terms. `now` stands for times that are not given.
    pub fn into_content(self, now: u64, named: &mut NamedProperties) -> Result<Content> {
        let mut content = Content {
            props: self.own_props(now),
            ..Content::default()
        };
        if !self.keywords.is_empty() {
            let keywords = PropertyName {
                set: PS_PUBLIC_STRINGS,
                id: NameId::Text("Keywords".into()),
            };
            let id = named.id_or_new(&keywords)?;
            let all = self.keywords.iter().map(|keyword| keyword.as_str().into());
            content.props.set(
                PropTag(u32::from(id) << 16 | 0x101f),
                PropValue::Strings(all.collect()),
            );
        }
        for (kind, people) in [(1, &self.to), (2, &self.cc), (3, &self.bcc)] {
            for person in people {
                let row = content.recipients.len() as u32;
                content.recipients.push(recipient(row, kind, person));
            }
        }
        for file in self.attachments {
            let number = content.take_attachment_number();
            content.attachments.push(attachment(number, file));
        }
        for inner in self.embedded {
            let number = content.take_attachment_number();
            let mut inner = inner.into_content(now, named)?;
            inner.derive();
            content.attachments.push(embedded(number, inner));
        }
        Ok(content)
    }

    fn own_props(&self, now: u64) -> Props {
        let mut props = Props::default();
        let class = if self.class.is_empty() {
            "IPM.Note"
        } else {
            &self.class
        };
        props.set_text(tags::MESSAGE_CLASS, class);
        props.set_text(tags::SUBJECT, &self.subject);
        let optional = [
            (tags::BODY, &self.text),
            (tags::TRANSPORT_MESSAGE_HEADERS, &self.header),
            (tags::INTERNET_MESSAGE_ID, &self.message_id),
        ];
        for (tag, text) in optional {
            if let Some(text) = text {
                props.set_text(tag, text);
            }
        }
        if let Some(html) = &self.html {
            props.set(tags::HTML, PropValue::Binary(html.as_bytes().into()));
            props.set(tags::INTERNET_CODEPAGE, PropValue::I32(65001));
        }
        if let Some(from) = &self.from {
            set_sender(&mut props, from);
        }
        props.set(
            tags::CLIENT_SUBMIT_TIME,
            PropValue::Time(self.sent.unwrap_or(now)),
        );
        if !self.unsent {
            props.set(
                tags::MESSAGE_DELIVERY_TIME,
                PropValue::Time(self.received.unwrap_or(now)),
            );
        }
        if self.asks_receipt {
            props.set(tags::READ_RECEIPT_REQUESTED, PropValue::Bool(true));
        }
        props.set(tags::MESSAGE_FLAGS, PropValue::I32(flags(self)));
        props.extend(self.props.iter().cloned());
        props
    }
}

fn flags(draft: &Draft) -> i32 {
    let mut flags = message_flags::UNMODIFIED;
    if draft.read {
        flags |= message_flags::READ;
    }
    if draft.unsent {
        flags |= message_flags::UNSENT;
    }
    flags
}

/// Names somebody outside as sender and author.
fn set_sender(props: &mut Props, person: &Person) {
    let name = [tags::SENT_REPRESENTING_NAME, tags::SENDER_NAME];
    let kind = [
        tags::SENT_REPRESENTING_ADDRESS_TYPE,
        tags::SENDER_ADDRESS_TYPE,
    ];
    let address = [
        tags::SENT_REPRESENTING_EMAIL_ADDRESS,
        tags::SENDER_EMAIL_ADDRESS,
        tags::SENT_REPRESENTING_SMTP_ADDRESS,
        tags::SENDER_SMTP_ADDRESS,
    ];
    for tag in name {
        props.set_text(tag, &person.name);
    }
    for tag in kind {
        props.set_text(tag, "SMTP");
    }
    for tag in address {
        props.set_text(tag, &person.address);
    }
    for tag in [tags::SENT_REPRESENTING_SEARCH_KEY, tags::SENDER_SEARCH_KEY] {
        props.set(tag, PropValue::Binary(search_key("SMTP", &person.address)));
    }
}

/// PidTagSearchKey of an address.
pub fn search_key(kind: &str, address: &str) -> Box<[u8]> {
    let mut key = format!("{kind}:{address}").to_uppercase().into_bytes();
    key.push(0);
    key.into()
}

fn recipient(row: u32, kind: u8, person: &Person) -> Recipient {
    let mut props = Props::default();
    props.set_text(tags::DISPLAY_NAME, &person.name);
    props.set_text(tags::RECIPIENT_DISPLAY_NAME, &person.name);
    props.set_text(tags::ADDRESS_TYPE, "SMTP");
    props.set_text(tags::EMAIL_ADDRESS, &person.address);
    props.set_text(tags::SMTP_ADDRESS, &person.address);
    props.set(tags::OBJECT_TYPE, PropValue::I32(6));
    props.set(tags::DISPLAY_TYPE, PropValue::I32(0));
    props.set(tags::RECIPIENT_FLAGS, PropValue::I32(1));
    props.set(
        tags::SEARCH_KEY,
        PropValue::Binary(search_key("SMTP", &person.address)),
    );
    Recipient { row, kind, props }
}

fn attachment(number: u32, file: DraftAttachment) -> Attachment {
    let mut props = Props::default();
    props.set(tags::ATTACH_METHOD, PropValue::I32(1));
    props.set_text(tags::ATTACH_LONG_FILENAME, &file.name);
    props.set_text(tags::ATTACH_FILENAME, &file.name);
    props.set_text(tags::DISPLAY_NAME, &file.name);
    props.set_text(tags::ATTACH_MIME_TAG, &file.media_type);
    props.set(tags::RENDERING_POSITION, PropValue::I32(-1));
    props.set(tags::ATTACH_DATA, PropValue::Binary(file.data.into()));
    Attachment {
        number,
        props,
        embedded: None,
    }
}

fn embedded(number: u32, content: Content) -> Attachment {
    let mut props = Props::default();
    let name = content.props.text(tags::SUBJECT).unwrap_or_default();
    props.set(tags::ATTACH_METHOD, PropValue::I32(5));
    props.set_text(tags::DISPLAY_NAME, &name);
    props.set(tags::RENDERING_POSITION, PropValue::I32(-1));
    Attachment {
        number,
        props,
        embedded: Some(Box::new(content)),
    }
}
