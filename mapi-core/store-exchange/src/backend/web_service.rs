//! Questions to a server's web services, as its user.
//!
//! They are asked at the host of the mailbox, under the path that every server has them at; so nobody else sees the
//! user's password.

use bytes::Bytes;
use mapi_wire::{autodiscover::element::DOCUMENT_BYTES_MAX, web_service::CONTENT_TYPE};

use crate::{
    auth::Channel,
    discover::{Found, Locator},
    http::{HeaderValue, Request, StatusCode, header},
    session::Server,
};

/// Where servers have their web services.
const PATH: &str = "/EWS/Exchange.asmx";

/// The web services beside a mailbox that was found.
pub(super) fn beside(locator: &Locator, found: &Found) -> Option<Server> {
    let url = found.url.join(PATH).ok()?;
    Some(locator.server(found.transport, url))
}

/// Posts a question, and awaits the document that answers; `None`: there is no such service, or it is of no use now.
pub(super) async fn ask(server: &Server, question: String) -> Option<Bytes> {
    let mut request = Request::post(server.url.clone(), question);
    request.response_bytes_max = Some(DOCUMENT_BYTES_MAX as u64);
    let content_type = HeaderValue::from_static(CONTENT_TYPE);
    request.headers.insert(header::CONTENT_TYPE, content_type);
    let (client, credentials) = (server.client.clone(), server.credentials.clone());
    let mut channel = Channel::new(client, credentials, server.policy.clone());
    match channel.send(&request).await {
        // A SOAP fault comes with the status of an error.
        Ok(response)
            if matches!(
                response.status,
                StatusCode::OK | StatusCode::INTERNAL_SERVER_ERROR
            ) =>
        {
            response.body.collect().await.ok()
        }
        Ok(response) => {
            tracing::debug!(status = response.status.as_u16(), "no web service");
            None
        }
        Err(error) => {
            tracing::debug!(%error, "the web service cannot be asked");
            None
        }
    }
}
