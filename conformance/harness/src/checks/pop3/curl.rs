//! curl as a POP3 client: lists, messages, TOP, CAPA, STLS, POP3 over TLS, SASL.

use std::process::Command;
use std::time::Duration;

use super::{SESSIONS, port};
use crate::checks::mailboxes::same_messages;
use crate::failure::{Failure, Outcome, ensure, shown};
use crate::mail::Message;
use crate::process::{require, run as run_program};
use crate::report::Report;
use crate::subject::Subject;

/// How long one request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// Runs the checks.
pub(super) fn run(subject: &mut Subject, messages: &[Message], report: &mut Report) -> Outcome {
    require("curl")?;
    let url = format!("pop3://127.0.0.1:{}/", port(subject)?);
    let bytes = |subject: &Subject| -> Outcome {
        let mut got = Vec::new();
        for number in 1..=messages.len() {
            got.push(request(subject, &[&format!("{url}{number}")])?);
        }
        same_messages(
            got.iter().map(Vec::as_slice),
            messages.iter().map(|message| message.bytes.as_slice()),
        )
    };
    let names = |subject: &Subject| request(subject, &["-X", "UIDL", &url]);
    let before = names(subject)?;
    report.check("curl: every message, bytes equal", || bytes(subject));
    report.check("curl: UIDL is the same in every session", || {
        for _ in 1..SESSIONS {
            let now = names(subject)?;
            ensure(now == before, || shown(&now, 200))?;
        }
        Ok(())
    });
    subject.stop()?;
    subject.run()?;
    report.check("curl: the same bytes and UIDL after a restart", || {
        ensure(names(subject)? == before, || "another UIDL".into())?;
        bytes(subject)
    });
    requests(subject, report, &url);
    Ok(())
}

fn requests(subject: &Subject, report: &mut Report, url: &str) {
    let tls = subject
        .listeners
        .pop3s
        .map(|port| format!("pop3s://127.0.0.1:{port}/"));
    let mut all: Vec<(&str, Vec<&str>, &str)> = vec![
        ("LIST", vec![url], "1 "),
        ("TOP", vec!["-X", "TOP 1 0", url], "Subject:"),
        ("CAPA", vec!["-X", "CAPA", url], "UIDL"),
        (
            "AUTH=PLAIN",
            vec!["--login-options", "AUTH=PLAIN", url],
            "1 ",
        ),
        (
            "AUTH=LOGIN",
            vec!["--login-options", "AUTH=LOGIN", url],
            "1 ",
        ),
        ("STLS", vec!["-k", "--ssl-reqd", url], "1 "),
    ];
    if let Some(tls) = &tls {
        all.push(("POP3S", vec!["-k", tls], "1 "));
    }
    for (what, arguments, expected) in all {
        report.check(&format!("curl: {what}"), || {
            let got = request(subject, &arguments)?;
            let text = String::from_utf8_lossy(&got).into_owned();
            ensure(text.contains(expected), || shown(&got, 200))
        });
    }
    report.check("curl: a wrong password is refused", || {
        let mut command = Command::new(require("curl")?);
        command.args(["-sS", "--max-time", "60", "-u"]);
        let login = format!("{}:wrong", subject.alice.address);
        let finished = run_program(command.arg(login).arg(url), b"", REQUEST_LIMIT)?;
        // CURLE_LOGIN_DENIED
        ensure(finished.status.code() == Some(67), || {
            finished.status.to_string()
        })
    });
}

fn request(subject: &Subject, arguments: &[&str]) -> Outcome<Vec<u8>> {
    let mut command = Command::new(require("curl")?);
    command.args(["-sS", "--max-time", "60", "-u"]);
    let login = format!("{}:{}", subject.alice.address, subject.alice.password);
    let finished = run_program(command.arg(login).args(arguments), b"", REQUEST_LIMIT)?;
    let output = finished.success()?;
    match output.is_empty() {
        true => Err(Failure("no answer".into())),
        false => Ok(output),
    }
}
