//! What works between here and a user's mailbox, step by step, in words for an administrator.
//!
//! Each step stands on those before it. Nothing is kept; one folder is made in Deleted Items and deleted again, to see
//! whether the server tells of it.

mod advice;

use std::{
    borrow::Cow,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use mapi_store::Role;
use mapi_wire::{
    Id,
    http::{Numbered, emsmdb},
    ics::State,
    rop::LogonResponse,
};
use tokio::{sync::broadcast, time::timeout};

use crate::{
    address_book::AddressBook,
    discover::{self, Found, Locator, Outcome},
    fault::{Cause, Fault, Result, code},
    http::Client,
    identity::new_guid,
    remote::{ContentsPart, Deleting, Remote, Sessions},
    session::{Context, Event, Place, Session, StoreName, Times},
};

/// How long a notification may take.
const NOTIFICATION_MAX: Duration = Duration::from_secs(20);

/// What was tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Finding the mailbox.
    Discovery,
    /// A protected connection.
    Tls,
    /// Proving who asks.
    Authentication,
    /// Beginning a session context.
    Connect,
    /// Opening the mailbox.
    Logon,
    /// Reading the folder tree by synchronization.
    Folders,
    /// Reading the Inbox by synchronization.
    Messages,
    /// Being told of changes.
    Notifications,
    /// Looking addresses up.
    AddressBook,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It works.
    Works,
    /// One of several ways was tried; whether it matters, another finding says.
    Tried,
    /// It does not work.
    Fails,
}

/// One line of a report.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was tried.
    pub step: Step,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found.
    pub text: String,
    /// What an administrator must change.
    pub advice: Option<Cow<'static, str>>,
    /// How long it took.
    pub took: Duration,
}

/// Tries everything a mailbox needs, and tells each finding as soon as it is there. Whether all of it works.
pub async fn probe(
    client: &Client,
    user: discover::User,
    options: discover::Options,
    tell: impl FnMut(&Finding) + Send,
) -> bool {
    let address = user.address.clone();
    let locator = Arc::new(Locator::new(client.clone(), user, options));
    let mut report = Report {
        tell,
        began: Instant::now(),
    };
    let Some(()) = report.connection(client, &locator).await else {
        return false;
    };
    let mailbox = report.mailbox(&locator).await.is_some();
    report.address_book(locator, &address).await.is_some() && mailbox
}

/// Tells findings with the time since the one before.
struct Report<T> {
    tell: T,
    began: Instant,
}

impl<T: FnMut(&Finding) + Send> Report<T> {
    fn say(
        &mut self,
        step: Step,
        verdict: Verdict,
        text: String,
        advice: Option<Cow<'static, str>>,
    ) {
        let took = self.began.elapsed();
        self.began = Instant::now();
        (self.tell)(&Finding {
            step,
            verdict,
            text,
            advice,
            took,
        });
    }

    fn works(&mut self, step: Step, text: impl Into<String>) {
        self.say(step, Verdict::Works, text.into(), None);
    }

    /// Tells what failed; `None` ends the probe.
    fn fails<V>(&mut self, step: Step, fault: &Fault) -> Option<V> {
        let text = with_cause(fault);
        self.say(step, Verdict::Fails, text, advice::of(step, fault));
        None
    }

    /// What everything else stands on.
    async fn connection(&mut self, client: &Client, locator: &Locator) -> Option<()> {
        let found = self.discovery(client, locator).await?;
        self.tls(client, &found).await?;
        self.connect(locator, &found).await
    }

    async fn mailbox(&mut self, locator: &Arc<Locator>) -> Option<()> {
        let sessions = Sessions::new(|hearing| {
            Session::start(Arc::clone(locator) as Arc<_>, Times::default(), hearing)
        });
        let own = locator.find(false).await.ok()?;
        let name = StoreName::Mailbox(own.legacy_dn.as_str().into());
        let remote = Remote::new(sessions, name);
        let folders = self.logon(&remote).await?;
        self.folders(&remote).await?;
        let place = |at: usize| folders.get(at).copied().unwrap_or_default();
        self.messages(&remote, place(LogonResponse::INBOX)).await?;
        self.notifications(&remote, place(LogonResponse::DELETED_ITEMS))
            .await
    }

