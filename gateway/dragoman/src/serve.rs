//! A running gateway: opens everything, accepts connections, and ends them in order.

use std::{
    io::Write,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use front_end::{Channel, Logins, Peer, Stream, TlsState};
use imap_server::Server as ImapServer;
use pop3_server::{Seen, Server as Pop3Server};
use smtp_server::Server as MailServer;
use tokio::{
    io::AsyncWriteExt,
    signal::unix::{SignalKind, signal},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::Instrument;

use crate::{
    admin_socket,
    autoconfig::{self, Autoconfig},
    command::administration::Administration,
    config::{AutoconfigConfig, Config, quota::MailboxFull},
    config_error::ConfigError,
    data_dir::DataDir,
    demo,
    exchange::{self, login_page},
    failure::{Doing, Failure, Result},
    http::{self, Health},
    listen::{self, ListenSocket, Listener},
    logging,
    places::{Place, Places},
    proxy_protocol,
    quick_ack::QuickAck,
    quota_warning::Warnings,
    sweep,
    throttle::LoginThrottle,
    tls::Certificates,
};

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long saying no may take.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait after an accept that failed for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
struct Gateway {
    config: Config,
    certificates: Certificates,
    imap: ImapServer,
    pop3: Pop3Server,
    lmtp: MailServer,
    submission: MailServer,
    admin: axum::Router,
    front_page: axum::Router,
    connection_ids: AtomicU64,
    places: Arc<Places>,
}

/// Runs the gateway until SIGTERM or SIGINT.
pub(crate) async fn run(config: Config, with_demo: bool) -> Result<()> {
    if with_demo {
        demo::require_loopback(&config)?;
    }
    let traces = logging::start(&config.log)?;
    let data = DataDir::create(&config.data)?;
    let _lock = data.lock()?.ok_or_else(|| {
        Failure::new(format!(
            "{} is in use by another server",
            data.path().display()
        ))
    })?;
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new()
        .install_recorder()
        .doing(|| "metrics".to_owned())?;
    let certificates = Certificates::open(&config, &data)?;
    let administration = Arc::new(Administration::open(&config, &data).await?);

    administration.backends().add_accounts(&config)?;
    let listeners = listen::open_all(&config)?;
    if with_demo {
        demo::fill(&config, &administration).await?;
    }
    let (stop, stopping) = watch::channel(false);
    let ready = Arc::new(AtomicBool::new(false));
    let health = Health {
        ready: ready.clone(),
        metrics,
    };
    let gateway = gateway(config, certificates, &administration, health, &listeners);
    let gateway = Arc::new(gateway.doing(|| "configuration".to_owned())?);

    let mut tasks = JoinSet::new();
    exchange::keep_open(&administration, &mut tasks, &stopping);
    exchange::watch(&administration, &mut tasks, &stopping);
    let store = Arc::clone(administration.backends().embedded());
    let retention = gateway.config.retention.clone();
    tasks.spawn(sweep::run(store, retention, stopping.clone()));
    let warnings = Warnings::open(&gateway.config)?;
    tasks.spawn(warnings.run(administration.clone(), stopping.clone()));
    if let Some(runner) = administration.runner() {
        tasks.spawn(runner.run(stopping.clone()));
    }
    announce(&listeners)?;
    for listener in listeners {
        tasks.spawn(accept(gateway.clone(), listener, stopping.clone()));
    }
    let socket = listen::bind_admin(&data.admin_socket()).doing(|| "admin socket".to_owned())?;
    tasks.spawn(admin_socket::serve(
        socket,
        (administration.clone(), traces),
        stopping.clone(),
    ));
    ready.store(true, Ordering::Relaxed);
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    say("ready")?;

    wait_for_the_end(&gateway, &administration).await?;
    tracing::info!("shutting down");
    ready.store(false, Ordering::Relaxed);
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    stop.send_replace(true);
    let patience = Duration::from_secs(gateway.config.limits.shutdown_timeout_s);
    end(tasks, patience).await;
    let _ = std::fs::remove_file(data.admin_socket());
    Ok(())
}

/// Waits for all tasks, but not for ever.
async fn end(mut tasks: JoinSet<()>, patience: Duration) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if timeout(patience, all).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
    tasks.shutdown().await;
}

fn gateway(
    config: Config,
    certificates: Certificates,
    administration: &Arc<Administration>,
    health: Health,
    listeners: &[Listener],
) -> Result<Gateway, ConfigError> {
    let pipeline = config.pipeline()?;
    let mail = smtp_server::Config {
        hostname: config.hostname.clone(),
        message_bytes_max: config.limits.message_bytes_max,
        recipients_max: config.limits.recipients_max,
        mailbox_full: match config.quota.mailbox_full {
            MailboxFull::TryLater => smtp_server::MailboxFull::TryLater,
            MailboxFull::Refuse => smtp_server::MailboxFull::Refuse,
        },
        ..smtp_server::Config::default()
    };
    let imap = imap_server::Config {
        append_bytes_max: config.limits.message_bytes_max,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        idle_timeout: Duration::from_secs(config.limits.imap_idle_timeout_s),
        ..imap_server::Config::default()
    };
    let pop3 = pop3_server::Config {
        idle_timeout: Duration::from_secs(config.limits.pop3_idle_timeout_s),
        seen: match config.pop3.mark_seen {
            true => Seen::AtQuit,
            false => Seen::Never,
        },
        implementation: config.pop3.implementation.clone(),
        ..pop3_server::Config::default()
    };
    let throttle = Arc::new(LoginThrottle::new(administration.directory().clone()));
    let login_page = login_page::routes(administration, throttle.clone());
    let logins = Logins::new(administration.accounts().clone(), throttle);
    // SCRAM needs to know something of the password in advance: Exchange and LDAP servers alone know those of their users.
    let logins = match administration.backends().knows_all_passwords() {
        true => logins.with_scram(random),
        false => logins,
    };
    let logins = match config.tls.client.is_used() {
        true => logins.with_certificates(config.tls.client.listed()),
        false => logins,
    };
    let backends = Arc::clone(administration.backends());
    let logins = Arc::new(match backends.take_tokens() {
        true => logins.with_tokens(Arc::new(move |user| backends.token_terms(user))),
        false => logins,
    });
    let accounts = administration.accounts().clone();
    let tls = |listener| certificates.shared(listener);
    let lmtp = MailServer::new(accounts, mail.clone(), tls("lmtp"));
    let submission = MailServer::submission(logins.clone(), mail, tls("submission"));
    Ok(Gateway {
        imap: ImapServer::new(logins.clone(), imap, tls("imap")),
        pop3: Pop3Server::new(logins, pop3, tls("pop3")),
        lmtp: lmtp.through(pipeline.clone()),
        submission: submission.through(pipeline),
        admin: http::admin(health),
        front_page: pages(&config, listeners).merge(login_page),
        connection_ids: AtomicU64::new(1),
        places: Places::new(config.limits.connections_per_peer_max),
        certificates,
        config,
    })
}

/// What `http` and `https` show to people and to mail programs.
fn pages(config: &Config, listeners: &[Listener]) -> axum::Router {
    let settings: Vec<_> = listeners
        .iter()
        .filter_map(|listener| {
            let what = match listener.name {
                "imap" => "IMAP, STARTTLS",
                "imaps" => "IMAP, SSL/TLS",
                "pop3" => "POP3, STARTTLS",
                "pop3s" => "POP3, SSL/TLS",
                "submission" => "SMTP, STARTTLS",
                "submissions" => "SMTP, SSL/TLS",
                _ => return None,
            };
            Some((what.to_owned(), listener.place()))
        })
        .collect();
    let ports: Vec<_> = listeners
        .iter()
        .filter_map(|listener| Some((listener.name, listener.port()?)))
        .collect();
    let AutoconfigConfig {
        host,
        name,
        ports: other,
    } = &config.autoconfig;
    let host = if host.is_empty() {
        &config.hostname
    } else {
        host
    };
    http::front_page(&settings).merge(autoconfig::routes(Autoconfig {
        name: name.clone(),
        host: host.clone(),
        services: autoconfig::services(&ports, other),
    }))
}

/// Octets nobody can guess, for login exchanges.
fn random() -> Option<[u8; 18]> {
    let mut octets = [0; 18];
    getrandom::fill(&mut octets).ok()?;
    Some(octets)
}

fn announce(listeners: &[Listener]) -> Result<()> {
    for listener in listeners {
        say(&format!("{} {}", listener.name, listener.place()))?;
    }
    Ok(())
}

/// A line for whoever started the gateway.
pub(crate) fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .doing(|| "standard output".to_owned())
}

