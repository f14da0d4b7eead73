//! Synchronization towards the client: exactly what is new, however the mailbox got there. Source: MS-OXCFXICS 3.2.5.3.

use std::collections::BTreeMap;

use exchange_standin::{
    Config, MailboxAccess, Manners, Server,
    model::{
        draft::{Draft, DraftAttachment},
        ids::{Fid, Mid},
        message_changes::Deletion,
    },
};
use mapi_types::PropTag;
use mapi_wire::{
    PropValue, TaggedValue,
    fast_transfer::{Event, find},
    ics::{Deletions, MessageHeader, ReadStates, Scope, State},
    restriction::Restriction,
    rop::{
        LogonResponse, Response, SynchronizationGetTransferState,
        SynchronizationUploadStateStreamBegin, send_options, synchronization_extra_flags as extra,
        synchronization_flags as flags,
    },
};

use super::{
    client::Client,
    mailbox::{INDEX_FLAGS, contents, gone, hierarchy, subjects, text},
};

/// A client in the Inbox of alice, and the handle of the folder.
fn in_inbox(server: &Server) -> (Client, u32, u32) {
    let mut client = Client::connected(server, "alice");
    let (logon, store) = client.logon();
    let folder = client.open_folder(logon.folder_ids[LogonResponse::INBOX], store);
    (client, folder, store)
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % sides
    }
}

/// What a client holds of a folder: subject and read state of each message, by id.
#[derive(Debug, Default)]
struct Replica {
    messages: BTreeMap<u64, (String, bool)>,
    state: State,
}

impl Replica {
    fn apply(&mut self, events: &[Event], after: State) {
        let mut changed = Vec::new();
        for event in events {
            match event {
                Event::Change(change) => {
                    let header = MessageHeader::from_properties(&change.header).unwrap();
                    let mid = header.mid.unwrap().globcnt.to_u64();
                    let flags = find(&change.message.props, PropTag(0x0e07_0003));
                    let read = flags.unwrap().as_i32().unwrap() & 1 != 0;
                    let subject = text(&change.message.props, 0x0037_001f).unwrap();
                    self.messages.insert(mid, (subject, read));
                    changed.push(mid);
                }
                Event::Deletions(props) => {
                    let gone = Deletions::from_properties(props).unwrap().all();
                    for id in gone.iter() {
                        let mid = id.globcnt.to_u64();
                        assert!(!changed.contains(&mid), "changed and gone");
                        assert!(self.messages.remove(&mid).is_some(), "gone and never here");
                    }
                }
                Event::ReadStates(props) => {
                    let states = ReadStates::from_properties(props).unwrap();
                    for (ids, read) in [(&states.read, true), (&states.unread, false)] {
                        for id in ids.iter() {
                            let mid = id.globcnt.to_u64();
                            assert!(!changed.contains(&mid), "changed and read");
                            self.messages.get_mut(&mid).unwrap().1 = read;
                        }
                    }
                }
                _ => {}
            }
        }
        self.state = after;
        let given: Vec<_> = self
            .state
            .idset_given
            .iter()
            .map(|gid| gid.globcnt.to_u64())
            .collect();
        assert_eq!(given, self.messages.keys().copied().collect::<Vec<_>>());
    }
}

fn truth(alice: &MailboxAccess, folder: Fid) -> BTreeMap<u64, (String, bool)> {
    let messages = alice.messages(folder).unwrap();
    let row = |message: &std::sync::Arc<exchange_standin::model::message::Message>| {
        let subject = message.content.props.text(PropTag(0x0037_001f)).unwrap();
        (message.mid.0, (subject, message.read))
    };
    messages.iter().map(row).collect()
}