    async fn address_book(&mut self, locator: Arc<Locator>, address: &str) -> Option<()> {
        let book = AddressBook::new(move || Arc::clone(&locator));
        let asked = book.with_address(address).await;
        book.close().await;
        match asked {
            Ok(Some(entry)) => {
                self.works(Step::AddressBook, format!("{}: {}", address, entry.dn));
                Some(())
            }
            Ok(None) => {
                self.say(
                    Step::AddressBook,
                    Verdict::Fails,
                    format!("nobody there has {address}"),
                    Some(
                        "let the mailbox be shown in the address book, for others to find it"
                            .into(),
                    ),
                );
                None
            }
            Err(fault) => self.fails(Step::AddressBook, &fault),
        }
    }

    async fn discovery(&mut self, client: &Client, locator: &Locator) -> Option<Arc<Found>> {
        let (trail, answer) = locator.probe().await;
        for attempt in &trail.attempts {
            let verdict = match attempt.outcome {
                Outcome::Settings | Outcome::Reached => Verdict::Works,
                _ => Verdict::Tried,
            };
            (self.tell)(&Finding {
                step: Step::Discovery,
                verdict,
                text: format!("{} {}: {}", attempt.step, attempt.place, attempt.outcome),
                advice: None,
                took: attempt.took,
            });
        }
        self.began = Instant::now();
        match answer {
            Ok(found) => {
                let book = match &found.address_book_url {
                    Some(url) => format!("address book at {url}"),
                    None => "no address book".to_owned(),
                };
                let (url, dn, way) = (&found.url, &found.legacy_dn, found.transport.name());
                let text = format!("mailbox {dn} at {url} by {way}, {book}");
                self.works(Step::Discovery, text);
                Some(found)
            }
            Err(failure) => {
                let advice = advice::of_failure(client, &failure).await;
                let text = failure.reason.to_string();
                self.say(Step::Discovery, Verdict::Fails, text, advice);
                None
            }
        }
    }

    async fn tls(&mut self, client: &Client, found: &Found) -> Option<()> {
        match client.connect(&found.url).await {
            Ok(_) if found.url.scheme() == "https" => {
                self.works(Step::Tls, "the certificate is trusted");
                Some(())
            }
            Ok(_) => {
                self.works(Step::Tls, "none: the server is on this machine");
                Some(())
            }
            Err(error) => {
                let advice = advice::of_connection(client, &found.url, &error).await;
                let text = with_cause(&Fault::from(error));
                self.say(Step::Tls, Verdict::Fails, text, advice);
                None
            }
        }
    }

    /// Authentication, and a context of its own.
    async fn connect(&mut self, locator: &Locator, found: &Found) -> Option<()> {
        let guid = new_guid();
        let client = Numbered { guid, number: 1 };
        let server = locator.server(found.transport, found.url.clone());
        let mut context = Context::new(server, guid, client);
        let connect = emsmdb::Connect {
            user_dn: found.legacy_dn.as_str().into(),
            flags: 0,
            default_code_page: 1252,
            lcid_sort: 0x409,
            lcid_string: 0x409,
        };
        match context.call(&connect, None).await {
            Ok((code::SUCCESS, Some(connected))) => {
                self.works(Step::Authentication, "the server takes the credentials");
                let name = String::from_utf16_lossy(&connected.display_name.0);
                self.works(Step::Connect, format!("as {name}"));
            }
            Ok((error, _)) => {
                self.works(Step::Authentication, "the server takes the credentials");
                return self.fails(Step::Connect, &Fault::operation(0, error));
            }
            Err(fault @ (Fault::Unauthenticated(_) | Fault::Away(_) | Fault::Lost(_))) => {
                return self.fails(Step::Authentication, &fault);
            }
            Err(fault) => {
                self.works(Step::Authentication, "the server takes the credentials");
                return self.fails(Step::Connect, &fault);
            }
        }
        let _ = context.call(&emsmdb::Disconnect, None).await;
        Some(())
    }

    async fn logon(&mut self, remote: &Remote) -> Option<[Id; LogonResponse::FOLDERS]> {
        match remote.logon().await {
            Ok(logon) => {
                let guid = logon.mailbox_guid;
                self.works(Step::Logon, format!("mailbox {guid}"));
                Some(logon.folders)
            }
            Err(fault) => self.fails(Step::Logon, &fault),
        }
    }

