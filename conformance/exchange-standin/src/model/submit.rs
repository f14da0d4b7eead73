//! Sending: who may send as whom, delivery to mailboxes here, and what becomes of the sent message.
//! Source: MS-OXOMSG 3.2.4, 3.3.5.

use std::{collections::BTreeSet, sync::Arc};

use mapi_wire::{Gid, PropValue, ServerId};

use super::{
    draft::Draft,
    error::{Code, Result},
    ids::{Fid, Mid},
    mailbox::Mailbox,
    message::{Content, Recipient},
    message_changes::{Deletion, NewMessage},
    organisation::{Organisation, Outgoing},
    tags::{self, message_flags},
    user::UserKind,
};

/// The bit of a recipient type that says that the message was sent to them before. Source: MS-OXCMSG 2.2.3.1.2.
const SENT_BEFORE: u8 = 0x80;

/// How deep lists may be members of lists.
const LIST_DEPTH_MAX: u32 = 8;

/// Properties that are of no use to who receives a message.
const PRIVATE: [mapi_types::PropTag; 6] = [
    tags::DELETE_AFTER_SUBMIT,
    tags::SENT_MAIL_ENTRY_ID,
    tags::SENT_MAIL_SERVER_ID,
    tags::TARGET_ENTRY_ID,
    tags::SUBMIT_FLAGS,
    tags::DISPLAY_BCC,
];

/// Where the copies of a message go.
#[derive(Default)]
struct Destinations {
    local: BTreeSet<String>,
    outside: Vec<String>,
    unknown: Vec<String>,
}

impl Organisation {
    /// Sends a saved message of a mailbox, for the user `sender`.
    pub fn submit(&mut self, mailbox: &str, mid: Mid, sender: &str) -> Result<()> {
        let message = Arc::clone(self.mailbox(mailbox)?.message(mid)?);
        if message
            .content
            .props
            .i32(tags::MESSAGE_FLAGS)
            .unwrap_or_default()
            & message_flags::SUBMITTED
            != 0
        {
            return Err(Code::SUBMITTED);
        }
        let quota = self.mailbox(mailbox)?.quota.submission;
        if quota.is_some_and(|quota| message.size as u64 > quota) {
            return Err(Code::MAX_SUBMISSION_EXCEEDED);
        }
        let resend = message.flags() & message_flags::RESEND != 0;
        let recipients = message.content.recipients.iter();
        let recipients: Vec<_> = recipients
            .filter(|r| !resend || r.kind & SENT_BEFORE == 0)
            .collect();
        if recipients.is_empty() {
            return Err(Code::NO_RECIPIENTS);
        }
        let destinations = self.destinations(&recipients);
        let mut content = Content::clone(&message.content);
        self.name_sender(&mut content, mailbox, sender)?;
        self.stamp(&mut content, mid);
        for key in &destinations.local {
            self.deliver_copy(key, &content)?;
        }
        if !destinations.outside.is_empty() {
            self.outgoing.push(Outgoing {
                from: content
                    .props
                    .text(tags::SENT_REPRESENTING_SMTP_ADDRESS)
                    .unwrap_or_default(),
                to: destinations.outside,
                content: received(&content),
            });
        }
        if !destinations.unknown.is_empty() {
            self.report_unknown(sender, &content, &destinations.unknown)?;
        }
        self.mailbox_mut(mailbox)?.keep_sent(mid, content)
    }

    /// Says who sent it and who wrote it. Source: MS-OXOMSG 2.2.1.48 to 2.2.1.57.
    fn name_sender(&self, content: &mut Content, mailbox: &str, sender: &str) -> Result<()> {
        let props = &mut content.props;
        let named = [
            tags::SENT_REPRESENTING_SMTP_ADDRESS,
            tags::SENT_REPRESENTING_EMAIL_ADDRESS,
        ];
        let named = named.into_iter().find_map(|tag| props.text(tag));
        let author = match &named {
            Some(address) => self.by_any(address).ok_or(Code::ACCESS_DENIED)?,
            None => self.user(mailbox).ok_or(Code::ACCESS_DENIED)?,
        };
        let sender = self.user(sender).ok_or(Code::ACCESS_DENIED)?;
        if author.key == sender.key || author.send_as.contains(&sender.key) {
            author.send(props);
        } else if author.on_behalf.contains(&sender.key) {
            sender.send(props);
        } else {
            return Err(Code::ACCESS_DENIED);
        }
        author.represent(props);
        Ok(())
    }

