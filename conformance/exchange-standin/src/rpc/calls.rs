//! Calls: put together, carried out as requests of MAPI over HTTP, and answered. Source: MS-OXCRPC 3.1.4, 3.3.4.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::Arc,
    time::Duration,
};

use mapi_wire::{
    Guid,
    http::{
        Endpoint, Numbered, Outcome, Request as Ask, RequestType, ResponseCode,
        cookies::Cookies,
        decode_response,
        emsmdb::{Connect, Disconnect, Execute, NotificationWait},
        encode_request, header,
    },
    rop,
    rpc::{
        Bind, BindAck, Body, ContextHandle, ContextResult, Fault, Pdu, Request, Response, Stub,
        Syntax,
        emsmdb::{
            AsyncWaitRequest, AsyncWaitResponse, ConnectExRequest, ConnectExResponse,
            HandleRequest, HandleResponse, RpcExt2Request, RpcExt2Response,
        },
        fragments::{STUB_BYTES_MAX, fragments},
        interfaces::{ASYNC_EMSMDB, EMSMDB, NDR, opnums},
        pdu::{FRAGMENT_BYTES, flags},
    },
};
use tokio::time::{Instant, sleep, timeout};

use super::{virtual_connection::Virtual, wrong};
use crate::{
    emsmdb,
    faults::{Seen, What},
    http::request::Head,
    mapi_http::{self, Answer, Done, Wait},
    state::Shared,
};

/// Statuses of faults. Source: C706 appendix N.
mod status {
    pub(super) const ACCESS_DENIED: u32 = 5;
    pub(super) const TOO_BUSY: u32 = 0x6bb;
    pub(super) const BAD_STUB: u32 = 0x6f7;
    pub(super) const CONTEXT_MISMATCH: u32 = 0x1c00_001a;
    pub(super) const UNKNOWN_CALL: u32 = 0x1c01_0002;
    pub(super) const UNKNOWN_INTERFACE: u32 = 0x1c01_0003;
}

/// Connections that share sessions. These end with the last of them.
#[derive(Default)]
pub(super) struct Group {
    connections: HashSet<Guid>,
    sessions: HashMap<Guid, Session>,
    /// What clients wait with, and for which session.
    waiting: HashMap<Guid, Guid>,
    handles: u64,
}

/// A session, as MAPI over HTTP knows it.
#[derive(Clone)]
struct Session {
    cookies: Cookies,
    guid: Guid,
    requests: u64,
}

/// The calls of one channel.
pub(super) struct Calls {
    shared: Arc<Shared>,
    known: Arc<Virtual>,
    /// The call whose parts are arriving.
    begun: Option<Begun>,
}

struct Begun {
    call_id: u32,
    context_id: u16,
    opnum: u16,
    stub: Vec<u8>,
}

/// What comes of a call: a stub, or the status of a fault; or an answer that comes later.
enum Came {
    Stub(Vec<u8>),
    Fault(u32),
    Wait(Wait),
}

/// A virtual connection has ended: sessions that no other one can use end with it.
pub(super) fn leave(shared: &Shared, connection: Guid) {
    let mut ended = Vec::new();
    let mut known = shared.rpc.lock();
    let gone = known.virtuals.remove(&connection);
    let group = gone.map(|gone| gone.lock().group).unwrap_or_default();
    if let Some(of) = known.groups.get_mut(&group) {
        of.connections.remove(&connection);
        if of.connections.is_empty() {
            ended.extend(of.sessions.drain().map(|(_, session)| session));
            known.groups.remove(&group);
        }
    }
    drop(known);
    for session in ended {
        let mut state = shared.lock();
        let users: Vec<String> = state.organisation.users.keys().cloned().collect();
        for user in users {
            if let Ok(id) = state.mail.find(&session.cookies, &user)
                && let Some(session) = state.mail.end(id)
            {
                session.bell.notify_one();
            }
        }
    }
}

