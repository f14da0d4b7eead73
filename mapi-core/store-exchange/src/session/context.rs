//! A session context, whichever way its requests go: what the server knows of this client, until one of them leaves.
//!
//! Both ways take the same requests and give the same answers; what differs ends here.

use std::time::Duration;

use mapi_wire::{
    Guid,
    http::{Numbered, cookies::Cookies},
    rpc::Call,
};

use super::{mapi_http::MapiHttp, rpc_http::RpcHttp};
use crate::{
    auth::{Credentials, Policy},
    discover::Transport,
    fault::Result,
    http::{Client, Url},
};

/// Where a server is, and as whom to speak to it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) transport: Transport,
    pub(crate) url: Url,
    pub(crate) credentials: Credentials,
    pub(crate) policy: Policy,
}

/// A session context. It takes one request at a time; waiting for notifications goes beside it (see [`Self::beside`]).
pub(crate) enum Context {
    MapiHttp(Box<MapiHttp>),
    RpcHttp(Box<RpcHttp>),
}

impl Context {
    /// A context of its own, not connected yet. `guid` is unlike any other's; `client` names this program.
    pub(crate) fn new(server: Server, guid: Guid, client: Numbered) -> Self {
        Self::after(server, guid, client, Cookies::default())
    }

    /// A context that takes the place of one whose state is unknown: over MAPI/HTTP the server ends that when it sees
    /// its cookies (MS-OXCMAPIHTTP 3.1.7.2), over RPC when its connections close.
    pub(crate) fn after(server: Server, guid: Guid, client: Numbered, cookies: Cookies) -> Self {
        match server.transport {
            Transport::MapiHttp => {
                Self::MapiHttp(Box::new(MapiHttp::after(server, guid, client, cookies)))
            }
            Transport::RpcHttp => Self::RpcHttp(Box::new(RpcHttp::new(server))),
        }
    }

    /// What [`Self::after`] needs of a context that is left.
    pub(crate) fn cookies(&self) -> Cookies {
        match self {
            Self::MapiHttp(context) => context.cookies(),
            Self::RpcHttp(_) => Cookies::default(),
        }
    }

    /// The same context over a connection of its own: for NotificationWait, which runs beside the other requests.
    pub(crate) fn beside(&self) -> Self {
        match self {
            Self::MapiHttp(context) => Self::MapiHttp(Box::new(context.beside())),
            Self::RpcHttp(context) => Self::RpcHttp(Box::new(context.beside())),
        }
    }

    /// How long the context lives without a request, as far as is known.
    pub(crate) fn expires_after(&self) -> Option<Duration> {
        match self {
            Self::MapiHttp(context) => context.expires_after(),
            Self::RpcHttp(context) => Some(context.expires_after()),
        }
    }

    /// Sends a request and awaits its answer: ErrorCode and fields.
    ///
    /// `idle` is the longest silence, if it is not the default. Errors: every [`crate::fault::Fault`] but `Moved` and
    /// `Operation`.
    pub(crate) async fn call<C: Call + Sync>(
        &mut self,
        call: &C,
        idle: Option<Duration>,
    ) -> Result<(u32, Option<C::Response>)> {
        match self {
            Self::MapiHttp(context) => context.call(call, idle).await,
            Self::RpcHttp(context) => context.call(call, idle).await,
        }
    }

    /// Keeps the context alive, where there is a request for it; `false` where only a batch does.
    pub(crate) async fn ping(&mut self) -> Result<bool> {
        match self {
            Self::MapiHttp(context) => context.ping().await.map(|()| true),
            Self::RpcHttp(_) => Ok(false),
        }
    }
}
