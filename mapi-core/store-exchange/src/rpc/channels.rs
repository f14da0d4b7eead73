//! The two HTTP requests of a virtual connection. Source: MS-RPCH 2.1.2.

use bytes::{Buf, Bytes, BytesMut};
use mapi_wire::rpc::{
    Body as PacketBody, Pdu,
    interfaces::{METHOD_IN, METHOD_OUT, PROXY_HEADERS},
    pdu,
    recycling::OUT_SUCCESSOR_REQUEST_BYTES,
    rts::Rts,
};

use super::verdict::refusal;
use crate::{
    auth::Channel,
    fault::{Fault, Result},
    http::{Body, HeaderValue, Method, Request, Response, StatusCode, Upload, header},
    session::Server,
};

/// The most octets that a channel from the server may carry. Source: MS-RPCH 2.1.2.1.4.
const CHANNEL_BYTES_MAX: u64 = 2 << 30;

/// How to reach a server through its RPC proxy.
#[derive(Clone, Debug)]
pub(super) struct Route(pub(super) Server);

impl Route {
    /// Opens a channel to the server, with its first packet. Whether the proxy takes it is heard on the other channel.
    pub(super) async fn open_in(&self, first: &Rts, lifetime: u64) -> Result<Upload> {
        self.upload(METHOD_IN, first, lifetime).await
    }

    /// Opens the channel from the server, with its first packet, and awaits the head of the answer.
    pub(super) async fn open_out(&self, first: &Rts) -> Result<Out> {
        let mut channel = self.channel();
        let request = self.request(METHOD_OUT, packet(first))?;
        let response = channel.send(&request).await.map_err(unsent)?;
        Out::of(response, Box::new(channel))
    }

    /// Opens a successor of it. It answers after its second packet, see [`Out::succeeding`].
    pub(super) async fn open_out_successor(&self, first: &Rts) -> Result<Upload> {
        let length = OUT_SUCCESSOR_REQUEST_BYTES;
        self.upload(METHOD_OUT, first, length).await
    }

    async fn upload(&self, method: &'static str, first: &Rts, length: u64) -> Result<Upload> {
        let request = self.request(method, Bytes::new())?;
        let upload = self.channel().upload(&request, length).await;
        let mut upload = upload.map_err(unsent)?;
        upload.push(packet(first))?;
        Ok(upload)
    }

    fn channel(&self) -> Channel {
        let server = self.0.clone();
        Channel::new(server.client, server.credentials, server.policy)
    }

    fn request(&self, method: &'static str, body: impl Into<Bytes>) -> Result<Request> {
        let method =
            Method::from_bytes(method.as_bytes()).map_err(|error| Fault::Away(error.into()))?;
        let mut request = Request::with_method(method, self.0.url.clone(), body);
        for (name, value) in PROXY_HEADERS {
            let name = header::HeaderName::from_bytes(name.as_bytes());
            if let Ok(name) = name {
                request
                    .headers
                    .insert(name, HeaderValue::from_static(value));
            }
        }
        for name in [header::CACHE_CONTROL, header::PRAGMA] {
            request
                .headers
                .insert(name, HeaderValue::from_static("no-cache"));
        }
        // Silence is judged by who waits for a packet.
        request.idle = Some(std::time::Duration::MAX);
        request.response_bytes_max = Some(CHANNEL_BYTES_MAX);
        Ok(request)
    }
}

/// A failure before anything that matters was sent.
fn unsent(error: crate::auth::Error) -> Fault {
    match Fault::from(error) {
        Fault::Lost(cause) => Fault::Away(cause),
        fault => fault,
    }
}

/// A control packet.
pub(super) fn packet(rts: &Rts) -> Bytes {
    Pdu::whole(0, PacketBody::Rts(rts.clone()), None)
        .encode()
        .into()
}

/// The channel from the server.
pub(super) struct Out {
    body: Body,
    unread: BytesMut,
    /// What must live as long as the channel.
    _kept: Box<dyn Send>,
}

impl Out {
    /// The channel that a successor's request has become.
    pub(super) fn succeeding(response: Response, upload: Upload) -> Result<Self> {
        Self::of(response, Box::new(upload))
    }

    fn of(response: Response, kept: Box<dyn Send>) -> Result<Self> {
        if response.status != StatusCode::OK {
            return Err(refusal(&response));
        }
        Ok(Self {
            body: response.body,
            unread: BytesMut::new(),
            _kept: kept,
        })
    }

    /// The next packet, if it is there as a whole. It has less than 64 KiB, and so has what is kept of the next.
    pub(super) fn packet(&mut self) -> Result<Option<Bytes>> {
        match pdu::length(&self.unread)? {
            Some(length) if self.unread.len() >= length => {
                Ok(Some(self.unread.copy_to_bytes(length)))
            }
            _ => Ok(None),
        }
    }

    /// Awaits more octets; `false` at the end. Dropping the future loses none.
    pub(super) async fn more(&mut self) -> Result<bool, crate::http::Error> {
        let Some(piece) = self.body.chunk().await? else {
            return Ok(false);
        };
        self.unread.extend_from_slice(&piece);
        Ok(true)
    }
}
