//! What an administrator may set about finding mailboxes.

use std::time::Duration;

use super::{HostPattern, TransportChoice};
use crate::http::Url;

/// How long an answer is kept unless it turns out to be wrong: clients ask once a day.
pub(super) const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time for one place to answer.
pub(super) const ATTEMPT: Duration = Duration::from_secs(20);

/// How to find mailboxes. By default everything is asked that users of a domain can be found by, and nobody outside of
/// it is trusted.
#[derive(Clone, Debug)]
pub struct Options {
    /// The URL of the mailbox, instead of what Autodiscover says: of MAPI/HTTP, or of an RPC proxy with the server's
    /// name and port.
    pub url: Option<Url>,
    /// The URL of the address book, instead of what Autodiscover says.
    pub address_book_url: Option<Url>,
    /// The Autodiscover URL (POX), instead of the places that the domain of the address has.
    pub autodiscover: Option<Url>,
    /// The user's distinguished name, instead of what Autodiscover says. With `url` it makes Autodiscover needless.
    pub user_dn: Option<String>,
    /// Whether each host of the domain is first asked by Autodiscover version 2 (JSON) where POX is spoken.
    pub json: bool,
    /// Whether a host is asked by SOAP that is there, but does not answer by POX.
    pub soap: bool,
    /// Whether DNS is asked for an SRV record: the name servers of this machine, also where there is a proxy.
    pub srv: bool,
    /// Whether `http://autodiscover.DOMAIN` is asked for a redirection. The request has no credentials; where there is a
    /// proxy it gets the whole URL, for many of these tunnel to port 443 alone.
    pub http_redirect: bool,
    /// Hosts outside of the domain that may see credentials although only DNS or plain HTTP names them.
    pub allowed_hosts: Vec<HostPattern>,
    /// Which way requests go.
    pub transport: TransportChoice,
    /// Which of the two URLs of an endpoint is tried first.
    pub prefer: Side,
    /// How long an answer is kept.
    pub keep: Duration,
    /// The longest time for one place to answer.
    pub attempt: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: None,
            address_book_url: None,
            autodiscover: None,
            user_dn: None,
            json: true,
            soap: true,
            srv: true,
            http_redirect: true,
            allowed_hosts: Vec::new(),
            transport: TransportChoice::Auto,
            prefer: Side::External,
            keep: KEEP,
            attempt: ATTEMPT,
        }
    }
}

/// From which side of a firewall a URL is reached.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Side {
    /// From the network of the servers.
    Internal,
    /// From anywhere.
    #[default]
    External,
}
