//! What commands change: users, aliases, shared mailboxes, rights, backups. Runs in the server or in the command.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use account::{Account, Accounts, FolderId, FolderInfo, MailboxId, Principal};
use directory::Directory;
use mapi_store::{Backend, ErrorKind};
use store_openchange::OpenChange;

use super::{Answer, Request};
use crate::{
    backends::Backends,
    config::Config,
    data_dir::DataDir,
    failure::{Doing, Failure, Result},
    folder_path, outgoing,
};

/// An open data folder.
pub(crate) struct Administration {
    directory: Arc<Directory>,
    pub(super) store: Arc<OpenChange>,
    pub(super) backends: Arc<Backends>,
    accounts: Arc<Accounts>,
    message_bytes_max: u64,
    pub(super) queue: outbound::Queue,
    runner: Mutex<Option<outbound::Runner>>,
}

impl Administration {
    /// Opens the directory and the embedded store of a data folder, which the caller has locked.
    pub(crate) async fn open(config: &Config, data: &DataDir) -> Result<Self> {
        let directory = Directory::open(&data.directory()).doing(|| "users".to_owned())?;
        let directory = Arc::new(directory);
        let path = data.store();
        let options = store_openchange::Options {
            quota: config.quota.limits(),
            ..store_openchange::Options::default()
        };
        let store = tokio::task::spawn_blocking(move || OpenChange::open(&path, options))
            .await
            .doing(|| "opening the store".to_owned())?
            .doing(|| format!("opening the store {}", data.store().display()))?;
        let store = Arc::new(store);
        let options = account::Options {
            spool_folder: data.spool(),
            message_bytes_max: config.limits.message_bytes_max,
            spool_memory_total_bytes_max: usize::try_from(config.limits.spool_memory_bytes_max)
                .unwrap_or(usize::MAX),
            cache_bytes_max: config.limits.cache_bytes_max,
            copies: config.submission.copies(),
            ..account::Options::default()
        };
        let backends = Backends::open(config, store.clone(), directory.clone())?;
        let accounts = Accounts::new(backends.clone(), directory.clone(), options);
        let (queue, runner) = outgoing::open(config, data, &accounts).await?;
        accounts.send_through(queue.clone());
        Ok(Self {
            directory,
            store,
            backends,
            accounts,
            message_bytes_max: config.limits.message_bytes_max,
            queue,
            runner: Mutex::new(Some(runner)),
        })
    }

    /// What works through the outgoing queue: for who asks first.
    pub(crate) fn runner(&self) -> Option<outbound::Runner> {
        let mut runner = self.runner.lock().unwrap_or_else(PoisonError::into_inner);
        runner.take()
    }

    /// The mailboxes.
    pub(crate) fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// Where the mailboxes are.
    pub(crate) fn backends(&self) -> &Arc<Backends> {
        &self.backends
    }

    /// Octets of the longest message that is taken.
    pub(crate) const fn message_bytes_max(&self) -> u64 {
        self.message_bytes_max
    }

    /// The mailbox that somebody means: by address, or by the name an account has in the configuration.
    pub(crate) fn mapi_mailbox(&self, name: &str) -> Result<MailboxId> {
        match self.backends.named(name) {
            Some(mailbox) => Ok(mailbox.clone()),
            None => self.mailbox_id(name).map_err(|failure| {
                let error = mapi_store::Error::new(ErrorKind::NotFound, failure.to_string());
                Failure::of(error)
            }),
        }
    }

    /// The user that somebody means, as permissions name them.
    pub(crate) async fn mapi_member(&self, name: &str) -> Result<String> {
        let MailboxId(user) = self.backends.owner_of(self.mapi_mailbox(name)?).await;
        Ok(user)
    }

    /// The users.
    pub(crate) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Does what a command asks.
    pub(crate) async fn answer(&self, request: &Request) -> Answer {
        match self.perform(request).await {
            Ok(lines) => Answer::Done(lines),
            Err(failure) => Answer::Failed(failure.to_string()),
        }
    }

