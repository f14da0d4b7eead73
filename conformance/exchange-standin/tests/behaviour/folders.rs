//! Folders and tables. Source: MS-OXCFOLD 3.2.5, MS-OXCTABL 3.2.5, MS-OXCPERM 3.2.5, MS-OXCSTOR 3.2.5.

use exchange_standin::{
    Config, Server,
    model::{draft::Draft, permission::Rights},
};
use mapi_types::PropTag;
use mapi_wire::{
    Id, PropValue, TaggedValue,
    restriction::Restriction,
    rop::{
        CopyFolder, CreateBookmark, CreateFolder, DeleteFolder, EmptyFolder, FindRow,
        GetContentsTable, GetHierarchyTable, GetPermissionsTable, GetReceiveFolder,
        GetSearchCriteria, IdFromLongTermId, Logon, LogonResponse, LongTermIdFromId,
        ModifyPermissions, MoveFolder, NO_HANDLE, OpenFolder, PermissionData, QueryPosition,
        QueryRows, Request, Response, Restrict, SeekRow, SeekRowBookmark, SetColumns,
        SetReceiveFolder, SetSearchCriteria, Sort, SortTable, bookmark, table_flags,
    },
    table::SortOrder,
    text::Text,
};

use super::client::Client;

fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

/// A client that has logged on to its own mailbox, with its Inbox open.
fn in_inbox(server: &Server) -> (Client, LogonResponse, u32, u32) {
    let mut client = Client::connected(server, "alice");
    let (logon, store) = client.logon();
    let inbox = client.open_folder(logon.folder_ids[LogonResponse::INBOX], store);
    (client, logon, store, inbox)
}

fn create(name: &str, folder_type: u8, open_existing: bool) -> CreateFolder {
    CreateFolder {
        logon_id: 0,
        input: 0,
        output: 1,
        folder_type,
        use_unicode_strings: true,
        open_existing,
        reserved: 0,
        display_name: Text::from(name),
        comment: Text::from(""),
    }
}

impl Client {
    fn made(&mut self, name: &str, parent: u32) -> (Id, u32) {
        match self.good(create(name, CreateFolder::GENERIC, false), parent) {
            (Response::CreateFolder(made), handle) => (made.folder_id, handle),
            (response, _) => panic!("{response:?}"),
        }
    }

    /// The rows of a table in these columns, and the handle of the table.
    fn rows(&mut self, table: u32, tags: &[u32]) -> Vec<Vec<Option<PropValue>>> {
        let columns = SetColumns {
            logon_id: 0,
            input: 0,
            set_columns_flags: 0,
            property_tags: tags.iter().map(|tag| PropTag(*tag)).collect(),
        };
        self.good(columns, table);
        self.query(table, 500, true)
    }

    fn query(
        &mut self,
        table: u32,
        row_count: u16,
        forward_read: bool,
    ) -> Vec<Vec<Option<PropValue>>> {
        let ask = QueryRows {
            logon_id: 0,
            input: 0,
            query_rows_flags: 0,
            forward_read,
            row_count,
        };
        match self.good(ask, table).0 {
            Response::QueryRows(got) => {
                let row = |row: &mapi_wire::row::PropertyRow| {
                    row.cells.iter().map(|cell| cell.value().cloned()).collect()
                };
                got.rows.iter().map(row).collect()
            }
            response => panic!("{response:?}"),
        }
    }

    fn contents(&mut self, folder: u32, flags: u8) -> u32 {
        let ask = GetContentsTable {
            logon_id: 0,
            input: 0,
            output: 1,
            table_flags: table_flags::USE_UNICODE | table_flags::NO_NOTIFICATIONS | flags,
        };
        self.good(ask, folder).1
    }
}

fn texts(rows: &[Vec<Option<PropValue>>]) -> Vec<String> {
    let text = |row: &Vec<Option<PropValue>>| match &row[0] {
        Some(PropValue::String(text)) => text.to_text(),
        other => panic!("{other:?}"),
    };
    rows.iter().map(text).collect()
}

