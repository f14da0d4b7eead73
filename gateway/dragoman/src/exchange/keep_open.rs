//! Configured accounts: their mailboxes are open, and so kept up to date, while the gateway runs.

use std::{sync::Arc, time::Duration};

use account::{Account, Accounts, MailboxId, Principal};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use crate::{command::administration::Administration, serve::stopped};

/// How long to wait before opening a mailbox again that could not be opened, at first and at most.
const RETRY_FIRST: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(300);

/// Opens every configured account and holds it until shutdown.
pub(crate) fn keep_open(
    administration: &Administration,
    tasks: &mut JoinSet<()>,
    stopping: &watch::Receiver<bool>,
) {
    let sections = administration.backends().sections().iter();
    for mailbox in sections.flat_map(|section| section.accounts()) {
        let (accounts, mailbox) = (Arc::clone(administration.accounts()), mailbox.clone());
        let mut stopping = stopping.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = stopped(&mut stopping) => {}
                _account = hold(&accounts, &mailbox) => {}
            }
        });
    }
}

/// Opens a mailbox, however often that takes, and never comes back.
async fn hold(accounts: &Accounts, mailbox: &MailboxId) {
    let _account = open(accounts, mailbox).await;
    std::future::pending().await
}

async fn open(accounts: &Accounts, mailbox: &MailboxId) -> Account {
    let owner = Principal {
        user: mailbox.0.clone(),
    };
    let mut pause = RETRY_FIRST;
    loop {
        match accounts.open(&owner, mailbox).await {
            Ok(account) => return account,
            Err(error) => {
                tracing::warn!(%mailbox, %error, "a configured mailbox cannot be opened yet");
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(RETRY_MAX);
    }
}
