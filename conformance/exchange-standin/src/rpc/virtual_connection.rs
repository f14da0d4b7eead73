//! What both channels of a virtual connection share.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mapi_wire::{
    Guid,
    rpc::{Syntax, recycling, rts::Rts},
};
use tokio::sync::Notify;

use super::packet;

/// How many octets may be under way to this server.
pub(super) const WINDOW: u32 = 64 << 10;

/// Milliseconds after which a silent channel is lost.
pub(super) const TIMEOUT_MS: u32 = 120_000;

/// Octets at the end of a channel from the server that are kept for its replacement.
const REPLACEMENT_BYTES: u64 = 96 << 10;

/// A virtual connection.
pub(crate) struct Virtual {
    /// Who opened it: the key of a user.
    pub(super) user: String,
    inner: Mutex<Inner>,
    /// Rings when anything below has changed.
    pub(super) bell: Notify,
}

/// The state of a virtual connection.
pub(super) struct Inner {
    queue: VecDeque<Packet>,
    /// The channel from the server.
    pub(super) out_cookie: Guid,
    /// The channel to the server, once there is one.
    pub(super) in_cookie: Option<Guid>,
    /// The successors under way.
    pub(super) out_successor: Option<Guid>,
    pub(super) in_successor: Option<Guid>,
    /// Whether the client lets the server go over to the successor.
    pub(super) may_go_over: bool,
    /// Whether the last packet has gone on the channel that is replaced.
    pub(super) has_said_last: bool,
    /// How many octets may be sent now.
    room: u32,
    window: u32,
    sent: u32,
    /// Octets of the channel from the server so far, and how many it carries.
    written: u64,
    out_bytes: u64,
    /// How many octets of the next answer may go before the connection is cut.
    cut_after: Option<u64>,
    /// Interfaces by the numbers of their contexts.
    pub(super) bound: Vec<(u16, Syntax)>,
    pub(super) group: u32,
    pub(super) has_ended: bool,
}

/// Something to be sent.
struct Packet {
    octets: Vec<u8>,
    kind: Kind,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Call,
    Control,
    /// The last one on its channel.
    Last,
}

/// What a channel from the server does next.
pub(super) enum Next {
    Write(Vec<u8>),
    /// The same, and then nothing more.
    Last(Vec<u8>),
    Cut(Vec<u8>),
    Wait,
}

impl Virtual {
    pub(super) fn new(user: &str, out_cookie: Guid, window: u32, out_bytes: u64) -> Self {
        let inner = Inner {
            queue: VecDeque::new(),
            out_cookie,
            in_cookie: None,
            out_successor: None,
            in_successor: None,
            may_go_over: false,
            has_said_last: false,
            room: window,
            window,
            sent: 0,
            written: 0,
            out_bytes,
            cut_after: None,
            bound: Vec::new(),
            group: 0,
            has_ended: false,
        };
        Self {
            user: user.to_owned(),
            inner: Mutex::new(inner),
            bell: Notify::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a change makes `ready` say something.
    pub(super) async fn until<T>(&self, mut ready: impl FnMut(&mut Inner) -> Option<T>) -> T {
        loop {
            let changed = self.bell.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(value) = ready(&mut self.lock()) {
                return value;
            }
            changed.await;
        }
    }

    /// Changes something, and tells everybody who waits.
    pub(super) fn change<T>(&self, with: impl FnOnce(&mut Inner) -> T) -> T {
        let value = with(&mut self.lock());
        self.bell.notify_waiters();
        value
    }

    pub(super) fn say(&self, rts: Rts) {
        self.change(|inner| inner.say(rts));
    }

    pub(super) fn end(&self) {
        self.change(|inner| inner.has_ended = true);
    }
}

impl Inner {
    pub(super) fn say(&mut self, rts: Rts) {
        let octets = packet(rts);
        let kind = Kind::Control;
        self.queue.push_back(Packet { octets, kind });
    }

    /// The last words on a channel from the server, behind all that was to be said on it.
    pub(super) fn say_last(&mut self, rts: Rts) {
        let octets = packet(rts);
        let kind = Kind::Last;
        self.queue.push_back(Packet { octets, kind });
    }

    /// Has the packets of an answer sent, to be cut after so many octets of them, if at all.
    pub(super) fn answer(&mut self, packets: Vec<Vec<u8>>, cut_after: Option<u64>) {
        self.cut_after = cut_after;
        let kind = Kind::Call;
        let packets = packets.into_iter();
        self.queue
            .extend(packets.map(|octets| Packet { octets, kind }));
    }

    /// The client has so many octets, and room for so many more.
    pub(super) fn acknowledged(&mut self, received: u32, window: u32) -> Result<(), &'static str> {
        if received > self.sent {
            return Err("an acknowledgement of more than was sent");
        }
        if window > self.window {
            return Err("an acknowledgement with a larger window than was agreed on");
        }
        self.room = window.saturating_sub(self.sent - received);
        Ok(())
    }

    /// What to write next on the channel from the server.
    pub(super) fn next(&mut self) -> Next {
        let is_full = self.written + REPLACEMENT_BYTES > self.out_bytes;
        if is_full && self.out_successor.is_none() {
            // Its own cookie until the client names the successor's.
            self.out_successor = Some(self.out_cookie);
            let octets = packet(recycling::out_a2());
            self.written += octets.len() as u64;
            return Next::Write(octets);
        }
        // Calls wait for the successor: what is left of the channel is for its replacement.
        let place = match self.out_successor {
            Some(_) => self.queue.iter().position(|next| next.kind != Kind::Call),
            None => Some(0),
        };
        let Some((place, next)) = place.and_then(|at| Some((at, self.queue.get(at)?))) else {
            return Next::Wait;
        };
        let len = next.octets.len() as u32;
        if next.kind == Kind::Call && len > self.room {
            return Next::Wait;
        }
        let Some(Packet { octets, kind }) = self.queue.remove(place) else {
            return Next::Wait;
        };
        self.written += u64::from(len);
        match kind {
            Kind::Control => return Next::Write(octets),
            Kind::Last => return Next::Last(octets),
            Kind::Call => {}
        }
        self.sent += len;
        self.room -= len;
        match &mut self.cut_after {
            Some(left) if *left < u64::from(len) => {
                let kept = octets.get(..*left as usize).unwrap_or_default();
                Next::Cut(kept.to_vec())
            }
            Some(left) => {
                *left -= u64::from(len);
                Next::Write(octets)
            }
            None => Next::Write(octets),
        }
    }

    /// The successor is the channel from the server now.
    pub(super) fn go_over(&mut self, cookie: Guid, window: u32) {
        self.out_cookie = cookie;
        self.out_successor = None;
        self.may_go_over = false;
        self.has_said_last = false;
        self.room = window;
        self.window = window;
        self.sent = 0;
        self.written = 0;
    }
}
