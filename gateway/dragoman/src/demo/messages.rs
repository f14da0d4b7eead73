//! The demo's messages: every kind a mail program should show well.

use std::fmt::Write;

use account::mime::date;

/// How many messages a mailbox gets.
const COUNT: usize = 100;
const DAY_S: i64 = 86_400;

/// A message and how it lies in its folder.
pub(super) struct Message {
    pub(super) text: String,
    /// Seconds since 1970.
    pub(super) received: i64,
    pub(super) seen: bool,
    pub(super) flagged: bool,
    pub(super) keyword: Option<&'static str>,
    pub(super) sent: bool,
}

const PEOPLE: [(&str, &str); 8] = [
    ("Carol Baker", "carol@example.org"),
    ("=?utf-8?Q?J=C3=BCrgen_Gro=C3=9F?=", "juergen@example.org"),
    ("=?iso-8859-1?Q?Ana=EFs_Lef=E8vre?=", "anais@example.net"),
    ("=?utf-8?B?5bGx55Sw5aSq6YOO?=", "taro@example.com"),
    ("\"Doe, John (Sales)\"", "john.doe@example.com"),
    ("Build Robot", "builds@ci.example.org"),
    ("=?koi8-r?B?7snLz8zByg==?=", "nikolai@example.net"),
    ("Newsletter", "news@example.net"),
];

const SUBJECTS: [&str; 10] = [
    "Minutes of Monday's meeting",
    "=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=",
    "Lunch on Friday?",
    "Build 4711 passed",
    "=?utf-8?B?44GT44KT44Gr44Gh44Gv?=",
    "Invoice 2026-118",
    "A very long subject that goes on about the quarterly figures,\r\n the forecast, the travel policy and the new coffee machine",
    "Holiday photographs",
    "Draft of the contract, please comment",
    "Weekly digest",
];

/// The messages of `user`'s mailbox, oldest first; `now` is in seconds since 1970.
pub(super) fn all(user: &str, now: i64) -> Vec<Message> {
    (0..COUNT)
        .map(|n| message(user, n, now - (COUNT - n) as i64 * DAY_S / 2))
        .collect()
}

fn message(user: &str, n: usize, received: i64) -> Message {
    let sent = n % 10 == 9;
    let (name, address) = PEOPLE[n % PEOPLE.len()];
    let them = format!("{name} <{address}>");
    let (from, to) = if sent { (user, &*them) } else { (&*them, user) };
    let reply = n % 5 == 4;
    let subject = SUBJECTS[if reply { n - 1 } else { n } % SUBJECTS.len()];
    let mut text = format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {}{subject}\r\nDate: {}\r\nMessage-ID: <demo-{n}-{user}>\r\n",
        if reply { "Re: " } else { "" },
        date::text(received)
    );
    if reply {
        let _ = write!(
            text,
            "In-Reply-To: <demo-{}-{user}>\r\nReferences: <demo-{}-{user}>\r\n",
            n - 1,
            n - 1
        );
    }
    text.push_str("MIME-Version: 1.0\r\n");
    text.push_str(&body(n));
    Message {
        text,
        received,
        seen: sent || n % 4 != 3,
        flagged: n % 17 == 5,
        keyword: (n % 13 == 2).then_some("$label1"),
        sent,
    }
}

/// Content of one of five kinds, from Content-Type on.
fn body(n: usize) -> String {
    const PLAIN: &str = "Hello,\r\n\r\nthis is a message of the demo mailbox. Answer it, move it, flag it: it is yours.\r\n\r\n-- \r\nKind regards\r\n";
    const HTML: &str = "<html><body><p>Hello,</p><p>this is a message with <b>bold</b> and <i>slanted</i> words, \
                        and an umlaut: gr=C3=BC=C3=9Fe.</p></body></html>\r\n";
    let html = format!(
        "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{HTML}"
    );
    match n % 5 {
        0 | 4 => {
            format!("Content-Type: text/plain; charset=us-ascii; format=flowed\r\n\r\n{PLAIN}")
        }
        1 => format!(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße, 今日は, привет!\r\n\r\n{PLAIN}"
        ),
        2 => format!(
            "Content-Type: multipart/alternative; boundary=alt-{n}\r\n\r\n--alt-{n}\r\nContent-Type: text/plain\r\n\r\n{PLAIN}--alt-{n}\r\n{html}--alt-{n}--\r\n"
        ),
        _ => format!(
            "Content-Type: multipart/mixed; boundary=\"mixed {n}\"\r\n\r\n--mixed {n}\r\nContent-Type: text/plain\r\n\r\n{PLAIN}\r\n\
             --mixed {n}\r\nContent-Type: image/png; name=dot.png\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=dot.png\r\n\r\n{PNG}\r\n\
             --mixed {n}\r\nContent-Type: text/csv; charset=utf-8\r\nContent-Disposition: attachment;\r\n filename*=utf-8''%C3%9Cbersicht.csv\r\n\r\n\
             month,amount\r\nMay,12\r\n--mixed {n}--\r\n"
        ),
    }
}

/// One transparent pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_a_message() {
        let messages = all("alice@example.test", 1_772_442_672);
        assert_eq!(messages.len(), COUNT);
        for message in messages {
            let (header, body) = message.text.split_once("\r\n\r\n").unwrap();
            assert!(header.starts_with("From: ") && !body.is_empty());
            assert!(
                message
                    .text
                    .split('\n')
                    .all(|line| line.is_empty() || line.ends_with('\r')),
                "{}",
                message.text
            );
        }
    }
}
