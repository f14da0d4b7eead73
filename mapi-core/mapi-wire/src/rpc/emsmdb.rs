//! The stubs of the mailbox's calls. Source: MS-OXCRPC 3.1.4 and 3.3.4.

use super::ndr::{NdrReader, NdrWriter};
use crate::{cursor::Result, http::body::Text8, ids::Guid};

/// What names a session in its calls: CXH, and ACXH for waiting. Zeros after the session has ended.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ContextHandle {
    /// Attributes; no business of the client.
    pub attributes: u32,
    /// The session.
    pub id: Guid,
}

/// A stub: the arguments of a call, in or out.
pub trait Stub: Sized {
    /// Reads a stub, to the last octet.
    fn decode(bytes: &[u8]) -> Result<Self>;

    /// Writes it.
    fn encode(&self) -> Vec<u8>;
}

/// EcDoConnectEx, in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConnectExRequest {
    /// The distinguished name of the authenticated user.
    pub user_dn: Text8,
    /// As in [`crate::http::emsmdb::Connect`].
    pub flags: u32,
    /// A hash of the name, by which servers spread users; any will do.
    pub con_mod: u32,
    /// 0.
    pub limit: u32,
    /// The code page of 8-bit strings.
    pub code_page: u32,
    /// The locale of everything but sorting.
    pub lcid_string: u32,
    /// The locale for sorting.
    pub lcid_sort: u32,
    /// The session to join, or [`ConnectExRequest::NO_LINK`].
    pub icxr_link: u32,
    /// 1: the client converts code pages.
    pub can_convert_code_pages: u16,
    /// The client's version: see [`crate::http::Version`].
    pub client_version: [u16; 3],
    /// The time stamp of the session to join; 0.
    pub timestamp: u32,
    /// An auxiliary buffer, wrapped, at most [`crate::buffer::AUX_BYTES_MAX`].
    pub aux_in: Box<[u8]>,
    /// The most octets of the auxiliary buffer in the response.
    pub aux_out_max: u32,
}

impl ConnectExRequest {
    /// No session to join.
    pub const NO_LINK: u32 = 0xffff_ffff;
}

/// EcDoConnectEx, out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConnectExResponse {
    /// The session.
    pub handle: ContextHandle,
    /// Milliseconds between polls for notifications.
    pub polls_max: u32,
    /// How often to try again when the server is busy.
    pub retry_count: u32,
    /// Milliseconds between such tries.
    pub retry_delay: u32,
    /// The session's number, to join it.
    pub icxr: u16,
    /// What stands before names the server shortens.
    pub dn_prefix: Option<Text8>,
    /// The user's name.
    pub display_name: Option<Text8>,
    /// The server's version.
    pub server_version: [u16; 3],
    /// The version of the client as the server takes it.
    pub best_version: [u16; 3],
    /// The time stamp of the session.
    pub timestamp: u32,
    /// An auxiliary buffer, wrapped.
    pub aux_out: Box<[u8]>,
    /// What came of it; 0 is success.
    pub result: u32,
}

/// EcDoRpcExt2, in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RpcExt2Request {
    /// The session.
    pub handle: ContextHandle,
    /// As in [`crate::http::emsmdb::Execute`].
    pub flags: u32,
    /// The ROPs, as [`crate::buffer::join`] wraps them, at most [`crate::buffer::REQUEST_BYTES_MAX`].
    pub rgb_in: Box<[u8]>,
    /// The most octets of the ROP buffer in the response.
    pub rgb_out_max: u32,
    /// An auxiliary buffer, wrapped.
    pub aux_in: Box<[u8]>,
    /// The most octets of the auxiliary buffer in the response.
    pub aux_out_max: u32,
}

/// EcDoRpcExt2, out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RpcExt2Response {
    /// The session; zeros when it has ended.
    pub handle: ContextHandle,
    /// 0, or those of the request.
    pub flags: u32,
    /// The responses, for [`crate::buffer::split`].
    pub rgb_out: Box<[u8]>,
    /// An auxiliary buffer, wrapped.
    pub aux_out: Box<[u8]>,
    /// Milliseconds the server was at work.
    pub trans_time: u32,
    /// What came of it.
    pub result: u32,
}

/// A call with nothing but a session in: EcDoDisconnect, EcDoAsyncConnectEx.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HandleRequest {
    /// The session.
    pub handle: ContextHandle,
}

/// A call with nothing but a session out: zeros after EcDoDisconnect, what to wait with after EcDoAsyncConnectEx.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HandleResponse {
    /// The session.
    pub handle: ContextHandle,
    /// What came of it.
    pub result: u32,
}

/// EcDoAsyncWaitEx, in. It returns after an event, or after five minutes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AsyncWaitRequest {
    /// What EcDoAsyncConnectEx gave.
    pub handle: ContextHandle,
    /// 0.
    pub flags: u32,
}

