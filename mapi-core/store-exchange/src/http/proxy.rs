//! An HTTP proxy: which hosts go through it, and the CONNECT that opens a tunnel (RFC 9110 9.3.6).

use std::{borrow::Cow, fmt, net::IpAddr};

use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::StatusCode;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::{Host, Url};

use super::{ConfigError, Error, Kind, Origin, watch::Stream};
use crate::auth::Secret;

/// The bound of a proxy's answer to CONNECT in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 10;
/// The bound of the number of headers in it.
const ANSWER_HEADERS_MAX: usize = 64;

/// An HTTP proxy that tunnels by CONNECT. TLS to the server stays end to end, channel binding included.
#[derive(Debug, Clone)]
pub struct Proxy {
    pub(super) tls: bool,
    pub(super) host: Host<String>,
    pub(super) port: u16,
    authorization: Option<Secret>,
}

impl Proxy {
    /// Reads `http://proxy.example.test:3128` or `https://…`, with `user:password@` where the proxy wants it.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        // The text may hold a password: it does not appear in the error.
        let fault = |why: &str| ConfigError(format!("the proxy's URL {why}"));
        let url = Url::parse(text).map_err(|cause| fault(&format!("is not one: {cause}")))?;
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(fault("is neither http nor https")),
        };
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(fault("names no host"));
        };
        let authorization = (!url.username().is_empty()).then(|| {
            let password = url.password().unwrap_or_default();
            let plain = Secret::new(format!(
                "{}:{}",
                percent_decoded(url.username()),
                percent_decoded(password)
            ));
            Secret::new(BASE64_STANDARD.encode(plain.expose()))
        });
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
            authorization,
        })
    }

    /// The header line by which a request shows the proxy who asks.
    pub(super) fn authorization(&self) -> Secret {
        let line = |basic: &Secret| format!("Proxy-Authorization: Basic {}\r\n", basic.expose());
        Secret::new(self.authorization.as_ref().map_or(String::new(), line))
    }

    /// Asks the proxy for a tunnel. Errors: `Proxy`.
    pub(super) async fn tunnel(&self, stream: &mut dyn Stream, to: &Origin) -> Result<(), Error> {
        let broken = |cause| Error::unsent(Kind::Proxy(None)).because(cause);
        let target = to.with_port();
        let authorization = self.authorization();
        let request = Secret::new(format!(
            "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{}\r\n",
            authorization.expose()
        ));
        stream
            .write_all(request.expose().as_bytes())
            .await
            .map_err(broken)?;
        stream.flush().await.map_err(broken)?;
        let mut answer = Vec::new();
        loop {
            if answer.len() >= ANSWER_BYTES_MAX {
                return Err(Error::unsent(Kind::Proxy(None)));
            }
            let room = ANSWER_BYTES_MAX - answer.len();
            let read = (&mut *stream)
                .take(room as u64)
                .read_buf(&mut answer)
                .await
                .map_err(broken)?;
            if let Some(status) = answered(&answer)? {
                return match status {
                    200..=299 => Ok(()),
                    _ => Err(Error::unsent(Kind::Proxy(
                        StatusCode::from_u16(status).ok(),
                    ))),
                };
            }
            if read == 0 {
                return Err(Error::unsent(Kind::Proxy(None)));
            }
        }
    }
}

/// The status of an answer once its head is whole. Nothing may follow: the server speaks after the client in TLS.
fn answered(bytes: &[u8]) -> Result<Option<u16>, Error> {
    let mut headers = [httparse::EMPTY_HEADER; ANSWER_HEADERS_MAX];
    let mut answer = httparse::Response::new(&mut headers);
    match answer.parse(bytes) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(len)) => {
            let status = answer.code.unwrap_or_default();
            if (200..=299).contains(&status) && len != bytes.len() {
                return Err(Error::unsent(Kind::Proxy(None)));
            }
            Ok(Some(status))
        }
        Err(cause) => Err(Error::unsent(Kind::Proxy(None)).because(cause)),
    }
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// Hosts that are reached without the proxy, as the environment variable NO_PROXY lists them.
///
/// Entries are separated by commas or spaces: `*`; a domain, which covers itself and all below it (a leading `.` or
/// `*.` changes nothing); an address; a network such as `10.0.0.0/8`. Each may end in `:port` (an IPv6 address is
/// then in brackets). This machine never needs an entry.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NoProxy(Vec<Entry>);

#[derive(Clone, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    Domain(String),
    Network(IpAddr, u8),
}

