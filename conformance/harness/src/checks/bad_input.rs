//! Peers that break the rules: each gets the protocol's own error, within bounds, and the server goes on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::failure::{Outcome, ensure, failure, shown};
use crate::imap::{Imap, Literals};
use crate::lmtp::{Lmtp, SENDER};
use crate::load::memory;
use crate::random::Random;
use crate::report::Report;
use crate::subject::Subject;

/// Connections that send nothing but garbage.
const GARBAGE_CONNECTIONS: usize = 10_000;
/// A line that no server should keep whole, in bytes.
const LINE: usize = 10_000_000;
/// What garbage may leave behind in memory, in KiB.
const GROWTH_KIB_MAX: u64 = 20_000;
/// How long a refusal may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    report.check(
        "IMAP: malformed commands get BAD and the session goes on",
        || malformed_commands(subject),
    );
    report.check(
        "IMAP: NUL, bare CR and bare LF in commands are refused",
        || control_octets(subject),
    );
    report.check("IMAP: an endless line is refused within bounds", || {
        endless_imap_line(subject)
    });
    report.check(
        "IMAP: an oversized literal is refused before it is sent",
        || oversized_literal(subject),
    );
    report.check(
        "IMAP: commands pipelined behind STARTTLS are not obeyed",
        || imap_starttls_injection(subject),
    );
    report.check(
        "LMTP: malformed commands get 5xx and the session goes on",
        || malformed_lmtp(subject),
    );
    report.check(
        "LMTP: NUL, bare CR and bare LF in commands are refused",
        || lmtp_control_octets(subject),
    );
    report.check("LMTP: an endless line is refused within bounds", || {
        endless_lmtp_line(subject)
    });
    report.check(
        "LMTP: commands pipelined behind STARTTLS are not obeyed",
        || lmtp_starttls_injection(subject),
    );
    report.check(
        "LMTP: a message above the limit is refused, 552, and nothing is kept",
        || too_big(subject),
    );
    report.check(
        "10,000 garbage connections leave memory where it was",
        || garbage(subject),
    );
    Ok(())
}

fn session(subject: &Subject) -> Outcome<Imap> {
    Imap::login(subject.listeners.imap, &subject.alice)
}

fn malformed_commands(subject: &Subject) -> Outcome {
    let mut session = session(subject)?;
    session.select("INBOX")?;
    let commands: [&[u8]; 14] = [
        b"FROBNICATE",
        b"SELECT",
        b"SELECT (",
        b"FETCH",
        b"FETCH 1",
        b"FETCH 0 FLAGS",
        b"FETCH 1 (BODY[)",
        b"FETCH 1:: FLAGS",
        b"STORE 1 FLAGS (\\Seen",
        b"SEARCH",
        b"SEARCH NOT",
        b"UID",
        b"UID FROB 1",
        b"APPEND INBOX \"x\" {1",
    ];
    for command in commands {
        let answer = session.command_bytes(command)?;
        ensure(answer.is_bad(), || {
            format!("{}: {}", shown(command, 60), answer.tagged)
        })?;
        // Many errors on end may end a session; an ordinary client's occasional one may not.
        session.expect_ok("NOOP")?;
        ensure(answer.tagged.len() > 5, || {
            format!("{}: BAD without a reason", shown(command, 60))
        })?;
    }
    Ok(())
}

/// After such a command the answer is BAD, or the connection ends; it is never obeyed.
fn control_octets(subject: &Subject) -> Outcome {
    for command in [
        b"c1 NOOP\0\r\n".as_slice(),
        b"c1 NO\rOP\r\n",
        b"c1 CREATE a\0b\r\n",
        b"c1 CREATE \"x\ry\"\r\n",
    ] {
        let mut session = session(subject)?;
        session.send(command)?;
        let line = session.response(Literals::Keep).unwrap_or_default();
        let refused = line.is_empty()
            || line.starts_with(b"* BYE")
            || line.starts_with(b"* BAD")
            || line.starts_with(b"c1 BAD");
        ensure(refused, || {
            format!("{}: {}", shown(command, 40), shown(&line, 100))
        })?;
    }
    let mut session = session(subject)?;
    // One line with a bare LF in it: if LF ended a command, two mailboxes would be created.
    session.send(b"c1 CREATE lf-one\nc2 CREATE lf-two\r\n")?;
    let line = session.response(Literals::Keep).unwrap_or_default();
    ensure(!line.starts_with(b"c1 OK"), || shown(&line, 100))?;
    let listed = self::session(subject)?.expect_ok("LIST \"\" \"lf-*\"")?;
    ensure(listed.untagged.is_empty(), || format!("{listed:?}"))
}

