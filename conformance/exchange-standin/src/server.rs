//! A running server, as tests hold it.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
};

use tokio::{runtime, sync::oneshot};

use crate::{
    access::MailboxAccess,
    autodiscover::Redirect,
    config::{Config, Limits},
    counters::Counters,
    faults::{Fault, NotificationFault, What, When},
    http::{connection, tls},
    model::{organisation::Outgoing, receipt::Receipt, user::User},
    state::Shared,
};

/// A server that runs until this is dropped. It has a thread and a runtime of its own, so it can be used from tests of
/// any kind.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    certificate_pem: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server. Errors: the address cannot be listened on, a certificate cannot be made.
    pub fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind(&config.listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let host = config.host.clone();
        let names = [
            host.clone(),
            Some("localhost".into()),
            Some("127.0.0.1".into()),
        ];
        let names: Vec<_> = names.into_iter().flatten().collect();
        let tls = config.tls.then(|| tls::self_signed(&names)).transpose()?;
        let scheme = if config.tls { "https" } else { "http" };
        let authority = host.unwrap_or_else(|| address.ip().to_string());
        let base = format!("{scheme}://{authority}:{}", address.port());
        let shared = Shared::new(config, base);
        let (acceptor, certificate_pem) = match tls {
            Some(tls) => (Some(tls.acceptor), Some(tls.certificate_pem)),
            None => (None, None),
        };
        let (stop, stopped) = oneshot::channel();
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("exchange-standin".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = accept(listener, acceptor, serving) => {}
                        _ = stopped => {}
                    }
                });
                runtime.shutdown_background();
            })?;
        Ok(Self {
            shared,
            address,
            certificate_pem,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its URLs begin with: scheme, host and port.
    pub fn url(&self) -> &str {
        &self.shared.base
    }

    /// The URL of Autodiscover.
    pub fn autodiscover_url(&self) -> String {
        format!("{}{}", self.shared.base, crate::autodiscover::POX_PATH)
    }

    /// The mailbox endpoint of a user, as Autodiscover gives it.
    pub fn emsmdb_url(&self, user: &str) -> String {
        self.endpoint("emsmdb", user)
    }

    /// The address-book endpoint of a user, as Autodiscover gives it.
    pub fn nspi_url(&self, user: &str) -> String {
        self.endpoint("nspi", user)
    }

    fn endpoint(&self, endpoint: &str, user: &str) -> String {
        let state = self.shared.lock();
        let mailbox = state.organisation.mailbox(&key_of(user));
        let (site, id) = mailbox.map_or((0, String::new()), |mailbox| {
            (
                mailbox.site,
                format!("{}@{}", mailbox.guid, state.organisation.domain),
            )
        });
        self.shared.endpoint(site, endpoint, &id)
    }

    /// The certificate to trust, as PEM, with TLS.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.certificate_pem.as_deref()
    }

    /// Somebody in the address book, by key or address.
    pub fn user(&self, user: &str) -> Option<User> {
        self.shared.lock().organisation.user(&key_of(user)).cloned()
    }

    /// Changes somebody in the address book: their password, tokens, rights to send. Whether there is such a one.
    pub fn change_user(&self, user: &str, change: impl FnOnce(&mut User)) -> bool {
        let mut state = self.shared.lock();
        match state.organisation.users.get_mut(&key_of(user)) {
            Some(user) => {
                change(user);
                true
            }
            None => false,
        }
    }

    /// A mailbox, as another client would see and change it.
    pub fn mailbox(&self, user: &str) -> MailboxAccess {
        MailboxAccess::new(Arc::clone(&self.shared), &key_of(user))
    }

    /// The public folders.
    pub fn public_folders(&self) -> MailboxAccess {
        MailboxAccess::new(Arc::clone(&self.shared), crate::model::organisation::PUBLIC)
    }

    /// What can be made to go wrong.
    pub fn faults(&self) -> FaultAccess {
        FaultAccess(Arc::clone(&self.shared))
    }

    /// What was done since the start or the last reset.
    pub fn counters(&self) -> Counters {
        self.shared.lock().counters.clone()
    }

    /// Counts from nothing again.
    pub fn reset_counters(&self) {
        self.shared.lock().counters = Counters::default();
    }

    /// Receipts that went out.
    pub fn receipts(&self) -> Vec<Receipt> {
        self.shared.lock().receipts.clone()
    }

    /// What clients did that no client may, though the server let it pass or refused it.
    pub fn violations(&self) -> Vec<String> {
        self.shared.lock().violations.clone()
    }

    /// Mail that left the organisation.
    pub fn outgoing(&self) -> Vec<Outgoing> {
        self.shared.lock().organisation.outgoing.clone()
    }

    /// Lets Autodiscover send who asks for an address elsewhere; with none, nobody any more.
    pub fn redirect(&self, address: &str, redirect: Option<Redirect>) {
        self.shared.lock().redirects.set(address, redirect);
    }

    /// How many session contexts there are.
    pub fn sessions(&self) -> usize {
        self.shared.lock().mail.len()
    }

    /// How many objects are open in all session contexts.
    pub fn open_objects(&self) -> usize {
        let mut state = self.shared.lock();
        state
            .mail
            .sessions_mut()
            .map(|session| session.objects.len())
            .sum()
    }

    /// Waits until the server is stopped by a signal of the system: for the binary.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has ended as well.
            let _ = thread.join();
        }
    }
}

