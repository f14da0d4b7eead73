//! Autodiscover: where a user's mailbox and address book are.
//!
//! A client asks the [`places`] of a domain one after another by [`pox`] (XML over POST), which is the only dialect that
//! names the endpoints of MAPI over HTTP; [`soap`] and [`json`] are its younger relatives. Every URL and address that
//! comes out of here is what a server says: whoever follows it checks the scheme ([`places::is_https`]) and counts
//! redirections ([`places::REDIRECTS_MAX`]).
//!
//! Source: MS-OXDISCO (places), MS-OXDSCLI (POX), MS-OXWSADISC (SOAP).

pub mod element;
pub mod json;
pub mod places;
pub mod pox;
pub mod settings;
pub mod soap;

pub use element::Element;
pub use places::{Place, candidates};
pub use settings::{AlternativeMailbox, MapiHttp, Protocol, RpcKind, RpcProtocol, Settings, Urls};
