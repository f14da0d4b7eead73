//! Writing responses of HTTP/1.1, up to the octet where the connection is to be cut.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};

/// A response that is there as a whole.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    /// Its status.
    pub(crate) status: u16,
    /// Header fields but for Content-Length.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// A response without a body.
    pub(crate) const fn empty(status: u16) -> Self {
        Self {
            status,
            fields: Vec::new(),
            body: Vec::new(),
        }
    }

    /// With another header field.
    pub(crate) fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// With a body of this media type.
    pub(crate) fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.field("Content-Type", media_type)
    }
}

/// Where the octets of one response go.
pub(crate) struct Out<'a, W> {
    io: &'a mut W,
    written: u64,
    cut_after: Option<u64>,
}

impl<'a, W: AsyncWrite + Unpin> Out<'a, W> {
    /// A response that is cut after so many octets, if at all.
    pub(crate) const fn new(io: &'a mut W, cut_after: Option<u64>) -> Self {
        Self {
            io,
            written: 0,
            cut_after,
        }
    }

    /// How many octets have been written.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// Writes octets; an error where the connection is to be cut.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = self
            .cut_after
            .map(|after| after.saturating_sub(self.written));
        let allowed = match room {
            Some(room) if room < bytes.len() as u64 => room as usize,
            _ => bytes.len(),
        };
        let (now, cut) = bytes.split_at(allowed);
        self.io.write_all(now).await?;
        self.io.flush().await?;
        self.written += now.len() as u64;
        match cut.is_empty() && self.cut_after != Some(self.written) {
            true => Ok(()),
            false => Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "cut on purpose",
            )),
        }
    }

    /// Writes a whole response.
    pub(crate) async fn whole(&mut self, response: &Response) -> io::Result<()> {
        let mut bytes = head(response.status, &response.fields);
        bytes.extend_from_slice(
            format!("Content-Length: {}\r\n\r\n", response.body.len()).as_bytes(),
        );
        bytes.extend_from_slice(&response.body);
        self.write(&bytes).await
    }

    /// Begins a response whose body comes in chunks.
    pub(crate) async fn begin(&mut self, fields: &[(&'static str, String)]) -> io::Result<()> {
        let mut bytes = head(200, fields);
        bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        self.write(&bytes).await
    }

    /// Writes a chunk.
    pub(crate) async fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.write(&chunk).await
    }

    /// Ends a response whose body came in chunks.
    pub(crate) async fn end(&mut self) -> io::Result<()> {
        self.write(b"0\r\n\r\n").await
    }
}

fn head(status: u16, fields: &[(&'static str, String)]) -> Vec<u8> {
    let reason = match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    };
    let mut head = format!("HTTP/1.1 {status} {reason}\r\n");
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_response_ends_at_the_octet_where_it_is_cut() {
        let response = Response::empty(200).body("text/plain", "hello");
        let mut whole = Vec::new();
        Out::new(&mut whole, None).whole(&response).await.unwrap();
        assert!(whole.ends_with(b"\r\n\r\nhello"));
        for cut in 0..=whole.len() {
            let mut bytes = Vec::new();
            let mut out = Out::new(&mut bytes, Some(cut as u64));
            assert!(out.whole(&response).await.is_err(), "{cut}");
            assert_eq!(bytes, whole[..cut]);
        }
        let mut bytes = Vec::new();
        let mut out = Out::new(&mut bytes, Some(1 + whole.len() as u64));
        out.whole(&response).await.unwrap();
        assert_eq!(bytes, whole);
    }
}