    async fn perform(&self, request: &Request) -> Result<Vec<String>> {
        self.check_managed_here(request)?;
        match request {
            Request::UserAdd { address, password } => {
                self.add_user(address, password).await.map(|()| vec![])
            }
            Request::UserPasswd { address, password } => {
                self.set_password(address, password).await.map(|()| vec![])
            }
            Request::UserRemove { address, purge } => match self.backends.of_mailbox(address) {
                Some(section) if section.tokens().is_none() => self.remove_mirror(address).await,
                _ => self.remove_user(address, *purge).await.map(|()| vec![]),
            },
            Request::UserList => Ok(self.users()),
            Request::AppPassword { address, change } => {
                self.change_app_passwords(address, change).await
            }
            Request::AliasAdd { alias, address } => {
                self.directory
                    .add_alias(alias, &[address])
                    .doing(|| alias.clone())?;
                Ok(vec![])
            }
            Request::AliasRemove { alias } => {
                self.directory.remove_alias(alias).doing(|| alias.clone())?;
                Ok(vec![])
            }
            Request::AliasList => Ok(self.aliases()),
            Request::GrantAdd {
                mailbox,
                member,
                rights,
                folder,
            } => self
                .grant(mailbox, member, rights, folder)
                .await
                .map(|()| vec![]),
            Request::GrantList { mailbox, folder } => self.grants(mailbox, folder).await,
            Request::GrantSend {
                address,
                member,
                how,
            } => self.grant_sending(address, member, *how).map(|()| vec![]),
            Request::Senders { address } => Ok(self.senders(address.as_deref())),
            Request::SharedAdd { address } => self.add_shared(address).await.map(|()| vec![]),
            Request::Backup {
                mailbox,
                to,
                folder,
            } => self.backup(mailbox, to, folder.as_deref()).await,
            Request::MirrorStatus { mailbox: None } => self.mirrors().await,
            Request::MirrorStatus {
                mailbox: Some(mailbox),
            } => self.mirror_status(mailbox).await,
            Request::MirrorDrop { mailbox } => self.drop_mirror(mailbox).await,
            Request::MirrorRetry { mailbox } => self.retry_mirror(mailbox).await,
            Request::MirrorExport { mailbox, to } => self.export_refused(mailbox, to).await,
            Request::MirrorReset { mailbox, yes } => self.reset_mirror(mailbox, *yes).await,
            Request::QueueList { address } => self.queue_list(address.as_deref()).await,
            Request::QueueShow { id } => self.queue_show(id).await,
            Request::QueueChange { change, ids } => self.queue_change(*change, ids).await,
            Request::QuotaShow { mailbox } => self.quota_show(mailbox.as_deref()).await,
            Request::QuotaSet { mailbox, change } => self.quota_set(mailbox, change).await,
            Request::QuotaUnset { mailbox } => self.quota_unset(mailbox).await,
            Request::Recover { mailbox, what } => self.recover(mailbox, what).await,
            Request::Fsck => self.fsck().await,
            Request::Compact => self.compact().await,
        }
    }

    /// Users of Exchange domains are made, changed and given rights there.
    fn check_managed_here(&self, request: &Request) -> Result<()> {
        let (address, hint) = match request {
            Request::UserAdd { address, .. }
            | Request::UserPasswd { address, .. }
            | Request::AppPassword { address, .. }
            | Request::SharedAdd { address }
            | Request::AliasAdd { alias: address, .. }
            | Request::GrantSend { address, .. }
            | Request::GrantAdd {
                mailbox: address, ..
            }
            | Request::GrantList {
                mailbox: address, ..
            } => (address, ""),
            Request::UserRemove {
                address,
                purge: false,
            } => (address, "; --purge removes what is mirrored here"),
            _ => return Ok(()),
        };
        let with_passwords_here = matches!(
            request,
            Request::UserAdd { .. }
                | Request::UserPasswd { .. }
                | Request::UserRemove { .. }
                | Request::AppPassword { .. }
                | Request::AliasAdd { .. }
        );
        match self.backends.of_mailbox(address) {
            // With tokens, passwords are the gateway's own.
            Some(section) if with_passwords_here && section.tokens().is_some() => Ok(()),
            Some(section) => Err(Failure::new(format!(
                "{address}: this domain is managed on the Exchange server (exchange.{}){hint}",
                section.name()
            ))),
            None => Ok(()),
        }
    }

