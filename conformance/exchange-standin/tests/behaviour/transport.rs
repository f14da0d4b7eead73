//! MAPI over HTTP below the ROPs: heads, cookies, order, waiting. Source: MS-OXCMAPIHTTP 3.2.5.

use std::{sync::mpsc, thread, time::Duration};

use exchange_standin::{Config, Limits, Server, Timing, What, model::draft::Draft};
use mapi_wire::{
    http::{RequestType, ResponseCode},
    rop::{RegisterNotification, RequestBuffer, Scope},
};

use super::client::{Client, basic};

fn empty_batch() -> Vec<u8> {
    Client::execute_body(&RequestBuffer::default(), 3, 0x8008)
}

#[test]
fn requests_without_good_credentials_get_401_and_what_is_offered() {
    let server = Server::start(Config::default()).unwrap();
    let mut client = Client::new(&server, "alice");
    client.set_authorization(&basic("mallory"));
    let answer = client.call(RequestType::Connect, &[]).unwrap();
    assert_eq!(answer.status, 401);
    server.change_user("alice", |alice| {
        alice.tokens.insert("good".into());
    });
    client.set_authorization("Bearer good");
    assert_eq!(client.connect(), Ok(0));
    client.set_authorization(&basic("bob"));
    let answer = client.call(RequestType::Execute, &empty_batch()).unwrap();
    assert_eq!(
        answer.code(),
        ResponseCode::CONTEXT_NOT_FOUND,
        "somebody else's context"
    );
}

#[test]
fn heads_that_lack_something_are_refused_by_what_they_lack() {
    let server = Server::start(Config::default()).unwrap();
    let mut client = Client::new(&server, "alice");
    let target = super::client::target_of(&server.emsmdb_url("alice"));
    let cases = [
        ("X-RequestType", None, ResponseCode::MISSING_HEADER),
        ("X-RequestId", None, ResponseCode::MISSING_HEADER),
        ("X-ClientInfo", None, ResponseCode::MISSING_HEADER),
        ("X-ClientApplication", None, ResponseCode::MISSING_HEADER),
        ("Content-Type", None, ResponseCode::MISSING_HEADER),
        (
            "Content-Type",
            Some("text/plain"),
            ResponseCode::INVALID_HEADER,
        ),
        ("X-RequestId", Some("7"), ResponseCode::INVALID_HEADER),
        (
            "X-RequestType",
            Some("Dance"),
            ResponseCode::INVALID_REQUEST_TYPE,
        ),
        (
            "X-RequestType",
            Some("Bind"),
            ResponseCode::INVALID_REQUEST_TYPE,
        ),
    ];
    let body = client.connect_body();
    for (name, value, expected) in cases {
        let mut fields = client.fields(RequestType::Connect);
        fields.retain(|(known, _)| *known != name);
        fields.extend(value.map(|value| (name, value.to_owned())));
        let answer = client.plain("POST", &target, &fields, &body).unwrap();
        assert_eq!(
            client.understood(answer).code(),
            expected,
            "{name}: {value:?}"
        );
    }
    let fields = client.fields(RequestType::Connect);
    let answer = client.plain("GET", &target, &fields, &[]).unwrap();
    assert_eq!(client.understood(answer).code(), ResponseCode::INVALID_VERB);
    let answer = client.plain("POST", "/mapi/other", &fields, &body).unwrap();
    assert_eq!(answer.status, 404);
    let answer = client.call(RequestType::Connect, &[1, 2]).unwrap();
    assert_eq!(answer.code(), ResponseCode::INVALID_REQUEST_BODY);
}

#[test]
fn a_session_context_takes_one_request_at_a_time_with_the_newest_cookies() {
    let server = Server::start(Config::default()).unwrap();
    let mut client = Client::new(&server, "alice");
    let answer = client.call(RequestType::Execute, &empty_batch()).unwrap();
    assert_eq!(answer.code(), ResponseCode::MISSING_COOKIE);
    client.connect().unwrap();
    let old = client.cookies.clone();
    let answer = client.call(RequestType::Execute, &empty_batch()).unwrap();
    assert_eq!(answer.code(), ResponseCode::SUCCESS);
    let new = std::mem::replace(&mut client.cookies, old);
    let answer = client.call(RequestType::Execute, &empty_batch()).unwrap();
    assert_eq!(
        answer.code(),
        ResponseCode::INVALID_SEQUENCE,
        "an old cookie"
    );

    client.cookies = new;
    server
        .faults()
        .next_request("Execute", What::Delay { ms: 300 });
    client.send(RequestType::Execute, &empty_batch()).unwrap();
    while server.counters().by_type.get("Execute") < Some(&4) {
        thread::yield_now();
    }
    let second = client
        .beside()
        .call(RequestType::Execute, &empty_batch())
        .unwrap()
        .code();
    assert_eq!(second, ResponseCode::INVALID_SEQUENCE, "two at a time");
    client.cookies.store("MapiContext=nonsense");
    client.receive().unwrap();
    client.cookies.store("MapiContext=nonsense");
    let answer = client.call(RequestType::Execute, &empty_batch()).unwrap();
    assert_eq!(answer.code(), ResponseCode::INVALID_CONTEXT_COOKIE);
}

