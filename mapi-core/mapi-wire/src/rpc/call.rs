//! The calls of RPC as what they are over MAPI/HTTP: the same requests with the same answers.
//!
//! What a session asks for is said once, as a [`Request`]; a [`Call`] is one that RPC can carry, too. Source: MS-OXCRPC
//! 3.1.4, 3.3.4; MS-OXCMAPIHTTP 2.2.4 names the call behind each request.

use super::{
    bodies::Syntax,
    emsmdb::{
        AsyncWaitRequest, AsyncWaitResponse, ConnectExRequest, ConnectExResponse, ContextHandle,
        HandleRequest, HandleResponse, RpcExt2Request, RpcExt2Response, Stub,
    },
    interfaces::{ASYNC_EMSMDB, EMSMDB, opnums},
};
use crate::{
    buffer::AUX_BYTES_MAX,
    cursor::{Result, Utf16},
    http::{
        Request, Version,
        body::Text8,
        emsmdb::{
            Connect, Connected, Disconnect, Execute, Executed, NotificationWait, NotificationWaited,
        },
    },
};

/// A request that RPC can carry.
pub trait Call: Request {
    /// Who is called.
    const INTERFACE: Syntax;
    /// The number of the call.
    const OPNUM: u16;

    /// The stub of the call.
    fn to_stub(&self, caller: &Caller) -> Vec<u8>;

    /// What a stub says that answers it.
    fn from_stub(stub: &[u8]) -> Result<Returned<Self::Response>>;
}

/// What calls say of the caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The session, after it has begun.
    pub handle: ContextHandle,
    /// The client's version, by which servers grant features.
    pub version: Version,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Returned<T> {
    /// The session after the call, where it says: zeros when it has ended.
    pub handle: Option<ContextHandle>,
    /// What the call returned.
    pub error: u32,
    /// The fields.
    pub body: T,
}

/// EcDoConnectEx. Source: MS-OXCRPC 3.1.4.1.
impl Call for Connect {
    const INTERFACE: Syntax = EMSMDB;
    const OPNUM: u16 = opnums::CONNECT_EX;

    fn to_stub(&self, caller: &Caller) -> Vec<u8> {
        let request = ConnectExRequest {
            user_dn: self.user_dn.clone(),
            flags: self.flags,
            con_mod: spread(&self.user_dn),
            limit: 0,
            code_page: self.default_code_page,
            lcid_string: self.lcid_string,
            lcid_sort: self.lcid_sort,
            icxr_link: ConnectExRequest::NO_LINK,
            can_convert_code_pages: 1,
            client_version: caller.version.to_words(),
            timestamp: 0,
            aux_in: Box::default(),
            aux_out_max: AUX_BYTES_MAX as u32,
        };
        request.encode()
    }

    fn from_stub(stub: &[u8]) -> Result<Returned<Connected>> {
        let response = ConnectExResponse::decode(stub)?;
        let name = response.display_name.unwrap_or_default();
        Ok(Returned {
            handle: Some(response.handle),
            error: response.result,
            body: Connected {
                polls_max: response.polls_max,
                retry_count: response.retry_count,
                retry_delay: response.retry_delay,
                dn_prefix: response.dn_prefix.unwrap_or_default(),
                display_name: Utf16::from(&*String::from_utf8_lossy(&name.0)),
            },
        })
    }
}

/// EcDoRpcExt2. Source: MS-OXCRPC 3.1.4.2.
impl Call for Execute {
    const INTERFACE: Syntax = EMSMDB;
    const OPNUM: u16 = opnums::RPC_EXT2;

    fn to_stub(&self, caller: &Caller) -> Vec<u8> {
        let request = RpcExt2Request {
            handle: caller.handle,
            flags: self.flags,
            rgb_in: self.rop_buffer.clone(),
            rgb_out_max: self.rop_out_max,
            aux_in: Box::default(),
            aux_out_max: AUX_BYTES_MAX as u32,
        };
        request.encode()
    }

    fn from_stub(stub: &[u8]) -> Result<Returned<Executed>> {
        let response = RpcExt2Response::decode(stub)?;
        Ok(Returned {
            handle: Some(response.handle),
            error: response.result,
            body: Executed {
                flags: response.flags,
                rop_buffer: response.rgb_out,
            },
        })
    }
}

/// EcDoDisconnect. Source: MS-OXCRPC 3.1.4.3.
impl Call for Disconnect {
    const INTERFACE: Syntax = EMSMDB;
    const OPNUM: u16 = opnums::DISCONNECT;

