//! A mailbox opened for a verb: whose, and as whom.

use std::sync::Arc;

use account::{FolderInfo, FolderTree, MailboxId, Principal, Rights, Role, Version};
use directory::Address;
use mapi_store::{Backend, ErrorKind, Store};

use crate::{
    cli::mapi::Who,
    command::administration::Administration,
    exchange::{LoginName, Shows},
    failure::{Doing, Failure, Result},
    folder_path,
};

/// A mailbox as a principal has it open.
pub(crate) struct Session {
    pub(crate) gateway: Arc<Administration>,
    pub(super) store: Arc<dyn Store>,
    pub(crate) mailbox: MailboxId,
    pub(crate) principal: Principal,
}

impl Session {
    /// Opens the mailbox: as its owner, or as somebody else. `password` is theirs at an Exchange server.
    pub(crate) async fn open(
        gateway: &Arc<Administration>,
        who: &Who,
        password: Option<&str>,
    ) -> Result<Self> {
        let backends = gateway.backends();
        let asked = gateway.mapi_mailbox(&who.address)?;
        let user = match &who.asker.as_user {
            Some(user) => gateway.mapi_mailbox(user)?,
            None => asked.clone(),
        };
        let principal = match password {
            Some(password) => sign_in(gateway, &user, password).await?,
            None => {
                let MailboxId(user) = backends.owner_of(user).await;
                Principal { user }
            }
        };
        let mailbox = match who.asker.as_user {
            Some(_) => backends.owner_of(asked).await,
            // Whose it is has been found out.
            None => MailboxId(principal.user.clone()),
        };
        let store = backends.logon(&principal, &mailbox).await;
        let store = store.doing(|| match principal.user == mailbox.0 {
            true => format!("opening {mailbox}"),
            false => format!("opening {mailbox} as {}", principal.user),
        })?;
        Ok(Self {
            gateway: Arc::clone(gateway),
            store,
            mailbox,
            principal,
        })
    }

    /// The folders that the principal sees.
    pub(crate) async fn folders(&self) -> Result<FolderTree> {
        self.tree().await.doing(|| "reading the folders".to_owned())
    }

    /// The same, with the store's own word when that fails.
    pub(super) async fn tree(&self) -> mapi_store::Result<FolderTree> {
        self.store.hierarchy(Version(0)).await.map(FolderTree::from)
    }

    /// A folder by its path, as [`folder_path::find`] reads it. Its items are as they are now.
    pub(super) async fn folder(&self, path: &str) -> Result<FolderInfo> {
        self.find(|tree| folder_path::find(tree, path), path).await
    }

    /// The folder for something. Its items are as they are now.
    pub(super) async fn special(&self, role: Role) -> Result<FolderInfo> {
        let (name, _) = role.defaults();
        self.find(|tree| tree.role(role), name).await
    }

    async fn find(
        &self,
        find: impl Fn(&FolderTree) -> Option<&FolderInfo> + Send + Sync,
        name: &str,
    ) -> Result<FolderInfo> {
        let mut found = find(&self.folders().await?).cloned();
        if found.is_none() {
            let renewed = self.synchronize_tree().await;
            found = find(&self.folders().await?).cloned();
            if found.is_none() {
                // That it is not mirrored yet does not say that it is not there.
                renewed.doing(|| format!("looking for {name}"))?;
            }
        }
        let found = found.ok_or_else(|| missing(format!("{name}: no such folder")))?;
        self.renew(&found).await?;
        Ok(found)
    }

    /// Sees to it that a folder's items are those on the server, which a mailbox that was opened a moment ago has not
    /// heard of yet. While the server is away, what is mirrored has to do.
    pub(crate) async fn renew(&self, folder: &FolderInfo) -> Result<()> {
        let section = self.gateway.backends().of_mailbox(&self.mailbox.0);
        let Some(section) = section.filter(|_| folder.rights.allow(Rights::READ_ANY)) else {
            return Ok(());
        };
        let renewed = section.exchange().synchronize(&self.mailbox, folder.id);
        unless_away(renewed.await).doing(|| format!("synchronizing {}", folder.name))
    }

    /// The same for the folder tree.
    pub(crate) async fn renew_tree(&self) -> Result<()> {
        let renewed = self.synchronize_tree().await;
        unless_away(renewed).doing(|| "synchronizing the folders".to_owned())
    }

    async fn synchronize_tree(&self) -> account::Result<()> {
        match self.gateway.backends().of_mailbox(&self.mailbox.0) {
            Some(section) => section.exchange().synchronize_tree(&self.mailbox).await,
            None => Ok(()),
        }
    }
}

fn unless_away(done: account::Result<()>) -> account::Result<()> {
    match done {
        Err(error) if error.kind.is_transient() => Ok(()),
        done => done,
    }
}

/// What is not there.
pub(super) fn missing(what: String) -> Failure {
    Failure::of(mapi_store::Error::new(ErrorKind::NotFound, what))
}

/// What makes no sense.
pub(super) fn invalid(what: impl Into<String>) -> Failure {
    Failure::of(mapi_store::Error::new(ErrorKind::Invalid, what.into()))
}

async fn sign_in(
    gateway: &Arc<Administration>,
    user: &MailboxId,
    password: &str,
) -> Result<Principal> {
    let no_use = |why: &str| invalid(format!("{user}: a password is of no use, {why}"));
    let backends = gateway.backends();
    let section = backends
        .of_mailbox(&user.0)
        .ok_or_else(|| no_use("for it is a mailbox of this gateway"))?;
    if let Some(why) = section.why_no_passwords() {
        return Err(no_use(&format!("for {why}")));
    }
    let address = Address::parse(&user.0).doing(|| user.to_string())?;
    let signed_in = backends
        .sign_in(section, &LoginName::of(address), Shows::Password(password))
        .await;
    signed_in.doing(|| format!("signing in as {user}"))
}