#[test]
fn a_logon_names_the_folders_and_the_inbox_the_others() {
    let server = server();
    let (mut client, logon, store, inbox) = in_inbox(&server);
    assert!(logon.folder_ids.iter().all(|id| id.replid == 1));
    let tags = [0x36d0_0102, 0x36d7_0102, 0x36d8_1102];
    let props = client.props(inbox, &tags);
    let Some(PropValue::Binary(calendar)) = &props[0] else {
        panic!("{props:?}");
    };
    assert_eq!(calendar.len(), 46);
    let gid = mapi_wire::Gid::from_bytes(&calendar[22..44]).unwrap();
    let ask = IdFromLongTermId {
        logon_id: 0,
        input: 0,
        long_term_id: gid,
    };
    let Response::IdFromLongTermId(found) = client.good(ask, store).0 else {
        panic!("no id");
    };
    assert_eq!(
        found.object_id,
        server
            .mailbox("alice")
            .folder("Calendar")
            .unwrap()
            .to_wire()
    );
    let ask = LongTermIdFromId {
        logon_id: 0,
        input: 0,
        object_id: found.object_id,
    };
    assert!(matches!(client.good(ask, store).0,
        Response::LongTermIdFromId(found) if found.long_term_id == gid));
    assert!(matches!(&props[2], Some(PropValue::Binaries(all)) if all.len() == 5));
    assert!(
        client
            .props(store, &[0x661c_001f, 0x6638_0102])
            .iter()
            .all(Option::is_some)
    );
}

#[test]
fn folders_are_made_moved_copied_and_deleted_with_what_is_in_them() {
    let server = server();
    let (mut client, _, store, inbox) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let (work, folder) = client.made("Work", inbox);
    assert_eq!(client.bad(create("work", 1, false), inbox), 0x8004_0604);
    let (again, _) = client.good(create("WORK", 1, true), inbox);
    assert!(
        matches!(again, Response::CreateFolder(made) if made.folder_id == work && made.existing.is_some())
    );
    let (below, _) = client.made("Below", folder);
    alice
        .create(alice.folder("Inbox/Work").unwrap(), Draft::about("kept"))
        .unwrap();

    let delete = |folder_id, delete_folder_flags| DeleteFolder {
        logon_id: 0,
        input: 0,
        delete_folder_flags,
        folder_id,
    };
    for flags in [0, 1, 4] {
        let (response, _) = client.good(delete(work, flags), inbox);
        assert!(
            matches!(response, Response::DeleteFolder(done) if done.partial_completion),
            "{flags}"
        );
    }
    assert_eq!(
        client.bad(delete(below, 5), inbox),
        0x8004_010f,
        "it is not a child of the Inbox"
    );
    let outbox = client.open_folder(alice.folder("Outbox").unwrap().to_wire(), store);
    let moved = |name: &str| MoveFolder {
        logon_id: 0,
        source: 0,
        destination: 1,
        want_asynchronous: false,
        use_unicode: true,
        folder_id: work,
        new_folder_name: Text::from(name),
    };
    let two = |client: &mut Client, request: Request, from, to| {
        client.rops(vec![request], vec![from, to]).0.remove(0)
    };
    let into_itself = two(&mut client, moved("Work").into(), inbox, folder);
    assert!(matches!(into_itself, Response::Failed(failed) if failed.code == 0x8004_060b));
    let nowhere = two(&mut client, moved("Work").into(), inbox, NO_HANDLE);
    assert!(
        matches!(nowhere, Response::Failed(failed) if failed.code == 0x503 && failed.destination == Some(1))
    );
    two(&mut client, moved("Done").into(), inbox, outbox);
    assert!(alice.folder("Outbox/Done/Below").is_ok());
    let copy = CopyFolder {
        logon_id: 0,
        source: 0,
        destination: 1,
        want_asynchronous: false,
        want_recursive: true,
        use_unicode: true,
        folder_id: work,
        new_folder_name: Text::from("Copy"),
    };
    two(&mut client, copy.into(), outbox, inbox);
    let copied = alice.folder("Inbox/Copy").unwrap();
    assert_eq!(alice.subjects(copied).unwrap(), ["kept"]);
    assert!(alice.folder("Inbox/Copy/Below").is_ok());
    client.good(delete(work, 0x15), outbox);
    assert!(alice.folder("Outbox/Done").is_err());
    let empty = EmptyFolder {
        logon_id: 0,
        input: 0,
        want_asynchronous: false,
        want_delete_associated: false,
    };
    client.good(empty, inbox);
    assert!(alice.folder("Inbox/Copy").is_err());
    let open = OpenFolder {
        logon_id: 0,
        input: 0,
        output: 1,
        folder_id: work,
        open_mode_flags: 0,
    };
    assert_eq!(client.bad(open, store), 0x8004_010f);
    assert_eq!(
        client.bad(create("x", 1, false), folder),
        0x8004_010a,
        "the handle's folder is gone"
    );
}

