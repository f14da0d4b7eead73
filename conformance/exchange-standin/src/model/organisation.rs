//! Everybody and every mailbox.

use std::collections::BTreeMap;

use mapi_wire::Guid;

use super::{
    clock::Clock,
    error::{Code, Result},
    mailbox::{Mailbox, NewMailbox},
    message::Content,
    named::FIRST_ID,
    special::made_guid,
    user::{User, UserKind},
};

/// The key of the store of public folders.
pub const PUBLIC: &str = "public folders";

/// The lowest id in the address book: below are those with a meaning of their own. Source: MS-OXNSPI 2.2.1.8.
const FIRST_ADDRESS_BOOK_ID: u32 = 0x10;

/// A message that left the organisation.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Who sent it.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
    /// What is in it.
    pub content: Content,
}

/// What a new entry of the address book begins with.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The part of the address before the at sign.
    pub name: String,
    /// What people call it.
    pub display_name: String,
    /// What it logs in with.
    pub password: String,
    /// What it is.
    pub kind: UserKind,
}

/// People and mailboxes.
#[derive(Debug)]
pub struct Organisation {
    /// The domain of its addresses.
    pub domain: String,
    /// Entries of the address book, by key.
    pub users: BTreeMap<String, User>,
    /// Mailboxes, by the key of their owner, and the public folders.
    pub mailboxes: BTreeMap<String, Mailbox>,
    /// Mail that left.
    pub outgoing: Vec<Outgoing>,
    /// The server's time.
    pub clock: Clock,
    /// How many named properties a mailbox may have.
    pub named_properties_max: usize,
}

impl Organisation {
    /// An organisation without people.
    pub fn new(domain: &str, clock: Clock, named_properties_max: usize) -> Self {
        Self {
            domain: domain.to_owned(),
            users: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            outgoing: Vec::new(),
            clock,
            named_properties_max,
        }
    }

    /// What stands before the last part of everybody's distinguished name.
    pub fn dn_prefix() -> &'static str {
        "/o=Standin/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn="
    }

    /// Adds somebody, with a mailbox unless it is a list.
    pub fn add(&mut self, new: NewUser) {
        let key = new.name.to_lowercase();
        let number = self.users.len() as u32;
        let with_mailbox = !matches!(new.kind, UserKind::List(_));
        let user = User {
            smtp: format!("{key}@{}", self.domain),
            legacy_dn: format!("{}{key}", Self::dn_prefix()),
            mid: FIRST_ADDRESS_BOOK_ID + number,
            key: key.clone(),
            kind: new.kind,
            display_name: new.display_name,
            aliases: Vec::new(),
            log_in_names: Vec::new(),
            password: new.password,
            tokens: Default::default(),
            send_as: Default::default(),
            on_behalf: Default::default(),
            mapi_disabled: false,
        };
        if with_mailbox {
            let new = self.new_mailbox(&user.key, &user.display_name, &user.legacy_dn, number);
            self.mailboxes.insert(key.clone(), Mailbox::private(new));
        }
        self.users.insert(key, user);
    }

    /// Adds the store of public folders.
    pub fn add_public(&mut self) {
        let new = self.new_mailbox(
            PUBLIC,
            "Public Folders",
            "/o=Standin/cn=Public Folders",
            0xffff,
        );
        self.mailboxes
            .insert(PUBLIC.to_owned(), Mailbox::public(new));
    }

    /// What a mailbox begins with. Numbers and named properties differ from mailbox to mailbox, so that who mixes
    /// them up is found out.
    fn new_mailbox(&self, key: &str, name: &str, dn: &str, number: u32) -> NewMailbox {
        NewMailbox {
            key: key.to_owned(),
            display_name: name.to_owned(),
            legacy_dn: dn.to_owned(),
            guid: made_guid(1, number),
            replica: made_guid(2, number),
            clock: self.clock.clone(),
            named: (
                FIRST_ID + 0x11 * (1 + number % 64) as u16,
                self.named_properties_max,
            ),
            first_counter: 0x101 + 0x1_0000 * u64::from(number % 64),
        }
    }

    /// Who logs in with this name and password.
    pub fn log_in(&self, name: &str, password: &str) -> Option<&User> {
        let mut people = self
            .users
            .values()
            .filter(|user| user.kind == UserKind::Person);
        people.find(|user| user.is_login(name) && user.password == password)
    }

    /// Who a bearer token is good for.
    pub fn of_token(&self, token: &str) -> Option<&User> {
        self.users.values().find(|user| user.tokens.contains(token))
    }

    /// Who has this key.
    pub fn user(&self, key: &str) -> Option<&User> {
        self.users.get(key)
    }

    /// Who has this SMTP address.
    pub fn by_address(&self, address: &str) -> Option<&User> {
        self.users.values().find(|user| user.has_address(address))
    }

    /// Who has this distinguished name; letter case does not count.
    pub fn by_dn(&self, dn: &str) -> Option<&User> {
        self.users
            .values()
            .find(|user| user.legacy_dn.eq_ignore_ascii_case(dn))
    }

    /// Who is meant by an address of either kind.
    pub fn by_any(&self, address: &str) -> Option<&User> {
        self.by_dn(address).or_else(|| self.by_address(address))
    }

    /// Whose entry in the address book this is.
    pub fn by_mid(&self, mid: u32) -> Option<&User> {
        self.users.values().find(|user| user.mid == mid)
    }

    /// A mailbox.
    pub fn mailbox(&self, key: &str) -> Result<&Mailbox> {
        self.mailboxes.get(key).ok_or(Code::NOT_FOUND)
    }

    /// A mailbox, to be changed.
    pub fn mailbox_mut(&mut self, key: &str) -> Result<&mut Mailbox> {
        self.mailboxes.get_mut(key).ok_or(Code::NOT_FOUND)
    }

    /// The mailbox with this GUID.
    pub fn by_guid(&self, guid: Guid) -> Option<&Mailbox> {
        self.mailboxes.values().find(|mailbox| mailbox.guid == guid)
    }
}
