//! Finding, making and removing mirrors.

use std::sync::Arc;

use mapi_store::{Error, ErrorKind, Result};
use mapi_types::MailboxId;

use super::{Mirror, ledger};
use crate::{OpenChange, fail::Fail};

impl OpenChange {
    /// Opens the mirror of a remote mailbox, or makes it, without folders. `identity` says which mailbox it is, such
    /// as its GUID; the same name with another identity is another mailbox, whose numbers these are not.
    ///
    /// Errors: `Exists` (there is a mailbox of that name that is no mirror), `Conflict` (it mirrors another one:
    /// [`Self::reset_mirror`]).
    pub async fn mirror(&self, id: &MailboxId, identity: &[u8]) -> Result<Mirror> {
        let mirror = match self.find_mirror(id).await {
            Err(error) if error.kind == ErrorKind::NotFound => {
                let founder = identity.to_vec();
                let made = self
                    .engine
                    .make(id, move |tx| ledger::found(tx.conn, &founder))
                    .await;
                match made {
                    // Somebody was faster, or there is such a mailbox; then we shall see whose it is.
                    Err(error) if error.kind == ErrorKind::Exists => {}
                    made => made?,
                }
                self.find_mirror(id).await.map_err(|error| {
                    if error.kind == ErrorKind::NotFound {
                        Error::new(ErrorKind::Exists, "the mailbox is no mirror")
                    } else {
                        error
                    }
                })?
            }
            found => found?,
        };
        let present = mirror.read(|at| ledger::identity(at.conn)).await?;
        if present.as_deref() == Some(identity) {
            return Ok(mirror);
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "the mirror is that of another mailbox",
        ))
    }

    /// Opens a mirror whatever it mirrors. Errors: `NotFound`.
    pub async fn find_mirror(&self, id: &MailboxId) -> Result<Mirror> {
        let mirror = Mirror {
            engine: Arc::clone(&self.engine),
            mailbox: self.engine.mailbox(id).await?,
        };
        if mirror.read(|at| ledger::is_mirror(at.conn)).await? {
            Ok(mirror)
        } else {
            Err(Error::new(ErrorKind::NotFound, "the mailbox is no mirror"))
        }
    }

    /// Makes a mirror one of another remote mailbox: everything in it is forgotten, the ledger and pending drafts
    /// too. Errors: `NotFound`.
    pub async fn reset_mirror(&self, id: &MailboxId, identity: &[u8]) -> Result<Mirror> {
        let mirror = self.find_mirror(id).await?;
        let identity = identity.to_vec();
        mirror
            .write(Vec::new(), move |tx| ledger::reset(tx, Some(&identity)))
            .await?;
        Ok(mirror)
    }

    /// Every mirror there is. Opens every mailbox; one that cannot be read is left out.
    pub async fn mirrors(&self) -> Result<Vec<MailboxId>> {
        let all = self.engine.layout.all_mailboxes().map_err(Fail::from)?;
        let mut found = Vec::new();
        for (id, _) in all {
            if self.find_mirror(&id).await.is_ok() {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// Removes a mirror with its ledger. Errors: `NotFound`.
    pub async fn remove_mirror(&self, id: &MailboxId) -> Result<()> {
        self.find_mirror(id).await?;
        self.engine.remove(id).await
    }
}
