//! Where a user's mailbox is, and those of others that the user may open.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::BoxFuture;
use mapi_wire::{
    autodiscover::{Settings, Urls},
    rpc::interfaces::ports,
};

use super::{
    Failure, Found, Options, Reason, Trail, Transport,
    ask::Asker,
    kept::{Answer, Slot},
    network::{Internet, Network},
    search::Search,
    transport::rpc_urls,
};
use crate::{
    auth::{Credentials, Policy},
    fault::Result as Faulty,
    http::{Client, Url},
    session::{Locate, Located, Server},
};

/// The most mailboxes of others that are remembered.
const OTHERS_MAX: usize = 256;

/// Who asks.
#[derive(Clone, Debug)]
pub struct User {
    /// The user's address.
    pub address: String,
    /// How the user proves to be that.
    pub credentials: Credentials,
    /// By which schemes.
    pub policy: Policy,
}

/// Whose mailbox is wanted.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Subject {
    /// That of whoever has this address.
    Address(String),
    /// That with this distinguished name.
    Dn(String),
}

/// Finds one user's mailbox, and with the user's credentials those of others.
///
/// Answers are kept for [`Options::keep`]; of several callers at a time one asks and all get its answer. A search takes
/// two minutes at most.
#[derive(Debug)]
pub struct Locator {
    client: Client,
    user: User,
    options: Options,
    network: Box<dyn Network>,
    own: Slot,
    others: Mutex<HashMap<Subject, Arc<Slot>>>,
}

impl Locator {
    /// Nobody is asked yet.
    pub fn new(client: Client, user: User, options: Options) -> Self {
        let network = Internet(client.clone());
        Self::over(Box::new(network), client, user, options)
    }

    /// The same for a mailbox that has been found: nobody is asked before the answer is old, or turns out to be wrong.
    pub(crate) fn knowing(mut self, found: Arc<Found>) -> Self {
        self.own = Slot::with(found, self.options.keep);
        self
    }

    pub(super) fn over(
        network: Box<dyn Network>,
        client: Client,
        user: User,
        options: Options,
    ) -> Self {
        Self {
            client,
            user,
            options,
            network,
            own: Slot::default(),
            others: Mutex::default(),
        }
    }

    /// Where the user's mailbox is. `anew`: the last answer was wrong.
    ///
    /// Errors: why there is no answer, and what was tried.
    pub async fn find(&self, anew: bool) -> Answer {
        let ask = async || self.ask_own().await.1;
        self.own.get(anew, self.options.keep, ask).await
    }

    /// Asks where the user's mailbox is, and tells what was tried.
    pub async fn probe(&self) -> (Trail, Answer) {
        let mut trail = Trail::default();
        let ask = async || {
            let (tried, answer) = self.ask_own().await;
            trail = tried;
            answer
        };
        let answer = self.own.get(true, self.options.keep, ask).await;
        (trail, answer)
    }

    /// Where another mailbox is: shared, delegated, an archive, the public folders'.
    ///
    /// Only the server that knows the user's own mailbox is asked, and where that redirects to: an address somebody
    /// shared does not decide who sees the user's password. Without Autodiscover, or where it knows no distinguished
    /// names (gromox 3.10), the mailbox with one is taken to be beside the user's own; a logon tells when it is not.
    /// Errors: as [`Self::find`]; `NotAsked`.
    pub async fn find_other(&self, subject: &Subject, anew: bool) -> Answer {
        let own = self.find(false).await?;
        if is_of(&own, &self.user, subject) {
            return Ok(own);
        }
        let slot = self.slot(subject);
        let ask = async || self.ask_other(&own, subject).await;
        slot.get(anew, self.options.keep, ask).await
    }

    /// How to speak to the server of a mailbox, as the user.
    pub(crate) fn server(&self, transport: Transport, url: Url) -> Server {
        Server {
            client: self.client.clone(),
            transport,
            url,
            credentials: self.user.credentials.clone(),
            policy: self.user.policy.clone(),
        }
    }

    /// What the user asks with.
    pub(crate) const fn credentials(&self) -> &Credentials {
        &self.user.credentials
    }

    async fn ask_own(&self) -> (Trail, Answer) {
        let options = &self.options;
        if let (Some(url), Some(dn)) = (&options.url, &options.user_dn) {
            let configured = Found {
                transport: options.transport.to(url),
                url: url.clone(),
                address_book_url: options.address_book_url.clone(),
                legacy_dn: dn.clone(),
                smtp_address: Some(self.user.address.clone()),
                display_name: None,
                server: None,
                alternative_mailboxes: Vec::new(),
                public_folders: None,
                autodiscover: None,
            };
            return (Trail::default(), Ok(Arc::new(configured)));
        }
        let subject = Subject::Address(self.user.address.clone());
        let start = options.autodiscover.as_ref();
        self.ask(subject, start, options.user_dn.as_deref()).await
    }

    async fn ask_other(&self, own: &Found, subject: &Subject) -> Answer {
        let asked = match &own.autodiscover {
            Some(url) => self.ask(subject.clone(), Some(url), None).await.1,
            None => Err(Failure {
                reason: Reason::NotAsked,
                trail: Trail::default(),
            }),
        };
        match (asked, subject) {
            (Err(failure), Subject::Dn(dn)) if failure.reason.may_be_beside() => {
                Ok(Arc::new(Found {
                    legacy_dn: dn.clone(),
                    smtp_address: None,
                    display_name: None,
                    alternative_mailboxes: Vec::new(),
                    ..own.clone()
                }))
            }
            (asked, _) => asked,
        }
    }

