//! What a server is like.

use serde::{Deserialize, Serialize};

use crate::model::{
    clock::Clock,
    organisation::{NewUser, Organisation},
    user::UserKind,
};

/// What a server is like: who is there, its limits, its timers. The default has the people alice, bob and carol, each
/// with the password `secret-` and their name, a shared mailbox `team`, a list `everybody`, and public folders, all at
/// `example.test`.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens; port 0 is any free one.
    pub listen: String,
    /// The domain of its addresses.
    pub domain: String,
    /// Who is in the address book.
    pub people: Vec<NewUser>,
    /// Whether there are public folders.
    pub public_folders: bool,
    /// Whether it speaks TLS, with a certificate of its own making.
    pub tls: bool,
    /// The host that its URLs name, when not the address it listens on.
    pub host: Option<String>,
    /// Where its times come from.
    pub clock: Clock,
    /// How much of everything.
    pub limits: Limits,
    /// How long things take.
    pub timing: Timing,
    /// What it does beyond the ordinary.
    pub manners: Manners,
    /// RPC over HTTP.
    pub rpc: Rpc,
}

/// What a server's RPC over HTTP is like.
#[derive(Clone, Copy, Debug)]
pub struct Rpc {
    /// Whether Autodiscover offers it.
    pub offered: bool,
    /// Whether Autodiscover offers MAPI over HTTP beside it.
    pub beside_mapi_http: bool,
    /// How many octets a channel from the server carries, 128 KiB at least.
    pub out_bytes: u64,
    /// Whether channels that replace others lead to another proxy, as they may.
    pub other_proxy: bool,
}

impl Default for Rpc {
    /// A server that has both.
    fn default() -> Self {
        Self {
            offered: false,
            beside_mapi_http: true,
            out_bytes: 1 << 30,
            other_proxy: false,
        }
    }
}

/// How much of everything a server takes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Session contexts of one user.
    pub sessions: usize,
    /// Open folders in a session context.
    pub folders: usize,
    /// Open messages in a session context.
    pub messages: usize,
    /// Open attachments in a session context.
    pub attachments: usize,
    /// Open streams in a session context, those of FastTransfer and synchronization among them.
    pub streams: usize,
    /// Open tables in a session context.
    pub tables: usize,
    /// Registered notifications in a session context.
    pub subscriptions: usize,
    /// Named properties of a mailbox.
    pub named_properties: usize,
    /// Octets of a mailbox.
    pub storage: Option<u64>,
    /// Octets of a message that is submitted.
    pub submission: Option<u64>,
    /// Octets of a property value that is not read as a stream.
    pub inline_value: usize,
    /// Notifications that a session context keeps until they are collected.
    pub queued_notifications: usize,
}

impl Default for Limits {
    /// Those of an Exchange server, as far as they are known.
    fn default() -> Self {
        Self {
            sessions: 32,
            folders: 500,
            messages: 250,
            attachments: 500,
            streams: 250,
            tables: 500,
            subscriptions: 500,
            named_properties: 16_000,
            storage: None,
            submission: None,
            inline_value: 0x2000,
            queued_notifications: 1000,
        }
    }
}

/// How long things take, in milliseconds.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// Between lines that keep a connection alive (X-PendingPeriod).
    pub pending_period_ms: u64,
    /// How long NotificationWait waits for something to happen.
    pub notification_wait_ms: u64,
    /// How long a session context lives unused (X-ExpirationInfo).
    pub session_idle_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            pending_period_ms: 15_000,
            notification_wait_ms: 300_000,
            session_idle_ms: 900_000,
        }
    }
}

/// What a server does beyond the ordinary, or does not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners {
    /// Compresses where the client allows it.
    pub compresses: bool,
    /// Obfuscates where the client allows it.
    pub obfuscates: bool,
    /// Offers packed uploads (AUX_SERVER_CAPABILITIES).
    pub packed_uploads: bool,
    /// Adds to sets of changes what cannot affect the result, as Exchange does.
    pub widens_sets: bool,
    /// Refuses messages under ids that a client chose where the client may add messages and change none, as gromox 3.10 does.
    pub refuses_ids_of_adders: bool,
    /// Gives all of a public folder each time, and calls what it gave before deleted as well, as gromox 3.10 does.
    pub forgets_public_folders: bool,
    /// Lets who has full access to a mailbox connect as its owner.
    pub connects_by_full_access: bool,
    /// Its web services.
    pub web_services: WebServices,
}

/// How a server's web services are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum WebServices {
    /// They answer.
    #[default]
    Here,
    /// They are too busy to answer: 503.
    Busy,
    /// There are none.
    Absent,
}

impl Default for Config {
    fn default() -> Self {
        let person = |name: &str, display_name: &str| NewUser {
            name: name.into(),
            display_name: display_name.into(),
            password: format!("secret-{name}"),
            kind: UserKind::Person,
        };
        let everybody = ["alice", "bob", "carol"].map(String::from).into();
        Self {
            listen: "127.0.0.1:0".into(),
            domain: "example.test".into(),
            people: vec![
                person("alice", "Alice Adams"),
                person("bob", "Bob Brown"),
                person("carol", "Carol Clark"),
                NewUser {
                    kind: UserKind::Shared,
                    password: String::new(),
                    ..person("team", "Team Mailbox")
                },
                NewUser {
                    kind: UserKind::List(everybody),
                    password: String::new(),
                    ..person("everybody", "Everybody")
                },
            ],
            public_folders: true,
            tls: false,
            host: None,
            clock: Clock::default(),
            limits: Limits::default(),
            timing: Timing::default(),
            manners: Manners::default(),
            rpc: Rpc::default(),
        }
    }
}

impl Config {
    /// The organisation it describes.
    pub fn organisation(&self) -> Organisation {
        let named = self.limits.named_properties;
        let mut organisation = Organisation::new(&self.domain, self.clock.clone(), named);
        for person in &self.people {
            organisation.add(person.clone());
        }
        if self.public_folders {
            organisation.add_public();
        }
        for mailbox in organisation.mailboxes.values_mut() {
            mailbox.quota.storage = self.limits.storage;
            mailbox.quota.submission = self.limits.submission;
        }
        organisation
    }
}
