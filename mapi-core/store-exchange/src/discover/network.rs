//! What is asked without protection: DNS for a record, and plain HTTP for a redirection. Nothing secret is sent, and
//! nothing that is said is believed: see [`super::trust`].

use std::{cmp::Reverse, fmt, io};

use futures_util::future::BoxFuture;
use hickory_resolver::{
    ResolverBuilder, TokioResolver,
    net::NetError,
    proto::rr::{RData, RecordType, rdata::SRV},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::http::{Client, Url};

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

/// The network as it is, through the proxy where there is one for plain HTTP too. DNS is that of this machine.
#[derive(Debug)]
pub(super) struct Internet(pub(super) Client);

impl Network for Internet {
    fn srv<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<(String, u16)>, String>> {
        Box::pin(async move {
            let resolver = TokioResolver::builder_tokio().and_then(ResolverBuilder::build);
            let targets = async { targets(&resolver?, name).await };
            targets.await.map_err(|error: NetError| error.to_string())
        })
    }

    fn redirect<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Option<String>, String>> {
        Box::pin(async move {
            let located = location(&self.0, url).await;
            located.map_err(|error| error.to_string())
        })
    }
}

/// Looks up an SRV record by the name servers of this machine. Source: RFC 2782.
async fn targets(resolver: &TokioResolver, name: &str) -> Result<Vec<(String, u16)>, NetError> {
    // With the final dot the name is not looked for in domains of this machine.
    let lookup = match resolver.lookup(format!("{name}."), RecordType::SRV).await {
        Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
        lookup => lookup?,
    };
    let records = lookup
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::SRV(srv) => Some(srv),
            _ => None,
        });
    let mut records: Vec<_> = records.collect();
    // Among equals the heaviest is asked first. There is no load to spread: one user asks once a day.
    records.sort_by_key(|srv| (srv.priority, Reverse(srv.weight)));
    let target = |srv: &SRV| (srv.target.to_ascii(), srv.port);
    Ok(records.into_iter().map(target).collect())
}

