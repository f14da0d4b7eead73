//! SUBSCRIBE and UNSUBSCRIBE (RFC 3501 6.3.6 and 6.3.7), and who is subscribed to what.
//!
//! A new mailbox has no list of subscriptions, and clients show subscribed mailboxes only: so the special mailboxes
//! count as subscribed until a client says otherwise. What it says is kept as a name with a separator in front, which
//! no mailbox can have.

use std::{collections::HashSet, sync::Arc};

use account::{FolderTree, Role, Subscribed};
use imap_wire::{Code, MailboxName};

use crate::{
    mailbox_name::{self, SEPARATOR},
    mailboxes,
    reply::{Done, Failure, Reply},
    state::Authenticated,
};

/// A user's subscriptions.
pub(super) struct Subscriptions {
    names: Arc<[Box<str>]>,
    /// The same in lower case, to be found: names are compared without ASCII case.
    lower: HashSet<String>,
}

impl Subscriptions {
    /// The subscriptions as of now.
    pub(super) async fn load(user: &Authenticated) -> Result<Self, Failure> {
        let names = user.account.subscriptions().await?;
        let lower = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Ok(Self { names, lower })
    }

    /// Whether a mailbox is subscribed to; `role` is its folder's.
    pub(super) fn contains(&self, name: &str, role: Option<Role>) -> bool {
        self.has(name) || (is_default(role) && !self.has(&refusal(name)))
    }

    /// Names subscribed to by a client, whether there is such a mailbox or not.
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        self.names
            .iter()
            .map(|name| &**name)
            .filter(|name| !name.starts_with(SEPARATOR))
    }

    fn has(&self, name: &str) -> bool {
        self.lower.contains(&name.to_ascii_lowercase())
    }
}

/// `SUBSCRIBE mailbox`
pub(super) async fn subscribe(user: &Authenticated, name: MailboxName) -> Reply {
    let name = name.as_str();
    if !mailbox_name::is_valid(name) {
        return Err(Failure::no(Code::Cannot, "not a possible mailbox name"));
    }
    let known = Subscriptions::load(user).await?;
    if known.has(&refusal(name)) {
        user.account
            .set_subscribed(&refusal(name), Subscribed::No)
            .await?;
    }
    if !known.has(name) {
        user.account.set_subscribed(name, Subscribed::Yes).await?;
    }
    Ok(Done::new("SUBSCRIBE completed"))
}

/// `UNSUBSCRIBE mailbox`
pub(super) async fn unsubscribe(user: &Authenticated, name: MailboxName) -> Reply {
    let name = name.as_str();
    let known = Subscriptions::load(user).await?;
    if known.has(name) {
        user.account.set_subscribed(name, Subscribed::No).await?;
    }
    let tree = user.account.folders().await?;
    if is_default(role(&tree, name)) && !known.has(&refusal(name)) {
        user.account
            .set_subscribed(&refusal(name), Subscribed::Yes)
            .await?;
    }
    Ok(Done::new("UNSUBSCRIBE completed"))
}

fn role(tree: &FolderTree, name: &str) -> Option<Role> {
    mailboxes::find_exactly(tree, name)?.role
}

/// Whether mailboxes with this role are subscribed to without being asked.
fn is_default(role: Option<Role>) -> bool {
    role.is_some_and(|role| role != Role::Outbox)
}

fn refusal(name: &str) -> String {
    format!("{SEPARATOR}{name}")
}
