//! One session context over MAPI/HTTP: cookies, request numbers, and the verdict on every answer.
//!
//! Source: MS-OXCMAPIHTTP 2.2.3, 3.1.5, 3.2.5.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use mapi_wire::{
    Guid,
    http::{
        Numbered, Outcome, Request as Call, RequestHead, RequestType, ResponseCode, ResponseHead,
        cookies::Cookies, decode_response, encode_request, framing::FramingReader, header,
    },
};

use tracing::Instrument;

use super::{Server, operation};
use crate::{
    auth::Channel,
    fault::{BUSY_DEFAULT, Fault, Result},
    http::{HeaderName, HeaderValue, Request, Response, StatusCode, retry_after},
    identity::client_application,
};

/// The most octets of an answer: a packed download of a mebibyte and what is around it.
const ANSWER_BYTES_MAX: usize = 2 << 20;

/// A session context. It takes one request at a time; waiting for notifications goes beside it (see [`Self::beside`]).
pub(crate) struct MapiHttp {
    server: Server,
    channel: Channel,
    shared: Arc<Shared>,
}

/// What all requests of one session context share.
struct Shared {
    /// Of X-RequestId: fixed for the life of the context, unlike any other's.
    guid: Guid,
    /// Of X-ClientInfo.
    client: Numbered,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    cookies: Cookies,
    requests: u64,
    /// How long the context lives without a request.
    expires_after: Option<Duration>,
}

impl MapiHttp {
    /// A context that takes the place of one whose state is unknown, if `cookies` are of one: the server ends that when it sees its cookies.
    /// Source: MS-OXCMAPIHTTP 3.1.7.2.
    pub(crate) fn after(server: Server, guid: Guid, client: Numbered, cookies: Cookies) -> Self {
        let shared = Shared {
            guid,
            client,
            state: Mutex::new(State {
                cookies,
                ..State::default()
            }),
        };
        Self::over(server, Arc::new(shared))
    }

    /// What [`Self::after`] needs of a context that is left.
    pub(super) fn cookies(&self) -> Cookies {
        self.state(|state| state.cookies.clone())
    }

    /// The same context over a connection of its own: for NotificationWait, which runs beside the other requests.
    pub(super) fn beside(&self) -> Self {
        Self::over(self.server.clone(), Arc::clone(&self.shared))
    }

    fn over(server: Server, shared: Arc<Shared>) -> Self {
        let Server {
            client,
            credentials,
            policy,
            ..
        } = server.clone();
        Self {
            channel: Channel::new(client, credentials, policy),
            server,
            shared,
        }
    }

    /// How long the context lives without a request, as far as the server said.
    pub(crate) fn expires_after(&self) -> Option<Duration> {
        self.state(|state| state.expires_after)
    }

    /// Sends a request and awaits its answer: ErrorCode and fields.
    ///
    /// `idle` is the longest silence, if it is not the default. Errors: every [`Fault`] but `Moved` and `Operation`.
    pub(crate) async fn call<C: Call>(
        &mut self,
        call: &C,
        idle: Option<Duration>,
    ) -> Result<(u32, Option<C::Response>)> {
        let body = self.post(C::TYPE, encode_request(call, &[]), idle).await?;
        match decode_response::<C>(&body)?.outcome {
            Outcome::Refused(status) => Err(Fault::operation(0, status)),
            Outcome::Failed(error) => Ok((error, None)),
            Outcome::Done { error, body } => Ok((error, Some(body))),
        }
    }

    /// Keeps the context alive. Source: MS-OXCMAPIHTTP 2.2.6.
    pub(super) async fn ping(&mut self) -> Result<()> {
        self.post(RequestType::Ping, Vec::new(), None)
            .await
            .map(drop)
    }

    async fn post(
        &mut self,
        kind: RequestType,
        body: Vec<u8>,
        idle: Option<Duration>,
    ) -> Result<Vec<u8>> {
        let mut request = Request::post(self.server.url.clone(), body);
        request.idle = idle;
        request.response_bytes_max = Some(ANSWER_BYTES_MAX as u64);
        for (name, value) in self.head(kind).headers() {
            let name = HeaderName::from_bytes(name.as_bytes());
            let (Ok(name), Ok(mut value)) = (name, HeaderValue::try_from(value)) else {
                continue;
            };
            value.set_sensitive(name.as_str().eq_ignore_ascii_case(header::COOKIE));
            request.headers.append(name, value);
        }
        let span = operation::request(kind, request.body.len());
        let exchange = async {
            let body = match self.channel.send(&request).await {
                Ok(response) => self.answer(response).await,
                Err(error) => Err(error.into()),
            };
            operation::request_ended(&body);
            body
        };
        exchange.instrument(span).await
    }

