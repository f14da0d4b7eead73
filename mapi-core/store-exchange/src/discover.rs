//! Finding a user's mailbox: what the session layer gets its server from.
//!
//! A [`Locator`] asks for one user, as that user: it takes what is configured, asks Autodiscover for the rest, and keeps
//! the answer. Who a password is sent to is the heart of it, see [`trust`]: to hosts that are configured, that are the
//! user's own domain, or that one of these has named over TLS; never to one that only DNS or plain HTTP names, unless it
//! is within the domain or allowed by configuration. Each host is asked without credentials first, so that one that does
//! not want them does not see them. What was tried is told step by step in a [`Trail`].
//!
//! Source: MS-OXDISCO 3.1.5, MS-OXDSCLI 3.1.5.

mod ask;
mod failure;
mod found;
mod kept;
mod locator;
mod network;
mod options;
mod search;
mod soap;
mod trail;
mod transport;
mod trust;

#[cfg(test)]
mod tests;

pub use self::{
    failure::{Failure, Reason},
    found::Found,
    locator::{Locator, Subject, User},
    options::{Options, Side},
    trail::{Attempt, Outcome, Step, Trail},
    transport::{Transport, TransportChoice},
    trust::{Distrust, HostPattern},
};
