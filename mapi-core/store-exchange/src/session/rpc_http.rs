//! One session context over RPC: the session's handle, and the associations that calls go over.
//!
//! Source: MS-OXCRPC 3.1, 3.2, 3.3.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mapi_wire::rpc::{
    Call, Caller, ContextHandle, Syntax,
    call::{async_connect, async_connected},
    interfaces::{ASYNC_EMSMDB, EMSMDB, opnums},
};
use tracing::Instrument;

use super::{Server, operation};
use crate::{
    fault::{Fault, Result, code},
    identity::CLIENT_VERSION,
    rpc::Association,
};

/// How long an association may be left alone: proxies close a channel after two minutes of silence or more (MS-RPCH
/// 2.2.3.5.3), and nobody says signs of life between calls.
const ALONE_MAX: Duration = Duration::from_secs(100);

/// The longest silence in a call, unless the caller says otherwise. As for MAPI/HTTP.
const SILENCE_MAX: Duration = Duration::from_secs(90);

/// A session context over RPC.
pub(crate) struct RpcHttp {
    server: Server,
    shared: Arc<Shared>,
    /// Nothing before the first call, and after a connection was lost.
    association: Option<Association>,
    /// What to wait for notifications with.
    waiting: Option<ContextHandle>,
}

/// What the associations of one context share.
#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Clone, Copy, Default)]
struct State {
    /// Nothing before the session has begun and after it has ended.
    handle: Option<ContextHandle>,
    /// The group of the association that began it.
    group: u32,
}

impl RpcHttp {
    /// A context of its own, not connected yet.
    pub(super) fn new(server: Server) -> Self {
        Self {
            server,
            shared: Arc::default(),
            association: None,
            waiting: None,
        }
    }

    /// The same context over an association of its own.
    pub(super) fn beside(&self) -> Self {
        Self {
            server: self.server.clone(),
            shared: Arc::clone(&self.shared),
            association: None,
            waiting: None,
        }
    }

    /// How long the context can be left alone.
    pub(super) const fn expires_after(&self) -> Duration {
        ALONE_MAX
    }

    /// Makes a call and awaits its answer.
    ///
    /// Errors: every [`Fault`] but `Moved` and `Operation`.
    pub(super) async fn call<C: Call>(
        &mut self,
        call: &C,
        idle: Option<Duration>,
    ) -> Result<(u32, Option<C::Response>)> {
        let silence = idle.unwrap_or(SILENCE_MAX);
        let span = operation::request(C::TYPE, 0);
        let called = async {
            let called = self.called(call, silence).await;
            operation::request_ended(&called);
            called
        };
        called.instrument(span).await
    }

    async fn called<C: Call>(
        &mut self,
        call: &C,
        silence: Duration,
    ) -> Result<(u32, Option<C::Response>)> {
        let handle = self.handle_for::<C>().await?;
        let caller = Caller {
            handle,
            version: CLIENT_VERSION,
        };
        let stub = call.to_stub(&caller);
        let association = self.associated(C::INTERFACE).await?;
        let group = association.group();
        let stub = association
            .call(C::INTERFACE, C::OPNUM, &stub, silence)
            .await?;
        let returned = C::from_stub(&stub)?;
        if let Some(handle) = returned.handle {
            // Zeros: the session has ended.
            let handle = Some(handle).filter(|handle| *handle != ContextHandle::default());
            self.set(State { handle, group });
        }
        Ok((returned.error, Some(returned.body)))
    }

    /// The handle that a call takes: none for one that begins a session.
    async fn handle_for<C: Call>(&mut self) -> Result<ContextHandle> {
        match (C::INTERFACE, C::OPNUM) {
            (EMSMDB, opnums::CONNECT_EX) => Ok(ContextHandle::default()),
            (ASYNC_EMSMDB, _) => self.waiting_handle().await,
            _ => self.state().handle.ok_or(Fault::Expired),
        }
    }

    /// What EcDoAsyncConnectEx gives. Source: MS-OXCRPC 3.1.4.4.
    async fn waiting_handle(&mut self) -> Result<ContextHandle> {
        if let Some(waiting) = self.waiting {
            return Ok(waiting);
        }
        let handle = self.state().handle.ok_or(Fault::Expired)?;
        let association = self.associated(EMSMDB).await?;
        let opnum = opnums::ASYNC_CONNECT_EX;
        let stub = async_connect(handle);
        let stub = association.call(EMSMDB, opnum, &stub, SILENCE_MAX).await?;
        let connected = async_connected(&stub)?;
        if connected.result != code::SUCCESS {
            return Err(Fault::operation(0, connected.result));
        }
        self.waiting = Some(connected.handle);
        Ok(connected.handle)
    }

    /// The association of this context, opened unless it is open.
    async fn associated(&mut self, interface: Syntax) -> Result<&mut Association> {
        let known = self.association.take_if(|known| known.is_intact());
        let association = match known {
            Some(association) => association,
            None => {
                let server = self.server.clone();
                Association::open(server, interface, self.state().group).await?
            }
        };
        Ok(self.association.insert(association))
    }

    fn state(&self) -> State {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
