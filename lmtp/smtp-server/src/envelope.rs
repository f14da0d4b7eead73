//! MAIL and RCPT: from whom, to whom, how.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use account::{
    Destination, SendRight,
    envelope::{BodyKind, Envelope, Notify, Recipient as To, Returned},
    mime::date,
};
use front_end::TlsState;
use smtp_proto::{
    MAIL_BODY_8BITMIME, MAIL_BODY_BINARYMIME, MAIL_REQUIRETLS, MAIL_RET_FULL, MAIL_RET_HDRS,
    MAIL_SMTPUTF8, MailFrom, RCPT_NOTIFY_DELAY, RCPT_NOTIFY_FAILURE, RCPT_NOTIFY_NEVER,
    RCPT_NOTIFY_SUCCESS, RcptTo,
};

use crate::{
    reply::Reply,
    server::Profile,
    session::Session,
    transaction::{Recipient, Transaction},
};

impl Session<'_> {
    pub(crate) async fn mail(&mut self, from: MailFrom<Cow<'_, str>>) -> Reply {
        if self.client_name.is_none() {
            return match self.server.profile {
                Profile::Delivery => Reply::LHLO_FIRST,
                Profile::Submission(_) => Reply::EHLO_FIRST,
            };
        }
        if self.transaction.is_some() {
            return Reply::NESTED_MAIL;
        }
        if from.size as u64 > self.server.config.message_bytes_max {
            return Reply::TOO_BIG;
        }
        let envelope = match self.envelope(from) {
            Ok(envelope) => envelope,
            Err(reply) => return reply,
        };
        if !envelope.utf8 && !envelope.sender.is_ascii() {
            return Reply::SMTPUTF8_NEEDED;
        }
        if let Err(reply) = self.may_send(&envelope.sender).await {
            return reply;
        }
        self.transaction = Some(Transaction::new(envelope));
        Reply::SENDER_OK
    }

    /// What the parameters of MAIL say, as far as this profile takes them.
    fn envelope(&self, from: MailFrom<Cow<'_, str>>) -> Result<Envelope, Reply> {
        let has = |flag| from.flags & flag != 0;
        let submits = matches!(self.server.profile, Profile::Submission(_));
        let holds = from.hold_for != 0 || from.hold_until != 0;
        if !submits && (has(MAIL_BODY_BINARYMIME) || has(MAIL_REQUIRETLS) || holds) {
            return Err(Reply::UNKNOWN_PARAMETER);
        }
        if has(MAIL_REQUIRETLS) && self.peer.tls != TlsState::Active {
            return Err(Reply::REQUIRETLS_NEEDS_TLS);
        }
        Ok(Envelope {
            body: match () {
                () if has(MAIL_BODY_BINARYMIME) => BodyKind::Binary,
                () if has(MAIL_BODY_8BITMIME) => BodyKind::EightBit,
                () => BodyKind::SevenBit,
            },
            returned: match () {
                () if has(MAIL_RET_FULL) => Returned::Full,
                () if has(MAIL_RET_HDRS) => Returned::Header,
                () => Returned::Unsaid,
            },
            utf8: has(MAIL_SMTPUTF8),
            require_tls: has(MAIL_REQUIRETLS),
            hold_until: self.hold_until(&from)?,
            envelope_id: from.env_id.map(Cow::into_owned),
            sender: path(from.address),
            ..Envelope::default()
        })
    }

    /// HOLDFOR and HOLDUNTIL (RFC 4865 4): in seconds, and as a time that the parser gives in seconds since 1970.
    fn hold_until(&self, from: &MailFrom<Cow<'_, str>>) -> Result<Option<SystemTime>, Reply> {
        let (now, max) = (SystemTime::now(), self.server.config.hold_time_max);
        let until = match (from.hold_for, from.hold_until) {
            (0, 0) => return Ok(None),
            (seconds, 0) => now.checked_add(Duration::from_secs(seconds)),
            (0, time) => SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(time)),
            _ => return Err(Reply::BAD_PARAMETER),
        };
        let late = until.is_none_or(|until| until > now + max);
        if late {
            return Err(Reply::HOLD_TOO_LONG);
        }
        Ok(until)
    }

    /// The latest time for HOLDUNTIL, as RFC 4865 3 wants it.
    pub(crate) fn latest_release(&self) -> String {
        let latest = SystemTime::now() + self.server.config.hold_time_max;
        let since = latest.duration_since(SystemTime::UNIX_EPOCH);
        let seconds = since.unwrap_or_default().as_secs();
        date::rfc3339(i64::try_from(seconds).unwrap_or_default())
    }

    /// Whether who has logged in may send in this name. Reports have no sender, and only servers send them.
    async fn may_send(&self, sender: &str) -> Result<(), Reply> {
        if let Profile::Delivery = self.server.profile {
            return Ok(());
        }
        let principal = self.principal.as_ref().ok_or(Reply::LOGIN_FIRST)?;
        match self.server.accounts.send_right(principal, sender).await {
            // What follows from a right on behalf of somebody, the header tells.
            Ok(SendRight::Own | SendRight::As | SendRight::OnBehalf) => Ok(()),
            Ok(SendRight::None) => {
                tracing::info!(
                    connection = self.peer.id,
                    user = principal.user,
                    "sender refused"
                );
                Err(Reply::FORGED_SENDER)
            }
            Err(error) => {
                tracing::warn!(connection = self.peer.id, %error, "sender cannot be looked up");
                Err(Reply::recipient(&error))
            }
        }
    }

    pub(crate) async fn recipient(&mut self, mut to: RcptTo<Cow<'_, str>>) -> Reply {
        to.address = path(to.address).into();
        let Some(transaction) = &mut self.transaction else {
            return Reply::MAIL_FIRST;
        };
        if transaction.count() >= self.server.config.recipients_max {
            return Reply::TOO_MANY_RECIPIENTS;
        }
        if !transaction.envelope.utf8 && !to.address.is_ascii() {
            return Reply::SMTPUTF8_NEEDED;
        }
        let accounts = &self.server.accounts;
        let looked_up = match self.server.profile {
            Profile::Delivery => accounts.resolve(&to.address).await.map(|mailboxes| {
                transaction.recipients.push(Recipient {
                    address: to.address.into_owned(),
                    mailboxes,
                });
                Reply::RECIPIENT_OK
            }),
            Profile::Submission(_) => {
                let destination = accounts.destination(&to.address).await;
                destination.map(|destination| match destination {
                    Destination::Nobody => Reply::NO_RECIPIENT_HERE,
                    Destination::OutOfReach => Reply::NO_RELAY,
                    Destination::Here | Destination::Elsewhere => {
                        transaction.envelope.recipients.push(recipient(to));
                        Reply::RECIPIENT_OK
                    }
                })
            }
        };
        looked_up.unwrap_or_else(|error| {
            let reply = Reply::recipient(&error);
            if reply.0.starts_with('4') {
                tracing::warn!(connection = self.peer.id, %error, "recipient cannot be looked up");
            }
            reply
        })
    }
}

