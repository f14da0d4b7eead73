//! A login whose proof is being looked at: slowed by the throttle, and written down however it ends.

use std::borrow::Cow;

use account::{Error, ErrorKind, Principal};

use crate::{Attempt, LoginOutcome, Refusal, audit::Record};

/// The client was gone before it was known what comes of it.
const BROKEN_OFF: &str = "broken off";

/// A login that is being checked. Dropping it counts it as refused, and writes that down.
pub(crate) struct Trial {
    record: Record,
    attempt: Option<Box<dyn Attempt>>,
    /// Why it is refused unless something else comes of it.
    reason: Cow<'static, str>,
}

impl Trial {
    pub(crate) fn new(record: Record, attempt: Box<dyn Attempt>) -> Self {
        Self {
            record,
            attempt: Some(attempt),
            reason: Cow::Borrowed(BROKEN_OFF),
        }
    }

    /// The same, of which is known already why it will be refused.
    pub(crate) fn lost(mut self, reason: Cow<'static, str>) -> Self {
        self.reason = reason;
        self
    }

    /// The same, that is refused for this reason unless another one is known.
    pub(crate) fn or_lost(self, reason: &'static str) -> Self {
        match self.reason == BROKEN_OFF {
            true => self.lost(Cow::Borrowed(reason)),
            false => self,
        }
    }

    /// What comes of it when the proof has been looked at. `other`: whom the user wants to act for, when it is not
    /// themselves.
    pub(crate) fn conclude(
        self,
        checked: account::Result<Principal>,
        other: Option<&str>,
    ) -> Result<Principal, Refusal> {
        match (checked, other) {
            (Ok(principal), None) => {
                let (record, attempt) = self.take();
                record.accepted(&principal);
                end(attempt, LoginOutcome::Accepted);
                Ok(principal)
            }
            (Ok(_), Some(_)) => {
                // Who they are is proved, though they may not do what they want.
                let (record, attempt) = self.take();
                record.refused("may not act for another");
                end(attempt, LoginOutcome::Accepted);
                Err(Refusal::OtherIdentity)
            }
            (Err(error), _) if error.kind == ErrorKind::Unauthenticated => {
                drop(self.lost(error.context));
                Err(Refusal::WrongPassword)
            }
            (Err(error), _) => Err(self.undecided(error)),
        }
    }

    /// It cannot be told now.
    pub(crate) fn undecided(self, error: Error) -> Refusal {
        let (record, attempt) = self.take();
        record.refused(&error);
        end(attempt, LoginOutcome::Undecided);
        Refusal::Failed(error)
    }

    fn take(mut self) -> (Record, Option<Box<dyn Attempt>>) {
        (self.record.clone(), self.attempt.take())
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(attempt) = self.attempt.take() {
            self.record.refused(&self.reason);
            // Who hangs up early has had his guess.
            attempt.end(LoginOutcome::Refused);
        }
    }
}

fn end(attempt: Option<Box<dyn Attempt>>, outcome: LoginOutcome) {
    if let Some(attempt) = attempt {
        attempt.end(outcome);
    }
}
