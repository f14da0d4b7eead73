//! Reading requests of HTTP/1.1 octet by octet, so that a connection can be cut at any of them.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The most octets of a request's head.
const HEAD_BYTES_MAX: usize = 0x1_0000;

/// The most header fields of a request.
const FIELDS_MAX: usize = 64;

/// The most octets of a request's body. A ROP buffer has 256 KiB at most.
pub(crate) const BODY_BYTES_MAX: usize = 0x10_0000;

/// How much is read at a time, about.
const READ_BYTES: usize = 0x4000;

/// The most octets of a chunk's first line.
const CHUNK_LINE_MAX: usize = 256;

/// A request without its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    /// GET, POST and so on.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Whether the connection closes after it.
    pub(crate) close: bool,
    fields: Vec<(String, String)>,
}

impl Head {
    /// The value of a header field; letter case of the name does not count.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// A head with one field.
    #[cfg(test)]
    pub(crate) fn with_field(name: &str, value: &str) -> Self {
        Self {
            fields: vec![(name.to_owned(), value.to_owned())],
            ..Self::default()
        }
    }

    /// A head of our own making.
    pub(crate) fn made(method: &str, fields: Vec<(String, String)>) -> Self {
        Self {
            method: method.to_owned(),
            fields,
            ..Self::default()
        }
    }

    /// All header fields, in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The path, in lower case, without the query.
    pub(crate) fn path(&self) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        path.to_ascii_lowercase()
    }
}

/// A request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// What it begins with.
    pub(crate) head: Head,
    /// The rest.
    pub(crate) body: Vec<u8>,
}

/// How a request came to an end.
#[derive(Debug)]
pub(crate) enum Received {
    /// It is complete; so many octets it had.
    Complete(Request, u64),
    /// A channel of RPC over HTTP begins: the head, and what has arrived after it.
    Channel(Box<Head>, Vec<u8>),
    /// It is no request; so much could be understood.
    Malformed,
    /// The connection is to be cut here.
    Cut(Box<Head>),
    /// The connection ended.
    Ended,
}

/// Reads requests from a connection.
pub(crate) struct RequestReader {
    buffer: Vec<u8>,
    used: usize,
}

/// How far a request may come, decided when its head is known: so many octets of the whole.
pub(crate) type Allowance<'a> = &'a (dyn Fn(&Head) -> Option<u64> + Sync);

impl RequestReader {
    /// A reader at the beginning of a connection.
    pub(crate) const fn new() -> Self {
        Self {
            buffer: Vec::new(),
            used: 0,
        }
    }

    /// Reads the next request. When `allowance` gives a number that is smaller than the request, the connection counts
    /// as cut there.
    pub(crate) async fn next<R: AsyncRead + Unpin>(
        &mut self,
        io: &mut R,
        allowance: Allowance<'_>,
    ) -> io::Result<Received> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let Some((head, head_len)) = self.head(io).await? else {
            return Ok(Received::Ended);
        };
        let Some(head) = head else {
            return Ok(Received::Malformed);
        };
        let limit = allowance(&head).unwrap_or(u64::MAX);
        if limit < head_len as u64 {
            return Ok(Received::Cut(Box::new(head)));
        }
        self.used = head_len;
        if crate::rpc::is_channel(&head) {
            let rest = self.buffer.split_off(head_len);
            return Ok(Received::Channel(Box::new(head), rest));
        }
        let chunked = head
            .field("transfer-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
        let body = match chunked {
            true => self.chunks(io, limit).await?,
            false => {
                let len = head.field("content-length").unwrap_or("0").trim().parse();
                match len {
                    Ok(len) if len <= BODY_BYTES_MAX => self.take(io, len, limit).await?,
                    _ => return Ok(Received::Malformed),
                }
            }
        };
        let at_limit = self.buffer.len() as u64 >= limit;
        Ok(match body {
            Some(_) if limit < self.used as u64 => Received::Cut(Box::new(head)),
            Some(body) => Received::Complete(Request { head, body }, self.used as u64),
            None if at_limit => Received::Cut(Box::new(head)),
            None => Received::Ended,
        })
    }

    async fn head<R: AsyncRead + Unpin>(
        &mut self,
        io: &mut R,
    ) -> io::Result<Option<(Option<Head>, usize)>> {
        loop {
            match parse_head(&self.buffer) {
                Ok(Some((head, len))) => return Ok(Some((Some(head), len))),
                Ok(None) if self.buffer.len() < HEAD_BYTES_MAX => {}
                _ => return Ok(Some((None, 0))),
            }
            if !self.fill(io, u64::MAX).await? {
                return Ok(None);
            }
        }
    }

    /// The next `len` octets; `None` when the connection ends, or the request is at `limit`, before.
    async fn take<R: AsyncRead + Unpin>(
        &mut self,
        io: &mut R,
        len: usize,
        limit: u64,
    ) -> io::Result<Option<Vec<u8>>> {
        let end = self.used + len;
        while self.buffer.len() < end {
            if !self.fill(io, limit).await? {
                return Ok(None);
            }
        }
        let taken = self.buffer.get(self.used..end).map(<[u8]>::to_vec);
        self.used = end;
        Ok(taken)
    }

