//! Packets that control the two channels of RPC over HTTP. Source: MS-RPCH 2.2.3, 2.2.4.

use crate::{
    cursor::{Reader, Result, Writer},
    ids::Guid,
};

/// The most octets of a padding command. Source: MS-RPCH 2.2.3.5.10.
pub const PADDING_BYTES_MAX: usize = 0xffff;

/// The version of the protocol that we speak.
pub const VERSION: u32 = 1;

/// How many octets a channel may carry before it must be replaced.
pub const CHANNEL_LIFETIME: u32 = 0x4000_0000;

/// How many octets a client is willing to receive before it acknowledges them.
pub const RECEIVE_WINDOW: u32 = 0x1_0000;

/// Milliseconds between a client's signs of life.
pub const CLIENT_KEEPALIVE_MS: u32 = 300_000;

/// Flags of a packet. Source: MS-RPCH 2.2.3.6.
pub mod flags {
    /// No special meaning.
    pub const NONE: u16 = 0;
    /// A sign of life.
    pub const PING: u16 = 1;
    /// Not of an opening or a replacement.
    pub const OTHER_CMD: u16 = 2;
    /// Replaces a channel.
    pub const RECYCLE_CHANNEL: u16 = 4;
    /// Of the channel to the server.
    pub const IN_CHANNEL: u16 = 8;
    /// Of the channel from the server.
    pub const OUT_CHANNEL: u16 = 0x10;
    /// The last one on its channel.
    pub const EOF: u16 = 0x20;
    /// An answer without delay.
    pub const ECHO: u16 = 0x40;
}

/// A control packet: the body of [`super::Body::Rts`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rts {
    /// See [`flags`].
    pub flags: u16,
    /// What it says.
    pub commands: Vec<Command>,
}

/// One thing a packet says. Source: MS-RPCH 2.2.3.5.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// How many octets may be under way.
    ReceiveWindowSize(u32),
    /// Octets have arrived.
    FlowControlAck {
        /// How many since the channel was opened.
        bytes_received: u32,
        /// How many more may come.
        available_window: u32,
        /// The channel.
        channel_cookie: Guid,
    },
    /// Milliseconds of silence after which the connection is lost.
    ConnectionTimeout(u32),
    /// A channel, or the virtual connection of both.
    Cookie(Guid),
    /// How many octets the channel may carry.
    ChannelLifetime(u32),
    /// Milliseconds between signs of life.
    ClientKeepalive(u32),
    /// The version of the protocol.
    Version(u32),
    /// Nothing.
    Empty,
    /// So many octets of nothing.
    Padding(u32),
    /// A new channel was refused.
    NegativeAnce,
    /// A new channel was accepted.
    Ance,
    /// Where the client is, as the proxy sees it.
    ClientAddress(Address),
    /// Which connections belong together.
    AssociationGroupId(Guid),
    /// For whom the packet is.
    Destination(Destination),
    /// Octets of signs of life since the last one.
    PingTrafficSentNotify(u32),
}

/// An address, in network order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Address {
    /// IPv4.
    V4([u8; 4]),
    /// IPv6.
    V6([u8; 16]),
}

/// For whom a packet is. Source: MS-RPCH 2.2.3.3.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Destination {
    /// The client.
    Client,
    /// The proxy of the channel to the server.
    InProxy,
    /// The server.
    Server,
    /// The proxy of the channel from the server.
    OutProxy,
}

impl Rts {
    /// CONN/A1: a client opens the channel from the server. Source: MS-RPCH 2.2.4.2.
    pub fn conn_a1(connection: Guid, channel: Guid, receive_window: u32) -> Self {
        Self {
            flags: flags::NONE,
            commands: vec![
                Command::Version(VERSION),
                Command::Cookie(connection),
                Command::Cookie(channel),
                Command::ReceiveWindowSize(receive_window),
            ],
        }
    }

    /// CONN/B1: a client opens the channel to the server. Source: MS-RPCH 2.2.4.5.
    pub fn conn_b1(connection: Guid, channel: Guid, association_group: Guid) -> Self {
        Self {
            flags: flags::NONE,
            commands: vec![
                Command::Version(VERSION),
                Command::Cookie(connection),
                Command::Cookie(channel),
                Command::ChannelLifetime(CHANNEL_LIFETIME),
                Command::ClientKeepalive(CLIENT_KEEPALIVE_MS),
                Command::AssociationGroupId(association_group),
            ],
        }
    }

    /// CONN/A3: the channel from the server is open. Source: MS-RPCH 2.2.4.4.
    pub fn conn_a3(connection_timeout_ms: u32) -> Self {
        Self {
            flags: flags::NONE,
            commands: vec![Command::ConnectionTimeout(connection_timeout_ms)],
        }
    }

