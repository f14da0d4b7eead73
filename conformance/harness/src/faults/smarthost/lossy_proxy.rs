//! A TCP proxy before the smarthost that now and then breaks off just when the smarthost says that it took a message,
//! and writes down which answers it passed on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::spawn;
use std::time::{Duration, Instant};

use crate::failure::Outcome;
use crate::random::Random;

/// What Postfix says when it took a message; the queue id follows.
const TOOK: &str = "queued as ";
/// How many answers of a hundred are lost.
const LOST_PERCENT: u64 = 1;
/// How long after an answer a kill may keep Dragoman from writing it down.
const NOTED_WITHIN: Duration = Duration::from_secs(2);

/// A running proxy; it ends with the process.
pub(super) struct LossyProxy {
    pub(super) port: u16,
    pub(super) seen: Arc<Seen>,
    target: Arc<AtomicU16>,
    mended: Arc<AtomicBool>,
}

/// What passed.
#[derive(Default)]
pub(super) struct Seen {
    /// Messages that the smarthost took, by its queue id: when Dragoman was told, if it was.
    told: Mutex<BTreeMap<String, Option<Instant>>>,
    /// When Dragoman was killed.
    kills: Mutex<Vec<Instant>>,
}

impl Seen {
    /// Messages the smarthost took.
    pub(super) fn taken(&self) -> usize {
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Dragoman was killed.
    pub(super) fn killed(&self) {
        let mut kills = self.kills.lock().unwrap_or_else(PoisonError::into_inner);
        kills.push(Instant::now());
    }

    /// Whether the answer to a message was lost on its way, or on Dragoman's way to its disk.
    pub(super) fn is_lost(&self, queue_id: &str) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Some(at)) = told.get(queue_id) else {
            return true;
        };
        let kills = self.kills.lock().unwrap_or_else(PoisonError::into_inner);
        kills
            .iter()
            .any(|kill| kill >= at && kill.duration_since(*at) < NOTED_WITHIN)
    }

    /// Answers that were lost.
    pub(super) fn lost(&self) -> usize {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.values().filter(|at| at.is_none()).count()
    }

    fn note(&self, queue_id: &str, at: Option<Instant>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert(queue_id.to_owned(), at);
    }
}

impl LossyProxy {
    /// Listens on a free port; see [`Self::to`].
    pub(super) fn start(seed: u64) -> Outcome<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let proxy = Self {
            port: listener.local_addr()?.port(),
            seen: Arc::default(),
            target: Arc::default(),
            mended: Arc::default(),
        };
        let (seen, target) = (Arc::clone(&proxy.seen), Arc::clone(&proxy.target));
        let mended = Arc::clone(&proxy.mended);
        let mut random = Random::new(seed, 0);
        spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let connection = Connection {
                    seen: Arc::clone(&seen),
                    mended: Arc::clone(&mended),
                    random: Random::new(random.next(), 0),
                };
                let port = target.load(Ordering::Relaxed);
                spawn(move || connection.pass(client, port));
            }
        });
        Ok(proxy)
    }

    /// Passes connections on to this port from now on.
    pub(super) fn to(&self, port: u16) {
        self.target.store(port, Ordering::Relaxed);
    }

    /// Loses nothing any more.
    pub(super) fn mend(&self) {
        self.mended.store(true, Ordering::Relaxed);
    }
}

struct Connection {
    seen: Arc<Seen>,
    mended: Arc<AtomicBool>,
    random: Random,
}

impl Connection {
    /// Both directions; an error on either side ends it, as a broken network would.
    fn pass(self, client: TcpStream, port: u16) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
            return;
        };
        let (Ok(client_in), Ok(server_in)) = (client.try_clone(), server.try_clone()) else {
            return;
        };
        spawn(move || commands(client_in, server));
        // Whatever ends it ends both directions.
        let _ = self.answers(server_in, &client);
        let _ = client.shutdown(Shutdown::Both);
    }

    fn answers(mut self, server: TcpStream, mut client: &TcpStream) -> Outcome {
        let mut lines = BufReader::new(server.try_clone()?);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line).into_owned();
            let took = text.split_once(TOOK).map(|(_, id)| id.trim());
            let lose = !self.mended.load(Ordering::Relaxed) && self.random.percent(LOST_PERCENT);
            if let Some(id) = took {
                // Before it is passed on, for the time it takes counts, too.
                self.seen.note(id, (!lose).then(Instant::now));
                if lose {
                    break;
                }
            }
            if let Err(error) = client.write_all(&line) {
                if let Some(id) = took {
                    self.seen.note(id, None);
                }
                return Err(error.into());
            }
            line.clear();
        }
        server.shutdown(Shutdown::Both)?;
        Ok(())
    }
}

fn commands(mut client: TcpStream, mut server: TcpStream) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let octets = buffer.get(..count).unwrap_or_default();
        if server.write_all(octets).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}
