//! An address book that counts requests as strictly as gromox 3.10 does, and fails when it is told to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use mapi_types::PropTag;
use mapi_wire::{
    Guid, PropValue,
    http::{AnyRequest, AnyResponse, Outcome, RequestType, Response, framing},
    nspi::{
        Bound, Cell, CellState, EntryId, FoundMIds, GetProps, MId, Matches, Props, QueryRows,
        ResolveNames, Resolved, Row, Rows, RowsFound, SeekEntries, SpecialTable, Stat, Tagged,
    },
    restriction::Restriction,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::super::columns;

/// The id of the first entry.
const FIRST: u32 = 0x10;
/// MAPI_E_TABLE_TOO_BIG and MAPI_E_NOT_FOUND.
const TABLE_TOO_BIG: u32 = 0x8004_0403;
const NOT_FOUND: u32 = 0x8004_010f;

/// Somebody in the book: name and address.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) smtp: Option<String>,
    pub(super) proxy: Option<String>,
}

/// How a request fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    /// With this X-ResponseCode.
    Code(u32),
    /// With this HTTP status.
    Status(u16),
    /// The connection ends instead of the answer.
    Closes,
    /// The answer's body is this.
    Body(&'static [u8]),
    /// There is no answer.
    Hangs,
}

/// The book, and what it has been asked.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) people: Vec<Person>,
    /// The most rows of an answer.
    pub(super) rows_max: usize,
    /// Whether the place in a table is never moved on.
    pub(super) stands_still: bool,
    /// Which requests fail, counted from 0.
    pub(super) failures: Mutex<HashMap<usize, Failure>>,
    pub(super) asked: Mutex<Vec<RequestType>>,
    /// Told when an answer is held back.
    pub(super) hanging: Notify,
    /// The number of the next request of each session.
    sessions: Mutex<Vec<usize>>,
}

