//! What is asked without protection: DNS for a record, and plain HTTP for a redirection. Nothing secret is sent, and
//! nothing that is said is believed: see [`super::trust`].

use std::{fmt, io};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::http::Url;

/// The longest head of an answer in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// The most headers of an answer.
const HEADERS_MAX: usize = 64;

/// What the network says to anybody. Tests have a network of their own.
pub(super) trait Network: Send + Sync + fmt::Debug {
    /// The targets and ports of an SRV record, the preferred first.
    fn srv<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<(String, u16)>, String>>;

    /// Where a plain HTTP URL redirects to.
    fn redirect<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Option<String>, String>>;
}

/// The network as it is.
#[derive(Debug)]
pub(super) struct Internet;

impl Network for Internet {
    fn srv<'a>(&'a self, _name: &'a str) -> BoxFuture<'a, Result<Vec<(String, u16)>, String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn redirect<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Option<String>, String>> {
        Box::pin(async move { location(url).await.map_err(|error| error.to_string()) })
    }
}

/// Gets a URL over plain HTTP without credentials, and reads no more of the answer than where it redirects to.
async fn location(url: &Url) -> io::Result<Option<String>> {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    loop {
        if let Some(location) = parse(&head)? {
            return Ok(location);
        }
        if head.len() >= HEAD_BYTES_MAX {
            return Err(io::Error::other("the head of the answer is too long"));
        }
        let room = (HEAD_BYTES_MAX - head.len()) as u64;
        if (&mut stream).take(room).read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The redirection in a head, or `None` while the head is not complete.
fn parse(head: &[u8]) -> io::Result<Option<Option<String>>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let status = response.parse(head).map_err(io::Error::other)?;
    if status.is_partial() {
        return Ok(None);
    }
    let redirects = matches!(response.code, Some(301 | 302 | 303 | 307 | 308));
    let location = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("location"))
        .filter(|_| redirects)
        .and_then(|header| std::str::from_utf8(header.value).ok());
    Ok(Some(location.map(str::to_owned)))
}
