//! The gateway of these checks: logins tried, and its log read.

use std::cell::RefCell;
use std::process::Command;

use super::LIMIT;
use super::slapd::OWN_PASSWORD;
use super::wire::{Answer, Service};
use crate::failure::{Failure, Outcome, ensure, failure};
use crate::load::base64;
use crate::process::run as run_program;
use crate::subject::{Kind, Subject};

/// A gateway, and what must not be in its log.
pub(super) struct Gateway {
    pub(super) subject: Subject,
    /// IMAP, POP3 and submission.
    pub(super) services: [Service; 3],
    secrets: RefCell<Vec<String>>,
}

impl Gateway {
    pub(super) fn new(subject: Subject) -> Outcome<Self> {
        let none = || Failure("the subject lacks a listener".into());
        let service = |name, port| Service { name, port };
        let services = [
            service("imap", subject.listeners.imap),
            service("pop3", subject.listeners.pop3.ok_or_else(none)?),
            service("smtp", subject.listeners.submission.ok_or_else(none)?),
        ];
        let known = [&subject.alice, &subject.bob].map(|account| account.password.clone());
        Ok(Self {
            services,
            secrets: RefCell::new([&known[..], &[OWN_PASSWORD.to_owned()]].concat()),
            subject,
        })
    }

    pub(super) fn log(&self) -> Outcome<String> {
        let log = std::fs::read(self.subject.work.join("server.log"))?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// Tries a login that is to be refused, and looks for the one line that says why.
    pub(super) fn refused(
        &self,
        service: Service,
        (mechanism, said): (&str, &str),
        why: &str,
    ) -> Outcome<Answer> {
        let before = self.log()?.len();
        let answer = service.try_login(mechanism, &base64(said.as_bytes(), 0))?;
        ensure(!answer.accepted, || {
            format!("{}: it was accepted", service.name)
        })?;
        let log = self.log()?;
        let new = log.get(before..).unwrap_or_default();
        let lines: Vec<_> = new
            .lines()
            .filter(|line| line.contains("login refused"))
            .collect();
        let (name, reason) = (format!("service={}", service.name), format!("reason={why}"));
        let fits = |line: &&str| line.contains(&name) && line.contains(&reason);
        ensure(matches!(lines.as_slice(), [line] if fits(line)), || {
            format!(
                "{}: {} is not what is in the log: {new}",
                service.name, reason
            )
        })?;
        Ok(answer)
    }

    pub(super) fn accepted(&self, service: Service, (mechanism, said): (&str, &str)) -> Outcome {
        let answer = service.try_login(mechanism, &base64(said.as_bytes(), 0))?;
        ensure(answer.accepted, || {
            format!("{}: {}", service.name, answer.line)
        })
    }

    pub(super) fn dragoman(&self, words: &[&str]) -> Outcome<String> {
        let (Kind::Dragoman { binary } | Kind::Exchange { binary, .. }) = &self.subject.kind else {
            return failure("the subject is not Dragoman");
        };
        let mut command = Command::new(binary);
        command.args(words).arg("--data").arg(self.subject.data());
        let output = run_program(&mut command, b"", LIMIT)?.success()?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    pub(super) fn keep_secret(&self, secret: &str) {
        self.secrets.borrow_mut().push(secret.to_owned());
    }

    pub(super) fn has_no_secrets(&self) -> Outcome {
        let log = self.log()?;
        for secret in self.secrets.borrow().iter() {
            for form in [secret.clone(), base64(secret.as_bytes(), 0)] {
                ensure(!log.contains(&form), || "a secret is in the log".into())?;
            }
        }
        Ok(())
    }
}
