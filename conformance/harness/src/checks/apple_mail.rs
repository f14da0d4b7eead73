//! What iOS Mail and macOS Mail send, in their order and form, modelled on public protocol traces. No device
//! takes part: a strong hint, no proof.

use crate::failure::{Failure, Outcome, ensure, failure, shown};
use crate::fetch_items::FetchItems;
use crate::imap::{Imap, Literals};
use crate::load::base64;
use crate::mail::{Message, legal_messages};
use crate::report::Report;
use crate::subject::Subject;

/// The header fields macOS and iOS ask for in their message list, in their order.
const FIELDS: &str = "date subject from to cc message-id in-reply-to references content-type x-priority \
    x-uniform-type-identifier x-universally-unique-identifier list-id list-unsubscribe bimi-indicator \
    bimi-location x-bimi-indicator-hash authentication-results dkim-signature";

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    let mut session = Imap::connect(subject.listeners.imap)?;
    report.check(
        "CAPABILITY first, then AUTHENTICATE PLAIN without initial response (iOS 26)",
        || {
            session.learn_capabilities()?;
            ensure(session.has("IMAP4REV1"), || session.capabilities.clone())?;
            // Advertised without a certificate of Apple's it makes devices wait for pushes that never come.
            ensure(!session.has("XAPPLEPUSHSERVICE"), || {
                "XAPPLEPUSHSERVICE".into()
            })?;
            authenticate(&mut session, subject)
        },
    );
    session.learn_capabilities()?;
    for capability in [
        "ID",
        "NAMESPACE",
        "IDLE",
        "UIDPLUS",
        "SPECIAL-USE",
        "CONDSTORE",
        "ENABLE",
        "MOVE",
    ] {
        let has = session.has(capability);
        report.check(&format!("capability {capability}"), || {
            ensure(has, || {
                "not advertised; Apple Mail uses it when present".into()
            })
        });
    }
    report.check("ID of iOS and macOS Mail", || identify(&mut session));
    report.check("NAMESPACE and LIST RETURN (SPECIAL-USE) pipelined", || {
        folders(&mut session)
    });
    report.check("ENABLE CONDSTORE", || {
        session.expect_ok("ENABLE CONDSTORE").map(|_| ())
    });
    let messages = legal_messages()?;
    report.check("APPEND with flags and date", || {
        append_all(&mut session, &messages)
    });
    report.check("SELECT (CONDSTORE)", || {
        select(&mut session, messages.len())
    });
    let mut mailbox = Mailbox {
        uids: uids(&mut session)?,
        session,
        messages,
    };
    mailbox.run(report);
    second_connection(subject, &mut mailbox, report);
    Ok(())
}

fn authenticate(session: &mut Imap, subject: &Subject) -> Outcome {
    let tag = session.tag();
    session.send(format!("{tag} AUTHENTICATE PLAIN\r\n").as_bytes())?;
    let line = session.response(Literals::Keep)?;
    ensure(line.starts_with(b"+"), || shown(&line, 100))?;
    let plain = format!("\0{}\0{}", subject.alice.address, subject.alice.password);
    session.send(format!("{}\r\n", base64(plain.as_bytes(), 0)).as_bytes())?;
    session.finish(&tag)?.ok().map(|_| ())
}

fn identify(session: &mut Imap) -> Outcome {
    let ios = "ID (\"name\" \"iPhone Mail\" \"version\" \"22C161\" \"os\" \"iOS\" \"os-version\" \"18.2.1 (22C161)\")";
    let answer = session.expect_ok(ios)?;
    ensure(answer.mentions("* ID "), || format!("{answer:?}"))?;
    let macos = "ID (\"name\" \"com.apple.mail\" \"version\" \"3774.600.62\" \"os\" \"macOS\" \"os-version\" \"14.6 (23G80)\" \"vendor\" \"Apple Inc.\")";
    session.expect_ok(macos).map(|_| ())
}

fn folders(session: &mut Imap) -> Outcome {
    session.send(b"A5 NAMESPACE\r\nA6 LIST \"\" \"*\" RETURN (SPECIAL-USE)\r\n")?;
    let namespace = session.finish("A5")?.ok()?;
    ensure(namespace.mentions("* NAMESPACE (("), || {
        format!("{namespace:?}")
    })?;
    let list = session.finish("A6")?.ok()?;
    ensure(list.mentions("INBOX"), || format!("{list:?}"))?;
    for special in ["\\Sent", "\\Drafts", "\\Trash"] {
        ensure(list.mentions(special), || format!("no {special}: {list:?}"))?;
    }
    for command in ["LIST \"\" \"\"", "LIST \"\" \"*\"", "LSUB \"\" \"*\""] {
        session.expect_ok(command)?;
    }
    Ok(())
}

