//! Items as they are shown.

use std::sync::Arc;

use account::Role;
use bytes::Bytes;
use mapi_types::{
    Attachment, AttachmentData, Draft, Message, MessageTree, OwnedValue, PropBag, tags,
};
use serde_json::Value;

use super::{Frame, Gateway};
use crate::exchange::tests::world::LOCAL;

/// The longest piece of an answer.
const PIECE_BYTES_MAX: usize = 1 << 16;

#[tokio::test]
async fn a_large_attachment_is_shown_in_small_pieces() {
    let gateway = Gateway::new().await;
    let data: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
    let session = gateway.session(LOCAL).await;
    let folder = session.special(Role::Notes).await.unwrap();
    let class = OwnedValue::Str("IPM.StickyNote".into());
    let props = [(tags::MESSAGE_CLASS.tag(), class)];
    let tree = MessageTree {
        props: props.into_iter().collect(),
        recipients: Vec::new(),
        attachments: vec![Attachment {
            props: PropBag::default(),
            data: AttachmentData::Inline(Bytes::from(data.clone())),
        }],
    };
    let message = Message {
        tree,
        ..Message::default()
    };
    let draft = Draft {
        key: None,
        message: Arc::new(message),
        props: PropBag::default(),
        prefix: Bytes::new(),
    };
    let saved = session.store.save(folder.id, &[draft]).await.unwrap();
    let number = saved[0].number.0.to_string();
    let words = ["show", LOCAL, "Notes", &number, "--octets"];
    let said = gateway.run(&[&words[..], &["--json"]].concat(), "").await;
    let mut text = Vec::new();
    for frame in said.unwrap() {
        match frame {
            Frame::Octets(octets) => {
                assert!(octets.len() <= PIECE_BYTES_MAX);
                text.extend_from_slice(&octets);
            }
            Frame::Line(line) => panic!("{line}"),
        }
    }
    assert!(text.ends_with(b"}\n") && text.iter().filter(|octet| **octet == b'\n').count() == 1);
    let shown: Value = serde_json::from_slice(&text).unwrap();
    let hex: String = data.iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(shown["attachments"][0]["data"]["hex"], hex);
    let lines = gateway.text(&words).await;
    assert!(lines.iter().all(|line| line.len() < 200));
    assert!(lines.len() > data.len() / 32);
}
