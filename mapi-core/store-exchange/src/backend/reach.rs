//! Which mailboxes somebody reaches, and what they are called here.
//!
//! A mailbox is called by its address. One that has none, as archives of older servers, is called by its distinguished
//! name. The public folders are a mailbox of each user: see [`crate::Options::public_folders`].

use mapi_store::{Principal, Result};
use mapi_types::MailboxId;
use mapi_wire::autodiscover::AlternativeMailbox;

use super::{Exchange, User, opening::missing};
use crate::discover::{Found, Subject};

/// A mailbox that somebody may open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reachable {
    /// What to open it by.
    pub id: MailboxId,
    /// What it is.
    pub kind: Kind,
    /// What people call it.
    pub display_name: String,
}

/// What a mailbox is to who reaches it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// The user's first mailbox.
    Own,
    /// The user's archive.
    Archive,
    /// Somebody else's, or one of several people.
    Shared,
    /// The public folders.
    Public,
}

/// What an id stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Target {
    Own,
    Archive(Subject),
    Other(Subject),
    Public,
}

impl Exchange {
    /// The mailboxes the server offers a user beside others that the user may know of: first the own one. Where they
    /// are is remembered; one request where the server does not say whether there are public folders.
    ///
    /// Errors: `Unavailable` (the user has not signed in, or the server is away), `Unauthenticated`.
    pub async fn mailboxes_of(&self, principal: &Principal) -> Result<Vec<Reachable>> {
        let user = self.user(principal)?;
        let own = user.place.locator().find(false).await.map_err(missing)?;
        let name = own.display_name.clone();
        let mut all = vec![Reachable {
            id: MailboxId(principal.user.clone()),
            kind: Kind::Own,
            display_name: name.unwrap_or_else(|| principal.user.clone()),
        }];
        for alternative in &own.alternative_mailboxes {
            let Some((id, _)) = named(alternative) else {
                continue;
            };
            let kind = match is_archive(alternative) {
                true => Kind::Archive,
                false => Kind::Shared,
            };
            let name = alternative.display_name.clone();
            let display_name = name.unwrap_or_else(|| id.0.clone());
            all.push(Reachable {
                id,
                kind,
                display_name,
            });
        }
        // Not every server says that it has public folders.
        if let Some(id) = self.public_id(principal)
            && (own.public_folders.is_some() || self.remote_of_public(&user).await.is_ok())
        {
            all.push(Reachable {
                id,
                kind: Kind::Public,
                display_name: "Public Folders".to_owned(),
            });
        }
        Ok(all)
    }

    /// What an id stands for when this user opens it.
    pub(super) async fn target(
        &self,
        user: &User,
        principal: &Principal,
        id: &MailboxId,
    ) -> Result<Target> {
        if principal.user == id.0 {
            return Ok(Target::Own);
        }
        if self.public_id(principal).as_ref() == Some(id) {
            return Ok(Target::Public);
        }
        let own = user.place.locator().find(false).await.map_err(missing)?;
        Ok(meant(&own, id))
    }

    fn public_id(&self, principal: &Principal) -> Option<MailboxId> {
        let name = self.entrance.options.public_folders.as_ref()?;
        Some(MailboxId(format!("{name}/{}", principal.user)))
    }
}

/// Which mailbox of somebody else's, or which archive, an id means.
fn meant(own: &Found, id: &MailboxId) -> Target {
    for alternative in &own.alternative_mailboxes {
        match named(alternative) {
            Some((known, subject)) if known == *id => {
                return match is_archive(alternative) {
                    true => Target::Archive(subject),
                    false => Target::Other(subject),
                };
            }
            _ => {}
        }
    }
    Target::Other(match id.0.starts_with('/') {
        true => Subject::Dn(id.0.clone()),
        false => Subject::Address(id.0.clone()),
    })
}

/// What another mailbox is called here, and how to find it.
fn named(mailbox: &AlternativeMailbox) -> Option<(MailboxId, Subject)> {
    let address = mailbox.smtp_address.as_ref();
    let by_address = address.map(|address| {
        let subject = Subject::Address(address.clone());
        (MailboxId(address.to_lowercase()), subject)
    });
    by_address.or_else(|| {
        let dn = mailbox.legacy_dn.as_ref()?;
        Some((MailboxId(dn.to_lowercase()), Subject::Dn(dn.clone())))
    })
}

fn is_archive(mailbox: &AlternativeMailbox) -> bool {
    let kind = mailbox.kind.as_deref();
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("archive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(alternatives: &[(&str, Option<&str>, Option<&str>)]) -> Found {
        let alternative =
            |(kind, address, dn): &(&str, Option<&str>, Option<&str>)| AlternativeMailbox {
                kind: Some((*kind).to_owned()),
                smtp_address: address.map(str::to_owned),
                legacy_dn: dn.map(str::to_owned),
                ..AlternativeMailbox::default()
            };
        Found {
            transport: crate::discover::Transport::MapiHttp,
            url: "https://mail.example.test/mapi/emsmdb/".parse().unwrap(),
            address_book_url: None,
            legacy_dn: "/o=Example/cn=alice".to_owned(),
            smtp_address: None,
            display_name: None,
            server: None,
            alternative_mailboxes: alternatives.iter().map(alternative).collect(),
            public_folders: None,
            autodiscover: None,
        }
    }

    #[test]
    fn an_id_means_what_the_server_offers_under_that_name() {
        let own = found(&[
            ("Archive", Some("Guid@Example.test"), Some("/o=E/cn=x")),
            ("Archive", None, Some("/o=E/cn=Old")),
            ("Delegate", Some("Team@example.test"), None),
            ("Delegate", None, None),
        ]);
        let check = |id: &str, expected| assert_eq!(meant(&own, &MailboxId(id.into())), expected);
        let address = |text: &str| Subject::Address(text.to_owned());
        let dn = |text: &str| Subject::Dn(text.to_owned());
        check(
            "guid@example.test",
            Target::Archive(address("Guid@Example.test")),
        );
        check("/o=e/cn=old", Target::Archive(dn("/o=E/cn=Old")));
        check(
            "team@example.test",
            Target::Other(address("Team@example.test")),
        );
        check(
            "bob@example.test",
            Target::Other(address("bob@example.test")),
        );
        check("/o=e/cn=bob", Target::Other(dn("/o=e/cn=bob")));
    }
}
