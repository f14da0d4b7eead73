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

/// What came of a question.
#[derive(Debug)]
pub(super) enum Answer {
    Document(Bytes),
    /// There is no such service, or it is not for this user.
    NoService,
    /// Nobody can tell now.
    NotNow,
}

/// Posts a question, and awaits the document that answers.
pub(super) async fn ask(server: &Server, question: String) -> Answer {
    let mut request = Request::post(server.url.clone(), question);
    request.response_bytes_max = Some(DOCUMENT_BYTES_MAX as u64);
    let content_type = HeaderValue::from_static(CONTENT_TYPE);
    request.headers.insert(header::CONTENT_TYPE, content_type);
    let (client, credentials) = (server.client.clone(), server.credentials.clone());
    let mut channel = Channel::new(client, credentials, server.policy.clone());
    match channel.send(&request).await {
        Ok(response) if has_document(response.status) => match response.body.collect().await {
            Ok(document) => Answer::Document(document),
            Err(error) => {
                tracing::debug!(%error, "the web service's answer was cut off");
                Answer::NotNow
            }
        },
        Ok(response) => {
            tracing::debug!(status = response.status.as_u16(), "no web service");
            without_document(response.status)
        }
        Err(error) => {
            tracing::debug!(%error, "the web service cannot be asked");
            Answer::NotNow
        }
    }
}

/// A SOAP fault comes with the status of an error.
fn has_document(status: StatusCode) -> bool {
    matches!(status, StatusCode::OK | StatusCode::INTERNAL_SERVER_ERROR)
}

/// What a status says that comes without a document.
fn without_document(status: StatusCode) -> Answer {
    let is_passing = matches!(
        status,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
    );
    match is_passing || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED) {
        true => Answer::NotNow,
        false => Answer::NoService,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_is_busy_is_a_service() {
        for (status, is_there) in [
            (StatusCode::UNAUTHORIZED, false),
            (StatusCode::FORBIDDEN, false),
            (StatusCode::NOT_FOUND, false),
            (StatusCode::NOT_IMPLEMENTED, false),
            (StatusCode::REQUEST_TIMEOUT, true),
            (StatusCode::TOO_MANY_REQUESTS, true),
            (StatusCode::BAD_GATEWAY, true),
            (StatusCode::SERVICE_UNAVAILABLE, true),
        ] {
            let answer = without_document(status);
            assert_eq!(matches!(answer, Answer::NotNow), is_there, "{status}");
        }
    }
}