fn endless_imap_line(subject: &Subject) -> Outcome {
    let before = resident(subject);
    let mut session = Imap::connect(subject.listeners.imap)?;
    session.read_limit(Some(ANSWER_LIMIT))?;
    let refused =
        send_until_refused(&mut |bytes| session.send(bytes)) || session.send(b"\r\n").is_err();
    let line = session.response(Literals::Keep).unwrap_or_default();
    let said = line.starts_with(b"* BAD")
        || line.starts_with(b"* BYE")
        || line.windows(4).any(|part| part == b" BAD");
    ensure(said || refused, || {
        format!("no refusal: {}", shown(&line, 100))
    })?;
    within_bounds(subject, before)
}

fn oversized_literal(subject: &Subject) -> Outcome {
    let mut session = session(subject)?;
    session.send(b"c1 APPEND INBOX {4000000000}\r\n")?;
    let line = session.response(Literals::Keep)?;
    ensure(
        line.starts_with(b"c1 NO") || line.starts_with(b"c1 BAD"),
        || shown(&line, 100),
    )?;
    session.send(b"c2 CREATE {70000}\r\n")?;
    let line = session.response(Literals::Keep)?;
    ensure(
        line.starts_with(b"c2 BAD") || line.starts_with(b"c2 NO"),
        || shown(&line, 100),
    )?;
    session.expect_ok("NOOP").map(|_| ())
}

fn imap_starttls_injection(subject: &Subject) -> Outcome {
    let mut session = Imap::connect(subject.listeners.imap)?;
    session.send(b"t1 STARTTLS\r\nt2 CREATE injected\r\n")?;
    session.read_limit(Some(Duration::from_secs(3)))?;
    let first = session.response(Literals::Keep)?;
    ensure(first.starts_with(b"t1 "), || shown(&first, 100))?;
    // What follows must not be an answer in the clear; a TLS alert or the end of the connection is right.
    let second = session.response(Literals::Keep).unwrap_or_default();
    ensure(!second.starts_with(b"t2 "), || shown(&second, 100))
}

fn malformed_lmtp(subject: &Subject) -> Outcome {
    let mut session = Lmtp::connect(subject.listeners.lmtp)?;
    let lines = [
        "FROB",
        "MAIL",
        "MAIL FROM",
        "MAIL FROM:",
        "MAIL FROM:<a@b",
        "MAIL TO:<a@b>",
        "MAIL FROM:<a@b.example> FROB=1",
        "RCPT TO:<a@b>",
        "BDAT",
        "BDAT x",
        "LHLO",
        "DATA x",
    ];
    for line in lines {
        let reply = session.command(line)?;
        ensure(reply.is(5), || format!("{line}: {}", reply.text))?;
    }
    session.command("NOOP")?.expect(2)
}

fn lmtp_control_octets(subject: &Subject) -> Outcome {
    for line in [
        b"MAIL FROM:<a\0b@example.org>\r\n".as_slice(),
        b"MAIL FROM:<a@example.org>\rRSET\r\n",
        b"MAIL FROM:<a@example.org>\nRSET\r\n",
    ] {
        let mut session = Lmtp::connect(subject.listeners.lmtp)?;
        session.send(line)?;
        // Ending the connection refuses too.
        let accepted = session.reply().is_ok_and(|reply| reply.is(2));
        ensure(!accepted, || format!("{} was accepted", shown(line, 60)))?;
    }
    Ok(())
}