    /// Removes what is here of a mailbox on Exchange.
    async fn remove_mirror(&self, address: &str) -> Result<Vec<String>> {
        let mailbox = self.mailbox_id(address)?;
        self.backends
            .remove(&mailbox)
            .await
            .doing(|| format!("removing the mirror of {mailbox}"))?;
        Ok(vec![format!(
            "the mirror of {mailbox} is removed; the mailbox stays on the Exchange server"
        )])
    }

    async fn add_user(&self, address: &str, password: &str) -> Result<()> {
        let (directory, owned) = (
            self.directory.clone(),
            (address.to_owned(), password.to_owned()),
        );
        let user = blocking(move || directory.add_user(&owned.0, &owned.1))
            .await?
            .doing(|| address.to_owned())?;
        self.provision(user.mailbox.as_str()).await
    }

    async fn add_shared(&self, address: &str) -> Result<()> {
        let shared = self.directory.add_shared(address);
        let shared = shared.doing(|| address.to_owned())?;
        self.provision(shared.mailbox.as_str()).await
    }

    async fn set_password(&self, address: &str, password: &str) -> Result<()> {
        let (directory, owned) = (
            self.directory.clone(),
            (address.to_owned(), password.to_owned()),
        );
        blocking(move || directory.set_password(&owned.0, &owned.1))
            .await?
            .doing(|| address.to_owned())
    }

    /// Adds the user, or gives them this password when they are there already.
    pub(crate) async fn ensure_user(&self, address: &str, password: &str) -> Result<()> {
        match self.directory.user(address) {
            None => self.add_user(address, password).await,
            Some(user) => {
                self.set_password(address, password).await?;
                self.provision(user.mailbox.as_str()).await
            }
        }
    }

    /// Makes a mailbox unless it is there: one that an earlier user of that address left is theirs again.
    async fn provision(&self, mailbox: &str) -> Result<()> {
        if self.backends.of_mailbox(mailbox).is_some() {
            // It is on the server, and mirrored when it is first opened.
            return Ok(());
        }
        match self
            .backends
            .provision(&MailboxId(mailbox.to_owned()))
            .await
        {
            Err(error) if error.kind == ErrorKind::Exists => Ok(()),
            made => made.doing(|| format!("making the mailbox {mailbox}")),
        }
    }

    async fn remove_user(&self, address: &str, purge: bool) -> Result<()> {
        let user = self
            .directory
            .user(address)
            .ok_or_else(|| Failure::new(format!("{address}: no such user")))?;
        self.directory
            .remove_user(address)
            .doing(|| address.to_owned())?;
        let mailbox = MailboxId(user.mailbox.as_str().to_owned());
        let section = self.backends.of_mailbox(&mailbox.0);
        if let Some(tokens) = section.and_then(|section| section.tokens()) {
            tokens
                .forget(&mailbox.0)
                .await
                .doing(|| format!("forgetting the token of {mailbox}"))?;
        }
        if !purge {
            return Ok(());
        }
        match self.backends.remove(&mailbox).await {
            // A mirror is made when the mailbox is first opened.
            Err(error) if section.is_some() && error.kind == ErrorKind::NotFound => Ok(()),
            removed => removed.doing(|| format!("removing the mailbox {mailbox}")),
        }
    }

    fn users(&self) -> Vec<String> {
        let line = |user: &directory::User| {
            let disabled = if user.disabled { "  disabled" } else { "" };
            let only = match user.app_passwords_only {
                true => "  app passwords only",
                false => "",
            };
            format!("{}{disabled}{only}", user.address)
        };
        let mut lines: Vec<_> = self.directory.users().iter().map(line).collect();
        for (domain, section) in self.backends.domains() {
            lines.push(format!("*@{domain}  on Exchange ({})", section.name()));
        }
        lines
    }

