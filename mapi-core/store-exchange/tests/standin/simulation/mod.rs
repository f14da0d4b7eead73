//! Random work under random faults, compared with what must be true of it: nothing lost, doubled or renumbered, and
//! every error one that says "later".
//!
//! Somebody works in a mailbox, somebody else changes it on the server, and things go wrong between gateway and server.
//! What was answered has happened, once; what was not answered may have happened, once. From time to time nothing goes
//! wrong any more, and all must agree: the store, the server, and what is known of both.

mod chaos;
mod folders;
mod model;
mod others;
mod settle;
mod work;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mapi_store::{Backend, Error, ErrorKind, NewFolder, Result, Store};
use mapi_types::{FolderId, MailboxId};
use tokio::time::timeout;

use self::model::{Model, Token};
use crate::{
    random::Random,
    subject::{ALICE, Standin},
};

/// Steps between two times of peace.
const STEPS: u32 = 25;

/// How often somebody asks again after an error that says "later".
const TRIES: u32 = 4;

/// Folders besides the Inbox in which messages are.
const FOLDERS: usize = 3;

/// A mailbox under fire.
struct Simulation {
    random: Random,
    standin: Standin,
    store: Arc<dyn Store>,
    /// The Inbox first.
    folders: Vec<Folder>,
    model: Model,
    /// Folders without messages, by name; `None`: nobody knows whether they are there.
    empty: BTreeMap<String, Option<bool>>,
    /// Messages to Bob; `None`: nobody knows whether they were sent.
    sent: BTreeMap<String, Option<bool>>,
    /// Nobody goes away before an answer comes.
    peace: bool,
    next: Token,
    site: u32,
}

/// A folder with messages.
struct Folder {
    id: FolderId,
    epoch: mapi_types::Epoch,
    /// What it may be called.
    names: Vec<String>,
    /// The highest number seen.
    highest: u32,
}

/// What became of something that somebody asked for.
enum Outcome<T> {
    Done(T),
    /// It may have been done.
    Unknown,
}

impl Simulation {
    async fn start(seed: u64) -> Self {
        let mut standin = Standin::start();
        // What no hint tells is found soon.
        standin.setup.options.poll = Duration::from_secs(1);
        standin.restart();
        let (store, inbox) = standin.alice().await;
        let mut folders = vec![inbox];
        for number in 1..=FOLDERS {
            let new = NewFolder {
                parent: None,
                name: format!("folder {number}"),
                class: "IPF.Note".to_owned(),
            };
            folders.push(store.create_folder(&new).await.unwrap());
        }
        let folder = |info: mapi_store::FolderInfo| Folder {
            id: info.id,
            epoch: info.epoch,
            names: vec![info.name],
            highest: 0,
        };
        Self {
            random: Random::new(seed),
            standin,
            store,
            folders: folders.into_iter().map(folder).collect(),
            model: Model::default(),
            empty: BTreeMap::new(),
            sent: BTreeMap::new(),
            peace: false,
            next: 1,
            site: 0,
        }
    }

    async fn step(&mut self) {
        if self.random.once_in(2) {
            self.harm().await;
        }
        match self.random.below(20) {
            0..=3 => self.save().await,
            4..=6 => self.mark().await,
            7..=8 => self.transfer(mapi_store::Transfer::Move).await,
            9 => self.transfer(mapi_store::Transfer::Copy).await,
            10 => self.delete().await,
            11..=12 => self.read().await,
            13 => self.folder().await,
            14 => self.submit().await,
            15 => drop(self.look().await),
            _ => self.others(),
        }
    }

    /// Does something, and sometimes goes away before it is done.
    async fn attempt<T>(
        &mut self,
        work: impl AsyncFn(&dyn Store) -> Result<T>,
    ) -> Result<Outcome<T>> {
        let store = Arc::clone(&self.store);
        let patience = match !self.peace && self.random.once_in(8) {
            true => Duration::from_micros(self.random.below(4000)),
            false => Duration::from_secs(120),
        };
        match timeout(patience, work(&*store)).await {
            Ok(done) => done.map(Outcome::Done),
            Err(_) => {
                assert!(patience < Duration::from_secs(120), "it takes for ever");
                Ok(Outcome::Unknown)
            }
        }
    }

    /// Does something again until there is an answer; how many tries it took.
    async fn insist<T>(
        &mut self,
        work: impl AsyncFn(&dyn Store) -> Result<T>,
    ) -> (u32, Result<Outcome<T>>) {
        for count in 1..=TRIES {
            match self.attempt(&work).await {
                Ok(Outcome::Unknown) => {}
                Err(error) if error.kind.is_transient() => {}
                Err(error) if error.kind == ErrorKind::Unauthenticated => self.sign_in().await,
                done => return (count, done),
            }
        }
        (TRIES, Ok(Outcome::Unknown))
    }

    /// Signs in again, which may fail, too.
    async fn sign_in(&self) {
        if let Err(error) = self.standin.sign_in(ALICE).await {
            let fair = error.kind.is_transient() || error.kind == ErrorKind::Unauthenticated;
            assert!(fair, "{error:?}");
        }
    }

    /// Opens the mailbox anew.
    async fn open(&mut self) {
        let principal = self.standin.sign_in(ALICE).await.unwrap();
        let mailbox = MailboxId(ALICE.to_owned());
        let opened = self.standin.exchange.logon(&principal, &mailbox).await;
        self.store = opened.unwrap();
    }
}

/// No error is allowed here.
#[track_caller]
fn unexpected(what: &str, error: &Error) -> ! {
    panic!("{what}: {error:?}")
}

/// Runs a simulation.
async fn run(seed: u64, rounds: u32) {
    if std::env::var_os("SIMULATION_LOG").is_some() {
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG);
        let _ = log.with_writer(std::io::stderr).try_init();
    }
    let mut simulation = Simulation::start(seed).await;
    for _ in 0..rounds {
        for _ in 0..STEPS {
            simulation.step().await;
        }
        simulation.peace = true;
        simulation.settle().await;
        simulation.peace = false;
    }
}

/// Tells the seed of a simulation that fails.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}", self.0);
        }
    }
}

/// Seeds that once found something: copies that were renumbered when the mirror had been dropped.
const FOUND: [u64; 2] = [98, 100];

/// `SIMULATIONS=FROM..TO` runs these seeds instead, for longer.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_nothing_is_lost_doubled_or_renumbered() {
    let (seeds, rounds): (Vec<u64>, _) = match std::env::var("SIMULATIONS") {
        Ok(range) => {
            let (from, to) = range.split_once("..").unwrap();
            ((from.parse().unwrap()..to.parse().unwrap()).collect(), 8)
        }
        Err(_) => ((1..5).chain(FOUND).collect(), 2),
    };
    for seed in seeds {
        let _told = Told(seed);
        run(seed, rounds).await;
    }
}
