//! The PROXY protocol: a proxy's word for who the client really is, before the connection's first octet.
//! Source: the PROXY protocol specification, versions 1 and 2, as HAProxy publishes it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::timeout,
};

/// How long a proxy may take to say whom it speaks for.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest version 1 line (specification 2.1).
const V1_BYTES_MAX: usize = 107;
/// The longest version 2 body taken.
const V2_BYTES_MAX: usize = 4096;
const V2_SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Reads the header: the client's address, or `None` when the proxy speaks for itself (a health check).
///
/// Errors: `InvalidData` for anything but a header, `TimedOut`.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    timeout(HEADER_TIMEOUT, read_header(stream))
        .await
        .map_err(|_| io::ErrorKind::TimedOut)?
}

async fn read_header(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let mut start = [0; V2_SIGNATURE.len()];
    stream.read_exact(&mut start).await?;
    if start == V2_SIGNATURE {
        return read_v2(stream).await;
    }
    // Octet by octet: what follows the line belongs to the session.
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() >= V1_BYTES_MAX {
            return Err(invalid());
        }
        line.push(stream.read_u8().await?);
    }
    parse_v1(&line).ok_or_else(invalid)
}

fn parse_v1(line: &[u8]) -> Option<Option<IpAddr>> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let mut words = line.strip_prefix("PROXY ")?.split(' ');
    match words.next()? {
        "UNKNOWN" => Some(None),
        "TCP4" => Some(Some(IpAddr::V4(words.next()?.parse().ok()?))),
        "TCP6" => Some(Some(IpAddr::V6(words.next()?.parse().ok()?))),
        _ => None,
    }
}

async fn read_v2(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let version_command = stream.read_u8().await?;
    let family = stream.read_u8().await?;
    let len = usize::from(stream.read_u16().await?);
    if version_command >> 4 != 2 || len > V2_BYTES_MAX {
        return Err(invalid());
    }
    let mut body = vec![0; len];
    stream.read_exact(&mut body).await?;
    match (version_command & 0xf, family >> 4) {
        (0, _) | (1, 0) => Ok(None),
        (1, 1) => {
            let addr = body
                .first_chunk::<4>()
                .filter(|_| len >= 12)
                .ok_or_else(invalid)?;
            Ok(Some(IpAddr::V4(Ipv4Addr::from(*addr))))
        }
        (1, 2) => {
            let addr = body
                .first_chunk::<16>()
                .filter(|_| len >= 36)
                .ok_or_else(invalid)?;
            Ok(Some(IpAddr::V6(Ipv6Addr::from(*addr))))
        }
        (1, 3) => Ok(None),
        _ => Err(invalid()),
    }
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a PROXY protocol header")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(bytes: &[u8], expected: Result<Option<&str>, io::ErrorKind>, rest: &[u8]) {
        let mut stream = bytes;
        let found = read(&mut stream).await.map_err(|error| error.kind());
        assert_eq!(
            found,
            expected.map(|addr| addr.map(|addr| addr.parse().unwrap()))
        );
        if found.is_ok() {
            assert_eq!(stream, rest);
        }
    }

    #[tokio::test]
    async fn both_versions_name_the_client_and_leave_the_session_untouched() {
        check(
            b"PROXY TCP4 192.0.2.7 192.0.2.1 5 143\r\na1 NOOP\r\n",
            Ok(Some("192.0.2.7")),
            b"a1 NOOP\r\n",
        )
        .await;
        check(
            b"PROXY TCP6 2001:db8::7 2001:db8::1 5 143\r\n",
            Ok(Some("2001:db8::7")),
            b"",
        )
        .await;
        check(b"PROXY UNKNOWN\r\nx", Ok(None), b"x").await;
        let v2 = [
            &V2_SIGNATURE[..],
            &[0x21, 0x11, 0, 12, 192, 0, 2, 9, 1, 2, 3, 4, 0, 5, 0, 143],
            b"x",
        ]
        .concat();
        check(&v2, Ok(Some("192.0.2.9")), b"x").await;
        let local = [&V2_SIGNATURE[..], &[0x20, 0, 0, 0], b"x"].concat();
        check(&local, Ok(None), b"x").await;
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        let invalid = Err(io::ErrorKind::InvalidData);
        check(b"a1 LOGIN alice secret\r\n", invalid, b"").await;
        check(&[b'P'; 200], invalid, b"").await;
        let v3 = [&V2_SIGNATURE[..], &[0x31, 0x11, 0, 0]].concat();
        check(&v3, invalid, b"").await;
        let short = [&V2_SIGNATURE[..], &[0x21, 0x21, 0, 4, 1, 2, 3, 4]].concat();
        check(&short, invalid, b"").await;
    }
}