    fn stamp(&self, content: &mut Content, mid: Mid) {
        let now = self.clock.now();
        let props = &mut content.props;
        props.set(tags::CLIENT_SUBMIT_TIME, PropValue::Time(now));
        props.set(tags::MESSAGE_DELIVERY_TIME, PropValue::Time(now));
        let id = format!("<{:x}.{now:x}@standin.{}>", mid.0, self.domain);
        props.set_default(
            tags::INTERNET_MESSAGE_ID,
            PropValue::String(id.as_str().into()),
        );
        content.derive();
    }

    fn destinations(&self, recipients: &[&Recipient]) -> Destinations {
        let mut found = Destinations::default();
        for recipient in recipients {
            let addresses = [tags::SMTP_ADDRESS, tags::EMAIL_ADDRESS];
            let mut addresses = addresses
                .into_iter()
                .filter_map(|tag| recipient.props.text(tag));
            match addresses.clone().find_map(|address| self.by_any(&address)) {
                Some(user) => self.expand(&user.key, &mut found, 0),
                None => {
                    let address = addresses.next().unwrap_or_default();
                    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
                    match domain.is_some_and(|domain| !domain.eq_ignore_ascii_case(&self.domain)) {
                        true => found.outside.push(address),
                        false => found.unknown.push(address),
                    }
                }
            }
        }
        found
    }

    fn expand(&self, key: &str, found: &mut Destinations, depth: u32) {
        match self.user(key).map(|user| &user.kind) {
            Some(UserKind::List(members)) if depth < LIST_DEPTH_MAX => {
                for member in members {
                    self.expand(member, found, depth + 1);
                }
            }
            Some(UserKind::Person | UserKind::Shared) => {
                found.local.insert(key.to_owned());
            }
            _ => {}
        }
    }

    /// Puts a copy of a message where mail of its class goes in a mailbox.
    fn deliver_copy(&mut self, key: &str, content: &Content) -> Result<Mid> {
        let mut copy = received(content);
        let user = self.user(key).ok_or(Code::NOT_FOUND)?;
        let is_me = |recipient: &&Recipient| {
            let address = recipient.props.text(tags::SMTP_ADDRESS);
            let address = address.or_else(|| recipient.props.text(tags::EMAIL_ADDRESS));
            address.is_some_and(|a| user.has_address(&a) || user.legacy_dn.eq_ignore_ascii_case(&a))
        };
        let kinds: Vec<_> = copy
            .recipients
            .iter()
            .filter(is_me)
            .map(|r| r.kind & 0xf)
            .collect();
        user.receive(&mut copy.props);
        let me = PropValue::Bool(true);
        for (tag, yes) in [
            (tags::MESSAGE_TO_ME, kinds.contains(&1)),
            (tags::MESSAGE_CC_ME, kinds.contains(&2)),
            (tags::MESSAGE_RECIPIENT_ME, !kinds.is_empty()),
        ] {
            if yes {
                copy.props.set(tag, me.clone());
            }
        }
        let header = header_block(&copy);
        copy.props.set_default(
            tags::TRANSPORT_MESSAGE_HEADERS,
            PropValue::String(header.as_str().into()),
        );
        self.mailbox_mut(key)?.deliver(copy)
    }

    fn report_unknown(
        &mut self,
        sender: &str,
        content: &Content,
        unknown: &[String],
    ) -> Result<()> {
        let subject = content.props.text(tags::SUBJECT).unwrap_or_default();
        let report = Draft {
            class: "REPORT.IPM.Note.NDR".into(),
            text: Some(format!("Unknown here: {}", unknown.join(", "))),
            ..Draft::about(&format!("Undeliverable: {subject}"))
        };
        let report = report.from(&format!("postmaster@{}", self.domain));
        let now = self.clock.now();
        let mailbox = self.mailbox_mut(sender)?;
        let content = report.into_content(now, &mut mailbox.named)?;
        mailbox.deliver(content)?;
        Ok(())
    }
}

