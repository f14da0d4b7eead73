//! Slows down those who guess passwords, on every listener together.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Instant,
};

use directory::{Directory, Throttle, ThrottleLimits};
use front_end::{LoginOutcome, Turn};
use tokio::{sync::Notify, time::timeout};

/// Failed logins, counted per peer and per user whatever spelling of the name they try.
pub(crate) struct LoginThrottle {
    throttle: Arc<Throttle>,
    directory: Arc<Directory>,
    /// Told when an attempt ended that was not refused: others may go on earlier.
    eased: Arc<Notify>,
}

/// A login that is being checked.
struct Attempt {
    counted: directory::Attempt,
    eased: Arc<Notify>,
}

impl LoginThrottle {
    pub(crate) fn new(directory: Arc<Directory>) -> Self {
        Self {
            throttle: Arc::new(Throttle::new(ThrottleLimits::default())),
            directory,
            eased: Arc::default(),
        }
    }

    async fn turn(&self, addr: Option<IpAddr>, user: &str) -> Box<dyn front_end::Attempt> {
        // A peer without an address is on this machine.
        let addr = addr.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let name = self.directory.throttle_name(user);
        let since = Instant::now();
        loop {
            let mut eased = std::pin::pin!(self.eased.notified());
            // What happens from here on is not missed.
            eased.as_mut().enable();
            match self.throttle.begin((addr, &name), since, Instant::now()) {
                Ok(counted) => {
                    return Box::new(Attempt {
                        counted,
                        eased: Arc::clone(&self.eased),
                    });
                }
                Err(wait) => {
                    let _ = timeout(wait, eased).await;
                }
            }
        }
    }
}

impl front_end::Throttle for LoginThrottle {
    fn attempt<'a>(&'a self, addr: Option<IpAddr>, user: &'a str) -> Turn<'a> {
        Box::pin(self.turn(addr, user))
    }
}

impl front_end::Attempt for Attempt {
    fn end(self: Box<Self>, outcome: LoginOutcome) {
        let Self { counted, eased } = *self;
        let now = Instant::now();
        match outcome {
            LoginOutcome::Accepted => counted.accepted(now),
            LoginOutcome::Refused => return counted.refused(now),
            LoginOutcome::Undecided => counted.undecided(now),
        }
        eased.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use front_end::Throttle as _;

    use super::*;

    /// How many of `count` attempts made at once have a turn without waiting.
    async fn at_once(throttle: &LoginThrottle, count: usize) -> Vec<Box<dyn front_end::Attempt>> {
        let mut turns = Vec::new();
        for _ in 0..count {
            tokio::select! {
                biased;
                turn = throttle.attempt(None, "alice@example.test") => turns.push(turn),
                () = std::future::ready(()) => {}
            }
        }
        turns
    }

    #[tokio::test]
    async fn parallel_guesses_do_not_outrun_the_count() {
        let throttle = LoginThrottle::new(Arc::new(Directory::in_memory().unwrap()));
        let turns = at_once(&throttle, 50).await;
        assert_eq!(turns.len(), 3);
        turns
            .into_iter()
            .for_each(|turn| turn.end(LoginOutcome::Refused));
        assert_eq!(at_once(&throttle, 50).await.len(), 0);
    }

    #[tokio::test]
    async fn those_who_wait_go_on_when_the_user_gets_in() {
        let throttle = LoginThrottle::new(Arc::new(Directory::in_memory().unwrap()));
        let mut turns = at_once(&throttle, 50).await;
        let waiting = throttle.attempt(None, "ALICE@example.test");
        let first = turns.pop().unwrap();
        let began = Instant::now();
        let (_turn, ()) = tokio::join!(waiting, async { first.end(LoginOutcome::Accepted) });
        // Without the word of it, the wait is a second.
        assert!(began.elapsed().as_millis() < 900);
    }
}