/// The key of somebody who may be named by address.
pub(crate) fn key_of(user: &str) -> String {
    user.split('@').next().unwrap_or(user).to_lowercase()
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<tokio_rustls::TlsAcceptor>,
    shared: Arc<Shared>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Without it a small answer would wait for the acknowledgement of the one before.
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let shared = Arc::clone(&shared);
        match acceptor.clone() {
            None => tokio::spawn(connection::serve(stream, shared)),
            Some(acceptor) => tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    Box::pin(connection::serve(stream, shared)).await;
                }
            }),
        };
    }
}

/// What can be made to go wrong while a server runs.
#[derive(Clone)]
pub struct FaultAccess(Arc<Shared>);

impl FaultAccess {
    /// Adds a fault.
    pub fn add(&self, fault: Fault) {
        self.0.lock().faults.add(fault);
    }

    /// Something goes wrong with the next request.
    pub fn next(&self, what: What) {
        self.add(Fault {
            when: When::default(),
            times: 1,
            what,
        });
    }

    /// Something goes wrong with the next request that has this ROP.
    pub fn next_rop(&self, rop: &str, what: What) {
        self.add(Fault {
            when: When {
                rop: Some(rop.to_owned()),
                ..When::default()
            },
            times: 1,
            what,
        });
    }

    /// Something goes wrong with the next request of this X-RequestType.
    pub fn next_request(&self, request: &str, what: What) {
        self.add(Fault {
            when: When {
                request: Some(request.to_owned()),
                ..When::default()
            },
            times: 1,
            what,
        });
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        self.0.lock().faults.clear();
        self.notifications(NotificationFault::None);
    }

    /// Faults that have not happened as often as they shall.
    pub fn waiting(&self) -> usize {
        self.0.lock().faults.waiting().len()
    }

    /// How many have happened.
    pub fn happened(&self) -> u64 {
        self.0.lock().faults.happened()
    }

    /// Changes how much of everything the server takes from now on. Those of mailboxes are fixed at the start: see
    /// [`MailboxAccess::set_quota`].
    pub fn limits(&self, change: impl FnOnce(&mut Limits)) {
        change(&mut self.0.lock().limits);
    }

    /// Says what happens to notifications from now on.
    pub fn notifications(&self, fault: NotificationFault) {
        self.0.set_notification_fault(fault);
    }

    /// Ends all session contexts.
    pub fn expire_contexts(&self) {
        self.0.expire_contexts();
    }

    /// The server stops and starts again: connections and session contexts are gone, what is in mailboxes stays.
    pub fn restart(&self) {
        self.0.restart();
    }

    /// Moves a mailbox to another of the servers: logons there fail with ecWrongServer until the client asks
    /// Autodiscover again. Whether there is such a mailbox.
    pub fn move_mailbox(&self, user: &str, site: u32) -> bool {
        self.0.move_mailbox(&key_of(user), site).is_ok()
    }
}