impl Mailbox {
    /// Puts a message that arrived where mail of its class goes.
    pub fn deliver(&mut self, content: Content) -> Result<Mid> {
        let class = content.props.text(tags::MESSAGE_CLASS).unwrap_or_default();
        let folder = self.receive_folder(&class).map(|entry| entry.folder);
        self.deliver_message(NewMessage {
            folder: folder.unwrap_or(self.special.inbox()),
            associated: false,
            mid: None,
            content,
            creator: "transport".into(),
            version: None,
        })
    }

    /// What becomes of a message that was sent: it goes to the folder it asks for, or away, or stays where it is.
    fn keep_sent(&mut self, mid: Mid, mut content: Content) -> Result<()> {
        let fid = self.message(mid)?.folder;
        if content.props.is_true(tags::DELETE_AFTER_SUBMIT) {
            return self.delete_message(fid, mid, Deletion::Hard, false);
        }
        let target = self.sent_folder(&content);
        let wanted = self.wanted_mid(&content);
        for tag in PRIVATE.into_iter().filter(|tag| *tag != tags::DISPLAY_BCC) {
            content.props.remove(tag);
        }
        self.replace_content(mid, content, None)?;
        self.folder_mut(fid)?.change(mid, |message| {
            let content = Arc::make_mut(&mut message.content);
            content
                .props
                .set(tags::MESSAGE_FLAGS, PropValue::I32(message_flags::FROM_ME));
            message.read = true;
        });
        let Some(folder) = target.filter(|target| *target != fid) else {
            return Ok(());
        };
        let message = self.message(mid)?;
        let version = (message.change_key.clone(), message.predecessors.clone());
        let version = wanted.is_some().then_some(version);
        self.move_message(mid, folder, wanted, version)?;
        Ok(())
    }

    fn sent_folder(&self, content: &Content) -> Option<Fid> {
        if let Some(PropValue::ServerId(ServerId::Ours { folder, .. })) =
            content.props.get(tags::SENT_MAIL_SERVER_ID)
        {
            return Fid::from_wire(*folder).filter(|fid| self.folder(*fid).is_ok());
        }
        self.folder_of_entry_id(content.props.binary(tags::SENT_MAIL_ENTRY_ID)?)
    }

    /// The id that a client wants the sent message to have, when it may. Source: MS-OXOMSG 3.2.4.4.
    fn wanted_mid(&self, content: &Content) -> Option<Mid> {
        let entry_id = content.props.binary(tags::TARGET_ENTRY_ID)?;
        let gid = Gid::from_bytes(entry_id.get(46..46 + Gid::BYTES)?)?;
        let counter = self.own_counter(gid)?;
        self.is_free(counter).then_some(Mid(counter))
    }
}

/// A message as it is received: without what only its sender may know.
fn received(content: &Content) -> Content {
    let mut copy = content.clone();
    for tag in PRIVATE {
        copy.props.remove(tag);
    }
    copy.recipients
        .retain(|recipient| recipient.kind & 0xf != 3);
    for recipient in &mut copy.recipients {
        recipient.kind &= 0xf;
    }
    copy.props.set(
        tags::MESSAGE_FLAGS,
        PropValue::I32(message_flags::UNMODIFIED),
    );
    copy
}

fn header_block(content: &Content) -> String {
    let text = |tag| content.props.text(tag).unwrap_or_default();
    let to = content.recipients.iter().filter_map(Recipient::address);
    format!(
        "From: {} <{}>\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: {}\r\n\r\n",
        text(tags::SENT_REPRESENTING_NAME),
        text(tags::SENT_REPRESENTING_SMTP_ADDRESS),
        to.collect::<Vec<_>>().join(", "),
        text(tags::SUBJECT),
        text(tags::INTERNET_MESSAGE_ID),
    )
}
