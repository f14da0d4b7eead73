//! Replacing a channel that has carried its fill: what client and proxies say to each other.
//!
//! Each channel is replaced in one of two ways, by whether old and new one lead to the same proxy. The client learns
//! from the answer which it is. Source: MS-RPCH 3.2.1.5.3.2, 3.2.1.5.3.3.

use super::rts::{Command, Destination, Rts, VERSION, flags};
use crate::ids::Guid;

/// Octets of the body of a request that opens the channel from the server. Source: MS-RPCH 2.1.2.1.2.
pub const OUT_REQUEST_BYTES: u64 = 76;

/// Octets of the body of a request that opens its successor: two packets. Source: MS-RPCH 2.1.2.1.2.
pub const OUT_SUCCESSOR_REQUEST_BYTES: u64 = 120;

/// What a client hears about a channel that is being replaced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Heard {
    /// OUT_R1/A2, OUT_R2/A2: the channel from the server shall be replaced.
    ReplaceOut,
    /// OUT_R1/A6: its successor leads to another proxy.
    OutSuccessorElsewhere,
    /// OUT_R2/A6: its successor leads to the same proxy.
    OutSuccessor,
    /// OUT_R1/A10, OUT_R2/B3: nothing more comes on it.
    OutEnds,
    /// IN_R1/A4: the successor of the channel to the server leads to another proxy, with its window and its timeout in
    /// milliseconds.
    InSuccessorElsewhere {
        /// How many octets may be under way.
        window: u32,
        /// Milliseconds of silence after which the channel is lost.
        timeout_ms: u32,
    },
    /// IN_R2/A4: it leads to the same proxy.
    InSuccessor,
}

impl Heard {
    /// What a packet says, if it is about a replacement.
    pub fn of(rts: &Rts) -> Option<Self> {
        use Command as C;
        const CLIENT: Command = Command::Destination(Destination::Client);
        match (rts.flags, rts.commands.as_slice()) {
            (flags::RECYCLE_CHANNEL, [to]) if *to == CLIENT => Some(Self::ReplaceOut),
            (_, [to, C::Version(_), C::ConnectionTimeout(_)]) if *to == CLIENT => {
                Some(Self::OutSuccessorElsewhere)
            }
            (_, [to, C::Ance]) if *to == CLIENT => Some(Self::OutSuccessor),
            (_, [C::Ance]) => Some(Self::OutEnds),
            (
                _,
                [
                    to,
                    C::Version(_),
                    C::ReceiveWindowSize(window),
                    C::ConnectionTimeout(timeout_ms),
                ],
            ) if *to == CLIENT => Some(Self::InSuccessorElsewhere {
                window: *window,
                timeout_ms: *timeout_ms,
            }),
            (flags::NONE, [to]) if *to == CLIENT => Some(Self::InSuccessor),
            _ => None,
        }
    }
}

/// The channels of a replacement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cookies {
    /// Of the virtual connection.
    pub connection: Guid,
    /// Of the channel that is replaced.
    pub predecessor: Guid,
    /// Of the channel that replaces it.
    pub successor: Guid,
}

/// IN_R1/A1, IN_R2/A1: the first packet on the successor of the channel to the server. Source: MS-RPCH 2.2.4.10.
pub fn in_a1(cookies: Cookies) -> Rts {
    Rts {
        flags: flags::RECYCLE_CHANNEL,
        commands: vec![
            Command::Version(VERSION),
            Command::Cookie(cookies.connection),
            Command::Cookie(cookies.predecessor),
            Command::Cookie(cookies.successor),
        ],
    }
}

/// IN_R1/A4: the proxy of the successor waits for the end of the predecessor. Source: MS-RPCH 2.2.4.13.
pub fn in_r1_a4(window: u32, timeout_ms: u32) -> Rts {
    Rts {
        flags: flags::NONE,
        commands: vec![
            Command::Destination(Destination::Client),
            Command::Version(VERSION),
            Command::ReceiveWindowSize(window),
            Command::ConnectionTimeout(timeout_ms),
        ],
    }
}

/// IN_R2/A4: the same, of the same proxy. Source: MS-RPCH 2.2.4.21.
pub fn in_r2_a4() -> Rts {
    Rts {
        flags: flags::NONE,
        commands: vec![Command::Destination(Destination::Client)],
    }
}

/// IN_R1/A5, IN_R2/A5: the last packet on the predecessor. Source: MS-RPCH 2.2.4.14.
pub fn in_a5(successor: Guid) -> Rts {
    Rts {
        flags: flags::NONE,
        commands: vec![Command::Cookie(successor)],
    }
}

