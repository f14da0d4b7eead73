//! Synchronization from the client: chosen ids, conflicts, moves, deletions. Source: MS-OXCFXICS 3.2.5.9.4.

use exchange_standin::{
    Config, MailboxAccess, Server,
    model::{
        draft::Draft,
        ids::{Fid, Mid},
        message_changes::Deletion,
    },
};
use mapi_types::PropTag;
use mapi_wire::{
    Gid, Globcnt, Guid, PropValue, TaggedValue,
    fast_transfer::Event,
    ics::State,
    rop::{
        GetLocalReplicaIds, LogonResponse, MessageReadState, Response,
        SynchronizationGetTransferState, SynchronizationImportDeletes,
        SynchronizationImportHierarchyChange, SynchronizationImportMessageChange,
        SynchronizationImportMessageMove, SynchronizationImportReadStateChanges,
        SynchronizationOpenCollector,
    },
};

use super::{client::Client, message_rops::text};

/// The namespace of the client's own changes.
const OURS: Guid = Guid([0xcc; 16]);

const IGNORE: u32 = 0x8004_0801;
const CONFLICT: u32 = 0x8004_0802;
const DELETED: u32 = 0x8004_0800;
const INVALID: u32 = 0x8007_0057;
const NEWER: u32 = 0x0004_0821;

/// A time between that of mail a test delivers and the far future.
const LATE: u64 = 200_000_000_000_000_000;

struct Test {
    server: Server,
    client: Client,
    alice: MailboxAccess,
    store: u32,
    folder: u32,
    collector: u32,
}

fn binary(tag: u32, octets: &[u8]) -> TaggedValue {
    TaggedValue {
        tag: PropTag(tag),
        value: PropValue::Binary(octets.into()),
    }
}

fn time(ticks: u64) -> TaggedValue {
    TaggedValue {
        tag: PropTag(0x3008_0040),
        value: PropValue::Time(ticks),
    }
}

/// An identifier of a change of the client.
fn change(number: u32) -> Vec<u8> {
    [&OURS.0[..], &number.to_be_bytes()].concat()
}

/// A list of changes, each with its size.
fn list(changes: &[Vec<u8>]) -> Vec<u8> {
    let sized = changes
        .iter()
        .map(|change| [&[change.len() as u8], change.as_slice()].concat());
    sized.collect::<Vec<_>>().concat()
}

impl Test {
    fn new() -> Self {
        let server = Server::start(Config::default()).unwrap();
        let mut client = Client::connected(&server, "alice");
        let (logon, store) = client.logon();
        let folder = client.open_folder(logon.folder_ids[LogonResponse::INBOX], store);
        let alice = server.mailbox("alice");
        let collector = open_collector(&mut client, folder, true);
        Self {
            server,
            client,
            alice,
            store,
            folder,
            collector,
        }
    }

    /// An id that the client may give to something new.
    fn new_id(&mut self) -> Gid {
        let ask = GetLocalReplicaIds {
            logon_id: 0,
            input: 0,
            id_count: 1,
        };
        match self.client.good(ask, self.store).0 {
            Response::GetLocalReplicaIds(got) => Gid {
                replguid: got.replguid,
                globcnt: got.global_count,
            },
            response => panic!("{response:?}"),
        }
    }

    fn import(
        &mut self,
        id: Gid,
        modified: u64,
        key: &[u8],
        changes: &[Vec<u8>],
    ) -> Result<u32, u32> {
        self.import_with(0, id, modified, (key, changes))
    }

    fn import_with(
        &mut self,
        import_flag: u8,
        id: Gid,
        modified: u64,
        (key, changes): (&[u8], &[Vec<u8>]),
    ) -> Result<u32, u32> {
        let ask = SynchronizationImportMessageChange {
            logon_id: 0,
            input: 0,
            output: 1,
            import_flag,
            property_values: vec![
                binary(0x65e0_0102, &id.to_bytes()),
                time(modified),
                binary(0x65e2_0102, key),
                binary(0x65e3_0102, &list(changes)),
            ],
        };
        match self.client.one(ask, self.collector) {
            (Response::Failed(failed), _) => Err(failed.code),
            (_, message) => Ok(message),
        }
    }

