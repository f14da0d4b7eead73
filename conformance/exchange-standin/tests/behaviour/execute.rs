//! Batches of ROPs: handles, room, packing. Source: MS-OXCROPS 3.2.5, MS-OXCRPC 3.1.4.2.

use exchange_standin::{Config, Limits, Manners, Server, model::draft::Draft};
use mapi_types::PropTag;
use mapi_wire::{
    buffer::{self, Packing},
    http::{self, Outcome, RequestType, emsmdb::Execute},
    rop::{
        GetContentsTable, GetPropertiesSpecific, LogonResponse, NO_HANDLE, OpenFolder, QueryRows,
        Release, Request, RequestBuffer, Response, ResponseBuffer, SetColumns, SetSpooler,
        UpdateDeferredActionMessages, bookmark, table_flags,
    },
};

use super::client::Client;

fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

fn open_inbox(logon: &LogonResponse, input: u8, output: u8) -> OpenFolder {
    OpenFolder {
        logon_id: 0,
        input,
        output,
        folder_id: logon.folder_ids[LogonResponse::INBOX],
        open_mode_flags: 0,
    }
}

fn contents_table(input: u8, output: u8) -> GetContentsTable {
    GetContentsTable {
        logon_id: 0,
        input,
        output,
        table_flags: table_flags::USE_UNICODE | table_flags::NO_NOTIFICATIONS,
    }
}

fn set_columns(input: u8, tags: &[u32]) -> SetColumns {
    SetColumns {
        logon_id: 0,
        input,
        set_columns_flags: 0,
        property_tags: tags.iter().map(|tag| PropTag(*tag)).collect(),
    }
}

fn query_rows(input: u8, row_count: u16) -> QueryRows {
    QueryRows {
        logon_id: 0,
        input,
        query_rows_flags: QueryRows::ENABLE_PACKED_BUFFERS,
        forward_read: true,
        row_count,
    }
}

fn code(response: &Response) -> u32 {
    match response {
        Response::Failed(failed) => failed.code,
        _ => 0,
    }
}

#[test]
fn a_batch_uses_what_it_opens_and_what_fails_leaves_nothing() {
    let server = server();
    server
        .mailbox("alice")
        .deliver(Draft::about("hello"))
        .unwrap();
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let (responses, handles) = client.rops(
        vec![
            open_inbox(&logon, 0, 1).into(),
            contents_table(1, 2).into(),
            set_columns(2, &[0x0037_001f]).into(),
            query_rows(2, 10).into(),
            Release {
                logon_id: 0,
                input: 2,
            }
            .into(),
            contents_table(7, 3).into(),
            query_rows(3, 10).into(),
        ],
        vec![store, NO_HANDLE, NO_HANDLE, NO_HANDLE],
    );
    let codes: Vec<_> = responses.iter().map(code).collect();
    assert_eq!(codes, [0, 0, 0, 0, 0x4b9, 0x4b9]);
    assert_eq!(handles[3], NO_HANDLE);
    assert_eq!(
        client.bad(contents_table(0, 1), handles[2]),
        0x4b9,
        "it was released"
    );
    assert_eq!(
        client.bad(contents_table(0, 1), 0x7777),
        0x4b9,
        "never given out"
    );
    let other_logon = GetContentsTable {
        logon_id: 3,
        ..contents_table(0, 1)
    };
    assert_eq!(
        client.bad(other_logon, handles[1]),
        0x4b9,
        "of another logon"
    );
}

#[test]
fn what_is_not_offered_fails_alone_and_what_cannot_be_read_fails_all() {
    let server = server();
    let mut client = Client::connected(&server, "alice");
    let (_, store) = client.logon();
    let deferred = UpdateDeferredActionMessages {
        logon_id: 0,
        input: 0,
        server_entry_id: Box::default(),
        client_entry_id: Box::default(),
    };
    let spooler = SetSpooler {
        logon_id: 0,
        input: 0,
    };
    let (responses, _) = client.rops(vec![deferred.into(), spooler.into()], vec![store]);
    assert_eq!(
        responses.iter().map(code).collect::<Vec<_>>(),
        [0x8004_0102, 0]
    );
    let execute = Execute {
        flags: 3,
        rop_buffer: buffer::join(&[[5, 0, 0x7f, 0, 0]], Packing::default())
            .unwrap()
            .into(),
        rop_out_max: 0x8008,
    };
    assert_eq!(client.ask(&execute).0, 0x4b6);
    assert_eq!(server.violations().len(), 1);
}