    /// CONN/C2: both channels are open. Source: MS-RPCH 2.2.4.9.
    pub fn conn_c2(receive_window: u32, connection_timeout_ms: u32) -> Self {
        Self {
            flags: flags::NONE,
            commands: vec![
                Command::Version(VERSION),
                Command::ReceiveWindowSize(receive_window),
                Command::ConnectionTimeout(connection_timeout_ms),
            ],
        }
    }

    /// A client acknowledges what has arrived on a channel. Source: MS-RPCH 2.2.4.51.
    pub fn flow_control_ack(
        bytes_received: u32,
        available_window: u32,
        channel_cookie: Guid,
    ) -> Self {
        Self {
            flags: flags::OTHER_CMD,
            commands: vec![
                Command::Destination(Destination::OutProxy),
                Command::FlowControlAck {
                    bytes_received,
                    available_window,
                    channel_cookie,
                },
            ],
        }
    }

    /// A sign of life. Source: MS-RPCH 2.2.4.49.
    pub const fn ping() -> Self {
        Self {
            flags: flags::PING,
            commands: Vec::new(),
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let flags = reader.u16("flags of a control packet")?;
        let count = usize::from(reader.u16("a count of commands")?);
        let count = reader.count(count, 4, "a count of commands")?;
        let commands = (0..count)
            .map(|_| Command::read(reader))
            .collect::<Result<_>>()?;
        reader.finish("the end of the control packet")?;
        Ok(Self { flags, commands })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u16(self.flags);
        writer.u16(self.commands.len() as u16);
        for command in &self.commands {
            command.write(writer);
        }
    }
}

impl Command {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(match reader.u32("a kind of command")? {
            0 => Self::ReceiveWindowSize(reader.u32("a window")?),
            1 => Self::FlowControlAck {
                bytes_received: reader.u32("octets received")?,
                available_window: reader.u32("a window")?,
                channel_cookie: Guid::read(reader)?,
            },
            2 => Self::ConnectionTimeout(reader.u32("a timeout")?),
            3 => Self::Cookie(Guid::read(reader)?),
            4 => Self::ChannelLifetime(reader.u32("a lifetime")?),
            5 => Self::ClientKeepalive(reader.u32("a time between signs of life")?),
            6 => Self::Version(reader.u32("a version")?),
            7 => Self::Empty,
            8 => Self::read_padding(reader)?,
            9 => Self::NegativeAnce,
            10 => Self::Ance,
            11 => Self::ClientAddress(Address::read(reader)?),
            12 => Self::AssociationGroupId(Guid::read(reader)?),
            13 => Self::Destination(Destination::read(reader)?),
            14 => Self::PingTrafficSentNotify(reader.u32("octets of signs of life")?),
            _ => return Err(reader.error("a known kind of command")),
        })
    }

    fn read_padding(reader: &mut Reader<'_>) -> Result<Self> {
        let len = reader.u32("a length of padding")?;
        if len as usize > PADDING_BYTES_MAX {
            return Err(reader.error("less padding"));
        }
        reader.take(len as usize, "padding")?;
        Ok(Self::Padding(len))
    }

    fn write(&self, writer: &mut Writer) {
        let (kind, number) = match self {
            Self::ReceiveWindowSize(size) => (0, Some(*size)),
            Self::FlowControlAck { bytes_received, .. } => (1, Some(*bytes_received)),
            Self::ConnectionTimeout(ms) => (2, Some(*ms)),
            Self::Cookie(_) => (3, None),
            Self::ChannelLifetime(octets) => (4, Some(*octets)),
            Self::ClientKeepalive(ms) => (5, Some(*ms)),
            Self::Version(version) => (6, Some(*version)),
            Self::Empty => (7, None),
            Self::Padding(len) => (8, Some((*len).min(PADDING_BYTES_MAX as u32))),
            Self::NegativeAnce => (9, None),
            Self::Ance => (10, None),
            Self::ClientAddress(Address::V4(_)) => (11, Some(0)),
            Self::ClientAddress(Address::V6(_)) => (11, Some(1)),
            Self::AssociationGroupId(_) => (12, None),
            Self::Destination(destination) => (13, Some(*destination as u32)),
            Self::PingTrafficSentNotify(octets) => (14, Some(*octets)),
        };
        writer.u32(kind);
        if let Some(number) = number {
            writer.u32(number);
        }
        self.write_rest(writer);
    }

