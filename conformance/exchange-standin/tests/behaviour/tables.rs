//! Tables. Source: MS-OXCTABL 3.2.5, MS-OXCFOLD 3.2.5.4, 3.2.5.13.

use exchange_standin::{Config, Server, model::draft::Draft};
use mapi_types::PropTag;
use mapi_wire::{
    PropValue, TaggedValue,
    restriction::Restriction,
    rop::{
        CreateBookmark, CreateFolder, FindRow, GetHierarchyTable, GetSearchCriteria, LogonResponse,
        QueryPosition, QueryRows, Response, Restrict, SeekRow, SeekRowBookmark, SetColumns,
        SetSearchCriteria, Sort, SortTable, bookmark, table_flags,
    },
    table::SortOrder,
};

use super::{
    client::Client,
    folder_rops::{create, in_inbox, texts},
};

fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

/// A contents table of four messages whose columns are set, not read yet.
fn four(server: &Server) -> (Client, u32) {
    let (mut client, _, _, inbox) = in_inbox(server);
    for subject in ["b", "c", "a", "d"] {
        server
            .mailbox("alice")
            .deliver(Draft::about(subject))
            .unwrap();
    }
    let table = client.contents(inbox, 0);
    let columns = SetColumns {
        logon_id: 0,
        input: 0,
        set_columns_flags: 0,
        property_tags: vec![PropTag(0x0037_001f)],
    };
    client.good(columns, table);
    (client, table)
}

/// By subject.
fn sorted(order: u8) -> SortTable {
    let by_subject = SortOrder {
        tag: PropTag(0x0037_001f),
        order,
    };
    SortTable {
        logon_id: 0,
        input: 0,
        sort_table_flags: 0,
        sort: Sort {
            orders: vec![by_subject],
            ..Sort::default()
        },
    }
}

/// That the subject is this, in any letter case.
fn is(subject: &str) -> Restriction {
    let tag = PropTag(0x0037_001f);
    Restriction::Content {
        fuzzy_low: 0,
        fuzzy_high: 1,
        tag,
        value: Box::new(TaggedValue {
            tag,
            value: PropValue::String(subject.into()),
        }),
    }
}

#[test]
fn rows_have_the_columns_that_were_set_and_none_before() {
    let server = server();
    let (mut client, _, _, inbox) = in_inbox(&server);
    for subject in ["b", "a"] {
        server
            .mailbox("alice")
            .deliver(Draft::about(subject))
            .unwrap();
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
    assert_eq!(texts(&rows), ["b", "a"]);
    assert_eq!(
        rows[1][1],
        Some(PropValue::I32(2)),
        "article numbers ascend"
    );
    assert_eq!(rows[0][2], None);
}

#[test]
fn rows_come_in_order_and_from_the_place_where_the_table_stands() {
    let server = server();
    let (mut client, table) = four(&server);
    client.good(sorted(SortOrder::DESCENDING), table);
    assert_eq!(texts(&client.query(table, 2, true)), ["d", "c"]);
    let mark = CreateBookmark {
        logon_id: 0,
        input: 0,
    };
    let Response::CreateBookmark(mark) = client.good(mark, table).0 else {
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
    assert!(matches!(response, Response::SeekRowBookmark(sought)
        if sought.has_sought_less && sought.rows_sought == -2));
    let seek = SeekRow {
        logon_id: 0,
        input: 0,
        origin: bookmark::END,
        row_count: -1,
        want_row_moved_count: false,
    };
    client.good(seek, table);
    assert_eq!(texts(&client.query(table, 9, true)), ["a"]);
    server.mailbox("alice").deliver(Draft::about("e")).unwrap();
    client.good(sorted(SortOrder::ASCENDING), table);
    assert_eq!(
        texts(&client.query(table, 9, true)),
        ["a", "b", "c", "d", "e"]
    );
}

#[test]
fn rows_are_found_and_left_out_by_conditions() {
    let server = server();
    let (mut client, table) = four(&server);
    let find = FindRow {
        logon_id: 0,
        input: 0,
        find_row_flags: 0,
        restriction: Some(is("A")),
        origin: bookmark::BEGINNING,
        bookmark: Box::default(),
    };
    let (found, _) = client.good(find.clone(), table);
    assert!(matches!(found, Response::FindRow(found) if found.row.is_some()));
    let position = QueryPosition {
        logon_id: 0,
        input: 0,
    };
    let (position, _) = client.good(position, table);
    assert!(matches!(position, Response::QueryPosition(p)
        if (p.numerator, p.denominator) == (2, 4)));
    let restrict = Restrict {
        logon_id: 0,
        input: 0,
        restrict_flags: 0,
        restriction: Some(Restriction::Not(Box::new(is("a")))),
    };
    client.good(restrict, table);
    assert_eq!(client.bad(find, table), 0x8004_010f);
    assert_eq!(texts(&client.query(table, 9, true)), ["b", "c", "d"]);
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
