//! Many small messages at once, for tests of size.

use std::sync::Arc;

use mapi_wire::{Gid, PropValue};

use super::{
    change::{Predecessors, Xid},
    error::Result,
    ids::{Cn, Fid, Mid},
    mailbox::Mailbox,
    message::{Content, Message, PendingReceipts},
    props::Props,
    special::made_guid,
    tags::{self, message_flags},
};

/// 100 ns ticks of a minute: how far apart the messages arrived.
const MINUTE: u64 = 600_000_000;

impl Mailbox {
    /// Puts `count` small read messages into a folder, the oldest first, a minute apart and the last one now. Their ids
    /// and their change numbers are one range each.
    pub fn fill(&mut self, fid: Fid, count: u32) -> Result<()> {
        let now = self.clock.now();
        let first_mid = self.take_counters(count.into());
        let first_cn = self.take_counters(count.into());
        let creator: Arc<str> = "transport".into();
        self.folder(fid)?;
        for place in 0..count {
            let gid = self.gid(first_cn + u64::from(place));
            let received = now - MINUTE * u64::from(count - place);
            let mid = Mid(first_mid + u64::from(place));
            let content = small_content(place, mid, received);
            let folder = self.folder_mut(fid)?;
            let message = small_message(gid, &creator, content, (fid, mid, folder.take_article()));
            folder.put(Arc::new(message));
            self.places.insert(mid, fid);
        }
        self.contents_changed(fid);
        Ok(())
    }
}

fn small_message(
    gid: Gid,
    creator: &Arc<str>,
    content: Content,
    place: (Fid, Mid, u32),
) -> Message {
    let change_key = Xid::from_gid(gid);
    let (folder, mid, article) = place;
    Message {
        mid,
        folder,
        associated: false,
        cn: Cn(gid.globcnt.to_u64()),
        read_cn: Cn(0),
        predecessors: Predecessors::of(&change_key),
        change_key,
        article,
        read: true,
        receipts: PendingReceipts::default(),
        status: 0,
        creator: Arc::clone(creator),
        size: content.size(),
        content: Arc::new(content),
    }
}

fn small_content(place: u32, mid: Mid, received: u64) -> Content {
    let text = |text: &str| PropValue::String(text.into());
    let subject = format!("Message {place}");
    let key = made_guid(0x5b01, mid.0 as u32);
    let flags = message_flags::READ | message_flags::UNMODIFIED;
    // In the order of their ids, so that each is put at the end.
    let props: Props = [
        (tags::IMPORTANCE, PropValue::I32(1)),
        (tags::MESSAGE_CLASS, text("IPM.Note")),
        (tags::SUBJECT, text(&subject)),
        (tags::CLIENT_SUBMIT_TIME, PropValue::Time(received)),
        (tags::SUBJECT_PREFIX, text("")),
        (tags::SENT_REPRESENTING_NAME, text("Dana")),
        (tags::SENT_REPRESENTING_ADDRESS_TYPE, text("SMTP")),
        (
            tags::SENT_REPRESENTING_EMAIL_ADDRESS,
            text("dana@elsewhere.test"),
        ),
        (tags::DISPLAY_TO, text("")),
        (tags::MESSAGE_DELIVERY_TIME, PropValue::Time(received)),
        (tags::MESSAGE_FLAGS, PropValue::I32(flags)),
        (tags::NORMALIZED_SUBJECT, text(&subject)),
        (tags::BODY, text("Small.\r\n")),
        (tags::NATIVE_BODY, PropValue::I32(1)),
        (
            tags::INTERNET_MESSAGE_ID,
            text(&format!("<{place}@elsewhere.test>")),
        ),
        (tags::CREATION_TIME, PropValue::Time(received)),
        (tags::LAST_MODIFICATION_TIME, PropValue::Time(received)),
        (tags::SEARCH_KEY, PropValue::Binary(key.0.into())),
    ]
    .into_iter()
    .collect();
    Content {
        props,
        ..Content::default()
    }
}
