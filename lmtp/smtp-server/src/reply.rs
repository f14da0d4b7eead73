//! Replies: code, enhanced status code and text in one place, and what a store's failure means to a mail server.
//! Source: RFC 5321 4.2, RFC 3463.

use account::{Error, ErrorKind};

use crate::MailboxFull;

/// A reply of one line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Reply(pub(crate) &'static str);

impl Reply {
    pub(crate) const OK: Self = Self("250 2.0.0 ok");
    pub(crate) const SENDER_OK: Self = Self("250 2.1.0 sender ok");
    pub(crate) const RECIPIENT_OK: Self = Self("250 2.1.5 recipient ok");
    pub(crate) const DELIVERED: Self = Self("250 2.1.5 delivered");
    pub(crate) const CHUNK_OK: Self = Self("250 2.0.0 chunk received");
    pub(crate) const START_DATA: Self = Self("354 end with <CRLF>.<CRLF>");
    pub(crate) const START_TLS: Self = Self("220 2.0.0 ready to start TLS");
    pub(crate) const BYE: Self = Self("221 2.0.0 bye");
    pub(crate) const HELP: Self =
        Self("214 2.0.0 RFC 2033: LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS QUIT");
    pub(crate) const SUBMISSION_HELP: Self =
        Self("214 2.0.0 RFC 6409: EHLO AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS QUIT");
    pub(crate) const VERIFY: Self = Self("252 2.1.5 send mail and see");
    pub(crate) const AUTHENTICATED: Self = Self("235 2.7.0 welcome");
    pub(crate) const SHUTTING_DOWN: Self = Self("421 4.3.2 shutting down");
    pub(crate) const TIMEOUT: Self = Self("421 4.4.2 waited too long");
    pub(crate) const TOO_MANY_LOGINS: Self = Self("421 4.7.0 too many failed logins");
    pub(crate) const LOGIN_UNAVAILABLE: Self =
        Self("454 4.7.0 logins cannot be checked now, try again later");
    pub(crate) const QUEUE_FULL: Self = Self("452 4.3.1 the queue is full, try again later");
    pub(crate) const QUEUE_UNAVAILABLE: Self =
        Self("451 4.3.0 the message cannot be taken now, try again later");
    pub(crate) const TOO_MANY_ERRORS: Self = Self("421 4.7.0 too many errors");
    pub(crate) const TOO_MANY_RECIPIENTS: Self = Self("452 4.5.3 too many recipients");
    pub(crate) const UNKNOWN_COMMAND: Self = Self("500 5.5.2 command not recognized");
    pub(crate) const LINE_TOO_LONG: Self = Self("500 5.5.2 line too long");
    pub(crate) const BARE_OCTETS: Self =
        Self("500 5.5.2 a command holds no NUL, bare CR or bare LF");
    pub(crate) const USE_EHLO: Self = Self("500 5.5.1 this is submission: use EHLO");
    pub(crate) const USE_LHLO: Self = Self("500 5.5.1 this is LMTP: use LHLO");
    pub(crate) const NO_PARAMETERS: Self = Self("501 5.5.4 this command takes no parameters");
    pub(crate) const BAD_BASE64: Self = Self("501 5.5.2 expected base64");
    pub(crate) const RESPONSE_TOO_LONG: Self = Self("500 5.5.6 response too long");
    pub(crate) const AUTH_CANCELLED: Self = Self("501 5.7.0 authentication cancelled");
    pub(crate) const BAD_RESPONSE: Self = Self("501 5.5.2 response not understood");
    pub(crate) const REQUIRETLS_NEEDS_TLS: Self =
        Self("530 5.7.4 REQUIRETLS is for connections over TLS");
    pub(crate) const HOLD_TOO_LONG: Self = Self("501 5.5.4 that is too long to hold a message");
    pub(crate) const BAD_SENDER: Self = Self("501 5.1.7 sender address not understood");
    pub(crate) const BAD_RECIPIENT: Self = Self("501 5.1.3 recipient address not understood");
    pub(crate) const BAD_PARAMETER: Self = Self("501 5.5.4 parameter not understood");
    pub(crate) const UNSUPPORTED: Self = Self("502 5.5.1 command not implemented");
    pub(crate) const LHLO_FIRST: Self = Self("503 5.5.1 send LHLO first");
    pub(crate) const EHLO_FIRST: Self = Self("503 5.5.1 send EHLO first");
    pub(crate) const MAIL_FIRST: Self = Self("503 5.5.1 send MAIL first");
    pub(crate) const NESTED_MAIL: Self = Self("503 5.5.1 sender already given");
    pub(crate) const NO_RECIPIENTS: Self = Self("503 5.5.1 no valid recipients");
    pub(crate) const AUTHENTICATED_ALREADY: Self = Self("503 5.5.1 you are logged in");
    pub(crate) const NO_AUTH_NOW: Self = Self("503 5.5.1 no login within a transaction");
    pub(crate) const BINARY_NEEDS_BDAT: Self =
        Self("503 5.5.1 binary messages come by BDAT (RFC 3030)");
    pub(crate) const UNKNOWN_MECHANISM: Self = Self("504 5.5.4 mechanism not supported");
    pub(crate) const LOGIN_FIRST: Self = Self("530 5.7.0 log in first");
    pub(crate) const TLS_FIRST: Self = Self("538 5.7.11 start TLS before logging in");
    pub(crate) const WRONG_PASSWORD: Self = Self("535 5.7.8 wrong user name or password");
    pub(crate) const OTHER_IDENTITY: Self = Self("535 5.7.8 you may act for yourself only");
    pub(crate) const FORGED_SENDER: Self = Self("550 5.7.1 this is not your address");
    pub(crate) const FORGED_FROM: Self =
        Self("550 5.7.1 the message says it is from an address that is not yours");
    pub(crate) const NO_RECIPIENT_HERE: Self = Self("550 5.1.1 no such user here");
    pub(crate) const NO_RELAY: Self = Self("550 5.7.1 no mail goes out of here to this domain");
    pub(crate) const BARE_LINE_END: Self =
        Self("554 5.6.0 lines end with CRLF: this message has a CR or LF alone");
    pub(crate) const BAD_HEADER: Self = Self("554 5.6.0 the header cannot be sent");
    pub(crate) const LOOP: Self = Self("554 5.4.6 the message has passed too many mail servers");
    pub(crate) const NOT_WITHIN_BDAT: Self =
        Self("503 5.5.1 finish the message with BDAT LAST, or send RSET");
    pub(crate) const NO_TLS: Self = Self("502 5.5.1 STARTTLS is not available");
    pub(crate) const TLS_ALREADY: Self = Self("503 5.5.1 TLS is active");
    pub(crate) const DATA_BEHIND_STARTTLS: Self =
        Self("501 5.5.1 nothing may follow STARTTLS before the handshake");
    pub(crate) const TOO_BIG: Self = Self("552 5.3.4 message exceeds the size limit");
    pub(crate) const SENDER_FULL: Self =
        Self("552 5.2.2 your mailbox is full: delete something, then send again");
    pub(crate) const HEADER_TOO_BIG: Self =
        Self("552 5.3.4 the header is larger than can be checked");
    pub(crate) const UNKNOWN_PARAMETER: Self = Self("555 5.5.4 parameter not recognized");
    pub(crate) const SMTPUTF8_NEEDED: Self = Self("553 5.6.7 this address needs SMTPUTF8");

