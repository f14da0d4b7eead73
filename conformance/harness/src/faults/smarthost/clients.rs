//! Users who hand in messages, whatever happens to the server meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use super::attempts::{Attempt, Attempts};
use super::lossy_proxy::Seen;
use crate::failure::{Failure, Outcome};
use crate::lmtp::dot_stuffed;
use crate::random::Random;
use crate::smtp::Smtp;
use crate::subject::Account;

/// Sessions at once.
const SESSIONS: usize = 4;
/// Messages that may wait for the smarthost; so the kills meet both ways at work.
const AHEAD_MAX: usize = 150;
/// How long a session waits before it tries again.
const PAUSE: Duration = Duration::from_millis(20);

/// The next id.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Sessions at work until they are told to end.
pub(super) struct Clients {
    sessions: Vec<JoinHandle<()>>,
    end: Arc<AtomicBool>,
}

#[derive(Clone)]
struct Client {
    port: u16,
    account: Account,
    attempts: Arc<Attempts>,
    seen: Arc<Seen>,
    end: Arc<AtomicBool>,
}

impl Clients {
    pub(super) fn start(
        port: u16,
        account: &Account,
        (attempts, seen): (&Arc<Attempts>, &Arc<Seen>),
        random: &mut Random,
    ) -> Self {
        let client = Client {
            port,
            account: account.clone(),
            attempts: Arc::clone(attempts),
            seen: Arc::clone(seen),
            end: Arc::default(),
        };
        let sessions = (0..SESSIONS).map(|_| {
            let (client, mut random) = (client.clone(), Random::new(random.next(), 1));
            spawn(move || {
                while !client.is_over() {
                    // A broken connection is how most end.
                    let _ = client.session(&mut random);
                    sleep(PAUSE);
                }
            })
        });
        Self {
            sessions: sessions.collect(),
            end: client.end,
        }
    }

    pub(super) fn finish(self) -> Outcome {
        self.end.store(true, Ordering::Relaxed);
        let panicked = |_| Failure("a client panicked".into());
        self.sessions
            .into_iter()
            .try_for_each(|session| session.join().map_err(panicked))
    }
}

impl Client {
    fn is_over(&self) -> bool {
        self.end.load(Ordering::Relaxed)
    }

    fn session(&self, random: &mut Random) -> Outcome {
        let mut session = Smtp::login(self.port, &self.account)?;
        while !self.is_over() {
            if self.attempts.acknowledged() > self.seen.taken() + AHEAD_MAX {
                sleep(PAUSE);
                continue;
            }
            let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
            let attempt = Attempt::new(id, &self.account.address, random);
            let stuffed = dot_stuffed(&attempt.handed_in);
            let recipients = attempt.recipients.clone();
            let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
            self.attempts.add(attempt);
            session.transact(&self.account.address, &recipients, &stuffed)?;
            self.attempts.acknowledge(id);
        }
        Ok(())
    }
}
