//! Opens connections: name, proxy, TCP, TLS, HTTP.

use std::sync::Arc;

use hyper::header::HeaderValue;
use rustls::{ClientConfig, client::danger::ServerCertVerifier};
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::{Host, Position, Url};

use super::{
    ChannelBinding, ConfigError, Connection, Error, Kind, Options, Origin, Phase, Proxy, Request,
    Response,
    connection::Settings,
    dial::{Reach, dial},
    tls,
    watch::Stream,
};
use crate::auth::Secret;

/// Opens connections with one set of [`Options`]. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: Options,
    verifier: Arc<dyn ServerCertVerifier>,
    tls: Arc<ClientConfig>,
    user_agent: Option<HeaderValue>,
}

impl Client {
    /// Checks the options and reads the trusted certificate authorities from disk.
    pub fn new(options: Options) -> Result<Self, ConfigError> {
        let user_agent = match options.user_agent.as_str() {
            "" => None,
            text => Some(
                HeaderValue::from_str(text)
                    .map_err(|_| ConfigError("the user agent is not a header value".to_owned()))?,
            ),
        };
        let verifier = tls::verifier(&options.tls)?;
        let tls = tls::client_config(Arc::clone(&verifier))?;
        Ok(Self(Arc::new(Shared {
            options,
            verifier,
            tls,
            user_agent,
        })))
    }

    /// Opens a connection to the origin of a URL. Needs a runtime: the connection has a task.
    ///
    /// Errors, all with nothing sent: `Declined` (plain HTTP off this machine, among others), `Resolve`, `Connect`,
    /// `Proxy`, `Tls`, `Timeout`.
    pub async fn connect(&self, url: &Url) -> Result<Connection, Error> {
        let origin = Origin::of(url)?;
        let timeouts = &self.0.options.timeouts;
        let stream = timeout(timeouts.connect, self.reach(&origin))
            .await
            .map_err(|_| Error::unsent(Kind::Timeout(Phase::Connect)))??;
        let mut settings = Settings {
            binding: None,
            user_agent: self.0.user_agent.clone(),
            idle: timeouts.idle,
        };
        tracing::debug!(%origin, "HTTP connection opened");
        if !origin.tls {
            return Connection::open(origin, stream, settings).await;
        }
        let tls = self.0.tls.clone();
        let stream = self.handshake(&origin.host, stream, tls).await?;
        settings.binding = stream
            .get_ref()
            .1
            .peer_certificates()
            .and_then(|chain| ChannelBinding::tls_server_end_point(chain.first()?));
        Connection::open(origin, Box::new(stream), settings).await
    }

    /// Sends one request over a connection of its own. Errors as [`Self::connect`] and [`Connection::send`].
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        self.connect(&request.url).await?.send(request).await
    }

    /// Whom it trusts.
    pub(super) fn verifier(&self) -> Arc<dyn ServerCertVerifier> {
        Arc::clone(&self.0.verifier)
    }

    /// Shakes hands by another configuration than its own, and leaves.
    pub(super) async fn shake(&self, origin: &Origin, tls: Arc<ClientConfig>) -> Result<(), Error> {
        let stream = timeout(self.0.options.timeouts.connect, self.reach(origin))
            .await
            .map_err(|_| Error::unsent(Kind::Timeout(Phase::Connect)))??;
        self.handshake(&origin.host, stream, tls).await.map(drop)
    }

    /// Opens a way on which a URL is asked for without protection, and says the head of the request: the proxy is given
    /// the whole URL (RFC 9112 3.2.2). For what is not secret and will not be believed. Errors: as [`Self::connect`].
    pub(crate) async fn in_plain(&self, url: &Url) -> Result<(Box<dyn Stream>, Secret), Error> {
        let declined = || Error::unsent(Kind::Declined("the URL names no host"));
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(declined());
        };
        let origin = Origin {
            tls: false,
            host: host.to_owned(),
            port,
        };
        let authority = &url[Position::BeforeHost..Position::AfterPort];
        let head = |target: &str, more: &str| {
            Secret::new(format!(
                "GET {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{more}\r\n"
            ))
        };
        let options = &self.0.options;
        let proxy = options.proxy.as_ref();
        match proxy.filter(|_| !options.no_proxy.covers(&origin)) {
            None => {
                let stream = dial(&origin.host, port, Reach::Anywhere).await?;
                let path = &url[Position::BeforePath..Position::AfterQuery];
                Ok((Box::new(stream), head(path, "")))
            }
            Some(proxy) => {
                let stream = self.to_proxy(proxy).await?;
                let whole = &url[..Position::AfterQuery];
                Ok((stream, head(whole, proxy.authorization().expose())))
            }
        }
    }

    async fn to_proxy(&self, proxy: &Proxy) -> Result<Box<dyn Stream>, Error> {
        let tcp = dial(&proxy.host, proxy.port, Reach::Anywhere).await?;
        if !proxy.tls {
            return Ok(Box::new(tcp));
        }
        let tls = self.0.tls.clone();
        let stream = self.handshake(&proxy.host, Box::new(tcp), tls).await?;
        Ok(Box::new(stream))
    }

    async fn reach(&self, origin: &Origin) -> Result<Box<dyn Stream>, Error> {
        let options = &self.0.options;
        let proxy = options
            .proxy
            .as_ref()
            .filter(|_| !options.no_proxy.covers(origin));
        let Some(proxy) = proxy else {
            let reach = if origin.tls {
                Reach::Anywhere
            } else {
                Reach::Loopback
            };
            return Ok(Box::new(dial(&origin.host, origin.port, reach).await?));
        };
        let mut stream = self.to_proxy(proxy).await?;
        proxy.tunnel(&mut *stream, origin).await?;
        Ok(stream)
    }

    async fn handshake(
        &self,
        host: &Host<String>,
        stream: Box<dyn Stream>,
        tls: Arc<ClientConfig>,
    ) -> Result<TlsStream<Box<dyn Stream>>, Error> {
        let name = tls::server_name(host)?;
        let connector = TlsConnector::from(tls);
        timeout(self.0.options.timeouts.tls, connector.connect(name, stream))
            .await
            .map_err(|_| Error::unsent(Kind::Timeout(Phase::Tls)))?
            .map_err(|cause| Error::unsent(Kind::Tls).because(cause))
    }
}