/// EcDoAsyncWaitEx, out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AsyncWaitResponse {
    /// 1: an EcDoRpcExt2, even without ROPs, brings the notifications.
    pub flags: u32,
    /// What came of it.
    pub result: u32,
}

impl ContextHandle {
    fn read(reader: &mut NdrReader<'_>) -> Result<Self> {
        Ok(Self {
            attributes: reader.u32("a context handle")?,
            id: reader.guid()?,
        })
    }

    fn write(self, writer: &mut NdrWriter) {
        writer.u32(self.attributes);
        writer.guid(self.id);
    }
}

impl Stub for ConnectExRequest {
    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = NdrReader::new(bytes);
        let stub = Self {
            user_dn: reader.string("a distinguished name")?,
            flags: reader.u32("flags")?,
            con_mod: reader.u32("a hash of the name")?,
            limit: reader.u32("a limit")?,
            code_page: reader.u32("a code page")?,
            lcid_string: reader.u32("a locale")?,
            lcid_sort: reader.u32("a locale for sorting")?,
            icxr_link: reader.u32("a session to join")?,
            can_convert_code_pages: reader.u16("whether code pages are converted")?,
            client_version: reader.words("the version of the client")?,
            timestamp: reader.u32("a time stamp")?,
            aux_in: reader.sized("an auxiliary buffer")?,
            aux_out_max: reader.u32("the room for an auxiliary buffer")?,
        };
        reader.finish()?;
        Ok(stub)
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = NdrWriter::new();
        writer.string(&self.user_dn);
        writer.u32(self.flags);
        writer.u32(self.con_mod);
        writer.u32(self.limit);
        writer.u32(self.code_page);
        writer.u32(self.lcid_string);
        writer.u32(self.lcid_sort);
        writer.u32(self.icxr_link);
        writer.u16(self.can_convert_code_pages);
        writer.words(self.client_version);
        writer.u32(self.timestamp);
        writer.sized(&self.aux_in);
        writer.u32(self.aux_out_max);
        writer.into_bytes()
    }
}

impl Stub for ConnectExResponse {
    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = NdrReader::new(bytes);
        let stub = Self {
            handle: ContextHandle::read(&mut reader)?,
            polls_max: reader.u32("a time between polls")?,
            retry_count: reader.u32("a count of tries")?,
            retry_delay: reader.u32("a time between tries")?,
            icxr: reader.u16("the number of the session")?,
            dn_prefix: reader.pointed_string("a prefix of names")?,
            display_name: reader.pointed_string("a display name")?,
            server_version: reader.words("the version of the server")?,
            best_version: reader.words("the version of the client")?,
            timestamp: reader.u32("a time stamp")?,
            aux_out: reader.varying("an auxiliary buffer")?,
            result: reader.u32("a result")?,
        };
        reader.finish()?;
        Ok(stub)
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = NdrWriter::new();
        self.handle.write(&mut writer);
        writer.u32(self.polls_max);
        writer.u32(self.retry_count);
        writer.u32(self.retry_delay);
        writer.u16(self.icxr);
        writer.pointed_string(self.dn_prefix.as_ref());
        writer.pointed_string(self.display_name.as_ref());
        writer.words(self.server_version);
        writer.words(self.best_version);
        writer.u32(self.timestamp);
        writer.varying(&self.aux_out);
        writer.u32(self.result);
        writer.into_bytes()
    }
}

impl Stub for RpcExt2Request {
    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = NdrReader::new(bytes);
        let stub = Self {
            handle: ContextHandle::read(&mut reader)?,
            flags: reader.u32("flags")?,
            rgb_in: reader.sized("a ROP buffer")?,
            rgb_out_max: reader.u32("the room for a ROP buffer")?,
            aux_in: reader.sized("an auxiliary buffer")?,
            aux_out_max: reader.u32("the room for an auxiliary buffer")?,
        };
        reader.finish()?;
        Ok(stub)
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = NdrWriter::new();
        self.handle.write(&mut writer);
        writer.u32(self.flags);
        writer.sized(&self.rgb_in);
        writer.u32(self.rgb_out_max);
        writer.sized(&self.aux_in);
        writer.u32(self.aux_out_max);
        writer.into_bytes()
    }
}

impl Stub for RpcExt2Response {
    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = NdrReader::new(bytes);
        let stub = Self {
            handle: ContextHandle::read(&mut reader)?,
            flags: reader.u32("flags")?,
            rgb_out: reader.varying("a ROP buffer")?,
            aux_out: reader.varying("an auxiliary buffer")?,
            trans_time: reader.u32("a time at work")?,
            result: reader.u32("a result")?,
        };
        reader.finish()?;
        Ok(stub)
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = NdrWriter::new();
        self.handle.write(&mut writer);
        writer.u32(self.flags);
        writer.varying(&self.rgb_out);
        writer.varying(&self.aux_out);
        writer.u32(self.trans_time);
        writer.u32(self.result);
        writer.into_bytes()
    }
}

