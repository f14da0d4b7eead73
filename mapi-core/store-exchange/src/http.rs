//! HTTP/1.1 as MAPI/HTTP needs it: one connection per use, answers as they arrive, and a verdict on each failure.
//!
//! For the session layer and [`crate::auth`]. Three things set it apart from a general client. A connection is a
//! value that its owner holds, for NTLM authenticates the TCP connection and a session context allows one request at
//! a time. There is no time limit on a whole request, for a server may hold an answer for minutes and say PENDING;
//! silence is limited instead. And each [`Error`] says whether the request may have reached the server
//! ([`Sent`]), for recovery depends on it (MS-OXCMAPIHTTP 3.1.7).

mod binding;
mod body;
mod client;
mod connection;
mod content;
mod dial;
mod error;
mod examine;
mod options;
mod origin;
mod proxy;
mod request;
mod retry_after;
mod tls;
mod upload;
mod watch;

pub(crate) use self::dial::{Reach, dial};
pub use self::{
    binding::ChannelBinding,
    body::{Body, Response},
    client::Client,
    connection::Connection,
    error::{Error, Kind, Phase, Sent},
    examine::{Certificate, CertificateFault},
    options::{ConfigError, Options, Timeouts, TlsOptions},
    origin::Origin,
    proxy::{NoProxy, Proxy},
    request::Request,
    retry_after::retry_after,
    upload::Upload,
};
pub use hyper::{HeaderMap, Method, StatusCode, header, header::HeaderName, header::HeaderValue};
pub use tls::trusting;
pub use url::Url;
