//! `dragoman mapi send`: a message of RFC 5322 on its way out.

use std::{sync::Arc, time::SystemTime};

use account::{FileTime, FolderId, Role};
use bytes::Bytes;
use mapi_convert::{Limits, Scanner, oxcmail};
use mapi_types::{Content, ContentHash, Draft, ItemKey, Message, MessageTree, PropBag};
use serde_json::json;

use super::{Octets, output::Output, session::Session};
use crate::{
    cli::mapi::Send,
    failure::{Doing, Result},
};

/// The copy that is not kept.
const NO_COPY: &str = "none";

/// What marks keys of this command, so that they are unlike those of others.
const KEY_CONTEXT: &str = "dragoman mapi send 1";

/// Sends a message as the store does.
pub(super) async fn send(
    session: &Session,
    how: &Send,
    octets: Octets,
    out: &Output,
) -> Result<()> {
    let copy: Option<FolderId> = match how.copy.as_deref() {
        Some(NO_COPY) => None,
        Some(path) => Some(session.folder(path).await?.id),
        None => Some(session.special(Role::SentItems).await?.id),
    };
    let message = message(octets);
    let recipients = message.tree.recipients.len();
    let draft = Draft {
        key: Some(key(how.once.as_deref())?),
        message: Arc::new(message),
        props: PropBag::default(),
        prefix: Bytes::new(),
    };
    let sent = session.store.submit(&draft, copy).await;
    sent.doing(|| "sending".to_owned())?;
    out.say(
        || format!("sent to {recipients} recipients"),
        || json!({"sent": true, "recipients": recipients}),
    )
    .await
}

/// The message as the core has it.
fn message(octets: Octets) -> Message {
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(&octets);
    let scanned = scanner.finish();
    let derived = scanned.derived();
    // What is not understood is sent as it is.
    let (tree, _) = oxcmail::import(&scanned, FileTime::from(SystemTime::now()));
    let tree = MessageTree {
        props: tree.props,
        recipients: tree.recipients,
        attachments: tree.attachments,
    };
    let hash = ContentHash(blake3::hash(&octets).into());
    let len = octets.len() as u64;
    Message {
        tree,
        original: Some(Content::new(Arc::new(Bytes::from(octets)), len, hash)),
        derived,
    }
}

/// Under which key it is sent: one that its name gives, or one that nothing else has.
fn key(once: Option<&str>) -> Result<ItemKey> {
    let mut key = [0; 16];
    match once {
        Some(name) => {
            let mut hasher = blake3::Hasher::new_derive_key(KEY_CONTEXT);
            hasher.update(name.as_bytes());
            hasher.finalize_xof().fill(&mut key);
        }
        None => getrandom::fill(&mut key).doing(|| "randomness".to_owned())?,
    }
    Ok(ItemKey(key.into()))
}
