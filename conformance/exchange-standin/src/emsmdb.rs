//! The mailbox endpoint. Source: MS-OXCMAPIHTTP 2.2.4, 3.2.5.

use std::sync::Arc;

use mapi_wire::http::{
    Endpoint, RequestType, ResponseCode,
    aux::{self, Block, ServerCapabilities},
    decode_request,
    emsmdb::{CONNECT_ADMIN, Connect, Connected, Disconnect, Execute, Executed, NotificationWait},
};

use crate::{
    faults::{Seen, What},
    mapi_http::{self, Answer, Asked, Done, Wait},
    model::{error::Code, organisation::Organisation, user::User},
    rop::execute::Engine,
    session::{Session, Turn},
    state::{Shared, State},
};

/// How often a client shall try again when the server is busy.
const RETRY_COUNT: u32 = 6;

/// Milliseconds between such tries.
const RETRY_DELAY_MS: u32 = 10_000;

/// Milliseconds between polls for notifications.
const POLLS_MAX_MS: u32 = 60_000;

/// Answers a request.
pub(crate) fn answer(
    shared: &Arc<Shared>,
    asked: &Asked,
    body: &[u8],
    rops: &[&'static str],
) -> Result<Answer, ResponseCode> {
    match asked.head.request_type {
        RequestType::Connect => connect(shared, asked, body),
        RequestType::Execute => execute(shared, asked, body, rops),
        RequestType::Disconnect => disconnect(shared, asked, body),
        RequestType::NotificationWait => notification_wait(shared, asked, body),
        RequestType::Ping => ping(shared, asked),
        _ => Err(ResponseCode::INVALID_REQUEST_TYPE),
    }
}

fn read<T: mapi_wire::http::Request>(body: &[u8]) -> Result<T, ResponseCode> {
    decode_request::<T>(body)
        .map(|(ask, _)| ask)
        .map_err(|_| ResponseCode::INVALID_REQUEST_BODY)
}

/// Begins a session context. One that the cookies name ends. Source: MS-OXCMAPIHTTP 3.1.7.2.
fn connect(shared: &Arc<Shared>, asked: &Asked, body: &[u8]) -> Result<Answer, ResponseCode> {
    let ask: Connect = read(body)?;
    let mut state = shared.lock();
    if let Ok(old) = state.mail.find(&asked.head.cookies, &asked.user)
        && let Some(session) = state.mail.end(old)
    {
        session.bell.notify_one();
    }
    let user = state
        .organisation
        .user(&asked.user)
        .cloned()
        .ok_or(ResponseCode::ANONYMOUS_NOT_ALLOWED)?;
    if user.mapi_disabled {
        return Err(ResponseCode::ENDPOINT_DISABLED);
    }
    let seen = Seen {
        user: Some(&asked.user),
        request: Some("Connect"),
        rops: &[],
    };
    let busy = state
        .faults
        .take(&seen, |what| matches!(what, What::ConnectBusy { .. }));
    let (error, retry_delay) = match busy {
        Some(What::ConnectBusy { retry_delay_ms }) => (Code::SERVER_TOO_BUSY, retry_delay_ms),
        _ => {
            let lax = shared.config.manners.connects_by_full_access;
            (may_connect(&state, &user, &ask, lax), RETRY_DELAY_MS)
        }
    };
    let cookies = match error {
        Code::OK => {
            let session = Session::new(&asked.user, asked.site);
            let id = state.mail.begin(&asked.user, session);
            asked.note_number(&mut state.mail, id, &mut Vec::new());
            let open = state.mail.len();
            state.counters.sessions += 1;
            state.counters.sessions_most = state.counters.sessions_most.max(open);
            state.mail.cookies(id)
        }
        _ => Vec::new(),
    };
    let connected = Connected {
        polls_max: POLLS_MAX_MS,
        retry_count: RETRY_COUNT,
        retry_delay,
        dn_prefix: Organisation::dn_prefix().into(),
        display_name: user.display_name.as_str().into(),
    };
    Ok(Answer::Done(Done {
        fields: asked.fields(shared, cookies),
        body: mapi_http::body(error.0, connected, auxiliary(shared)),
        context: None,
    }))
}

/// Whether somebody may connect: the code says why not. Source: MS-OXCRPC 3.1.4.1.
fn may_connect(state: &State, user: &User, ask: &Connect, lax: bool) -> Code {
    let dn = ask.user_dn.to_text();
    match state.organisation.by_dn(&dn) {
        None if dn.is_empty() => Code::ACCESS_DENIED,
        None => Code::UNKNOWN_USER,
        Some(named) if named.key != user.key && !(lax && is_owner(state, named, user)) => {
            Code::ACCESS_DENIED
        }
        Some(_) if ask.flags & CONNECT_ADMIN != 0 => Code::LOGIN_PERMISSION,
        Some(_) if state.mail.count_of(&user.key) >= state.limits.sessions => {
            Code::MAX_OBJECTS_EXCEEDED
        }
        Some(_) => Code::OK,
    }
}

fn is_owner(state: &State, of: &User, user: &User) -> bool {
    let mailbox = state.organisation.mailbox(&of.key);
    mailbox.is_ok_and(|mailbox| mailbox.is_owner(&user.key))
}

/// What the server says of itself. Source: MS-OXCRPC 2.2.2.2.
fn auxiliary(shared: &Shared) -> Vec<u8> {
    let public = u32::from(shared.config.public_folders);
    let mut blocks = vec![
        Block::organisation(public),
        Block::client_control(0, 0),
        Block::endpoint_capabilities(1),
    ];
    if shared.config.manners.packed_uploads {
        let capabilities = ServerCapabilities::PACKED_FAST_TRANSFER_UPLOAD
            | ServerCapabilities::PACKED_WRITE_STREAM_UPLOAD;
        blocks.push(Block::server_capabilities(ServerCapabilities(capabilities)));
    }
    aux::encode(&blocks).unwrap_or_default()
}

fn execute(
    shared: &Arc<Shared>,
    asked: &Asked,
    body: &[u8],
    rops: &[&'static str],
) -> Result<Answer, ResponseCode> {
    let ask: Execute = read(body)?;
    let mut guard = shared.lock();
    let state = &mut *guard;
    let id = asked.enter(&mut state.mail, Turn::InOrder)?;
    asked.note_number(&mut state.mail, id, &mut state.violations);
    let seen = Seen {
        user: Some(&asked.user),
        request: Some("Execute"),
        rops,
    };
    let fault = state
        .faults
        .take(&seen, |what| matches!(what, What::ErrorCode(_)));
    let context = state
        .mail
        .get_mut(id)
        .ok_or(ResponseCode::CONTEXT_NOT_FOUND)?;
    let mut engine = Engine {
        organisation: &mut state.organisation,
        session: &mut context.session,
        manners: shared.config.manners,
        limits: &state.limits,
        faults: &mut state.faults,
        counters: &mut state.counters,
        violations: &mut state.violations,
    };
    let run = match fault {
        Some(What::ErrorCode(code)) => Err(code),
        _ => engine.run(&ask),
    };
    shared.publish(state);
    let (error, rop_buffer) = match run {
        Err(code) => (code, Vec::new()),
        Ok(executed) => {
            let context = state
                .mail
                .get_mut(id)
                .ok_or(ResponseCode::CONTEXT_NOT_FOUND)?;
            (
                0,
                executed.finish(&mut context.session, &mut state.counters),
            )
        }
    };
    let executed = Executed {
        flags: 0,
        rop_buffer: rop_buffer.into(),
    };
    Ok(Answer::Done(Done {
        fields: asked.fields(shared, state.mail.cookies(id)),
        body: mapi_http::body(error, executed, Vec::new()),
        context: Some((Endpoint::Mailbox, id)),
    }))
}

fn disconnect(shared: &Arc<Shared>, asked: &Asked, body: &[u8]) -> Result<Answer, ResponseCode> {
    let _: Disconnect = read(body)?;
    let mut state = shared.lock();
    let id = asked.enter(&mut state.mail, Turn::InOrder)?;
    if let Some(session) = state.mail.end(id) {
        session.bell.notify_one();
    }
    Ok(Answer::Done(Done {
        fields: asked.fields(shared, Vec::new()),
        body: mapi_http::body(0, (), Vec::new()),
        context: None,
    }))
}

fn ping(shared: &Arc<Shared>, asked: &Asked) -> Result<Answer, ResponseCode> {
    let mut state = shared.lock();
    let id = asked.enter(&mut state.mail, Turn::Beside)?;
    Ok(Answer::Done(Done {
        fields: asked.fields(shared, state.mail.cookies(id)),
        body: Vec::new(),
        context: None,
    }))
}

fn notification_wait(
    shared: &Arc<Shared>,
    asked: &Asked,
    body: &[u8],
) -> Result<Answer, ResponseCode> {
    let _: NotificationWait = read(body)?;
    let mut state = shared.lock();
    let id = asked.enter(&mut state.mail, Turn::Beside)?;
    let context = state
        .mail
        .get_mut(id)
        .ok_or(ResponseCode::CONTEXT_NOT_FOUND)?;
    let bell = Arc::clone(&context.session.bell);
    Ok(Answer::Wait(Wait {
        fields: asked.fields(shared, Vec::new()),
        context: id,
        bell,
    }))
}
