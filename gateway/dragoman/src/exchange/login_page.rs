//! The page where users let the gateway use their mailboxes: authorization code with PKCE (RFC 6749 4.1, RFC 7636).
//!
//! `/exchange/login` takes an address and the gateway's own password, and sends the browser to the issuer;
//! `/exchange/callback` takes it back. What a login waits for is kept here, found by a cookie of that browser alone.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use account::{ErrorKind, Service};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use directory::Address;
use front_end::{LoginOutcome, Throttle};
use store_exchange::{
    auth::{Secret, oauth::Authorization},
    http::Url,
};

use crate::{
    command::administration::Administration,
    config::exchange::oauth::CALLBACK_PATH,
    failure::{Doing, Failure, Result},
};

/// Where logins begin.
const LOGIN_PATH: &str = "/exchange/login";
/// The cookie that finds a login again.
const COOKIE: &str = "dragoman-login";
/// Octets of a form.
const FORM_BYTES_MAX: usize = 8 << 10;
/// How long a user may take at the issuer.
const LOGIN_MAX: Duration = Duration::from_secs(15 * 60);
/// The most logins under way; the oldest is forgotten for a new one.
const LOGINS_MAX: usize = 1000;

/// Who sends a request. Every listener adds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// The address.
    pub(crate) addr: Option<IpAddr>,
    /// Whether nobody else can read what it sends.
    pub(crate) private: bool,
}

/// The page, and the logins under way.
pub(crate) struct LoginPage {
    administration: Arc<Administration>,
    throttle: Arc<dyn Throttle>,
    waiting: Mutex<HashMap<String, Waiting>>,
}

/// A login that waits for its browser to come back.
struct Waiting {
    address: Address,
    authorization: Authorization,
    since: Instant,
}

/// The page's routes; none where no user consents in a browser.
pub(crate) fn routes(administration: &Arc<Administration>, throttle: Arc<dyn Throttle>) -> Router {
    let mut sections = administration.backends().sections().iter();
    if !sections.any(|section| section.tokens().is_some_and(|tokens| tokens.has_page())) {
        return Router::new();
    }
    let page = LoginPage {
        administration: Arc::clone(administration),
        throttle,
        waiting: Mutex::default(),
    };
    Router::new()
        .route(LOGIN_PATH, get(form).post(begin))
        .route(CALLBACK_PATH, get(finish))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(Arc::new(page))
}

async fn form(Extension(peer): Extension<Peer>) -> Response {
    match peer.private {
        true => page(StatusCode::OK, &form_with("")),
        false => page(StatusCode::FORBIDDEN, "<p>Open this page by https.</p>"),
    }
}

async fn begin(
    State(login): State<Arc<LoginPage>>,
    Extension(peer): Extension<Peer>,
    body: Bytes,
) -> Response {
    if !peer.private {
        return form(Extension(peer)).await;
    }
    match login.begin(peer, &body).await {
        Ok(Some((cookie, url))) => {
            let cookie = format!(
                "{COOKIE}={cookie}; Path={CALLBACK_PATH}; Max-Age={}; Secure; HttpOnly; SameSite=Lax",
                LOGIN_MAX.as_secs()
            );
            let headers = [
                (header::LOCATION, url.to_string()),
                (header::SET_COOKIE, cookie),
            ];
            let mut response = (StatusCode::SEE_OTHER, headers).into_response();
            protect(&mut response);
            response
        }
        Ok(None) => page(
            StatusCode::FORBIDDEN,
            &form_with("<p>Wrong address or password.</p>"),
        ),
        Err(failure) => failed(&failure),
    }
}

async fn finish(
    State(login): State<Arc<LoginPage>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match login.finish(&headers, &query.unwrap_or_default()).await {
        Ok(()) => page(
            StatusCode::OK,
            "<p>Done: your mail programs can use your mailbox now.</p>",
        ),
        Err(failure) => failed(&failure),
    }
}

