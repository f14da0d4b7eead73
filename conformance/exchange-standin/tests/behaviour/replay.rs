//! The requests that an independent client once sent to another server, sent to this one: handles and ids are put in
//! the place of those that the other server gave. What fails here and did not fail there is listed with its reason.

use std::{collections::BTreeMap, fs, path::PathBuf};

use exchange_standin::{
    Config, Server, Timing,
    model::draft::{Draft, DraftAttachment},
};
use mapi_types::PropTag;
use mapi_wire::{
    Gid, Globcnt, Id, PropValue, buffer,
    http::{self, Outcome, RequestType, ResponseCode, emsmdb::Execute, framing},
    rop::{self, NO_HANDLE, Request, RequestBuffer, Response, ResponseBuffer, Scope},
    row::PropertyRow,
};

use super::client::Client;

/// Exchanges that end otherwise here, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("SortTable_categorised", "categories are not offered"),
    ("CollapseRow", "categories are not offered"),
    ("GetCollapseState", "categories are not offered"),
    ("ExpandRow", "categories are not offered"),
    (
        "SetReadFlags_clear",
        "marking as unread needs the suppression of receipts",
    ),
    (
        "SynchronizationConfigure_hierarchy",
        "its two flags for Unicode contradict each other",
    ),
];

/// What stands for a handle that was not given here.
const UNKNOWN: u32 = 0x00ff_ffff;

/// A recorded exchange.
struct Recorded {
    name: String,
    request: Vec<u8>,
    response: Vec<u8>,
}

fn recorded() -> Vec<Recorded> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../corpus/mapihttp/main");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".req.bin").map(str::to_owned))
        .collect();
    names.sort();
    let read = |name: &str, kind: &str| {
        fs::read(folder.join(format!("{name}.{kind}.bin"))).unwrap_or_default()
    };
    names
        .into_iter()
        .map(|name| Recorded {
            request: read(&name, "req"),
            response: read(&name, "rsp"),
            name,
        })
        .collect()
}

/// The answer of the other server to a batch.
fn answer_of(
    exchange: &Recorded,
    batch: &RequestBuffer,
    session: &mut rop::Session,
) -> Option<ResponseBuffer> {
    let framed = framing::read(&exchange.response).unwrap();
    let rop_buffer = executed(&framed.body)?;
    let payload = buffer::split(&rop_buffer).ok()?.into_iter().next()?;
    ResponseBuffer::decode(&payload.bytes, batch, session).ok()
}

/// The ROPs of a request.
fn batch_of(exchange: &Recorded, session: &rop::Session) -> (Execute, RequestBuffer) {
    let (execute, _) = http::decode_request::<Execute>(&exchange.request).unwrap();
    let payload = buffer::split(&execute.rop_buffer).unwrap().remove(0);
    let batch = RequestBuffer::decode(&payload.bytes, session).unwrap();
    (execute, batch)
}

/// The subjects of the messages that were in the Inbox then, the newest first: the first rows with subjects.
fn subjects(exchanges: &[Recorded]) -> Vec<String> {
    let mut session = rop::Session::default();
    for exchange in exchanges
        .iter()
        .filter(|exchange| exchange.name.contains("-Execute"))
    {
        let (_, batch) = batch_of(exchange, &session);
        let answer = answer_of(exchange, &batch, &mut session);
        if !exchange.name.ends_with("Execute-QueryRows") {
            continue;
        }
        let rows = answer
            .iter()
            .flat_map(|answer| &answer.responses)
            .find_map(|response| match response {
                Response::QueryRows(got) => Some(&got.rows),
                _ => None,
            });
        // Folder, message, subject are the first columns.
        let subject = |row: &PropertyRow| match row.value(2) {
            Some(PropValue::String(text)) => text.to_text(),
            other => panic!("{other:?}"),
        };
        return rows.unwrap().iter().map(subject).collect();
    }
    Vec::new()
}

