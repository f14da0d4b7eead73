//! Session contexts: who is connected, with which cookies, and what is open. Source: MS-OXCMAPIHTTP 3.1.5.6, 3.2.1.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use mapi_wire::{
    http::{ResponseCode, cookies::Cookies},
    rop::{self, Notify},
};

use crate::rop::objects::{Handle, Objects};

/// The cookie that names a session context.
pub(crate) const CONTEXT_COOKIE: &str = "MapiContext";

/// The cookie that says which request of a session context is the next.
pub(crate) const SEQUENCE_COOKIE: &str = "MapiSequence";

/// What the context cookies of this server begin with.
const PREFIX: &str = "standin-";

/// A session context of the mailbox endpoint.
pub(crate) struct Session {
    /// Who is connected: the key of a user.
    pub(crate) user: String,
    /// Which of the servers it is connected to.
    pub(crate) site: u32,
    /// What is open.
    pub(crate) objects: Objects,
    /// Logons by their id.
    pub(crate) logons: HashMap<u8, Handle>,
    /// What a decoder of ROPs must remember.
    pub(crate) wire: rop::Session,
    /// Notifications to be collected.
    pub(crate) notifications: VecDeque<Notify>,
    /// Notifications that are kept back.
    pub(crate) delayed: VecDeque<Notify>,
    /// Rings when there is something to collect, or the session ends.
    pub(crate) bell: Arc<tokio::sync::Notify>,
}

/// A session context of either endpoint.
pub(crate) struct Context<S> {
    /// Who it belongs to: the key of a user.
    pub(crate) user: String,
    /// What is kept for it.
    pub(crate) session: S,
    /// The GUID in its X-RequestId, and the highest number there.
    pub(crate) request: Option<(String, u64)>,
    sequence: u64,
    busy: bool,
    expires: Instant,
}

/// The session contexts of an endpoint.
pub(crate) struct Contexts<S> {
    live: HashMap<u64, Context<S>>,
    last: u64,
    idle: Duration,
}

/// Names a session context.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct ContextId(u64);

/// Whether a request takes part in the order of a session context.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Turn {
    /// It must be the next one, and no other may be under way.
    InOrder,
    /// It may run beside others: NotificationWait, PING.
    Beside,
}

impl<S> Contexts<S> {
    /// None yet; each lives `idle` without a request.
    pub(crate) fn new(idle: Duration) -> Self {
        Self {
            live: HashMap::new(),
            last: 0,
            idle,
        }
    }

    /// Begins one.
    pub(crate) fn begin(&mut self, user: &str, session: S) -> ContextId {
        self.last += 1;
        let context = Context {
            user: user.to_owned(),
            session,
            request: None,
            sequence: 1,
            busy: false,
            expires: Instant::now() + self.idle,
        };
        self.live.insert(self.last, context);
        ContextId(self.last)
    }

    /// The cookies of a session context.
    pub(crate) fn cookies(&self, id: ContextId) -> Vec<String> {
        let Some(context) = self.live.get(&id.0) else {
            return Vec::new();
        };
        vec![
            format!("{CONTEXT_COOKIE}={PREFIX}{}; path=/", id.0),
            format!(
                "{SEQUENCE_COOKIE}={PREFIX}{}-{}; path=/",
                id.0, context.sequence
            ),
        ]
    }

    /// The session context that the cookies of a request name.
    pub(crate) fn find(
        &mut self,
        cookies: &Cookies,
        user: &str,
    ) -> Result<ContextId, ResponseCode> {
        let cookie = cookies
            .value(CONTEXT_COOKIE)
            .ok_or(ResponseCode::MISSING_COOKIE)?;
        let number = cookie
            .strip_prefix(PREFIX)
            .and_then(|number| number.parse().ok());
        let number: u64 = number.ok_or(ResponseCode::INVALID_CONTEXT_COOKIE)?;
        let now = Instant::now();
        let expired = self
            .live
            .get(&number)
            .is_some_and(|context| context.expires <= now);
        if expired {
            self.live.remove(&number);
        }
        match self.live.get(&number) {
            Some(context) if context.user == user => Ok(ContextId(number)),
            _ => Err(ResponseCode::CONTEXT_NOT_FOUND),
        }
    }

    /// Lets a request in, if it is its turn.
    pub(crate) fn enter(
        &mut self,
        id: ContextId,
        cookies: &Cookies,
        turn: Turn,
    ) -> Result<(), ResponseCode> {
        let idle = self.idle;
        let context = self
            .live
            .get_mut(&id.0)
            .ok_or(ResponseCode::CONTEXT_NOT_FOUND)?;
        if turn == Turn::InOrder {
            let sequence = cookies
                .value(SEQUENCE_COOKIE)
                .ok_or(ResponseCode::MISSING_COOKIE)?;
            let expected = format!("{PREFIX}{}-{}", id.0, context.sequence);
            if context.busy || sequence != expected {
                return Err(ResponseCode::INVALID_SEQUENCE);
            }
            context.busy = true;
            context.sequence += 1;
        }
        context.expires = Instant::now() + idle;
        Ok(())
    }

