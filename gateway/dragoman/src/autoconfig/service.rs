//! A service that mail programs use, and what they must know of it.

use std::collections::BTreeMap;

/// A service for mail programs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Service {
    protocol: &'static str,
    is_tls_from_the_beginning: bool,
    port: u16,
}

/// Listeners for mail programs, the best first: their protocol, and whether TLS comes first.
const FOR_PROGRAMS: [(&str, &str, bool); 6] = [
    ("imaps", "imap", true),
    ("imap", "imap", false),
    ("pop3s", "pop3", true),
    ("pop3", "pop3", false),
    ("submissions", "smtp", true),
    ("submission", "smtp", false),
];

/// The services of listeners, by name and port; `ports` has other ports than those listened on.
pub(crate) fn services(listeners: &[(&str, u16)], ports: &BTreeMap<String, u16>) -> Vec<Service> {
    let service = |(name, protocol, is_tls_from_the_beginning): &(&str, &'static str, bool)| {
        let (_, listened) = listeners.iter().find(|(listener, _)| listener == name)?;
        let port = ports.get(*name).copied().unwrap_or(*listened);
        (port != 0).then_some(Service {
            protocol,
            is_tls_from_the_beginning: *is_tls_from_the_beginning,
            port,
        })
    };
    FOR_PROGRAMS.iter().filter_map(service).collect()
}

impl Service {
    /// As an element of Thunderbird's format.
    pub(super) fn config(&self, host: &str) -> String {
        let Self { protocol, port, .. } = self;
        let element = match *protocol {
            "smtp" => "outgoingServer",
            _ => "incomingServer",
        };
        let tls = match self.is_tls_from_the_beginning {
            true => "SSL",
            false => "STARTTLS",
        };
        format!(
            "  <{element} type=\"{protocol}\"><hostname>{host}</hostname><port>{port}</port><socketType>{tls}</socketType>\
             <authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></{element}>\n"
        )
    }

    /// As an element of Autodiscover's. Source: MS-OXDSCLI 2.2.4.1.1.2.6.
    pub(super) fn autodiscover(&self, (host, login): (&str, &str)) -> String {
        let (kind, port) = (self.protocol.to_ascii_uppercase(), self.port);
        let encryption = match self.is_tls_from_the_beginning {
            true => "SSL",
            false => "TLS",
        };
        format!(
            "   <Protocol><Type>{kind}</Type><Server>{host}</Server><Port>{port}</Port><DomainRequired>off</DomainRequired>\
             <LoginName>{login}</LoginName><SPA>off</SPA><SSL>on</SSL><Encryption>{encryption}</Encryption>\
             <AuthRequired>on</AuthRequired></Protocol>\n"
        )
    }
}
