//! Networks in CIDR notation, as configuration names them.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// A network: an address and how many of its bits count. IPv4 is kept mapped into IPv6.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether an address lies in it.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let (mine, theirs) = (self.address.to_canonical(), address.to_canonical());
        let width = if mine.is_ipv4() { 32 } else { 128 };
        mine.is_ipv4() == theirs.is_ipv4()
            && (bits(mine) ^ bits(theirs)) >> (width - self.prefix) == 0
    }
}

/// The address as a number, its last bit the lowest. A shift by all 128 bits must give 0, which `u128` cannot say.
fn bits(address: IpAddr) -> Bits {
    Bits(match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    })
}

#[derive(Clone, Copy)]
struct Bits(u128);

impl std::ops::BitXor for Bits {
    type Output = Self;
    fn bitxor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }
}

impl std::ops::Shr<u8> for Bits {
    type Output = u128;
    fn shr(self, count: u8) -> u128 {
        self.0.checked_shr(count.into()).unwrap_or(0)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no network, such as 192.0.2.0/24 or 2001:db8::1");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= width),
            None => Some(width),
        };
        Ok(Self {
            address,
            prefix: prefix.ok_or_else(wrong)?,
        })
    }
}

impl TryFrom<String> for Network {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

/// What counts as one peer: an IPv4 address, or the /64 that an IPv6 host has to itself.
pub(crate) fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(network: &str, address: &str, expected: bool) {
        let network: Network = network.parse().unwrap();
        let found = network.contains(address.parse().unwrap());
        assert_eq!(found, expected, "{network} {address}");
    }

    #[test]
    fn a_network_contains_what_shares_its_prefix() {
        check("192.0.2.0/24", "192.0.2.255", true);
        check("192.0.2.0/24", "::ffff:192.0.2.1", true);
        check("192.0.2.0/24", "192.0.3.0", false);
        check("192.0.2.7", "192.0.2.7", true);
        check("192.0.2.7", "192.0.2.6", false);
        check("0.0.0.0/0", "198.51.100.1", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("2001:db8::/32", "2001:db8:ffff::1", true);
        check("::/0", "2001:db8::1", true);
        check("::1", "::1", true);
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "192.0.2.0/33", "::1/129", "example.test", "192.0.2.0/x"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
