//! How guessing of passwords is slowed, whatever protocol it comes by.

use std::{future::Future, net::IpAddr, pin::Pin};

/// Slows guessing of passwords. Shared by all front ends, so that attempts on one count on all.
pub trait Throttle: Send + Sync {
    /// Waits until somebody from there may try to log in as that user. The attempt counts from then on.
    fn attempt<'a>(&'a self, addr: Option<IpAddr>, user: &'a str) -> Turn<'a>;
}

/// The wait for an attempt.
pub type Turn<'a> = Pin<Box<dyn Future<Output = Box<dyn Attempt>> + Send + 'a>>;

/// A login that is being checked. Dropping it counts it as refused.
pub trait Attempt: Send + Sync {
    /// Takes note of what came of it.
    fn end(self: Box<Self>, outcome: LoginOutcome);
}

/// How a login ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LoginOutcome {
    /// The user proved who they are.
    Accepted,
    /// They did not.
    Refused,
    /// Nobody could tell: what knows the users is away.
    Undecided,
}

/// A throttle that never slows anybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unthrottled;

impl Throttle for Unthrottled {
    fn attempt<'a>(&'a self, _: Option<IpAddr>, _: &'a str) -> Turn<'a> {
        Box::pin(async { Box::new(Self) as Box<dyn Attempt> })
    }
}

impl Attempt for Unthrottled {
    fn end(self: Box<Self>, _: LoginOutcome) {}
}