/// Gets a URL over plain HTTP without credentials, and reads no more of the answer than where it redirects to.
async fn location(client: &Client, url: &Url) -> io::Result<Option<String>> {
    let (mut stream, request) = client.in_plain(url).await.map_err(io::Error::other)?;
    stream.write_all(request.expose().as_bytes()).await?;
    stream.flush().await?;
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

#[cfg(test)]
mod tests {
    use hickory_resolver::{
        config::{ConnectionConfig, NameServerConfig, ResolverConfig},
        net::runtime::TokioRuntimeProvider,
    };
    use tokio::net::{TcpListener, UdpSocket};

    use super::*;
    use crate::http::{self, Proxy, TlsOptions};

    fn client(proxy: Option<&str>) -> Client {
        Client::new(http::Options {
            tls: TlsOptions {
                system_roots: false,
                pinned: Some([0; 32]),
                ..TlsOptions::default()
            },
            proxy: proxy.map(|proxy| Proxy::parse(proxy).unwrap()),
            ..http::Options::default()
        })
        .unwrap()
    }

    #[tokio::test]
    async fn a_proxy_is_given_the_whole_url_and_its_own_password() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://me:secret@{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut request).await.unwrap();
            }
            let answer = b"HTTP/1.1 302 Found\r\nLocation: https://mail.example.test/x\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            String::from_utf8(request).unwrap()
        });
        let url = Url::parse("http://autodiscover.example.test/autodiscover/autodiscover.xml");
        let network = Internet(client(Some(&proxy)));
        let found = network.redirect(&url.unwrap()).await.unwrap();
        assert_eq!(found.as_deref(), Some("https://mail.example.test/x"));
        assert_eq!(
            serving.await.unwrap(),
            "GET http://autodiscover.example.test/autodiscover/autodiscover.xml HTTP/1.1\r\n\
             Host: autodiscover.example.test\r\nConnection: close\r\n\
             Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"
        );
    }

    /// What a plain HTTP server's answer redirects to.
    async fn check(answer: &'static str, expected: Result<Option<&str>, io::ErrorKind>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut request).await.unwrap();
            }
            // The client may have left after the head.
            let _ = stream.write_all(answer.as_bytes()).await;
            String::from_utf8(request).unwrap()
        });
        let url = Url::parse(&format!("http://{address}/autodiscover/autodiscover.xml?x")).unwrap();
        let got = location(&client(None), &url)
            .await
            .map_err(|error| error.kind());
        assert_eq!(
            got,
            expected.map(|url| url.map(str::to_owned)),
            "{answer:?}"
        );
        let request = serving.await.unwrap();
        assert!(request.starts_with("GET /autodiscover/autodiscover.xml?x HTTP/1.1\r\n"));
        assert!(
            request.contains(&format!("Host: {address}\r\n")),
            "{request}"
        );
        assert!(!request.to_ascii_lowercase().contains("authorization"));
    }

    #[tokio::test]
    async fn only_a_redirection_redirects() {
        let to = "https://mail.example.test/x";
        check(
            "HTTP/1.1 302 Found\r\nLocation: https://mail.example.test/x\r\n\r\n",
            Ok(Some(to)),
        )
        .await;
        check(
            "HTTP/1.0 301 Moved\r\nlocation:https://mail.example.test/x\r\n\r\nbody",
            Ok(Some(to)),
        )
        .await;
        check(
            "HTTP/1.1 200 OK\r\nLocation: https://mail.example.test/x\r\n\r\n",
            Ok(None),
        )
        .await;
        check("HTTP/1.1 302 Found\r\n\r\n", Ok(None)).await;
        check(
            "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n\r\n",
            Ok(None),
        )
        .await;
    }

    #[tokio::test]
    async fn what_is_not_http_is_an_error() {
        check("", Err(io::ErrorKind::UnexpectedEof)).await;
        check(
            "HTTP/1.1 302 Found\r\nLocation: https://mail",
            Err(io::ErrorKind::UnexpectedEof),
        )
        .await;
        check("220 mail.example.test ESMTP\r\n", Err(io::ErrorKind::Other)).await;
        let long = format!(
            "HTTP/1.1 302 Found\r\nX: {}\r\n\r\n",
            "x".repeat(HEAD_BYTES_MAX)
        );
        check(long.leak(), Err(io::ErrorKind::Other)).await;
    }

    /// An answer to a query: its question again, and SRV records (priority, weight, port, target).
    fn dns_answer(query: &[u8], records: &[(u16, u16, u16, &str)]) -> Vec<u8> {
        let question_end = 12 + query[12..].iter().position(|&octet| octet == 0).unwrap() + 5;
        let mut answer = query[..question_end].to_vec();
        let code: u8 = if records.is_empty() { 0x83 } else { 0x80 };
        answer[2..12].copy_from_slice(&[0x81, code, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
        for (priority, weight, port, target) in records {
            let mut name: Vec<u8> = target
                .split('.')
                .flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat())
                .collect();
            name.push(0);
            answer.extend([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 6 + name.len() as u8]);
            for field in [priority, weight, port] {
                answer.extend(field.to_be_bytes());
            }
            answer.extend(name);
        }
        answer
    }

    async fn resolve(records: &'static [(u16, u16, u16, &'static str)]) -> Vec<(String, u16)> {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut connection = ConnectionConfig::udp();
        connection.port = socket.local_addr().unwrap().port();
        let server = NameServerConfig::new([127, 0, 0, 1].into(), true, vec![connection]);
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        tokio::spawn(async move {
            let mut query = [0; 512];
            while let Ok((len, from)) = socket.recv_from(&mut query).await {
                assert!(
                    query[..len]
                        .windows(7)
                        .any(|window| window == b"\x04_tcp\x07e")
                );
                let answer = dns_answer(&query[..len], records);
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        let provider = TokioRuntimeProvider::default();
        let resolver = TokioResolver::builder_with_config(config, provider)
            .build()
            .unwrap();
        targets(&resolver, "_autodiscover._tcp.example.test")
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn targets_come_by_priority_and_weight() {
        let targets = resolve(&[
            (20, 0, 443, "c.test"),
            (10, 1, 8443, "b.test"),
            (10, 9, 443, "a.test"),
        ]);
        let expected = [("a.test.", 443), ("b.test.", 8443), ("c.test.", 443)];
        let expected = expected.map(|(host, port)| (host.to_owned(), port));
        assert_eq!(targets.await, expected);
        assert_eq!(resolve(&[]).await, []);
    }
}
