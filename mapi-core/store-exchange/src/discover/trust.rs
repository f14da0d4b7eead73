//! Who may see a password: the rules for following what others say.

use std::{fmt, net::IpAddr, str::FromStr};

use crate::http::{ConfigError, Origin, Url};

/// How a URL became known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    /// An administrator set it.
    Configured,
    /// It is made of the user's domain. TLS proves the host.
    Domain,
    /// A host that may see the password said it, over TLS.
    Said,
    /// The same, said by this machine without TLS: it may name this machine without TLS again.
    SaidInPlain,
    /// DNS or plain HTTP said it: anybody may have.
    Unproven,
}

/// Why a URL gets no password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Distrust {
    /// It is neither https nor, by configuration, of this machine.
    NotPrivate,
    /// There is a user name or a password in it.
    UserInfo,
    /// It is outside of the user's domain, named without protection, and not allowed by configuration.
    Stranger,
}

/// Host names by name (`mail.example.test`) or by what they end with (`*.example.test`), as a configuration has them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostPattern {
    name: String,
    below: bool,
}

impl FromStr for HostPattern {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let (name, below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        // A star elsewhere would match nothing, and one below the root everything.
        let fits = !name.contains('*') && (!below || name.contains('.'));
        match url::Host::parse(name.trim_end_matches('.')) {
            Ok(url::Host::Domain(name)) if fits => Ok(Self { name, below }),
            Ok(url::Host::Ipv4(_) | url::Host::Ipv6(_)) if !below => Ok(Self {
                name: name.to_owned(),
                below,
            }),
            _ => Err(ConfigError(format!(
                "{text:?} is neither a host name nor *. and a domain"
            ))),
        }
    }
}

impl HostPattern {
    fn covers(&self, host: &str) -> bool {
        match self.below {
            true => is_below(host, &self.name),
            false => host == self.name,
        }
    }
}

/// Whether a URL may be followed with a password in hand. `domain` is the user's, `allowed` is by configuration.
pub(super) fn check(
    url: &Url,
    source: Source,
    domain: Option<&str>,
    allowed: &[HostPattern],
) -> Result<(), Distrust> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Distrust::UserInfo);
    }
    // Plain HTTP off this machine is no origin at all.
    let origin = Origin::of(url).map_err(|_| Distrust::NotPrivate)?;
    if !origin.tls && !matches!(source, Source::Configured | Source::SaidInPlain) {
        return Err(Distrust::NotPrivate);
    }
    let host = origin.host.to_string();
    let host = host.trim_end_matches('.');
    let within = |domain: &str| host == domain || is_below(host, domain);
    let known = domain.is_some_and(within) || allowed.iter().any(|pattern| pattern.covers(host));
    match source {
        Source::Unproven if !known => Err(Distrust::Stranger),
        _ => Ok(()),
    }
}

/// The domain of an address in its ASCII form, if it is one of DNS.
pub(super) fn domain_of(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let is_address = domain.parse::<IpAddr>().is_ok();
    match url::Host::parse(domain.trim_end_matches('.')) {
        Ok(url::Host::Domain(name)) if !local.is_empty() && !is_address => Some(name),
        _ => None,
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPrivate => "it is not https",
            Self::UserInfo => "it has a user name in it",
            Self::Stranger => {
                "only DNS or plain HTTP names this host, which is outside of the user's domain: \
                 if it is the mail system, add it to the allowed hosts"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_all(source: Source, cases: &[(&str, Result<(), Distrust>)]) {
        let allowed =
            ["autodiscover.hoster.test", "*.cloud.test"].map(|text| text.parse().unwrap());
        for (url, expected) in cases {
            let got = check(
                &Url::parse(url).unwrap(),
                source,
                Some("example.test"),
                &allowed,
            );
            assert_eq!(got, *expected, "{source:?} {url}");
        }
    }

    #[test]
    fn what_anybody_may_have_said_is_followed_to_the_domain_and_allowed_hosts_only() {
        let stranger = Err(Distrust::Stranger);
        check_all(
            Source::Unproven,
            &[
                ("https://example.test/", Ok(())),
                ("https://example.test./", Ok(())),
                ("https://mail.EXAMPLE.test:8443/", Ok(())),
                ("https://autodiscover.hoster.test/", Ok(())),
                ("https://a.b.cloud.test/", Ok(())),
                ("https://cloud.test/", stranger),
                ("https://other.hoster.test/", stranger),
                ("https://evil.test/", stranger),
                ("https://evilexample.test/", stranger),
                ("https://example.test.evil.test/", stranger),
                ("https://example.test@evil.test/", Err(Distrust::UserInfo)),
                ("https://.example.test/", stranger),
                ("https://127.0.0.1/", stranger),
                ("http://mail.example.test/", Err(Distrust::NotPrivate)),
                ("http://127.0.0.1/", Err(Distrust::NotPrivate)),
            ],
        );
    }

    #[test]
    fn what_a_trusted_host_said_is_followed_over_tls() {
        check_all(
            Source::Said,
            &[
                ("https://elsewhere.test/", Ok(())),
                ("https://a:b@elsewhere.test/", Err(Distrust::UserInfo)),
                ("http://elsewhere.test/", Err(Distrust::NotPrivate)),
                // A server must not send the gateway's passwords to a port of the gateway's own machine.
                ("http://127.0.0.1:8080/", Err(Distrust::NotPrivate)),
                ("http://localhost/", Err(Distrust::NotPrivate)),
                ("ftp://elsewhere.test/", Err(Distrust::NotPrivate)),
            ],
        );
    }

    #[test]
    fn plain_http_is_for_this_machine_by_configuration() {
        for source in [Source::Configured, Source::SaidInPlain] {
            check_all(
                source,
                &[
                    ("http://127.0.0.1:8080/", Ok(())),
                    ("https://elsewhere.test/", Ok(())),
                    ("http://elsewhere.test/", Err(Distrust::NotPrivate)),
                ],
            );
        }
    }

    #[test]
    fn patterns_are_names_or_domains() {
        for text in [
            "",
            "*",
            "*.",
            "*.test",
            "a b",
            "*.127.0.0.1",
            "a.*.test",
            "https://a.test",
        ] {
            assert!(text.parse::<HostPattern>().is_err(), "{text}");
        }
        let pattern: HostPattern = "*.B\u{fc}cher.test".parse().unwrap();
        assert!(pattern.covers("mail.xn--bcher-kva.test"));
        assert!(!pattern.covers("xn--bcher-kva.test"));
    }

    #[test]
    fn addresses_have_domains() {
        let check = |address: &str, expected: Option<&str>| {
            assert_eq!(domain_of(address).as_deref(), expected, "{address}");
        };
        check("anna@Example.test", Some("example.test"));
        check("\"a@b\"@example.test.", Some("example.test"));
        check("anna@b\u{fc}cher.test", Some("xn--bcher-kva.test"));
        for none in [
            "anna",
            "anna@",
            "@example.test",
            "anna@127.0.0.1",
            "anna@[::1]",
            "a@b c",
            "a@b/c",
        ] {
            check(none, None);
        }
    }
}