    fn to_stub(&self, caller: &Caller) -> Vec<u8> {
        let handle = caller.handle;
        HandleRequest { handle }.encode()
    }

    fn from_stub(stub: &[u8]) -> Result<Returned<()>> {
        let response = HandleResponse::decode(stub)?;
        Ok(Returned {
            handle: Some(response.handle),
            error: response.result,
            body: (),
        })
    }
}

/// EcDoAsyncWaitEx, with the handle that EcDoAsyncConnectEx gave ([`async_connect`]). Source: MS-OXCRPC 3.3.4.1.
impl Call for NotificationWait {
    const INTERFACE: Syntax = ASYNC_EMSMDB;
    const OPNUM: u16 = opnums::ASYNC_WAIT_EX;

    fn to_stub(&self, caller: &Caller) -> Vec<u8> {
        let request = AsyncWaitRequest {
            handle: caller.handle,
            flags: self.flags,
        };
        request.encode()
    }

    fn from_stub(stub: &[u8]) -> Result<Returned<NotificationWaited>> {
        let response = AsyncWaitResponse::decode(stub)?;
        Ok(Returned {
            handle: None,
            error: response.result,
            body: NotificationWaited {
                event_pending: response.flags,
            },
        })
    }
}

/// The stub of EcDoAsyncConnectEx, which gives a handle to wait with. Source: MS-OXCRPC 3.1.4.4.
pub fn async_connect(handle: ContextHandle) -> Vec<u8> {
    HandleRequest { handle }.encode()
}

/// What answers it.
pub fn async_connected(stub: &[u8]) -> Result<HandleResponse> {
    HandleResponse::decode(stub)
}

/// A number that differs from user to user. Any hash will do.
fn spread(dn: &Text8) -> u32 {
    let lower = dn.0.iter().map(u8::to_ascii_lowercase);
    lower.fold(0, |hash: u32, octet| hash.rotate_left(5) ^ u32::from(octet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Guid;

    fn caller() -> Caller {
        Caller {
            handle: ContextHandle {
                attributes: 0,
                id: Guid([7; 16]),
            },
            version: Version([16, 0, 17928, 20114]),
        }
    }

    #[test]
    fn a_connection_says_who_asks_and_what_came_of_it() {
        let connect = Connect {
            user_dn: "/o=T/cn=u".into(),
            flags: 0,
            default_code_page: 1252,
            lcid_sort: 0x409,
            lcid_string: 0x407,
        };
        let stub = ConnectExRequest::decode(&connect.to_stub(&caller())).unwrap();
        assert_eq!(stub.user_dn, connect.user_dn);
        assert_eq!((stub.code_page, stub.lcid_sort), (1252, 0x409));
        assert_eq!(stub.lcid_string, 0x407);
        assert_eq!(Version::from_words(stub.client_version), caller().version);
        let answer = ConnectExResponse {
            handle: caller().handle,
            polls_max: 60_000,
            retry_count: 6,
            retry_delay: 10_000,
            icxr: 1,
            dn_prefix: None,
            display_name: Some("Ann".into()),
            server_version: [0x0f00, 0x8000 | 847, 4040],
            best_version: [0; 3],
            timestamp: 0,
            aux_out: Box::default(),
            result: 0,
        };
        let returned = Connect::from_stub(&answer.encode()).unwrap();
        assert_eq!(returned.handle, Some(caller().handle));
        assert_eq!(returned.body.display_name, Utf16::from("Ann"));
        assert_eq!(returned.body.retry_delay, 10_000);
    }

    #[test]
    fn a_batch_is_carried_as_it_is() {
        let execute = Execute {
            flags: 3,
            rop_buffer: [1, 2, 3].into(),
            rop_out_max: 0x8008,
        };
        let stub = RpcExt2Request::decode(&execute.to_stub(&caller())).unwrap();
        assert_eq!((stub.handle, stub.flags), (caller().handle, 3));
        assert_eq!(
            (stub.rgb_in, stub.rgb_out_max),
            (execute.rop_buffer, 0x8008)
        );
        let answer = RpcExt2Response {
            handle: ContextHandle::default(),
            flags: 0,
            rgb_out: [4, 5].into(),
            aux_out: Box::default(),
            trans_time: 1,
            result: 0x8004_0115,
        };
        let returned = Execute::from_stub(&answer.encode()).unwrap();
        assert_eq!(returned.handle, Some(ContextHandle::default()));
        assert_eq!(returned.error, 0x8004_0115);
        assert_eq!(&*returned.body.rop_buffer, &[4, 5]);
    }
}
