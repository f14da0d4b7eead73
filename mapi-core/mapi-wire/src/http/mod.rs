//! MAPI over HTTP: what stands in the heads and bodies of its requests and responses. Sans-IO, both directions.
//!
//! A request is one POST to the mailbox or address-book endpoint; its type is in a header ([`RequestHead`]), its fields
//! and an auxiliary buffer are its body ([`encode_request`], [`decode_request`]). A response has a head
//! ([`ResponseHead`]), a preamble of lines that keep the connection alive ([`framing`]) and a body
//! ([`encode_response`], [`decode_response`]). Bodies of the mailbox are in [`emsmdb`], those of the address book in
//! [`crate::nspi`].
//!
//! Source: MS-OXCMAPIHTTP.

pub mod any;
pub mod aux;
pub mod body;
pub mod cookies;
pub mod emsmdb;
pub mod framing;
pub mod head;
pub mod request_type;
pub mod response_code;
pub mod version;

pub use any::{AnyRequest, AnyResponse};
pub use body::{
    Body, Outcome, Request, Response, decode_request, decode_response, encode_request,
    encode_response,
};
pub use head::{Numbered, RequestHead, ResponseHead, header};
pub use request_type::{Endpoint, RequestType};
pub use response_code::ResponseCode;
pub use version::Version;
