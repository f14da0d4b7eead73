//! Delivery of one message to any number of mailboxes.

use std::io::{Cursor, Read};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use mapi_convert::header;
use mapi_store::{Error, ErrorKind, Principal, Result, Role};
use mapi_types::{Draft, FileTime, FolderId, MailboxId, MessageTree, OwnedValue, tags};

use outbound::{Envelope, QueueId, Submission};

use crate::{Account, Accounts, Flags, Spooled, delivery_key::delivery_key, write::copy_props};

/// One copy of a message.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Where it goes.
    pub mailbox: MailboxId,
    /// Header fields of this copy alone, each with its line end: Return-Path, Delivered-To, Received.
    pub prefix: Bytes,
    /// What this delivery has and no other one, where the caller knows that: it is saved once, however often it is tried.
    pub once: Option<Box<str>>,
}

/// PidTagRecipientType. Source: MS-OXOMSG 2.2.3.1.
const RECIPIENT_TO: i32 = 1;
const RECIPIENT_CC: i32 = 2;

impl Accounts {
    /// Whether mail for a mailbox goes by a mail server, and is not to be put there.
    pub fn is_relayed(&self, mailbox: &MailboxId) -> bool {
        let queue = self.queue.get();
        queue.is_some_and(|queue| queue.relays_inside(&mailbox.0))
    }

    /// Hands a message that was delivered on to the mail server of its mailboxes, with header fields before it. It is
    /// durable, and on its way, when this returns.
    ///
    /// Errors: `Unavailable` (also: the queue is full), `Invalid` (it has passed too many mail servers).
    pub async fn hand_on(
        &self,
        message: &Spooled,
        trace: Bytes,
        envelope: Envelope,
    ) -> Result<QueueId> {
        let queue = self.queue.get();
        let queue =
            queue.ok_or_else(|| Error::new(ErrorKind::Unsupported, "no mail is sent here"))?;
        let content = Cursor::new(trace).chain(message.passage().await?.into_reader());
        let submission = Submission {
            envelope,
            content: Box::new(content),
        };
        let sent = queue.submit(submission).await;
        sent.map_err(|error| {
            let kind = match error.kind {
                outbound::ErrorKind::Loop | outbound::ErrorKind::Invalid => ErrorKind::Invalid,
                _ => ErrorKind::Unavailable,
            };
            Error::with_source(kind, "the outgoing queue does not take the message", error)
        })
    }

    /// Delivers a message: into the inbox, or into the junk folder when a header says so. One answer a copy, in their
    /// order; `Ok` means durable. A copy that an MTA hands over again, and that is still in its folder, is not saved
    /// again.
    ///
    /// Errors: `NotFound` (no such mailbox), `Quota`, `Unavailable`.
    pub async fn deliver(
        &self,
        message: &Spooled,
        copies: &[Copy],
        received: FileTime,
    ) -> Vec<Result<()>> {
        let role = if self.is_junk(message) {
            Role::Junk
        } else {
            Role::Inbox
        };
        let mut deliveries = Vec::with_capacity(copies.len());
        for copy in copies {
            deliveries.push(self.deliver_copy(message, copy, received, role));
        }
        let at_once = self.shared().options.copies_concurrent_max.max(1);
        stream::iter(deliveries).buffered(at_once).collect().await
    }

    /// Delivers a message that tells the owner of a mailbox something about it, although the mailbox is full.
    ///
    /// Errors: `NotFound`, `Unavailable`.
    pub async fn deliver_notice(
        &self,
        message: &Spooled,
        copy: &Copy,
        received: FileTime,
    ) -> Result<()> {
        let owner = Principal {
            user: copy.mailbox.0.clone(),
        };
        let account = self.open(&owner, &copy.mailbox).await?;
        let folder = target(&account, Role::Inbox).await?;
        let draft = draft(message, copy, received);
        let draft = std::slice::from_ref(&draft);
        account.0.store.save_beyond_quota(folder, draft).await?;
        Ok(())
    }

    async fn deliver_copy(
        &self,
        message: &Spooled,
        copy: &Copy,
        received: FileTime,
        role: Role,
    ) -> Result<()> {
        let draft = draft(message, copy, received);
        match self.file(&copy.mailbox, &draft, role).await {
            // The mailbox may have been removed and made again since it was opened.
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.file(&copy.mailbox, &draft, role).await
            }
            filed => filed,
        }
    }

    async fn file(&self, mailbox: &MailboxId, draft: &Draft, role: Role) -> Result<()> {
        let owner = Principal {
            user: mailbox.0.clone(),
        };
        let account = self.open(&owner, mailbox).await?;
        let folder = target(&account, role).await?;
        let filed = account.save(folder, std::slice::from_ref(draft)).await;
        if filed
            .as_ref()
            .is_err_and(|error| error.kind == ErrorKind::NotFound)
        {
            account.0.mailbox.doubt();
        }
        filed.map(drop)
    }

    fn is_junk(&self, message: &Spooled) -> bool {
        let Some((name, value)) = &self.shared().options.junk_header else {
            return false;
        };
        header::fields(&message.0.derived.header).any(|field| {
            field.is(name)
                && field
                    .value
                    .trim_ascii()
                    .eq_ignore_ascii_case(value.as_bytes())
        })
    }
}

fn draft(message: &Spooled, copy: &Copy, received: FileTime) -> Draft {
    let mut props = copy_props(&message.0, Flags::NONE, &[], received);
    let (to_me, cc_me) = addressed(&message.0.tree, &copy.mailbox.0);
    for (tag, is) in [
        (tags::MESSAGE_TO_ME.tag(), to_me),
        (tags::MESSAGE_CC_ME.tag(), cc_me),
        (tags::MESSAGE_RECIPIENT_ME.tag(), to_me || cc_me),
    ] {
        props.push((tag, OwnedValue::Bool(is)));
    }
    Draft {
        key: delivery_key(message, copy, received),
        message: message.0.clone(),
        props: props.into_iter().collect(),
        prefix: copy.prefix.clone(),
    }
}

/// The folder for arriving mail; the inbox when there is no junk folder.
async fn target(account: &Account, role: Role) -> Result<FolderId> {
    let tree = account.folders().await?;
    let folder = tree
        .role(role)
        .or_else(|| tree.role(Role::Inbox))
        .map(|folder| folder.id);
    folder.ok_or_else(|| Error::new(ErrorKind::NotFound, "the mailbox has no inbox"))
}

/// Whether an address is among the To, and among the Cc recipients.
fn addressed(tree: &MessageTree, address: &str) -> (bool, bool) {
    let is = |kind: i32| {
        tree.recipients.iter().any(|recipient| {
            let smtp = recipient.get(&tags::SMTP_ADDRESS);
            let found = smtp.or_else(|| recipient.get(&tags::EMAIL_ADDRESS));
            recipient.get(&tags::RECIPIENT_TYPE) == Some(kind)
                && found.is_some_and(|found| found.eq_ignore_ascii_case(address))
        })
    };
    (is(RECIPIENT_TO), is(RECIPIENT_CC))
}