/// Does something to a message or the folder.
fn happen(alice: &MailboxAccess, folders: [Fid; 2], dice: &mut Dice, step: usize) {
    let [folder, other] = folders;
    let messages = alice.messages(folder).unwrap();
    let mid = match messages.is_empty() {
        true => Mid(0),
        false => messages[dice.roll(messages.len())].mid,
    };
    match dice.roll(8) {
        0..=2 => drop(alice.create(
            folder,
            Draft {
                read: step.is_multiple_of(2),
                ..Draft::about(&format!("m{step}"))
            },
        )),
        3 => drop(alice.set_props(
            mid,
            &[(
                PropTag(0x0037_001f),
                PropValue::String(format!("e{step}").as_str().into()),
            )],
        )),
        4 => drop(alice.set_read(mid, step.is_multiple_of(3))),
        5 => drop(alice.delete(
            mid,
            if step.is_multiple_of(2) {
                Deletion::Hard
            } else {
                Deletion::Soft
            },
        )),
        6 => drop(alice.move_message(mid, other)),
        _ => drop(alice.copy_message(mid, folder)),
    }
}

fn follow(manners: Manners) {
    let server = Server::start(Config {
        manners,
        ..Config::default()
    })
    .unwrap();
    let alice = server.mailbox("alice");
    let inbox = alice.inbox().unwrap();
    let other = alice.create_folder(inbox, "Other", "").unwrap();
    let (mut client, folder, _) = in_inbox(&server);
    let mut replica = Replica::default();
    let mut dice = Dice(7);
    for step in 0..300 {
        happen(&alice, [inbox, other], &mut dice, step);
        if dice.roll(3) == 0 {
            let (events, after) = client.sync_contents(folder, &replica.state);
            replica.apply(&events, after);
            assert_eq!(replica.messages, truth(&alice, inbox), "step {step}");
            let (events, after) = client.sync_contents(folder, &replica.state);
            assert_eq!(events.len(), 2, "nothing is left but the state: {events:?}");
            replica.apply(&events, after);
        }
    }
    assert!(replica.messages.len() > 20, "{}", replica.messages.len());
}

#[test]
fn a_replica_follows_whatever_happens() {
    follow(Manners::default());
}

#[test]
fn a_replica_follows_when_sets_are_widened_as_exchange_does() {
    follow(Manners {
        widens_sets: true,
        ..Manners::default()
    });
}

#[test]
fn a_state_of_checkpoints_brings_the_rest() {
    let server = Server::start(Config::default()).unwrap();
    let alice = server.mailbox("alice");
    for n in 0..10 {
        alice.deliver(Draft::about(&format!("m{n}"))).unwrap();
    }
    let (mut client, folder, _) = in_inbox(&server);
    let (events, _) = client.sync_contents(folder, &State::new());
    let mut state = State::new();
    for event in events.iter().take(4) {
        let Event::Change(change) = event else {
            panic!("{event:?}");
        };
        let header = MessageHeader::from_properties(&change.header).unwrap();
        let id = mapi_wire::Gid::from_bytes(&header.identity.source_key).unwrap();
        let change = mapi_wire::Gid {
            globcnt: header.change_number.unwrap().globcnt,
            ..id
        };
        state.note_change(id, change, mapi_wire::ics::Audience::People);
    }
    let (events, _) = client.sync_contents(folder, &state);
    assert_eq!(subjects(&events), ["m4", "m5", "m6", "m7", "m8", "m9"]);
}

