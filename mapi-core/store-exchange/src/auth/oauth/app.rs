//! This gateway as an issuer knows it, and its requests to the token endpoint.

use std::time::SystemTime;

use url::form_urlencoded::Serializer;

use super::{Certificate, Error, Issuer, Tokens, token::tokens};
use crate::{
    auth::Secret,
    http::{Client, HeaderValue, Request, Response, Url, header},
};

/// The bound of an issuer's answer in bytes.
const ANSWER_BYTES_MAX: u64 = 256 << 10;

/// This gateway as an issuer knows it.
#[derive(Debug)]
pub struct App {
    /// How the issuer is reached.
    pub client: Client,
    /// Who issues the tokens.
    pub issuer: Issuer,
    /// The id that the issuer gave this gateway.
    pub client_id: String,
    /// How it proves to be this gateway.
    pub client_auth: ClientAuth,
    /// What the tokens are for, such as `https://outlook.office365.com/.default`. A login of a person also wants
    /// `offline_access`, or there will be no refresh token.
    pub scope: String,
}

/// How the gateway proves to an issuer who it is (RFC 6749 2.3).
#[derive(Debug)]
pub enum ClientAuth {
    /// Not at all: a public client, whose users log in themselves.
    Public,
    /// By a secret, sent in the body (client_secret_post).
    Secret(Secret),
    /// By a certificate, with a signed assertion (private_key_jwt).
    Certificate(Certificate),
}

/// The parameters of one request; those that are secret too, so it is never shown.
pub(super) type Form<'a> = [(&'static str, &'a str)];

impl App {
    /// A token by the gateway's own right (RFC 6749 4.4). One round trip. Errors: all but those of a person's login.
    pub async fn client_credentials(&self) -> Result<Tokens, Error> {
        self.tokens(&[("grant_type", "client_credentials"), ("scope", &self.scope)])
            .await
    }

    /// The next token of a person who has consented before (RFC 6749 section 6). One round trip.
    ///
    /// Errors: `LoginNeeded` when the consent has ended.
    pub async fn refresh(&self, refresh: &Secret) -> Result<Tokens, Error> {
        self.tokens(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose()),
            ("scope", &self.scope),
        ])
        .await
    }

    /// Asks the token endpoint.
    pub(super) async fn tokens(&self, form: &Form<'_>) -> Result<Tokens, Error> {
        let url = self.issuer.endpoints(&self.client).await?.token;
        tokens(self.post(url, form).await?).await
    }

    /// Posts a form to one of the issuer's endpoints, with the proof of who asks.
    pub(super) async fn post(&self, url: Url, form: &Form<'_>) -> Result<Response, Error> {
        let body = self.body(&url, form)?;
        let mut request = Request::post(url, body)
            .header(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded"),
            )
            .header(header::ACCEPT, HeaderValue::from_static("application/json"));
        request.response_bytes_max = Some(ANSWER_BYTES_MAX);
        Ok(self.client.send(&request).await?)
    }

    fn body(&self, url: &Url, form: &Form<'_>) -> Result<String, Error> {
        let mut body = Serializer::new(String::new());
        body.append_pair("client_id", &self.client_id);
        body.extend_pairs(form);
        match &self.client_auth {
            ClientAuth::Public => {}
            ClientAuth::Secret(secret) => {
                body.append_pair("client_secret", secret.expose());
            }
            ClientAuth::Certificate(certificate) => {
                let assertion =
                    certificate.assertion(&self.client_id, url.as_str(), SystemTime::now())?;
                body.append_pair(
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                );
                body.append_pair("client_assertion", assertion.expose());
            }
        }
        Ok(body.finish())
    }
}
