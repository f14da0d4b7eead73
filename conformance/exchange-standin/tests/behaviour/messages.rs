//! Messages and their properties. Source: MS-OXCMSG 3.2.5, MS-OXCPRPT 3.2.5.

use exchange_standin::{
    Config, Server,
    model::{draft::Draft, ids::Mid, mailbox::Quota, message_changes::Deletion},
};
use mapi_types::PropTag;
use mapi_wire::{
    Guid, PropValue, TaggedValue,
    named::MaybeNamed,
    property_name::{NameId, PropertyName},
    rop::{
        CopyTo, DeleteProperties, GetNamesFromPropertyIds, GetPropertyIdsFromNames, Response,
        SaveChangesMessage, SetProperties, save_flags,
    },
};

use super::{
    client::Client,
    mailbox::open_message,
    message_rops::{SAVE, create_message, in_inbox, recipient, recipients, text},
};

fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

#[test]
fn a_message_is_there_once_it_is_saved() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let fid = alice.inbox().unwrap();
    let (_, message) = client.good(create_message(inbox), folder);
    client.set_props(
        message,
        &[
            (0x001a_001f, text("IPM.Note")),
            (0x0037_001f, text("Re: lunch")),
            (0x0e07_0003, PropValue::I32(1)),
            (0x0e06_0040, PropValue::Time(131_000_000_000_000_000)),
        ],
    );
    client.write_all(
        message,
        0x1000_001f,
        "Grüße"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>()
            .as_slice(),
    );
    client.good(
        recipients(vec![
            recipient(0, 1, "bob@example.test"),
            recipient(1, 2, "x@elsewhere.test"),
        ]),
        message,
    );
    assert!(alice.messages(fid).unwrap().is_empty());
    let mid = client.save(message);
    let saved = alice.message(Mid(mid.globcnt.to_u64())).unwrap();
    assert!(saved.read && saved.receipts == Default::default());
    let props = client.props(
        message,
        &[
            0x003d_001f,
            0x0e1d_001f,
            0x0e04_001f,
            0x1000_001f,
            0x0e07_0003,
            0x0e06_0040,
            0x1016_0003,
            0x65e0_0102,
            0x300b_0102,
        ],
    );
    assert_eq!(
        props[..5],
        [
            Some(text("Re: ")),
            Some(text("lunch")),
            Some(text("bob@example.test")),
            Some(text("Grüße")),
            Some(PropValue::I32(1)),
        ]
    );
    assert_eq!(props[5], Some(PropValue::Time(131_000_000_000_000_000)));
    assert_eq!(props[6], Some(PropValue::I32(1)));
    assert!(props[7].is_some() && props[8].is_some());
}

#[test]
fn flags_are_set_only_before_the_first_save() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let (_, message) = client.good(create_message(inbox), folder);
    client.set_props(message, &[(0x0e07_0003, PropValue::I32(1))]);
    client.save(message);
    let flags = SetProperties {
        logon_id: 0,
        input: 0,
        property_values: vec![TaggedValue {
            tag: PropTag(0x0e07_0003),
            value: PropValue::I32(0),
        }],
    };
    let Response::SetProperties(done) = client.good(flags, message).0 else {
        panic!("no problems");
    };
    assert_eq!(done.property_problems[0].code, 0x8004_011a);
}

#[test]
fn a_message_that_others_changed_is_not_overwritten() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let mid = alice.deliver(Draft::about("old")).unwrap();
    let first = client.open_message(inbox, mid.to_wire(), folder);
    let second = client.open_message(inbox, mid.to_wire(), folder);
    client.set_props(first, &[(0x0037_001f, text("first"))]);
    client.set_props(second, &[(0x0037_001f, text("second"))]);
    alice.set_read(mid, true).unwrap();
    client.save(first);
    assert_eq!(client.bad(SAVE, second), 0x8004_0109);
    let force = SaveChangesMessage {
        save_flags: save_flags::KEEP_OPEN_READ_ONLY | save_flags::FORCE_SAVE,
        ..SAVE
    };
    client.good(force.clone(), second);
    assert_eq!(alice.subjects(alice.inbox().unwrap()).unwrap(), ["second"]);
    assert_eq!(
        client.bad(force, second),
        0x8007_0005,
        "open for reading only now"
    );
    alice.delete(mid, Deletion::Hard).unwrap();
    client.set_props(first, &[(0x0037_001f, text("gone"))]);
    assert_eq!(client.bad(SAVE, first), 0x8004_010a);
    assert_eq!(
        client.bad(open_message(inbox, mid.to_wire(), 0), folder),
        0x8004_010f
    );
}

