//! Whole bodies worked out by hand from the documents.

use mapi_wire::{
    Utf16,
    buffer::{self, Packing},
    http::{
        self,
        emsmdb::{Execute, NO_COMPRESSION, NO_XOR_MAGIC},
    },
    rop::{
        self, Details, Logon, NO_HANDLE, OpenFolder, QueryRows, Release, Request, RequestBuffer,
        Response, ResponseBuffer, Session,
    },
};

fn logon() -> RequestBuffer {
    RequestBuffer {
        requests: vec![Request::from(Logon {
            logon_id: 0,
            output: 0,
            logon_flags: Logon::PRIVATE,
            open_flags: Logon::HOME_LOGON
                | Logon::TAKE_OWNERSHIP
                | Logon::USE_PER_MDB_REPLID_MAPPING,
            store_state: 0,
            essdn: (*b"/o=T/cn=u\0").into(),
        })],
        handles: vec![NO_HANDLE],
    }
}

/// MS-OXCMAPIHTTP 2.2.4.2.1, MS-OXCRPC 2.2.2.1, MS-OXCROPS 2.2.1 and 2.2.3.1.1, one within the other.
#[test]
fn an_execute_with_one_logon_has_54_octets() {
    let expected = [
        &[3, 0, 0, 0, 38, 0, 0, 0][..],
        &[0, 0, 4, 0, 30, 0, 30, 0],
        &[26, 0],
        &[0xfe, 0, 0, 1, 0x0c, 0, 0, 1, 0, 0, 0, 0, 10, 0],
        b"/o=T/cn=u\0",
        &[0xff; 4],
        &[0, 0, 4, 0, 0, 0, 0, 0],
    ]
    .concat();
    let payload = logon().encode();
    let execute = Execute {
        flags: NO_COMPRESSION | NO_XOR_MAGIC,
        rop_buffer: buffer::join(&[&payload], Packing::default())
            .unwrap()
            .into(),
        rop_out_max: 0x4_0000,
    };
    assert_eq!(http::encode_request(&execute, &[]), expected);
    assert_eq!(expected.len(), 54);
    let batch = RequestBuffer::decode(&payload, &Session::default());
    assert_eq!(batch, Ok(logon()));
    assert_eq!(logon().encoded_len(), payload.len());
}

#[test]
fn a_batch_without_rops_fetches_notifications() {
    let batch = RequestBuffer::default();
    assert_eq!(batch.encode(), [2, 0]);
    assert_eq!(
        RequestBuffer::decode(&[2, 0], &Session::default()),
        Ok(batch)
    );
}

/// A batch: opens a folder, reads rows of a table, gives both back.
fn batch() -> RequestBuffer {
    RequestBuffer {
        requests: vec![
            Request::from(OpenFolder {
                logon_id: 0,
                input: 0,
                output: 1,
                folder_id: mapi_wire::Id::from_u64(0x0d00_0000_0000_0001),
                open_mode_flags: 0,
            }),
            Request::from(Release {
                logon_id: 0,
                input: 1,
            }),
            Request::from(QueryRows {
                logon_id: 0,
                input: 2,
                query_rows_flags: QueryRows::ENABLE_PACKED_BUFFERS,
                forward_read: true,
                row_count: 100,
            }),
        ],
        handles: vec![1, NO_HANDLE, 3],
    }
}

/// A session in which handle 3 is a table of one column.
fn session() -> Session {
    let mut session = Session::default();
    let set_columns = RequestBuffer {
        requests: vec![Request::from(rop::SetColumns {
            logon_id: 0,
            input: 0,
            set_columns_flags: 0,
            property_tags: vec![mapi_types::PropTag(0x3001_001f)],
        })],
        handles: vec![3],
    };
    let answer = ResponseBuffer {
        responses: vec![Response::from(rop::SetColumnsResponse {
            index: 0,
            table_status: 0,
        })],
        handles: vec![3],
    };
    session.observe(&set_columns, &answer);
    session
}

fn payload(list: &[&[u8]]) -> Vec<u8> {
    let list = list.concat();
    let handles = [1_u32, NO_HANDLE, 3].map(u32::to_le_bytes).concat();
    let size = u16::try_from(list.len() + 2).unwrap().to_le_bytes();
    [&size[..], &list, &handles].concat()
}

const OPENED: &[u8] = &[0x02, 1, 0, 0, 0, 0, 0, 0];
const NOT_OPENED: &[u8] = &[0x02, 1, 0x0f, 0x01, 0x04, 0x80];
const ROW: &[u8] = &[0x15, 2, 0, 0, 0, 0, 1, 1, 0, 0, b'A', 0, 0, 0];
const LAST_ROW: &[u8] = &[0x15, 2, 0, 0, 0, 0, 2, 1, 0, 0, b'B', 0, 0, 0];
const TOO_SMALL: &[u8] = &[0xff, 0, 0x10, 0x15, 0, 2, 2, 1, 100, 0];
const BUSY: &[u8] = &[0xf9, 0, 0x10, 0x27, 0, 0, 0, 0, 0];
const PENDING: &[u8] = &[0x6e, 5, 0];

fn decode(list: &[&[u8]]) -> Result<Vec<&'static str>, String> {
    let bytes = payload(list);
    let mut session = session();
    let answer = ResponseBuffer::decode(&bytes, &batch(), &mut session);
    let answer = answer.map_err(|error| error.to_string())?;
    assert_eq!(answer.encode(), bytes);
    let name = |response: &Response| match response {
        Response::Failed(_) => "failed",
        response => rop::name(response.rop_id()).unwrap(),
    };
    Ok(answer.responses.iter().map(name).collect())
}

