//! Answers for mail programs that set themselves up: Thunderbird's `config-v1.1.xml`, and Autodiscover as Outlook asks
//! for accounts of IMAP and POP3 (MS-OXDSCLI 2.2.4).
//!
//! Both say the same: where to read and to send, first by TLS from the beginning, then by STARTTLS, and that the name to
//! log in with is the whole address. Nothing is told of whether an address exists.

mod autodiscover;
mod service;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, RawQuery},
    http::header,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use percent_encoding::percent_decode_str;

pub(crate) use self::service::{Service, services};
use crate::http::escape;

/// Where Thunderbird looks, at `autoconfig.DOMAIN` and at DOMAIN itself.
const CONFIG_PATHS: [&str; 2] = [
    "/mail/config-v1.1.xml",
    "/.well-known/autoconfig/mail/config-v1.1.xml",
];
/// Where Outlook looks, at `autodiscover.DOMAIN` and at DOMAIN itself; programs differ in the case of its letters.
const AUTODISCOVER_PATHS: [&str; 3] = [
    "/autodiscover/autodiscover.xml",
    "/Autodiscover/Autodiscover.xml",
    "/AutoDiscover/AutoDiscover.xml",
];
/// Octets of a question.
const REQUEST_BYTES_MAX: usize = 64 << 10;

/// What is told.
#[derive(Clone, Debug)]
pub(crate) struct Autoconfig {
    /// What the mail service is called.
    pub(crate) name: String,
    /// The host that all services are at.
    pub(crate) host: String,
    /// The services, the best first.
    pub(crate) services: Vec<Service>,
}

/// The routes that answer.
pub(crate) fn routes(autoconfig: Autoconfig) -> Router {
    let told = Arc::new(autoconfig);
    let mut router = Router::new();
    for path in CONFIG_PATHS {
        let told = Arc::clone(&told);
        let answer = move |RawQuery(query)| async move {
            xml(told.config(&asked_domain(&query.unwrap_or_default())))
        };
        router = router.route(path, get(answer));
    }
    for path in AUTODISCOVER_PATHS {
        let told = Arc::clone(&told);
        let answer = move |body: Bytes| async move { xml(told.autodiscover(&body)) };
        router = router.route(path, post(answer));
    }
    router.layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
}

fn xml(document: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/xml; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, document).into_response()
}

/// The domain of the `emailaddress` that was asked for; nothing where it is none.
fn asked_domain(query: &str) -> String {
    let values = query.split('&').filter_map(|pair| pair.split_once('='));
    let address = values
        .filter(|(name, _)| *name == "emailaddress")
        .map(|(_, value)| value)
        .next();
    let address = percent_decode_str(address.unwrap_or_default()).decode_utf8_lossy();
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let is_one = domain
        .chars()
        .all(|one| one.is_alphanumeric() || matches!(one, '.' | '-'));
    if is_one {
        domain.to_owned()
    } else {
        String::new()
    }
}

impl Autoconfig {
    /// Thunderbird's format, version 1.1.
    fn config(&self, domain: &str) -> String {
        let domain = match domain {
            "" => &self.host,
            domain => domain,
        };
        let (domain, name, host) = (escape(domain), escape(&self.name), escape(&self.host));
        let servers: String = self
            .services
            .iter()
            .map(|service| service.config(&host))
            .collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n <emailProvider id=\"{domain}\">\n  \
             <domain>{domain}</domain>\n  <displayName>{name}</displayName>\n  <displayShortName>{name}</displayShortName>\n\
             {servers} </emailProvider>\n</clientConfig>\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Autoconfig {
        let places = [
            ("imaps", 993),
            ("imap", 143),
            ("pop3s", 995),
            ("submissions", 465),
            ("submission", 587),
            ("lmtp", 24),
        ];
        Autoconfig {
            name: "Mail & more".to_owned(),
            host: "mail.example.test".to_owned(),
            services: services(
                &places.map(|(name, port)| (name, port)),
                &Default::default(),
            ),
        }
    }

    #[test]
    fn thunderbird_is_told_where_to_read_and_to_send() {
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<clientConfig version=\"1.1\">
 <emailProvider id=\"example.test\">
  <domain>example.test</domain>
  <displayName>Mail &amp; more</displayName>
  <displayShortName>Mail &amp; more</displayShortName>
  <incomingServer type=\"imap\"><hostname>mail.example.test</hostname><port>993</port><socketType>SSL</socketType><authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></incomingServer>
  <incomingServer type=\"imap\"><hostname>mail.example.test</hostname><port>143</port><socketType>STARTTLS</socketType><authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></incomingServer>
  <incomingServer type=\"pop3\"><hostname>mail.example.test</hostname><port>995</port><socketType>SSL</socketType><authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></incomingServer>
  <outgoingServer type=\"smtp\"><hostname>mail.example.test</hostname><port>465</port><socketType>SSL</socketType><authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></outgoingServer>
  <outgoingServer type=\"smtp\"><hostname>mail.example.test</hostname><port>587</port><socketType>STARTTLS</socketType><authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></outgoingServer>
 </emailProvider>
</clientConfig>
";
        let domain = asked_domain("a=b&emailaddress=anna%40example.test");
        assert_eq!(told().config(&domain), expected);
    }

    #[test]
    fn what_is_no_domain_is_not_repeated() {
        for query in [
            "",
            "emailaddress=",
            "emailaddress=anna",
            "emailaddress=a%40%3Cscript%3E",
            "emailaddress=a@b\"c",
        ] {
            assert_eq!(asked_domain(query), "", "{query}");
            assert!(told().config("").contains("id=\"mail.example.test\""));
        }
    }
}