fn append_all(session: &mut Imap, messages: &[Message]) -> Outcome {
    for message in messages {
        session
            .append(
                "INBOX",
                "(\\Seen) \" 2-Mar-2026 10:11:12 +0100\"",
                &message.bytes,
            )?
            .ok()?;
    }
    Ok(())
}

fn select(session: &mut Imap, count: usize) -> Outcome {
    let answer = session.expect_ok("SELECT \"INBOX\" (CONDSTORE)")?;
    ensure(answer.exists() == Some(count as u32), || {
        format!("{answer:?}")
    })?;
    for part in [
        "UIDVALIDITY",
        "UIDNEXT",
        "PERMANENTFLAGS",
        "* FLAGS",
        "HIGHESTMODSEQ",
    ] {
        ensure(answer.mentions(part), || format!("no {part}"))?;
    }
    Ok(())
}

fn uids(session: &mut Imap) -> Outcome<Vec<u64>> {
    let answer = session.expect_ok("UID FETCH 1:* (FLAGS UID)")?;
    Ok(answer
        .fetched()?
        .iter()
        .filter_map(|items| items.number("UID"))
        .collect())
}

struct Mailbox {
    session: Imap,
    messages: Vec<Message>,
    uids: Vec<u64>,
}

impl Mailbox {
    fn run(&mut self, report: &mut Report) {
        report.check("message list with the field list of macOS and iOS", || {
            self.message_list()
        });
        report.check("BODYSTRUCTURE of all, nested, with extension data", || {
            self.structure()
        });
        report.check("parts: BODY.PEEK[1.1], MIME, HEADER", || self.parts());
        report.check(
            "chunks: BODY.PEEK[1]<0.393216>, the middle, beyond the end",
            || self.chunks(),
        );
        report.check("flag colours and keywords", || self.keywords());
        report.check("CHANGEDSINCE brings only what changed", || {
            self.changed_since()
        });
        report.check("STATUS with HIGHESTMODSEQ", || {
            let answer = self.session.expect_ok(
                "STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)",
            )?;
            ensure(answer.mentions("HIGHESTMODSEQ"), || format!("{answer:?}"))
        });
        report.check("searches", || self.searches());
        report.check("UID MOVE and UID COPY with COPYUID", || self.moves());
    }

    fn position(&self, name: &str) -> Outcome<usize> {
        let found = self
            .messages
            .iter()
            .position(|message| message.name == name);
        found.ok_or_else(|| Failure(format!("no message {name}")))
    }

    fn uid(&self, name: &str) -> Outcome<u64> {
        let position = self.position(name)?;
        self.uids
            .get(position)
            .copied()
            .ok_or_else(|| Failure("UID missing".into()))
    }

    fn bytes(&self, name: &str) -> Outcome<Vec<u8>> {
        let position = self.position(name)?;
        Ok(self
            .messages
            .get(position)
            .map(|message| message.bytes.clone())
            .unwrap_or_default())
    }

    fn fetch(&mut self, what: &str) -> Outcome<Vec<FetchItems>> {
        self.session
            .expect_ok(&format!("UID FETCH {what}"))?
            .fetched()
    }

    fn one(&mut self, what: &str) -> Outcome<FetchItems> {
        self.fetch(what)?
            .pop()
            .ok_or_else(|| Failure(format!("no answer to {what}")))
    }

    fn message_list(&mut self) -> Outcome {
        let all = self.fetch(&format!(
            "1:* (INTERNALDATE UID RFC822.SIZE FLAGS MODSEQ BODY.PEEK[HEADER.FIELDS ({FIELDS})])"
        ))?;
        ensure(all.len() == self.messages.len(), || {
            format!("{} answers", all.len())
        })?;
        for (items, message) in all.iter().zip(&self.messages) {
            let size = items.number("RFC822.SIZE");
            ensure(size == Some(message.bytes.len() as u64), || {
                format!("{}: size {size:?}", message.name)
            })?;
            let (label, _) = items
                .starting("BODY[HEADER.FIELDS")
                .ok_or_else(|| Failure("no header".into()))?;
            // Apple Mail drops an answer whose label does not repeat the requested list.
            let want = format!("BODY[HEADER.FIELDS ({FIELDS})]").to_ascii_uppercase();
            ensure(label.replace('"', "") == want, || format!("label {label}"))?;
        }
        Ok(())
    }

