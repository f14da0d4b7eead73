//! A session context of the address book.

use mapi_wire::{
    http::{Numbered, Request as Call, cookies::Cookies},
    nspi::{Bind, Stat, Unbind},
};
use tokio::time::Instant;

use crate::{
    discover::Transport,
    fault::{Fault, Result, code},
    identity::new_guid,
    session::{MapiHttp, Server, unexpected},
};

/// The code page of 8-bit strings. Everything that can be is asked for in UTF-16; a session may not have that as its
/// code page (MS-OXNSPI 3.1.4.1.1).
const CODE_PAGE: u32 = 1252;
/// The locale: English, United States.
const LCID: u32 = 0x409;

/// A session of the address book. Ids of entries belong to it.
pub(super) struct Bound {
    context: MapiHttp,
    used: Instant,
}

impl Bound {
    /// Begins a session. Source: NspiBind, MS-OXNSPI 3.1.4.1.1.
    pub(super) async fn bind(server: Server) -> Result<Self> {
        let client = Numbered {
            guid: new_guid(),
            number: 1,
        };
        if server.transport != Transport::MapiHttp {
            return Err(Fault::Denied(
                "the address book is read over MAPI over HTTP only",
            ));
        }
        let mut bound = Self {
            context: MapiHttp::after(server, new_guid(), client, Cookies::default()),
            used: Instant::now(),
        };
        let bind = Bind {
            flags: 0,
            stat: Some(beginning()),
        };
        bound.ask(&bind).await?;
        Ok(bound)
    }

    /// Asks, and takes an answer with gaps for one: they stand in it.
    ///
    /// Errors: every [`Fault`]; `Operation` when the address book refuses, which leaves the session as it is.
    pub(super) async fn ask<C: Call>(&mut self, call: &C) -> Result<C::Response> {
        let (error, body) = self.context.call(call, None).await?;
        self.used = Instant::now();
        match (error, body) {
            (code::SUCCESS | code::WARN_WITH_ERRORS, Some(body)) => Ok(body),
            (code::SUCCESS | code::WARN_WITH_ERRORS, None) => Err(unexpected()),
            (error, _) => Err(Fault::operation(0, error)),
        }
    }

    /// Whether the server still knows the session, as far as it said for how long.
    pub(super) fn is_alive(&self) -> bool {
        let expires = self.context.expires_after();
        expires.is_none_or(|after| self.used.elapsed() < after)
    }

    /// Ends the session. Source: NspiUnbind, MS-OXNSPI 3.1.4.1.2; its code is 1 when that went well.
    pub(super) async fn unbind(mut self) {
        // A server that does not answer forgets the session by itself.
        let _ = self.context.call(&Unbind { reserved: 0 }, None).await;
    }
}

/// The beginning of the global address list.
pub(super) fn beginning() -> Stat {
    Stat {
        code_page: CODE_PAGE,
        template_locale: LCID,
        sort_locale: LCID,
        ..Stat::default()
    }
}
