//! Source: MS-OXCROPS 2.2.3.1, MS-OXCSTOR 2.2.1.1.

use mapi_wire::rop::*;

use super::{slot, target};
use crate::{
    names::codes::logon,
    node::{Entry, Node},
    object,
    view::{
        Scene, View,
        hints::{bits, hexadecimal, string8_with_nul},
        views,
    },
};

views! {
    Logon {
        logon_id, output: target, logon_flags: bits(logon::FLAGS), open_flags: bits(logon::OPEN),
        store_state: hexadecimal,
        essdn: |essdn: &[u8], scene: &Scene<'_>| string8_with_nul(essdn, scene),
    }
    LogonResponse {
        index: slot, logon_flags: bits(logon::FLAGS),
        folder_ids: folders(store), store,
    }
    Mailbox {
        response_flags: bits(logon::RESPONSE), mailbox_guid, replid, replguid, logon_time,
        gwart_time: |time: &u64, _: &Scene<'_>| crate::view::time::time(*time),
        store_state: bits(logon::STORE_STATE),
    }
}

/// The folders by what they are.
fn folders(store: &Store) -> impl Fn(&[mapi_wire::Id; LogonResponse::FOLDERS], &Scene<'_>) -> Node {
    let names = object::folder_names(matches!(store, Store::Private(_)));
    move |ids, _| {
        let mut entry = Entry::default();
        for (name, id) in names.iter().zip(ids) {
            let id = crate::view::ids::id(*id, None);
            entry.fields.push(((*name).into(), Node::Word(id)));
        }
        entry.into()
    }
}

impl View for Store {
    fn view(&self, scene: &Scene<'_>) -> Node {
        match self {
            Self::Private(mailbox) => named("mailbox", mailbox.view(scene)),
            Self::Public {
                replid,
                replguid,
                per_user_guid,
            } => Entry::new("store", "public folders")
                .with("replid", replid.view(scene))
                .with("replguid", replguid.view(scene))
                .with("per_user_guid", per_user_guid.view(scene))
                .into(),
        }
    }
}

fn named(kind: &str, node: Node) -> Node {
    match node {
        Node::Entry(entry) => Node::Entry(Entry {
            head: vec![("store", kind.to_owned())],
            ..entry
        }),
        node => node,
    }
}

impl View for LogonTime {
    fn view(&self, _: &Scene<'_>) -> Node {
        let Self {
            seconds,
            minutes,
            hour,
            day_of_week,
            day,
            month,
            year,
        } = self;
        Node::Word(format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minutes:02}:{seconds:02}Z, weekday {day_of_week}"
        ))
    }
}