    fn structure(&mut self) -> Outcome {
        let all = self.fetch("1:* (UID BODYSTRUCTURE)")?;
        ensure(all.len() == self.messages.len(), || {
            format!("{} answers", all.len())
        })?;
        let uid = self.uid("multipart")?;
        let multipart = all.iter().find(|items| items.number("UID") == Some(uid));
        let text = multipart
            .map(|items| items.text("BODYSTRUCTURE").to_ascii_lowercase())
            .unwrap_or_default();
        for part in [
            "\"alternative\" (\"boundary\" \"alt\")",
            "\"message\" \"rfc822\"",
            "filename",
        ] {
            ensure(text.contains(part), || format!("no {part} in {text}"))?;
        }
        Ok(())
    }

    fn parts(&mut self) -> Outcome {
        let uid = self.uid("multipart")?;
        let whole = self.bytes("multipart")?;
        let end = whole
            .windows(4)
            .position(|part| part == b"\r\n\r\n")
            .unwrap_or(0)
            + 4;
        let header = whole.get(..end).unwrap_or_default().to_vec();
        let sections: [(&str, &[u8]); 5] = [
            ("1.1", b"hi"),
            ("1.2", b"<b>h=69</b>=20"),
            ("2", b"AAECAwQFBgcICQ=="),
            (
                "1.MIME",
                b"Content-Type: multipart/alternative; boundary=alt\r\n\r\n",
            ),
            ("HEADER", &header),
        ];
        for (section, want) in sections {
            let items = self.one(&format!("{uid} (UID BODY.PEEK[{section}])"))?;
            let got = items.bytes(&format!("BODY[{section}]")).unwrap_or_default();
            ensure(got == want, || {
                format!("BODY[{section}] {}", shown(&got, 100))
            })?;
        }
        Ok(())
    }

    fn chunks(&mut self) -> Outcome {
        let uid = self.uid("medium-300k")?;
        let whole = self.bytes("medium-300k")?;
        let start = whole
            .windows(4)
            .position(|part| part == b"\r\n\r\n")
            .unwrap_or(0)
            + 4;
        let ranges: [(&str, &str, &[u8]); 3] = [
            (
                "BODY.PEEK[1]<0.393216>",
                "BODY[1]<0>",
                whole.get(start..).unwrap_or_default(),
            ),
            (
                "BODY.PEEK[]<100000.65536>",
                "BODY[]<100000>",
                whole.get(100_000..165_536).unwrap_or_default(),
            ),
            ("BODY.PEEK[]<9999999.100>", "BODY[]<9999999>", b""),
        ];
        for (request, label, want) in ranges {
            let items = self.one(&format!("{uid} (UID {request})"))?;
            let got = items
                .bytes(label)
                .ok_or_else(|| Failure(format!("no {label}")))?;
            ensure(got == want, || {
                format!("{request}: {} bytes, want {}", got.len(), want.len())
            })?;
        }
        Ok(())
    }

    fn keywords(&mut self) -> Outcome {
        let uid = self.uid("multipart")?;
        let set = "+FLAGS.SILENT (\\Flagged $MailFlagBit0 $NotJunk NotJunk)";
        self.session.expect_ok(&format!("UID STORE {uid} {set}"))?;
        self.session.expect_ok(&format!(
            "UID STORE {uid} +FLAGS.SILENT (\\Answered $Forwarded)"
        ))?;
        let flags = self
            .one(&format!("{uid} (FLAGS)"))?
            .text("FLAGS")
            .to_ascii_lowercase();
        for flag in [
            "$mailflagbit0",
            "$notjunk",
            "\\flagged",
            "\\answered",
            "$forwarded",
        ] {
            ensure(flags.contains(flag), || format!("no {flag} in {flags}"))?;
        }
        Ok(())
    }

    fn changed_since(&mut self) -> Outcome {
        let modseq = |items: &FetchItems| {
            items
                .text("MODSEQ")
                .trim_matches(['(', ')'])
                .parse::<u64>()
                .unwrap_or(0)
        };
        let highest = self
            .fetch("1:* (UID FLAGS MODSEQ)")?
            .iter()
            .map(modseq)
            .max()
            .unwrap_or(0);
        let uid = self.uid("dots")?;
        self.session
            .expect_ok(&format!("UID STORE {uid} +FLAGS.SILENT (\\Flagged)"))?;
        let changed = self.fetch(&format!("1:* (UID FLAGS MODSEQ) (CHANGEDSINCE {highest})"))?;
        let only =
            changed.len() == 1 && changed.iter().all(|items| items.number("UID") == Some(uid));
        ensure(highest > 0 && only, || format!("{changed:?}"))
    }

