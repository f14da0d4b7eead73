//! Whether what is there under an id that was chosen is all of what was uploaded.
//!
//! A small message is uploaded and saved by one batch, and a batch goes on after a ROP that failed: then a part of it is
//! saved. When the answer is lost too, only looking tells.

use mapi_wire::{
    Id,
    fast_transfer::{Attachment, Message, Property, find_id},
};

use super::{Remote, upload::Upload, upload::pieces};
use crate::fault::Result;

/// PidTagSubject.
const SUBJECT: u16 = 0x0037;

/// PidTagBody, PidTagRtfCompressed, PidTagHtml: a server may make one of another.
const BODIES: [u16; 3] = [0x1000, 0x1009, 0x1013];

/// PidTagAttachDataBinary.
const ATTACH_DATA: u16 = 0x3701;

/// The first id of named properties.
const NAMED: u16 = 0x8000;

impl Remote {
    /// Whether an attempt that was answered or not has brought all of a message; `None`: nothing is there. One request.
    pub(crate) async fn is_whole(&self, folder: Id, upload: &Upload) -> Result<Option<bool>> {
        let id = self.id(upload.chosen.gid).await?;
        let session = &self.sessions.front;
        if !upload.after.is_empty() {
            // Nothing but this makes its change one of those that are there.
            let there = self.versions(folder, id).await?;
            let change = upload.chosen.change_key;
            return Ok(there.map(|there| there.predecessors.contains(change)));
        }
        if pieces(&upload.message).nth(1).is_some() {
            // It is not saved before all of it has arrived.
            let there = self.is_there(session, folder, id).await?;
            return Ok(there.then_some(true));
        }
        let there = self.messages(session, folder, &[id]).await?;
        let there = there.first();
        Ok(there.map(|there| has_all_of(&there.message, &upload.message)))
    }
}

/// Whether nothing is missing in a message, as far as servers keep what they are given.
fn has_all_of(there: &Message, sent: &Message) -> bool {
    let has = |of: &Message, id| find_id(&of.props, id).is_some();
    let has_body = |of: &Message| BODIES.iter().any(|id| has(of, *id));
    let named = |of: &Message| {
        of.props
            .iter()
            .filter(|prop| prop.tag.id() >= NAMED)
            .count()
    };
    (has(there, SUBJECT) || !has(sent, SUBJECT))
        && (has_body(there) || !has_body(sent))
        && named(there) >= named(sent)
        && there.recipients.len() >= sent.recipients.len()
        && there.attachments.len() >= sent.attachments.len()
        && octets(&there.attachments) >= octets(&sent.attachments)
        && embedded(there).count() >= embedded(sent).count()
        && embedded(there)
            .zip(embedded(sent))
            .all(|(there, sent)| has_all_of(there, sent))
}

fn embedded(message: &Message) -> impl Iterator<Item = &Message> {
    let attachments = message.attachments.iter();
    attachments.filter_map(|attachment| attachment.embedded.as_deref())
}

fn octets(attachments: &[Attachment]) -> usize {
    let data = |attachment: &Attachment| {
        let data = find_id(&attachment.props, ATTACH_DATA).and_then(Property::as_octets);
        data.map_or(0, <[u8]>::len)
    };
    attachments.iter().map(data).sum()
}

#[cfg(test)]
mod tests {
    use mapi_types::PropTag;
    use mapi_wire::fast_transfer::Value;

    use super::*;

    fn prop(tag: u32, octets: &[u8]) -> Property {
        Property {
            tag: PropTag(tag),
            name: None,
            value: Value::Octets(octets.into()),
        }
    }

    fn whole() -> Message {
        Message {
            props: vec![prop(0x0037_001f, b"Plans"), prop(0x1000_001f, b"text")],
            recipients: vec![vec![prop(0x3003_001f, b"bob@example.test")]],
            attachments: vec![Attachment {
                props: vec![prop(0x3701_0102, b"1234")],
                embedded: None,
            }],
            ..Message::default()
        }
    }

    #[test]
    fn what_is_missing_is_noticed_and_what_a_server_adds_does_not_matter() {
        let sent = whole();
        assert!(has_all_of(&sent, &sent));
        let mut other = whole();
        other.props = vec![
            prop(0x0037_001f, b"Plans"),
            prop(0x0e07_0003, b""),
            prop(0x1009_0102, b"rtf"),
        ];
        assert!(has_all_of(&other, &sent));
        let cuts: [fn(&mut Message); 5] = [
            |message| drop(message.props.remove(0)),
            |message| drop(message.props.pop()),
            |message| message.recipients.clear(),
            |message| message.attachments.clear(),
            |message| message.attachments[0].props[0] = prop(0x3701_0102, b"12"),
        ];
        for (at, cut) in cuts.into_iter().enumerate() {
            let mut part = whole();
            cut(&mut part);
            assert!(!has_all_of(&part, &sent), "{at}");
        }
        assert!(!has_all_of(&Message::default(), &sent));
    }
}
