//! The address-book endpoint. Source: MS-OXCMAPIHTTP 2.2.5, MS-OXNSPI 3.1.4.1.

mod entry;
mod find;
mod table;

use std::sync::Arc;

use mapi_wire::{
    http::{Endpoint, Request, RequestType, ResponseCode, decode_request},
    nspi::{
        Bind, Bound, CompareMIds, Compared, DnToMId, FoundMIds, GetAddressBookUrl, GetMailboxUrl,
        GetMatches, GetPropList, GetProps, GetSpecialTable, QueryColumns, QueryRows, ResolveNames,
        ResortRestriction, SeekEntries, Unbind, UpdateStat, Url,
    },
};

use crate::{
    mapi_http::{self, Answer, Asked, Done},
    model::{error::Code, special::made_guid},
    session::Turn,
    state::{Shared, State},
};

/// What NspiUnbind returns when it went well. Source: MS-OXNSPI 3.1.4.1.2.
const UNBOUND: u32 = 1;

/// Answers a request.
pub(crate) fn answer(
    shared: &Arc<Shared>,
    asked: &Asked,
    body: &[u8],
) -> Result<Answer, ResponseCode> {
    match asked.head.request_type {
        RequestType::Bind => bind(shared, asked, body),
        RequestType::Unbind => unbind(shared, asked, body),
        RequestType::Ping => ping(shared, asked),
        _ => call(shared, asked, body),
    }
}

fn read<T: Request>(body: &[u8]) -> Result<T, ResponseCode> {
    decode_request::<T>(body)
        .map(|(ask, _)| ask)
        .map_err(|_| ResponseCode::INVALID_REQUEST_BODY)
}

fn done(fields: Vec<(&'static str, String)>, body: Vec<u8>) -> Answer {
    Answer::Done(Done {
        fields,
        body,
        context: None,
    })
}

fn bind(shared: &Arc<Shared>, asked: &Asked, body: &[u8]) -> Result<Answer, ResponseCode> {
    let _: Bind = read(body)?;
    let mut state = shared.lock();
    if let Ok(old) = state.book.find(&asked.head.cookies, &asked.user) {
        state.book.end(old);
    }
    let id = state.book.begin(&asked.user, ());
    let bound = Bound {
        server_guid: made_guid(3, 0),
    };
    let fields = asked.fields(shared, state.book.cookies(id));
    Ok(done(fields, mapi_http::body(0, bound, Vec::new())))
}

fn unbind(shared: &Arc<Shared>, asked: &Asked, body: &[u8]) -> Result<Answer, ResponseCode> {
    let _: Unbind = read(body)?;
    let mut state = shared.lock();
    let id = asked.enter(&mut state.book, Turn::InOrder)?;
    state.book.end(id);
    let fields = asked.fields(shared, Vec::new());
    Ok(done(fields, mapi_http::body(UNBOUND, (), Vec::new())))
}

fn ping(shared: &Arc<Shared>, asked: &Asked) -> Result<Answer, ResponseCode> {
    let mut state = shared.lock();
    let id = asked.enter(&mut state.book, Turn::Beside)?;
    Ok(done(
        asked.fields(shared, state.book.cookies(id)),
        Vec::new(),
    ))
}

/// Carries out a request within a session context.
fn call(shared: &Arc<Shared>, asked: &Asked, body: &[u8]) -> Result<Answer, ResponseCode> {
    let mut guard = shared.lock();
    let state = &mut *guard;
    let answered = carry_out(shared, state, asked.head.request_type, body)?;
    let id = asked.enter(&mut state.book, Turn::InOrder)?;
    asked.note_number(&mut state.book, id, &mut state.violations);
    Ok(Answer::Done(Done {
        fields: asked.fields(shared, state.book.cookies(id)),
        body: answered,
        context: Some((Endpoint::AddressBook, id)),
    }))
}

fn carry_out(
    shared: &Shared,
    state: &State,
    kind: RequestType,
    body: &[u8],
) -> Result<Vec<u8>, ResponseCode> {
    let organisation = &state.organisation;
    Ok(match kind {
        RequestType::CompareMIds => {
            let ask: CompareMIds = read(body)?;
            let order = ask.first.0.cmp(&ask.second.0) as i32;
            mapi_http::body(0, Compared { result: order }, Vec::new())
        }
        RequestType::DnToMId => {
            let ask: DnToMId = read(body)?;
            let mids = find::by_names(organisation, &ask.names.unwrap_or_default());
            mapi_http::body(0, FoundMIds { mids: Some(mids) }, Vec::new())
        }
        RequestType::GetMatches => find::matches(organisation, read::<GetMatches>(body)?),
        RequestType::ResolveNames => find::resolve(organisation, read::<ResolveNames>(body)?),
        RequestType::GetPropList => entry::prop_list(organisation, &read::<GetPropList>(body)?),
        RequestType::GetProps => entry::props(organisation, &read::<GetProps>(body)?),
        RequestType::GetSpecialTable => table::special(&read::<GetSpecialTable>(body)?),
        RequestType::QueryRows => table::query_rows(organisation, read::<QueryRows>(body)?),
        RequestType::QueryColumns => {
            read::<QueryColumns>(body)?;
            table::columns()
        }
        RequestType::SeekEntries => table::seek(organisation, read::<SeekEntries>(body)?),
        RequestType::UpdateStat => table::update(organisation, read::<UpdateStat>(body)?),
        RequestType::ResortRestriction => {
            table::resort(organisation, read::<ResortRestriction>(body)?)
        }
        RequestType::GetMailboxUrl => {
            read::<GetMailboxUrl>(body)?;
            url(shared.endpoint(0, "emsmdb", ""))
        }
        RequestType::GetAddressBookUrl => {
            read::<GetAddressBookUrl>(body)?;
            url(shared.endpoint(0, "nspi", ""))
        }
        // Reading is all that is offered.
        RequestType::ModProps | RequestType::ModLinkAtt | RequestType::GetTemplateInfo => {
            mapi_http::failed_body(Code::NOT_SUPPORTED.0)
        }
        _ => return Err(ResponseCode::INVALID_REQUEST_TYPE),
    })
}

fn url(text: String) -> Vec<u8> {
    let url = Url {
        server_url: text.as_str().into(),
    };
    mapi_http::body(0, url, Vec::new())
}
