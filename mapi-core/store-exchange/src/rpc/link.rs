//! A virtual connection: packets to the server on one channel, from it on another, and what keeps both going.
//!
//! Source: MS-RPCH 3.2.1, 3.2.2.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt;
use mapi_wire::{
    Guid,
    rpc::{
        Body, Pdu,
        recycling::Heard,
        rts::{self, Command, Rts},
    },
};
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    channels::{Out, Route, packet},
    flow::{Receiving, Sending},
    replacement::Replacement,
    verdict::refusal,
};
use crate::{
    fault::{Cause, Fault, Result},
    http::{self, Kind, Sent, Upload},
    identity::new_guid,
};

/// How many octets may be under way to us: the most that is allowed. Source: MS-RPCH 2.2.3.5.1.
pub(super) const RECEIVE_WINDOW: u32 = 256 << 10;

/// How long opening or replacing a channel may take.
const OPENING_MAX: Duration = Duration::from_secs(60);

/// The shortest time that a proxy may keep a silent channel, which is also what is believed of one that says less.
/// Source: MS-RPCH 2.2.3.5.3.
pub(super) const TIMEOUT_MIN: Duration = Duration::from_secs(120);

/// Room on a channel to the server for signs of life, acknowledgements and the packets of its replacement.
const CONTROL_BYTES: u64 = 4096;

/// The most control packets that wait for room beside an acknowledgement, of which the last one says all: so many more than
/// the replacement of a channel and a sign of life take.
pub(super) const CONTROL_MAX: usize = 16;

/// The kind of control packets. Source: MS-RPCH 2.2.3.6.1.
const RTS_KIND: u8 = 20;

/// A virtual connection. It is good for nothing after an error.
pub(super) struct Link {
    pub(super) route: Route,
    pub(super) connection: Guid,
    pub(super) inward: Inward,
    pub(super) out: Out,
    pub(super) out_cookie: Guid,
    pub(super) receiving: Receiving,
    /// Packets of a call that wait for room.
    waiting: VecDeque<Bytes>,
    /// Control packets that do.
    control: VecDeque<Bytes>,
    /// The last acknowledgement, if it does.
    pub(super) acknowledgement: Option<Bytes>,
    /// How long the proxy keeps a channel to the server on which nothing is said.
    pub(super) timeout: Duration,
    /// When something was last said on it.
    said: Instant,
    /// How many octets of the channel to the server are there when the last packet of the call is.
    pub(super) end: u64,
    pub(super) replacement: Replacement,
    /// How many octets a channel to the server may carry.
    pub(super) lifetime: u64,
}

/// A channel to the server.
pub(super) struct Inward {
    pub(super) upload: Upload,
    pub(super) cookie: Guid,
    pub(super) sending: Sending,
}

/// What happened while waiting.
enum Event {
    Octets(Result<bool, http::Error>),
    Inward(Result<Option<http::Response>, http::Error>),
    TimeToSpeak,
    Silence,
}

impl Link {
    /// Opens a virtual connection. A channel to the server is replaced after `lifetime` octets.
    ///
    /// Errors, all with nothing done: `Away`, `Busy`, `Denied`, `Moved`, `Unauthenticated`.
    pub(super) async fn open(route: Route, lifetime: u32) -> Result<Self> {
        let opening = Self::opened(route, lifetime);
        match timeout(OPENING_MAX, opening).await {
            Ok(opened) => opened.map_err(undone),
            Err(_) => Err(Fault::Away("the RPC proxy opens no connection".into())),
        }
    }

    async fn opened(route: Route, lifetime: u32) -> Result<Self> {
        let (connection, in_cookie, out_cookie) = (new_guid(), new_guid(), new_guid());
        let a1 = Rts::conn_a1(connection, out_cookie, RECEIVE_WINDOW);
        let mut b1 = Rts::conn_b1(connection, in_cookie, new_guid());
        for command in &mut b1.commands {
            if let Command::ChannelLifetime(octets) = command {
                *octets = lifetime;
            }
        }
        let lifetime = u64::from(lifetime);
        // One after the other: a wrong password is sent once, for each time counts towards a lock-out.
        let out = route.open_out(&a1).await?;
        let upload = route.open_in(&b1, lifetime).await?;
        let inward = Inward {
            upload,
            cookie: in_cookie,
            sending: Sending::new(0),
        };
        let mut link = Self {
            route,
            connection,
            inward,
            out,
            out_cookie,
            receiving: Receiving::new(RECEIVE_WINDOW),
            waiting: VecDeque::new(),
            control: VecDeque::new(),
            acknowledgement: None,
            timeout: TIMEOUT_MIN,
            said: Instant::now(),
            end: 0,
            replacement: Replacement::default(),
            lifetime,
        };
        link.shake_hands().await?;
        Ok(link)
    }

