//! Slows down those who guess passwords, on every listener together.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant},
};

use directory::{Directory, Throttle, ThrottleLimits};
use imap_server::LoginOutcome;

/// Failed logins, counted per peer and per user whatever spelling of the name they try.
pub(crate) struct LoginThrottle {
    throttle: Throttle,
    directory: Arc<Directory>,
}

impl LoginThrottle {
    pub(crate) fn new(directory: Arc<Directory>) -> Self {
        Self {
            throttle: Throttle::new(ThrottleLimits::default()),
            directory,
        }
    }
}

/// A peer without an address is on this machine.
fn address(addr: Option<IpAddr>) -> IpAddr {
    addr.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

impl imap_server::Throttle for LoginThrottle {
    fn delay(&self, addr: Option<IpAddr>, user: &str) -> Duration {
        self.throttle.delay(
            address(addr),
            &self.directory.throttle_name(user),
            Instant::now(),
        )
    }

    fn note(&self, addr: Option<IpAddr>, user: &str, outcome: LoginOutcome) {
        let user = self.directory.throttle_name(user);
        match outcome {
            LoginOutcome::Accepted => self.throttle.succeeded(&user),
            LoginOutcome::Refused => self.throttle.failed(address(addr), &user, Instant::now()),
        }
    }
}