#[test]
fn whole_messages_come_with_all_but_what_is_left_out() {
    let server = Server::start(Config::default()).unwrap();
    let alice = server.mailbox("alice");
    let draft = Draft {
        html: Some("<p>rich</p>".into()),
        keywords: vec!["red".into()],
        attachments: vec![DraftAttachment {
            name: "a.txt".into(),
            media_type: "text/plain".into(),
            data: b"file".to_vec(),
        }],
        ..Draft::about("whole").text("plain").to("bob@example.test")
    };
    alice.deliver(draft).unwrap();
    let (mut client, folder, _) = in_inbox(&server);
    let whole = flags::UNICODE | flags::NORMAL | flags::BEST_BODY;
    let change_of = |events: &[Event]| match &events[0] {
        Event::Change(change) => change.clone(),
        event => panic!("{event:?}"),
    };
    let (events, _) = client.sync_with(folder, &State::new(), contents(whole, &[]));
    let message = change_of(&events).message;
    assert_eq!(
        (message.recipients.len(), message.attachments.len()),
        (1, 1)
    );
    assert!(message.get(PropTag(0x1013_0102)).is_some());
    assert!(message.get(PropTag(0x1009_0102)).is_none());
    let named = message
        .props
        .iter()
        .find(|property| property.tag.id() >= 0x8000)
        .unwrap();
    assert!(named.name.is_some());
    let without = contents(whole, &[0x1013_0102, 0x0e13_000d]);
    let (events, _) = client.sync_with(folder, &State::new(), without);
    let message = change_of(&events).message;
    assert_eq!(
        (message.recipients.len(), message.attachments.len()),
        (1, 0)
    );
    assert!(message.get(PropTag(0x1013_0102)).is_none());
    let rtf = contents(flags::UNICODE | flags::NORMAL, &[]);
    let (events, _) = client.sync_with(folder, &State::new(), rtf);
    let message = change_of(&events).message;
    assert!(
        message.get(PropTag(0x1009_0102)).is_some(),
        "without BestBody it is RTF"
    );
    assert!(
        message.get(PropTag(0x1013_0102)).is_none() && message.get(PropTag(0x1000_001f)).is_none()
    );
}

#[test]
fn hidden_messages_order_progress_and_scope_are_as_asked() {
    let server = Server::start(Config::default()).unwrap();
    let alice = server.mailbox("alice");
    let inbox = alice.inbox().unwrap();
    for (subject, received) in [("old", 1), ("new", 3), ("middle", 2)] {
        let draft = Draft {
            received: Some(received * 10_000_000),
            ..Draft::about(subject)
        };
        alice.deliver(draft).unwrap();
    }
    let hidden = Draft {
        associated: true,
        ..Draft::about("hidden")
    };
    alice.create(inbox, hidden).unwrap();
    let (mut client, folder, _) = in_inbox(&server);
    let mut newest = contents(INDEX_FLAGS | flags::PROGRESS, &[0x0037_001f]);
    newest.synchronization_extra_flags |= extra::ORDER_BY_DELIVERY_TIME;
    let (events, state) = client.sync_with(folder, &State::new(), newest);
    assert!(matches!(events[0], Event::Progress(_)));
    assert_eq!(subjects(&events), ["new", "middle", "old"]);
    assert!(state.cnset_seen_associated.is_empty());
    let both = contents(INDEX_FLAGS | flags::FAI, &[0x0037_001f]);
    let (events, _) = client.sync_with(folder, &state, both);
    assert_eq!(subjects(&events), ["hidden"]);

    let tag = PropTag(0x0037_001f);
    let value = PropValue::String("m".into());
    let mut restricted = contents(INDEX_FLAGS, &[0x0037_001f]);
    restricted.restriction = Some(Restriction::Content {
        fuzzy_low: 1,
        fuzzy_high: 1,
        tag,
        value: Box::new(TaggedValue { tag, value }),
    });
    let (events, state) = client.sync_with(folder, &State::new(), restricted.clone());
    assert_eq!(subjects(&events), ["middle"]);
    let mid = alice.messages(inbox).unwrap()[2].mid;
    alice
        .set_props(mid, &[(tag, PropValue::String("out".into()))])
        .unwrap();
    let (events, _) = client.sync_with(folder, &state, restricted);
    let Some(Event::Deletions(props)) = events.first() else {
        panic!("{events:?}");
    };
    let gone = Deletions::from_properties(props).unwrap();
    assert_eq!((gone.no_longer_in_scope.len(), gone.deleted.len()), (1, 0));
}