    fn aliases(&self) -> Vec<String> {
        let line = |alias: &directory::Alias| {
            let targets: Vec<_> = alias.targets.iter().map(ToString::to_string).collect();
            format!("{} -> {}", alias.address, targets.join(", "))
        };
        self.directory.aliases().iter().map(line).collect()
    }

    pub(super) fn mailbox_id(&self, address: &str) -> Result<MailboxId> {
        if let Ok(parsed) = directory::Address::parse(address)
            && self.backends.of(&parsed).is_some()
        {
            return Ok(MailboxId(parsed.to_string()));
        }
        if let Ok(parsed) = directory::Address::parse(address)
            && self.backends.is_on_ldap(parsed.domain())
            && self.directory.resolve(address).is_none()
        {
            return Ok(MailboxId(parsed.to_string()));
        }
        match &self.directory.resolve(address).unwrap_or_default()[..] {
            [name] => Ok(MailboxId(name.as_str().to_owned())),
            _ => Err(Failure::new(format!(
                "{address}: not the address of one mailbox"
            ))),
        }
    }

    /// A mailbox as its owner sees it.
    pub(super) async fn owned(&self, mailbox: &str) -> Result<Account> {
        let id = self.mailbox_id(mailbox)?;
        let principal = Principal { user: id.0.clone() };
        self.accounts
            .open(&principal, &id)
            .await
            .doing(|| format!("opening {mailbox}"))
    }

    pub(super) async fn folder(&self, account: &Account, path: &str) -> Result<FolderInfo> {
        let folders = account
            .folders()
            .await
            .doing(|| "reading the folders".to_owned())?;
        let found = folder_path::find(&folders, path).cloned();
        found.ok_or_else(|| Failure::new(format!("{path}: no such folder")))
    }

    async fn backup(&self, mailbox: &str, to: &Path, folder: Option<&str>) -> Result<Vec<String>> {
        let id = self.mailbox_id(mailbox)?;
        let folder = match folder {
            Some(_) => self.folder_id(&self.owned(mailbox).await?, folder).await?,
            None => None,
        };
        let saved = self.store.backup(&id, folder, to).await;
        saved.doing(|| format!("backup to {}", to.display()))?;
        Ok(vec![format!("{mailbox} saved in {}", to.display())])
    }

    /// Makes a mailbox, or one folder of it, what a backup says it was.
    pub(crate) async fn restore(
        &self,
        mailbox: &str,
        from: &Path,
        folder: Option<&str>,
    ) -> Result<()> {
        let id = self.mailbox_id(mailbox)?;
        let folder = match folder {
            Some(_) => self.folder_id(&self.owned(mailbox).await?, folder).await?,
            None => None,
        };
        self.store
            .restore(&id, folder, from)
            .await
            .doing(|| format!("restoring {}", from.display()))
    }

    async fn folder_id(&self, account: &Account, path: Option<&str>) -> Result<Option<FolderId>> {
        match path {
            Some(path) => Ok(Some(self.folder(account, path).await?.id)),
            None => Ok(None),
        }
    }

    async fn compact(&self) -> Result<Vec<String>> {
        let freed = self
            .store
            .compact()
            .await
            .doing(|| "compacting the store".to_owned())?;
        Ok(vec![format!(
            "{} segment files removed, {} octets freed, {} mailbox files written anew",
            freed.segments, freed.octets, freed.mailboxes
        )])
    }

    async fn fsck(&self) -> Result<Vec<String>> {
        let faults = self
            .store
            .check()
            .await
            .doing(|| "checking the store".to_owned())?;
        if faults.is_empty() {
            return Ok(vec!["no faults".to_owned()]);
        }
        let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
        Err(Failure::new(format!(
            "{} faults\n{}",
            faults.len(),
            lines.join("\n")
        )))
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .doing(|| "password hashing".to_owned())
}