/// A path as it goes between angle brackets: the parser takes the quotes away that a local part may need.
/// Source: RFC 5321 4.1.2, RFC 6531 3.3.
fn path(address: Cow<'_, str>) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return address.into_owned();
    };
    let atom = |part: &str| {
        let plain = |one: char| {
            one.is_alphanumeric() || !one.is_ascii() || "!#$%&'*+-/=?^_`{|}~".contains(one)
        };
        !part.is_empty() && part.chars().all(plain)
    };
    if local.split('.').all(atom) {
        return address.into_owned();
    }
    let mut quoted = String::from("\"");
    for one in local.chars() {
        if matches!(one, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(one);
    }
    format!("{quoted}\"@{domain}")
}

/// A recipient with what was said of reports (RFC 3461 4).
fn recipient(to: RcptTo<Cow<'_, str>>) -> To {
    let mut notify = Notify::UNSAID;
    for (flag, meaning) in [
        (RCPT_NOTIFY_NEVER, Notify::NEVER),
        (RCPT_NOTIFY_SUCCESS, Notify::SUCCESS),
        (RCPT_NOTIFY_FAILURE, Notify::FAILURE),
        (RCPT_NOTIFY_DELAY, Notify::DELAY),
    ] {
        if to.flags & flag != 0 {
            notify = notify.and(meaning);
        }
    }
    To {
        address: to.address.into_owned(),
        original: to.orcpt.map(|original| format!("rfc822;{original}")),
        notify,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_parts_get_their_quotes_back() {
        for (address, expected) in [
            ("bob@other.test", "bob@other.test"),
            ("b.o'b+x@other.test", "b.o'b+x@other.test"),
            ("b\u{f6}b@other.test", "b\u{f6}b@other.test"),
            ("john smith@other.test", "\"john smith\"@other.test"),
            ("a@b@other.test", "\"a@b\"@other.test"),
            ("a\"b\\@other.test", "\"a\\\"b\\\\\"@other.test"),
            (".a@other.test", "\".a\"@other.test"),
            ("", ""),
            ("postmaster", "postmaster"),
        ] {
            assert_eq!(path(address.into()), expected);
        }
    }
}