    /// Says that the answer to a request in order has gone, or got lost.
    pub(crate) fn leave(&mut self, id: ContextId) {
        let idle = self.idle;
        if let Some(context) = self.live.get_mut(&id.0) {
            context.busy = false;
            context.expires = Instant::now() + idle;
        }
    }

    /// A session context.
    pub(crate) fn get_mut(&mut self, id: ContextId) -> Option<&mut Context<S>> {
        self.live.get_mut(&id.0)
    }

    /// Ends one.
    pub(crate) fn end(&mut self, id: ContextId) -> Option<S> {
        self.live.remove(&id.0).map(|context| context.session)
    }

    /// Ends all; what was kept for them.
    pub(crate) fn end_all(&mut self) -> Vec<S> {
        self.live
            .drain()
            .map(|(_, context)| context.session)
            .collect()
    }

    /// Those of a user.
    pub(crate) fn count_of(&self, user: &str) -> usize {
        let now = Instant::now();
        self.live
            .values()
            .filter(|c| c.user == user && c.expires > now)
            .count()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.live.len()
    }

    /// What is kept for each.
    pub(crate) fn sessions_mut(&mut self) -> impl Iterator<Item = &mut S> {
        self.live.values_mut().map(|context| &mut context.session)
    }

    /// What is kept for those of a user, each with its id.
    pub(crate) fn ids(&self) -> Vec<ContextId> {
        self.live.keys().map(|id| ContextId(*id)).collect()
    }
}

impl Session {
    /// A session context in which nothing is open.
    pub(crate) fn new(user: &str, site: u32) -> Self {
        Self {
            user: user.to_owned(),
            site,
            objects: Objects::default(),
            logons: HashMap::new(),
            wire: rop::Session::default(),
            notifications: VecDeque::new(),
            delayed: VecDeque::new(),
            bell: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(contexts: &Contexts<()>, id: ContextId) -> Cookies {
        let mut cookies = Cookies::new();
        for cookie in contexts.cookies(id) {
            cookies.store(&cookie);
        }
        cookies
    }

    #[test]
    fn one_request_at_a_time_and_each_with_the_newest_cookie() {
        let mut contexts = Contexts::new(Duration::from_secs(60));
        let id = contexts.begin("alice", ());
        let first = cookies(&contexts, id);
        assert_eq!(contexts.find(&first, "alice"), Ok(id));
        assert_eq!(
            contexts.find(&first, "bob"),
            Err(ResponseCode::CONTEXT_NOT_FOUND)
        );
        assert_eq!(contexts.enter(id, &first, Turn::InOrder), Ok(()));
        let second = cookies(&contexts, id);
        let refused = Err(ResponseCode::INVALID_SEQUENCE);
        assert_eq!(
            contexts.enter(id, &second, Turn::InOrder),
            refused,
            "one is under way"
        );
        assert_eq!(contexts.enter(id, &second, Turn::Beside), Ok(()));
        contexts.leave(id);
        assert_eq!(
            contexts.enter(id, &first, Turn::InOrder),
            refused,
            "an old cookie"
        );
        assert_eq!(contexts.enter(id, &second, Turn::InOrder), Ok(()));
    }

    #[test]
    fn cookies_that_name_nothing_are_refused_by_what_is_wrong_with_them() {
        let mut contexts: Contexts<()> = Contexts::new(Duration::from_secs(60));
        let find = |contexts: &mut Contexts<()>, header: &str| {
            contexts
                .find(&Cookies::from_header(header), "alice")
                .unwrap_err()
        };
        assert_eq!(find(&mut contexts, ""), ResponseCode::MISSING_COOKIE);
        assert_eq!(
            find(&mut contexts, "MapiContext=x"),
            ResponseCode::INVALID_CONTEXT_COOKIE
        );
        assert_eq!(
            find(&mut contexts, "MapiContext=standin-7"),
            ResponseCode::CONTEXT_NOT_FOUND
        );
    }

    #[test]
    fn a_session_context_that_is_not_used_is_gone() {
        let mut contexts = Contexts::new(Duration::ZERO);
        let id = contexts.begin("alice", ());
        let cookies = cookies(&contexts, id);
        assert_eq!(
            contexts.find(&cookies, "alice"),
            Err(ResponseCode::CONTEXT_NOT_FOUND)
        );
        assert_eq!(contexts.len(), 0);
    }
}
