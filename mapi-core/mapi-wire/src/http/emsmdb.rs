//! Bodies of the mailbox endpoint. PING has none. Source: MS-OXCMAPIHTTP 2.2.4.

use super::body::{Body, Text8, body, requests};
use crate::cursor::{Reader, Result, Utf16, Writer};

body! {
    /// Begins a session context. Source: 2.2.4.1.1; flags MS-OXCRPC 3.1.4.1.
    Connect {
        /// The distinguished name of the authenticated user, as Autodiscover gives it.
        user_dn: Text8,
        /// 0, or [`CONNECT_ADMIN`], [`CONNECT_IGNORE_NO_PUBLIC_FOLDERS`].
        flags: u32,
        /// The code page of 8-bit strings.
        default_code_page: u32,
        /// The locale for sorting.
        lcid_sort: u32,
        /// The locale of everything else.
        lcid_string: u32,
    }
}

/// Connect as administrator; a server checks the privilege.
pub const CONNECT_ADMIN: u32 = 1;

/// Connect although there are no public folders.
pub const CONNECT_IGNORE_NO_PUBLIC_FOLDERS: u32 = 0x8000;

body! {
    /// A session context has begun. Source: 2.2.4.1.2.
    Connected {
        /// Milliseconds between polls for notifications.
        polls_max: u32,
        /// How often to try again when the server is busy.
        retry_count: u32,
        /// Milliseconds between such tries.
        retry_delay: u32,
        /// What stands before names the server shortens; may be empty.
        dn_prefix: Text8,
        /// The user's name.
        display_name: Utf16,
    }
}

body! {
    /// Carries ROPs to the server. Source: 2.2.4.2.1; flags MS-OXCRPC 3.1.4.2.
    Execute {
        /// [`NO_COMPRESSION`], [`NO_XOR_MAGIC`], [`CHAIN`].
        flags: u32,
        /// The ROPs, as [`crate::buffer::join`] wraps them.
        rop_buffer: Box<[u8]>,
        /// The most octets of the ROP buffer in the response.
        rop_out_max: u32,
    }
}

/// The server shall not compress.
pub const NO_COMPRESSION: u32 = 1;

/// The server shall not obfuscate.
pub const NO_XOR_MAGIC: u32 = 2;

/// The server may pack: repeat the last ROP while its responses fit.
pub const CHAIN: u32 = 4;

body! {
    /// Carries ROP responses back. Source: 2.2.4.2.2.
    Executed {
        /// 0; gromox repeats the flags of the request.
        flags: u32,
        /// The responses, for [`crate::buffer::split`].
        rop_buffer: Box<[u8]>,
    }
}

/// Ends a session context; without fields. Source: 2.2.4.3.1.
#[derive(Clone, Debug, PartialEq)]
pub struct Disconnect;

impl Body for Disconnect {
    const OCTETS_MIN: usize = 0;

    fn read(_: &mut Reader<'_>, _: &'static str) -> Result<Self> {
        Ok(Self)
    }

    fn write(&self, _: &mut Writer) {}
}

body! {
    /// Waits for an event, at most five minutes. Source: 2.2.4.4.1.
    NotificationWait {
        /// 0.
        flags: u32,
    }
}

body! {
    /// An event has come, or the time is over. Source: 2.2.4.4.2.
    NotificationWaited {
        /// 1: an Execute, even without ROPs, brings the notifications.
        event_pending: u32,
    }
}

/// A response without fields.
pub type Nothing = ();

requests! {
    Connect => Connected,
    Execute => Executed,
    Disconnect => Nothing,
    NotificationWait => NotificationWaited,
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::{
        buffer::{self, Packing},
        http::{
            Outcome, Request, Response, decode_request, decode_response, encode_request,
            encode_response,
        },
    };

    fn octets(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pairs = digits
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).unwrap());
        pairs
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    }

    fn check_request<T: Request + Debug + PartialEq>(request: T, hex: &str) {
        let bytes = octets(hex);
        assert_eq!(encode_request(&request, &[]), bytes);
        assert_eq!(
            decode_request::<T>(&bytes).unwrap(),
            (request, Box::default())
        );
        for cut in 0..bytes.len() {
            assert!(decode_request::<T>(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    fn check_response<T: Request>(outcome: Outcome<T::Response>, hex: &str)
    where
        T::Response: Debug + PartialEq,
    {
        let bytes = octets(hex);
        let aux = Box::default();
        let response = Response { outcome, aux };
        assert_eq!(encode_response(&response), bytes);
        assert_eq!(decode_response::<T>(&bytes).unwrap(), response);
    }

    #[test]
    fn connect_as_worked_out_by_hand() {
        let connect = Connect {
            user_dn: "/o=T/cn=u".into(),
            flags: 0,
            default_code_page: 1252,
            lcid_sort: 0x409,
            lcid_string: 0x409,
        };
        check_request(
            connect,
            "2f6f3d542f636e3d7500 00000000 e4040000 09040000 09040000 00000000",
        );
    }

    #[test]
    fn execute_with_one_logon_as_worked_out_by_hand() {
        let payload = octets("1a00 fe000001 0c000001 00000000 0a00 2f6f3d542f636e3d7500 ffffffff");
        let execute = Execute {
            flags: NO_COMPRESSION | NO_XOR_MAGIC,
            rop_buffer: buffer::join(&[&payload], Packing::default())
                .unwrap()
                .into(),
            rop_out_max: buffer::RESPONSE_BYTES_MAX as u32,
        };
        check_request(
            execute,
            "03000000 26000000 00000400 1e001e00 1a00 fe000001 0c000001 00000000 0a00 2f6f3d542f636e3d7500 \
             ffffffff 00000400 00000000",
        );
    }

    #[test]
    fn execute_without_rops_collects_notifications() {
        let rop_buffer = buffer::join(&[[2, 0]], Packing::default()).unwrap();
        assert_eq!(rop_buffer, octets("0000 0400 0200 0200 0200"));
    }

    #[test]
    fn the_short_requests() {
        check_request(Disconnect, "00000000");
        check_request(NotificationWait { flags: 0 }, "00000000 00000000");
    }

    #[test]
    fn a_refusal_is_a_status_and_no_more() {
        check_response::<Execute>(Outcome::Refused(0x6f7), "f7060000 00000000");
        check_response::<Disconnect>(Outcome::Refused(5), "05000000 00000000");
    }

    #[test]
    fn a_status_written_twice_is_a_refusal() {
        let response = decode_response::<Execute>(&octets("f7060000 f7060000")).unwrap();
        assert_eq!(response.outcome, Outcome::Refused(0x6f7));
    }

    #[test]
    fn an_error_may_come_with_or_without_fields() {
        check_response::<NotificationWait>(
            Outcome::Failed(0x8004_0111),
            "00000000 11010480 00000000",
        );
        let body = NotificationWaited { event_pending: 0 };
        let error = 0x8004_0111;
        check_response::<NotificationWait>(
            Outcome::Done { error, body },
            "00000000 11010480 00000000 00000000",
        );
        assert!(
            decode_response::<NotificationWait>(&octets("00000000 00000000 00000000")).is_err()
        );
    }

    #[test]
    fn an_error_says_which_field_was_expected() {
        let error = decode_request::<Connect>(b"/o=T\0\0\0\0\0\xe4").unwrap_err();
        assert_eq!(error.to_string(), "at octet 9: expected default_code_page");
    }
}
