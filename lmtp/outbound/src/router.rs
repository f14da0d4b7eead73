//! Where a recipient's mail goes: the gateway knows, and hands over itself what stays inside.

use std::{future::Future, pin::Pin, sync::Arc, time::SystemTime};

use crate::{
    BodyKind, Purpose, QueueId,
    answer::{Answer, Outcome},
    content::Content,
    hop::Credentials,
};

/// A boxed answer.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a recipient's mail goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Route {
    /// To [`Router::deliver`].
    Inside,
    /// To these addresses inside instead, each on its own; which of them go by a mail server is asked for each.
    Several(Vec<String>),
    /// To the mail server of this name.
    Hop(Arc<str>),
}

/// From whom a message comes, for the choice of a route.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The reverse path.
    pub sender: &'a str,
    /// Who signed in to submit it.
    pub submitter: Option<&'a str>,
}

/// What the gateway knows about recipients, and what it does with mail that stays inside.
pub trait Router: Send + Sync {
    /// Where mail for `address` goes; inside also for what is nobody's there, so that it is refused there.
    ///
    /// Errors: an answer of class 4, when that cannot be told now.
    fn route<'a>(&'a self, origin: Origin<'a>, address: &'a str)
    -> Task<'a, Result<Route, Answer>>;

    /// Whether mail for an address that is not inside goes anywhere.
    fn relays(&self, address: &str) -> bool;

    /// Whether mail for a mailbox that is inside goes by a mail server, too.
    fn relays_inside(&self, _mailbox: &str) -> bool {
        false
    }

    /// Hands a message over to recipients inside; one outcome for each, in their order. A recipient for whom this was done
    /// before (the queue was killed before it could note so) is to be delivered once: id and time of arrival tell.
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Task<'a, Vec<Outcome>>;

    /// With what to sign in at a mail server that wants the submitter's own name; `None`: not known now.
    fn credentials<'a>(&'a self, submitter: &'a str) -> Task<'a, Option<Credentials>>;
}

/// A message for some of its recipients.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The message's name in the queue.
    pub id: QueueId,
    /// What is to be done with it.
    pub purpose: Purpose,
    /// The reverse path.
    pub sender: String,
    /// Who signed in to submit it.
    pub submitter: Option<String>,
    /// Whether addresses or header fields are in UTF-8.
    pub utf8: bool,
    /// What octets it has.
    pub body: BodyKind,
    /// When it was submitted.
    pub arrived: SystemTime,
    /// The forward paths, in order.
    pub recipients: Vec<String>,
    /// The message.
    pub content: Content,
}
