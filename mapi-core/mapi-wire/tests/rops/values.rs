//! What recorded exchanges say: subjects, ids, counts, and that they agree with each other.

use std::collections::BTreeMap;

use mapi_types::PropTag;
use mapi_wire::{
    Id, PropValue,
    rop::{
        Change, Event, Failed, GetPropertiesSpecificResponse, Kind, LogonResponse,
        OpenMessageResponse, OpenStreamResponse, QueryRowsResponse, ReadStreamResponse, Request,
        Response, RowData, Session, Store, TableChange, transfer_status,
    },
    row::PropertyRow,
};

use crate::exchange::{self, Exchange};

/// The responses of an exchange, by folder and number.
fn responses(place: &str) -> Vec<Response> {
    let exchange = exchange(place);
    let answers = exchange.answers.as_ref().unwrap();
    let answers = answers.iter().flat_map(|answer| answer.responses.clone());
    answers.collect()
}

fn exchange(place: &str) -> &'static Exchange {
    let mut all = exchange::all().iter();
    all.find(|exchange| exchange.name.starts_with(&format!("{place}-")))
        .unwrap()
}

/// The first response of an exchange, of the kind that is expected there.
fn response<T: TryFrom<Response>>(place: &str) -> T {
    let first = responses(place).swap_remove(0);
    T::try_from(first).unwrap_or_else(|_| panic!("{place}"))
}

fn say(value: Option<&PropValue>) -> String {
    match value {
        Some(PropValue::String(text)) => text.to_text(),
        Some(PropValue::I32(number)) => number.to_string(),
        Some(PropValue::I64(number)) => {
            format!("{:#x}", Id::from_u64(*number as u64).globcnt.to_u64())
        }
        Some(PropValue::Bool(yes)) => yes.to_string(),
        None => "-".to_owned(),
        Some(other) => panic!("{other:?}"),
    }
}