/// Waits for SIGTERM or SIGINT; SIGHUP reads the certificate and the passwords of configured mailboxes again.
async fn wait_for_the_end(gateway: &Gateway, administration: &Administration) -> Result<()> {
    let listen = |kind| signal(kind).doing(|| "signals".to_owned());
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut hangup = listen(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => {
                match gateway.certificates.reload() {
                    Ok(()) => tracing::info!("certificate reloaded"),
                    Err(failure) => tracing::error!(%failure, "certificate not reloaded, the old one stays in use"),
                }
                if let Err(failure) = administration.backends().add_accounts(&gateway.config) {
                    tracing::error!(%failure, "not all passwords of mailboxes reloaded, old ones stay in use");
                }
            }
        }
    }
}

/// Accepts on one listener until shutdown, then waits for its connections.
async fn accept(gateway: Arc<Gateway>, listener: Listener, mut stopping: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    // One listener's crowd must not keep mail servers or health checks out of another.
    let places = gateway.config.limits.connections_max;
    let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
    let name = listener.name;
    loop {
        // Above the limit new connections wait in the kernel's queue instead of failing.
        let permit = tokio::select! {
            () = stopped(&mut stopping) => break,
            permit = places.clone().acquire_owned() => permit,
        };
        let Ok(permit) = permit else { break };
        tokio::select! {
            () = stopped(&mut stopping) => break,
            accepted = next(&listener.socket) => match accepted {
                Ok(accepted) => {
                    connections.spawn(connection(gateway.clone(), name, accepted, stopping.clone(), permit));
                }
                Err(error) => {
                    tracing::warn!(listener = name, %error, "accept failed");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Resolves once the gateway is shutting down.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that nobody is left who could say so: then it is the end, too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// A new connection and where it comes from.
type Accepted = (Box<dyn Stream>, Option<IpAddr>);

async fn next(socket: &ListenSocket) -> std::io::Result<Accepted> {
    match socket {
        ListenSocket::Tcp(socket) => {
            let (stream, addr) = socket.accept().await?;
            // Replies are written whole: waiting for more to send only delays them.
            stream.set_nodelay(true)?;
            Ok((Box::new(QuickAck(stream)), Some(addr.ip().to_canonical())))
        }
        ListenSocket::Unix(socket) => {
            let (stream, _) = socket.accept().await?;
            Ok((Box::new(stream), None))
        }
    }
}

async fn connection(
    gateway: Arc<Gateway>,
    listener: &'static str,
    (stream, addr): Accepted,
    stopping: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    let id = gateway.connection_ids.fetch_add(1, Ordering::Relaxed);
    let span = tracing::info_span!("connection", id, listener);
    metrics::counter!("connections_total", "listener" => listener).increment(1);
    let open = metrics::gauge!("connections_open", "listener" => listener);
    open.increment(1.0);
    let connection = Connection {
        gateway: &gateway,
        listener,
        id,
        addr,
        local: is_local(addr),
        stopping,
    };
    if let Err(error) = Box::pin(connection.run(stream))
        .instrument(span.clone())
        .await
    {
        span.in_scope(|| tracing::debug!(%error, "connection ended"));
    }
    open.decrement(1.0);
}

/// Whether an address is this machine's own; a Unix socket has none.
fn is_local(addr: Option<IpAddr>) -> bool {
    addr.is_none_or(|addr| addr.is_loopback())
}

struct Connection<'g> {
    gateway: &'g Gateway,
    listener: &'static str,
    id: u64,
    addr: Option<IpAddr>,
    /// Whether the connection itself comes from this machine, whatever a proxy says.
    local: bool,
    stopping: watch::Receiver<bool>,
}

impl Connection<'_> {
    async fn run(mut self, mut stream: Box<dyn Stream>) -> std::io::Result<()> {
        self.ask_proxy(&mut stream).await?;
        let Some(_place) = self.place() else {
            return self.refuse(stream).await;
        };
        match self.listener {
            "imap" => {
                let peer = self.peer();
                self.gateway.imap.serve(stream, peer, self.stopping).await
            }
            "imaps" => {
                let (stream, peer) = self.handshake(stream).await?;
                self.gateway.imap.serve(stream, peer, self.stopping).await
            }
            "pop3" => {
                let peer = self.peer();
                self.gateway.pop3.serve(stream, peer, self.stopping).await
            }
            "pop3s" => {
                let (stream, peer) = self.handshake(stream).await?;
                self.gateway.pop3.serve(stream, peer, self.stopping).await
            }
            "lmtp" | "lmtp_unix" => {
                let peer = self.peer();
                self.gateway.lmtp.serve(stream, peer, self.stopping).await
            }
            "submission" => {
                let peer = self.peer();
                let submission = &self.gateway.submission;
                submission.serve(stream, peer, self.stopping).await
            }
            "submissions" => {
                let (stream, peer) = self.handshake(stream).await?;
                let submission = &self.gateway.submission;
                submission.serve(stream, peer, self.stopping).await
            }
            "http" => {
                let page = self.gateway.front_page.clone();
                self.http(stream, page).await
            }
            "https" => {
                let (stream, _) = self.handshake(stream).await?;
                let page = self.gateway.front_page.clone();
                self.http(stream, page).await
            }
            _ => {
                let admin = self.gateway.admin.clone();
                self.http(stream, admin).await
            }
        }
    }

    /// Hears from a proxy who the client is.
    async fn ask_proxy(&mut self, stream: &mut Box<dyn Stream>) -> std::io::Result<()> {
        let proxy = &self.gateway.config.proxy;
        if !proxy.listeners.iter().any(|name| name == self.listener) {
            return Ok(());
        }
        if !proxy.trusts(self.addr) {
            tracing::warn!(listener = self.listener, peer = ?self.addr, "not a trusted proxy");
            return Err(std::io::ErrorKind::PermissionDenied.into());
        }
        if let Some(client) = proxy_protocol::read(stream).await? {
            self.addr = Some(client);
        }
        Ok(())
    }

    fn place(&self) -> Option<Place> {
        self.gateway.places.take(self.listener, self.addr)
    }

    /// Says in the listener's own words that the peer has too many connections. Under TLS that would cost the
    /// handshake which the limit is there to save, so the connection just ends.
    async fn refuse(&self, mut stream: Box<dyn Stream>) -> std::io::Result<()> {
        metrics::counter!("connections_refused_total", "listener" => self.listener).increment(1);
        tracing::info!(listener = self.listener, peer = ?self.addr, "too many connections of one peer");
        let words: &[u8] = match self.listener {
            // RFC 5530 3; RFC 3206 4; RFC 3463 3.8.
            "imap" => b"* BYE [LIMIT] too many connections from your address\r\n",
            "pop3" => b"-ERR [SYS/TEMP] too many connections from your address\r\n",
            "lmtp" | "submission" => b"421 4.7.0 too many connections from your address\r\n",
            "http" | "admin" => {
                b"HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            }
            _ => b"",
        };
        timeout(REFUSAL_TIMEOUT, stream.write_all(words))
            .await
            .unwrap_or(Ok(()))
    }

    async fn handshake(&self, stream: Box<dyn Stream>) -> std::io::Result<(Box<dyn Stream>, Peer)> {
        let tls = self.gateway.certificates.current(self.listener);
        let tls = tls.ok_or(std::io::ErrorKind::Unsupported)?;
        let accept = tls.accept(stream, self.addr);
        let (stream, channel) = timeout(HANDSHAKE_TIMEOUT, accept)
            .await
            .map_err(|_| std::io::ErrorKind::TimedOut)??;
        let mut peer = self.peer();
        peer.encrypted(channel);
        Ok((Box::new(stream), peer))
    }

    /// Who a session of a mail client is with, before any handshake.
    fn peer(&self) -> Peer {
        Peer {
            addr: self.addr,
            tls: TlsState::None,
            channel: Channel::default(),
            // Anyone who reaches a proxied listener can claim to be 127.0.0.1.
            loopback: self.local && is_local(self.addr),
            id: self.id,
        }
    }

    async fn http(self, stream: Box<dyn Stream>, router: axum::Router) -> std::io::Result<()> {
        let peer = login_page::Peer {
            addr: self.addr,
            private: self.listener == "https" || self.local && is_local(self.addr),
        };
        let router = router.layer(axum::Extension(peer));
        http::serve(stream, router, self.stopping).await
    }
}