impl Book {
    pub(super) fn of(names: impl IntoIterator<Item = String>) -> Self {
        let person = |name: String| Person {
            smtp: Some(format!(
                "{}@example.test",
                name.to_lowercase().replace(' ', ".")
            )),
            proxy: None,
            name,
        };
        Self {
            people: names.into_iter().map(person).collect(),
            rows_max: 1000,
            stands_still: false,
            failures: Mutex::default(),
            asked: Mutex::default(),
            hanging: Notify::new(),
            sessions: Mutex::default(),
        }
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub(super) fn binds(&self) -> usize {
        self.sessions.lock().unwrap().len()
    }

    pub(super) fn fail(&self, request: usize, failure: Failure) {
        self.failures.lock().unwrap().insert(request, failure);
    }

    /// Serves it on loopback and returns the URL.
    pub(super) async fn serve(self: &Arc<Self>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/mapi/nspi/?MailboxId=1",
            listener.local_addr().unwrap()
        );
        let book = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&book).connection(stream));
            }
        });
        url
    }

    async fn connection(self: Arc<Self>, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        while let Some((head, body)) = request(&mut stream, &mut buffer).await {
            if header(&head, "authorization").is_none() {
                let refusal = "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(refusal.as_bytes()).await.unwrap();
                continue;
            }
            let kind: RequestType = header(&head, "x-requesttype").unwrap().parse().unwrap();
            let number = {
                let mut asked = self.asked.lock().unwrap();
                asked.push(kind);
                asked.len() - 1
            };
            let failure = self.failures.lock().unwrap().get(&number).copied();
            let answer = match failure {
                Some(Failure::Closes) => return,
                Some(Failure::Hangs) => {
                    self.hanging.notify_one();
                    std::future::pending().await
                }
                Some(Failure::Status(status)) => {
                    format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n").into_bytes()
                }
                Some(Failure::Code(code)) => refusal(code),
                Some(Failure::Body(body)) => self.answer(&head, kind, Err(body)),
                None => {
                    let (request, _) = AnyRequest::decode(kind, &body).unwrap();
                    self.answer(&head, kind, Ok(&request))
                }
            };
            stream.write_all(&answer).await.unwrap();
        }
    }

    /// The answer to a request in its session; a refusal where it is not the next one.
    fn answer(
        &self,
        head: &str,
        kind: RequestType,
        request: Result<&AnyRequest, &[u8]>,
    ) -> Vec<u8> {
        let mut sessions = self.sessions.lock().unwrap();
        let cookies = header(head, "cookie").unwrap_or_default();
        let cookie = |name: &str| {
            let all = cookies
                .split("; ")
                .filter_map(|cookie| cookie.split_once('='));
            all.filter(|(found, _)| *found == name)
                .map(|(_, value)| value.parse().unwrap())
                .next()
        };
        let session: usize = match kind {
            RequestType::Bind => {
                sessions.push(0);
                sessions.len() - 1
            }
            _ => {
                let Some(session) = cookie("sid") else {
                    return refusal(6);
                };
                if cookie("sequence") != Some(sessions[session]) {
                    return refusal(7);
                }
                session
            }
        };
        sessions[session] += 1;
        let next = sessions[session];
        let content = match request {
            Ok(request) => self.respond(request).encode(),
            Err(body) => body.to_vec(),
        };
        let body = [
            framing::PROCESSING,
            &framing::done([("X-ElapsedTime", "1")]),
            &content,
        ]
        .concat();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/mapi-http\r\nX-ResponseCode: 0\r\nSet-Cookie: sid={session}\r\nSet-Cookie: sequence={next}\r\nX-ExpirationInfo: 900000\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        [head.into_bytes(), body].concat()
    }

    fn respond(&self, request: &AnyRequest) -> AnyResponse {
        match request {
            AnyRequest::Bind(bind) => {
                assert_eq!(bind.stat.unwrap().code_page, 1252);
                let server_guid = Guid([7; 16]);
                AnyResponse::Bind(done(0, Bound { server_guid }))
            }
            AnyRequest::Unbind(_) => AnyResponse::Unbind(done(1, ())),
            AnyRequest::QueryRows(ask) => AnyResponse::QueryRows(done(0, self.query(ask))),
            AnyRequest::GetMatches(ask) => {
                self.matches(ask.restriction.as_ref().unwrap(), ask.row_count)
            }
            AnyRequest::SeekEntries(ask) => self.seek(ask),
            AnyRequest::ResolveNames(ask) => AnyResponse::ResolveNames(done(0, self.resolve(ask))),
            AnyRequest::DnToMId(ask) => {
                let names = ask.names.as_ref().unwrap().iter();
                let mids = Some(names.map(|name| self.with_dn(&name.to_text())).collect());
                AnyResponse::DnToMId(done(0, FoundMIds { mids }))
            }
            AnyRequest::GetProps(ask) => AnyResponse::GetProps(done(0x4_0380, self.props(ask))),
            AnyRequest::GetSpecialTable(_) => {
                let lists = vec![list(0, "", "/"), Vec::new(), list(9, "Rooms", "/guid=9")];
                let body = SpecialTable {
                    code_page: 1252,
                    version: Some(1),
                    rows: Some(lists),
                };
                AnyResponse::GetSpecialTable(done(0, body))
            }
            other => panic!("{other:?}"),
        }
    }

    fn query(&self, ask: &QueryRows) -> RowsFound {
        let most = self.rows_max.min(ask.row_count as usize);
        let (mids, stat) = match &*ask.mids {
            [] => self.table(ask.stat.unwrap(), most),
            mids => (mids.iter().copied().take(most).collect(), ask.stat.unwrap()),
        };
        RowsFound {
            stat: Some(stat),
            rows: Some(self.rows(&mids, ask.columns.as_deref().unwrap())),
        }
    }

    fn seek(&self, ask: &SeekEntries) -> AnyResponse {
        let target = text(ask.target.as_ref().unwrap().value.as_ref().unwrap());
        let reaches = |person: &Person| person.name.to_lowercase() >= target;
        let at = self.people.iter().position(reaches);
        let stat = at.map(|at| Stat {
            current_rec: mid(at),
            ..ask.stat.unwrap()
        });
        let error = if at.is_some() { 0 } else { NOT_FOUND };
        AnyResponse::SeekEntries(done(error, RowsFound { stat, rows: None }))
    }

    fn resolve(&self, ask: &ResolveNames) -> Resolved {
        let names = ask.names.as_ref().unwrap().iter();
        let found: Vec<Vec<usize>> = names.map(|name| self.named(&name.to_text())).collect();
        let mids = found.iter().map(|found| match found.len() {
            1 => MId::RESOLVED,
            _ => MId::AMBIGUOUS,
        });
        let only = found.iter().filter(|found| found.len() == 1);
        let only: Vec<MId> = only.map(|found| mid(found[0])).collect();
        Resolved {
            code_page: 1252,
            mids: Some(mids.collect()),
            rows: Some(self.rows(&only, ask.columns.as_deref().unwrap())),
        }
    }

    fn with_dn(&self, name: &str) -> MId {
        let is_it = |person: &Person| dn(person).eq_ignore_ascii_case(name);
        self.people.iter().position(is_it).map_or(MId(0), mid)
    }

    fn props(&self, ask: &GetProps) -> Props {
        let entry = ask.stat.unwrap().current_rec;
        let rows = self.rows(&[entry], ask.tags.as_deref().unwrap());
        let cells = rows.columns.iter().zip(&rows.rows[0].cells);
        let values = cells.map(|(&tag, cell)| match &cell.state {
            CellState::Value(value) => Tagged {
                tag,
                value: value.clone(),
            },
            _ => Tagged {
                tag: PropTag(tag.0 & !0xffff | 0x000a),
                value: Some(PropValue::Error(NOT_FOUND)),
            },
        });
        Props {
            code_page: 1252,
            values: Some(values.collect()),
        }
    }

    fn table(&self, stat: Stat, most: usize) -> (Vec<MId>, Stat) {
        let at = match stat.current_rec {
            // The other list has the last entry only.
            MId::BEGINNING_OF_TABLE if stat.container_id != MId(0) => self.people.len() - 1,
            MId::BEGINNING_OF_TABLE => 0,
            MId::END_OF_TABLE => self.people.len(),
            MId(id) => (id - FIRST) as usize,
        };
        let at = (at + stat.delta as usize).min(self.people.len());
        let end = (at + most).min(self.people.len());
        let current_rec = match end == self.people.len() {
            true => MId::END_OF_TABLE,
            false => mid(end),
        };
        let next = Stat {
            current_rec,
            delta: 0,
            ..stat
        };
        (
            (at..end).map(mid).collect(),
            if self.stands_still { stat } else { next },
        )
    }

    fn matches(&self, restriction: &Restriction, most: u32) -> AnyResponse {
        let Restriction::Property {
            relation: 4,
            tag: columns::ANR,
            value,
        } = restriction
        else {
            panic!("{restriction:?}");
        };
        let wanted = text(&value.value);
        let found = (0..self.people.len())
            .filter(|&at| self.people[at].name.to_lowercase().contains(&wanted));
        let mids: Vec<MId> = found.map(mid).collect();
        let error = if mids.len() > most as usize {
            TABLE_TOO_BIG
        } else {
            0
        };
        let mids = (error == 0).then_some(mids);
        AnyResponse::GetMatches(done(
            error,
            Matches {
                stat: None,
                mids,
                rows: None,
            },
        ))
    }

    fn named(&self, name: &str) -> Vec<usize> {
        let wanted = name.to_lowercase();
        let is_meant = |person: &Person| match wanted.strip_prefix("=smtp:") {
            Some(address) => person.smtp.as_deref() == Some(address),
            None => !wanted.is_empty() && person.name.to_lowercase().starts_with(&wanted),
        };
        (0..self.people.len())
            .filter(|&at| is_meant(&self.people[at]))
            .collect()
    }

    fn rows(&self, mids: &[MId], columns: &[PropTag]) -> Rows {
        let row = |mid: &MId| {
            let person = &self.people[(mid.0 - FIRST) as usize];
            let cells = columns.iter().map(|&tag| Cell {
                kind: tag.0 as u16,
                state: match value(person, tag) {
                    Some(value) => CellState::Value(Some(value)),
                    None => CellState::Missing,
                },
            });
            Row {
                is_flagged: true,
                cells: cells.collect(),
            }
        };
        Rows {
            columns: columns.into(),
            rows: mids.iter().map(row).collect(),
        }
    }
}