#[test]
fn another_content_has_another_article_number_and_a_flag_has_not() {
    let server = server();
    let alice = server.mailbox("alice");
    let mid = alice.deliver(Draft::about("one")).unwrap();
    let other = alice.deliver(Draft::about("two")).unwrap();
    let article = |mid| alice.message(mid).unwrap().article;
    assert_eq!((article(mid), article(other)), (1, 2));
    let cn = alice.message(mid).unwrap().cn;
    alice.set_flagged(mid, true).unwrap();
    alice.set_keywords(mid, &["red"]).unwrap();
    assert_eq!(article(mid), 1);
    assert!(alice.message(mid).unwrap().cn > cn);
    alice
        .set_props(mid, &[(PropTag(0x0037_001f), text("edited"))])
        .unwrap();
    assert_eq!(article(mid), 3);
}

#[test]
fn names_of_properties_have_ids_of_their_mailbox() {
    let server = server();
    let name = PropertyName {
        set: Guid([9; 16]),
        id: NameId::Text("Test".into()),
    };
    let ask = |flags| GetPropertyIdsFromNames {
        logon_id: 0,
        input: 0,
        flags,
        property_names: vec![MaybeNamed::Named(name.clone())],
    };
    let id_of = |user: &str, flags| {
        let mut client = Client::connected(&server, user);
        let (_, store) = client.logon();
        match client.good(ask(flags), store).0 {
            Response::GetPropertyIdsFromNames(got) => {
                (got.property_ids[0], got.return_value, client, store)
            }
            response => panic!("{response:?}"),
        }
    };
    let (none, warning, ..) = id_of("alice", 0);
    assert_eq!((none, warning), (0, 0x4_0380));
    let (alice, _, mut client, store) = id_of("alice", 2);
    let (bob, ..) = id_of("bob", 2);
    assert!(alice >= 0x8000 && bob >= 0x8000 && alice != bob);
    let names = GetNamesFromPropertyIds {
        logon_id: 0,
        input: 0,
        property_ids: vec![alice, bob],
    };
    let Response::GetNamesFromPropertyIds(got) = client.good(names, store).0 else {
        panic!("no names");
    };
    assert_eq!(got.property_names[0].name(), Some(&name));
    assert_eq!(got.property_names[1].name(), None);
    let inbox = server.mailbox("alice").inbox().unwrap().to_wire();
    let folder = client.open_folder(inbox, store);
    let (_, message) = client.good(create_message(inbox), folder);
    let foreign = SetProperties {
        logon_id: 0,
        input: 0,
        property_values: vec![TaggedValue {
            tag: PropTag(u32::from(bob) << 16 | 3),
            value: PropValue::I32(1),
        }],
    };
    let Response::SetProperties(done) = client.good(foreign, message).0 else {
        panic!("no problems");
    };
    assert_eq!(done.property_problems.len(), 1);
    assert_eq!(server.violations().len(), 1, "an id of another mailbox");
}

#[test]
fn a_full_mailbox_takes_nothing_more() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    alice
        .set_quota(Quota {
            storage: Some(3000),
            submission: None,
        })
        .unwrap();
    let (_, message) = client.good(create_message(inbox), folder);
    client.set_props(message, &[(0x0037_001f, text(&"s".repeat(1000)))]);
    client.save(message);
    let (_, message) = client.good(create_message(inbox), folder);
    client.set_props(message, &[(0x0037_001f, text(&"s".repeat(1000)))]);
    assert_eq!(client.bad(SAVE, message), 0x4d9);
}

#[test]
fn properties_are_removed_and_copied() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let mid = alice
        .deliver(Draft::about("one").text("body").to("bob@example.test"))
        .unwrap();
    let source = client.open_message(inbox, mid.to_wire(), folder);
    let (_, target) = client.good(create_message(inbox), folder);
    let copy = CopyTo {
        logon_id: 0,
        source: 0,
        destination: 1,
        want_asynchronous: false,
        want_sub_objects: true,
        copy_flags: 0,
        excluded_tags: vec![PropTag(0x1000_001f)],
    };
    client.rops(vec![copy.into()], vec![source, target]);
    let copied = client.save(target);
    let copied = alice.message(Mid(copied.globcnt.to_u64())).unwrap();
    assert_eq!(copied.content.recipients.len(), 1);
    assert_eq!(copied.content.props.text(PropTag(0x1000_001f)), None);
    let delete = DeleteProperties {
        logon_id: 0,
        input: 0,
        property_tags: vec![PropTag(0x0037_001f), PropTag(0x65e0_0102)],
    };
    let Response::DeleteProperties(done) = client.good(delete, source).0 else {
        panic!("no problems");
    };
    assert_eq!(
        done.property_problems.len(),
        1,
        "the source key is computed"
    );
}
