//! Recorded conversations with a server, held again: a replaying server takes only the recorded requests, in their
//! order and with the cookies it gave, and answers what was recorded, in pieces of odd sizes.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use mapi_wire::{
    Guid, buffer,
    fast_transfer::{Event, Parser},
    http::{AnyRequest, Numbered, RequestType, emsmdb},
    ics::MessageHeader,
    rop::{self, Request, RequestBuffer, Response, ResponseBuffer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{Context, Server};
use crate::{
    auth::{Credentials, Password, Policy, Scheme, Secret},
    discover::Transport,
    http::{Client, Options},
};

/// One recorded exchange.
struct Exchange {
    name: String,
    kind: RequestType,
    request: Vec<u8>,
    response: Vec<u8>,
    cookies: Vec<String>,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../conformance/corpus/mapihttp")
        .join(name)
}

/// The exchanges with the mailbox endpoint of a recorded folder, in order.
fn recorded(name: &str) -> Vec<Exchange> {
    let folder = folder(name);
    let index = std::fs::read_to_string(folder.join("index.tsv")).unwrap();
    let mut cookies: HashMap<&str, Vec<String>> = HashMap::new();
    for line in index.lines() {
        let mut fields = line.split('\t');
        let (file, about) = (fields.next().unwrap(), fields.nth(1).unwrap_or_default());
        let Some((_, set)) = about.split_once("Set-Cookie: ") else {
            continue;
        };
        cookies.insert(file, set.split("; ").map(str::to_owned).collect());
    }
    let mut exchanges = Vec::new();
    for line in index.lines() {
        let file = line.split('\t').next().unwrap();
        let Some(stem) = file.strip_suffix(".req.bin") else {
            continue;
        };
        let mut parts = stem.splitn(4, '-');
        let (_, endpoint) = (parts.next(), parts.next().unwrap());
        let Some(kind) = parts.next().and_then(|kind| kind.parse().ok()) else {
            continue;
        };
        if endpoint != "emsmdb" {
            continue;
        }
        let answer = format!("{stem}.rsp.bin");
        exchanges.push(Exchange {
            name: stem.to_owned(),
            kind,
            request: std::fs::read(folder.join(file)).unwrap(),
            response: std::fs::read(folder.join(&answer)).unwrap(),
            cookies: cookies.get(answer.as_str()).cloned().unwrap_or_default(),
        });
    }
    exchanges
}

/// Plays the server's part. Panics when the client leaves the script.
async fn play(mut stream: TcpStream, script: Vec<Exchange>) {
    let mut held: Vec<String> = Vec::new();
    let mut unread = Vec::new();
    for exchange in script {
        let (head, body) = request(&mut stream, &mut unread).await;
        let name = &exchange.name;
        let header = |wanted: &str| {
            let line = head.lines().find(|line| {
                let field = line.split(':').next().unwrap_or_default();
                field.eq_ignore_ascii_case(wanted)
            });
            line.and_then(|line| line.split_once(": "))
                .map(|(_, value)| value.to_owned())
        };
        assert_eq!(
            header("x-requesttype").as_deref(),
            Some(exchange.kind.name()),
            "{name}"
        );
        assert!(
            header("x-requestid").is_some() && header("x-clientinfo").is_some(),
            "{name}"
        );
        let sent = header("cookie").unwrap_or_default();
        for cookie in &held {
            assert!(
                sent.contains(cookie),
                "{name}: {cookie} is not among {sent}"
            );
        }
        assert!(
            body == exchange.request,
            "{name}: another request than was recorded"
        );
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/mapi-http\r\nX-RequestType: {}\r\nX-ResponseCode: 0\r\n\
             Transfer-Encoding: chunked\r\n",
            exchange.kind.name()
        );
        for cookie in &exchange.cookies {
            answer.push_str(&format!("Set-Cookie: {cookie}\r\n"));
            let key = cookie.split('=').next().unwrap();
            held.retain(|held| held.split('=').next() != Some(key));
            held.push(cookie.clone());
        }
        answer.push_str("\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        for (at, piece) in exchange.response.chunks(997).enumerate() {
            let piece = piece.split_at(piece.len().min(at % 7 + 1));
            for part in [piece.0, piece.1]
                .into_iter()
                .filter(|part| !part.is_empty())
            {
                let chunk = [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
                stream.write_all(&chunk).await.unwrap();
            }
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
    }
}

async fn request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> (String, Vec<u8>) {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|octets| octets == b"\r\n\r\n") {
            break at + 4;
        }
        assert!(
            stream.read_buf(unread).await.unwrap() > 0,
            "the client has gone"
        );
    };
    let head = String::from_utf8(unread.drain(..end).collect()).unwrap();
    let len = head
        .lines()
        .filter_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        })
        .next()
        .unwrap_or(0);
    while unread.len() < len {
        assert!(
            stream.read_buf(unread).await.unwrap() > 0,
            "the client has gone"
        );
    }
    (head, unread.drain(..len).collect())
}

/// What a conversation brought.
#[derive(Default)]
struct Heard {
    executed: usize,
    kinds: Vec<RequestType>,
    rops: Vec<u8>,
    subjects: Vec<String>,
    states: usize,
    deletions: usize,
    notified: usize,
    logged_on: bool,
    waited: bool,
}