    /// Awaits CONN/A3 and CONN/C2. Source: MS-RPCH 3.2.2.5.3, 3.2.2.5.4.
    async fn shake_hands(&mut self) -> Result<()> {
        let mut is_begun = false;
        loop {
            while let Some(octets) = self.out.packet()? {
                let Body::Rts(rts) = Pdu::decode(&octets)?.body else {
                    return Err(Fault::Away("the RPC proxy does not shake hands".into()));
                };
                match rts.commands.as_slice() {
                    [Command::ConnectionTimeout(_)] if !is_begun => is_begun = true,
                    [
                        Command::Version(_),
                        Command::ReceiveWindowSize(window),
                        Command::ConnectionTimeout(ms),
                    ] if is_begun => {
                        self.inward.sending = Sending::new(*window);
                        self.timeout = Duration::from_millis((*ms).into()).max(TIMEOUT_MIN);
                        return Ok(());
                    }
                    // Signs of life may come at any time.
                    [] => {}
                    _ => return Err(Fault::Away("the RPC proxy does not shake hands".into())),
                }
            }
            match self.wait(None).await {
                Event::Octets(Ok(true)) => {}
                event => return Err(self.failed(event)),
            }
        }
    }

    /// The largest packet that the server's window takes.
    pub(super) fn packet_max(&self) -> u16 {
        u16::try_from(self.inward.sending.window()).unwrap_or(u16::MAX)
    }

    /// Makes room for a call of so many octets: replaces the channel to the server when it has carried its fill.
    ///
    /// Errors, all with nothing done: as [`Self::open`].
    pub(super) async fn make_room(&mut self, octets: u64) -> Result<()> {
        let needed = self.inward.upload.queued() + octets + CONTROL_BYTES;
        if needed <= self.lifetime {
            return Ok(());
        }
        // The call has not been begun.
        match timeout(OPENING_MAX, self.replace_inward()).await {
            Ok(replaced) => replaced.map_err(undone),
            Err(_) => Err(Fault::Away("the RPC proxy replaces no channel".into())),
        }
    }

    /// Takes in what has come since the last call, so that a connection that has ended is found out before a call is begun.
    ///
    /// Errors, all with nothing done: as [`Self::open`].
    pub(super) async fn catch_up(&mut self) -> Result<()> {
        loop {
            while let Some(octets) = self.out.packet().map_err(undone)? {
                self.take(octets).await.map_err(undone)?;
            }
            if let Some(answered) = self.inward.upload.answer_or_room(false).now_or_never() {
                return Err(match answered {
                    Ok(Some(response)) => refusal(&response),
                    Ok(None) => Fault::Away("the channel to the server has ended".into()),
                    Err(error) => Fault::Away(error.into()),
                });
            }
            match self.out.more().now_or_never() {
                Some(Ok(true)) => {}
                Some(Ok(false)) => {
                    return Err(Fault::Away("the channel from the server has ended".into()));
                }
                Some(Err(error)) => return Err(Fault::Away(error.into())),
                None => return Ok(()),
            }
        }
    }

    /// Takes a packet of a call, to be sent while [`Self::receive`] waits for the answer.
    pub(super) fn send(&mut self, octets: Vec<u8>) {
        self.waiting.push_back(octets.into());
    }

