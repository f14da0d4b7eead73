//! curl as an IMAP client: list, fetch, section, search, upload, STARTTLS, IMAPS.

use std::process::Command;
use std::time::Duration;

use super::mailboxes::{bodies, filled_inbox, same_messages};
use crate::failure::{Outcome, ensure, shown};
use crate::imap::Imap;
use crate::process::{require, run as run_program};
use crate::report::Report;
use crate::subject::Subject;

/// How long one request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    require("curl")?;
    let messages = filled_inbox(subject)?;
    let url = format!("imap://127.0.0.1:{}", subject.listeners.imap);
    let curl = |arguments: &[&str]| request(subject, arguments);
    report.check("LIST", || {
        let listed = curl(&[&format!("{url}/")])?;
        ensure(String::from_utf8_lossy(&listed).contains("INBOX"), || {
            shown(&listed, 200)
        })
    });
    report.check("every message, bytes equal", || {
        let mut got = Vec::new();
        for index in 1..=messages.len() {
            got.push(curl(&[&format!("{url}/INBOX;MAILINDEX={index}")])?);
        }
        same_messages(
            got.iter().map(Vec::as_slice),
            messages.iter().map(|message| message.bytes.as_slice()),
        )
    });
    report.check("a section", || {
        let got = curl(&[&format!(
            "{url}/INBOX;MAILINDEX=1;SECTION=HEADER.FIELDS%20(Subject)"
        )])?;
        ensure(got.trim_ascii().starts_with(b"Subject:"), || {
            shown(&got, 200)
        })
    });
    report.check("SEARCH", || {
        let got = curl(&[&format!("{url}/INBOX?SUBJECT%20dots")])?;
        ensure(got.starts_with(b"* SEARCH "), || shown(&got, 200))
    });
    report.check("upload, bytes equal", || {
        Imap::login(subject.listeners.imap, &subject.alice)?.expect_ok("CREATE Uploads")?;
        let file = subject.work.join("upload.eml");
        let large = messages.iter().max_by_key(|message| message.bytes.len());
        let large = large
            .map(|message| message.bytes.clone())
            .unwrap_or_default();
        std::fs::write(&file, &large)?;
        curl(&["-T", &file.to_string_lossy(), &format!("{url}/Uploads")])?;
        same_messages(
            bodies(subject, "Uploads")?.iter().map(Vec::as_slice),
            [large.as_slice()],
        )
    });
    security(subject, report, &url);
    Ok(())
}

/// Every way to log in lists the mailboxes.
fn security(subject: &Subject, report: &mut Report, url: &str) {
    let url = format!("{url}/");
    let tls = subject
        .listeners
        .imaps
        .map(|port| format!("imaps://127.0.0.1:{port}/"));
    let mut ways: Vec<(&str, Vec<&str>)> = vec![
        ("AUTH=PLAIN", vec!["--login-options", "AUTH=PLAIN", &url]),
        ("AUTH=LOGIN", vec!["--login-options", "AUTH=LOGIN", &url]),
        ("STARTTLS", vec!["-k", "--ssl-reqd", &url]),
    ];
    if let Some(tls) = &tls {
        ways.push(("IMAPS", vec!["-k", tls]));
    }
    for (what, arguments) in ways {
        report.check(what, || {
            let listed = request(subject, &arguments)?;
            ensure(String::from_utf8_lossy(&listed).contains("INBOX"), || {
                shown(&listed, 200)
            })
        });
    }
}

fn request(subject: &Subject, arguments: &[&str]) -> Outcome<Vec<u8>> {
    let mut command = Command::new(require("curl")?);
    command.args(["-sS", "--max-time", "60", "-u"]);
    command
        .arg(format!(
            "{}:{}",
            subject.alice.address, subject.alice.password
        ))
        .args(arguments);
    run_program(&mut command, b"", REQUEST_LIMIT)?.success()
}
