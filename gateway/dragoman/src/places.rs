//! How many connections one peer may have on one listener, so that a single host cannot take every place.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::network;

/// Open connections by listener and peer. Peers on this machine are not counted.
#[derive(Debug)]
pub(crate) struct Places {
    each_max: usize,
    taken: Mutex<HashMap<(&'static str, IpAddr), usize>>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    key: Option<(&'static str, IpAddr)>,
}

impl Places {
    pub(crate) fn new(each_max: usize) -> Arc<Self> {
        Arc::new(Self {
            each_max,
            taken: Mutex::default(),
        })
    }

    /// Takes a place; `None` when the peer has as many as it may.
    pub(crate) fn take(
        self: &Arc<Self>,
        listener: &'static str,
        address: Option<IpAddr>,
    ) -> Option<Place> {
        let counted = address.filter(|address| !address.to_canonical().is_loopback());
        let key = counted.map(|address| (listener, network::peer(address)));
        if let Some(key) = key {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let count = taken.entry(key).or_default();
            if *count >= self.each_max {
                return None;
            }
            *count += 1;
        }
        Some(Place {
            places: Arc::clone(self),
            key,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut taken = self
            .places
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_does_not_take_the_places_of_another() {
        let places = Places::new(2);
        let take = |listener, address: &str| places.take(listener, address.parse().ok());
        let held: Vec<_> = ["192.0.2.1", "::ffff:192.0.2.1"]
            .map(|address| take("imap", address))
            .into();
        assert!(take("imap", "192.0.2.1").is_none());
        assert!(take("imap", "192.0.2.2").is_some());
        assert!(take("imaps", "192.0.2.1").is_some());
        drop(held);
        assert!(take("imap", "192.0.2.1").is_some());
        assert!(places.taken.lock().unwrap().is_empty());
    }

    #[test]
    fn an_ipv6_host_is_its_network_and_this_machine_is_not_counted() {
        let places = Places::new(1);
        let take = |address: Option<&str>| places.take("imap", address.map(|a| a.parse().unwrap()));
        let _first = take(Some("2001:db8::1"));
        assert!(take(Some("2001:db8::ffff:1")).is_none());
        let _local = [
            take(Some("127.0.0.1")),
            take(Some("127.0.0.1")),
            take(None),
            take(None),
        ]
        .map(|place| place.unwrap());
    }
}
