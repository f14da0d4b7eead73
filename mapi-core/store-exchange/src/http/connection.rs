//! One HTTP/1.1 connection: a request at a time, its answer, and then the next.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::{
    Uri,
    client::conn::http1::{self, SendRequest},
    header::{CONTENT_LENGTH, HOST, HeaderValue, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;
use url::Position;

use super::{
    ChannelBinding, Error, Kind, Origin, Request, Response, Sent, Upload,
    body::{Body, Source, from_hyper},
    content::Content,
    options::{RESPONSE_BYTES_MAX, RESPONSE_HEAD_BYTES_MAX, RESPONSE_HEADERS_MAX},
    upload::Parts,
    watch::{Stream, Watch, Watched},
};

/// A connection to one origin. It is kept alive between requests, and closed when it is dropped.
pub struct Connection {
    origin: Origin,
    sender: SendRequest<Content>,
    driver: Arc<Driver>,
    watch: Watch,
    lease: Arc<()>,
    settings: Settings,
}

/// What a connection is opened with, beside its stream.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) binding: Option<ChannelBinding>,
    pub(super) user_agent: Option<HeaderValue>,
    pub(super) idle: Duration,
}

impl Connection {
    pub(super) async fn open(
        origin: Origin,
        stream: Box<dyn Stream>,
        settings: Settings,
    ) -> Result<Self, Error> {
        let watch = Watch::new();
        let io = TokioIo::new(Watched {
            stream,
            watch: watch.clone(),
        });
        let (sender, connection) = http1::Builder::new()
            .max_headers(RESPONSE_HEADERS_MAX)
            .max_buf_size(RESPONSE_HEAD_BYTES_MAX)
            .handshake(io)
            .await
            .map_err(from_hyper)?;
        // Architecture R5: a connection has a task, which notices when the server closes between two requests.
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "HTTP connection ended");
            }
        });
        Ok(Self {
            origin,
            sender,
            driver: Arc::new(Driver {
                task: task.abort_handle(),
                stopped: AtomicBool::new(false),
            }),
            watch,
            lease: Arc::new(()),
            settings,
        })
    }

    /// Where it leads.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What binds an authentication to it; nothing without TLS.
    pub fn channel_binding(&self) -> Option<&ChannelBinding> {
        self.settings.binding.as_ref()
    }

    /// Whether it may take another request. The server may close it at any moment, so this is a hint.
    pub fn is_open(&self) -> bool {
        !self.driver.stopped.load(Ordering::Acquire) && !self.sender.is_closed()
    }

    /// Sends a request and awaits the head of its answer. The body must be read to its end before the next request.
    ///
    /// Dropping the future closes the connection once something was sent. Errors: `Declined` for another origin or
    /// while an answer is still being read; `Closed`, `Timeout(Idle)`, `Protocol` and `TooBig` after which the
    /// connection is closed. The verdict is exact for the first bytes and on the safe side at the last one.
    pub async fn send(&mut self, request: &Request) -> Result<Response, Error> {
        if Origin::of(&request.url)? != self.origin {
            return Err(declined("the request is for another server"));
        }
        if Arc::strong_count(&self.lease) > 1 {
            return Err(declined("the answer before has not been read to its end"));
        }
        let content = Content::Whole(Some(request.body.clone()));
        let message = self.message(request, content, request.body.len() as u64)?;
        let idle = request.idle.unwrap_or(self.settings.idle);
        let lease = self.lease.clone();
        let mut guard = StopOnDrop(Some(self.driver.clone()));
        self.watch
            .while_moving(idle, self.sender.ready())
            .await
            .map_err(|error| error.with_sent(Sent::No))?
            .map_err(from_hyper)?;
        self.watch.begin(request.body.len() as u64);
        let sending = self.sender.try_send_request(message);
        let answer = match self.watch.while_moving(idle, sending).await? {
            Ok(answer) => answer,
            Err(mut failed) => {
                let sent = match failed.take_message() {
                    Some(_) => Sent::No,
                    None => self.watch.sent(),
                };
                return Err(from_hyper(failed.into_error()).with_sent(sent));
            }
        };
        guard.0 = None;
        let (head, incoming) = answer.into_parts();
        let source = Source {
            watch: self.watch.clone(),
            driver: self.driver.clone(),
            lease,
            idle,
            bytes_max: request.response_bytes_max.unwrap_or(RESPONSE_BYTES_MAX),
        };
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body: Body::new(incoming, source),
        })
    }

    /// Begins a request whose body of `length` octets is sent piece by piece, while its answer may come already. The
    /// connection is of no other use after it, and closes with it.
    ///
    /// The body of `request` is not looked at. Errors: `Declined` as for [`Self::send`]; `Closed`.
    pub async fn upload(mut self, request: &Request, length: u64) -> Result<Upload, Error> {
        if Origin::of(&request.url)? != self.origin {
            return Err(declined("the request is for another server"));
        }
        let (pieces, content) = Content::pieces();
        let message = self.message(request, content, length)?;
        self.watch
            .while_moving(self.settings.idle, self.sender.ready())
            .await
            .map_err(|error| error.with_sent(Sent::No))?
            .map_err(from_hyper)?;
        self.watch.begin(length);
        let sending = self.sender.try_send_request(message);
        let source = Source {
            watch: self.watch.clone(),
            driver: self.driver.clone(),
            lease: self.lease.clone(),
            idle: request.idle.unwrap_or(self.settings.idle),
            bytes_max: request.response_bytes_max.unwrap_or(RESPONSE_BYTES_MAX),
        };
        let answer = async move {
            let answer = sending
                .await
                .map_err(|failed| from_hyper(failed.into_error()))?;
            let (head, incoming) = answer.into_parts();
            Ok(Response {
                status: head.status,
                headers: head.headers,
                body: Body::new(incoming, source),
            })
        };
        let parts = Parts {
            pieces,
            length,
            watch: self.watch.clone(),
        };
        Ok(Upload::new(parts, Box::pin(answer), self))
    }

    fn message(
        &self,
        request: &Request,
        content: Content,
        length: u64,
    ) -> Result<hyper::Request<Content>, Error> {
        let unfit = |cause| declined("the URL cannot be sent").because(cause);
        let path = &request.url[Position::BeforePath..Position::AfterQuery];
        let uri: Uri = path.parse().map_err(unfit)?;
        let host = HeaderValue::from_str(&self.origin.authority())
            .map_err(|cause| declined("the host cannot be sent").because(cause))?;
        let mut message = hyper::Request::new(content);
        *message.method_mut() = request.method.clone();
        *message.uri_mut() = uri;
        let headers = message.headers_mut();
        headers.insert(HOST, host);
        if let Some(user_agent) = &self.settings.user_agent {
            headers.insert(USER_AGENT, user_agent.clone());
        }
        headers.extend(request.headers.clone());
        if request.method != hyper::Method::GET {
            // Also for an empty body: IIS wants a length with every POST.
            headers.insert(CONTENT_LENGTH, length.into());
        }
        Ok(message)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("origin", &self.origin)
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}

/// The task that moves a connection's bytes. The task ends with the last owner.
#[derive(Debug)]
pub(super) struct Driver {
    task: AbortHandle,
    stopped: AtomicBool,
}

impl Driver {
    /// Closes the connection.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.task.abort();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Closes the connection unless it is disarmed: an exchange that was given up halfway leaves it in no usable state.
struct StopOnDrop(Option<Arc<Driver>>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(driver) = &self.0 {
            driver.stop();
        }
    }
}

fn declined(why: &'static str) -> Error {
    Error::unsent(Kind::Declined(why))
}