impl LoginPage {
    /// Checks who it is, and begins; `None` when nobody is known by that address and password.
    async fn begin(&self, peer: Peer, body: &[u8]) -> Result<Option<(String, Url)>> {
        let (address, password) = fields(body);
        let Ok(address) = Address::parse(&address) else {
            return Ok(None);
        };
        let user = address.to_string();
        let attempt = self.throttle.attempt(peer.addr, &user).await;
        let accounts = self.administration.accounts();
        let checked = accounts
            .login(Service::Http, &user, password.expose())
            .await;
        let outcome = match &checked {
            Ok(_) => LoginOutcome::Accepted,
            Err(error) if error.kind == ErrorKind::Unauthenticated => LoginOutcome::Refused,
            Err(_) => LoginOutcome::Undecided,
        };
        attempt.end(outcome);
        if outcome == LoginOutcome::Refused {
            return Ok(None);
        }
        checked.doing(|| format!("checking the password of {user}"))?;
        let section = self.administration.backends().of(&address);
        let Some(tokens) = section.and_then(|section| section.tokens()) else {
            return Err(Failure::new("this mailbox needs no consent"));
        };
        let authorization = tokens.begin_page(&user).await?;
        let url = authorization.url.clone();
        let waiting = Waiting {
            address,
            authorization,
            since: Instant::now(),
        };
        Ok(Some((self.wait(waiting)?, url)))
    }

    /// Puts a login aside; returns what finds it again.
    fn wait(&self, login: Waiting) -> Result<String> {
        let mut octets = [0; 32];
        getrandom::fill(&mut octets).doing(|| "randomness".to_owned())?;
        let cookie: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, login| login.since.elapsed() < LOGIN_MAX);
        if waiting.len() >= LOGINS_MAX
            && let Some(oldest) = waiting
                .iter()
                .min_by_key(|(_, login)| login.since)
                .map(|(cookie, _)| cookie.clone())
        {
            waiting.remove(&oldest);
        }
        waiting.insert(cookie.clone(), login);
        Ok(cookie)
    }

    async fn finish(&self, headers: &HeaderMap, query: &str) -> Result<()> {
        let unknown = || Failure::new("no login of this browser is under way");
        let login = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let login = cookies(headers).find_map(|cookie| waiting.remove(cookie));
            login.ok_or_else(unknown)?
        };
        if login.since.elapsed() >= LOGIN_MAX {
            return Err(unknown());
        }
        let section = self.administration.backends().of(&login.address);
        let section = section.ok_or_else(unknown)?;
        let tokens = section.tokens().ok_or_else(unknown)?;
        let got = tokens.finish_page(&login.authorization, query).await?;
        section.keep_consent(&login.address.to_string(), got).await
    }
}

/// The address and the password of a form.
fn fields(body: &[u8]) -> (String, Secret) {
    let (mut address, mut password) = (String::new(), Secret::new(""));
    // The query of a URL is written as a form is.
    let Ok(url) = Url::parse(&format!("form:?{}", String::from_utf8_lossy(body))) else {
        return (address, password);
    };
    for (name, value) in url.query_pairs() {
        match &*name {
            "address" => address = value.trim().to_owned(),
            "password" => password = Secret::new(value.into_owned()),
            _ => {}
        }
    }
    (address, password)
}

/// The values of our cookie that a browser sends.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn form_with(words: &str) -> String {
    format!(
        "{words}<p>Sign in with your whole address and the password that your mail program uses here. \
         You are then asked to let this gateway use your mailbox.</p>\n\
         <form method=\"post\" action=\"{LOGIN_PATH}\">\
         <p><label>Address <input name=\"address\" type=\"email\" autocomplete=\"username\" required></label></p>\
         <p><label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label></p>\
         <p><button>Go on</button></p></form>\n"
    )
}

/// What went wrong is for the log.
fn failed(failure: &Failure) -> Response {
    tracing::warn!(%failure, "a login in a browser failed");
    page(
        StatusCode::BAD_GATEWAY,
        &format!("<p>That did not work. <a href=\"{LOGIN_PATH}\">Begin again</a>.</p>"),
    )
}

fn page(status: StatusCode, content: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Dragoman</title>\n\
         <style>body{{font:16px system-ui;margin:4em auto;max-width:40em;padding:0 1em}}</style>\n\
         <h1>Dragoman</h1>{content}</html>\n"
    );
    let mut response = (status, Html(page)).into_response();
    protect(&mut response);
    response
}

/// Nobody keeps such a page, frames it, or learns from where a browser came.
fn protect(response: &mut Response) {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
}
