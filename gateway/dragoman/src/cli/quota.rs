//! `dragoman quota` on the command line.

use clap::{Args, Subcommand};

use super::Place;
use crate::command::{Amount, QuotaChange};

#[derive(Debug, Subcommand)]
pub(crate) enum Quota {
    /// Say what a mailbox may hold and what it holds; also beside a running server.
    Show {
        /// The mailbox's address; without one, a line for each mailbox.
        mailbox: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Give a mailbox limits of its own. Those that are not named stay what they are.
    Set {
        /// The mailbox's address.
        mailbox: String,
        #[command(flatten)]
        limits: Limits,
        #[command(flatten)]
        place: Place,
    },
    /// Let the limits for all mailboxes count again.
    Unset {
        /// The mailbox's address.
        mailbox: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Limits to be set.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct Limits {
    /// Octets beyond which the owner is warned, such as 900M; `none`: no limit.
    #[arg(long, value_name = "SIZE")]
    warn: Option<Amount>,
    /// Octets beyond which the owner cannot send.
    #[arg(long, value_name = "SIZE")]
    send: Option<Amount>,
    /// Octets beyond which nothing is taken in.
    #[arg(long, value_name = "SIZE")]
    receive: Option<Amount>,
    /// Messages beyond which the owner is warned.
    #[arg(long, value_name = "NUMBER")]
    warn_messages: Option<Amount>,
    /// Messages beyond which the owner cannot send.
    #[arg(long, value_name = "NUMBER")]
    send_messages: Option<Amount>,
    /// Messages beyond which nothing is taken in.
    #[arg(long, value_name = "NUMBER")]
    receive_messages: Option<Amount>,
}

impl From<Limits> for QuotaChange {
    fn from(limits: Limits) -> Self {
        Self {
            warn: Amount::asked(limits.warn),
            send: Amount::asked(limits.send),
            receive: Amount::asked(limits.receive),
            warn_messages: Amount::asked(limits.warn_messages),
            send_messages: Amount::asked(limits.send_messages),
            receive_messages: Amount::asked(limits.receive_messages),
        }
    }
}