    async fn chunks<R: AsyncRead + Unpin>(
        &mut self,
        io: &mut R,
        limit: u64,
    ) -> io::Result<Option<Vec<u8>>> {
        let mut body = Vec::new();
        loop {
            let Some(line) = self.line(io, limit).await? else {
                return Ok(None);
            };
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = match usize::from_str_radix(size, 16) {
                Ok(size) if body.len() + size <= BODY_BYTES_MAX => size,
                _ => return Ok(None),
            };
            if size == 0 {
                break;
            }
            let Some(chunk) = self.take(io, size + 2, limit).await? else {
                return Ok(None);
            };
            body.extend_from_slice(chunk.get(..size).unwrap_or_default());
        }
        // Trailers end with an empty line.
        loop {
            match self.line(io, limit).await? {
                None => return Ok(None),
                Some(line) if line.is_empty() => return Ok(Some(body)),
                Some(_) => {}
            }
        }
    }

    async fn line<R: AsyncRead + Unpin>(
        &mut self,
        io: &mut R,
        limit: u64,
    ) -> io::Result<Option<String>> {
        loop {
            let rest = self.buffer.get(self.used..).unwrap_or_default();
            if let Some(len) = rest.windows(2).position(|two| two == b"\r\n") {
                let line = rest.get(..len).unwrap_or_default();
                let line = String::from_utf8_lossy(line).into_owned();
                self.used += len + 2;
                return Ok(Some(line));
            }
            if rest.len() > CHUNK_LINE_MAX || !self.fill(io, limit).await? {
                return Ok(None);
            }
        }
    }

    /// Reads what has arrived; whether there was something within `limit`.
    async fn fill<R: AsyncRead + Unpin>(&mut self, io: &mut R, limit: u64) -> io::Result<bool> {
        let have = self.buffer.len() as u64;
        if have >= limit {
            return Ok(false);
        }
        self.buffer.reserve(READ_BYTES);
        Ok(io.read_buf(&mut self.buffer).await? > 0)
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, httparse::Error> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    let len = match request.parse(bytes)? {
        httparse::Status::Complete(len) => len,
        httparse::Status::Partial => return Ok(None),
    };
    let fields: Vec<_> = request
        .headers
        .iter()
        .map(|field| {
            let value = String::from_utf8_lossy(field.value).trim().to_owned();
            (field.name.to_owned(), value)
        })
        .collect();
    let mut head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        close: request.version == Some(0),
        fields,
    };
    let close = head
        .field("connection")
        .is_some_and(|value| value.eq_ignore_ascii_case("close"));
    head.close |= close;
    Ok(Some((head, len)))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8], limit: Option<u64>) -> Vec<String> {
        let mut io = bytes;
        let mut reader = RequestReader::new();
        let mut seen = Vec::new();
        loop {
            match reader.next(&mut io, &|_| limit).await.unwrap() {
                Received::Complete(request, len) => {
                    let body = String::from_utf8(request.body).unwrap();
                    seen.push(format!(
                        "{} {} {body} {len}",
                        request.head.method,
                        request.head.path()
                    ));
                }
                Received::Malformed => seen.push("malformed".into()),
                Received::Channel(head, rest) => {
                    seen.push(format!("{} {}", head.method, rest.len()));
                    return seen;
                }
                Received::Ended | Received::Cut(_) => return seen,
            }
            if seen.len() > 4 {
                return seen;
            }
        }
    }

    const TWO: &[u8] = b"POST /A?b=c HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiPOST /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nho\r\n0\r\n\r\n";

    #[tokio::test]
    async fn requests_of_both_framings_follow_each_other() {
        assert_eq!(read(TWO, None).await, ["POST /a hi 45", "POST /d ho 60"]);
    }

    #[tokio::test]
    async fn a_channel_is_handed_on_with_what_has_arrived() {
        let channel = b"RPC_IN_DATA /rpc/rpcproxy.dll?a:6001 HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\nabc";
        assert_eq!(read(channel, None).await, ["RPC_IN_DATA 3"]);
        let echo =
            b"RPC_IN_DATA /rpc/rpcproxy.dll?a:6001 HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd";
        let [echoed] = &*read(echo, None).await else {
            panic!("one request");
        };
        assert!(echoed.starts_with("RPC_IN_DATA /rpc/rpcproxy.dll abcd"));
    }

    #[tokio::test]
    async fn a_request_that_is_cut_is_no_request() {
        for limit in 0..45 {
            assert!(read(TWO, Some(limit)).await.is_empty(), "{limit}");
        }
        assert_eq!(read(TWO, Some(45)).await, ["POST /a hi 45"]);
    }

    #[tokio::test]
    async fn names_of_fields_have_no_letter_case() {
        let (head, _) = parse_head(TWO).unwrap().unwrap();
        assert_eq!(head.field("CONTENT-length"), Some("2"));
        assert!(!head.close);
    }
}