#[test]
fn answers_come_in_order_with_others_between() {
    let cases: [(&[&[u8]], &[&str]); 7] = [
        (&[OPENED, ROW], &["OpenFolder", "QueryRows"]),
        (&[NOT_OPENED, ROW], &["failed", "QueryRows"]),
        (
            &[OPENED, ROW, PENDING],
            &["OpenFolder", "QueryRows", "Pending"],
        ),
        (
            &[BUSY, OPENED, ROW],
            &["Backoff", "OpenFolder", "QueryRows"],
        ),
        // The server may stop, when it says why.
        (&[OPENED, TOO_SMALL], &["OpenFolder", "BufferTooSmall"]),
        (&[OPENED, BUSY], &["OpenFolder", "Backoff"]),
        (&[BUSY], &["Backoff"]),
    ];
    for (list, expected) in cases {
        assert_eq!(decode(list).unwrap(), expected);
    }
}

#[test]
fn answers_that_do_not_fit_the_batch_are_refused_with_their_place() {
    let cases: [(&[&[u8]], &str); 6] = [
        (&[OPENED], "at octet 10: expected the response to a ROP"),
        (
            &[ROW, OPENED],
            "at octet 2: expected the RopId that was asked for",
        ),
        (
            &[OPENED, OPENED],
            "at octet 10: expected the RopId that was asked for",
        ),
        (
            &[OPENED, ROW, ROW],
            "at octet 24: expected the end of the responses",
        ),
        (
            &[OPENED, PENDING],
            "at octet 13: expected the response to a ROP",
        ),
        (&[&OPENED[..5]], "at octet 4: expected ReturnValue"),
    ];
    for (list, expected) in cases {
        assert_eq!(decode(list).unwrap_err(), expected);
    }
}

/// The documents end a failed RopSetReadFlags with PartialCompletion; gromox ends it with ReturnValue.
#[test]
fn a_failure_is_read_with_and_without_what_the_documents_put_at_its_end() {
    let mut batch = batch();
    batch.requests[0] = Request::from(rop::SetReadFlags {
        logon_id: 0,
        input: 0,
        want_asynchronous: false,
        read_flags: rop::read_flags::SUPPRESS_RECEIPT,
        message_ids: Vec::new(),
    });
    let failed: &[u8] = &[0x66, 0, 5, 0x40, 0, 0x80];
    let cases: [(&[&[u8]], Details); 4] = [
        (&[failed, ROW], Details::None),
        (&[failed, &[1], ROW], Details::Partial(true)),
        (&[failed, PENDING, ROW], Details::None),
        (&[failed, &[0], TOO_SMALL], Details::Partial(false)),
    ];
    for (list, expected) in cases {
        let bytes = payload(list);
        let answer = ResponseBuffer::decode(&bytes, &batch, &mut session()).unwrap();
        let Response::Failed(failed) = &answer.responses[0] else {
            panic!("{answer:?}")
        };
        assert_eq!(failed.details, expected);
        assert_eq!(answer.encode(), bytes);
    }
}

#[test]
fn rows_without_known_columns_are_refused_not_guessed() {
    let bytes = payload(&[OPENED, ROW]);
    let error = ResponseBuffer::decode(&bytes, &batch(), &mut Session::default()).unwrap_err();
    assert_eq!(error.expected, "rows of columns that were set before");
}

#[test]
fn further_payloads_answer_the_last_request_again() {
    let payloads = [
        payload(&[OPENED, ROW]),
        payload(&[ROW]),
        payload(&[LAST_ROW]),
    ];
    let payloads = payloads.iter().map(Vec::as_slice);
    let answers = ResponseBuffer::decode_packed(payloads, &batch(), &mut session()).unwrap();
    let rows = answers.iter().flat_map(|answer| &answer.responses);
    let names: Vec<_> = rows
        .filter_map(|response| match response {
            Response::QueryRows(read) => read.rows[0].value(0),
            _ => None,
        })
        .collect();
    let text = |text: &str| mapi_wire::PropValue::String(Utf16::from(text));
    assert_eq!(names, [&text("A"), &text("A"), &text("B")]);
}

#[test]
fn sizes_that_contradict_each_other_are_refused_with_their_place() {
    let cases: [(&[u8], &str); 5] = [
        (&[], "at octet 0: expected RopSize"),
        (&[1, 0], "at octet 0: expected a RopSize of at least 2"),
        (
            &[9, 0, 1, 0, 0],
            "at octet 2: expected a list of ROPs as long as RopSize says",
        ),
        (&[2, 0, 1, 2, 3], "at octet 2: expected a handle"),
        (
            &[4, 0, 1, 0],
            "at octet 4: expected the slot of the input handle",
        ),
    ];
    for (bytes, expected) in cases {
        let error = RequestBuffer::decode(bytes, &Session::default()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_handle_given_back_is_forgotten_and_a_logon_takes_all_with_it() {
    let mut session = session();
    assert!(session.object(3).is_some());
    let release = |input| Request::from(Release { logon_id: 0, input });
    let mut logged_on = logon();
    logged_on.requests.push(release(0));
    // The logon replaces what its id stood for; giving it back leaves nothing.
    let answer = ResponseBuffer {
        responses: vec![Response::from(rop::LogonResponse {
            index: 0,
            logon_flags: 0,
            folder_ids: Default::default(),
            store: rop::Store::Public {
                replid: 1,
                replguid: Default::default(),
                per_user_guid: Default::default(),
            },
        })],
        handles: vec![7],
    };
    session.observe(&logged_on, &answer);
    assert_eq!(session.object(3), None);
    assert_eq!(session.object(7), None);
}
