//! What goes wrong on demand, and what is left then.

use std::time::Instant;

use exchange_standin::{Config, Fault, NotificationFault, Server, What, When, model::draft::Draft};
use mapi_wire::{
    http::{RequestType, ResponseCode},
    rop::{
        BufferSize, CreateFolder, Details, FastTransferSourceGetBuffer, GetBufferRest,
        LogonResponse, NO_HANDLE, RegisterNotification, RequestBuffer, Response, Scope,
    },
    text::Text,
};

use super::{
    client::Client,
    mailbox::{INDEX_FLAGS, INDEX_TAGS, contents},
};

fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

fn create_folder(name: &str) -> CreateFolder {
    CreateFolder {
        logon_id: 0,
        input: 0,
        output: 1,
        folder_type: CreateFolder::GENERIC,
        use_unicode_strings: true,
        open_existing: false,
        reserved: 0,
        display_name: Text::from(name),
        comment: Text::from(""),
    }
}

#[test]
fn requests_are_refused_in_every_way_once() {
    let server = server();
    let mut client = Client::connected(&server, "alice");
    let body = Client::execute_body(&RequestBuffer::default(), 3, 0x8008);
    let cases = [
        (What::Unauthorized, 401, None),
        (
            What::Unavailable {
                retry_after_s: Some(7),
            },
            503,
            None,
        ),
        (
            What::Redirect {
                location: "https://elsewhere.test/".into(),
            },
            302,
            None,
        ),
        (
            What::ResponseCode(18),
            200,
            Some(ResponseCode::ENDPOINT_SHUTTING_DOWN),
        ),
        (
            What::ResponseCode(16),
            200,
            Some(ResponseCode::ENDPOINT_DISABLED),
        ),
    ];
    for (what, status, code) in cases {
        server.faults().next(what.clone());
        let answer = client.call(RequestType::Execute, &body).unwrap();
        assert_eq!(
            (answer.status, answer.head.response_code),
            (status, code),
            "{what:?}"
        );
        let answer = client.call(RequestType::Execute, &body).unwrap();
        assert_eq!(answer.code(), ResponseCode::SUCCESS, "after {what:?}");
    }
    assert_eq!(server.faults().happened(), 5);
    server
        .faults()
        .next_request("Connect", What::ConnectBusy { retry_delay_ms: 5 });
    assert_eq!(client.connect(), Ok(0x6bb));
    assert_eq!(client.connect(), Ok(0));
    server
        .faults()
        .next_request("Execute", What::ErrorCode(0x8004_0115));
    assert_eq!(client.batch(&RequestBuffer::default()), Err(0x8004_0115));
}

#[test]
fn a_server_that_is_busy_says_for_how_long() {
    let server = server();
    server
        .mailbox("alice")
        .deliver(Draft::about("one"))
        .unwrap();
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let folder = client.open_folder(logon.folder_ids[LogonResponse::INBOX], store);
    let (_, context) = client.good(contents(INDEX_FLAGS, INDEX_TAGS), folder);
    let ask = FastTransferSourceGetBuffer {
        logon_id: 0,
        input: 0,
        buffer_size: BufferSize::UpTo(0x7000),
    };
    server.faults().next_rop(
        "FastTransferSourceGetBuffer",
        What::GetBufferBusy { backoff_ms: 11 },
    );
    let (responses, _) = client.rops(vec![ask.clone().into()], vec![context]);
    let Response::Failed(failed) = &responses[0] else {
        panic!("{responses:?}");
    };
    assert_eq!(failed.code, 0x480);
    assert!(matches!(
        failed.details,
        Details::GetBuffer {
            rest: GetBufferRest::Backoff {
                backoff_time_ms: 11,
                ..
            },
            ..
        }
    ));
    let (responses, _) = client.rops(vec![ask.into()], vec![context]);
    assert!(matches!(
        responses[0],
        Response::FastTransferSourceGetBuffer(_)
    ));
    server
        .faults()
        .next_request("Execute", What::Backoff { duration_ms: 12 });
    let (responses, _) = client.rops(vec![create_folder("no").into()], vec![folder, NO_HANDLE]);
    assert!(matches!(&responses[..], [Response::Backoff(backoff)] if backoff.duration_ms == 12));
    assert!(
        server.mailbox("alice").folder("Inbox/no").is_err(),
        "not carried out"
    );
    server
        .faults()
        .next_rop("CreateFolder", What::RopError(0x8004_0400));
    assert_eq!(client.bad(create_folder("no"), folder), 0x8004_0400);
    client.good(create_folder("yes"), folder);
}