fn endless_lmtp_line(subject: &Subject) -> Outcome {
    let before = resident(subject);
    let mut session = Lmtp::connect(subject.listeners.lmtp)?;
    let refused =
        send_until_refused(&mut |bytes| session.send(bytes)) || session.send(b"\r\n").is_err();
    let said = session.reply().map(|reply| reply.text);
    ensure(
        refused
            || said
                .as_ref()
                .is_ok_and(|text| text.starts_with('5') || text.starts_with("421")),
        || format!("{said:?}"),
    )?;
    within_bounds(subject, before)
}

fn lmtp_starttls_injection(subject: &Subject) -> Outcome {
    let mut session = Lmtp::connect(subject.listeners.lmtp)?;
    if !session.advertises("STARTTLS") {
        return session.command("STARTTLS")?.expect(5);
    }
    session.send(b"STARTTLS\r\nNOOP\r\n")?;
    let first = session.reply()?;
    match session.reply() {
        Ok(second) if first.is(2) && second.is(2) => {
            failure(format!("answered in the clear: {}", second.text))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

fn too_big(subject: &Subject) -> Outcome {
    let mut session = Lmtp::connect(subject.listeners.lmtp)?;
    let limit = session
        .parameter("SIZE")
        .and_then(|size| size.parse::<usize>().ok())
        .unwrap_or(0);
    if limit == 0 || limit > 200_000_000 {
        return Ok(());
    }
    let before = session_count(subject)?;
    session
        .command(&format!("MAIL FROM:<{SENDER}>"))?
        .expect(2)?;
    session
        .command(&format!("RCPT TO:<{}>", subject.alice.address))?
        .expect(2)?;
    session.command("DATA")?.expect(3)?;
    session.send(b"Subject: too big\r\n\r\n")?;
    let line = [b"x".repeat(998), b"\r\n".to_vec()].concat().repeat(1000);
    let mut sent = 0;
    while sent <= limit {
        session.send(&line)?;
        sent += line.len();
    }
    session.send(b".\r\n")?;
    let reply = session.reply()?;
    ensure(reply.code == 552, || reply.text.clone())?;
    session.command("NOOP")?.expect(2)?;
    let after = session_count(subject)?;
    ensure(before == after, || {
        format!("{before} messages before, {after} after")
    })
}

fn session_count(subject: &Subject) -> Outcome<u32> {
    session(subject)?.select("INBOX")
}

/// Random bytes on every listener, thousands of times; then the server still works and is no larger.
fn garbage(subject: &Subject) -> Outcome {
    let listeners = &subject.listeners;
    let ports = [
        listeners.imaps,
        listeners.pop3,
        listeners.pop3s,
        listeners.submission,
        listeners.submissions,
    ];
    let ports = ports.into_iter().flatten();
    let ports: Vec<u16> = ports.chain([listeners.imap, listeners.lmtp]).collect();
    let mut random = Random::new(Random::fresh_seed(), 0);
    // The first thousand fill what the server keeps for good: threads, buffers, the allocator's own.
    let mut before = 0;
    for connection in 0..GARBAGE_CONNECTIONS {
        if connection == GARBAGE_CONNECTIONS / 10 {
            before = resident(subject);
        }
        let port = random.pick(&ports).copied().unwrap_or(listeners.imap);
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        let length = random.below(2000) as usize;
        let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        // A server may hang up while garbage is still on its way.
        let _ = stream.write_all(&bytes);
        if random.percent(20) {
            stream.set_read_timeout(Some(Duration::from_millis(5)))?;
            let _ = stream.read(&mut [0; 512]);
        }
    }
    session(subject)?.expect_ok("NOOP")?;
    Lmtp::connect(listeners.lmtp)?.command("NOOP")?.expect(2)?;
    within_bounds(subject, before)
}

/// Sends a line without end; true when the server ended the connection meanwhile.
fn send_until_refused(send: &mut dyn FnMut(&[u8]) -> Outcome) -> bool {
    let block = [b'x'; 65_536];
    (0..LINE / block.len()).any(|_| send(&block).is_err())
}

fn resident(subject: &Subject) -> u64 {
    let roots: Vec<u32> = subject.pid().into_iter().collect();
    memory(&roots).resident_kib
}

fn within_bounds(subject: &Subject, before: u64) -> Outcome {
    let after = resident(subject);
    ensure(after < before + GROWTH_KIB_MAX, || {
        format!("{before} KiB before, {after} KiB after")
    })
}
