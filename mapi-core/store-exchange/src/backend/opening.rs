//! Opening mailboxes: one's own, and those of others with one's own session.

use std::sync::{Arc, Weak};

use mapi_store::{Error, ErrorKind, Principal, Result, Store};
use mapi_types::{MailboxId, Version};
use mapi_wire::Guid;
use store_openchange::Mirror;

use super::{Exchange, User, elsewhere::OtherPlace, lock, reach::Target, remote};
use crate::{
    discover::{Failure, Reason, Subject},
    fault::{self, Fault, code},
    http::Url,
    mailbox::{About, Circle, Guest, Mailbox, View},
    remote::{Remote, Sessions},
    session::StoreName,
    store::ExchangeStore,
};

impl Exchange {
    /// Opens a mailbox for somebody.
    ///
    /// Errors: `NotFound`, `Denied` (nothing in it is visible to the principal), `Unavailable`.
    pub(super) async fn open(
        &self,
        principal: &Principal,
        id: &MailboxId,
    ) -> Result<Arc<dyn Store>> {
        let (mailbox, guest) = match principal.user.is_empty() {
            true => self.open_for_nobody(id)?,
            false => {
                let mailbox = self.seat(principal, id).await?;
                let guest = mailbox.guest.clone();
                (mailbox, guest)
            }
        };
        let inner = match &guest {
            Some(guest) => {
                mailbox.learn_rights(guest, About::Everything).await?;
                let inner = mailbox.mirror.store_for(principal);
                // The public folders are everybody's, also when there are none yet.
                if mailbox.remote.store != StoreName::Public
                    && inner.hierarchy(Version(0)).await?.changed.is_empty()
                {
                    return Err(unseen());
                }
                inner
            }
            None => mailbox.mirror.store(),
        };
        Ok(Arc::new(ExchangeStore {
            mailbox,
            guest,
            inner,
        }))
    }

    /// A mailbox for who did not log in: whoever has it open whole lends the session, for reading.
    fn open_for_nobody(&self, id: &MailboxId) -> Result<(Arc<Mailbox>, Option<Arc<Guest>>)> {
        let circle = lock(&self.mailboxes).get(id).and_then(Weak::upgrade);
        let circle = circle.ok_or_else(unseen)?;
        let lender = circle.whole().ok_or_else(unseen)?;
        Ok((lender, Some(circle.nobody())))
    }

    /// The mailbox as a principal has it open, or opens it.
    async fn seat(&self, principal: &Principal, id: &MailboxId) -> Result<Arc<Mailbox>> {
        if principal.user != id.0 {
            self.refuse_to_programs(principal, id).await?;
        }
        let circle = lock(&self.mailboxes).get(id).and_then(Weak::upgrade);
        if let Some(seat) = circle.and_then(|circle| circle.seat(&principal.user)) {
            return Ok(seat);
        }
        let user = self.user(principal)?;
        let target = self.target(&user, principal, id).await?;
        // The archive is the user's own as well.
        let is_own = matches!(target, Target::Own | Target::Archive(_));
        let (remote, is_whole) = match target {
            Target::Own => (remote(&user.sessions), true),
            Target::Archive(subject) => (self.remote_of(&user, subject).await?.0, true),
            // The mirror is this user's alone.
            Target::Public => (self.remote_of_public(&user).await?, true),
            Target::Other(subject) => self.remote_of(&user, subject).await?,
        };
        let mirror = self.mirror(&remote, id).await?;
        let fresh = mirror.hierarchy_state().await?.is_none();
        let identity = identity_of(&mirror).await?;
        let circle = self.circle(id, || {
            Circle::new(
                (mirror, identity),
                self.entrance.options.clone(),
                &self.queues,
            )
        });
        let remote = remote.only(&circle.identity);
        let guest = (!is_own).then(|| Arc::new(Guest::new(principal.clone())));
        let view = View {
            guest,
            is_whole,
            people: user.people,
        };
        let mailbox = Mailbox::new(&circle, remote, view);
        circle.look_at_queue().await?;
        if fresh || !is_whole && circle.whole().is_none() {
            match mailbox.sync_hierarchy().await {
                // What the mirror knows is served: something waits for the server, or it has gone away just now.
                Err(error) if !fresh && error.kind.is_transient() => {
                    tracing::debug!(mailbox = %id, %error, "the tree is looked at later");
                    circle.doubt_tree();
                }
                done => done?,
            }
        }
        let mailbox = circle.join(&principal.user, mailbox);
        if mailbox.has_waiting() {
            // Whoever has it open now may carry it out.
            circle.queue_changed().await;
        }
        Ok(mailbox)
    }

