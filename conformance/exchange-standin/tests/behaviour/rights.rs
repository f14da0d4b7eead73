//! Who may do what. Source: MS-OXCPERM 3.2.5, MS-OXCSTOR 3.2.5.1.

use exchange_standin::{
    Config, Server,
    model::{draft::Draft, permission::Rights},
};
use mapi_types::PropTag;
use mapi_wire::{
    PropValue, TaggedValue,
    ics::State,
    rop::{
        GetPermissionsTable, Logon, ModifyPermissions, NO_HANDLE, OpenFolder, PermissionData,
        Response,
    },
};

use super::{
    client::Client,
    folder_rops::{create, in_inbox, texts},
    mailbox::{gone, open_message},
};

fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

/// A change of the permissions of a folder.
fn modify(flags: u8, values: &[(u32, PropValue)]) -> ModifyPermissions {
    let value = |(tag, value): &(u32, PropValue)| TaggedValue {
        tag: PropTag(*tag),
        value: value.clone(),
    };
    ModifyPermissions {
        logon_id: 0,
        input: 0,
        modify_flags: 0,
        permissions_data: vec![PermissionData {
            flags,
            property_values: values.iter().map(value).collect(),
        }],
    }
}

fn rights(rights: Rights) -> (u32, PropValue) {
    (0x6673_0003, PropValue::I32(rights.0 as i32))
}

#[test]
fn permissions_are_given_changed_and_taken_by_row() {
    let server = server();
    let (mut owner, _, _, folder) = in_inbox(&server);
    let entry_id = PropValue::Binary(server.user("bob").unwrap().entry_id());
    owner.good(
        modify(1, &[(0x0fff_0102, entry_id), rights(Rights::REVIEWER)]),
        folder,
    );
    let ask = GetPermissionsTable {
        logon_id: 0,
        input: 0,
        output: 1,
        table_flags: 0,
    };
    let (_, table) = owner.good(ask, folder);
    let rows = owner.rows(table, &[0x6672_001f, 0x6671_0014, 0x6673_0003]);
    assert_eq!(texts(&rows), ["", "Anonymous", "Bob Brown"]);
    let Some(PropValue::I64(member)) = rows[2][1] else {
        panic!("{rows:?}");
    };
    let member = (0x6671_0014, PropValue::I64(member));
    let bobs = || {
        let alice = server.mailbox("alice");
        let inbox = alice.inbox().unwrap();
        alice.look(|mailbox| mailbox.rights("bob", inbox)).unwrap()
    };
    assert_eq!(bobs(), Rights::REVIEWER);
    owner.good(modify(2, &[member.clone(), rights(Rights::EDITOR)]), folder);
    assert_eq!(bobs(), Rights::EDITOR);
    owner.good(modify(4, std::slice::from_ref(&member)), folder);
    assert_eq!(bobs(), Rights::NONE);
    assert_eq!(owner.bad(modify(4, &[member]), folder), 0x8004_010f);
}

#[test]
fn others_see_and_do_what_their_rights_say() {
    let server = server();
    let alice = server.mailbox("alice");
    let inbox = alice.inbox().unwrap();
    let mid = alice.deliver(Draft::about("secret")).unwrap();
    let dn = server.user("alice").unwrap().legacy_dn;
    let mut bob = Client::connected(&server, "bob");
    assert_eq!(bob.logon_to(&dn, 0), Err(0x8007_0005), "no right at all");
    alice.grant(inbox, "bob", Rights::REVIEWER).unwrap();
    let (_, store) = bob.logon_to(&dn, 0).unwrap();
    let opened = bob.open_folder(inbox.to_wire(), store);
    let calendar = OpenFolder {
        logon_id: 0,
        input: 0,
        output: 1,
        folder_id: alice.folder("Calendar").unwrap().to_wire(),
        open_mode_flags: 0,
    };
    assert_eq!(
        bob.bad(calendar, store),
        0x8004_010f,
        "free/busy alone shows no folder"
    );
    bob.good(open_message(inbox.to_wire(), mid.to_wire(), 0), opened);
    let read_write = open_message(inbox.to_wire(), mid.to_wire(), 1);
    assert_eq!(bob.bad(read_write.clone(), opened), 0x8007_0005);
    assert_eq!(bob.bad(create("x", 1, false), opened), 0x8007_0005);
    alice.grant(inbox, "bob", Rights::EDITOR).unwrap();
    bob.good(read_write, opened);
    alice.grant(inbox, "bob", Rights::NONE).unwrap();
    assert_eq!(bob.logon_to(&dn, 1), Err(0x8007_0005));
    alice.grant_full_access("bob", true).unwrap();
    assert!(bob.logon_to(&dn, 1).is_ok());
}

#[test]
fn folders_that_one_may_not_see_do_not_come_by_synchronization() {
    let server = server();
    let alice = server.mailbox("alice");
    let inbox = alice.inbox().unwrap();
    let open = alice.create_folder(inbox, "Open", "").unwrap();
    let closed = alice.create_folder(inbox, "Closed", "").unwrap();
    alice.grant(inbox, "bob", Rights::REVIEWER).unwrap();
    alice.grant(open, "bob", Rights::REVIEWER).unwrap();
    alice.grant(closed, "bob", Rights::NONE).unwrap();
    let mut bob = Client::connected(&server, "bob");
    let dn = server.user("alice").unwrap().legacy_dn;
    let (_, store) = bob.logon_to(&dn, 0).unwrap();
    let opened = bob.open_folder(inbox.to_wire(), store);
    let (_, state) = bob.sync_hierarchy(opened, &State::new());
    assert_eq!(state.idset_given.len(), 1);
    alice.grant(open, "bob", Rights::NONE).unwrap();
    let (events, _) = bob.sync_hierarchy(opened, &state);
    assert_eq!(gone(&events), 1);
}

#[test]
fn public_folders_are_there_for_everybody() {
    let server = server();
    let mut client = Client::connected(&server, "bob");
    let logon = Logon {
        logon_id: 0,
        output: 0,
        logon_flags: 0,
        open_flags: Logon::PUBLIC,
        store_state: 0,
        essdn: Box::default(),
    };
    let (responses, handles) = client.rops(vec![logon.into()], vec![NO_HANDLE]);
    let Response::Logon(logon) = &responses[0] else {
        panic!("{responses:?}");
    };
    let top = client.open_folder(logon.folder_ids[1], handles[0]);
    client.made("News", top);
    assert!(server.public_folders().folder("News").is_ok());
}
