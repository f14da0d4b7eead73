//! What this program calls itself before servers.

use mapi_wire::{Guid, http::Version};

/// Its version: servers grant features by it. Source: MS-OXCMAPIHTTP 2.2.3.3.6, MS-OXCRPC 3.2.4.1.3.
pub(crate) const CLIENT_VERSION: Version = Version([16, 0, 17928, 20114]);

/// The same as X-ClientApplication says it.
pub(crate) fn client_application() -> String {
    format!("Outlook/{CLIENT_VERSION}")
}

/// A GUID that nobody else has.
pub(crate) fn new_guid() -> Guid {
    let mut octets = [0; 16];
    // Without randomness no TLS connection comes about, so this does not fail alone.
    let _ = getrandom::fill(&mut octets);
    Guid(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_say_the_version_say_the_same() {
        let said = client_application();
        assert_eq!(said, "Outlook/16.0.17928.20114");
        assert_eq!(Version::from_application(&said), Some(CLIENT_VERSION));
        assert_ne!(new_guid(), new_guid());
    }
}
