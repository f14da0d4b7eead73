//! Fetching messages, whatever the server makes of some of them: one that it cannot give must not keep back the others.
//!
//! A page that fails is fetched message by message. One that the server answers for and still does not give is refused:
//! at once when its stream makes no sense or trying again is of no use, else after [`REFUSALS_MAX`] calls. What keeps
//! from every message (the session, the folder, rights) is an error of the call.

use std::collections::HashMap;

use mapi_store::{Error, ErrorKind, Result};
use mapi_types::FolderId;
use mapi_wire::{Gid, Id};

use super::{Mailbox, render::Wanted};
use crate::{fault::Fault, message::is_only_rtf, remote::Fetched, session::Session};

/// How often a message may fail for a reason that may pass, before it is given up.
const REFUSALS_MAX: u32 = 3;

/// Of how many messages refusals are counted.
const COUNTED_MAX: usize = 1000;

/// How often a page is begun, when contexts are lost on the way.
const STARTS_MAX: u32 = 3;

/// How often the server refused messages.
#[derive(Debug, Default)]
pub(super) struct Refusals(HashMap<Gid, u32>);

/// What came of fetching messages.
#[derive(Debug, Default)]
pub(super) struct Got {
    pub(super) fetched: Vec<Fetched>,
    /// Places of messages that are there, and that the server does not give.
    pub(super) refused: Vec<usize>,
    /// Why others could not be had now.
    pub(super) failed: Option<Error>,
}

impl Mailbox {
    /// Fetches messages of one page; those that are gone are left out.
    pub(super) async fn fetch(
        &self,
        session: &Session,
        (folder, fid): (FolderId, Id),
        page: &[Wanted],
    ) -> Result<Got> {
        let mut got = Got::default();
        match self.together(session, fid, page).await {
            Ok(fetched) => got.fetched = fetched,
            Err(fault) if concerns_messages(&fault) => {
                tracing::debug!(%fault, messages = page.len(), "messages are fetched one by one");
            }
            Err(fault) => return Err(fault.into()),
        }
        let come: Vec<_> = got.fetched.iter().map(|one| one.place).collect();
        for (place, wanted) in page.iter().enumerate() {
            if !come.contains(&place) {
                self.alone(session, (folder, fid), (place, wanted), &mut got)
                    .await?;
            }
        }
        for one in &mut got.fetched {
            if let Some(wanted) = page.get(one.place)
                && is_only_rtf(&one.message)
            {
                let body = self.remote.converted_body(session, fid, wanted.mid).await?;
                one.message.props.extend(body);
            }
        }
        Ok(got)
    }

    async fn together(
        &self,
        session: &Session,
        fid: Id,
        page: &[Wanted],
    ) -> Result<Vec<Fetched>, Fault> {
        let mids: Vec<_> = page.iter().map(|wanted| wanted.mid).collect();
        let mut starts = 1;
        loop {
            match self.remote.messages(session, fid, &mids).await {
                Err(fault) if fault.lost_context() && starts < STARTS_MAX => starts += 1,
                done => return done,
            }
        }
    }

    async fn alone(
        &self,
        session: &Session,
        (folder, fid): (FolderId, Id),
        (place, wanted): (usize, &Wanted),
        got: &mut Got,
    ) -> Result<()> {
        let one = std::slice::from_ref(wanted);
        let fault = match self.together(session, fid, one).await {
            Ok(mut fetched) => match fetched.pop() {
                Some(fetched) => {
                    self.refusals().0.remove(&wanted.gid);
                    got.fetched.push(Fetched { place, ..fetched });
                    return Ok(());
                }
                None => None,
            },
            Err(fault) if concerns_messages(&fault) => Some(fault),
            Err(fault) => return Err(fault.into()),
        };
        if !self.remote.is_there(session, fid, wanted.mid).await? {
            self.keeper.doubt(folder);
            return Ok(());
        }
        let error = fault.map_or_else(
            || Error::new(ErrorKind::Unavailable, "the server leaves a message out"),
            |fault| match fault {
                Fault::Malformed(cause) => {
                    Error::with_source(ErrorKind::Corrupt, "a message makes no sense", cause)
                }
                fault => fault.into(),
            },
        );
        let is_final = !error.kind.is_transient();
        if is_final || self.refusals().count(wanted.gid) >= REFUSALS_MAX {
            tracing::warn!(mailbox = %self.id, %error, "a message cannot be had from the server");
            got.refused.push(place);
        } else {
            got.failed = Some(error);
        }
        Ok(())
    }
}

impl Refusals {
    /// Counts one more.
    fn count(&mut self, gid: Gid) -> u32 {
        if self.0.len() >= COUNTED_MAX && !self.0.contains_key(&gid) {
            self.0.clear();
        }
        let count = self.0.entry(gid).or_default();
        *count += 1;
        *count
    }
}

/// Whether a fault says something of the messages that were asked for, and not of all there is.
fn concerns_messages(fault: &Fault) -> bool {
    match fault {
        Fault::Malformed(_) => true,
        Fault::Operation { .. } => {
            let kind = fault.kind();
            !matches!(kind, ErrorKind::Denied | ErrorKind::Unauthenticated)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use mapi_wire::Globcnt;

    use super::*;
    use crate::fault::code;

    #[test]
    fn what_keeps_from_every_message_is_no_message_s_fault() {
        let check = |code, expected| {
            assert_eq!(concerns_messages(&Fault::operation(0x4e, code)), expected);
        };
        check(code::FAILED, true);
        check(code::NOT_FOUND, true);
        check(code::ACCESS_DENIED, false);
        check(code::SERVER_BUSY, false);
        assert!(!concerns_messages(&Fault::Expired));
    }

    #[test]
    fn refusals_are_counted_for_each_message_and_their_number_is_bounded() {
        let gid = |counter| Gid {
            globcnt: Globcnt::from_u64(counter),
            ..Gid::default()
        };
        let mut refusals = Refusals::default();
        assert_eq!((refusals.count(gid(1)), refusals.count(gid(1))), (1, 2));
        assert_eq!(refusals.count(gid(2)), 1);
        for other in 10..10 + COUNTED_MAX as u64 {
            refusals.count(gid(other));
        }
        assert!(refusals.0.len() <= COUNTED_MAX);
    }
}