    /// Asks Autodiscover; what is configured stands above what it says.
    async fn ask(
        &self,
        subject: Subject,
        start: Option<&Url>,
        dn: Option<&str>,
    ) -> (Trail, Answer) {
        let asker = Asker {
            client: &self.client,
            user: &self.user,
        };
        let mut search = Search::new(asker, &self.options, &*self.network);
        let found = self.found(&mut search, subject, start, dn).await;
        let trail = search.trail;
        let answer = found.map(Arc::new).map_err(|reason| Failure {
            reason,
            trail: trail.clone(),
        });
        (trail, answer)
    }

    async fn found(
        &self,
        search: &mut Search<'_>,
        subject: Subject,
        start: Option<&Url>,
        dn: Option<&str>,
    ) -> Result<Found, Reason> {
        let answered = search.run(subject, start).await?;
        let (settings, by) = (answered.settings, answered.by);
        let (transport, url) = match &self.options.url {
            Some(url) => (self.options.transport.to(url), url.clone()),
            None => self.way(search, &settings, &by).await?,
        };
        let address_book_url = match &self.options.address_book_url {
            Some(url) => Some(url.clone()),
            // Mail is more than the address book: without the one, the other is still of use.
            None => {
                let offered = endpoint(&settings, transport, Service::AddressBook);
                search.endpoint(&offered, &by).await.unwrap_or_default()
            }
        };
        Found::of(settings, by, (transport, url, address_book_url), dn)
    }

    /// The first way to the mailbox that may be taken and is offered.
    async fn way(
        &self,
        search: &mut Search<'_>,
        settings: &Settings,
        by: &Url,
    ) -> Result<(Transport, Url), Reason> {
        for transport in [Transport::MapiHttp, Transport::RpcHttp] {
            if !self.options.transport.allows(transport) {
                continue;
            }
            let offered = endpoint(settings, transport, Service::Mailbox);
            if let Some(url) = search.endpoint(&offered, by).await? {
                return Ok((transport, url));
            }
        }
        Err(Reason::NoTransport)
    }

    fn slot(&self, subject: &Subject) -> Arc<Slot> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = others.get(subject) {
            return Arc::clone(slot);
        }
        if others.len() >= OTHERS_MAX {
            // Whoever waits for one of them has it; the rest is asked for again when it is wanted.
            others.clear();
        }
        Arc::clone(others.entry(subject.clone()).or_default())
    }
}

/// What a URL is of.
#[derive(Clone, Copy)]
enum Service {
    Mailbox,
    AddressBook,
}

/// The URLs that settings name for a service.
fn endpoint(settings: &Settings, transport: Transport, service: Service) -> Urls {
    match (transport, service) {
        (Transport::MapiHttp, Service::Mailbox) => settings
            .mapi_http()
            .map_or_else(Urls::default, |offered| offered.mail_store.clone()),
        (Transport::MapiHttp, Service::AddressBook) => settings
            .mapi_http()
            .map_or_else(Urls::default, |offered| offered.address_book.clone()),
        (Transport::RpcHttp, Service::Mailbox) => rpc_urls(settings, ports::EMSMDB),
        (Transport::RpcHttp, Service::AddressBook) => rpc_urls(settings, ports::NSPI),
    }
}

/// Whether a mailbox that was found is that of the subject.
fn is_of(found: &Found, user: &User, subject: &Subject) -> bool {
    match subject {
        Subject::Dn(dn) => found.legacy_dn.eq_ignore_ascii_case(dn),
        Subject::Address(address) => {
            let known = found.smtp_address.as_deref();
            known.is_some_and(|known| known.eq_ignore_ascii_case(address))
                || user.address.eq_ignore_ascii_case(address)
        }
    }
}

impl Locate for Locator {
    fn locate(&self, anew: bool) -> BoxFuture<'_, Faulty<Located>> {
        Box::pin(async move {
            let found = self.find(anew).await?;
            Ok(Located {
                server: self.server(found.transport, found.url.clone()),
                user_dn: found.legacy_dn.as_str().into(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        auth::Password,
        http::{self, TlsOptions},
    };

    #[test]
    fn the_number_of_others_is_bounded() {
        let client = Client::new(http::Options {
            tls: TlsOptions {
                system_roots: false,
                pinned: Some([0; 32]),
                ..TlsOptions::default()
            },
            ..http::Options::default()
        });
        let user = User {
            address: "anna@example.test".to_owned(),
            credentials: Credentials::Password(Password {
                user: String::new(),
                domain: None,
                secret: "".into(),
            }),
            policy: Policy::default(),
        };
        let locator = Locator::new(client.unwrap(), user, Options::default());
        let subject = |number: usize| Subject::Dn(format!("/cn={number}"));
        for number in 0..3 * OTHERS_MAX {
            let slot = locator.slot(&subject(number));
            assert!(Arc::ptr_eq(&slot, &locator.slot(&subject(number))));
        }
        assert!(locator.others.lock().unwrap().len() <= OTHERS_MAX);
    }
}
