//! Where a request goes: scheme, host and port, with the rule that plain HTTP stays on this machine.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use url::{Host, Url};

use super::{Error, Kind};

/// Scheme, host and port of a URL. A connection serves one origin.
///
/// Host names are in their ASCII form: the URL parser has applied IDNA (RFC 5891), so `exämple.test` and its punycode
/// are the same origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether the connection is TLS.
    pub tls: bool,
    /// The host.
    pub host: Host<String>,
    /// The port.
    pub port: u16,
}

impl Origin {
    /// The origin of a URL.
    ///
    /// Errors: `Declined` for a scheme other than `https`, except `http` to a loopback address or `localhost`:
    /// MAPI/HTTP is HTTPS (MS-OXCMAPIHTTP 2.1), and what leaves this machine is encrypted.
    pub fn of(url: &Url) -> Result<Self, Error> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(declined("only https and http URLs can be requested")),
        };
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(declined("the URL names no host"));
        };
        let origin = Self {
            tls,
            host: host.to_owned(),
            port,
        };
        if !tls && !origin.is_loopback() {
            return Err(declined("plain http is allowed to this machine only"));
        }
        Ok(origin)
    }

    /// Whether the host is this machine by its address or by the name `localhost` (RFC 6761 6.3).
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name.trim_end_matches('.') == "localhost",
            Host::Ipv4(address) => Ipv4Addr::is_loopback(address),
            Host::Ipv6(address) => {
                Ipv6Addr::is_loopback(address)
                    || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
            }
        }
    }

    /// The value of the Host header: the port only where it is not the scheme's own (RFC 9110 7.2).
    pub fn authority(&self) -> String {
        let own = if self.tls { 443 } else { 80 };
        if self.port == own {
            self.host.to_string()
        } else {
            self.with_port()
        }
    }

    /// Host and port, as CONNECT wants them (RFC 9110 9.3.6). An IPv6 address is in brackets.
    pub(crate) fn with_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

fn declined(why: &'static str) -> Error {
    Error::unsent(Kind::Declined(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Result<(&str, bool), &str>) {
        let got = Origin::of(&Url::parse(url).unwrap());
        match (got, expected) {
            (Ok(origin), Ok((authority, loopback))) => {
                assert_eq!(origin.authority(), authority, "{url}");
                assert_eq!(origin.is_loopback(), loopback, "{url}");
            }
            (Err(error), Err(why)) => assert_eq!(error.kind.to_string(), why, "{url}"),
            (got, expected) => panic!("{url}: {got:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn names_addresses_and_ports_become_authorities() {
        check(
            "https://mail.example.test/mapi/",
            Ok(("mail.example.test", false)),
        );
        check(
            "https://mail.example.test:443/",
            Ok(("mail.example.test", false)),
        );
        check(
            "https://mail.example.test:8443/",
            Ok(("mail.example.test:8443", false)),
        );
        check("https://[2001:db8::1]/", Ok(("[2001:db8::1]", false)));
        check(
            "https://[2001:db8::1]:444/",
            Ok(("[2001:db8::1]:444", false)),
        );
        check(
            "https://MÄIL.example.test/",
            Ok(("xn--mil-qla.example.test", false)),
        );
        check("http://127.0.0.1:8080/", Ok(("127.0.0.1:8080", true)));
        check("http://[::1]/", Ok(("[::1]", true)));
        check("http://[::ffff:127.0.0.1]/", Ok(("[::ffff:7f00:1]", true)));
        check("http://localhost/", Ok(("localhost", true)));
    }

    #[test]
    fn plain_http_leaves_this_machine_never() {
        let why = "plain http is allowed to this machine only";
        check("http://mail.example.test/", Err(why));
        check("http://192.0.2.1/", Err(why));
        check("http://localhost.example.test/", Err(why));
        check("http://[2001:db8::1]/", Err(why));
        check(
            "ftp://127.0.0.1/",
            Err("only https and http URLs can be requested"),
        );
    }
}
