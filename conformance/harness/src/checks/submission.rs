//! Submission by swaks, curl and msmtp: between two users, byte for byte, and what is refused.

use std::fs::{Permissions, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::mailboxes::{arrived_once, empty_inboxes};
use crate::failure::{Failure, Outcome, ensure};
use crate::process::{Finished, require, run as run_program};
use crate::report::Report;
use crate::subject::{Account, Subject};

/// How long one program may take.
const RUN_LIMIT: Duration = Duration::from_secs(60);

/// Runs the checks.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    let none = || Failure("the subject takes no submissions".into());
    let port = subject.listeners.submission.ok_or_else(none)?;
    swaks(subject, port, report)?;
    swaks_refused(subject, port, report)?;
    curl(subject, port, report)?;
    msmtp(subject, port, report)
}

/// A message of Alice's to Bob with what makes transports stumble, and a blind copy.
fn message(subject: &Subject, marker: &str) -> String {
    format!(
        "From: {}\r\nTo: {}\r\nBcc: secret@example.test\r\nSubject: {marker}\r\nDate: Thu, 26 Nov 2026 12:00:00 +0000\r\n\
         Message-ID: <{marker}@example.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n.a dot\r\n..two\r\n\r\ngr\u{fc}\u{df}e {marker}\r\n",
        subject.alice.address, subject.bob.address
    )
}

/// Waits until Bob has the message once, as it was sent less the blind copy and plus the trace.
fn arrived(subject: &Subject, sent: &str) -> Outcome {
    let expected = sent.replace("Bcc: secret@example.test\r\n", "");
    arrived_once(subject, &subject.bob, &[expected.as_bytes()])
}

fn swaks(subject: &Subject, port: u16, report: &mut Report) -> Outcome {
    let program = require("swaks")?;
    let alice = &subject.alice;
    for (name, rest) in [
        (
            "AUTH PLAIN without TLS on loopback",
            &["--auth", "PLAIN"][..],
        ),
        ("AUTH LOGIN after STARTTLS", &["--auth", "LOGIN", "-tls"]),
        (
            "chunks of pipelined commands",
            &["--auth", "PLAIN", "--pipeline"],
        ),
    ] {
        report.check(&format!("swaks: {name}"), || {
            empty_inboxes(subject)?;
            let text = message(subject, "swaks");
            attempt(
                subject,
                (&program, port),
                (alice, &alice.address),
                rest,
                &text,
            )?
            .success()?;
            arrived(subject, &text)
        });
    }
    if let Some(port) = subject.listeners.submissions {
        report.check("swaks: TLS from the beginning", || {
            empty_inboxes(subject)?;
            let text = message(subject, "smtps");
            let rest = ["--auth", "PLAIN", "--tls-on-connect"];
            attempt(
                subject,
                (&program, port),
                (alice, &alice.address),
                &rest,
                &text,
            )?
            .success()?;
            arrived(subject, &text)
        });
    }
    Ok(())
}

fn swaks_refused(subject: &Subject, port: u16, report: &mut Report) -> Outcome {
    let program = require("swaks")?;
    let wrong = Account::new(&subject.alice.address, "not her password");
    let (alice, bob) = (&subject.alice, &subject.bob);
    let forged = message(subject, "x").replacen(&alice.address, &bob.address, 1);
    let plain = message(subject, "x");
    for (name, account, from, text, answer) in [
        (
            "a wrong password",
            &wrong,
            &alice.address,
            &plain,
            "535 5.7.8",
        ),
        (
            "another's envelope",
            alice,
            &bob.address,
            &plain,
            "550 5.7.1",
        ),
        (
            "another's From",
            alice,
            &alice.address,
            &forged,
            "550 5.7.1",
        ),
    ] {
        report.check(&format!("swaks: {name} is refused with {answer}"), || {
            let ran = attempt(
                subject,
                (&program, port),
                (account, from),
                &["--auth", "PLAIN"],
                text,
            )?;
            let said = String::from_utf8_lossy(&ran.output).into_owned();
            ensure(said.contains(answer), || said)
        });
    }
    Ok(())
}

/// Runs swaks once.
fn attempt(
    subject: &Subject,
    (program, port): (&Path, u16),
    (account, from): (&Account, &str),
    rest: &[&str],
    text: &str,
) -> Outcome<Finished> {
    let file = subject.work.join("submission.eml");
    write(&file, text.strip_suffix("\r\n").unwrap_or(text))?;
    let mut command = Command::new(program);
    command.args(["--server", "127.0.0.1", "--port", &port.to_string()]);
    command.args(["--from", from, "--to", &subject.bob.address]);
    command.args(["--auth-user", &account.address]);
    command.args(["--auth-password", &account.password]);
    command.args(["--data", &format!("@{}", file.display())]);
    command.args(rest);
    run_program(&mut command, b"", RUN_LIMIT)
}

fn curl(subject: &Subject, port: u16, report: &mut Report) -> Outcome {
    let program = require("curl")?;
    report.check("curl: sends over STARTTLS", || {
        empty_inboxes(subject)?;
        let text = message(subject, "curl");
        let mut command = Command::new(&program);
        command.args(["--silent", "--show-error", "--insecure", "--ssl-reqd"]);
        command.arg(format!("smtp://127.0.0.1:{port}"));
        let Account { address, password } = &subject.alice;
        command.args(["--user", &format!("{address}:{password}")]);
        command.args(["--mail-from", address, "--mail-rcpt", &subject.bob.address]);
        command.args(["--upload-file", "-"]);
        run_program(&mut command, text.as_bytes(), RUN_LIMIT)?.success()?;
        arrived(subject, &text)
    });
    Ok(())
}

fn msmtp(subject: &Subject, port: u16, report: &mut Report) -> Outcome {
    let program = require("msmtp")?;
    report.check("msmtp: sends over STARTTLS", || {
        empty_inboxes(subject)?;
        let text = message(subject, "msmtp");
        let configuration = msmtp_configuration(subject, port)?;
        let mut command = Command::new(&program);
        command.arg(format!("--file={}", configuration.display()));
        // It would take blind copies out itself.
        command.args([
            "--remove-bcc-headers=off",
            "--account=alice",
            &subject.bob.address,
        ]);
        // A program that sends mail is fed lines of the system.
        let lines = text.replace("\r\n", "\n");
        run_program(&mut command, lines.as_bytes(), RUN_LIMIT)?.success()?;
        arrived(subject, &text)
    });
    Ok(())
}

fn msmtp_configuration(subject: &Subject, port: u16) -> Outcome<PathBuf> {
    let path = subject.work.join("msmtprc");
    let Account { address, password } = &subject.alice;
    let text = format!(
        "account alice\nhost 127.0.0.1\nport {port}\nauth on\ntls on\ntls_starttls on\ntls_certcheck off\n\
         from {address}\nuser {address}\npassword {password}\n"
    );
    write(&path, text)?;
    set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(path)
}
