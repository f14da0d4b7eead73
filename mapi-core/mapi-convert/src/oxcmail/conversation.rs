//! Which conversation a message belongs to.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mapi_types::tags;
use md5::{Digest as _, Md5};

use super::{Warning, props::Props};
use crate::{encoded_word, header};

/// Octets of PidTagConversationIndex before those of replies. Source: MS-OXOMSG 2.2.1.3.
const INDEX_HEADER_BYTES: usize = 22;

/// Conversation topic, index and id. Source: MS-OXCMAIL 2.2.3.2.6.8 and 2.2.3.2.6.9, MS-OXOMSG 2.2.1.2.
pub(super) fn put(block: &[u8], normalized_subject: &str, props: &mut Props) {
    let topic = header::field(block, "Thread-Topic").map(|field| encoded_word::decode(field.value));
    let topic = topic.filter(|topic| !topic.is_empty());
    let topic = topic.as_deref().unwrap_or(normalized_subject);
    if !topic.is_empty() {
        props.text(&tags::CONVERSATION_TOPIC, topic);
    }
    let index = header::field(block, "Thread-Index").map(|field| {
        let digits: Vec<u8> = field
            .value
            .iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace())
            .collect();
        STANDARD.decode(digits).ok().filter(|index| is_index(index))
    });
    match index {
        Some(Some(index)) => {
            props.octets(&tags::CONVERSATION_INDEX, &index);
            if let Some(id) = index.get(6..INDEX_HEADER_BYTES) {
                props.octets(&tags::CONVERSATION_ID, id);
            }
            return;
        }
        Some(None) => props.warn(Warning::Unreadable("Thread-Index")),
        None => {}
    }
    if !topic.is_empty() {
        props.octets(&tags::CONVERSATION_ID, &topic_id(topic));
    }
}

fn is_index(index: &[u8]) -> bool {
    index.len() >= INDEX_HEADER_BYTES
        && (index.len() - INDEX_HEADER_BYTES).is_multiple_of(5)
        && index.first() == Some(&1)
}

/// The MD5 of the topic in upper case, UTF-16LE.
fn topic_id(topic: &str) -> [u8; 16] {
    let octets: Vec<u8> = topic
        .to_uppercase()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    Md5::digest(octets).into()
}
