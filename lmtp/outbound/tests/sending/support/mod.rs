//! A queue on a folder of its own, and a mail server that does what a test says.

pub(crate) mod smarthost;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use outbound::{
    Answer, Credentials, Enhanced, Envelope, Hop, HopTls, Options, Origin, Outcome, Parcel, Queue,
    QueueId, Recipient, Route, Router, Secret, Submission, Task,
};
use rustls::{ClientConfig, RootCertStore};
use tokio::{sync::watch, task::JoinHandle};

/// The one hop of these tests.
pub(crate) const HOP: &str = "smarthost";

/// What is inside: `example.test`, where `team` is bob and nobody, without `nobody`, and with `panic`, on whom delivery breaks down. Everything else goes to the hop.
#[derive(Default)]
pub(crate) struct Inside {
    pub(crate) delivered: Mutex<Vec<(String, QueueId, String)>>,
}

impl Inside {
    /// The reports for an address, as text.
    pub(crate) fn mail_for(&self, address: &str) -> Vec<String> {
        let delivered = self.delivered.lock().unwrap();
        let own = delivered.iter().filter(|(to, ..)| to == address);
        own.map(|(.., text)| text.clone()).collect()
    }
}

impl Router for Inside {
    fn route<'a>(&'a self, _: Origin<'a>, address: &'a str) -> Task<'a, Result<Route, Answer>> {
        let route = match address {
            "team@example.test" => Route::Several(vec![
                "bob@example.test".to_owned(),
                "nobody@example.test".to_owned(),
            ]),
            _ if address.ends_with("@example.test") => Route::Inside,
            _ => Route::Hop(HOP.into()),
        };
        Box::pin(async { Ok(route) })
    }

    fn relays(&self, _: &str) -> bool {
        true
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Task<'a, Vec<Outcome>> {
        Box::pin(async {
            let octets = parcel.content.read(0, usize::MAX).await.unwrap();
            let text = String::from_utf8(octets.to_vec()).unwrap();
            let mut outcomes = Vec::new();
            for address in &parcel.recipients {
                assert!(!address.starts_with("panic@"), "as a test wanted it");
                if address.starts_with("nobody@") {
                    let answer = Answer::own(Enhanced(5, 1, 1), "no such user here");
                    outcomes.push(Outcome::new(answer));
                    continue;
                }
                let mut delivered = self.delivered.lock().unwrap();
                delivered.push((address.clone(), parcel.id, text.clone()));
                outcomes.push(Outcome::new(Answer::own(Enhanced(2, 1, 5), "delivered")));
            }
            outcomes
        })
    }

    fn credentials<'a>(&'a self, submitter: &'a str) -> Task<'a, Option<Credentials>> {
        let known = (submitter == "anna@example.test").then(|| Credentials {
            user: submitter.to_owned(),
            secret: Secret::Password("secret".to_owned().into()),
        });
        Box::pin(async { known })
    }
}

/// A queue that is being worked through.
pub(crate) struct Running {
    pub(crate) queue: Queue,
    stop: watch::Sender<bool>,
    runner: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(
        folder: &Path,
        options: Options,
        hops: Vec<Hop>,
        inside: &Arc<Inside>,
    ) -> Self {
        let router = Arc::clone(inside) as Arc<dyn Router>;
        let (queue, runner) = Queue::open(folder, options, hops, router).unwrap();
        let (stop, stopped) = watch::channel(false);
        Self {
            queue,
            stop,
            runner: tokio::spawn(runner.run(stopped)),
        }
    }

    pub(crate) async fn submit(&self, envelope: Envelope, text: &str) -> QueueId {
        let content = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
        let submission = Submission { envelope, content };
        self.queue.submit(submission).await.unwrap()
    }

    /// Waits until nothing is in the queue.
    pub(crate) async fn empty(&self) {
        until(|| self.queue.totals().messages == 0).await;
    }

    /// Waits until a mail server could not be reached more than once; why.
    pub(crate) async fn away(&self) -> String {
        let state = || self.queue.hops().into_iter().next();
        until(|| state().is_some_and(|hop| hop.failures > 1)).await;
        state().and_then(|hop| hop.reason).unwrap_or_default()
    }

    pub(crate) async fn stop(self) {
        self.stop.send(true).unwrap();
        self.runner.await.unwrap();
    }

    /// Ends as a crash would.
    pub(crate) async fn kill(self) {
        self.runner.abort();
        let _ = self.runner.await;
    }
}

/// Waits for something that is going to happen.
pub(crate) async fn until(mut happened: impl FnMut() -> bool) {
    let patience = tokio::time::Instant::now() + Duration::from_secs(60);
    while !happened() {
        assert!(tokio::time::Instant::now() < patience, "it did not happen");
        tokio::task::yield_now().await;
    }
}

/// Times that let a test see the second attempt.
pub(crate) fn quick() -> Options {
    Options {
        hostname: "gateway.example.test".to_owned(),
        retry_after_min: Duration::from_millis(20),
        hop_retry_after_min: Duration::from_millis(20),
        hop_retry_after_max: Duration::from_millis(50),
        ..Options::default()
    }
}

pub(crate) fn hop(port: u16) -> Hop {
    Hop {
        tls: HopTls::Never,
        ..Hop::new(HOP, ("127.0.0.1", port), no_roots())
    }
}

fn no_roots() -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Arc::new(config)
}

/// From anna, for some.
pub(crate) fn envelope(recipients: &[&str]) -> Envelope {
    Envelope {
        sender: "anna@example.test".to_owned(),
        submitter: Some("anna@example.test".to_owned()),
        recipients: recipients.iter().map(|one| Recipient::new(*one)).collect(),
        ..Envelope::default()
    }
}
