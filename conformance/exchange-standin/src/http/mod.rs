//! HTTP/1.1, octet by octet.

pub(crate) mod auth;
pub(crate) mod connection;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod tls;
