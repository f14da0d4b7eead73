//! The answers to a batch, taken in the order of its ROPs.

use std::collections::VecDeque;

use mapi_wire::{DecodeError, rop::Response};

use super::{LoggedOn, live::Executed};
use crate::fault::{Fault, Result};

/// What a server answered to a batch. RopRelease has no answer.
#[derive(Debug)]
pub(crate) struct Answers {
    responses: VecDeque<Response>,
    handles: Vec<u32>,
    /// The context that the handles belong to.
    pub(crate) generation: u64,
    /// What the server said at logon.
    pub(crate) logon: LoggedOn,
}

impl Answers {
    pub(super) fn new(executed: Executed, generation: u64, logon: LoggedOn) -> Self {
        Self {
            responses: executed.responses.into(),
            handles: executed.handles,
            generation,
            logon,
        }
    }

    /// The next answer; a failed ROP is an error.
    pub(crate) fn take(&mut self) -> Result<Response> {
        match self.responses.pop_front() {
            Some(Response::Failed(failed)) => Err(Fault::operation(failed.rop_id, failed.code)),
            Some(response) => Ok(response),
            None => Err(unexpected()),
        }
    }

    /// The next answer as it came, also of a ROP that failed.
    pub(crate) fn take_any(&mut self) -> Option<Response> {
        self.responses.pop_front()
    }

    /// What is left, as it came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Response> {
        self.responses.iter()
    }

    /// The next answer must be that a ROP succeeded.
    pub(crate) fn succeed(&mut self) -> Result<()> {
        self.take().map(drop)
    }

    /// The handle in a slot.
    pub(crate) fn handle(&self, slot: u8) -> Result<u32> {
        self.handles
            .get(usize::from(slot))
            .copied()
            .ok_or_else(unexpected)
    }
}

/// The fault of an answer that does not fit its question.
pub(crate) const fn unexpected() -> Fault {
    Fault::Malformed(DecodeError {
        at: 0,
        expected: "the answer to what was asked",
    })
}

/// The next answer, which must be of this ROP and a success.
macro_rules! expect_rop {
    ($answers:expr, $rop:ident) => {
        match $answers.take() {
            Ok(mapi_wire::rop::Response::$rop(response)) => Ok(response),
            Ok(_) => Err($crate::session::unexpected()),
            Err(fault) => Err(fault),
        }
    };
}
pub(crate) use expect_rop;
