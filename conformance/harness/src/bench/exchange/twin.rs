//! The same messages in the embedded store: fetched from one mailbox, appended to the other.

use crate::failure::{Outcome, ensure};
use crate::imap::Imap;
use crate::subject::{Account, Subject};

/// Messages in one command.
const AT_ONCE: u32 = 200;

/// Fills the Inbox of the subject's first user with what the Inbox of `from` has.
pub(super) fn copy(subject: &Subject, from: &Account, messages: u32) -> Outcome {
    let mut source = Imap::login(subject.listeners.imap, from)?;
    let count = source.select("INBOX")?;
    let mut copy = Imap::login(subject.listeners.imap, &subject.alice)?;
    let mut first = 1;
    while first <= count {
        let last = count.min(first + AT_ONCE - 1);
        let items = "FLAGS INTERNALDATE BODY.PEEK[]";
        let page = source.expect_ok(&format!("FETCH {first}:{last} ({items})"))?;
        let tag = copy.tag();
        let mut command = format!("{tag} APPEND INBOX").into_bytes();
        for message in page.fetched()? {
            let bytes = message.bytes("BODY[]").unwrap_or_default();
            let flags = message.text("FLAGS").replace("\\Recent", "");
            let date = message.text("INTERNALDATE");
            command.extend(format!(" {flags} {date} {{{}+}}\r\n", bytes.len()).into_bytes());
            command.extend(bytes);
        }
        command.extend(b"\r\n");
        copy.send(&command)?;
        copy.finish(&tag)?.ok()?;
        first = last + 1;
    }
    let copied = copy.select("INBOX")?;
    ensure(copied == count && copied >= messages, || {
        format!("{copied} of {count} messages were copied")
    })
}