impl NoProxy {
    /// Reads a list. Errors name the entry that cannot be read.
    pub fn parse(list: &str) -> Result<Self, ConfigError> {
        list.split([',', ' '])
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                Entry::parse(entry)
                    .ok_or_else(|| ConfigError(format!("no_proxy: {entry:?} names no host")))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a host is reached without the proxy.
    pub fn covers(&self, origin: &Origin) -> bool {
        origin.is_loopback() || self.0.iter().any(|entry| entry.covers(origin))
    }
}

impl fmt::Debug for NoProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|entry| (&entry.hosts, entry.port)))
            .finish()
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some(hosts) = Hosts::parse(text) {
            return Some(Self { hosts, port: None });
        }
        let (host, port) = text.rsplit_once(':')?;
        let host = host
            .strip_prefix('[')
            .map_or(Some(host), |inner| inner.strip_suffix(']'))?;
        Some(Self {
            hosts: Hosts::parse(host)?,
            port: Some(port.parse().ok()?),
        })
    }

    fn covers(&self, origin: &Origin) -> bool {
        self.port.is_none_or(|port| port == origin.port) && self.hosts.cover(&origin.host)
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((address, length)) = text.split_once('/') {
            let address = address.parse().ok()?;
            let length = length.parse().ok()?;
            return (length <= bits(address)).then_some(Self::Network(address, length));
        }
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(text).parse() {
            return Some(Self::Network(address, bits(address)));
        }
        let name = text.strip_prefix("*.").unwrap_or(text);
        let name = name.trim_start_matches('.').trim_end_matches('.');
        match Host::parse(name) {
            Ok(Host::Domain(name)) => Some(Self::Domain(name)),
            _ => None,
        }
    }

    fn cover(&self, host: &Host<String>) -> bool {
        match (self, host) {
            (Self::All, _) => true,
            (Self::Domain(domain), Host::Domain(name)) => name
                .trim_end_matches('.')
                .strip_suffix(domain.as_str())
                .is_some_and(|above| above.is_empty() || above.ends_with('.')),
            (Self::Network(network, length), Host::Ipv4(address)) => {
                within(*network, *length, (*address).into())
            }
            (Self::Network(network, length), Host::Ipv6(address)) => {
                within(*network, *length, (*address).into())
            }
            _ => false,
        }
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn within(network: IpAddr, length: u8, address: IpAddr) -> bool {
    let network_of =
        |address: u128, width: u8| address.checked_shr(u32::from(width - length)).unwrap_or(0);
    match (network, address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            network_of(network.to_bits().into(), 32) == network_of(address.to_bits().into(), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            network_of(network.to_bits(), 128) == network_of(address.to_bits(), 128)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_covers_what_its_entries_name() {
        let cases = [
            ("example.test", "https://example.test/", true),
            ("example.test", "https://mail.example.test/", true),
            ("example.test", "https://mail.example.test./", true),
            ("example.test", "https://badexample.test/", false),
            (".example.test", "https://example.test/", true),
            ("*.Example.test", "https://a.b.example.test/", true),
            ("münchen.test", "https://xn--mnchen-3ya.test/", true),
            ("*", "https://anything.test/", true),
            ("", "https://anything.test/", false),
            ("", "https://localhost/", true),
            ("", "https://127.9.9.9/", true),
            (
                "other.test, example.test:8443",
                "https://example.test:8443/",
                true,
            ),
            (
                "other.test, example.test:8443",
                "https://example.test/",
                false,
            ),
            ("10.1.2.3", "https://10.1.2.3/", true),
            ("10.1.2.3", "https://10.1.2.4/", false),
            ("10.0.0.0/8 192.168.0.0/16", "https://192.168.7.7/", true),
            ("10.0.0.0/8", "https://11.0.0.1/", false),
            ("0.0.0.0/0", "https://203.0.113.9/", true),
            ("10.0.0.0/8", "https://[::ffff:10.1.1.1]/", true),
            ("2001:db8::/32", "https://[2001:db8:1::1]/", true),
            ("2001:db8::/32", "https://[2001:db9::1]/", false),
            ("::/0", "https://[2001:db9::1]/", true),
            ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/", true),
            ("2001:db8::1", "https://[2001:db8::1]/", true),
        ];
        for (list, url, expected) in cases {
            let origin = Origin::of(&Url::parse(url).unwrap()).unwrap();
            let list = NoProxy::parse(list).unwrap();
            assert_eq!(list.covers(&origin), expected, "{list:?} {url}");
        }
        for broken in ["10.0.0.0/33", "a b/8", "example.test:port", "[::1"] {
            assert!(NoProxy::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_proxy_url_with_a_password_is_read_and_not_shown() {
        let proxy = Proxy::parse("http://us%20er:p%40ss@proxy.example.test:3128").unwrap();
        assert_eq!((proxy.tls, proxy.port), (false, 3128));
        // base64 of "us er:p@ss"
        assert_eq!(
            proxy.authorization.as_ref().unwrap().expose(),
            "dXMgZXI6cEBzcw=="
        );
        let shown = format!("{proxy:?}");
        assert!(
            !shown.contains("dXMg") && !shown.contains("p@ss"),
            "{shown}"
        );
        let fault = Proxy::parse("socks5://user:secret@proxy.example.test").unwrap_err();
        assert!(!fault.to_string().contains("secret"));
    }
}
