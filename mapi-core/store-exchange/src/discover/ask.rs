//! One exchange with one Autodiscover server: first as nobody, then, where it is wanted, as the user.

use std::time::{Duration, SystemTime};

use mapi_wire::autodiscover::{
    Settings,
    element::DOCUMENT_BYTES_MAX,
    json::{self, Answer, Query},
    pox::{ANCHOR_MAILBOX, CONTENT_TYPE, HEADERS, PoxRequest, PoxResponse},
};

use super::{Outcome, Subject, User, soap, trail::said};
use crate::{
    auth::{self, Channel, Scheme, challenges},
    fault::BUSY_DEFAULT,
    http::{
        Client, HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Url,
        header::{self, LOCATION},
        retry_after,
    },
};

/// The longest wait that a server may ask for.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// Who asks, and through what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) client: &'a Client,
    pub(super) user: &'a User,
}

/// What a server said.
#[derive(Debug)]
pub(super) enum Said {
    Settings(Box<Settings>),
    /// Ask this URL; it may be relative to the one asked.
    Url(String),
    Address(String),
    No(Outcome),
}

impl Asker<'_> {
    /// Asks by POX. The request has no effects, so it may go out twice.
    pub(super) async fn pox(self, url: &Url, subject: &Subject) -> Said {
        match self.send(&pox_request(url, subject)).await {
            Ok(response) => pox_answer(response).await,
            Err(said) => said,
        }
    }

    /// Asks by SOAP, which knows addresses only.
    pub(super) async fn soap(self, url: &Url, subject: &Subject) -> Said {
        let Subject::Address(address) = subject else {
            return Said::No(Outcome::Nothing);
        };
        let response = match self.send(&soap::request(url, address)).await {
            Ok(response) => response,
            Err(said) => return said,
        };
        match response.status {
            // A fault comes with the status of an error.
            StatusCode::OK | StatusCode::INTERNAL_SERVER_ERROR => {
                match response.body.collect().await {
                    Ok(document) => soap::read(&document, url),
                    Err(error) => Said::No(error.into()),
                }
            }
            _ => other_status(&response),
        }
    }

    /// Sends a question as nobody, and as the user where that is wanted.
    async fn send(self, request: &Request) -> Result<Response, Said> {
        let asked = match self.client.send(request).await {
            Ok(response) if response.status == StatusCode::UNAUTHORIZED => {
                // Boxed, for it is deep.
                Box::pin(self.as_user(request, &response.headers)).await
            }
            other => other.map_err(auth::Error::Http),
        };
        asked.map_err(|error| Said::No(failed(error)))
    }

    /// Asks again as the user, if the server wants that in a way that the user allows. A server that wants a password
    /// for something else does not see it.
    async fn as_user(
        self,
        request: &Request,
        refusal: &HeaderMap,
    ) -> Result<Response, auth::Error> {
        let User {
            credentials,
            policy,
            ..
        } = self.user.clone();
        let offered: Vec<Scheme> = challenges(refusal)
            .into_iter()
            .map(|challenge| challenge.scheme)
            .collect();
        let is_usable =
            |scheme: &Scheme| policy.schemes.contains(scheme) && credentials.serve(*scheme);
        if !offered.iter().any(is_usable) {
            return Err(auth::Error::NoScheme { offered });
        }
        let mut channel = Channel::new(self.client.clone(), credentials, policy);
        channel.send(request).await
    }

    /// Asks a host by Autodiscover version 2 where POX is spoken.
    pub(super) async fn json(self, host: &str, address: &str) -> Said {
        let query = Query {
            email: address.to_owned(),
            protocol: json::POX.to_owned(),
        };
        let Ok(url) = Url::parse(&query.url(host)) else {
            return Said::No(Outcome::Nothing);
        };
        let mut request = Request::get(url);
        request.response_bytes_max = Some(json::ANSWER_BYTES_MAX as u64);
        match self.client.send(&request).await {
            Ok(response) if response.status == StatusCode::OK => json_answer(response).await,
            Ok(response) => Said::No(Outcome::Status(response.status.as_u16())),
            Err(error) => Said::No(error.into()),
        }
    }
}