/// Puts such messages into the Inbox.
fn seed(server: &Server, subjects: &[String]) {
    let file = |name: &str| DraftAttachment {
        name: name.into(),
        media_type: "application/octet-stream".into(),
        data: vec![7; 10_000],
    };
    let alice = server.mailbox("alice");
    for (place, subject) in subjects.iter().rev().enumerate() {
        let has = |word: &str| subject.contains(word);
        let draft = Draft {
            html: Some("<p>html</p>".into()),
            received: Some(134_000_000_000_000_000 + place as u64 * 10_000_000),
            attachments: if has("attach") || has("image") {
                vec![file("a"), file("b")]
            } else {
                vec![]
            },
            embedded: if has("forwarded") {
                vec![Draft::about("inside").text("within")]
            } else {
                vec![]
            },
            ..Draft::about(subject)
                .from("bob@example.test")
                .to("alice@example.test")
        };
        alice
            .deliver(draft.text(&"long ".repeat(if has("big") { 44_000 } else { 1 })))
            .unwrap();
    }
}

/// What stands here for what the other server gave.
#[derive(Default)]
struct Places {
    handles: BTreeMap<u32, u32>,
    ids: BTreeMap<Id, Id>,
    replica: Option<(mapi_wire::Guid, mapi_wire::Guid)>,
    reserved: Option<(u64, u64)>,
    columns: Vec<PropTag>,
    bookmarks: BTreeMap<Box<[u8]>, Box<[u8]>>,
}

impl Places {
    fn handle(&self, handle: u32) -> u32 {
        match handle {
            NO_HANDLE => NO_HANDLE,
            handle => self.handles.get(&handle).copied().unwrap_or(UNKNOWN),
        }
    }

    fn id(&self, id: &mut Id) {
        *id = self.ids.get(id).copied().unwrap_or(*id);
    }

    fn gid(&self, gid: &mut Gid) {
        let Some((theirs, ours)) = self.replica else {
            return;
        };
        if gid.replguid != theirs {
            return;
        }
        gid.replguid = ours;
        let counter = gid.globcnt.to_u64();
        let id = Id {
            replid: 1,
            globcnt: gid.globcnt,
        };
        match (self.ids.get(&id), self.reserved) {
            (Some(ours), _) => gid.globcnt = ours.globcnt,
            (None, Some((theirs, ours))) if counter >= theirs => {
                gid.globcnt = Globcnt::from_u64(counter - theirs + ours);
            }
            _ => {}
        }
    }

    fn key(&self, key: &mut Box<[u8]>) {
        if let Some(mut gid) = Gid::from_bytes(key) {
            self.gid(&mut gid);
            *key = gid.to_bytes().into();
        }
    }

    fn bookmark(&self, bookmark: &mut Box<[u8]>) {
        if let Some(ours) = self.bookmarks.get(bookmark) {
            bookmark.clone_from(ours);
        }
    }

    fn value(&self, value: &mut PropValue) {
        match value {
            PropValue::Binary(key) => self.key(key),
            PropValue::Binaries(keys) => keys.iter_mut().for_each(|key| self.key(key)),
            _ => {}
        }
    }

    /// Puts our ids into a request.
    fn request(&self, request: &mut Request, dn: &str) {
        match request {
            Request::Logon(ask) => ask.essdn = format!("{dn}\0").into_bytes().into(),
            Request::OpenFolder(ask) => self.id(&mut ask.folder_id),
            Request::DeleteFolder(ask) => self.id(&mut ask.folder_id),
            Request::MoveFolder(ask) => self.id(&mut ask.folder_id),
            Request::CopyFolder(ask) => self.id(&mut ask.folder_id),
            Request::CreateMessage(ask) => self.id(&mut ask.folder_id),
            Request::LongTermIdFromId(ask) => self.id(&mut ask.object_id),
            Request::IdFromLongTermId(ask) => self.gid(&mut ask.long_term_id),
            Request::OpenMessage(ask) => {
                self.id(&mut ask.folder_id);
                self.id(&mut ask.message_id);
            }
            Request::MoveCopyMessages(ask) => ask.message_ids.iter_mut().for_each(|id| self.id(id)),
            Request::DeleteMessages(ask) => ask.message_ids.iter_mut().for_each(|id| self.id(id)),
            Request::HardDeleteMessages(ask) => {
                ask.message_ids.iter_mut().for_each(|id| self.id(id))
            }
            Request::SetReadFlags(ask) => ask.message_ids.iter_mut().for_each(|id| self.id(id)),
            Request::FastTransferSourceCopyMessages(ask) => {
                ask.message_ids.iter_mut().for_each(|id| self.id(id));
            }
            Request::SetMessageStatus(ask) => self.id(&mut ask.message_id),
            Request::GetMessageStatus(ask) => self.id(&mut ask.message_id),
            Request::SetSearchCriteria(ask) => ask.folder_ids.iter_mut().for_each(|id| self.id(id)),
            Request::RegisterNotification(ask) => {
                if let Scope::Object {
                    folder_id,
                    message_id,
                } = &mut ask.scope
                {
                    self.id(folder_id);
                    self.id(message_id);
                }
            }
            Request::SeekRowBookmark(ask) => self.bookmark(&mut ask.bookmark),
            Request::FreeBookmark(ask) => self.bookmark(&mut ask.bookmark),
            _ => self.upload(request),
        }
    }

