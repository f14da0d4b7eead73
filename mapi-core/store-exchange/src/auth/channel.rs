//! A connection as somebody: opens it, authenticates it, and opens it again when it is gone.

use super::{Authenticator, Credentials, Error, Policy, Step};
use crate::http::{
    Client, Connection, HeaderMap, Origin, Request, Response, Sent, StatusCode, Upload,
    header::AUTHORIZATION,
};

/// How many requests one authentication may take; NTLM takes three, after the one that asks for the schemes.
const STEPS_MAX: usize = 8;
/// The longest refusal that is read to its end to keep the connection, in bytes.
const REFUSAL_BYTES_MAX: u64 = 256 << 10;

/// Sends requests as one user over one connection at a time.
#[derive(Debug)]
pub struct Channel {
    client: Client,
    authenticator: Authenticator,
    connection: Option<Connection>,
}

impl Channel {
    /// Nothing is opened yet.
    pub fn new(client: Client, credentials: Credentials, policy: Policy) -> Self {
        Self {
            client,
            authenticator: Authenticator::new(credentials, policy),
            connection: None,
        }
    }

    /// Sends a request and awaits the head of its answer, which is never a 401.
    ///
    /// Where it takes an authentication first, that is done with empty requests. A request that could not be sent over
    /// a connection of before is sent over a new one; apart from that nothing is repeated that may have taken effect.
    /// The answer's body must be read to its end before the next request. Errors: see [`Error`].
    pub async fn send(&mut self, request: &Request) -> Result<Response, Error> {
        let origin = Origin::of(&request.url)?;
        let mut fresh = false;
        for _ in 0..STEPS_MAX {
            let connection = match self
                .connection
                .take_if(|c| c.is_open() && *c.origin() == origin)
            {
                Some(connection) => connection,
                None => {
                    fresh = true;
                    let connection = self.client.connect(&request.url).await?;
                    self.authenticator
                        .begin(&origin, connection.channel_binding());
                    connection
                }
            };
            let connection = self.connection.insert(connection);
            let step = self.authenticator.step().await?;
            let probe = matches!(step, Step::Probe(_));
            let sent = match step {
                Step::Probe(value) => connection.send(&empty(request, value)).await,
                Step::Request(value) => connection.send(&with(request, value)).await,
            };
            let response = match sent {
                Ok(response) => response,
                Err(error) if error.sent == Sent::No && !fresh => {
                    self.connection = None;
                    continue;
                }
                // An empty request takes no effect, whether it arrives or not.
                Err(error) if probe => return Err(error.with_sent(Sent::No).into()),
                Err(error) => return Err(error.into()),
            };
            if response.status == StatusCode::UNAUTHORIZED {
                let headers = refused(response).await;
                self.authenticator.challenged(&headers).await?;
            } else {
                self.authenticator.accepted();
                if !probe {
                    return Ok(response);
                }
                refused(response).await;
            }
        }
        Err(Error::Mechanism(
            "the server asks for ever more steps".to_owned(),
        ))
    }

    /// Begins a request whose body of `length` octets is sent piece by piece, over a connection of its own.
    ///
    /// Where it takes an authentication first, that is done with empty requests as far as it goes without this one. The
    /// request cannot be repeated after a 401, which is an answer like any other. Errors: see [`Error`].
    pub async fn upload(&mut self, request: &Request, length: u64) -> Result<Upload, Error> {
        let origin = Origin::of(&request.url)?;
        for _ in 0..STEPS_MAX {
            let mut connection = match self.connection.take_if(|connection| connection.is_open()) {
                Some(connection) => connection,
                None => {
                    let connection = self.client.connect(&request.url).await?;
                    self.authenticator
                        .begin(&origin, connection.channel_binding());
                    connection
                }
            };
            let value = match self.authenticator.step().await? {
                Step::Request(value) => {
                    return Ok(connection.upload(&with(request, value), length).await?);
                }
                Step::Probe(value) => value,
            };
            let probed = connection.send(&empty(request, value)).await;
            let response = probed.map_err(|error| error.with_sent(Sent::No))?;
            let is_refused = response.status == StatusCode::UNAUTHORIZED;
            let headers = refused(response).await;
            match is_refused {
                true => self.authenticator.challenged(&headers).await?,
                false => self.authenticator.accepted(),
            }
            self.connection = Some(connection);
        }
        Err(Error::Mechanism(
            "the server asks for ever more steps".to_owned(),
        ))
    }

    /// Closes the connection. The next request opens a new one.
    pub fn close(&mut self) {
        self.connection = None;
    }
}

/// The same request without anything that could take effect.
fn empty(request: &Request, value: Option<crate::http::HeaderValue>) -> Request {
    let mut headers = HeaderMap::new();
    headers.extend(value.map(|value| (AUTHORIZATION, value)));
    Request {
        headers,
        body: bytes::Bytes::new(),
        ..request.clone()
    }
}

fn with(request: &Request, value: Option<crate::http::HeaderValue>) -> Request {
    let mut request = request.clone();
    if let Some(value) = value {
        request.headers.insert(AUTHORIZATION, value);
    }
    request
}

/// Reads an answer that is of no further use, so that the connection can be used again; a long one costs it.
async fn refused(response: Response) -> HeaderMap {
    let mut body = response.body;
    let mut read = 0;
    while let Ok(Some(chunk)) = body.chunk().await {
        read += chunk.len() as u64;
        if read > REFUSAL_BYTES_MAX {
            break;
        }
    }
    response.headers
}