    /// A program with a right to all mailboxes opens that of its user, with the archive, and no other: the server would
    /// not say what the user may do there.
    async fn refuse_to_programs(&self, principal: &Principal, id: &MailboxId) -> Result<()> {
        let user = self.user(principal)?;
        if !user.place.is_programs() {
            return Ok(());
        }
        match self.target(&user, principal, id).await? {
            Target::Own | Target::Archive(_) => Ok(()),
            Target::Public | Target::Other(_) => Err(Error::new(
                ErrorKind::Denied,
                "a program's right to all mailboxes says nothing about what this user may open",
            )),
        }
    }

    /// Somebody's sessions.
    pub(super) fn user(&self, principal: &Principal) -> Result<User> {
        let user = lock(&self.users).get(&principal.user).cloned();
        user.ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                "the user has not signed in since the gateway started",
            )
        })
    }

    /// Everybody who has a mailbox open.
    fn circle(&self, id: &MailboxId, make: impl FnOnce() -> Arc<Circle>) -> Arc<Circle> {
        let mut open = lock(&self.mailboxes);
        if let Some(circle) = open.get(id).and_then(Weak::upgrade) {
            return circle;
        }
        open.retain(|_, circle| circle.strong_count() > 0);
        let circle = make();
        open.insert(id.clone(), Arc::downgrade(&circle));
        circle
    }

    /// A mailbox that is not the user's first, with the user's own session, and whether the user has the owner's rights.
    ///
    /// Two requests, and a search where its place is not known. Errors: `NotFound`, `Denied`, those of the server.
    async fn remote_of(&self, user: &User, subject: Subject) -> Result<(Remote, bool)> {
        let locator = user.place.locator();
        let found = locator.find_other(&subject, false).await.map_err(missing)?;
        let store = StoreName::Mailbox(found.legacy_dn.as_str().into());
        let beside = Remote::new(user.sessions.clone(), store.clone());
        match beside.logon().await {
            Ok(logon) => Ok((beside, logon.owner)),
            Err(fault) if fault.code() == Some(code::WRONG_SERVER) => {
                // The answer may be old, too.
                let found = locator.find_other(&subject, true).await.map_err(missing)?;
                let sessions = self.sessions_elsewhere(user, &found.url, subject);
                let there = Remote::new(sessions, store);
                let logon = there.logon().await?;
                Ok((there, logon.owner))
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// The public folders, with the user's own session: where the server says they are, else beside the mailbox.
    pub(super) async fn remote_of_public(&self, user: &User) -> Result<Remote> {
        let locator = user.place.locator();
        let own = locator.find(false).await.map_err(missing)?;
        let beside = Remote::new(user.sessions.clone(), StoreName::Public);
        let Err(refused) = meet(&beside).await else {
            return Ok(beside);
        };
        let Some(address) = &own.public_folders else {
            return Err(refused.into());
        };
        let subject = Subject::Address(address.clone());
        let found = locator.find_other(&subject, false).await.map_err(missing)?;
        let sessions = self.sessions_elsewhere(user, &found.url, subject);
        let there = Remote::new(sessions, StoreName::Public);
        meet(&there).await?;
        Ok(there)
    }

    fn sessions_elsewhere(&self, user: &User, url: &Url, subject: Subject) -> Sessions {
        user.elsewhere.sessions(url, || {
            let own = Arc::clone(&user.place);
            let place = Arc::new(OtherPlace { own, subject });
            self.entrance.sessions(&place)
        })
    }
}

/// Logs on to the public folders, and learns the number of their replica from the top: asked for the number of that
/// replica, gromox 3.10 gives another one, under which it finds no folder.
async fn meet(remote: &Remote) -> fault::Result<()> {
    let top = remote.logon().await?.top();
    remote.gid(top).await.map(drop)
}

/// Which mailbox a mirror is of.
async fn identity_of(mirror: &Mirror) -> Result<Guid> {
    let octets = mirror.identity().await?;
    let octets = octets.first_chunk::<16>();
    octets.map(|octets| Guid(*octets)).ok_or_else(|| {
        Error::new(
            ErrorKind::Corrupt,
            "a mirror does not say which mailbox it is of",
        )
    })
}

fn unseen() -> Error {
    Error::new(ErrorKind::Denied, "nothing in the mailbox is visible")
}

/// Why the mailbox of another was not found.
pub(super) fn missing(failure: Failure) -> Error {
    match failure.reason {
        Reason::Unknown(_) => Error::with_source(ErrorKind::NotFound, "no such mailbox", failure),
        _ => Fault::from(failure).into(),
    }
}
