//! What both endpoints of MAPI over HTTP have in common: heads, session contexts, framing.
//! Source: MS-OXCMAPIHTTP 2.2.2, 2.2.3, 3.2.5.

use std::sync::Arc;

use mapi_wire::http::{
    Body, Endpoint, Numbered, Outcome, RequestHead, Response as Answered, ResponseCode,
    encode_response, header,
};

use crate::{
    http::{request::Head, response::Response},
    session::{ContextId, Contexts, Turn},
    state::{Shared, State},
};

/// What this server calls itself (X-ServerApplication).
const SERVER_APPLICATION: &str = "Exchange/15.02.1118.007";

/// A request whose head is in order.
pub(crate) struct Asked {
    /// Its head.
    pub(crate) head: RequestHead,
    /// Who sends it: the key of a user.
    pub(crate) user: String,
    /// Which of the servers it came to.
    pub(crate) site: u32,
}

/// The answer to a request of MAPI over HTTP.
pub(crate) enum Answer {
    /// It is refused, or something else is wrong.
    Refused(Response),
    /// It was carried out.
    Done(Done),
    /// It waits for something to happen.
    Wait(Wait),
}

/// A request that was carried out.
pub(crate) struct Done {
    /// Header fields before the body.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// The session context that is free again once the answer is written.
    pub(crate) context: Option<(Endpoint, ContextId)>,
}

/// A request that waits.
pub(crate) struct Wait {
    /// Header fields before the body.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// Its session context.
    pub(crate) context: ContextId,
    /// Rings when there is something.
    pub(crate) bell: Arc<tokio::sync::Notify>,
}

/// Checks the head of a request.
pub(crate) fn asked(
    head: &Head,
    endpoint: Endpoint,
    user: &str,
    site: u32,
) -> Result<Asked, ResponseCode> {
    if head.method != "POST" {
        return Err(ResponseCode::INVALID_VERB);
    }
    let parsed = RequestHead::from_headers(head.fields())?;
    if parsed.client_application.is_none() {
        return Err(ResponseCode::MISSING_HEADER);
    }
    if parsed.client_version().is_none()
        || parsed.request_id.parse::<Numbered>().is_err()
        || parsed.client_info.parse::<Numbered>().is_err()
    {
        return Err(ResponseCode::INVALID_HEADER);
    }
    if parsed
        .request_type
        .endpoint()
        .is_some_and(|of| of != endpoint)
    {
        return Err(ResponseCode::INVALID_REQUEST_TYPE);
    }
    Ok(Asked {
        head: parsed,
        user: user.to_owned(),
        site,
    })
}

impl Asked {
    /// The header fields of an answer, with the cookies of the session context.
    pub(crate) fn fields(
        &self,
        shared: &Shared,
        cookies: Vec<String>,
    ) -> Vec<(&'static str, String)> {
        let timing = &shared.config.timing;
        let mut fields = vec![
            (header::CONTENT_TYPE, header::MAPI_HTTP.to_owned()),
            (
                header::REQUEST_TYPE,
                self.head.request_type.name().to_owned(),
            ),
            (header::REQUEST_ID, self.head.request_id.clone()),
            (header::CLIENT_INFO, self.head.client_info.clone()),
            (header::RESPONSE_CODE, ResponseCode::SUCCESS.0.to_string()),
            (header::SERVER_APPLICATION, SERVER_APPLICATION.to_owned()),
            (header::PENDING_PERIOD, timing.pending_period_ms.to_string()),
            (header::EXPIRATION_INFO, timing.session_idle_ms.to_string()),
        ];
        fields.extend(
            cookies
                .into_iter()
                .map(|cookie| (header::SET_COOKIE, cookie)),
        );
        fields
    }

    /// Finds the session context and lets the request in, if it is its turn.
    pub(crate) fn enter<S>(
        &self,
        contexts: &mut Contexts<S>,
        turn: Turn,
    ) -> Result<ContextId, ResponseCode> {
        let id = contexts.find(&self.head.cookies, &self.user)?;
        contexts.enter(id, &self.head.cookies, turn)?;
        Ok(id)
    }

    /// Notes when the numbers of requests are not those of one session context, ascending.
    /// Source: MS-OXCMAPIHTTP 2.2.3.3.2.
    pub(crate) fn note_number<S>(
        &self,
        contexts: &mut Contexts<S>,
        id: ContextId,
        violations: &mut Vec<String>,
    ) {
        let (Some(context), Ok(numbered)) = (
            contexts.get_mut(id),
            self.head.request_id.parse::<Numbered>(),
        ) else {
            return;
        };
        let guid = numbered.guid.to_string();
        match &context.request {
            Some((known, _)) if *known != guid => {
                violations.push(format!("{}: X-RequestId with another GUID", self.user));
            }
            Some((_, last)) if *last >= numbered.number => {
                violations.push(format!(
                    "{}: X-RequestId with a number that was used",
                    self.user
                ));
            }
            _ => {}
        }
        context.request = Some((guid, numbered.number));
    }
}

/// Refuses a request. Source: MS-OXCMAPIHTTP 2.2.2.2, 2.2.3.2.2.
pub(crate) fn refused(code: ResponseCode, head: &Head) -> Response {
    let mut response = Response::empty(200)
        .body(
            "text/html",
            format!("<html><body>{}</body></html>", code.meaning()),
        )
        .field(header::RESPONSE_CODE, code.0.to_string())
        .field(header::SERVER_APPLICATION, SERVER_APPLICATION);
    for name in [
        header::REQUEST_TYPE,
        header::REQUEST_ID,
        header::CLIENT_INFO,
    ] {
        if let Some(value) = head.field(name) {
            response = response.field(name, value);
        }
    }
    response
}

/// The body of a request that was tried.
pub(crate) fn body<T: Body>(error: u32, body: T, aux: Vec<u8>) -> Vec<u8> {
    encode_response(&Answered {
        outcome: Outcome::Done { error, body },
        aux: aux.into(),
    })
}

/// The body of a request that was not even tried.
pub(crate) fn failed_body(error: u32) -> Vec<u8> {
    encode_response(&Answered::<()> {
        outcome: Outcome::Failed(error),
        aux: Box::default(),
    })
}

/// Frees a session context once its answer is written, or lost.
pub(crate) fn leave(state: &mut State, endpoint: Endpoint, id: ContextId) {
    match endpoint {
        Endpoint::Mailbox => state.mail.leave(id),
        Endpoint::AddressBook => state.book.leave(id),
    }
}
