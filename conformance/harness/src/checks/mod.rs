//! The groups of checks, each with a fresh subject of its own.

mod apple_mail;
mod corpus;
mod curl;
mod lmtp_clients;
mod lmtp_states;
mod mailboxes;
mod mbsync;
mod mutt;
mod postfix;
mod python;

use crate::failure::Outcome;
use crate::report::Report;
use crate::subject::{Kind, Options, Subject};

/// A group of checks and the real programs it drives.
pub struct Group {
    /// Its name, for `--only`.
    pub name: &'static str,
    /// Debian packages whose programs it needs.
    pub packages: &'static [&'static str],
    /// What it does.
    pub run: fn(&Subject, &mut Report) -> Outcome,
}

/// Every group, in the order run.
pub const GROUPS: &[Group] = &[
    group("lmtp-states", &[], lmtp_states::run),
    group("imaplib", &["python3"], python::run),
    group("mbsync", &["isync", "openssl"], mbsync::run),
    group("mutt", &["mutt", "bsdutils"], mutt::run),
    group("curl", &["curl"], curl::run),
    group("swaks", &["swaks"], lmtp_clients::swaks),
    group("smtp-source", &["postfix"], lmtp_clients::smtp_source),
    group("postfix", &["postfix"], postfix::run),
    group("apple-mail", &[], apple_mail::run),
    group("corpus", &["git"], corpus::run),
];

const fn group(
    name: &'static str,
    packages: &'static [&'static str],
    run: fn(&Subject, &mut Report) -> Outcome,
) -> Group {
    Group {
        name,
        packages,
        run,
    }
}

/// Runs one group against a fresh subject; trouble outside a single check is a failed check too.
pub fn run_group(group: &Group, kind: &Kind, report: &mut Report) {
    report.enter(group.name);
    match Subject::start(kind, Options::default()) {
        Ok(subject) => {
            if let Err(why) = (group.run)(&subject, report) {
                report.record("runs to its end", &Err(why));
            }
            let ended = subject.clean_up();
            if ended.is_err() {
                report.record("the server ends on SIGTERM", &ended);
            }
        }
        Err(why) => {
            report.record("the server starts", &Err(why));
        }
    }
}