#[test]
fn folders_come_parents_first_and_changes_of_them_after() {
    let server = Server::start(Config::default()).unwrap();
    let alice = server.mailbox("alice");
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let top = client.open_folder(logon.folder_ids[LogonResponse::IPM_SUBTREE], store);
    let names = |events: &[Event]| -> Vec<String> {
        let name = |event: &Event| match event {
            Event::FolderChange(props) => text(props, 0x3001_001f),
            _ => None,
        };
        events.iter().filter_map(name).collect()
    };
    let inbox = alice.inbox().unwrap();
    let work = alice.create_folder(inbox, "Work", "IPF.Note").unwrap();
    let below = alice.create_folder(work, "Below", "IPF.Note").unwrap();
    let (events, state) = client.sync_hierarchy(top, &State::new());
    let all = names(&events);
    let place = |name: &str| all.iter().position(|known| known == name).unwrap();
    assert!(
        place("Inbox") < place("Work") && place("Work") < place("Below"),
        "{all:?}"
    );
    let first = events.iter().find_map(|event| match event {
        Event::FolderChange(props) if text(props, 0x3001_001f).as_deref() == Some("Inbox") => {
            Some(props.clone())
        }
        _ => None,
    });
    let parent = find(&first.unwrap(), PropTag(0x65e1_0102))
        .unwrap()
        .as_octets()
        .unwrap()
        .len();
    assert_eq!(parent, 0, "in the folder that is synchronized");
    alice.deliver(Draft::about("mail")).unwrap();
    let (events, state) = client.sync_hierarchy(top, &state);
    assert_eq!(events.len(), 2, "messages are no change of a folder");
    alice.rename_folder(below, "Deep").unwrap();
    alice.move_folder(below, inbox).unwrap();
    let (events, state) = client.sync_hierarchy(top, &state);
    assert_eq!(names(&events), ["Deep"]);
    alice.delete_folder(work).unwrap();
    let (events, state) = client.sync_hierarchy(top, &state);
    assert_eq!((names(&events).len(), gone(&events)), (0, 1));
    assert_eq!(state.idset_given.len(), all.len() as u64 - 1);
}

#[test]
fn what_no_server_would_take_is_refused() {
    let server = Server::start(Config::default()).unwrap();
    let (mut client, folder, _) = in_inbox(&server);
    let mut cases = vec![
        contents(INDEX_FLAGS | 0x1000, &[]),
        contents(INDEX_FLAGS & !flags::UNICODE, &[]),
        hierarchy(),
        hierarchy(),
    ];
    cases[2].synchronization_flags |= flags::ONLY_SPECIFIED_PROPERTIES;
    cases[3].synchronization_extra_flags |= extra::CN;
    let mut partial = hierarchy();
    partial.send_options |= send_options::PARTIAL_ITEM;
    cases.push(partial);
    for case in cases {
        assert_eq!(client.bad(case.clone(), folder), 0x8007_0057, "{case:?}");
    }
    let (_, context) = client.good(hierarchy(), folder);
    let begin = |state_property| SynchronizationUploadStateStreamBegin {
        logon_id: 0,
        input: 0,
        state_property: PropTag(state_property),
        transfer_buffer_size: 0,
    };
    assert_eq!(
        client.bad(begin(0x67da_0102), context),
        0x8007_0057,
        "not of folders"
    );
    client.download(context);
    assert_eq!(
        client.bad(begin(0x6796_0102), context),
        0x8000_4005,
        "it has begun"
    );
}

#[test]
fn the_state_can_be_had_without_the_changes() {
    let server = Server::start(Config::default()).unwrap();
    server
        .mailbox("alice")
        .deliver(Draft::about("one"))
        .unwrap();
    let (mut client, folder, _) = in_inbox(&server);
    let (_, after) = client.sync_contents(folder, &State::new());
    let (_, context) = client.good(contents(INDEX_FLAGS, &[]), folder);
    client.upload_state(context, &after, Scope::Contents);
    let ask = SynchronizationGetTransferState {
        logon_id: 0,
        input: 0,
        output: 1,
    };
    let (response, source) = client.good(ask, context);
    assert!(matches!(
        response,
        Response::SynchronizationGetTransferState(_)
    ));
    let events = client.download(source);
    let [Event::State(props)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(State::from_properties(props).unwrap(), after);
}
