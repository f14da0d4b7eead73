//! A user of the organisation, or a list of users.

use std::collections::BTreeSet;

use mapi_wire::PropValue;

use super::{
    draft::{Person, search_key},
    entry_id::address_book,
    message::Recipient,
    props::Props,
    tags,
};

/// What an entry of the address book is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UserKind {
    /// A person with a mailbox.
    Person,
    /// A mailbox that several share; nobody logs in as it.
    Shared,
    /// A distribution list, with the keys of its members.
    List(Vec<String>),
}

/// An entry of the address book.
#[derive(Clone, Debug)]
pub struct User {
    /// What it is known by here: the part of the address before the at sign.
    pub key: String,
    /// What it is.
    pub kind: UserKind,
    /// What people call it.
    pub display_name: String,
    /// Its SMTP address.
    pub smtp: String,
    /// Other addresses it has.
    pub aliases: Vec<String>,
    /// Other names it logs in by: a user principal name, a Windows domain and user.
    pub log_in_names: Vec<String>,
    /// What it logs in with.
    pub password: String,
    /// Bearer tokens that are good for it.
    pub tokens: BTreeSet<String>,
    /// Its distinguished name in the old style.
    pub legacy_dn: String,
    /// Its place in the address book (MId).
    pub mid: u32,
    /// Who may send in its name without that being seen.
    pub send_as: BTreeSet<String>,
    /// Who may send on its behalf.
    pub on_behalf: BTreeSet<String>,
    /// Whether MAPI over HTTP is switched off for it.
    pub mapi_disabled: bool,
}

impl User {
    /// PidTagDisplayType: 0 a mail user, 1 a list.
    pub const fn display_type(&self) -> u32 {
        match self.kind {
            UserKind::List(_) => 1,
            _ => 0,
        }
    }

    /// Its entry id.
    pub fn entry_id(&self) -> Box<[u8]> {
        address_book(&self.legacy_dn, self.display_type())
    }

    /// As mail names it.
    pub fn person(&self) -> Person {
        Person {
            name: self.display_name.clone(),
            address: self.smtp.clone(),
        }
    }

    /// Whether it has this address.
    pub fn has_address(&self, address: &str) -> bool {
        let same = |own: &String| own.eq_ignore_ascii_case(address);
        same(&self.smtp) || self.aliases.iter().any(same)
    }

    /// Whether a name at login means it: the address, the part before the at sign, or one of the other names.
    pub fn is_login(&self, name: &str) -> bool {
        let is = |own: &String| own.eq_ignore_ascii_case(name);
        is(&self.smtp) || is(&self.key) || self.log_in_names.iter().any(is)
    }

    /// Whether typed letters find it (ambiguous name resolution): any of its words begins with them.
    pub fn answers_to(&self, typed: &str) -> bool {
        let typed = typed.trim().to_lowercase();
        let name = self.display_name.to_lowercase();
        let smtp = self.smtp.to_lowercase();
        let words = name.split_whitespace().any(|word| word.starts_with(&typed));
        !typed.is_empty() && (name.starts_with(&typed) || words || smtp.starts_with(&typed))
    }

    /// As a recipient of a message.
    pub fn recipient(&self, row: u32, kind: u8) -> Recipient {
        let mut props = Props::default();
        self.name_in(&mut props);
        Recipient { row, kind, props }
    }

    /// Sets what names it in a recipient.
    fn name_in(&self, props: &mut Props) {
        props.set_text(tags::DISPLAY_NAME, &self.display_name);
        props.set_text(tags::RECIPIENT_DISPLAY_NAME, &self.display_name);
        props.set_text(tags::ADDRESS_TYPE, "EX");
        props.set_text(tags::EMAIL_ADDRESS, &self.legacy_dn);
        props.set_text(tags::SMTP_ADDRESS, &self.smtp);
        props.set(tags::ENTRY_ID, PropValue::Binary(self.entry_id()));
        props.set(
            tags::SEARCH_KEY,
            PropValue::Binary(search_key("EX", &self.legacy_dn)),
        );
    }

    /// Names it as the author of a message (PidTagSentRepresenting…).
    pub fn represent(&self, props: &mut Props) {
        props.set_text(tags::SENT_REPRESENTING_NAME, &self.display_name);
        props.set_text(tags::SENT_REPRESENTING_ADDRESS_TYPE, "EX");
        props.set_text(tags::SENT_REPRESENTING_EMAIL_ADDRESS, &self.legacy_dn);
        props.set_text(tags::SENT_REPRESENTING_SMTP_ADDRESS, &self.smtp);
        let entry_id = PropValue::Binary(self.entry_id());
        props.set(tags::SENT_REPRESENTING_ENTRY_ID, entry_id);
        let key = PropValue::Binary(search_key("EX", &self.legacy_dn));
        props.set(tags::SENT_REPRESENTING_SEARCH_KEY, key);
    }

    /// Names it as who sent a message (PidTagSender…).
    pub fn send(&self, props: &mut Props) {
        props.set_text(tags::SENDER_NAME, &self.display_name);
        props.set_text(tags::SENDER_ADDRESS_TYPE, "EX");
        props.set_text(tags::SENDER_EMAIL_ADDRESS, &self.legacy_dn);
        props.set_text(tags::SENDER_SMTP_ADDRESS, &self.smtp);
        props.set(tags::SENDER_ENTRY_ID, PropValue::Binary(self.entry_id()));
        let key = PropValue::Binary(search_key("EX", &self.legacy_dn));
        props.set(tags::SENDER_SEARCH_KEY, key);
    }

    /// Names it as who received a message (PidTagReceivedBy…).
    pub fn receive(&self, props: &mut Props) {
        props.set_text(tags::RECEIVED_BY_NAME, &self.display_name);
        props.set_text(tags::RECEIVED_BY_ADDRESS_TYPE, "EX");
        props.set_text(tags::RECEIVED_BY_EMAIL_ADDRESS, &self.legacy_dn);
        props.set(
            tags::RECEIVED_BY_ENTRY_ID,
            PropValue::Binary(self.entry_id()),
        );
    }
}
