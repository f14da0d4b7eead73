//! The LMTP states a mail server walks through, and those only a broken one does (RFC 2033, RFC 5321, RFC 3030).

use std::time::Duration;

use crate::failure::{Outcome, ensure, failure, shown};
use crate::imap::Imap;
use crate::lmtp::{Lmtp, SENDER, dot_stuffed};
use crate::mail::{
    Message, difference, legal_messages, sha256, without_added_trace, without_trace,
};
use crate::process::eventually;
use crate::report::Report;
use crate::subject::{Account, Subject};

/// How long delivered mail may take to be seen.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(20);
/// Size of the large message, in bytes.
const LARGE: usize = 25_000_000;

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    let messages = legal_messages()?;
    let check = States { subject, messages };
    report.check("banner, LHLO and its keywords", || check.greeting());
    report.check("HELO and EHLO are refused", || check.smtp_greetings());
    for message in &check.messages {
        report.check(&format!("byte-exact: {}", message.name), || {
            check.one(message)
        });
    }
    report.check("Return-Path first, Received added", || check.trace());
    report.check("two known and one unknown recipient", || {
        check.mixed_recipients()
    });
    report.check("unknown recipients only: no 354", || check.unknown_only());
    report.check(
        "the same recipient twice: two replies, one or two copies",
        || check.same_twice(),
    );
    report.check("null sender gives Return-Path: <>", || check.null_sender());
    report.check("everything pipelined, next transaction included", || {
        check.pipelined()
    });
    report.check("DATA byte by byte, dots across segments", || {
        check.byte_by_byte()
    });
    report.check("BDAT chunks keep a lone dot, or BDAT is refused", || {
        check.chunks()
    });
    report.check("SMTPUTF8 addresses, when advertised", || check.utf8());
    report.check("a connection cut inside DATA delivers nothing", || {
        check.cut()
    });
    report.check("a size above the limit is refused at MAIL", || {
        check.declared_size()
    });
    report.check("commands out of order", || check.order());
    report.check("+detail and upper-case addresses", || check.detail());
    report.check("a 25 MB message to two recipients", || check.large());
    if subject.listeners.lmtp_unix.is_some() {
        report.check("delivery over the Unix socket", || check.unix_socket());
    }
    Ok(())
}

struct States<'a> {
    subject: &'a Subject,
    messages: Vec<Message>,
}