fn pox_request(url: &Url, subject: &Subject) -> Request {
    let asked = match subject {
        Subject::Address(address) => PoxRequest::for_address(address),
        Subject::Dn(dn) => PoxRequest {
            legacy_dn: Some(dn.clone()),
            ..PoxRequest::default()
        },
    };
    let anchor = match subject {
        Subject::Address(address) => Some((ANCHOR_MAILBOX, address.as_str())),
        Subject::Dn(_) => None,
    };
    let mut request = Request::post(url.clone(), asked.to_xml());
    request.response_bytes_max = Some(DOCUMENT_BYTES_MAX as u64);
    let content_type = (header::CONTENT_TYPE.as_str(), CONTENT_TYPE);
    for (name, value) in HEADERS.into_iter().chain([content_type]).chain(anchor) {
        insert(&mut request, name, value);
    }
    request
}

/// Adds a header. An address outside of ASCII does without the one that only helps to find the way.
pub(super) fn insert(request: &mut Request, name: &str, value: &str) {
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
        request.headers.insert(name, value);
    }
}

async fn pox_answer(response: Response) -> Said {
    if response.status != StatusCode::OK {
        return other_status(&response);
    }
    let document = match response.body.collect().await {
        Ok(document) => document,
        Err(error) => return Said::No(error.into()),
    };
    match PoxResponse::parse(&document) {
        Ok(PoxResponse::Settings(settings)) => Said::Settings(settings),
        Ok(PoxResponse::RedirectUrl(url)) => Said::Url(url),
        Ok(PoxResponse::RedirectAddress(address)) => Said::Address(address),
        Ok(PoxResponse::Error(error)) => {
            Said::No(Outcome::Error(error.code.to_string(), said(&error.message)))
        }
        Err(error) => Said::No(Outcome::Malformed(error)),
    }
}

async fn json_answer(response: Response) -> Said {
    let document = match response.body.collect().await {
        Ok(document) => document,
        Err(error) => return Said::No(error.into()),
    };
    match Answer::parse(&document) {
        Ok(Answer::Found { url, .. }) => Said::Url(url),
        Ok(Answer::Error { code, message }) => {
            Said::No(Outcome::Error(said(&code), said(&message)))
        }
        Err(error) => Said::No(Outcome::Malformed(error)),
    }
}

fn other_status(response: &Response) -> Said {
    let status = response.status;
    let location = || response.headers.get(LOCATION)?.to_str().ok();
    match status {
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT
            if let Some(location) = location() =>
        {
            Said::Url(location.to_owned())
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            let wait = retry_after(&response.headers, SystemTime::now());
            Said::No(Outcome::Busy(wait.unwrap_or(BUSY_DEFAULT).min(WAIT_MAX)))
        }
        _ => Said::No(Outcome::Status(status.as_u16())),
    }
}

fn failed(error: auth::Error) -> Outcome {
    match error {
        auth::Error::Http(error) => error.into(),
        auth::Error::Unauthenticated => Outcome::Refused,
        auth::Error::NoScheme { offered } => Outcome::NoScheme(offered),
        // Nobody has said no.
        other if other.is_temporary() => Outcome::Broken(other.to_string()),
        other => Outcome::Stuck(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::oauth;

    #[test]
    fn who_cannot_be_asked_about_credentials_has_not_refused_them() {
        let check = |error: auth::Error, is_broken: bool| {
            let outcome = failed(error);
            assert_eq!(
                matches!(outcome, Outcome::Broken(_)),
                is_broken,
                "{outcome:?}"
            );
        };
        check(auth::Error::Away("no answer".to_owned()), true);
        let away = oauth::Error::Unavailable {
            why: "it answers 503".to_owned(),
            retry_after: None,
        };
        check(away.into(), true);
        let ended = oauth::Error::LoginNeeded("invalid_grant".to_owned());
        check(ended.into(), false);
        check(auth::Error::Unauthenticated, false);
        check(auth::Error::Mechanism("x".to_owned()), false);
    }
}