    /// Uploads a new version of a message with this subject.
    fn upload(&mut self, id: Gid, number: u32, subject: &str, before: &[Vec<u8>]) -> Mid {
        let mut changes = before.to_vec();
        changes.push(change(number));
        let message = self.import(id, LATE, &change(number), &changes).unwrap();
        self.client
            .set_props(message, &[(0x0037_001f, text(subject))]);
        if before.is_empty() {
            self.client
                .set_props(message, &[(0x0e07_0003, PropValue::I32(1))]);
        }
        let mid = self.client.save(message);
        self.client.release(message);
        Mid(mid.globcnt.to_u64())
    }

    fn key_of(&self, mid: Mid) -> Gid {
        let replguid = self.alice.look(|mailbox| mailbox.replica).unwrap();
        Gid {
            replguid,
            globcnt: Globcnt::from_u64(mid.0),
        }
    }

    fn changes_of(&self, mid: Mid) -> Vec<u8> {
        self.alice
            .message(mid)
            .unwrap()
            .predecessors
            .to_bytes()
            .into()
    }

    fn subjects(&self) -> Vec<String> {
        self.alice.subjects(self.alice.inbox().unwrap()).unwrap()
    }
}

fn open_collector(client: &mut Client, folder: u32, is_contents_collector: bool) -> u32 {
    let ask = SynchronizationOpenCollector {
        logon_id: 0,
        input: 0,
        output: 1,
        is_contents_collector,
    };
    client.good(ask, folder).1
}

#[test]
fn a_message_keeps_the_id_and_version_a_client_chose_and_comes_once() {
    let mut test = Test::new();
    let id = test.new_id();
    let mid = test.upload(id, 1, "mine", &[]);
    assert_eq!(mid.0, id.globcnt.to_u64());
    let saved = test.alice.message(mid).unwrap();
    assert_eq!(&*saved.change_key.to_bytes(), change(1));
    assert_eq!(saved.content.props.time(PropTag(0x3008_0040)), Some(LATE));
    assert!(saved.read);
    let again = test.import(id, LATE, &change(1), &[change(1)]);
    assert_eq!(again, Err(IGNORE), "a retry does no harm");
    assert_eq!(test.subjects(), ["mine"]);
    let newer = test.upload(id, 2, "mine again", &[change(1)]);
    assert_eq!(
        (newer, test.subjects()),
        (mid, vec!["mine again".to_owned()])
    );
    let (events, _) = test.client.sync_contents(test.folder, &State::new());
    assert_eq!(super::mailbox::subjects(&events), ["mine again"]);
    assert_eq!(test.server.violations(), [""; 0]);
}

#[test]
fn ids_that_were_not_set_aside_or_were_used_are_refused() {
    let mut test = Test::new();
    let id = test.new_id();
    let never = Gid {
        globcnt: Globcnt::from_u64(id.globcnt.to_u64() + 5),
        ..id
    };
    assert_eq!(
        test.import(never, LATE, &change(1), &[change(1)]),
        Err(INVALID)
    );
    let foreign = Gid {
        replguid: OURS,
        ..id
    };
    assert_eq!(
        test.import(foreign, LATE, &change(1), &[change(1)]),
        Err(INVALID)
    );
    assert_eq!(
        test.import(id, LATE, &change(1), &[]),
        Err(INVALID),
        "a list without the change"
    );
    let mid = test.upload(id, 1, "mine", &[]);
    test.alice.delete(mid, Deletion::Hard).unwrap();
    assert_eq!(
        test.import(id, LATE, &change(2), &[change(2)]),
        Err(DELETED)
    );
}