#[test]
fn what_does_not_fit_is_given_back_to_be_asked_again() {
    let server = server();
    let alice = server.mailbox("alice");
    alice
        .deliver(Draft::about("one").text(&"x".repeat(1500)))
        .unwrap();
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let inbox = logon.folder_ids[LogonResponse::INBOX];
    let folder = client.open_folder(inbox, store);
    let mid = alice.messages(alice.inbox().unwrap()).unwrap()[0].mid;
    let message = client.open_message(inbox, mid.to_wire(), folder);
    let props = Request::from(GetPropertiesSpecific {
        logon_id: 0,
        input: 0,
        property_size_limit: 0,
        want_unicode: 1,
        property_tags: vec![PropTag(0x1000_001f)],
    });
    let mut batch = RequestBuffer {
        requests: vec![props; 20],
        handles: vec![message],
    };
    let mut answered = 0;
    let mut rounds = 0;
    while !batch.requests.is_empty() {
        let answer = client.batch_with(&batch, 3, 0x8008).unwrap().remove(0);
        let rest = answer.responses.iter().find_map(|response| match response {
            Response::BufferTooSmall(rest) => Some(rest.clone()),
            _ => None,
        });
        let got = answer.responses.len() - usize::from(rest.is_some());
        answered += got;
        rounds += 1;
        batch.requests.drain(..got);
        if let Some(rest) = rest {
            let again = RequestBuffer {
                requests: batch.requests.clone(),
                handles: Vec::new(),
            };
            assert_eq!(
                &*rest.request_buffers,
                &again.encode()[2..],
                "the rest as it came"
            );
        }
    }
    assert_eq!((answered, rounds), (20, 2));
    let small = RequestBuffer {
        requests: vec![open_inbox(&logon, 0, 1).into()],
        handles: vec![store, NO_HANDLE],
    };
    let answer = client.batch_with(&small, 3, 60).unwrap().remove(0);
    assert!(matches!(
        answer.responses[..],
        [Response::BufferTooSmall(_)]
    ));
}

#[test]
fn many_rows_come_in_several_payloads_of_one_answer() {
    let server = server();
    let alice = server.mailbox("alice");
    let inbox = alice.inbox().unwrap();
    alice.fill(inbox, 3000).unwrap();
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let (responses, _) = client.rops(
        vec![
            open_inbox(&logon, 0, 1).into(),
            contents_table(1, 2).into(),
            set_columns(2, &[0x0037_001f, 0x0e06_0040, 0x65e0_0102]).into(),
            query_rows(2, 2500).into(),
        ],
        vec![store, NO_HANDLE, NO_HANDLE],
    );
    let rows: Vec<_> = responses
        .iter()
        .filter_map(|response| match response {
            Response::QueryRows(got) => Some((got.rows.len(), got.origin)),
            _ => None,
        })
        .collect();
    assert!(rows.len() > 2, "{rows:?}");
    assert_eq!(rows.iter().map(|(count, _)| count).sum::<usize>(), 2500);
    assert!(rows.iter().all(|(_, origin)| *origin == bookmark::CURRENT));
}

#[test]
fn objects_have_limits_of_their_own_kind() {
    let limits = Limits {
        folders: 3,
        ..Limits::default()
    };
    let server = Server::start(Config {
        limits,
        ..Config::default()
    })
    .unwrap();
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let folders: Vec<_> = (0..3)
        .map(|_| client.good(open_inbox(&logon, 0, 1), store).1)
        .collect();
    assert_eq!(client.bad(open_inbox(&logon, 0, 1), store), 0x4de);
    client.good(contents_table(0, 1), folders[0]);
    client.release(folders[1]);
    client.good(open_inbox(&logon, 0, 1), store);
    assert_eq!(server.counters().objects_most, 5);
}

#[test]
fn answers_are_compressed_and_obfuscated_only_where_the_client_lets_them() {
    let manners = Manners {
        compresses: true,
        obfuscates: true,
        ..Manners::default()
    };
    let server = Server::start(Config {
        manners,
        ..Config::default()
    })
    .unwrap();
    let alice = server.mailbox("alice");
    alice.fill(alice.inbox().unwrap(), 100).unwrap();
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let requests = vec![
        open_inbox(&logon, 0, 1).into(),
        contents_table(1, 2).into(),
        set_columns(2, &[0x0037_001f]).into(),
        query_rows(2, 100).into(),
    ];
    let batch = RequestBuffer {
        requests,
        handles: vec![store, NO_HANDLE, NO_HANDLE],
    };
    for (flags, packing) in [
        (0, (true, true)),
        (1, (false, true)),
        (2, (true, false)),
        (3, (false, false)),
    ] {
        let body = Client::execute_body(&batch, flags, 0x8008);
        let answer = client.call(RequestType::Execute, &body).unwrap();
        let outcome = http::decode_response::<Execute>(&answer.body)
            .unwrap()
            .outcome;
        let Outcome::Done { error: 0, body } = outcome else {
            panic!("{outcome:?}");
        };
        let payloads = buffer::split(&body.rop_buffer).unwrap();
        let found = payloads[0].packing;
        assert_eq!((found.compressed, found.obfuscated), packing, "{flags}");
        ResponseBuffer::decode(&payloads[0].bytes, &batch, &mut client.session).unwrap();
    }
}

#[test]
fn releasing_what_others_hang_on_is_noted() {
    let server = server();
    let alice = server.mailbox("alice");
    let mid = alice.deliver(Draft::about("one").text("body")).unwrap();
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let inbox = logon.folder_ids[LogonResponse::INBOX];
    let folder = client.open_folder(inbox, store);
    let message = client.open_message(inbox, mid.to_wire(), folder);
    client.release(folder);
    assert_eq!(
        server.violations(),
        [""; 0],
        "a message lives without its folder"
    );
    let stream = mapi_wire::rop::OpenStream {
        logon_id: 0,
        input: 0,
        output: 1,
        property_tag: PropTag(0x1000_001f),
        open_mode_flags: 0,
    };
    client.good(stream, message);
    client.release(message);
    assert_eq!(server.violations().len(), 1);
    client.release(message);
    assert_eq!(server.violations().len(), 2, "a handle given back twice");
    assert_eq!(server.open_objects(), 1);
}
