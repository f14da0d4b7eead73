//! Opens a TCP connection to the first of a host's addresses that answers (RFC 8305, "happy eyeballs").

use std::{io, net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{net::TcpStream, time::timeout};
use url::Host;

use super::{Error, Kind};

/// How long an address is tried alone before the next is tried beside it (RFC 8305 section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// How many of a host's addresses are tried.
const ADDRESSES_MAX: usize = 16;

/// Which addresses may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Any.
    Anywhere,
    /// Those of this machine: the connection will not be encrypted, and a name may resolve to anything.
    Loopback,
}

/// Connects to a host. Errors: `Resolve`, `Connect`.
pub(crate) async fn dial(host: &Host<String>, port: u16, reach: Reach) -> Result<TcpStream, Error> {
    let mut addresses = resolve(host, port).await?;
    if reach == Reach::Loopback {
        addresses.retain(|address| address.ip().to_canonical().is_loopback());
    }
    if addresses.is_empty() {
        return Err(Error::unsent(Kind::Resolve));
    }
    let stream = first_to_answer(alternate_families(addresses))
        .await
        .map_err(|cause| Error::unsent(Kind::Connect).because(cause))?;
    // Requests are written whole: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn resolve(host: &Host<String>, port: u16) -> Result<Vec<SocketAddr>, Error> {
    match host {
        Host::Ipv4(address) => Ok(vec![((*address), port).into()]),
        Host::Ipv6(address) => Ok(vec![((*address), port).into()]),
        Host::Domain(name) => tokio::net::lookup_host((name.as_str(), port))
            .await
            .map(Iterator::collect)
            .map_err(|cause| Error::unsent(Kind::Resolve).because(cause)),
    }
}

/// Takes the families by turns, beginning with the one the resolver prefers (RFC 8305 section 4).
fn alternate_families(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let longest = preferred.len().max(other.len());
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    (0..longest)
        .flat_map(|_| [preferred.next(), other.next()])
        .flatten()
        .take(ADDRESSES_MAX)
        .collect()
}

async fn first_to_answer(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        attempts.extend(waiting.next().map(TcpStream::connect));
        let next = if waiting.len() == 0 {
            Ok(attempts.next().await)
        } else {
            timeout(ATTEMPT_DELAY, attempts.next()).await
        };
        match next {
            Ok(Some(Ok(stream))) => return Ok(stream),
            Ok(Some(Err(error))) => last = error,
            Ok(None) => return Err(last),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_and_the_number_is_bounded() {
        let parse = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        assert_eq!(
            alternate_families(parse(&["[::1]:1", "[::2]:1", "10.0.0.1:1", "[::3]:1"])),
            parse(&["[::1]:1", "10.0.0.1:1", "[::2]:1", "[::3]:1"])
        );
        assert_eq!(
            alternate_families(parse(&["10.0.0.1:1", "10.0.0.2:1", "[::1]:1"])),
            parse(&["10.0.0.1:1", "[::1]:1", "10.0.0.2:1"])
        );
        let many = (0..200)
            .map(|n| SocketAddr::from(([10, 0, 0, n], 1)))
            .collect();
        assert_eq!(alternate_families(many).len(), ADDRESSES_MAX);
    }

    #[tokio::test]
    async fn an_address_that_refuses_gives_way_to_the_next() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let closed = {
            let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            gone.local_addr().unwrap()
        };
        let stream = first_to_answer(vec![closed, open]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open);
        let refused = first_to_answer(vec![closed]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