#[test]
fn a_contents_table_has_columns_order_restriction_and_places() {
    let server = server();
    let (mut client, _, _, inbox) = in_inbox(&server);
    let alice = server.mailbox("alice");
    for subject in ["b", "c", "a", "d"] {
        alice.deliver(Draft::about(subject)).unwrap();
    }
    let table = client.contents(inbox, 0);
    let ask = QueryRows {
        logon_id: 0,
        input: 0,
        query_rows_flags: 0,
        forward_read: true,
        row_count: 10,
    };
    assert_eq!(client.bad(ask, table), 0x4b9, "columns first");
    let rows = client.rows(table, &[0x0037_001f, 0x0e23_0003, 0x1234_0003]);
    assert_eq!(texts(&rows), ["b", "c", "a", "d"]);
    assert_eq!(
        rows[3][1],
        Some(PropValue::I32(4)),
        "article numbers ascend"
    );
    assert_eq!(rows[0][2], None);
    let order = |order| SortTable {
        logon_id: 0,
        input: 0,
        sort_table_flags: 0,
        sort: Sort {
            orders: vec![SortOrder {
                tag: PropTag(0x0037_001f),
                order,
            }],
            ..Sort::default()
        },
    };
    client.good(order(SortOrder::DESCENDING), table);
    assert_eq!(texts(&client.query(table, 2, true)), ["d", "c"]);
    let Response::CreateBookmark(mark) = client
        .good(
            CreateBookmark {
                logon_id: 0,
                input: 0,
            },
            table,
        )
        .0
    else {
        panic!("no bookmark");
    };
    assert_eq!(texts(&client.query(table, 9, true)), ["b", "a"]);
    assert!(client.query(table, 9, true).is_empty());
    assert_eq!(texts(&client.query(table, 1, false)), ["a"]);
    let back = SeekRowBookmark {
        logon_id: 0,
        input: 0,
        bookmark: mark.bookmark,
        row_count: -5,
        want_row_moved_count: true,
    };
    let (response, _) = client.good(back, table);
    assert!(
        matches!(response, Response::SeekRowBookmark(sought) if sought.has_sought_less && sought.rows_sought == -2)
    );
    let contains = Restriction::Content {
        fuzzy_low: 0,
        fuzzy_high: 1,
        tag: PropTag(0x0037_001f),
        value: Box::new(TaggedValue {
            tag: PropTag(0x0037_001f),
            value: PropValue::String("B".into()),
        }),
    };
    let find = FindRow {
        logon_id: 0,
        input: 0,
        find_row_flags: 0,
        restriction: Some(contains.clone()),
        origin: bookmark::BEGINNING,
        bookmark: Box::default(),
    };
    assert!(
        matches!(client.good(find.clone(), table).0, Response::FindRow(found) if found.row.is_some())
    );
    let (position, _) = client.good(
        QueryPosition {
            logon_id: 0,
            input: 0,
        },
        table,
    );
    assert!(
        matches!(position, Response::QueryPosition(p) if (p.numerator, p.denominator) == (2, 4))
    );
    client.good(
        Restrict {
            logon_id: 0,
            input: 0,
            restrict_flags: 0,
            restriction: Some(Restriction::Not(Box::new(contains))),
        },
        table,
    );
    assert_eq!(client.bad(find, table), 0x8004_010f);
    let seek = SeekRow {
        logon_id: 0,
        input: 0,
        origin: bookmark::BEGINNING,
        row_count: 1,
        want_row_moved_count: false,
    };
    client.good(seek, table);
    assert_eq!(texts(&client.query(table, 9, true)), ["c", "a"]);
    alice.deliver(Draft::about("e")).unwrap();
    client.good(order(SortOrder::ASCENDING), table);
    assert_eq!(texts(&client.query(table, 9, true)), ["a", "c", "d", "e"]);
}

