//! All that a server knows, behind one lock. A request is carried out while it is held, so what tests see is never
//! half of something.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    autodiscover::Redirects,
    config::{Config, Limits},
    counters::Counters,
    faults::{Faults, NotificationFault},
    http::{auth, request::Head},
    model::{organisation::Organisation, receipt::Receipt},
    rop::notification::News,
    rpc::Connections,
    session::{Contexts, Session},
};

/// What the connections of a server share.
pub(crate) struct Shared {
    /// What the server is like.
    pub(crate) config: Config,
    /// What its URLs begin with.
    pub(crate) base: String,
    state: Mutex<State>,
    /// Virtual connections of RPC over HTTP.
    pub(crate) rpc: Connections,
    /// Counts the starts of the server: connections of earlier ones end.
    pub(crate) starts: watch::Sender<u64>,
}

/// What a server knows.
pub(crate) struct State {
    /// People and mailboxes.
    pub(crate) organisation: Organisation,
    /// Session contexts of the mailbox endpoint.
    pub(crate) mail: Contexts<Session>,
    /// Session contexts of the address-book endpoint.
    pub(crate) book: Contexts<()>,
    /// How much of everything, as it is now.
    pub(crate) limits: Limits,
    /// What goes wrong.
    pub(crate) faults: Faults,
    /// What was done.
    pub(crate) counters: Counters,
    /// Receipts that went out.
    pub(crate) receipts: Vec<Receipt>,
    /// What clients did that no client may.
    pub(crate) violations: Vec<String>,
    /// Where Autodiscover sends people.
    pub(crate) redirects: Redirects,
}

impl Shared {
    /// A server that has just started.
    pub(crate) fn new(config: Config, base: String) -> Arc<Self> {
        let idle = Duration::from_millis(config.timing.session_idle_ms);
        let state = State {
            organisation: config.organisation(),
            mail: Contexts::new(idle),
            book: Contexts::new(idle),
            limits: config.limits.clone(),
            faults: Faults::default(),
            counters: Counters::default(),
            receipts: Vec::new(),
            violations: Vec::new(),
            redirects: Redirects::default(),
        };
        Arc::new(Self {
            config,
            base,
            state: Mutex::new(state),
            rpc: Connections::default(),
            starts: watch::Sender::new(0),
        })
    }

    /// The state, for as long as the guard lives. Never held across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of the user whose credentials a request has.
    pub(crate) fn user_of(&self, head: &Head) -> Option<String> {
        auth::user_of(head, &self.lock().organisation)
    }

    /// Tells everybody what happened in the mailboxes since the last call.
    pub(crate) fn publish(&self, state: &mut State) {
        let fault = state.faults.notifications;
        for (key, mailbox) in &mut state.organisation.mailboxes {
            state.receipts.append(&mut mailbox.take_receipts());
            let events = mailbox.take_events();
            if events.is_empty() {
                continue;
            }
            let news = News {
                mailbox: key,
                events: &events,
                fault,
                limits: &state.limits,
            };
            for session in state.mail.sessions_mut() {
                news.tell(session);
            }
        }
    }

    /// Says what happens to notifications from now on. Those kept back go out when they are no longer to be.
    pub(crate) fn set_notification_fault(&self, fault: NotificationFault) {
        let mut state = self.lock();
        state.faults.notifications = fault;
        if fault == NotificationFault::Delay {
            return;
        }
        for session in state.mail.sessions_mut() {
            let mut delayed = std::mem::take(&mut session.delayed);
            session.notifications.append(&mut delayed);
            if !session.notifications.is_empty() {
                session.bell.notify_one();
            }
        }
    }

    /// Ends all session contexts; connections stay.
    pub(crate) fn expire_contexts(&self) {
        let mut state = self.lock();
        for session in state.mail.end_all() {
            session.bell.notify_one();
        }
        state.book.end_all();
    }

    /// The server stops and starts again: connections and session contexts are gone, what is in mailboxes stays.
    pub(crate) fn restart(&self) {
        self.expire_contexts();
        self.starts.send_modify(|starts| *starts += 1);
    }

    /// The URL of an endpoint for a mailbox on one of the servers.
    pub(crate) fn endpoint(&self, site: u32, endpoint: &str, mailbox_id: &str) -> String {
        let site = match site {
            0 => String::new(),
            site => format!("/site{site}"),
        };
        format!(
            "{}{site}/mapi/{endpoint}/?MailboxId={mailbox_id}",
            self.base
        )
    }
}