#[test]
fn a_response_can_be_cut_at_every_octet_after_the_request_was_carried_out() {
    let server = server();
    let alice = server.mailbox("alice");
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let inbox = logon.folder_ids[LogonResponse::INBOX];
    let folder = client.open_folder(inbox, store);
    client.good(create_folder("first"), folder);
    let total = server.counters().last_response_bytes;
    assert!(total > 300, "{total}");
    for after in 0..total {
        client.connect().unwrap();
        let (_, store) = client.logon();
        let folder = client.open_folder(inbox, store);
        let name = format!("f{after:04}");
        let batch = RequestBuffer {
            requests: vec![create_folder(&name).into()],
            handles: vec![folder, NO_HANDLE],
        };
        let body = Client::execute_body(&batch, 3, 0x8008);
        server
            .faults()
            .next_rop("CreateFolder", What::CutResponse { after });
        assert!(
            client.call(RequestType::Execute, &body).is_err(),
            "cut after {after}"
        );
        assert!(
            alice.folder(&format!("Inbox/{name}")).is_ok(),
            "cut after {after}"
        );
        client.reopen();
    }
}

#[test]
fn a_request_can_be_cut_at_every_octet_and_is_not_carried_out() {
    let server = server();
    let alice = server.mailbox("alice");
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let inbox = client.open_folder(logon.folder_ids[LogonResponse::INBOX], store);
    let batch = RequestBuffer {
        requests: vec![create_folder("made").into()],
        handles: vec![inbox, NO_HANDLE],
    };
    let body = Client::execute_body(&batch, 3, 0x8008);
    let mut after = 0;
    loop {
        server
            .faults()
            .next_request("Execute", What::CutRequest { after });
        let sent = client.send(RequestType::Execute, &body);
        match sent.and_then(|()| client.receive()) {
            Err(_) => assert!(alice.folder("Inbox/made").is_err(), "cut after {after}"),
            Ok(answer) => {
                assert_eq!(
                    answer.code(),
                    ResponseCode::SUCCESS,
                    "the same cookies are still good"
                );
                break;
            }
        }
        client.reopen();
        after += 1;
    }
    assert!(after > 300, "{after}");
    assert_eq!(
        server.faults().waiting(),
        1,
        "a shorter request leaves the fault waiting"
    );
    assert!(alice.folder("Inbox/made").is_ok());
}

#[test]
fn an_answer_can_be_lost_or_late() {
    let server = server();
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let inbox = client.open_folder(logon.folder_ids[LogonResponse::INBOX], store);
    server.faults().next_request("Execute", What::LOSE_ANSWER);
    let batch = RequestBuffer {
        requests: vec![create_folder("made").into()],
        handles: vec![inbox, NO_HANDLE],
    };
    let body = Client::execute_body(&batch, 3, 0x8008);
    assert!(client.call(RequestType::Execute, &body).is_err());
    assert!(server.mailbox("alice").folder("Inbox/made").is_ok());
    client.reopen();
    let answer = client.call(RequestType::Execute, &body).unwrap();
    assert_eq!(
        answer.code(),
        ResponseCode::INVALID_SEQUENCE,
        "the new cookie was lost with it"
    );
    client.connect().unwrap();
    server
        .faults()
        .next_request("Execute", What::Delay { ms: 60 });
    let before = Instant::now();
    client.rops(vec![], vec![]);
    assert!(before.elapsed().as_millis() >= 60);
}