#[test]
fn long_values_are_cut_in_tables() {
    let server = server();
    let (mut client, _, _, inbox) = in_inbox(&server);
    server
        .mailbox("alice")
        .deliver(Draft::about(&"s".repeat(400)))
        .unwrap();
    let table = client.contents(inbox, 0);
    assert_eq!(texts(&client.rows(table, &[0x0037_001f]))[0].len(), 255);
}

#[test]
fn a_hierarchy_table_shows_the_folders_with_their_depth() {
    let server = server();
    let (mut client, logon, store, inbox) = in_inbox(&server);
    client.made("Work", inbox);
    let top = client.open_folder(logon.folder_ids[LogonResponse::IPM_SUBTREE], store);
    let ask = |flags| GetHierarchyTable {
        logon_id: 0,
        input: 0,
        output: 1,
        table_flags: table_flags::USE_UNICODE | table_flags::NO_NOTIFICATIONS | flags,
    };
    let (_, table) = client.good(ask(0), top);
    let flat = texts(&client.rows(table, &[0x3001_001f]));
    assert!(
        flat.contains(&"Inbox".into()) && !flat.contains(&"Work".into()),
        "{flat:?}"
    );
    let (_, table) = client.good(ask(table_flags::DEPTH), top);
    let deep = client.rows(table, &[0x3001_001f, 0x3005_0003]);
    let work = deep
        .iter()
        .find(|row| row[0] == Some(PropValue::String("Work".into())))
        .unwrap();
    assert_eq!(work[1], Some(PropValue::I32(2)));
}

#[test]
fn a_search_folder_finds_what_it_shall() {
    let server = server();
    let (mut client, logon, store, inbox) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let unread = alice.deliver(Draft::about("unread")).unwrap();
    alice
        .deliver(Draft {
            read: true,
            ..Draft::about("read")
        })
        .unwrap();
    let finder = client.open_folder(logon.folder_ids[LogonResponse::SEARCH], store);
    let (_, search) = client.good(create("Unread", CreateFolder::SEARCH, false), finder);
    let get = GetSearchCriteria {
        logon_id: 0,
        input: 0,
        use_unicode: true,
        include_restriction: true,
        include_folders: true,
    };
    assert_eq!(client.bad(get.clone(), search), 0x8004_0605);
    let set = SetSearchCriteria {
        logon_id: 0,
        input: 0,
        restriction: Some(Restriction::BitMask {
            relation: 0,
            tag: PropTag(0x0e07_0003),
            mask: 1,
        }),
        folder_ids: vec![logon.folder_ids[LogonResponse::INBOX]],
        search_flags: 0x2 | 0x8,
    };
    assert_eq!(
        client.bad(set.clone(), inbox),
        0x8004_0102,
        "an ordinary folder"
    );
    client.good(set, search);
    let table = client.contents(search, 0);
    assert_eq!(texts(&client.rows(table, &[0x0037_001f])), ["unread"]);
    assert!(
        matches!(client.good(get, search).0, Response::GetSearchCriteria(found) if found.folder_ids.len() == 1)
    );
    alice.set_read(unread, true).unwrap();
    let table = client.contents(search, 0);
    assert!(client.rows(table, &[0x0037_001f]).is_empty());
}