    /// Puts our ids into an upload of changes.
    fn upload(&self, request: &mut Request) {
        match request {
            Request::SynchronizationImportMessageChange(ask) => {
                ask.property_values
                    .iter_mut()
                    .take(1)
                    .for_each(|value| self.value(&mut value.value));
            }
            Request::SynchronizationImportHierarchyChange(ask) => {
                ask.hierarchy_values
                    .iter_mut()
                    .take(2)
                    .for_each(|value| self.value(&mut value.value));
            }
            Request::SynchronizationImportDeletes(ask) => {
                ask.property_values
                    .iter_mut()
                    .for_each(|value| self.value(&mut value.value));
            }
            Request::SynchronizationImportMessageMove(ask) => {
                self.key(&mut ask.source_folder_id);
                self.key(&mut ask.source_message_id);
                self.key(&mut ask.destination_message_id);
            }
            Request::SynchronizationImportReadStateChanges(ask) => {
                ask.message_read_states
                    .iter_mut()
                    .for_each(|state| self.key(&mut state.message_id));
            }
            _ => {}
        }
    }

    /// Learns which handles both answers gave.
    fn opened(&mut self, theirs: &[u32], ours: &[u32]) {
        let given = theirs.iter().zip(ours);
        let given = given.filter(|(_, ours)| **ours != NO_HANDLE);
        self.handles
            .extend(given.map(|(theirs, ours)| (*theirs, *ours)));
    }

    /// Learns from both answers to a request.
    fn learn(&mut self, request: &Request, theirs: &Response, ours: &Response) {
        if let Request::SetColumns(ask) = request {
            self.columns.clone_from(&ask.property_tags);
        }
        match (theirs, ours) {
            (Response::Logon(theirs), Response::Logon(ours)) => {
                self.ids
                    .extend(theirs.folder_ids.into_iter().zip(ours.folder_ids));
                if let (rop::Store::Private(theirs), rop::Store::Private(ours)) =
                    (&theirs.store, &ours.store)
                {
                    self.replica = Some((theirs.replguid, ours.replguid));
                }
            }
            (Response::CreateFolder(theirs), Response::CreateFolder(ours)) => {
                self.ids.insert(theirs.folder_id, ours.folder_id);
            }
            (Response::SaveChangesMessage(theirs), Response::SaveChangesMessage(ours)) => {
                self.ids.insert(theirs.message_id, ours.message_id);
            }
            (Response::LongTermIdFromId(theirs), Response::LongTermIdFromId(ours)) => {
                // The other server has two GUIDs for one replica; this is the one in its ids.
                self.replica = Some((theirs.long_term_id.replguid, ours.long_term_id.replguid));
            }
            (Response::CreateBookmark(theirs), Response::CreateBookmark(ours)) => {
                self.bookmarks
                    .insert(theirs.bookmark.clone(), ours.bookmark.clone());
            }
            (Response::GetLocalReplicaIds(theirs), Response::GetLocalReplicaIds(ours)) => {
                self.reserved = Some((theirs.global_count.to_u64(), ours.global_count.to_u64()));
            }
            (Response::QueryRows(theirs), Response::QueryRows(ours)) => {
                for row in &theirs.rows {
                    let ours = ours
                        .rows
                        .iter()
                        .find(|our| self.name(our) == self.name(row));
                    if let Some((theirs, ours)) =
                        self.id_of(row).zip(ours.and_then(|row| self.id_of(row)))
                    {
                        self.ids.insert(theirs, ours);
                    }
                }
            }
            _ => {}
        }
    }