    /// What follows kind and number.
    fn write_rest(&self, writer: &mut Writer) {
        match self {
            Self::FlowControlAck {
                available_window,
                channel_cookie,
                ..
            } => {
                writer.u32(*available_window);
                writer.put(&channel_cookie.0);
            }
            Self::Cookie(guid) | Self::AssociationGroupId(guid) => writer.put(&guid.0),
            Self::Padding(len) => {
                let len = (*len as usize).min(PADDING_BYTES_MAX);
                writer.put(&vec![0; len]);
            }
            Self::ClientAddress(address) => {
                match address {
                    Address::V4(octets) => writer.put(octets),
                    Address::V6(octets) => writer.put(octets),
                }
                writer.put(&[0; Address::PADDING]);
            }
            _ => {}
        }
    }
}

impl Address {
    /// Octets after an address.
    const PADDING: usize = 12;

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let address = match reader.u32("a kind of address")? {
            0 => Self::V4(reader.array("an IPv4 address")?),
            1 => Self::V6(reader.array("an IPv6 address")?),
            _ => return Err(reader.error("a known kind of address")),
        };
        reader.take(Self::PADDING, "padding of an address")?;
        Ok(address)
    }
}

impl Destination {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(match reader.u32("a destination")? {
            0 => Self::Client,
            1 => Self::InProxy,
            2 => Self::Server,
            3 => Self::OutProxy,
            _ => return Err(reader.error("a known destination")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rts: &Rts, bytes: &[u8]) {
        let mut writer = Writer::new();
        rts.write(&mut writer);
        assert_eq!(writer.as_bytes(), bytes);
        assert_eq!(&Rts::read(&mut Reader::new(bytes)).unwrap(), rts);
        for cut in 0..bytes.len() {
            assert!(
                Rts::read(&mut Reader::new(&bytes[..cut])).is_err(),
                "cut at {cut}"
            );
        }
    }

    fn octets(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    #[test]
    fn a_client_opens_both_channels() {
        let (connection, channel, group) = (Guid([1; 16]), Guid([2; 16]), Guid([3; 16]));
        check(
            &Rts::conn_a1(connection, channel, 0x1_0000),
            &octets(&[
                &[0, 0, 4, 0, 6, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0],
                &[1; 16],
                &[3, 0, 0, 0],
                &[2; 16],
                &[0, 0, 0, 0, 0, 0, 1, 0],
            ]),
        );
        check(
            &Rts::conn_b1(connection, channel, group),
            &octets(&[
                &[0, 0, 6, 0, 6, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0],
                &[1; 16],
                &[3, 0, 0, 0],
                &[2; 16],
                &[
                    4, 0, 0, 0, 0, 0, 0, 0x40, 5, 0, 0, 0, 0xe0, 0x93, 4, 0, 12, 0, 0, 0,
                ],
                &[3; 16],
            ]),
        );
    }

    #[test]
    fn a_server_says_that_they_are_open() {
        check(
            &Rts::conn_a3(120_000),
            &[0, 0, 1, 0, 2, 0, 0, 0, 0xc0, 0xd4, 1, 0],
        );
        check(
            &Rts::conn_c2(0x1_0000, 120_000),
            &[
                0, 0, 3, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0xc0, 0xd4,
                1, 0,
            ],
        );
    }

    #[test]
    fn acknowledgements_and_signs_of_life() {
        check(&Rts::ping(), &[1, 0, 0, 0]);
        check(
            &Rts::flow_control_ack(0x8000, 0x1_0000, Guid([2; 16])),
            &octets(&[
                &[
                    2, 0, 2, 0, 13, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 1, 0,
                ],
                &[2; 16],
            ]),
        );
    }

    #[test]
    fn every_other_command() {
        let commands = vec![
            Command::Empty,
            Command::Padding(3),
            Command::NegativeAnce,
            Command::Ance,
            Command::ClientAddress(Address::V4([127, 0, 0, 1])),
            Command::PingTrafficSentNotify(9),
        ];
        let rts = Rts {
            flags: flags::RECYCLE_CHANNEL | flags::OUT_CHANNEL,
            commands,
        };
        check(
            &rts,
            &octets(&[
                &[
                    0x14, 0, 6, 0, 7, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 10, 0,
                    0, 0,
                ],
                &[11, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 1],
                &[0; 12],
                &[14, 0, 0, 0, 9, 0, 0, 0],
            ]),
        );
    }

    #[test]
    fn what_nobody_knows_is_refused() {
        let cases: [(&[u8], &str); 4] = [
            (&[0, 0, 1, 0, 15, 0, 0, 0], "a known kind of command"),
            (
                &[0, 0, 1, 0, 13, 0, 0, 0, 4, 0, 0, 0],
                "a known destination",
            ),
            (&[0, 0, 1, 0, 8, 0, 0, 0, 0, 0, 1, 0], "less padding"),
            (&[0, 0, 0xff, 0xff, 7, 0, 0, 0], "a count of commands"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(
                Rts::read(&mut Reader::new(bytes)).unwrap_err().expected,
                expected
            );
        }
    }
}
