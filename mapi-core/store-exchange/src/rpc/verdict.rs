//! What refusals of proxies and servers mean.

use std::time::SystemTime;

use mapi_wire::rpc;

use crate::{
    fault::{BUSY_DEFAULT, Fault},
    http::{Response, StatusCode, retry_after},
};

/// Status codes of faults. Source: MS-RPCE 2.2.2.7 and its list in C706 appendix N; MS-ERREF 2.2.
mod status {
    /// Access denied.
    pub(super) const ACCESS_DENIED: u32 = 5;
    /// RPC_S_SERVER_TOO_BUSY.
    pub(super) const SERVER_TOO_BUSY: u32 = 0x6bb;
    /// RPC_X_SS_CONTEXT_MISMATCH.
    pub(super) const CONTEXT_MISMATCH: u32 = 0x6e6;
    /// nca_op_rng_error.
    pub(super) const UNKNOWN_CALL: u32 = 0x1c01_0002;
    /// nca_unk_if.
    pub(super) const UNKNOWN_INTERFACE: u32 = 0x1c01_0003;
    /// nca_server_too_busy.
    pub(super) const NCA_SERVER_TOO_BUSY: u32 = 0x1c01_0014;
    /// nca_s_fault_context_mismatch.
    pub(super) const NCA_CONTEXT_MISMATCH: u32 = 0x1c00_001a;
}

/// What an HTTP answer says that is not a channel.
pub(super) fn refusal(response: &Response) -> Fault {
    let status = response.status;
    match status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            let wait = retry_after(&response.headers, SystemTime::now());
            Fault::Busy(wait.unwrap_or(BUSY_DEFAULT))
        }
        StatusCode::UNAUTHORIZED => {
            Fault::Unauthenticated("the RPC proxy refuses the credentials".into())
        }
        StatusCode::FORBIDDEN => Fault::Denied("the RPC proxy lets this user not through"),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            Fault::Denied("there is no RPC proxy at this URL: see that Outlook Anywhere is enabled")
        }
        _ if status.is_redirection() => Fault::Moved,
        _ => Fault::Away(format!("HTTP status {} of the RPC proxy", status.as_u16()).into()),
    }
}

/// What a fault says about a call. Source: C706 12.6.4.7.
pub(super) fn fault(packet_flags: u8, fault: &rpc::Fault) -> Fault {
    let cause = || format!("RPC fault {:#x}", fault.status).into();
    match fault.status {
        status::SERVER_TOO_BUSY | status::NCA_SERVER_TOO_BUSY => Fault::Busy(BUSY_DEFAULT),
        status::CONTEXT_MISMATCH | status::NCA_CONTEXT_MISMATCH => Fault::Expired,
        status::ACCESS_DENIED => {
            Fault::Denied("the server refuses the call: it may want another authentication")
        }
        status::UNKNOWN_CALL | status::UNKNOWN_INTERFACE => {
            Fault::Denied("the server does not offer this over RPC")
        }
        _ if packet_flags & rpc::pdu::flags::DID_NOT_EXECUTE != 0 => Fault::Away(cause()),
        _ => Fault::Lost(cause()),
    }
}

/// What it means that a server takes no interface. Source: MS-RPCE 2.2.2.5.
pub(super) fn bind_nak(reason: u16) -> Fault {
    const TEMPORARY_CONGESTION: u16 = 1;
    const LOCAL_LIMIT: u16 = 2;
    const AUTHENTICATION_TYPE: u16 = 8;
    match reason {
        TEMPORARY_CONGESTION | LOCAL_LIMIT => Fault::Busy(BUSY_DEFAULT),
        AUTHENTICATION_TYPE => Fault::Denied("the server wants another authentication of RPC"),
        reason => Fault::Away(format!("the server refused to bind, reason {reason}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_say_whether_a_call_was_done() {
        let check = |packet_flags, status, expected: &str| {
            let got = fault(
                packet_flags,
                &rpc::Fault {
                    alloc_hint: 0,
                    context_id: 0,
                    cancel_count: 0,
                    status,
                    rest: Box::default(),
                },
            );
            let name = format!("{got:?}");
            assert!(name.starts_with(expected), "{status:#x}: {name}");
        };
        check(0, 5, "Denied");
        check(0, 0x6bb, "Busy");
        check(0, 0x1c00_001a, "Expired");
        check(0, 0x1c01_0003, "Denied");
        check(0, 0x6f7, "Lost");
        check(rpc::pdu::flags::DID_NOT_EXECUTE, 0x6f7, "Away");
    }

    #[test]
    fn a_server_that_binds_nothing_says_why() {
        assert!(matches!(bind_nak(2), Fault::Busy(_)));
        assert!(matches!(bind_nak(8), Fault::Denied(_)));
        assert!(matches!(bind_nak(0), Fault::Away(_)));
    }
}