    fn searches(&mut self) -> Outcome {
        let count = self.messages.len();
        for search in [
            "UID SEARCH 1:* NOT DELETED",
            "UID SEARCH SINCE 1-Jan-2026 NOT DELETED",
        ] {
            let found = self.session.expect_ok(search)?.found().len();
            ensure(found == count, || format!("{search}: {found} of {count}"))?;
        }
        let tag = self.session.tag();
        self.session
            .send(format!("{tag} UID SEARCH CHARSET UTF-8 TEXT {{5}}\r\n").as_bytes())?;
        let line = self.session.response(Literals::Keep)?;
        ensure(line.starts_with(b"+"), || shown(&line, 100))?;
        self.session.send("köln\r\n".as_bytes())?;
        let found = self.session.finish(&tag)?.ok()?.found();
        let uid = self.uid("utf8-8bit")?;
        ensure(found.contains(&(uid as u32)), || {
            format!("UTF-8 literal: {found:?}")
        })?;
        if self.session.has("ESEARCH") {
            let answer = self
                .session
                .expect_ok("UID SEARCH RETURN (MIN MAX COUNT) UNDELETED")?;
            ensure(answer.mentions(&format!("COUNT {count}")), || {
                format!("{answer:?}")
            })?;
        }
        Ok(())
    }

    fn moves(&mut self) -> Outcome {
        let uid = self.uid("folded")?;
        for mailbox in ["Moved", "Copied"] {
            self.session.expect_ok(&format!("CREATE {mailbox}"))?;
        }
        let answer = self
            .session
            .expect_ok(&format!("UID MOVE {uid} \"Moved\""))?;
        ensure(answer.mentions("COPYUID"), || format!("{answer:?}"))?;
        let uid = self.uid("multipart")?;
        let answer = self
            .session
            .expect_ok(&format!("UID COPY {uid} \"Copied\""))?;
        ensure(answer.mentions("COPYUID"), || format!("{answer:?}"))
    }
}

/// IDLE as iOS does it, with another connection at work; then folders and the end.
fn second_connection(subject: &Subject, mailbox: &mut Mailbox, report: &mut Report) {
    report.check(
        "IDLE pushes EXISTS; DONE with the next command pipelined",
        || {
            let plain = mailbox.bytes("plain")?;
            let session = &mut mailbox.session;
            let tag = session.idle_begin()?;
            let mut other = Imap::login(subject.listeners.imap, &subject.alice)?;
            other.append("INBOX", "", &plain)?.ok()?;
            let line = session.response(Literals::Keep)?;
            ensure(
                line.ends_with(b" EXISTS") || line.ends_with(b" RECENT"),
                || shown(&line, 100),
            )?;
            session.send(b"DONE\r\nI2 NOOP\r\n")?;
            session.finish(&tag)?.ok()?;
            session.finish("I2")?.ok().map(|_| ())
        },
    );
    report.check("CLOSE expunges", || {
        let mut other = Imap::login(subject.listeners.imap, &subject.alice)?;
        other.select("Moved")?;
        other.expect_ok("UID STORE 1:* +FLAGS.SILENT (\\Deleted)")?;
        other.expect_ok("CLOSE")?;
        let answer = other.expect_ok("STATUS \"Moved\" (MESSAGES)")?;
        ensure(answer.mentions("MESSAGES 0"), || format!("{answer:?}"))
    });
    report.check("mailbox names in modified UTF-7", || {
        let session = &mut mailbox.session;
        session.expect_ok("CREATE \"Ordner &AOQA9gD8-\"")?;
        let answer = session.expect_ok("LIST \"\" \"Ordner*\"")?;
        ensure(answer.mentions("&AOQA9gD8-"), || format!("{answer:?}"))?;
        session.expect_ok("RENAME \"Ordner &AOQA9gD8-\" \"Umbenannt\"")?;
        session.expect_ok("DELETE \"Umbenannt\"").map(|_| ())
    });
    report.check(
        "refusals: missing mailbox, XAPPLEPUSHSERVICE; then LOGOUT",
        || {
            let session = &mut mailbox.session;
            ensure(session.command("SELECT \"no such box\"")?.is_no(), || {
                "SELECT is not NO".into()
            })?;
            ensure(
                session
                    .command("XAPPLEPUSHSERVICE \"aps-version\" \"2\"")?
                    .is_bad(),
                || "not BAD".into(),
            )?;
            let answer = session.command("LOGOUT")?;
            if answer
                .untagged
                .iter()
                .any(|line| line.starts_with(b"* BYE"))
            {
                Ok(())
            } else {
                failure(format!("{answer:?}"))
            }
        },
    );
}