    /// Awaits the next packet of a call, until a time at the longest, whatever else comes.
    ///
    /// Errors: `Away` when not all that was to be sent has been handed to the network, `Lost` when it has; `Malformed`.
    pub(super) async fn receive(&mut self, deadline: Option<Instant>) -> Result<Bytes> {
        loop {
            if let Some(octets) = self.step(deadline).await? {
                return Ok(octets);
            }
            // Somebody who never stops to talk leaves no time to wait in.
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Err(self.failed(Event::Silence));
            }
        }
    }

    /// Takes a control packet, to be sent as soon as there is room.
    pub(super) fn say(&mut self, octets: Bytes) -> Result<()> {
        if self.control.len() >= CONTROL_MAX {
            return Err(self.lost("the RPC proxy wants more said than it hears".into()));
        }
        self.control.push_back(octets);
        Ok(())
    }

    /// Takes in one packet, or waits for whatever happens next.
    pub(super) async fn step(&mut self, deadline: Option<Instant>) -> Result<Option<Bytes>> {
        if let Some(octets) = self.out.packet()? {
            return self.take(octets).await;
        }
        self.speak()?;
        match self.wait(deadline).await {
            Event::Octets(Ok(true)) | Event::Inward(Ok(None)) => {}
            Event::TimeToSpeak => self.say(packet(&Rts::ping()))?,
            event => return Err(self.failed(event)),
        }
        Ok(None)
    }

    async fn wait(&mut self, deadline: Option<Instant>) -> Event {
        // A proxy hears from us twice in the time after which it would give up.
        let speak_at = self.said + self.timeout / 2;
        let has_words = !self.control.is_empty() || self.acknowledgement.is_some();
        let wants_room = has_words || self.may_send_next();
        tokio::select! {
            biased;
            more = self.out.more() => Event::Octets(more),
            moved = self.inward.upload.answer_or_room(wants_room) => Event::Inward(moved),
            () = sleep_until(speak_at), if !wants_room => Event::TimeToSpeak,
            () = sleep_until(deadline.unwrap_or(speak_at)), if deadline.is_some() => Event::Silence,
        }
    }

    fn may_send_next(&self) -> bool {
        let next = self.waiting.front();
        next.is_some_and(|next| self.inward.sending.has_room(next.len() as u32))
    }

    /// Hands over what there is room for. What fails to be handed over has not been sent.
    fn speak(&mut self) -> Result<()> {
        while let Some(octets) = self.control.front().cloned() {
            if !self.push(octets)? {
                return Ok(());
            }
            self.control.pop_front();
        }
        if let Some(octets) = self.acknowledgement.clone() {
            if !self.push(octets)? {
                return Ok(());
            }
            self.acknowledgement = None;
        }
        while self.may_send_next() {
            let Some(octets) = self.waiting.front().cloned() else {
                break;
            };
            let len = octets.len() as u32;
            if !self.push(octets)? {
                break;
            }
            self.waiting.pop_front();
            self.inward.sending.send(len);
            self.end = self.inward.upload.queued();
        }
        Ok(())
    }

    /// Hands a packet over; `false` when there is no room.
    fn push(&mut self, octets: Bytes) -> Result<bool> {
        match self.inward.upload.push(octets) {
            Ok(None) => {
                self.said = Instant::now();
                Ok(true)
            }
            Ok(Some(_)) => Ok(false),
            Err(error) => Err(self.lost(error.into())),
        }
    }

    /// Takes a packet in; gives it back when it is of a call.
    async fn take(&mut self, octets: Bytes) -> Result<Option<Bytes>> {
        if octets.get(2) != Some(&RTS_KIND) {
            if let Some(due) = self.receiving.take(octets.len() as u32) {
                let ack = Rts::flow_control_ack(due.received, due.window, self.out_cookie);
                self.acknowledgement = Some(packet(&ack));
            }
            return Ok(Some(octets));
        }
        let Body::Rts(rts) = Pdu::decode(&octets)?.body else {
            return Ok(None);
        };
        match Heard::of(&rts) {
            Some(heard) => match timeout(OPENING_MAX, self.replaced(heard)).await {
                Ok(replaced) => replaced.map_err(|fault| self.verdict(fault))?,
                Err(_) => return Err(self.lost("the RPC proxy replaces no channel".into())),
            },
            None => self.acknowledged(&rts),
        }
        Ok(None)
    }

    fn acknowledged(&mut self, rts: &Rts) {
        for command in &rts.commands {
            if let Command::FlowControlAck {
                bytes_received,
                available_window,
                channel_cookie,
            } = command
                && *channel_cookie == self.inward.cookie
            {
                let sending = &mut self.inward.sending;
                sending.acknowledged(*bytes_received, *available_window);
            }
        }
    }

    fn failed(&self, event: Event) -> Fault {
        match event {
            Event::Octets(Ok(_)) => self.lost("the channel from the server has ended".into()),
            Event::Octets(Err(error)) | Event::Inward(Err(error)) => self.lost(error.into()),
            Event::Inward(Ok(Some(response))) => self.verdict(refusal(&response)),
            Event::Inward(Ok(None)) | Event::TimeToSpeak | Event::Silence => {
                let silence = http::Error::unsent(Kind::Timeout(http::Phase::Idle));
                self.lost(silence.into())
            }
        }
    }

    /// Whether the call that is under way may have been carried out: a server does nothing before its last packet.
    fn sent(&self) -> Sent {
        match self.waiting.is_empty() {
            true => self.inward.upload.sent(self.end),
            false => Sent::No,
        }
    }

    /// The verdict on a call that a fault of the connection ends.
    fn verdict(&self, fault: Fault) -> Fault {
        match self.sent() {
            Sent::No => undone(fault),
            Sent::Maybe => Fault::Lost(fault.into()),
        }
    }

    /// The verdict on a connection that was lost.
    fn lost(&self, cause: Cause) -> Fault {
        match self.sent() {
            Sent::No => Fault::Away(cause),
            Sent::Maybe => Fault::Lost(cause),
        }
    }
}

/// A fault before anything of a call was sent.
pub(super) fn undone(fault: Fault) -> Fault {
    match fault {
        Fault::Lost(cause) => Fault::Away(cause),
        Fault::Malformed(error) => Fault::Away(error.into()),
        fault => fault,
    }
}

/// How many octets a channel to the server may carry, unless a test wants less.
pub(super) const LIFETIME: u32 = rts::CHANNEL_LIFETIME;