    async fn folders(&mut self, remote: &Remote) -> Option<()> {
        let asked = async {
            let tree = remote.hierarchy(State::default()).await?;
            Ok((tree, remote.special_folders().await?))
        };
        match asked.await {
            Ok((tree, special)) => {
                let known = |role: &Role| special.roles.iter().any(|(of, _)| of == role);
                let missing: Vec<_> = Role::ALL.iter().filter(|role| !known(role)).collect();
                let missing = match missing[..] {
                    [] => String::new(),
                    _ => format!(", without a place for {missing:?}"),
                };
                let count = tree.changed.len();
                self.works(Step::Folders, format!("{count} folders{missing}"));
                Some(())
            }
            Err(fault) => self.fails(Step::Folders, &fault),
        }
    }

    async fn messages(&mut self, remote: &Remote, inbox: Id) -> Option<()> {
        match first_messages(remote, inbox).await {
            Ok((expected, come)) => {
                let all = expected.map_or(String::new(), |all| format!(" of {all}"));
                let text = format!("{come}{all} messages of the Inbox read");
                self.works(Step::Messages, text);
                Some(())
            }
            Err(fault) => self.fails(Step::Messages, &fault),
        }
    }

    async fn notifications(&mut self, remote: &Remote, parent: Id) -> Option<()> {
        let mut events = remote.sessions.back.events();
        if let Err(fault) = remote.watch(None).await {
            return self.fails(Step::Notifications, &fault);
        }
        self.works(Step::Notifications, "registered");
        // What the server told of the beginning does not count.
        while events.try_recv().is_ok() {}
        let mut unique = [0; 4];
        let _ = getrandom::fill(&mut unique);
        let name = format!("Dragoman probe {:08x}", u32::from_le_bytes(unique));
        let made = match remote.create_folder(parent, &name, "IPF.Note").await {
            Ok(made) => made,
            Err(fault) => return self.fails(Step::Notifications, &fault),
        };
        self.began = Instant::now();
        let heard = timeout(NOTIFICATION_MAX, told(&mut events)).await;
        let outcome = match heard {
            Ok(true) => {
                self.works(Step::Notifications, "the server told of a new folder");
                Some(())
            }
            _ => {
                let seconds = NOTIFICATION_MAX.as_secs();
                self.say(
                    Step::Notifications,
                    Verdict::Fails,
                    format!("the server told nothing of a new folder in {seconds} s"),
                    Some(
                        "let proxies and load balancers pass parts of an answer on at once, and \
                         hold silent ones for minutes; until then changes are seen by polling"
                            .into(),
                    ),
                );
                None
            }
        };
        if let Err(fault) = remote.delete_folder(parent, made, Deleting::ForGood).await {
            tracing::warn!(%fault, name, "the probe's folder stays in Deleted Items");
        }
        outcome
    }
}

/// How many messages there are, as far as the server says, and how many came first.
async fn first_messages(remote: &Remote, inbox: Id) -> Result<(Option<u32>, usize)> {
    let session = &remote.sessions.back;
    let seen = (State::default(), false);
    let mut contents = remote.contents(session, inbox, seen).await?;
    let (mut expected, mut come) = (None, 0);
    while let Some(part) = contents.next().await? {
        match part {
            ContentsPart::Expected(count) => expected = Some(count),
            ContentsPart::Rows(rows, _) => {
                come += rows.len();
                break;
            }
            _ => {}
        }
    }
    Ok((expected, come))
}

/// Waits for word of a change; `false` when there will be none.
async fn told(events: &mut broadcast::Receiver<Event>) -> bool {
    loop {
        match events.recv().await {
            Ok(event) if event.places.contains(&Place::Anywhere) => {}
            Ok(_) => return true,
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return false,
        }
    }
}

/// What went wrong, down to its root.
fn with_cause(fault: &Fault) -> String {
    let cause: Option<&Cause> = match fault {
        Fault::Away(cause) | Fault::Lost(cause) | Fault::Unauthenticated(cause) => Some(cause),
        _ => None,
    };
    let mut text = fault.to_string();
    let mut below = cause.and_then(|cause| cause.source());
    while let Some(error) = below {
        text.push_str(&format!(": {error}"));
        below = error.source();
    }
    text
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "discovery",
            Self::Tls => "TLS",
            Self::Authentication => "authentication",
            Self::Connect => "connect",
            Self::Logon => "logon",
            Self::Folders => "folders",
            Self::Messages => "messages",
            Self::Notifications => "notifications",
            Self::AddressBook => "address book",
        })
    }
}