#[test]
fn others_see_and_do_what_their_rights_say() {
    let server = server();
    let alice = server.mailbox("alice");
    let inbox = alice.inbox().unwrap();
    let mid = alice.deliver(Draft::about("secret")).unwrap();
    let alice_dn = server.user("alice").unwrap().legacy_dn;
    let mut bob = Client::connected(&server, "bob");
    assert_eq!(
        bob.logon_to(&alice_dn, 0),
        Err(0x8007_0005),
        "no right at all"
    );
    let (mut owner, _, _, folder) = in_inbox(&server);
    let entry_id = server.user("bob").unwrap().entry_id();
    let modify = |flags, values: Vec<(u32, PropValue)>| ModifyPermissions {
        logon_id: 0,
        input: 0,
        modify_flags: 0,
        permissions_data: vec![PermissionData {
            flags,
            property_values: values
                .into_iter()
                .map(|(tag, value)| TaggedValue {
                    tag: PropTag(tag),
                    value,
                })
                .collect(),
        }],
    };
    let rights = |rights: Rights| (0x6673_0003, PropValue::I32(rights.0 as i32));
    owner.good(
        modify(
            1,
            vec![
                (0x0fff_0102, PropValue::Binary(entry_id)),
                rights(Rights::REVIEWER),
            ],
        ),
        folder,
    );
    let (_, table) = owner.good(
        GetPermissionsTable {
            logon_id: 0,
            input: 0,
            output: 1,
            table_flags: 0,
        },
        folder,
    );
    let rows = owner.rows(table, &[0x6672_001f, 0x6671_0014, 0x6673_0003]);
    assert_eq!(texts(&rows), ["", "Anonymous", "Bob Brown"]);
    let Some(PropValue::I64(member)) = rows[2][1] else {
        panic!("{rows:?}");
    };

    let (logon, store) = bob.logon_to(&alice_dn, 0).unwrap();
    let folder_id = logon.folder_ids[LogonResponse::INBOX];
    let opened = bob.open_folder(folder_id, store);
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
    let read_only = super::mailbox::open_message(folder_id, mid.to_wire(), 0);
    bob.good(read_only, opened);
    let read_write = super::mailbox::open_message(folder_id, mid.to_wire(), 1);
    assert_eq!(bob.bad(read_write.clone(), opened), 0x8007_0005);
    assert_eq!(bob.bad(create("x", 1, false), opened), 0x8007_0005);
    owner.good(
        modify(
            2,
            vec![
                (0x6671_0014, PropValue::I64(member)),
                rights(Rights::EDITOR),
            ],
        ),
        folder,
    );
    bob.good(read_write, opened);
    owner.good(
        modify(4, vec![(0x6671_0014, PropValue::I64(member))]),
        folder,
    );
    assert_eq!(bob.logon_to(&alice_dn, 1), Err(0x8007_0005));
    alice.grant_full_access("bob", true).unwrap();
    assert!(bob.logon_to(&alice_dn, 1).is_ok());
    assert_eq!(alice.messages(inbox).unwrap().len(), 1);
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

#[test]
fn mail_of_a_class_goes_to_the_folder_set_for_it() {
    let server = server();
    let (mut client, _, store, inbox) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let (reports, _) = client.made("Reports", inbox);
    let set = |folder_id, class: &str| SetReceiveFolder {
        logon_id: 0,
        input: 0,
        folder_id,
        message_class: class.as_bytes().into(),
    };
    client.good(set(reports, "IPM.Report"), store);
    let ask = GetReceiveFolder {
        logon_id: 0,
        input: 0,
        message_class: (*b"IPM.Report.Weekly").into(),
    };
    let Response::GetReceiveFolder(found) = client.good(ask, store).0 else {
        panic!("no folder");
    };
    assert_eq!(
        (found.folder_id, &*found.explicit_message_class),
        (reports, &b"IPM.Report"[..])
    );
    let weekly = Draft {
        class: "IPM.Report.Weekly".into(),
        ..Draft::about("weekly")
    };
    alice.deliver(weekly).unwrap();
    assert_eq!(
        alice
            .subjects(alice.folder("Inbox/Reports").unwrap())
            .unwrap(),
        ["weekly"]
    );
    assert_eq!(client.bad(set(reports, "IPM"), store), 0x8007_0005);
    client.good(set(Id::default(), "IPM.Report"), store);
}
