//! Where to ask, as data: nobody is asked here. Source: MS-OXDISCO 3.1.5; order as Outlook asks.

/// How many redirections to follow in all before giving up.
pub const REDIRECTS_MAX: usize = 10;

/// The path of POX on every host.
pub const POX_PATH: &str = "/autodiscover/autodiscover.xml";

/// The longest domain name. Source: RFC 1035 2.3.4.
const DOMAIN_BYTES_MAX: usize = 253;

/// A place to ask.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// Post a request to this URL, with authentication.
    Post(String),
    /// Look up this SRV name, and post to [`srv_url`] of what it says.
    Srv(String),
    /// Get this URL without authentication; where it redirects to an https URL, post there. The answer came without
    /// protection: whoever types the password should have a say.
    RedirectProbe(String),
}

/// The places for a domain, in the order to ask; none where it is no host name (in its ASCII form).
///
/// Before them come a URL that worked before, and what an administrator has set.
pub fn candidates(domain: &str) -> Vec<Place> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    if !is_host_name(domain) {
        return Vec::new();
    }
    vec![
        Place::Post(format!("https://{domain}{POX_PATH}")),
        Place::Post(format!("https://autodiscover.{domain}{POX_PATH}")),
        Place::Srv(format!("_autodiscover._tcp.{domain}")),
        Place::RedirectProbe(format!("http://autodiscover.{domain}{POX_PATH}")),
    ]
}

/// The URL an SRV record means; `None` where its target is no host name ("." means: not here).
pub fn srv_url(target: &str, port: u16) -> Option<String> {
    let host = target.strip_suffix('.').unwrap_or(target);
    let port = match port {
        443 => String::new(),
        port => format!(":{port}"),
    };
    is_host_name(host).then(|| format!("https://{host}{port}{POX_PATH}"))
}

/// Whether a URL may be followed with a password in hand: https, and a host behind it without user info.
pub fn is_https(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let is_plain = url.bytes().all(|octet| octet.is_ascii_graphic());
    scheme.eq_ignore_ascii_case("https")
        && is_plain
        && !authority.is_empty()
        && !authority.contains('@')
}

fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= DOMAIN_BYTES_MAX && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_places_in_order() {
        let expected = [
            Place::Post("https://example.test/autodiscover/autodiscover.xml".into()),
            Place::Post("https://autodiscover.example.test/autodiscover/autodiscover.xml".into()),
            Place::Srv("_autodiscover._tcp.example.test".into()),
            Place::RedirectProbe(
                "http://autodiscover.example.test/autodiscover/autodiscover.xml".into(),
            ),
        ];
        assert_eq!(candidates("example.test"), expected);
        assert_eq!(candidates("example.test."), expected);
    }

    #[test]
    fn what_is_no_host_name_is_asked_nowhere() {
        let long = "a.".repeat(130);
        for domain in [
            "",
            ".",
            "a..b",
            "a b",
            "a/b",
            "user@a",
            "-a.test",
            "a-.test",
            "b\u{fc}cher.test",
            &long,
        ] {
            assert_eq!(candidates(domain), [], "{domain}");
        }
    }

    #[test]
    fn a_record_names_a_url() {
        let url = "https://mail.example.test/autodiscover/autodiscover.xml";
        assert_eq!(srv_url("mail.example.test.", 443).as_deref(), Some(url));
        let url = "https://mail.example.test:8443/autodiscover/autodiscover.xml";
        assert_eq!(srv_url("mail.example.test", 8443).as_deref(), Some(url));
        assert_eq!(srv_url(".", 0), None);
    }

    #[test]
    fn only_https_is_followed() {
        for url in ["https://a.test/x", "HTTPS://a.test", "https://[::1]:8443/"] {
            assert!(is_https(url), "{url}");
        }
        for url in [
            "http://a.test/",
            "https:/a.test",
            "https:///x",
            "https://u:p@a.test/",
            "https://a.test/\n",
            "a.test",
        ] {
            assert!(!is_https(url), "{url}");
        }
    }
}
