//! Windows: how many octets may be under way in each direction. Control packets do not count.
//!
//! Source: MS-RPCH 3.2.1.4.1.

/// What arrives on the channel from the server.
#[derive(Debug)]
pub(super) struct Receiving {
    window: u32,
    received: u32,
    unacknowledged: u32,
}

/// An acknowledgement that is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Due {
    /// Octets received since the channel was opened.
    pub(super) received: u32,
    /// How many more may come.
    pub(super) window: u32,
}

impl Receiving {
    pub(super) const fn new(window: u32) -> Self {
        Self {
            window,
            received: 0,
            unacknowledged: 0,
        }
    }

    /// Takes note of a packet that has arrived and been taken in. An acknowledgement is due after half a window.
    pub(super) fn take(&mut self, octets: u32) -> Option<Due> {
        self.received = self.received.wrapping_add(octets);
        self.unacknowledged = self.unacknowledged.saturating_add(octets);
        if self.unacknowledged < self.window / 2 {
            return None;
        }
        self.unacknowledged = 0;
        Some(Due {
            received: self.received,
            window: self.window,
        })
    }
}

/// What is sent on the channel to the server.
#[derive(Debug)]
pub(super) struct Sending {
    window: u32,
    sent: u32,
    room: u32,
}

impl Sending {
    pub(super) const fn new(window: u32) -> Self {
        Self {
            window,
            sent: 0,
            room: window,
        }
    }

    /// The server's window.
    pub(super) const fn window(&self) -> u32 {
        self.window
    }

    /// Whether a packet may be sent now.
    pub(super) const fn has_room(&self, octets: u32) -> bool {
        octets <= self.room
    }

    /// Takes note of a packet that has been sent.
    pub(super) fn send(&mut self, octets: u32) {
        self.sent = self.sent.wrapping_add(octets);
        self.room = self.room.saturating_sub(octets);
    }

    /// Takes note of an acknowledgement: so many octets have arrived, and there is room for so many after them.
    pub(super) fn acknowledged(&mut self, received: u32, window: u32) {
        // A proxy that goes on counting after the channel was replaced has received all that was sent on this one.
        let under_way = self.sent.saturating_sub(received);
        self.room = window.saturating_sub(under_way);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_window_is_acknowledged() {
        let mut receiving = Receiving::new(1000);
        assert_eq!(receiving.take(499), None);
        let due = |received| {
            Some(Due {
                received,
                window: 1000,
            })
        };
        assert_eq!(receiving.take(1), due(500));
        assert_eq!(receiving.take(499), None);
        assert_eq!(receiving.take(700), due(1699));
    }

    #[test]
    fn no_more_is_sent_than_there_is_room_for() {
        let mut sending = Sending::new(1000);
        assert!(sending.has_room(1000) && !sending.has_room(1001));
        sending.send(600);
        assert!(sending.has_room(400) && !sending.has_room(401));
        // 100 of the 600 are still under way.
        sending.acknowledged(500, 1000);
        assert!(sending.has_room(900) && !sending.has_room(901));
        sending.acknowledged(600, 300);
        assert!(sending.has_room(300) && !sending.has_room(301));
        // It counts what came on the channel before this one.
        sending.acknowledged(90_000, 1000);
        assert!(sending.has_room(1000) && !sending.has_room(1001));
    }
}