    /// Whether it counts against [`crate::Config::errors_max`].
    pub(crate) fn is_error(self) -> bool {
        self.0.starts_with(['4', '5'])
    }

    /// What a failed look-up of a recipient means. Nothing but certainty that nobody is there bounces mail.
    pub(crate) const fn recipient(error: &Error) -> Self {
        match error.kind {
            ErrorKind::NotFound => Self("550 5.1.1 no such user here"),
            ErrorKind::Invalid => Self::BAD_RECIPIENT,
            ErrorKind::Denied => Self("550 5.7.1 no mail is taken for this address"),
            ErrorKind::Quota => Self("452 4.2.2 mailbox full"),
            ErrorKind::TooBig => Self::TOO_BIG,
            ErrorKind::Unsupported
            | ErrorKind::Conflict
            | ErrorKind::Corrupt
            | ErrorKind::Exists
            | ErrorKind::Internal
            | ErrorKind::Throttled
            | ErrorKind::Unauthenticated
            | ErrorKind::Unavailable => Self("451 4.3.0 directory not available, try again later"),
        }
    }

    /// What a failed delivery means for one recipient.
    pub(crate) fn delivery(error: &Error, full: MailboxFull) -> Self {
        match error.kind {
            ErrorKind::Quota if full == MailboxFull::Refuse => Self("552 5.2.2 mailbox full"),
            ErrorKind::Unavailable if error.is_disk_full() => {
                Self("452 4.3.1 no room for mail, try again later")
            }
            ErrorKind::Unavailable => Self("451 4.3.0 mailbox out of reach, try again later"),
            ErrorKind::Quota => Self("452 4.2.2 mailbox full"),
            ErrorKind::TooBig => Self::TOO_BIG,
            // The mailbox went between RCPT and now: the next attempt is told so at RCPT.
            ErrorKind::NotFound => Self("450 4.2.1 mailbox not available"),
            ErrorKind::Conflict
            | ErrorKind::Corrupt
            | ErrorKind::Denied
            | ErrorKind::Exists
            | ErrorKind::Internal
            | ErrorKind::Invalid
            | ErrorKind::Throttled
            | ErrorKind::Unauthenticated
            | ErrorKind::Unsupported => Self("451 4.3.0 delivery failed, try again later"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{Error, ErrorKind, MailboxFull, Reply};

    #[test]
    fn what_keeps_mail_out_for_now_is_told_by_its_kind() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let broken = io::Error::from(io::ErrorKind::BrokenPipe);
        let with = |source| Error::with_source(ErrorKind::Unavailable, "saving", source);
        let cases = [
            (with(full), "452 4.3.1"),
            (with(broken), "451 4.3.0"),
            (
                Error::new(ErrorKind::Unavailable, "server away"),
                "451 4.3.0",
            ),
            (Error::new(ErrorKind::Quota, "mailbox"), "452 4.2.2"),
            (Error::new(ErrorKind::NotFound, "mailbox"), "450 4.2.1"),
        ];
        for (error, code) in cases {
            assert!(
                Reply::delivery(&error, MailboxFull::TryLater)
                    .0
                    .starts_with(code),
                "{error}"
            );
        }
        let full = Error::new(ErrorKind::Quota, "mailbox");
        let refused = Reply::delivery(&full, MailboxFull::Refuse);
        assert!(refused.0.starts_with("552 5.2.2"));
        let gone = Error::new(ErrorKind::NotFound, "recipient");
        assert!(Reply::recipient(&gone).0.starts_with("550 5.1.1"));
        let away = Error::new(ErrorKind::Unavailable, "server away");
        assert!(Reply::recipient(&away).0.starts_with("451 4.3.0"));
    }
}