#[test]
fn of_two_changes_of_one_version_the_later_one_stays() {
    let mut test = Test::new();
    let mid = test.alice.deliver(Draft::about("theirs")).unwrap();
    let id = test.key_of(mid);
    let known = test.changes_of(mid)[1..].to_vec();
    test.alice.set_flagged(mid, true).unwrap();
    let changes = [known.clone(), change(1)];
    let fail = test.import_with(0x40, id, LATE, (&change(1), &changes));
    assert_eq!(fail, Err(CONFLICT));
    let message = test.import(id, 1, &change(1), &changes).unwrap();
    test.client
        .set_props(message, &[(0x0037_001f, text("early"))]);
    test.client.save(message);
    assert_eq!(test.subjects(), ["theirs"], "the one here is later");
    assert_eq!(
        test.import(id, 1, &change(1), &changes),
        Err(IGNORE),
        "it was merged"
    );
    test.alice.set_flagged(mid, false).unwrap();
    test.upload(id, 2, "late", &[known]);
    assert_eq!(test.subjects(), ["late"]);
}

/// A move of a message of the Inbox by a client that knows these changes of it; the folder it goes to, and its new id.
fn move_of(test: &mut Test, mid: Mid, known: &[u8]) -> (SynchronizationImportMessageMove, Fid) {
    let inbox = test.alice.inbox().unwrap();
    let work = test.alice.create_folder(inbox, "Work", "").unwrap();
    let target = test.new_id();
    let source = Gid {
        globcnt: Globcnt::from_u64(inbox.0),
        ..target
    };
    let ask = SynchronizationImportMessageMove {
        logon_id: 0,
        input: 0,
        source_folder_id: source.to_bytes().into(),
        source_message_id: test.key_of(mid).to_bytes().into(),
        predecessor_change_list: known.into(),
        destination_message_id: target.to_bytes().into(),
        change_number: change(1).into(),
    };
    (ask, work)
}

fn target_of(ask: &SynchronizationImportMessageMove) -> Mid {
    let target = Gid::from_bytes(&ask.destination_message_id).unwrap();
    Mid(target.globcnt.to_u64())
}

#[test]
fn a_move_has_the_id_and_the_version_a_client_chose() {
    let mut test = Test::new();
    let mid = test.alice.deliver(Draft::about("moving")).unwrap();
    let known = test.changes_of(mid);
    let (ask, work) = move_of(&mut test, mid, &known);
    let folder = test.client.open_folder(work.to_wire(), test.store);
    let collector = open_collector(&mut test.client, folder, true);
    test.client.good(ask.clone(), collector);
    let moved = test.alice.message(target_of(&ask)).unwrap();
    assert_eq!(moved.folder, work);
    assert_eq!(moved.change_key.to_bytes()[..], change(1));
    assert_eq!(test.subjects(), [""; 0]);
    assert_eq!(
        test.client.bad(ask, collector),
        DELETED,
        "it has moved already"
    );
}

#[test]
fn a_message_that_the_client_has_newer_moves_without_its_version() {
    let mut test = Test::new();
    let mid = test.alice.deliver(Draft::about("moving")).unwrap();
    let mut known = test.changes_of(mid).to_vec();
    let newer = change(2);
    known.push(newer.len() as u8);
    known.extend(newer);
    let (ask, work) = move_of(&mut test, mid, &known);
    let folder = test.client.open_folder(work.to_wire(), test.store);
    let collector = open_collector(&mut test.client, folder, true);
    assert_eq!(test.client.bad(ask.clone(), collector), NEWER);
    let moved = test.alice.message(target_of(&ask)).unwrap();
    assert_eq!(moved.folder, work);
    assert_ne!(moved.change_key.to_bytes()[..], change(1));
}

