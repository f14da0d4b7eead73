//! Who is called: interfaces, their ports behind a proxy, and the numbers of their calls.

use super::bodies::Syntax;
use crate::ids::Guid;

/// EMSMDB: the mailbox. Source: MS-OXCRPC 1.9.
pub const EMSMDB: Syntax = Syntax {
    uuid: Guid::from_fields(
        0xa4f1_db00,
        0xca47,
        0x1067,
        [0xb3, 0x1f, 0x00, 0xdd, 0x01, 0x06, 0x62, 0xda],
    ),
    major: 0,
    minor: 81,
};

/// AsyncEMSMDB: waits for notifications of a mailbox.
pub const ASYNC_EMSMDB: Syntax = Syntax {
    uuid: Guid::from_fields(
        0x5261_574a,
        0x4572,
        0x206e,
        [0xb2, 0x68, 0x6b, 0x19, 0x92, 0x13, 0xb4, 0xe4],
    ),
    major: 0,
    minor: 1,
};

/// NSPI: the address book. Source: MS-OXNSPI 1.9.
pub const NSPI: Syntax = Syntax {
    uuid: Guid::from_fields(
        0xf5cc_5a18,
        0x4264,
        0x101a,
        [0x8c, 0x59, 0x08, 0x00, 0x2b, 0x2f, 0x84, 0x26],
    ),
    major: 56,
    minor: 0,
};

/// RFR: where the address book is. Source: MS-OXABREF 1.9.
pub const REFERRAL: Syntax = Syntax {
    uuid: Guid::from_fields(
        0x1544_f5e0,
        0x613c,
        0x11d1,
        [0x93, 0xdf, 0x00, 0xc0, 0x4f, 0xd7, 0xbd, 0x09],
    ),
    major: 1,
    minor: 0,
};

/// NDR: how stubs are written. Source: C706 appendix I.
pub const NDR: Syntax = Syntax {
    uuid: Guid::from_fields(
        0x8a88_5d04,
        0x1ceb,
        0x11c9,
        [0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60],
    ),
    major: 2,
    minor: 0,
};

/// Ports of the interfaces behind an HTTP proxy. Source: MS-OXCRPC 2.1.
pub mod ports {
    /// EMSMDB and AsyncEMSMDB.
    pub const EMSMDB: u16 = 6001;
    /// RFR.
    pub const REFERRAL: u16 = 6002;
    /// NSPI.
    pub const NSPI: u16 = 6004;
}

/// Calls of EMSMDB. Source: MS-OXCRPC 3.1.4.
pub mod opnums {
    /// EcDoDisconnect.
    pub const DISCONNECT: u16 = 1;
    /// EcDummyRpc: does nothing.
    pub const DUMMY: u16 = 6;
    /// EcDoConnectEx.
    pub const CONNECT_EX: u16 = 10;
    /// EcDoRpcExt2.
    pub const RPC_EXT2: u16 = 11;
    /// EcDoAsyncConnectEx.
    pub const ASYNC_CONNECT_EX: u16 = 14;
    /// EcDoAsyncWaitEx, of AsyncEMSMDB.
    pub const ASYNC_WAIT_EX: u16 = 0;
}

/// The path of an HTTP proxy; the server and one of [`ports`] follow as `?server:port`. Source: MS-RPCH 2.1.2.1.
pub const PROXY_PATH: &str = "/rpc/rpcproxy.dll";

/// Headers of HTTP that both channels send. Source: MS-RPCH 2.1.2.1.
pub const PROXY_HEADERS: [(&str, &str); 2] =
    [("Accept", "application/rpc"), ("User-Agent", "MSRPC")];

/// The method that opens the channel to the server.
pub const METHOD_IN: &str = "RPC_IN_DATA";

/// The method that opens the channel from the server.
pub const METHOD_OUT: &str = "RPC_OUT_DATA";
