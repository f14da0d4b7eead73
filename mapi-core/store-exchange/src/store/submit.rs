//! Sending: the message goes into the Outbox by the way of every upload, then the server is told to send it.
//!
//! Sending cannot be undone and must not be done twice, so what is noted before each step says what a lost answer means:
//!
//! 1. *uploading* is noted with the id the message will have; the upload can be repeated under it;
//! 2. *submitting* is noted, and the server told: once. From then on a message that is not in the Outbox was sent;
//! 3. *sent* is noted, so that a caller who asks again is told the same.

use std::{sync::Arc, time::SystemTime};

use mapi_store::{Error, ErrorKind, Result, Rights};
use mapi_types::{Draft, FileTime, FolderId, OwnedValue, PropTag, tags, tags::message_flags};
use mapi_wire::{
    Gid, Id,
    entry_id::{EntryId, FolderEntryId},
    fast_transfer::{Message, Property, Value},
    ics::PredecessorChangeList,
    rop::LogonResponse,
};

use super::ExchangeStore;
use crate::{
    fault::code,
    mailbox::{Stage, SubmissionKey, Work, remote_id},
    remote::{Chosen, Standing, Upload},
    session::LoggedOn,
};

/// PidTagDeleteAfterSubmit. Source: MS-OXOMSG 2.2.3.8.
const DELETE_AFTER_SUBMIT: PropTag = PropTag(0x0e01_000b);

/// PidTagSentMailSvrEID: where the sent message is kept. Source: MS-OXOMSG 2.2.3.10.
const SENT_MAIL_SERVER_ID: PropTag = PropTag(0x6740_00fb);

/// PidTagSentMailEntryId: the same, for servers that look at it instead.
const SENT_MAIL_ENTRY_ID: PropTag = PropTag(0x0e0a_0102);

/// What the server says of who sends, and what only a message has that arrived.
const NOT_SUBMITTED: [u16; 21] = [
    0x0c19, 0x0c1a, 0x0c1d, 0x0c1e, 0x0c1f, 0x5d01, // PidTagSender*
    0x003f, 0x0040, 0x0051, 0x0075, 0x0076, // PidTagReceivedBy*
    0x0043, 0x0044, 0x0052, 0x0077, 0x0078, // PidTagReceivedRepresenting*
    0x007d, 0x0e06, // PidTagTransportMessageHeaders, PidTagMessageDeliveryTime
    0x0e0a, 0x0e01, 0x6740,
];

/// A message on its way out.
struct Outgoing {
    outbox: Id,
    gid: Gid,
    id: Id,
    key: Option<SubmissionKey>,
    /// There has been an attempt to upload it under this id.
    again: bool,
}

impl ExchangeStore {
    /// See [`mapi_store::Store::submit`]. Submissions of a mailbox are carried out one after another.
    pub(super) async fn send(&self, draft: &Draft, copy: Option<FolderId>) -> Result<()> {
        self.refuse_nobody()?;
        if let Some(folder) = copy {
            self.admit(folder, Rights::CREATE).await?;
        }
        let mailbox = &self.mailbox;
        let _turn = mailbox.turn(Work::Submit).await;
        let key = draft.key.as_ref().map(|key| self.submission_key(&key.0));
        let known = match &key {
            Some(key) => mailbox.submission(key).await?,
            None => None,
        };
        if let Some((_, Stage::Sent)) = known {
            return Ok(());
        }
        let logon = mailbox.remote.logon().await?;
        let namespace = mailbox.namespace().await?;
        let fresh = mailbox.remote.choose(1, namespace).await?;
        let Some(fresh) = fresh.into_iter().next() else {
            return Err(Error::new(
                ErrorKind::Internal,
                "there is no id for a message",
            ));
        };
        let gid = known.map_or(fresh.gid, |(gid, _)| gid);
        let outbox = logon.folders.get(LogonResponse::OUTBOX).copied();
        let outgoing = Outgoing {
            outbox: outbox.unwrap_or_default(),
            gid,
            id: mailbox.remote.id(gid).await?,
            key,
            again: known.is_some(),
        };
        let done = match known {
            Some((_, Stage::Submitting)) => self.settle(&outgoing).await,
            _ => {
                let chosen = Chosen { gid, ..fresh };
                self.put_out(&outgoing, (&chosen, &logon), draft, copy)
                    .await
            }
        };
        self.look_at(&outgoing, copy).await;
        done
    }

    /// Uploads the message and has it sent.
    async fn put_out(
        &self,
        outgoing: &Outgoing,
        (chosen, logon): (&Chosen, &LoggedOn),
        draft: &Draft,
        copy: Option<FolderId>,
    ) -> Result<()> {
        let mailbox = &self.mailbox;
        let now = FileTime::from(SystemTime::now());
        let flags = OwnedValue::I32(message_flags::UNSENT | message_flags::READ);
        let draft = Draft {
            props: draft.props.with(&[(tags::MESSAGE_FLAGS.tag(), flags)], &[]),
            ..draft.clone()
        };
        let mut message = self.mailbox.prepared(&draft, now).await?.message;
        let kept_in = match copy {
            Some(folder) => Some(mailbox.folder_gid(folder).await?),
            None => None,
        };
        address(&mut message, logon, kept_in);
        self.note(outgoing, Stage::Uploading).await?;
        let upload = Upload {
            chosen: chosen.clone(),
            after: PredecessorChangeList::new(),
            modified: now,
            message: Arc::new(message),
            associated: false,
            read: true,
            again: outgoing.again,
        };
        match mailbox.remote.upload(outgoing.outbox, &upload).await {
            // An earlier attempt brought it there.
            Err(fault) if fault.code() == Some(code::SYNC_CONFLICT) => {}
            Err(fault) => {
                // A part of it may lie there.
                if !fault.outcome_is_unknown() {
                    self.take_out(outgoing).await;
                }
                return Err(fault.into());
            }
            Ok(_) => {}
        }
        self.have_sent(outgoing).await
    }

