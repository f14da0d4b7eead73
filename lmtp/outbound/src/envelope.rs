//! What goes with a message and is not in it: who sends it, to whom, and how.

use std::time::SystemTime;

/// An envelope. Source: RFC 5321 2.3.1, and the extensions that its fields name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Envelope {
    /// What it is put into the queue for.
    pub purpose: Purpose,
    /// The reverse path; empty for reports, which are never reported on.
    pub sender: String,
    /// Who signed in to submit it; `None` for what the gateway itself sends.
    pub submitter: Option<String>,
    /// ENVID, decoded (RFC 3461 4.4).
    pub envelope_id: Option<String>,
    /// RET: how much of the message a report of failure returns (RFC 3461 4.3).
    pub returned: Returned,
    /// BODY (RFC 6152, RFC 3030).
    pub body: BodyKind,
    /// Whether addresses or header fields are in UTF-8 (RFC 6531).
    pub utf8: bool,
    /// Whether it goes over TLS all the way or not at all (RFC 8689).
    pub require_tls: bool,
    /// When it is to go out at the earliest (RFC 4865).
    pub hold_until: Option<SystemTime>,
    /// To whom it goes, in order.
    pub recipients: Vec<Recipient>,
}

/// What a message is put into the queue for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Purpose {
    /// To be delivered to its recipients.
    #[default]
    Mail,
    /// To be kept among what its recipients, which are mailboxes inside, have sent.
    SentCopy,
}

/// To whom a message goes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recipient {
    /// The forward path.
    pub address: String,
    /// ORCPT, decoded, with its type: `rfc822;anna@example.test` (RFC 3461 4.2).
    pub original: Option<String>,
    /// NOTIFY.
    pub notify: Notify,
}

impl Recipient {
    /// A recipient about whom nothing special was said.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            ..Self::default()
        }
    }

    /// Somebody for whom this recipient stands: reports go on naming who was meant (RFC 3461 5.2.7).
    pub(crate) fn instead(&self, address: String) -> Self {
        let original = self.original.clone();
        Self {
            address,
            original: original.or_else(|| Some(format!("rfc822;{}", self.address))),
            notify: self.notify,
        }
    }
}

/// How much of a message a report of failure returns.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Returned {
    /// Nothing was asked for: the header is returned.
    #[default]
    Unsaid,
    /// The header.
    Header,
    /// The whole message, when it is not too large.
    Full,
}

/// What octets a message has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum BodyKind {
    /// Lines of ASCII.
    #[default]
    SevenBit,
    /// Lines.
    EightBit,
    /// Any octets; only BDAT carries it.
    Binary,
}

/// When the sender wants to hear of a recipient: NOTIFY of RFC 3461 4.1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Notify(u8);

impl Notify {
    /// Nothing was asked for: failures are reported, and delays.
    pub const UNSAID: Self = Self(0);
    /// Of nothing.
    pub const NEVER: Self = Self(1);
    /// When it was delivered.
    pub const SUCCESS: Self = Self(2);
    /// When it failed.
    pub const FAILURE: Self = Self(4);
    /// When it is late.
    pub const DELAY: Self = Self(8);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// As one octet, for the queue's file.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Whether the sender hears of a failure.
    pub const fn of_failure(self) -> bool {
        self.0 == 0 || self.0 & Self::FAILURE.0 != 0
    }

    /// Whether the sender hears of a delay.
    pub const fn of_delay(self) -> bool {
        self.0 == 0 || self.0 & Self::DELAY.0 != 0
    }

    /// Whether the sender hears of a delivery.
    pub const fn of_success(self) -> bool {
        self.0 & Self::SUCCESS.0 != 0
    }

    /// As a parameter says it; `None` when nothing was said.
    pub(crate) fn keywords(self) -> Option<String> {
        if self.0 & Self::NEVER.0 != 0 {
            return Some("NEVER".to_owned());
        }
        let all = [
            (Self::SUCCESS, "SUCCESS"),
            (Self::FAILURE, "FAILURE"),
            (Self::DELAY, "DELAY"),
        ];
        let said: Vec<_> = all
            .iter()
            .filter(|(bit, _)| self.0 & bit.0 != 0)
            .map(|(_, keyword)| *keyword)
            .collect();
        (!said.is_empty()).then(|| said.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_said_is_failure_and_delay() {
        let unsaid = Notify::UNSAID;
        assert!(unsaid.of_failure() && unsaid.of_delay() && !unsaid.of_success());
        assert_eq!(unsaid.keywords(), None);
        let success = Notify::SUCCESS;
        assert!(!success.of_failure() && !success.of_delay() && success.of_success());
        let never = Notify::NEVER;
        assert!(!never.of_failure() && !never.of_delay() && !never.of_success());
        assert_eq!(never.keywords().as_deref(), Some("NEVER"));
        let both = success.and(Notify::DELAY);
        assert_eq!(both.keywords().as_deref(), Some("SUCCESS,DELAY"));
    }
}