    fn column<'r>(&self, row: &'r PropertyRow, tag: u32) -> Option<&'r PropValue> {
        row.value(self.columns.iter().position(|column| column.0 == tag)?)
    }

    fn name<'r>(&self, row: &'r PropertyRow) -> Option<&'r PropValue> {
        self.column(row, 0x0037_001f)
            .or_else(|| self.column(row, 0x3001_001f))
    }

    fn id_of(&self, row: &PropertyRow) -> Option<Id> {
        let id = self
            .column(row, 0x674a_0014)
            .or_else(|| self.column(row, 0x6748_0014));
        match id? {
            PropValue::I64(id) => Some(Id::from_u64(*id as u64)),
            _ => None,
        }
    }
}

fn executed(body: &[u8]) -> Option<Box<[u8]>> {
    match http::decode_response::<Execute>(body).ok()?.outcome {
        Outcome::Done { error: 0, body } => Some(body.rop_buffer),
        _ => None,
    }
}

fn code(response: &Response) -> u32 {
    match response {
        Response::Failed(failed) => failed.code,
        _ => 0,
    }
}

#[test]
fn what_another_client_sent_to_another_server_is_answered_here() {
    let timing = Timing {
        notification_wait_ms: 1,
        ..Timing::default()
    };
    let server = Server::start(Config {
        timing,
        ..Config::default()
    })
    .unwrap();
    let exchanges = recorded();
    seed(&server, &subjects(&exchanges));
    let mut client = Client::new(&server, "alice");
    let dn = client.dn.clone();
    let mut places = Places::default();
    let mut their_session = rop::Session::default();
    let mut different = Vec::new();
    let mut same = 0;
    for exchange in &exchanges {
        let name = &exchange.name;
        if name.contains("-emsmdb-Connect") {
            assert_eq!(client.connect(), Ok(0));
            continue;
        }
        if !name.contains("-emsmdb-Execute") {
            continue;
        }
        let (execute, theirs) = batch_of(exchange, &their_session);
        let their_answer = answer_of(exchange, &theirs, &mut their_session);
        let mut ours = theirs.clone();
        ours.requests
            .iter_mut()
            .for_each(|request| places.request(request, &dn));
        ours.handles
            .iter_mut()
            .for_each(|handle| *handle = places.handle(*handle));
        let body = Client::execute_body(&ours, execute.flags, execute.rop_out_max);
        let answer = client.call(RequestType::Execute, &body).unwrap();
        assert_eq!(answer.code(), ResponseCode::SUCCESS, "{name}");
        let our_answer = client.answers(&ours, &answer).unwrap().remove(0);
        let Some(their_answer) = their_answer else {
            continue;
        };
        places.opened(&their_answer.handles, &our_answer.handles);
        let asked = theirs
            .requests
            .iter()
            .filter(|request| !matches!(request, Request::Release(_)));
        // What hangs on something that failed here says nothing more.
        let orphan = ours.handles.contains(&UNKNOWN);
        let pairs = their_answer.responses.iter().zip(&our_answer.responses);
        for (request, (theirs, ours)) in asked.zip(pairs) {
            places.learn(request, theirs, ours);
            match (code(theirs) == 0) == (code(ours) == 0) {
                true => same += 1,
                false if orphan => {}
                false => different.push(format!(
                    "{name}: {:#x} there, {:#x} here",
                    code(theirs),
                    code(ours)
                )),
            }
        }
    }
    let unexpected: Vec<_> = different
        .iter()
        .filter(|line| !OTHERWISE.iter().any(|(name, _)| line.contains(name)))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert!(same > 300, "{same}");
}