#[test]
fn a_restart_ends_connections_and_contexts_and_keeps_mailboxes() {
    let server = server();
    server
        .mailbox("alice")
        .deliver(Draft::about("kept"))
        .unwrap();
    let mut client = Client::connected(&server, "alice");
    client.logon();
    server.faults().restart();
    assert!(client.call(RequestType::Ping, &[]).is_err());
    client.reopen();
    let answer = client.call(RequestType::Ping, &[]).unwrap();
    assert_eq!(answer.code(), ResponseCode::CONTEXT_NOT_FOUND);
    client.connect().unwrap();
    client.logon();
    let inbox = server.mailbox("alice").inbox().unwrap();
    assert_eq!(server.mailbox("alice").subjects(inbox).unwrap(), ["kept"]);
}

#[test]
fn a_mailbox_that_moved_is_found_by_asking_again() {
    let server = server();
    let mut client = Client::connected(&server, "alice");
    client.logon();
    let old = server.emsmdb_url("alice");
    assert!(server.faults().move_mailbox("alice", 2));
    let answer = client.call(RequestType::Ping, &[]).unwrap();
    assert_eq!(answer.code(), ResponseCode::CONTEXT_NOT_FOUND);
    client.connect().unwrap();
    let dn = client.dn.clone();
    assert_eq!(client.logon_to(&dn, 0), Err(0x478));
    let new = server.emsmdb_url("alice");
    assert_ne!(old, new);
    client.set_target(&new);
    client.connect().unwrap();
    assert!(client.logon_to(&dn, 0).is_ok());
}

#[test]
fn notifications_are_lost_doubled_or_kept_back() {
    let server = server();
    let alice = server.mailbox("alice");
    let mut client = Client::connected(&server, "alice");
    let (_, store) = client.logon();
    let register = RegisterNotification {
        logon_id: 0,
        input: 0,
        output: 1,
        notification_types: 0x02,
        reserved: None,
        scope: Scope::WholeStore,
    };
    client.good(register, store);
    let mut count = |fault, then| {
        server.faults().notifications(fault);
        alice.deliver(Draft::about("new")).unwrap();
        let first = client.rops(vec![], vec![]).0.len();
        server.faults().notifications(then);
        (first, client.rops(vec![], vec![]).0.len())
    };
    assert_eq!(
        count(NotificationFault::None, NotificationFault::None),
        (1, 0)
    );
    assert_eq!(
        count(NotificationFault::Drop, NotificationFault::None),
        (0, 0)
    );
    assert_eq!(
        count(NotificationFault::Double, NotificationFault::None),
        (2, 0)
    );
    assert_eq!(
        count(NotificationFault::Delay, NotificationFault::None),
        (0, 1)
    );
}

#[test]
fn what_is_done_is_counted() {
    let server = server();
    let mut client = Client::connected(&server, "alice");
    server.reset_counters();
    let (logon, store) = client.logon();
    client.open_folder(logon.folder_ids[LogonResponse::INBOX], store);
    let counters = server.counters();
    assert_eq!(counters.requests, 2);
    assert_eq!(counters.rop("Logon"), 1);
    assert_eq!(counters.rop("OpenFolder"), 1);
    assert_eq!(counters.by_type.get("Execute"), Some(&2));
    assert!(
        counters.bytes_in > 500 && counters.bytes_out > 500,
        "{counters:?}"
    );
}

#[test]
fn faults_are_for_whom_they_are_meant() {
    let server = server();
    server.faults().add(Fault {
        when: When {
            user: Some("bob".into()),
            ..When::default()
        },
        times: 1,
        what: What::Unauthorized,
    });
    Client::connected(&server, "alice");
    let answer = Client::new(&server, "bob")
        .call(RequestType::Connect, &[])
        .unwrap();
    assert_eq!(answer.status, 401);
}