#[test]
fn deletions_and_read_states_are_uploaded_by_id() {
    let mut test = Test::new();
    let mail = |subject: &str| Draft {
        asks_receipt: true,
        ..Draft::about(subject).from("dana@elsewhere.test")
    };
    let gone = test.alice.deliver(mail("gone")).unwrap();
    let read = test.alice.deliver(mail("read")).unwrap();
    let ids = [gone, read].map(|mid| test.key_of(mid));
    let never = test.new_id();
    let keys = [ids[0], never].map(|id| Box::<[u8]>::from(id.to_bytes()));
    let ask = SynchronizationImportDeletes {
        logon_id: 0,
        input: 0,
        import_delete_flags: 2,
        property_values: vec![TaggedValue {
            tag: PropTag(0x0000_1102),
            value: PropValue::Binaries(keys.into()),
        }],
    };
    test.client.good(ask, test.collector);
    assert_eq!(test.subjects(), ["read"]);
    assert_eq!(
        test.import(never, LATE, &change(1), &[change(1)]),
        Err(DELETED),
        "deleted before it came"
    );
    let ask = SynchronizationImportReadStateChanges {
        logon_id: 0,
        input: 0,
        message_read_states: vec![MessageReadState {
            message_id: ids[1].to_bytes().into(),
            mark_as_read: true,
        }],
    };
    test.client.good(ask, test.collector);
    assert!(test.alice.message(read).unwrap().read);
    assert_eq!(
        test.server.receipts().len(),
        1,
        "nothing in the request suppresses it"
    );
}

#[test]
fn folders_are_uploaded_with_the_ids_a_client_chose() {
    let mut test = Test::new();
    let collector = open_collector(&mut test.client, test.folder, false);
    let id = test.new_id();
    let folder = |parent: &[u8], id: Gid, number: u32, before: &[Vec<u8>], name: &str| {
        let mut changes = before.to_vec();
        changes.push(change(number));
        SynchronizationImportHierarchyChange {
            logon_id: 0,
            input: 0,
            hierarchy_values: vec![
                binary(0x65e1_0102, parent),
                binary(0x65e0_0102, &id.to_bytes()),
                time(LATE),
                binary(0x65e2_0102, &change(number)),
                binary(0x65e3_0102, &list(&changes)),
                TaggedValue {
                    tag: PropTag(0x3001_001f),
                    value: text(name),
                },
            ],
            property_values: vec![TaggedValue {
                tag: PropTag(0x3613_001f),
                value: text("IPF.Note"),
            }],
        }
    };
    test.client.good(folder(&[], id, 1, &[], "Mine"), collector);
    let made = test.alice.folder("Inbox/Mine").unwrap();
    assert_eq!(made.0, id.globcnt.to_u64());
    assert_eq!(
        test.client.bad(folder(&[], id, 1, &[], "Mine"), collector),
        IGNORE
    );
    test.client
        .good(folder(&[], id, 2, &[change(1)], "Renamed"), collector);
    assert_eq!(test.alice.folder("Inbox/Renamed").unwrap(), made);
    let below = test.new_id();
    test.client
        .good(folder(&id.to_bytes(), below, 3, &[], "Below"), collector);
    assert!(test.alice.folder("Inbox/Renamed/Below").is_ok());
    let nowhere = test.new_id();
    let other = test.new_id();
    let orphan = folder(&nowhere.to_bytes(), other, 4, &[], "Orphan");
    assert_eq!(test.client.bad(orphan, collector), 0x8004_0803);
    let cycle = folder(&below.to_bytes(), id, 5, &[change(1), change(2)], "Renamed");
    assert_eq!(test.client.bad(cycle, collector), 0x8004_0804);
}

#[test]
fn a_collector_gives_the_state_with_what_was_uploaded() {
    let mut test = Test::new();
    let id = test.new_id();
    test.upload(id, 1, "mine", &[]);
    let ask = SynchronizationGetTransferState {
        logon_id: 0,
        input: 0,
        output: 1,
    };
    let (_, source) = test.client.good(ask, test.collector);
    let events = test.client.download(source);
    let [Event::State(props)] = events.as_slice() else {
        panic!("{events:?}");
    };
    let state = State::from_properties(props).unwrap();
    assert!(state.idset_given.contains(id));
    let (events, _) = test.client.sync_contents(test.folder, &state);
    assert_eq!(events.len(), 2, "one's own message does not come back");
}

#[test]
fn changes_in_the_name_of_the_server_are_noted() {
    let mut test = Test::new();
    let id = test.new_id();
    let forged = [&id.replguid.0[..], &[0, 0, 0, 0, 0, 9]].concat();
    test.import(id, LATE, &forged, std::slice::from_ref(&forged))
        .unwrap();
    assert_eq!(test.server.violations().len(), 1);
}
