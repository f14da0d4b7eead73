//! Opens connections: name, proxy, TCP, TLS, HTTP.

use std::sync::Arc;

use hyper::header::HeaderValue;
use rustls::ClientConfig;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::{Host, Url};

use super::{
    ChannelBinding, ConfigError, Connection, Error, Kind, Options, Origin, Phase, Request,
    Response,
    connection::Settings,
    dial::{Reach, dial},
    tls,
    watch::Stream,
};

/// Opens connections with one set of [`Options`]. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: Options,
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
        let tls = tls::client_config(&options.tls)?;
        Ok(Self(Arc::new(Shared {
            options,
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
        let stream = self.handshake(&origin.host, stream).await?;
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
        let tcp = dial(&proxy.host, proxy.port, Reach::Anywhere).await?;
        let mut stream: Box<dyn Stream> = if proxy.tls {
            Box::new(self.handshake(&proxy.host, Box::new(tcp)).await?)
        } else {
            Box::new(tcp)
        };
        proxy.tunnel(&mut *stream, origin).await?;
        Ok(stream)
    }

    async fn handshake(
        &self,
        host: &Host<String>,
        stream: Box<dyn Stream>,
    ) -> Result<TlsStream<Box<dyn Stream>>, Error> {
        let name = tls::server_name(host)?;
        let connector = TlsConnector::from(self.0.tls.clone());
        timeout(self.0.options.timeouts.tls, connector.connect(name, stream))
            .await
            .map_err(|_| Error::unsent(Kind::Timeout(Phase::Tls)))?
            .map_err(|cause| Error::unsent(Kind::Tls).because(cause))
    }
}
