//! A private Postfix that delivers by LMTP, over TCP and over a Unix socket: every message once, byte for byte,
//! bounces for unknown users, and nothing lost when the connection breaks inside DATA.

mod cutting_proxy;

use std::time::Duration;

use super::mailboxes::{arrived_once, empty_inboxes};
use crate::failure::{Outcome, ensure, failure};
use crate::imap::Imap;
use crate::lmtp::dot_stuffed;
use crate::mail::{Message, is_below_trace, legal_messages};
use crate::postfix::{Plan, Postfix};
use crate::process::eventually;
use crate::report::Report;
use crate::subject::Subject;
use cutting_proxy::{Cut, CuttingProxy};

/// How long Postfix may take to deliver what it was given.
const DELIVERY_LIMIT: Duration = Duration::from_secs(120);
/// Messages of the load check.
const LOAD_MESSAGES: usize = 300;

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    let messages = legal_messages()?;
    let proxy = CuttingProxy::start(subject.listeners.lmtp)?;
    let transport = format!("inet:127.0.0.1:{}", proxy.port);
    let postfix = Postfix::start(&subject.work.join("postfix-tcp"), to(&transport))?;
    let relay = Relay {
        subject,
        postfix,
        messages,
    };
    report.check("TCP: every legal message, once, bytes equal", || {
        relay.all()
    });
    report.check("two recipients get it, the unknown one bounces", || {
        relay.unknown_recipient()
    });
    report.check("connection cut inside DATA: then exactly once", || {
        relay.cut(&proxy)
    });
    report.check(
        "300 messages over 10 sessions, none lost or doubled",
        || relay.load(),
    );
    relay.postfix.stop()?;
    if let Some(path) = &subject.listeners.lmtp_unix {
        let postfix = Postfix::start(
            &subject.work.join("postfix-unix"),
            to(&format!("unix:{}", path.display())),
        )?;
        let relay = Relay { postfix, ..relay };
        report.check(
            "Unix socket: every legal message, once, bytes equal",
            || relay.all(),
        );
        relay.postfix.stop()?;
    }
    Ok(())
}

/// An instance that takes mail for the subject's users there.
fn to(transport: &str) -> Plan<'_> {
    Plan {
        domain: "example.test",
        transport,
        settings: "",
    }
}

struct Relay<'a> {
    subject: &'a Subject,
    postfix: Postfix,
    messages: Vec<Message>,
}

impl Relay<'_> {
    fn named(&self, name: &str) -> Outcome<&[u8]> {
        let found = self.messages.iter().find(|message| message.name == name);
        found.map_or_else(
            || failure(format!("no message {name}")),
            |message| Ok(message.bytes.as_slice()),
        )
    }

    fn all(&self) -> Outcome {
        empty_inboxes(self.subject)?;
        for message in &self.messages {
            self.postfix.submit(
                "sender@example.org",
                &[&self.subject.alice.address],
                &message.bytes,
            )?;
        }
        self.postfix.wait_until_empty(DELIVERY_LIMIT)?;
        let sent: Vec<&[u8]> = self
            .messages
            .iter()
            .map(|message| message.bytes.as_slice())
            .collect();
        arrived_once(self.subject, &self.subject.alice, &sent)
    }

    fn unknown_recipient(&self) -> Outcome {
        empty_inboxes(self.subject)?;
        let alice = self.subject.alice.address.as_str();
        let bob = self.subject.bob.address.as_str();
        let message = self.named("dots")?;
        self.postfix
            .submit(alice, &[alice, bob, "nobody-here@example.test"], message)?;
        self.postfix.wait_until_empty(DELIVERY_LIMIT)?;
        arrived_once(self.subject, &self.subject.bob, &[message])?;
        let port = self.subject.listeners.imap;
        eventually(DELIVERY_LIMIT, "message and bounce arrive", || {
            Ok(Imap::login(port, &self.subject.alice)?.select("INBOX")? >= 2)
        })?;
        let got = Imap::login(port, &self.subject.alice)?.all_messages("INBOX")?;
        let bounces = got.iter().filter(|(_, bytes)| {
            let text = String::from_utf8_lossy(bytes);
            text.contains("multipart/report") && text.contains("nobody-here@example.test")
        });
        ensure(got.len() == 2 && bounces.count() == 1, || {
            format!("{} messages in alice's INBOX", got.len())
        })?;
        ensure(
            got.iter().any(|(_, bytes)| is_below_trace(bytes, message)),
            || "the message was altered".into(),
        )
    }

    fn cut(&self, proxy: &CuttingProxy) -> Outcome {
        empty_inboxes(self.subject)?;
        let message = self.named("medium-300k")?;
        let within = dot_stuffed(message).len() as u64 / 3;
        proxy.plan(&[Cut::After(within), Cut::After(3000), Cut::AtOnce]);
        let recipients = [
            self.subject.alice.address.as_str(),
            self.subject.bob.address.as_str(),
        ];
        self.postfix
            .submit("sender@example.org", &recipients, message)?;
        eventually(
            DELIVERY_LIMIT,
            "the planned cuts happen and the queue drains",
            || {
                self.postfix.flush()?;
                Ok(proxy.cuts_left() == 0 && self.postfix.is_empty()?)
            },
        )?;
        arrived_once(self.subject, &self.subject.alice, &[message])?;
        arrived_once(self.subject, &self.subject.bob, &[message])
    }

    fn load(&self) -> Outcome {
        empty_inboxes(self.subject)?;
        self.postfix
            .load(LOAD_MESSAGES, &self.subject.alice.address)?;
        self.postfix.wait_until_empty(DELIVERY_LIMIT)?;
        let port = self.subject.listeners.imap;
        let count = Imap::login(port, &self.subject.alice)?.select("INBOX")?;
        ensure(count as usize == LOAD_MESSAGES, || {
            format!("{count} messages")
        })
    }
}