impl Calls {
    pub(super) fn new(shared: Arc<Shared>, known: Arc<Virtual>) -> Self {
        Self {
            shared,
            known,
            begun: None,
        }
    }

    /// The octets after which a call is to be cut, if it is.
    pub(super) fn cut_after(&self, context: u16, opnum: u16) -> Option<u64> {
        let name = self.name(context, opnum);
        let seen = Seen {
            user: Some(&self.known.user),
            request: name,
            rops: &[],
        };
        self.shared.lock().faults.cut_request_after(&seen)
    }

    /// A call was cut.
    pub(super) fn cut(&self, context: u16, opnum: u16) {
        let name = self.name(context, opnum);
        let seen = Seen {
            user: Some(&self.known.user),
            request: name,
            rops: &[],
        };
        self.shared.lock().faults.cut(&seen);
    }

    fn interface(&self, context: u16) -> Option<Syntax> {
        let inner = self.known.lock();
        let mut bound = inner.bound.iter();
        bound
            .find(|(id, _)| *id == context)
            .map(|(_, interface)| *interface)
    }

    /// What a call is called over MAPI/HTTP.
    fn name(&self, context: u16, opnum: u16) -> Option<&'static str> {
        let kind = match (self.interface(context)?, opnum) {
            (EMSMDB, opnums::CONNECT_EX) => RequestType::Connect,
            (EMSMDB, opnums::RPC_EXT2) => RequestType::Execute,
            (EMSMDB, opnums::DISCONNECT) => RequestType::Disconnect,
            (ASYNC_EMSMDB, opnums::ASYNC_WAIT_EX) => RequestType::NotificationWait,
            _ => return None,
        };
        Some(kind.name())
    }

    /// Takes a packet that is not one of control.
    pub(super) async fn take(&mut self, pdu: Pdu) -> io::Result<()> {
        let is_first = pdu.flags & flags::FIRST != 0;
        let is_last = pdu.flags & flags::LAST != 0;
        match pdu.body {
            Body::Bind(bind) | Body::AlterContext(bind) if !is_first || !is_last => {
                Err(wrong(format!("a bind in parts: {bind:?}")))
            }
            Body::Bind(bind) => self.bind(pdu.call_id, &bind, Body::BindAck),
            Body::AlterContext(bind) => self.bind(pdu.call_id, &bind, Body::AlterContextResponse),
            Body::Request(part) => {
                self.assemble(pdu.call_id, part, is_first)?;
                match is_last {
                    true => self.carry_out().await,
                    false => Ok(()),
                }
            }
            other => Err(wrong(format!(
                "a packet that clients do not send: {other:?}"
            ))),
        }
    }

    fn bind(&self, call_id: u32, bind: &Bind, answer: fn(BindAck) -> Body) -> io::Result<()> {
        let [context] = &*bind.contexts else {
            return Err(wrong("not one interface"));
        };
        let is_known = [EMSMDB, ASYNC_EMSMDB].contains(&context.interface);
        let may = is_known && context.transfer.contains(&NDR);
        let group = self.join(bind.association_group)?;
        self.known.change(|inner| {
            inner.group = group;
            if may {
                inner.bound.push((context.id, context.interface));
            }
        });
        let ack = BindAck {
            xmit_fragment_max: FRAGMENT_BYTES.min(bind.receive_fragment_max),
            receive_fragment_max: FRAGMENT_BYTES,
            association_group: group,
            secondary_address: b"6001\0".as_slice().into(),
            results: vec![ContextResult {
                result: if may { 0 } else { 2 },
                reason: if may { 0 } else { 1 },
                transfer: NDR,
            }],
        };
        self.send(vec![Pdu::whole(call_id, answer(ack), None).encode()], None);
        Ok(())
    }

    /// Joins a group, or founds one.
    fn join(&self, wanted: u32) -> io::Result<u32> {
        let mut known = self.shared.rpc.lock();
        let of = |(connection, one): (&Guid, &Arc<Virtual>)| {
            Arc::ptr_eq(one, &self.known).then_some(*connection)
        };
        let Some(connection) = known.virtuals.iter().find_map(of) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let group = match wanted {
            0 => {
                known.last_group += 1;
                known.last_group
            }
            wanted if known.groups.contains_key(&wanted) => wanted,
            _ => return Err(wrong("a group of connections that there is not")),
        };
        let of = known.groups.entry(group).or_default();
        of.connections.insert(connection);
        Ok(group)
    }

    fn assemble(&mut self, call_id: u32, part: Request, is_first: bool) -> io::Result<()> {
        match (&mut self.begun, is_first) {
            (None, true) => {
                self.begun = Some(Begun {
                    call_id,
                    context_id: part.context_id,
                    opnum: part.opnum,
                    stub: part.stub.into(),
                });
                Ok(())
            }
            (Some(begun), false) if begun.call_id == call_id => {
                begun.stub.extend_from_slice(&part.stub);
                match begun.stub.len() <= STUB_BYTES_MAX {
                    true => Ok(()),
                    false => Err(wrong("a call without end")),
                }
            }
            _ => Err(wrong("a call within another")),
        }
    }

    async fn carry_out(&mut self) -> io::Result<()> {
        let Some(call) = self.begun.take() else {
            return Err(wrong("the end of no call"));
        };
        let name = self.name(call.context_id, call.opnum);
        let rops = rops_of(&call.stub);
        let (early, late, cut_after) = self.faults(name, &rops);
        let outcome = match early {
            Some(status) => Came::Fault(status),
            None => self.outcome(&call, &rops),
        };
        sleep(late).await;
        let (call_id, context_id) = (call.call_id, call.context_id);
        match outcome {
            Came::Stub(stub) => self.send(answered(call_id, context_id, &stub), cut_after),
            Came::Fault(status) => self.send(vec![fault(call_id, context_id, status)], None),
            Came::Wait(wait) => {
                let (shared, known) = (Arc::clone(&self.shared), Arc::clone(&self.known));
                tokio::spawn(async move {
                    let stub = waited(&shared, &known, wait).await.encode();
                    let packets = answered(call_id, context_id, &stub);
                    known.change(|inner| inner.answer(packets, cut_after));
                });
            }
        }
        Ok(())
    }

    /// What is to go wrong with a call: the status of a fault instead of it, how late its answer comes, and after how
    /// many octets of that the connection is cut.
    fn faults(
        &self,
        name: Option<&str>,
        rops: &[&'static str],
    ) -> (Option<u32>, Duration, Option<u64>) {
        let mut state = self.shared.lock();
        let counters = &mut state.counters;
        counters.requests += 1;
        if let Some(name) = name {
            *counters.by_type.entry(name.to_owned()).or_default() += 1;
        }
        let seen = Seen {
            user: Some(&self.known.user),
            request: name,
            rops,
        };
        let faults = &mut state.faults;
        let early = |what: &What| matches!(what, What::Unavailable { .. } | What::ResponseCode(_));
        let early = match faults.take(&seen, early) {
            Some(What::ResponseCode(code)) => Some(of_code(ResponseCode(code))),
            Some(_) => Some(status::TOO_BUSY),
            None => None,
        };
        let late = match faults.take(&seen, |what| matches!(what, What::Delay { .. })) {
            Some(What::Delay { ms }) => Duration::from_millis(ms),
            _ => Duration::ZERO,
        };
        let cut = match faults.take(&seen, |what| matches!(what, What::CutResponse { .. })) {
            Some(What::CutResponse { after }) => Some(after),
            _ => None,
        };
        (early, late, cut)
    }

    fn send(&self, packets: Vec<Vec<u8>>, cut_after: Option<u64>) {
        self.known.change(|inner| inner.answer(packets, cut_after));
    }

    fn outcome(&self, call: &Begun, rops: &[&'static str]) -> Came {
        let Some(interface) = self.interface(call.context_id) else {
            return Came::Fault(status::UNKNOWN_INTERFACE);
        };
        let stub = &*call.stub;
        let outcome = match (interface, call.opnum) {
            (EMSMDB, opnums::CONNECT_EX) => self.connect(stub),
            (EMSMDB, opnums::RPC_EXT2) => self.execute(stub, rops),
            (EMSMDB, opnums::DISCONNECT) => self.disconnect(stub),
            (EMSMDB, opnums::ASYNC_CONNECT_EX) => self.async_connect(stub),
            (ASYNC_EMSMDB, opnums::ASYNC_WAIT_EX) => self.async_wait(stub),
            _ => Err(status::UNKNOWN_CALL),
        };
        outcome.unwrap_or_else(Came::Fault)
    }

    fn connect(&self, stub: &[u8]) -> Result<Came, u32> {
        let ask = read::<ConnectExRequest>(stub)?;
        if ask.limit != 0 || ask.icxr_link != ConnectExRequest::NO_LINK {
            return Err(status::BAD_STUB);
        }
        let mut session = Session {
            cookies: Cookies::default(),
            guid: self.made(),
            requests: 0,
        };
        let connect = Connect {
            user_dn: ask.user_dn,
            flags: ask.flags,
            default_code_page: ask.code_page,
            lcid_sort: ask.lcid_sort,
            lcid_string: ask.lcid_string,
        };
        let (error, connected) = self.done(&mut session, &connect, &[])?;
        let connected = connected.ok_or(status::BAD_STUB)?;
        let handle = match error {
            0 => ContextHandle {
                attributes: 0,
                id: session.guid,
            },
            _ => ContextHandle::default(),
        };
        if error == 0 {
            self.of_group(|group| group.sessions.insert(handle.id, session));
        }
        let name = connected.display_name.to_text();
        let response = ConnectExResponse {
            handle,
            polls_max: connected.polls_max,
            retry_count: connected.retry_count,
            retry_delay: connected.retry_delay,
            icxr: 1,
            dn_prefix: Some(connected.dn_prefix),
            display_name: Some(name.as_str().into()),
            server_version: [15 << 8 | 2, 0x8000 | 1118, 7],
            best_version: ask.client_version,
            timestamp: 1,
            aux_out: Box::default(),
            result: error,
        };
        Ok(Came::Stub(response.encode()))
    }

    fn execute(&self, stub: &[u8], rops: &[&'static str]) -> Result<Came, u32> {
        let ask = read::<RpcExt2Request>(stub)?;
        let execute = Execute {
            flags: ask.flags,
            rop_buffer: ask.rgb_in,
            rop_out_max: ask.rgb_out_max,
        };
        let mut session = self.session(ask.handle.id)?;
        let (error, executed) = self.done(&mut session, &execute, rops)?;
        self.of_group(|group| group.sessions.insert(ask.handle.id, session));
        let response = RpcExt2Response {
            handle: ask.handle,
            flags: 0,
            rgb_out: executed
                .map(|executed| executed.rop_buffer)
                .unwrap_or_default(),
            aux_out: Box::default(),
            trans_time: 1,
            result: error,
        };
        Ok(Came::Stub(response.encode()))
    }

    fn disconnect(&self, stub: &[u8]) -> Result<Came, u32> {
        let ask = read::<HandleRequest>(stub)?;
        let mut session = self.session(ask.handle.id)?;
        let (result, _) = self.done(&mut session, &Disconnect, &[])?;
        self.of_group(|group| group.sessions.remove(&ask.handle.id));
        let handle = ContextHandle::default();
        Ok(Came::Stub(HandleResponse { handle, result }.encode()))
    }

    fn async_connect(&self, stub: &[u8]) -> Result<Came, u32> {
        let ask = read::<HandleRequest>(stub)?;
        self.session(ask.handle.id)?;
        let id = self.made();
        self.of_group(|group| group.waiting.insert(id, ask.handle.id));
        let handle = ContextHandle { attributes: 0, id };
        let result = 0;
        Ok(Came::Stub(HandleResponse { handle, result }.encode()))
    }

    fn async_wait(&self, stub: &[u8]) -> Result<Came, u32> {
        let ask = read::<AsyncWaitRequest>(stub)?;
        let of = self.of_group(|group| group.waiting.get(&ask.handle.id).copied());
        let of = of.flatten().ok_or(status::CONTEXT_MISMATCH)?;
        let mut session = self.session(of)?;
        let wait = NotificationWait { flags: 0 };
        let answer = self.answer(&mut session, &wait, &[])?;
        self.of_group(|group| group.sessions.insert(of, session));
        match answer {
            Answer::Wait(wait) => Ok(Came::Wait(wait)),
            _ => Err(status::BAD_STUB),
        }
    }

    /// Has a request carried out that is answered at once.
    fn done<C: Ask>(
        &self,
        session: &mut Session,
        ask: &C,
        rops: &[&'static str],
    ) -> Result<(u32, Option<C::Response>), u32> {
        let Answer::Done(Done { body, context, .. }) = self.answer(session, ask, rops)? else {
            return Err(status::BAD_STUB);
        };
        if let Some((endpoint, id)) = context {
            mapi_http::leave(&mut self.shared.lock(), endpoint, id);
        }
        let response = decode_response::<C>(&body).map_err(|_| status::BAD_STUB)?;
        Ok(match response.outcome {
            Outcome::Done { error, body } => (error, Some(body)),
            Outcome::Failed(error) | Outcome::Refused(error) => (error, None),
        })
    }

    fn answer<C: Ask>(
        &self,
        session: &mut Session,
        ask: &C,
        rops: &[&'static str],
    ) -> Result<Answer, u32> {
        session.requests += 1;
        let numbered = Numbered {
            guid: session.guid,
            number: session.requests,
        };
        let fields = [
            (header::CONTENT_TYPE, header::MAPI_HTTP.to_owned()),
            (header::REQUEST_TYPE, C::TYPE.name().to_owned()),
            (header::REQUEST_ID, numbered.to_string()),
            (header::CLIENT_INFO, numbered.to_string()),
            (header::CLIENT_APPLICATION, "Outlook/16.0.0.0".to_owned()),
            (
                header::COOKIE,
                session.cookies.to_header().unwrap_or_default(),
            ),
        ];
        let fields = fields.into_iter();
        let fields = fields
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value));
        let head = Head::made("POST", fields.collect());
        let asked = mapi_http::asked(&head, Endpoint::Mailbox, &self.known.user, 0);
        let answer = asked.and_then(|asked| {
            emsmdb::answer(&self.shared, &asked, &encode_request(ask, &[]), rops)
        });
        let answer = answer.map_err(of_code)?;
        if let Answer::Done(Done { fields, .. }) = &answer {
            for (name, value) in fields {
                if *name == header::SET_COOKIE {
                    session.cookies.store(value);
                }
            }
        }
        Ok(answer)
    }

    fn session(&self, id: Guid) -> Result<Session, u32> {
        let session = self.of_group(|group| group.sessions.get(&id).cloned());
        session.flatten().ok_or(status::CONTEXT_MISMATCH)
    }

    fn of_group<T>(&self, with: impl FnOnce(&mut Group) -> T) -> Option<T> {
        let group = self.known.lock().group;
        self.shared.rpc.lock().groups.get_mut(&group).map(with)
    }

    /// A GUID that this server has not given out yet.
    fn made(&self) -> Guid {
        let group = self.known.lock().group;
        let number = self.of_group(|group| {
            group.handles += 1;
            group.handles
        });
        let mut octets = [0x5c; 16];
        for (octet, value) in octets.iter_mut().zip(
            group
                .to_le_bytes()
                .into_iter()
                .chain(number.unwrap_or_default().to_le_bytes()),
        ) {
            *octet = value;
        }
        Guid(octets)
    }
}

fn read<T: Stub>(stub: &[u8]) -> Result<T, u32> {
    T::decode(stub).map_err(|_| status::BAD_STUB)
}

/// What a refusal of MAPI over HTTP is over RPC.
fn of_code(code: ResponseCode) -> u32 {
    match code {
        ResponseCode::CONTEXT_NOT_FOUND
        | ResponseCode::MISSING_COOKIE
        | ResponseCode::INVALID_CONTEXT_COOKIE => status::CONTEXT_MISMATCH,
        ResponseCode::ENDPOINT_DISABLED | ResponseCode::ANONYMOUS_NOT_ALLOWED => {
            status::ACCESS_DENIED
        }
        ResponseCode::ENDPOINT_SHUTTING_DOWN => status::TOO_BUSY,
        _ => status::BAD_STUB,
    }
}

/// The names of the ROPs of a call, as far as they can be read without its session.
fn rops_of(stub: &[u8]) -> Vec<&'static str> {
    let Ok(ask) = RpcExt2Request::decode(stub) else {
        return Vec::new();
    };
    let payloads = mapi_wire::buffer::split(&ask.rgb_in).unwrap_or_default();
    let batch = payloads
        .first()
        .and_then(|first| rop::RequestBuffer::decode(&first.bytes, &rop::Session::default()).ok());
    let requests = batch.into_iter().flat_map(|batch| batch.requests);
    requests
        .filter_map(|request| rop::name(request.rop_id()))
        .collect()
}

fn answered(call_id: u32, context_id: u16, stub: &[u8]) -> Vec<Vec<u8>> {
    let parts = fragments(stub, FRAGMENT_BYTES, 0).into_iter();
    let packet = |(flags, part): (u8, &[u8])| {
        let response = Response {
            alloc_hint: part.len() as u32,
            context_id,
            cancel_count: 0,
            stub: part.into(),
        };
        let body = Body::Response(response);
        Pdu {
            flags,
            call_id,
            body,
            auth: None,
        }
        .encode()
    };
    parts.map(packet).collect()
}

fn fault(call_id: u32, context_id: u16, status: u32) -> Vec<u8> {
    let fault = Fault {
        alloc_hint: 0,
        context_id,
        cancel_count: 0,
        status,
        rest: [0; 4].into(),
    };
    let mut pdu = Pdu::whole(call_id, Body::Fault(fault), None);
    pdu.flags |= flags::DID_NOT_EXECUTE;
    pdu.encode()
}

/// Waits for something to happen, at most as long as the server waits.
async fn waited(shared: &Shared, known: &Virtual, wait: Wait) -> AsyncWaitResponse {
    const GONE: u32 = 0x8004_0115;
    let timing = &shared.config.timing;
    let until = Instant::now() + Duration::from_millis(timing.notification_wait_ms);
    loop {
        let pending = {
            let mut state = shared.lock();
            state.mail.leave(wait.context);
            state
                .mail
                .get_mut(wait.context)
                .map(|context| !context.session.notifications.is_empty())
        };
        let left = until.saturating_duration_since(Instant::now());
        let (flags, result) = match pending {
            None => (0, GONE),
            Some(pending) if pending || left.is_zero() => (pending.into(), 0),
            Some(_) if known.lock().has_ended => (0, 0),
            Some(_) => {
                let ended = known.until(|inner| inner.has_ended.then_some(()));
                tokio::select! {
                    _ = timeout(left, wait.bell.notified()) => {}
                    () = ended => {}
                }
                continue;
            }
        };
        return AsyncWaitResponse { flags, result };
    }
}
