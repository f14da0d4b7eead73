//! Keys of delivered copies: what an MTA hands over again is not saved again.
//!
//! An MTA repeats a delivery when one of an alias's mailboxes failed, or when the answer was lost (RFC 5321 4.5.4.1,
//! RFC 1047). Mailboxes that have the message must not get it twice, but whoever sends the same words twice wants them
//! to arrive twice. The two can be told apart: the MTA that hands a message over has put its own Received field on top,
//! with the id of its queue entry (RFC 5321 4.4). A repetition comes from the same entry and is the same to the octet;
//! a second sending has another entry, so other octets.
//!
//! So the key of a copy is made of the message's octets, its sender and the mailbox. Not of the recipient: by a repeated
//! transaction, another of its addresses may lead to the mailbox. Where the newest Received field names no id, nothing
//! tells two sendings apart, and the copy gets a key of its own; so it does when that field is older than any MTA keeps
//! a message, for then somebody puts old messages in.

use mapi_convert::{date, header};
use mapi_types::{FileTime, ItemKey, MailboxId};

use crate::{Copy, Spooled};

/// How old the newest Received field of a message is at most that may be a repetition: RFC 5321 4.5.4.1 lets an MTA try
/// for four to five days.
const REPETITION_AGE_MAX_S: i64 = 7 * 86_400;

/// How far an MTA's clock may be ahead of ours.
const CLOCK_AHEAD_MAX_S: i64 = 86_400;

/// What the hash of a key is for; another way of making keys gets another name.
const CONTEXT: &str = "dragoman 2026 key of a delivered copy";

/// The same for a copy whose caller says what only it has.
const ONCE_CONTEXT: &str = "dragoman 2026 key of a copy delivered once";

/// The same for an item that is not delivered but filed.
const FILED_CONTEXT: &str = "dragoman 2026 key of an item filed once";

/// The key of a copy that arrives at this moment; `None` when a repetition could not be told from a second sending.
pub(crate) fn delivery_key(message: &Spooled, copy: &Copy, received: FileTime) -> Option<ItemKey> {
    if let Some(once) = &copy.once {
        return Some(key(ONCE_CONTEXT, &[], (once.as_bytes(), &copy.mailbox)));
    }
    if !is_repeatable(message, received) {
        return None;
    }
    let sender = header::field(&copy.prefix, "Return-Path");
    let sender = sender.map_or(&[][..], |field| field.value.trim_ascii());
    let octets = message.hash().0;
    Some(key(CONTEXT, &octets, (sender, &copy.mailbox)))
}

/// Whether an MTA that hands a message over again can be told from a second sending.
fn is_repeatable(message: &Spooled, received: FileTime) -> bool {
    let trace = header::field(&message.0.derived.header, "Received");
    let queued = trace.and_then(|trace| queued_at(trace.value));
    queued.is_some_and(|queued| {
        let age = received.unix().saturating_sub(queued);
        (-CLOCK_AHEAD_MAX_S..=REPETITION_AGE_MAX_S).contains(&age)
    })
}

/// What [`Copy::once`] is for copies of a message that is changed on its way, as it came: what changes it may do so in
/// another way each time. `None` when a repetition could not be told from a second sending.
pub fn once_as_arrived(message: &Spooled, sender: &str, received: FileTime) -> Option<Box<str>> {
    is_repeatable(message, received).then(|| {
        let octets = message.hash().0;
        let hash: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        format!("{hash} {sender}").into()
    })
}

/// The key of an item that is filed once, by what only it has.
pub(crate) fn once_key(message: &Spooled, once: &str, mailbox: &MailboxId) -> ItemKey {
    key(FILED_CONTEXT, &message.hash().0, (once.as_bytes(), mailbox))
}

fn key(context: &str, message: &[u8], (distinct, mailbox): (&[u8], &MailboxId)) -> ItemKey {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in [message, distinct, mailbox.0.as_bytes()] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    ItemKey(hasher.finalize().as_bytes()[..].into())
}

/// When a Received field says that a message was queued, seconds since 1970; `None` when it names no queue id, or no time.
fn queued_at(trace: &[u8]) -> Option<i64> {
    let trace = header::unfold(trace);
    let end = trace.iter().rposition(|octet| *octet == b';')?;
    let (clauses, time) = trace.split_at(end);
    if !names_id(clauses) {
        return None;
    }
    Some(date::parse(time.get(1..)?)?.unix)
}

/// Whether there is an id clause outside of comments. Source: RFC 5321 4.4.
fn names_id(clauses: &[u8]) -> bool {
    let mut depth = 0_u32;
    let plain: Vec<u8> = clauses
        .iter()
        .map(|octet| match octet {
            b'(' => {
                depth += 1;
                b' '
            }
            b')' => {
                depth = depth.saturating_sub(1);
                b' '
            }
            octet if depth == 0 => *octet,
            _ => b' ',
        })
        .collect();
    let mut words = plain
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    words.any(|word| word.eq_ignore_ascii_case(b"id")) && words.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_of_common_mtas_name_their_queue_entry() {
        for (trace, expected) in [
            (
                " from mail.example.org (mail.example.org [192.0.2.1])\r\n\tby mx.example.test (Postfix) \
                 with ESMTPS id 4XyZ1b2C3d\r\n\tfor <a@example.test>; Tue, 14 Nov 2023 22:13:20 +0000 (UTC)\r\n",
                Some(1_700_000_000),
            ),
            (
                " by mx.example.test (Postfix, from userid 1000)\r\n\tid 2B7F1; Tue, 14 Nov 2023 23:13:20 +0100\r\n",
                Some(1_700_000_000),
            ),
            (
                " from [192.0.2.7] (helo=client) by mx.example.test with esmtps (TLS1.3) tls TLS_AES_256\r\n\t\
                 (Exim 4.96) (envelope-from <a@example.org>) id 1r31Xs-0001Ab-2C; Tue, 14 Nov 2023 22:13:20 +0000\r\n",
                Some(1_700_000_000),
            ),
            (
                " from x (y [192.0.2.1]) by mx.example.test (8.17.1/8.17.1) with ESMTP ID 3AEMDK; \
                 14 Nov 2023 22:13:20 GMT\r\n",
                Some(1_700_000_000),
            ),
            // qmail and fetchmail name none.
            (
                " (qmail 4711 invoked by uid 89); 14 Nov 2023 22:13:20 -0000\r\n",
                None,
            ),
            (
                " from pop.example.org [192.0.2.1] by host with POP3 (fetchmail-6.4.37 id 9)\r\n\t\
                 for <a@localhost> (single-drop); Tue, 14 Nov 2023 22:13:20 +0000\r\n",
                None,
            ),
            (" by mx id; Tue, 14 Nov 2023 22:13:20 +0000\r\n", None),
            (" by mx id 7; some day\r\n", None),
            (" by mx id 7\r\n", None),
            (
                " by mx (id 7 (nested) id 8; Tue, 14 Nov 2023 22:13:20 +0000\r\n",
                None,
            ),
            ("", None),
        ] {
            assert_eq!(queued_at(trace.as_bytes()), expected, "{trace}");
        }
    }
}