/// A client's context for the replaying server.
fn client_of(url: &str) -> Context {
    let server = Server {
        client: Client::new(Options::default()).unwrap(),
        transport: Transport::MapiHttp,
        url: url.parse().unwrap(),
        credentials: Credentials::Password(Password {
            user: "alice".to_owned(),
            domain: None,
            secret: Secret::from("secret"),
        }),
        policy: Policy {
            schemes: vec![Scheme::Basic],
        },
    };
    let client = Numbered {
        guid: Guid([1; 16]),
        number: 1,
    };
    Context::new(server, Guid([2; 16]), client)
}

/// What a batch's answers bring.
async fn execute(context: &mut Context, execute: emsmdb::Execute, said: &mut Said) {
    said.heard.executed += 1;
    let (error, executed) = context.call(&execute, None).await.unwrap();
    let Some(executed) = executed.filter(|_| error == 0) else {
        return;
    };
    let asked = buffer::split(&execute.rop_buffer).unwrap();
    let batch = RequestBuffer::decode(&asked[0].bytes, &said.session).unwrap();
    let payloads = buffer::split(&executed.rop_buffer).unwrap();
    let payloads = payloads.iter().map(|payload| &*payload.bytes);
    let answers = ResponseBuffer::decode_packed(payloads, &batch, &mut said.session).unwrap();
    said.heard
        .rops
        .extend(batch.requests.iter().map(Request::rop_id));
    for response in answers.into_iter().flat_map(|answer| answer.responses) {
        hear(&mut said.heard, &mut said.parser, response);
    }
}

/// A conversation so far.
#[derive(Default)]
struct Said {
    heard: Heard,
    session: rop::Session,
    parser: Parser,
}

/// Holds the client's part of a recorded conversation, and hears what it says.
async fn hold(name: &str) -> Heard {
    let script = recorded(name);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/mapi/emsmdb/?MailboxId=a@example.test",
        listener.local_addr().unwrap()
    );
    let asked: Vec<_> = script
        .iter()
        .map(|one| (one.kind, one.request.clone()))
        .collect();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        play(stream, script).await;
    });
    let mut context = client_of(&url);
    let mut said = Said::default();
    for (kind, request) in asked {
        said.heard.kinds.push(kind);
        if kind == RequestType::Ping {
            context.ping().await.unwrap();
            continue;
        }
        match AnyRequest::decode(kind, &request).unwrap().0 {
            AnyRequest::Connect(connect) => {
                // Another logon's handles mean nothing in this one.
                said.session = rop::Session::default();
                let (error, connected) = context.call(&connect, None).await.unwrap();
                assert_eq!(error, 0);
                assert!(!connected.unwrap().display_name.to_text().is_empty());
            }
            AnyRequest::NotificationWait(wait) => {
                let (_, waited) = context.call(&wait, None).await.unwrap();
                said.heard.waited |= waited.unwrap().event_pending == 1;
            }
            AnyRequest::Disconnect(_) => {
                context.call(&emsmdb::Disconnect, None).await.unwrap();
            }
            AnyRequest::Execute(asked) => execute(&mut context, asked, &mut said).await,
            other => panic!("{other:?} is not for a mailbox"),
        }
    }
    server.await.unwrap();
    said.heard
}

fn hear(heard: &mut Heard, parser: &mut Parser, response: Response) {
    match response {
        Response::Logon(_) => heard.logged_on = true,
        Response::Notify(_) => heard.notified += 1,
        Response::FastTransferSourceGetBuffer(piece) => {
            parser.feed(&piece.transfer_buffer);
            take(heard, parser);
            if piece.transfer_status == rop::transfer_status::DONE {
                parser.finish().unwrap();
                take(heard, parser);
                *parser = Parser::default();
            }
        }
        _ => {}
    }
}

fn take(heard: &mut Heard, parser: &mut Parser) {
    while let Some(event) = parser.next_event().unwrap() {
        match event {
            Event::Change(change) => {
                MessageHeader::from_properties(&change.header).unwrap();
                let subject = change
                    .message
                    .props
                    .iter()
                    .find(|prop| prop.tag.id() == 0x37);
                let page = crate::message::SESSION_PAGE;
                heard
                    .subjects
                    .extend(subject.and_then(|subject| subject.to_text(page)));
            }
            Event::State(_) => heard.states += 1,
            Event::Deletions(_) => heard.deletions += 1,
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_whole_recorded_session_is_held_again() {
    let heard = hold("main").await;
    for kind in [
        RequestType::Connect,
        RequestType::Execute,
        RequestType::NotificationWait,
        RequestType::Ping,
        RequestType::Disconnect,
    ] {
        assert!(heard.kinds.contains(&kind), "{kind}");
    }
    for (id, what) in [
        (rop::OpenMessage::ROP_ID, "open"),
        (rop::ReadStream::ROP_ID, "read"),
        (rop::CreateMessage::ROP_ID, "create"),
        (rop::SubmitMessage::ROP_ID, "submit"),
        (rop::RegisterNotification::ROP_ID, "notify"),
        (rop::SynchronizationImportMessageChange::ROP_ID, "import"),
    ] {
        assert!(heard.rops.contains(&id), "{what}");
    }
    assert!(heard.logged_on && heard.waited);
    let counts = [heard.notified, heard.states, heard.deletions];
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    assert!(heard.executed > 400, "{}", heard.executed);
    assert!(heard.subjects.len() > 8, "{:?}", heard.subjects);
}

#[tokio::test]
async fn compressed_answers_are_understood() {
    let heard = hold("compressed").await;
    assert_eq!(heard.executed, 6);
}