/// OUT_R1/A2, OUT_R2/A2: the client shall open a successor of the channel from the server. Source: MS-RPCH 2.2.4.35.
pub fn out_a2() -> Rts {
    Rts {
        flags: flags::RECYCLE_CHANNEL,
        commands: vec![Command::Destination(Destination::Client)],
    }
}

/// OUT_R1/A3, OUT_R2/A3: the first packet of the request that opens it. Source: MS-RPCH 2.2.4.36.
pub fn out_a3(cookies: Cookies, receive_window: u32) -> Rts {
    let mut rts = in_a1(cookies);
    rts.commands
        .push(Command::ReceiveWindowSize(receive_window));
    rts
}

/// OUT_R1/A6: another proxy has it. Source: MS-RPCH 2.2.4.28.
pub fn out_r1_a6(timeout_ms: u32) -> Rts {
    Rts {
        flags: flags::OUT_CHANNEL,
        commands: vec![
            Command::Destination(Destination::Client),
            Command::Version(VERSION),
            Command::ConnectionTimeout(timeout_ms),
        ],
    }
}

/// OUT_R2/A6: the same proxy has it. Source: MS-RPCH 2.2.4.39.
pub fn out_r2_a6() -> Rts {
    Rts {
        flags: flags::NONE,
        commands: vec![Command::Destination(Destination::Client), Command::Ance],
    }
}

/// OUT_R1/A7, OUT_R2/A7: the server may go over to it; said on the channel to the server. Source: MS-RPCH 2.2.4.40.
pub fn out_a7(successor: Guid) -> Rts {
    Rts {
        flags: flags::OUT_CHANNEL,
        commands: vec![
            Command::Destination(Destination::Server),
            Command::Cookie(successor),
            Command::Version(VERSION),
        ],
    }
}

/// OUT_R1/A10: the last packet on the predecessor. Source: MS-RPCH 2.2.4.32.
pub fn out_r1_a10() -> Rts {
    Rts {
        flags: flags::NONE,
        commands: vec![Command::Ance],
    }
}

/// OUT_R1/A11: the second packet of the request that opens the successor. Source: MS-RPCH 2.2.4.33.
pub fn out_r1_a11() -> Rts {
    out_r1_a10()
}

/// OUT_R2/B3: the last packet on the predecessor. Source: MS-RPCH 2.2.4.44.
pub fn out_r2_b3() -> Rts {
    Rts {
        flags: flags::EOF,
        commands: vec![Command::Ance],
    }
}

/// OUT_R2/C1: fills the request that opens the successor. Source: MS-RPCH 2.2.4.45.
pub fn out_r2_c1() -> Rts {
    Rts {
        flags: flags::PING,
        commands: vec![Command::Empty],
    }
}

#[cfg(test)]
mod tests {
    use super::{super::*, *};

    fn octets(rts: Rts) -> usize {
        Pdu::whole(0, Body::Rts(rts), None).encode().len()
    }

    #[test]
    fn a_client_understands_what_proxies_say() {
        let elsewhere = Heard::InSuccessorElsewhere {
            window: 0x1_0000,
            timeout_ms: 120_000,
        };
        let cases = [
            (out_a2(), Some(Heard::ReplaceOut)),
            (out_r1_a6(120_000), Some(Heard::OutSuccessorElsewhere)),
            (out_r2_a6(), Some(Heard::OutSuccessor)),
            (out_r1_a10(), Some(Heard::OutEnds)),
            (out_r2_b3(), Some(Heard::OutEnds)),
            (in_r1_a4(0x1_0000, 120_000), Some(elsewhere)),
            (in_r2_a4(), Some(Heard::InSuccessor)),
            (Rts::ping(), None),
            (Rts::conn_a3(120_000), None),
            (Rts::conn_c2(0x1_0000, 120_000), None),
            (in_a5(Guid([1; 16])), None),
        ];
        for (rts, expected) in cases {
            assert_eq!(Heard::of(&rts), expected, "{rts:?}");
        }
    }

    #[test]
    fn packets_have_the_sizes_that_requests_declare() {
        let guid = Guid([1; 16]);
        let cookies = Cookies {
            connection: guid,
            predecessor: guid,
            successor: guid,
        };
        let first = octets(Rts::conn_a1(guid, guid, 0x1_0000));
        assert_eq!(first as u64, OUT_REQUEST_BYTES);
        for second in [out_r1_a11(), out_r2_c1()] {
            let both = octets(out_a3(cookies, 0x1_0000)) + octets(second);
            assert_eq!(both as u64, OUT_SUCCESSOR_REQUEST_BYTES);
        }
        assert_eq!(octets(in_a1(cookies)), 88);
        assert_eq!(octets(in_a5(guid)), 40);
        assert_eq!(octets(out_a7(guid)), 56);
    }
}
