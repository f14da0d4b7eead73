//! A mailbox opened for a verb: whose, and as whom.

use std::sync::Arc;

use account::{FolderId, FolderInfo, MailboxId, Principal, Rights, Role, Version};
use directory::Address;
use mapi_store::{Backend, ErrorKind, Store};

use crate::{
    cli::mapi::Who,
    command::administration::Administration,
    exchange::{LoginName, Shows},
    failure::{Doing, Failure, Result},
};

/// A mailbox as a principal has it open.
pub(super) struct Session {
    pub(super) gateway: Arc<Administration>,
    pub(super) store: Arc<dyn Store>,
    pub(super) mailbox: MailboxId,
    pub(super) principal: Principal,
}

impl Session {
    /// Opens the mailbox: as its owner, or as somebody else. `password` is theirs at an Exchange server.
    pub(super) async fn open(
        gateway: &Arc<Administration>,
        who: &Who,
        password: Option<&str>,
    ) -> Result<Self> {
        let mailbox = gateway.mapi_mailbox(&who.address)?;
        let user = match &who.asker.as_user {
            Some(user) => gateway.mapi_mailbox(user)?.0,
            None => mailbox.0.clone(),
        };
        let principal = match password {
            Some(password) => sign_in(gateway, &user, password).await?,
            None => Principal { user },
        };
        let store = gateway.backends().logon(&principal, &mailbox).await;
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
    pub(super) async fn folders(&self) -> Result<Vec<FolderInfo>> {
        let tree = self.store.hierarchy(Version(0)).await;
        Ok(tree.doing(|| "reading the folders".to_owned())?.changed)
    }

    /// A folder by its path; special ones also by their English names, whatever theirs are. Its items are as they are
    /// now.
    pub(super) async fn folder(&self, path: &str) -> Result<FolderInfo> {
        let mut folders = self.folders().await?;
        if find(&folders, path).is_none() {
            self.renew_tree().await?;
            folders = self.folders().await?;
        }
        let found = find(&folders, path).cloned();
        let found = found.ok_or_else(|| missing(format!("{path}: no such folder")))?;
        self.renew(&found).await?;
        Ok(found)
    }

    /// The folder for something. Its items are as they are now.
    pub(super) async fn special(&self, role: Role) -> Result<FolderInfo> {
        let folders = self.folders().await?;
        let mut folders = folders.into_iter();
        let found = folders.find(|folder| folder.role == Some(role));
        let (name, _) = role.defaults();
        let found =
            found.ok_or_else(|| missing(format!("{name}: the mailbox has no such folder")))?;
        self.renew(&found).await?;
        Ok(found)
    }

    /// Sees to it that a folder's items are those on the server, which a mailbox that was opened a moment ago has not
    /// heard of yet. While the server is away, what is mirrored has to do.
    pub(super) async fn renew(&self, folder: &FolderInfo) -> Result<()> {
        let section = self.gateway.backends().of_mailbox(&self.mailbox.0);
        let Some(section) = section.filter(|_| folder.rights.allow(Rights::READ_ANY)) else {
            return Ok(());
        };
        let renewed = section.exchange().synchronize(&self.mailbox, folder.id);
        unless_away(renewed.await).doing(|| format!("synchronizing {}", folder.name))
    }

    /// The same for the folder tree.
    pub(super) async fn renew_tree(&self) -> Result<()> {
        let Some(section) = self.gateway.backends().of_mailbox(&self.mailbox.0) else {
            return Ok(());
        };
        let renewed = section.exchange().synchronize_tree(&self.mailbox);
        unless_away(renewed.await).doing(|| "synchronizing the folders".to_owned())
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

async fn sign_in(gateway: &Arc<Administration>, user: &str, password: &str) -> Result<Principal> {
    let section = gateway.backends().of_mailbox(user).ok_or_else(|| {
        invalid(format!(
            "{user}: a mailbox of this gateway is opened without a password"
        ))
    })?;
    let address = Address::parse(user).doing(|| user.to_owned())?;
    let signed_in = section
        .sign_in(&LoginName::of(address), Shows::Password(password))
        .await;
    signed_in.doing(|| format!("signing in as {user}"))
}

fn find<'a>(folders: &'a [FolderInfo], path: &str) -> Option<&'a FolderInfo> {
    let child = |parent: Option<FolderId>, name: &str| {
        let name = name.to_lowercase();
        let mut inside = folders.iter().filter(|folder| folder.parent == parent);
        inside.find(|folder| folder.name.to_lowercase() == name)
    };
    let mut names = path.split('/');
    let first = names.next()?;
    let special = || {
        let is = |role: Role| role.defaults().0.eq_ignore_ascii_case(first);
        folders.iter().find(|folder| folder.role.is_some_and(is))
    };
    let mut at = child(None, first).or_else(special)?;
    for name in names {
        at = child(Some(at.id), name)?;
    }
    Some(at)
}

/// The path of a folder.
pub(super) fn path_of(folders: &[FolderInfo], folder: &FolderInfo) -> String {
    let mut names = vec![folder.name.as_str()];
    let mut at = folder;
    // A tree is no deeper than it has folders.
    for _ in folders {
        let Some(parent) = folders.iter().find(|other| Some(other.id) == at.parent) else {
            break;
        };
        names.push(&parent.name);
        at = parent;
    }
    names.reverse();
    names.join("/")
}