    /// Has the server send a message that lies in the Outbox.
    async fn have_sent(&self, outgoing: &Outgoing) -> Result<()> {
        self.note(outgoing, Stage::Submitting).await?;
        let remote = &self.mailbox.remote;
        match remote.submit(outgoing.outbox, outgoing.id).await {
            Ok(()) => self.note(outgoing, Stage::Sent).await,
            Err(fault) if fault.outcome_is_unknown() => {
                tracing::info!(%fault, "whether a message was sent has to be found out");
                match remote.standing(outgoing.outbox, outgoing.id).await {
                    Ok(Standing::Gone | Standing::Going) => self.note(outgoing, Stage::Sent).await,
                    // The caller asks again.
                    Ok(Standing::Waiting) | Err(_) => Err(fault.into()),
                }
            }
            Err(fault) if fault.kind().is_transient() => Err(fault.into()),
            Err(fault) => {
                self.take_out(outgoing).await;
                Err(fault.into())
            }
        }
    }

    /// Finds out what became of a message that the server was told to send before, and has it sent where it still lies.
    async fn settle(&self, outgoing: &Outgoing) -> Result<()> {
        let remote = &self.mailbox.remote;
        match remote.standing(outgoing.outbox, outgoing.id).await? {
            Standing::Gone | Standing::Going => self.note(outgoing, Stage::Sent).await,
            Standing::Waiting => self.have_sent(outgoing).await,
        }
    }

    /// A message that the server refuses to send does not stay behind.
    async fn take_out(&self, outgoing: &Outgoing) {
        let remote = &self.mailbox.remote;
        match remote.delete(outgoing.outbox, &[outgoing.id]).await {
            Ok(_) => self.forget_noted(outgoing).await,
            Err(fault) => tracing::warn!(%fault, "a message that was refused lies in the Outbox"),
        }
    }

    async fn note(&self, outgoing: &Outgoing, stage: Stage) -> Result<()> {
        match outgoing.key {
            Some(key) => {
                let noted = self.mailbox.note_submission(key, outgoing.gid, stage);
                noted.await
            }
            None => Ok(()),
        }
    }

    async fn forget_noted(&self, outgoing: &Outgoing) {
        let Some(key) = &outgoing.key else { return };
        if let Err(error) = self.mailbox.forget_submission(key).await {
            tracing::warn!(%error, "a submission that was refused is still noted");
        }
    }

    /// The folders that a message passes have changed.
    async fn look_at(&self, outgoing: &Outgoing, copy: Option<FolderId>) {
        let mailbox = &self.mailbox;
        if let Ok(gid) = mailbox.remote.gid(outgoing.outbox).await
            && let Ok(Some(outbox)) = mailbox.mirror.folder_of(&remote_id(gid)).await
        {
            mailbox.keeper.doubt(outbox);
        }
        if let Some(folder) = copy {
            mailbox.keeper.doubt(folder);
        }
    }

    /// Somebody else's key is another one.
    fn submission_key(&self, key: &[u8]) -> SubmissionKey {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.mailbox.user().as_bytes());
        hasher.update(&[0]);
        hasher.update(key);
        let mut digest = SubmissionKey::default();
        hasher.finalize_xof().fill(&mut digest);
        digest
    }
}

/// Says what becomes of the message once it was sent.
fn address(message: &mut Message, logon: &LoggedOn, kept_in: Option<Gid>) {
    message
        .props
        .retain(|prop| !NOT_SUBMITTED.contains(&prop.tag.id()));
    let property = |tag, value| Property {
        tag,
        name: None,
        value,
    };
    let Some(folder) = kept_in else {
        message
            .props
            .push(property(DELETE_AFTER_SUBMIT, Value::Bool(1)));
        return;
    };
    let entry_id = FolderEntryId::private(logon.mailbox_guid, folder);
    let entry_id = EntryId::Folder(entry_id).to_bytes();
    message
        .props
        .push(property(SENT_MAIL_ENTRY_ID, Value::Octets(entry_id.into())));
    if folder.replguid == logon.replguid {
        let id = Id {
            replid: logon.replid,
            globcnt: folder.globcnt,
        };
        message
            .props
            .push(property(SENT_MAIL_SERVER_ID, server_id(id)));
    }
}

/// The ServerId of a folder. Source: MS-OXCDATA 2.11.1.4.
fn server_id(folder: Id) -> Value {
    const OURS: u8 = 1;
    let mut octets = vec![OURS];
    octets.extend(folder.to_u64().to_le_bytes());
    // No message, no instance.
    octets.extend([0; 12]);
    Value::Octets(octets.into())
}
