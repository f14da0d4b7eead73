//! The groups of checks, each with a fresh subject of its own.

mod apple_mail;
mod bad_input;
mod corpus;
mod curl;
mod lmtp_clients;
mod lmtp_states;
mod login;
mod mailboxes;
mod mbsync;
mod milter;
mod mutt;
mod pop3;
mod postfix;
mod python;
mod signed;
mod submission;
mod thunderbird;

use crate::failure::Outcome;
use crate::report::Report;
use crate::subject::{Kind, Options, Subject};

/// A group of checks.
pub struct Group {
    /// Its name, for `--only`.
    pub name: &'static str,
    /// What it does.
    pub run: fn(&Subject, &mut Report) -> Outcome,
}

/// Every group, in the order run.
pub const GROUPS: &[Group] = &[
    Group {
        name: "lmtp-states",
        run: lmtp_states::run,
    },
    Group {
        name: "imaplib",
        run: python::run,
    },
    Group {
        name: "mbsync",
        run: mbsync::run,
    },
    Group {
        name: "mutt",
        run: mutt::run,
    },
    Group {
        name: "curl",
        run: curl::run,
    },
    Group {
        name: "pop3",
        run: pop3::run,
    },
    Group {
        name: "submission",
        run: submission::run,
    },
    Group {
        name: "login",
        run: login::run,
    },
    Group {
        name: "signed",
        run: signed::run,
    },
    Group {
        name: "milter",
        run: milter::run,
    },
    Group {
        name: "thunderbird",
        run: thunderbird::run,
    },
    Group {
        name: "swaks",
        run: lmtp_clients::swaks,
    },
    Group {
        name: "smtp-source",
        run: lmtp_clients::smtp_source,
    },
    Group {
        name: "postfix",
        run: postfix::run,
    },
    Group {
        name: "apple-mail",
        run: apple_mail::run,
    },
    Group {
        name: "bad-input",
        run: bad_input::run,
    },
    Group {
        name: "corpus",
        run: corpus::run,
    },
];

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