#[test]
fn connect_checks_who_it_is_and_ends_the_context_of_its_cookies() {
    let limits = Limits {
        sessions: 2,
        ..Limits::default()
    };
    let server = Server::start(Config {
        limits,
        ..Config::default()
    })
    .unwrap();
    let mut client = Client::new(&server, "alice");
    let dn = std::mem::replace(&mut client.dn, "/o=Nobody/cn=x".into());
    assert_eq!(client.connect(), Ok(0x3eb), "nobody has this name");
    client.dn = server.user("bob").unwrap().legacy_dn;
    assert_eq!(client.connect(), Ok(0x8007_0005), "somebody else's name");
    client.dn = dn.to_uppercase();
    assert_eq!(client.connect(), Ok(0), "letter case does not count");
    assert_eq!(client.connect(), Ok(0));
    assert_eq!(server.sessions(), 1, "the old context has ended");
    let _second = Client::connected(&server, "alice");
    assert_eq!(
        Client::new(&server, "alice").connect(),
        Ok(0x4de),
        "one too many"
    );
    let _bob = Client::connected(&server, "bob");
    client.disconnect();
    assert_eq!(server.sessions(), 2);
    server.change_user("carol", |carol| carol.mapi_disabled = true);
    let carol = Client::new(&server, "carol").connect();
    assert_eq!(carol, Err(ResponseCode::ENDPOINT_DISABLED));
}

#[test]
fn waiting_ends_when_something_happens_or_after_a_time_and_lines_keep_it_alive() {
    let timing = Timing {
        pending_period_ms: 20,
        notification_wait_ms: 110,
        ..Timing::default()
    };
    let server = Server::start(Config {
        timing,
        ..Config::default()
    })
    .unwrap();
    let mut client = Client::connected(&server, "alice");
    let (_, store) = client.logon();
    let (event, pending) = client.beside().wait();
    assert_eq!(event, 0);
    assert!(pending >= 2, "{pending}");
    let register = RegisterNotification {
        logon_id: 0,
        input: 0,
        output: 1,
        notification_types: 0x7e,
        reserved: None,
        scope: Scope::WholeStore,
    };
    client.good(register, store);
    let mut waiting = client.beside();
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(waiting.wait()));
    server
        .mailbox("alice")
        .deliver(Draft::about("new"))
        .unwrap();
    let (event, _) = result.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(event, 1);
    let (event, _) = client.beside().wait();
    assert_eq!(event, 1, "until it is collected");
    let (responses, _) = client.rops(vec![], vec![]);
    assert!(!responses.is_empty());
    let (event, _) = client.beside().wait();
    assert_eq!(event, 0);
}

#[test]
fn ping_keeps_a_context_alive_and_an_unused_one_is_gone() {
    let timing = Timing {
        session_idle_ms: 400,
        ..Timing::default()
    };
    let server = Server::start(Config {
        timing,
        ..Config::default()
    })
    .unwrap();
    let mut client = Client::connected(&server, "alice");
    let answer = client.call(RequestType::Ping, &[]).unwrap();
    assert_eq!(
        (answer.code(), answer.body),
        (ResponseCode::SUCCESS, vec![])
    );
    assert_eq!(answer.head.expiration_ms, Some(400));
    server.faults().expire_contexts();
    let answer = client.call(RequestType::Ping, &[]).unwrap();
    assert_eq!(answer.code(), ResponseCode::CONTEXT_NOT_FOUND);
}

#[test]
fn numbers_of_requests_that_do_not_ascend_are_noted() {
    let server = Server::start(Config::default()).unwrap();
    let mut client = Client::connected(&server, "alice");
    client.logon();
    assert_eq!(server.violations(), [""; 0]);
    let mut again = client.beside();
    again.rops(vec![], vec![]);
    client.cookies = again.cookies.clone();
    client.rops(vec![], vec![]);
    assert_eq!(server.violations().len(), 1, "{:?}", server.violations());
}
