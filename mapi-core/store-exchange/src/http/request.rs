//! A request, before it has a connection.

use std::time::Duration;

use bytes::Bytes;
use hyper::{HeaderMap, Method, header::HeaderName, header::HeaderValue};
use url::Url;

/// One request. Cloning is cheap: the body is shared.
///
/// Host, Content-Length and User-Agent are added when it is sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// Headers. Mark a value that is a secret with `set_sensitive`.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
    /// The longest silence for this request instead of [`super::Timeouts::idle`].
    pub idle: Option<Duration>,
    /// The bound of the answer's body in bytes instead of the default, which is 16 MiB.
    pub response_bytes_max: Option<u64>,
}

impl Request {
    /// A POST with a body.
    pub fn post(url: Url, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, url, body.into())
    }

    /// A GET.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url, Bytes::new())
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// A request with another method.
    pub fn with_method(method: Method, url: Url, body: impl Into<Bytes>) -> Self {
        Self::new(method, url, body.into())
    }

    fn new(method: Method, url: Url, body: Bytes) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body,
            idle: None,
            response_bytes_max: None,
        }
    }
}
