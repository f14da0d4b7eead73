//! The folders that messages go into.

use std::collections::HashMap;

use account::{Account, FolderId, NewFolder, Role};

use crate::{
    Error, Result,
    error::Doing,
    export::{INBOX, find, is_mail},
    source::SourceFolder,
};

/// What other servers and mail programs call special folders.
const ALIASES: [(&str, Role); 9] = [
    ("Sent", Role::SentItems),
    ("Sent Messages", Role::SentItems),
    ("Trash", Role::DeletedItems),
    ("Deleted Messages", Role::DeletedItems),
    ("Drafts", Role::Drafts),
    ("Junk", Role::Junk),
    ("Spam", Role::Junk),
    ("Archive", Role::Archive),
    ("Archives", Role::Archive),
];

/// The class of a folder for mail. Source: MS-OXOSFLD 2.2.3.
const MAIL_CLASS: &str = "IPF.Note";

/// Finds folders, and makes those that are missing.
pub(super) struct Targets<'a> {
    account: &'a Account,
    /// What everything goes into; `None`: the mailbox.
    into: Option<FolderId>,
    known: HashMap<Vec<String>, FolderId>,
}

impl<'a> Targets<'a> {
    pub(super) async fn new(account: &'a Account, into: Option<&str>) -> Result<Self> {
        let mut targets = Self {
            account,
            into: None,
            known: HashMap::new(),
        };
        if let Some(path) = into {
            targets.into = Some(targets.by_path(path).await?);
        }
        Ok(targets)
    }

    /// The folder for a folder of files. Errors: `Invalid` when it is not for mail.
    pub(super) async fn folder(&mut self, source: &SourceFolder) -> Result<FolderId> {
        let head = source.head.as_ref();
        let role = head.and_then(|head| head.role());
        let class = head.map_or(MAIL_CLASS, |head| &head.class);
        let target = self.at(&source.path, (role, class)).await?;
        let tree = self.account.folders().await;
        let tree = tree.doing(|| "reading the folders".to_owned())?;
        match tree.get(target).filter(|folder| !is_mail(folder)) {
            Some(folder) => Err(Error::Invalid(format!(
                "{}: the folder is not for mail ({})",
                folder.name, folder.class
            ))),
            None => Ok(target),
        }
    }

    async fn at(&mut self, path: &[String], what: (Option<Role>, &str)) -> Result<FolderId> {
        if let Some(known) = self.known.get(path) {
            return Ok(*known);
        }
        let found = match (path.split_last(), self.into) {
            (None, Some(into)) => into,
            (None, None) => self.special(Role::Inbox).await?,
            (Some((name, above)), into) => {
                let parent = match above.is_empty() {
                    true => into,
                    false => Some(Box::pin(self.at(above, (None, MAIL_CLASS))).await?),
                };
                self.child(parent, name, what).await?
            }
        };
        self.known.insert(path.to_vec(), found);
        Ok(found)
    }

    async fn special(&self, role: Role) -> Result<FolderId> {
        let tree = self.account.folders().await;
        let tree = tree.doing(|| "reading the folders".to_owned())?;
        let found = tree.role(role).map(|folder| folder.id);
        found.ok_or_else(|| Error::Invalid("the mailbox has no Inbox".to_owned()))
    }

    async fn child(
        &self,
        parent: Option<FolderId>,
        name: &str,
        (role, class): (Option<Role>, &str),
    ) -> Result<FolderId> {
        let tree = self.account.folders().await;
        let tree = tree.doing(|| "reading the folders".to_owned())?;
        let top = || match parent {
            None if name.eq_ignore_ascii_case(INBOX) => tree.role(Role::Inbox),
            None => {
                let same = |(alias, _): &(&str, Role)| alias.eq_ignore_ascii_case(name);
                let named = tree.child(None, name);
                named
                    .or_else(|| tree.role(role?))
                    .or_else(|| tree.role(ALIASES.into_iter().find(same)?.1))
            }
            Some(_) => tree.child(parent, name),
        };
        if let Some(folder) = top() {
            return Ok(folder.id);
        }
        self.make(parent, name, class).await
    }

    async fn make(&self, parent: Option<FolderId>, name: &str, class: &str) -> Result<FolderId> {
        let new = NewFolder {
            parent,
            name: name.to_owned(),
            class: class.to_owned(),
        };
        let made = self.account.create_folder(&new).await;
        Ok(made.doing(|| format!("making the folder {name}"))?.id)
    }

    /// A folder by its path; what is missing of it is made.
    async fn by_path(&self, path: &str) -> Result<FolderId> {
        let tree = self.account.folders().await;
        let tree = tree.doing(|| "reading the folders".to_owned())?;
        if let Some(folder) = find(&tree, path) {
            return Ok(folder.id);
        }
        let mut at = None;
        for name in path.split('/') {
            at = Some(self.child(at, name, (None, MAIL_CLASS)).await?);
        }
        at.ok_or_else(|| Error::Invalid(format!("{path}: no such folder")))
    }
}