fn value(person: &Person, tag: PropTag) -> Option<PropValue> {
    let string = |text: &str| Some(PropValue::String(text.into()));
    match tag {
        columns::DISPLAY_NAME => string(&person.name),
        columns::SMTP_ADDRESS => string(person.smtp.as_deref()?),
        columns::EMAIL_ADDRESS => string(&dn(person)),
        columns::DISPLAY_TYPE => Some(PropValue::I32(0)),
        columns::TITLE => string("Clerk"),
        columns::PROXY_ADDRESSES => {
            let proxy = person.proxy.as_deref()?;
            Some(PropValue::Strings([proxy.into()].into()))
        }
        _ => None,
    }
}

pub(super) fn dn(person: &Person) -> String {
    format!("/o=T/cn={}", person.name)
}

fn mid(at: usize) -> MId {
    MId(FIRST + at as u32)
}

fn list(container: i32, name: &str, dn: &str) -> Vec<Tagged> {
    let id = mapi_wire::entry_id::AddressBookEntryId {
        kind: 0x100,
        dn: dn.as_bytes().into(),
    };
    let id = EntryId::Permanent(id).to_bytes();
    let tagged = |tag, value| Tagged {
        tag,
        value: Some(value),
    };
    vec![
        tagged(columns::ENTRY_ID, PropValue::Binary(id.into())),
        tagged(columns::DEPTH, PropValue::I32(0)),
        tagged(columns::CONTAINER_ID, PropValue::I32(container)),
        tagged(columns::DISPLAY_NAME, PropValue::String(name.into())),
    ]
}

fn text(value: &PropValue) -> String {
    match value {
        PropValue::String(text) => text.to_text().to_lowercase(),
        other => panic!("{other:?}"),
    }
}

fn done<T>(error: u32, body: T) -> Response<T> {
    Response {
        outcome: Outcome::Done { error, body },
        aux: Box::default(),
    }
}

/// As gromox refuses: without cookies, so that the session is lost to the client.
fn refusal(code: u32) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-ResponseCode: {code}\r\nContent-Length: 2\r\n\r\nno")
        .into_bytes()
}

async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer.drain(..end).collect()).unwrap();
    let len = header(&head, "content-length").map_or(0, |len| len.parse().unwrap());
    while buffer.len() < len {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, buffer.drain(..len).collect()))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}