/// Columns of a row, apart from each other.
fn columns(row: &PropertyRow, places: &[usize]) -> String {
    let values = places.iter().map(|&place| say(row.value(place)));
    values.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_mailbox_names_its_folders_at_logon() {
    let logon: LogonResponse = response("main/003");
    let folders = logon.folder_ids.map(|id| (id.replid, id.globcnt.to_u64()));
    assert_eq!(folders[LogonResponse::ROOT], (1, 1));
    assert_eq!(folders[LogonResponse::IPM_SUBTREE], (1, 9));
    assert_eq!(folders[LogonResponse::INBOX], (1, 0xd));
    assert_eq!(folders[LogonResponse::OUTBOX], (1, 0xc));
    assert_eq!(folders[LogonResponse::SENT_ITEMS], (1, 0xa));
    assert_eq!(folders[LogonResponse::DELETED_ITEMS], (1, 0xb));
    let Store::Private(mailbox) = logon.store else {
        panic!("a mailbox")
    };
    assert_eq!((mailbox.response_flags, mailbox.replid), (7, 5));
    assert_eq!(mailbox.logon_time.year, 2026);
}

#[test]
fn tables_show_rows_of_the_columns_that_were_set() {
    let cases: [(&str, &[usize], &[&str]); 8] = [
        (
            "main/020",
            &[0, 1, 2, 3, 4, 5],
            &[
                "0xa Sent Items 0 0 false IPF.Note",
                "0xb Deleted Items 0 0 false IPF.Note",
                "0xc Outbox 2 0 false IPF.Note",
                "0xd Inbox 7 7 false IPF.Note",
                "0xe Drafts 0 0 false IPF.Note",
                "0xf Calendar 2 0 false IPF.Appointment",
            ],
        ),
        (
            "main/029",
            &[1, 2, 3, 5, 6, 7, 8],
            &[
                "0x3005a big body Bob Builder 2 446880 false IPM.Note",
                "0x30059 Re: hello plain text Bob Builder 2 3138 false IPM.Note",
                "0x30058 html with inline image Bob Builder 18 2939 true IPM.Note",
                "0x30057 forwarded message inside Bob Builder 18 5457 true IPM.Note",
            ],
        ),
        (
            "main/040",
            &[1, 2],
            &["0x30059 Re: hello plain text", "0x30055 hello plain text"],
        ),
        (
            "main/064",
            &[0, 1, 2, 3, 4],
            &["0 blob.bin application/octet-stream 1 10304"],
        ),
        ("main/158", &[], &[]),
        ("main/387", &[0], &["imported by ICS"]),
        ("extra/082", &[1, 2], &["probe rule 1"]),
        ("extra/092", &[1, 2], &["Bob Builder 1025", "default 0"]),
    ];
    for (place, places, expected) in cases {
        let answer: QueryRowsResponse = response(place);
        let rows = answer.rows.iter().map(|row| columns(row, places));
        let rows: Vec<_> = rows.take(expected.len().max(1)).collect();
        assert_eq!(rows, expected, "{place}");
    }
}

#[test]
fn messages_open_with_subject_and_recipients() {
    let cases = [
        ("main/052", "report with attachments", 1),
        ("main/074", "Grüße mit Umlauten ☃", 1),
        ("main/082", "big body", 1),
        ("main/106", "forwarded message inside", 1),
        ("main/357", "hello plain text", 2),
    ];
    for (place, subject, count) in cases {
        let opened: OpenMessageResponse = response(place);
        assert_eq!(opened.normalized_subject.to_text(), subject, "{place}");
        assert_eq!(opened.recipient_count, count, "{place}");
        assert_eq!(opened.recipient_rows.len(), usize::from(count), "{place}");
        let first = &opened.recipient_rows[0];
        assert_eq!(first.recipient_type, 1, "{place}");
        let names = &first.recipient.names;
        assert_eq!(names.email_address().unwrap(), "alice@example.test");
        assert_eq!(names.display_name().unwrap(), "Alice Liddell");
        assert_eq!(
            say(first.recipient.properties.value(3)),
            "alice@example.test"
        );
        assert_eq!(opened.recipient_columns[3], PropTag(0x39fe_001f));
    }
}

#[test]
fn what_reading_recipients_gives_is_what_opening_gave() {
    let opened: OpenMessageResponse = response("main/052");
    let Response::ReadRecipients(read) = &responses("main/056")[0] else {
        panic!("recipients")
    };
    let rows: Vec<_> = read
        .recipient_rows
        .iter()
        .map(|row| row.row.clone())
        .collect();
    assert_eq!(rows, opened.recipient_rows);
}

#[test]
fn a_stream_gives_as_many_octets_as_it_says_it_has() {
    let opened: OpenStreamResponse = response("main/085");
    assert_eq!(opened.stream_size, 444_072);
    let parts =
        (86..=101).map(|number| response::<ReadStreamResponse>(&format!("main/{number:03}")).data);
    let body: Vec<u8> = parts.flatten().collect();
    assert_eq!(body.len(), 444_072);
    let units = body.as_chunks::<2>().0.iter();
    let units: Vec<u16> = units.map(|unit| u16::from_le_bytes(*unit)).collect();
    let text = String::from_utf16(&units).unwrap();
    assert!(text.starts_with("line of a large body, number 000000\r\n"));
    assert!(text.ends_with("line of a large body, number 005999\0"));
}

#[test]
fn one_batch_opens_a_table_reads_it_and_gives_it_back() {
    let answers = responses("main/051");
    let [
        Response::GetContentsTable(table),
        Response::SetColumns(_),
        Response::QueryRows(read),
        Response::QueryPosition(position),
    ] = answers.as_slice()
    else {
        panic!("{answers:?}")
    };
    assert_eq!(table.row_count, 7);
    assert_eq!((position.numerator, position.denominator), (7, 7));
    assert_eq!(read.rows.len(), 7);
    let inbox: GetPropertiesSpecificResponse = response("main/025");
    assert_eq!(columns(&inbox.row, &[0, 1, 2]), "Inbox 7 7");
}

#[test]
fn events_say_what_came_and_what_the_tables_show_now() {
    let events = responses("main/410").into_iter().map(|response| {
        let Response::Notify(notify) = response else {
            panic!("{response:?}")
        };
        let what = match notify.event {
            Event::Object(event) => match event.change {
                Change::Created { .. } => "created".to_owned(),
                Change::Modified { .. } => format!(
                    "modified, {} messages, {} unread",
                    event.total_message_count.unwrap(),
                    event.unread_message_count.unwrap()
                ),
                Change::NewMail { message_class, .. } => format!("new {}", message_class.to_text()),
                other => panic!("{other:?}"),
            },
            Event::Table(event) => match event.change {
                TableChange::RowAdded(row) => {
                    format!("row added: {}", columns(row_of(&row.data), &[0, 1]))
                }
                TableChange::RowModified(row) => {
                    format!(
                        "row modified: {}",
                        columns(row_of(&row.data), &[0, 1, 2, 3])
                    )
                }
                other => panic!("{other:?}"),
            },
            other @ Event::Extended { .. } => panic!("{other:?}"),
        };
        (notify.handle, what)
    });
    let expected = [
        (68, "created"),
        (69, "row added: 0x3005d notify me"),
        (68, "modified, 9 messages, 8 unread"),
        (2, "row modified: 0xd Inbox 9 8"),
        (68, "new IPM.Note"),
    ];
    let events: Vec<_> = events.collect();
    let events: Vec<_> = events
        .iter()
        .map(|(handle, what)| (*handle, what.as_str()))
        .collect();
    assert_eq!(events, expected);
}

fn row_of(data: &RowData) -> &PropertyRow {
    match data {
        RowData::Row(row) => row,
        RowData::Octets(octets) => panic!("{octets:?}"),
    }
}

#[test]
fn every_row_in_an_event_was_read_by_the_columns_of_its_table() {
    let mut rows = 0;
    for exchange in exchange::all() {
        let answers = exchange.answers.iter().flatten();
        for response in answers.flat_map(|answer| &answer.responses) {
            if let Response::Notify(notify) = response
                && let Event::Table(event) = &notify.event
                && let TableChange::RowAdded(row) | TableChange::RowModified(row) = &event.change
            {
                row_of(&row.data);
                rows += 1;
            }
        }
    }
    assert!(rows > 40, "{rows}");
}

#[test]
fn a_download_ends_with_done_unless_the_server_stalls() {
    let mut ends: BTreeMap<String, u16> = BTreeMap::new();
    for exchange in exchange::all() {
        let Some((_, label)) = exchange.name.split_once("GetBuffer_") else {
            continue;
        };
        for answer in exchange.answers.iter().flatten() {
            if let Some(Response::FastTransferSourceGetBuffer(part)) = answer.responses.first() {
                ends.insert(label.to_owned(), part.transfer_status);
            }
        }
    }
    let stalled: Vec<_> = ends
        .iter()
        .filter(|&(_, status)| *status != transfer_status::DONE)
        .map(|(label, _)| label.as_str())
        .collect();
    // Of a message that was deleted for good gromox gives nothing for ever.
    assert_eq!(stalled, ["copymessages_deletedmid"]);
    assert!(ends.len() > 10);
}

#[test]
fn failures_have_the_codes_the_server_gave() {
    let cases = [
        ("extra/009", 0x8004_010f), // a distinguished name that nobody has
        ("extra/012", 0x8000_4005), // public folders of a server without them
        ("extra/097", 0x8007_0005), // a folder of somebody else
        ("extra/109", 0x0000_04b9), // rows without columns
    ];
    for (place, expected) in cases {
        let Response::Failed(Failed { code, .. }) = responses(place)[0] else {
            panic!("{place}")
        };
        assert_eq!(code, expected, "{place}");
    }
}

#[test]
fn a_session_knows_what_its_handles_stand_for() {
    let Exchange { before, batch, .. } = exchange("main/029");
    let request = &batch.as_ref().unwrap().requests[0];
    assert!(matches!(request, Request::QueryRows(_)));
    let table = before.object(4).unwrap();
    assert_eq!(table.kind, Kind::Table);
    assert_eq!(table.columns.as_ref().unwrap().len(), 13);
    assert_eq!(before.object(0).unwrap().kind, Kind::Logon);
    assert_eq!(before.object(3).unwrap().kind, Kind::Folder);
    assert_eq!(Session::default().object(0), None);
}