impl States<'_> {
    fn lmtp(&self) -> Outcome<Lmtp> {
        Lmtp::connect(self.subject.listeners.lmtp)
    }

    fn alice(&self) -> &str {
        &self.subject.alice.address
    }

    fn bob(&self) -> &str {
        &self.subject.bob.address
    }

    fn message(&self, name: &str) -> Outcome<&[u8]> {
        let found = self.messages.iter().find(|message| message.name == name);
        found.map_or_else(
            || failure(format!("no message {name}")),
            |message| Ok(message.bytes.as_slice()),
        )
    }

    fn empty(&self) -> Outcome {
        for account in [&self.subject.alice, &self.subject.bob] {
            Imap::login(self.subject.listeners.imap, account)?.empty("INBOX")?;
        }
        Ok(())
    }

    fn inbox(&self, account: &Account, at_least: usize) -> Outcome<Vec<Vec<u8>>> {
        let port = self.subject.listeners.imap;
        eventually(ARRIVAL_LIMIT, "arrival", || {
            Ok(Imap::login(port, account)?.select("INBOX")? as usize >= at_least)
        })?;
        let all = Imap::login(port, account)?.all_messages("INBOX")?;
        Ok(all.into_iter().map(|(_, bytes)| bytes).collect())
    }

    /// Exactly these messages are in the account's INBOX, byte for byte below the added trace header.
    fn expect(&self, account: &Account, want: &[&[u8]]) -> Outcome {
        let got = self.inbox(account, want.len())?;
        ensure(got.len() == want.len(), || {
            format!("{} messages, want {}", got.len(), want.len())
        })?;
        for (got, want) in got.iter().zip(want) {
            let body = without_added_trace(got, want.len());
            ensure(body == *want, || difference(body, want))?;
        }
        Ok(())
    }

    fn expect_both(&self, want: &[u8]) -> Outcome {
        self.expect(&self.subject.alice, &[want])?;
        self.expect(&self.subject.bob, &[want])
    }

    fn greeting(&self) -> Outcome {
        let session = self.lmtp()?;
        ensure(session.banner.code == 220, || session.banner.text.clone())?;
        for keyword in ["8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES"] {
            ensure(session.advertises(keyword), || {
                format!("{keyword} not in {}", session.lhlo.text)
            })?;
        }
        Ok(())
    }

    fn smtp_greetings(&self) -> Outcome {
        let mut session = Lmtp::open(self.subject.listeners.lmtp)?;
        session.command("EHLO client.example.org")?.expect(5)?;
        session.command("HELO client.example.org")?.expect(5)
    }

    /// Begins a transaction for Alice; `parameters` go behind the sender.
    fn envelope(&self, session: &mut Lmtp, parameters: &str) -> Outcome {
        session
            .command(&format!("MAIL FROM:<{SENDER}>{parameters}"))?
            .expect(2)?;
        session
            .command(&format!("RCPT TO:<{}>", self.alice()))?
            .expect(2)
    }

    fn one(&self, message: &Message) -> Outcome {
        self.empty()?;
        let mut session = self.lmtp()?;
        self.envelope(&mut session, " BODY=8BITMIME")?;
        session.command("DATA")?.expect(3)?;
        session.send(&dot_stuffed(&message.bytes))?;
        session.reply()?.expect(2)?;
        self.expect(&self.subject.alice, &[&message.bytes])
    }

    fn trace(&self) -> Outcome {
        self.empty()?;
        self.lmtp()?
            .deliver(SENDER, &[self.alice()], self.message("plain")?)?
            .all_delivered()?;
        let got = self.inbox(&self.subject.alice, 1)?.concat();
        let first = format!("Return-Path: <{SENDER}>\r\n");
        ensure(
            got.get(..first.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(first.as_bytes())),
            || shown(&got, 100),
        )?;
        let header = got
            .get(..got.len() - without_trace(&got).len())
            .unwrap_or_default();
        ensure(
            String::from_utf8_lossy(header).contains("\nReceived: "),
            || shown(header, 300),
        )
    }

    fn mixed_recipients(&self) -> Outcome {
        self.empty()?;
        let message = self.message("multipart")?;
        let sent = self.lmtp()?.deliver(
            SENDER,
            &[self.alice(), "nobody-here@example.test", self.bob()],
            message,
        )?;
        let codes: Vec<u16> = sent
            .recipients
            .iter()
            .map(|reply| reply.code / 100)
            .collect();
        ensure(codes == [2, 5, 2], || format!("{sent:?}"))?;
        ensure(
            sent.results.len() == 2 && sent.results.iter().all(|reply| reply.code == 250),
            || format!("{sent:?}"),
        )?;
        self.expect_both(message)
    }

    fn unknown_only(&self) -> Outcome {
        let sent = self
            .lmtp()?
            .deliver(SENDER, &["nobody-here@example.test"], b"x\r\n")?;
        ensure(
            sent.recipients.iter().all(|reply| reply.code == 550),
            || format!("{sent:?}"),
        )?;
        sent.data.expect(5)
    }

    fn same_twice(&self) -> Outcome {
        self.empty()?;
        let sent = self.lmtp()?.deliver(
            SENDER,
            &[self.alice(), self.alice()],
            self.message("plain")?,
        )?;
        ensure(sent.results.len() == 2, || format!("{sent:?}"))?;
        let copies = self.inbox(&self.subject.alice, 1)?.len();
        ensure((1..=2).contains(&copies), || format!("{copies} copies"))
    }

    fn null_sender(&self) -> Outcome {
        self.empty()?;
        self.lmtp()?
            .deliver("", &[self.alice()], self.message("dsn")?)?
            .all_delivered()?;
        let got = self.inbox(&self.subject.alice, 1)?.concat();
        ensure(
            got.to_ascii_lowercase().starts_with(b"return-path: <>\r\n"),
            || shown(&got, 100),
        )
    }

    fn pipelined(&self) -> Outcome {
        self.empty()?;
        let message = self.message("dots")?;
        let mut session = self.lmtp()?;
        let open = format!(
            "MAIL FROM:<{SENDER}>\r\nRCPT TO:<{}>\r\nRCPT TO:<nobody-here@example.test>\r\nRCPT TO:<{}>\r\nDATA\r\n",
            self.alice(),
            self.bob()
        );
        session.send(open.as_bytes())?;
        for class in [2, 2, 5, 2, 3] {
            session.reply()?.expect(class)?;
        }
        let next = format!(
            "MAIL FROM:<{SENDER}>\r\nRCPT TO:<{}>\r\nRSET\r\nNOOP\r\nQUIT\r\n",
            self.alice()
        );
        session.send(&[dot_stuffed(message), next.into_bytes()].concat())?;
        for _ in 0..7 {
            session.reply()?.expect(2)?;
        }
        self.expect_both(message)
    }

    fn byte_by_byte(&self) -> Outcome {
        self.empty()?;
        let mut session = self.lmtp()?;
        self.envelope(&mut session, "")?;
        session.command("DATA")?.expect(3)?;
        let message = b"Subject: segments\r\n\r\n.dot\r\n.\r\n..\r\nend\r\n";
        for byte in dot_stuffed(message) {
            session.send(&[byte])?;
            std::thread::sleep(Duration::from_millis(2));
        }
        session.reply()?.expect(2)?;
        self.expect(&self.subject.alice, &[message])
    }

    fn chunks(&self) -> Outcome {
        let mut session = self.lmtp()?;
        if !session.advertises("CHUNKING") {
            session.send(b"BDAT 5 LAST\r\nNOOP\n")?;
            return session.reply()?.expect(5);
        }
        self.empty()?;
        let message = [
            self.message("dots")?,
            &[b'x'; 5000],
            b"\r\n.\r\nafter the dot\r\n",
        ]
        .concat();
        self.envelope(&mut session, " BODY=8BITMIME")?;
        session
            .command(&format!("RCPT TO:<{}>", self.bob()))?
            .expect(2)?;
        let (first, rest) = message.split_at(100);
        let (second, third) = rest.split_at(1);
        for chunk in [first, second] {
            session.send(&[format!("BDAT {}\r\n", chunk.len()).as_bytes(), chunk].concat())?;
            session.reply()?.expect(2)?;
        }
        session.send(&[format!("BDAT {} LAST\r\n", third.len()).as_bytes(), third].concat())?;
        session.reply()?.expect(2)?;
        session.reply()?.expect(2)?;
        self.expect_both(&message)
    }

    fn utf8(&self) -> Outcome {
        let mut session = self.lmtp()?;
        if !session.advertises("SMTPUTF8") {
            return Ok(());
        }
        self.empty()?;
        let message = "From: Jürgen <jürgen@exämple.org>\r\nTo: x@example.test\r\nSubject: Grüße\r\n\r\nhi\r\n".as_bytes();
        session
            .command("MAIL FROM:<jürgen@exämple.org> SMTPUTF8 BODY=8BITMIME")?
            .expect(2)?;
        session
            .command(&format!("RCPT TO:<{}>", self.alice()))?
            .expect(2)?;
        session.command("DATA")?.expect(3)?;
        session.send(&dot_stuffed(message))?;
        session.reply()?.expect(2)?;
        self.expect(&self.subject.alice, &[message])
    }

    fn cut(&self) -> Outcome {
        self.empty()?;
        let whole = dot_stuffed(self.message("medium-300k")?);
        let but_last = whole.get(..whole.len() - 1).unwrap_or_default();
        for part in [whole.get(..150_000).unwrap_or_default(), but_last] {
            let mut session = self.lmtp()?;
            session
                .command(&format!("MAIL FROM:<{SENDER}>"))?
                .expect(2)?;
            session
                .command(&format!("RCPT TO:<{}>", self.alice()))?
                .expect(2)?;
            session.command("DATA")?.expect(3)?;
            session.send(part)?;
        }
        // What is delivered on a later connection comes last, so nothing before it can still be under way.
        let marker = self.message("plain")?;
        self.lmtp()?
            .deliver(SENDER, &[self.alice()], marker)?
            .all_delivered()?;
        self.expect(&self.subject.alice, &[marker])
    }

    fn declared_size(&self) -> Outcome {
        let mut session = self.lmtp()?;
        let limit = session
            .parameter("SIZE")
            .and_then(|size| size.parse::<u64>().ok())
            .unwrap_or(0);
        if limit == 0 {
            return Ok(());
        }
        session
            .command(&format!("MAIL FROM:<{SENDER}> SIZE={}", limit + 1))?
            .expect(5)
    }

    fn order(&self) -> Outcome {
        let mut session = self.lmtp()?;
        let recipient = format!("RCPT TO:<{}>", self.alice());
        let steps = [
            ("DATA", 5),
            (recipient.as_str(), 5),
            ("FOO", 5),
            ("MAIL FROM:bad<<", 5),
            ("NOOP", 2),
            ("MAIL FROM:<a@b.example>", 2),
            ("DATA", 5),
            ("RSET", 2),
            ("DATA", 5),
            ("VRFY x", 2),
            ("QUIT", 2),
        ];
        for (line, class) in steps {
            let reply = session.command(line)?;
            // VRFY may answer 252 or be unknown.
            let accepted = reply.is(class) || (line.starts_with("VRFY") && reply.is(5));
            ensure(accepted, || format!("{line}: {}", reply.text))?;
        }
        Ok(())
    }

    fn detail(&self) -> Outcome {
        self.empty()?;
        let (user, domain) = self.alice().split_once('@').unwrap_or((self.alice(), ""));
        let tagged = format!("{user}+tag@{domain}");
        let upper = self.alice().to_ascii_uppercase();
        self.lmtp()?
            .deliver(SENDER, &[&tagged], self.message("plain")?)?
            .all_delivered()?;
        self.lmtp()?
            .deliver(SENDER, &[&upper], self.message("dots")?)?
            .all_delivered()?;
        self.expect(
            &self.subject.alice,
            &[self.message("plain")?, self.message("dots")?],
        )
    }

    fn large(&self) -> Outcome {
        self.empty()?;
        let line =
            b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3\r\n";
        let header = b"From: a@example.org\r\nSubject: large\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        let message = [header.as_slice(), &line.repeat(LARGE / line.len())].concat();
        self.lmtp()?
            .deliver(SENDER, &[self.alice(), self.bob()], &message)?
            .all_delivered()?;
        for account in [&self.subject.alice, &self.subject.bob] {
            let got = self.inbox(account, 1)?.concat();
            let body = without_added_trace(&got, message.len());
            ensure(sha256(body) == sha256(&message), || {
                format!("{} bytes, want {}", body.len(), message.len())
            })?;
        }
        Ok(())
    }

    fn unix_socket(&self) -> Outcome {
        self.empty()?;
        let Some(path) = &self.subject.listeners.lmtp_unix else {
            return Ok(());
        };
        let message = self.message("dots")?;
        Lmtp::connect_unix(path)?
            .deliver(SENDER, &[self.alice()], message)?
            .all_delivered()?;
        self.expect(&self.subject.alice, &[message])
    }
}