impl Stub for HandleRequest {
    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = NdrReader::new(bytes);
        let handle = ContextHandle::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { handle })
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = NdrWriter::new();
        self.handle.write(&mut writer);
        writer.into_bytes()
    }
}

impl Stub for HandleResponse {
    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = NdrReader::new(bytes);
        let handle = ContextHandle::read(&mut reader)?;
        let result = reader.u32("a result")?;
        reader.finish()?;
        Ok(Self { handle, result })
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = NdrWriter::new();
        self.handle.write(&mut writer);
        writer.u32(self.result);
        writer.into_bytes()
    }
}

impl Stub for AsyncWaitRequest {
    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = NdrReader::new(bytes);
        let handle = ContextHandle::read(&mut reader)?;
        let flags = reader.u32("flags")?;
        reader.finish()?;
        Ok(Self { handle, flags })
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = NdrWriter::new();
        self.handle.write(&mut writer);
        writer.u32(self.flags);
        writer.into_bytes()
    }
}

impl Stub for AsyncWaitResponse {
    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = NdrReader::new(bytes);
        let flags = reader.u32("flags")?;
        let result = reader.u32("a result")?;
        reader.finish()?;
        Ok(Self { flags, result })
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = NdrWriter::new();
        writer.u32(self.flags);
        writer.u32(self.result);
        writer.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::prelude::*;

    use super::*;

    fn check<T: Stub + Debug + PartialEq>(stub: &T, bytes: &[u8]) {
        assert_eq!(stub.encode(), bytes);
        assert_eq!(&T::decode(bytes).unwrap(), stub);
        for cut in 0..bytes.len() {
            assert!(T::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    fn handle() -> ContextHandle {
        ContextHandle {
            attributes: 2,
            id: Guid([7; 16]),
        }
    }

    fn handle_then(rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![2, 0, 0, 0];
        bytes.extend([7; 16]);
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn waiting_for_notifications() {
        let handle = handle();
        check(&HandleRequest { handle }, &handle_then(&[]));
        check(
            &HandleResponse { handle, result: 5 },
            &handle_then(&[5, 0, 0, 0]),
        );
        check(
            &AsyncWaitRequest { handle, flags: 0 },
            &handle_then(&[0; 4]),
        );
        check(
            &AsyncWaitResponse {
                flags: 1,
                result: 0,
            },
            &[1, 0, 0, 0, 0, 0, 0, 0],
        );
    }

    #[test]
    fn octets_are_padded_before_the_next_field() {
        let request = RpcExt2Request {
            handle: handle(),
            flags: 3,
            rgb_in: [1, 2, 3, 4, 5].into(),
            rgb_out_max: 0x4_0000,
            aux_in: Box::default(),
            aux_out_max: 0x1008,
        };
        let rest = [
            3, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 5, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 8, 0x10, 0, 0,
        ];
        check(&request, &handle_then(&rest));
    }

    #[test]
    fn a_refused_connection_has_null_pointers() {
        let response = ConnectExResponse {
            handle: ContextHandle::default(),
            polls_max: 0,
            retry_count: 0,
            retry_delay: 0,
            icxr: 0,
            dn_prefix: None,
            display_name: None,
            server_version: [0; 3],
            best_version: [0; 3],
            timestamp: 0,
            aux_out: Box::default(),
            result: 0x3eb,
        };
        let mut bytes = vec![0; 20 + 4 * 4 + 2 * 4 + 2 * 6 + 5 * 4];
        bytes.extend([0xeb, 3, 0, 0]);
        check(&response, &bytes);
    }

    #[test]
    fn what_is_broken_says_where() {
        let mut differing = handle_then(&[3, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0]);
        differing.extend([0; 16]);
        let error = RpcExt2Request::decode(&differing).unwrap_err();
        assert_eq!(
            (error.at, error.expected),
            (36, "the same size of the array again before this")
        );
        let huge = handle_then(&[3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1]);
        assert_eq!(RpcExt2Request::decode(&huge).unwrap_err().at, 28);
        let unended = [2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, b'/', b'o'];
        let error = ConnectExRequest::decode(&unended).unwrap_err();
        assert_eq!(error.expected, "text that ends with its only NUL");
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(bytes in prop::collection::vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 0..200)) {
            let _ = ConnectExRequest::decode(&bytes);
            let _ = ConnectExResponse::decode(&bytes);
            let _ = RpcExt2Request::decode(&bytes);
            let _ = RpcExt2Response::decode(&bytes);
            let _ = HandleResponse::decode(&bytes);
        }
    }
}
