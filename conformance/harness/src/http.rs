//! The little of HTTP that asks a server on this machine.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::failure::{Outcome, ensure};

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// What `GET path` answers, header and all.
pub(crate) fn get(port: u16, path: &str) -> Outcome<Vec<u8>> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    http(port, &request)
}

/// What a request is answered with; an answer other than 200 is a failure.
pub(crate) fn http(port: u16, request: &str) -> Outcome<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    ensure(answer.starts_with(b"HTTP/1.1 200"), || {
        let line = request.lines().next().unwrap_or_default();
        format!("{line}: {}", String::from_utf8_lossy(&answer))
    })?;
    Ok(answer)
}