    fn head(&self, request_type: RequestType) -> RequestHead {
        let shared = &self.shared;
        let (number, cookies) = self.state(|state| {
            state.requests += 1;
            (state.requests, state.cookies.clone())
        });
        RequestHead {
            request_type,
            request_id: Numbered {
                guid: shared.guid,
                number,
            }
            .to_string(),
            client_info: shared.client.to_string(),
            client_application: Some(client_application()),
            cookies,
        }
    }

    /// Reads an answer and judges it.
    async fn answer(&mut self, mut response: Response) -> Result<Vec<u8>> {
        operation::request_headed(response.status.as_u16());
        if response.status != StatusCode::OK {
            return Err(refusal(&response));
        }
        let headers = response.headers.iter();
        let texts = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let mut head = ResponseHead::from_headers(texts);
        // A refusal comes as a page, with its code in the head.
        let code = head.response_code.unwrap_or(ResponseCode::SUCCESS);
        if !code.is_success() {
            operation::request_answered(code, None);
            self.remember(&head);
            return Err(verdict(code));
        }
        if !head.is_mapi_http() {
            return Err(Fault::Lost(
                "the answer is not one of MAPI over HTTP".into(),
            ));
        }
        let mut framing = FramingReader::new(ANSWER_BYTES_MAX);
        while let Some(piece) = response.body.chunk().await? {
            framing.push(&piece)?;
        }
        let framed = framing.finish()?;
        for (name, value) in &framed.headers {
            head.apply(name, value);
        }
        self.remember(&head);
        let code = head.response_code.unwrap_or(ResponseCode::SUCCESS);
        operation::request_answered(code, Some(framed.body.len()));
        match code {
            ResponseCode::SUCCESS => Ok(framed.body),
            code => Err(verdict(code)),
        }
    }

    fn remember(&self, head: &ResponseHead) {
        self.state(|state| {
            for cookie in &head.set_cookies {
                state.cookies.store(cookie);
            }
            if let Some(ms) = head.expiration_ms {
                state.expires_after = Some(Duration::from_millis(ms.into()));
            }
        });
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(
            &mut self
                .shared
                .state
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

/// What an HTTP status other than 200 says. Source: MS-OXCMAPIHTTP 2.2.2.2.
fn refusal(response: &Response) -> Fault {
    let status = response.status;
    let wait = || retry_after(&response.headers, SystemTime::now());
    let cause = || format!("HTTP status {}", status.as_u16()).into();
    match status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            Fault::Busy(wait().unwrap_or(BUSY_DEFAULT))
        }
        StatusCode::FORBIDDEN => Fault::Denied(
            "the server forbids MAPI over HTTP: the administrator may have switched it off for this mailbox",
        ),
        _ if status.is_redirection() => Fault::Moved,
        // A gateway in between may have passed the request on before it failed.
        _ if status.is_server_error() => Fault::Lost(cause()),
        _ => Fault::Away(cause()),
    }
}

/// What a code other than 0 says about the session context. Source: MS-OXCMAPIHTTP 2.2.3.3.3.
fn verdict(code: ResponseCode) -> Fault {
    match code {
        ResponseCode::ENDPOINT_DISABLED => {
            Fault::Denied("MAPI over HTTP is switched off for this mailbox")
        }
        ResponseCode::NO_PRIVILEGE | ResponseCode::ANONYMOUS_NOT_ALLOWED => {
            // gromox 3.10 numbers otherwise: 8 is a request type it does not know.
            Fault::Expired
        }
        ResponseCode::ENDPOINT_SHUTTING_DOWN => Fault::Busy(BUSY_DEFAULT),
        ResponseCode::UNKNOWN_FAILURE | ResponseCode::INVALID_RESPONSE => {
            Fault::Lost(code.to_string().into())
        }
        // Cookies wrong, missing or of another sequence; and whatever a server means by its own numbers.
        _ => Fault::Expired,
    }
}
