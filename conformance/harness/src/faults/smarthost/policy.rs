//! What the smarthost thinks of recipients: a policy service of Postfix (SMTPD_POLICY_README) that refuses some,
//! greylists some and takes its time with others.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use super::attempts::{GREYLISTED, REFUSED, SLOW};
use crate::failure::Outcome;

/// How long a recipient stays greylisted.
const GREYLISTED_FOR: Duration = Duration::from_secs(2);
/// How long thinking takes.
const SLOWNESS: Duration = Duration::from_millis(500);

/// When each greylisted recipient was first seen.
type FirstSeen = Arc<Mutex<BTreeMap<String, Instant>>>;

/// A running service; it ends with the process.
pub(super) struct Policy {
    pub(super) port: u16,
}

impl Policy {
    pub(super) fn start() -> Outcome<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let first_seen = FirstSeen::default();
        spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let first_seen = Arc::clone(&first_seen);
                spawn(move || serve(&client, &first_seen));
            }
        });
        Ok(Self { port })
    }
}

/// Answers questions until the connection ends.
fn serve(client: &TcpStream, first_seen: &FirstSeen) -> Outcome {
    let mut recipient = String::new();
    for line in BufReader::new(client.try_clone()?).lines() {
        let line = line?;
        if let Some(value) = line.strip_prefix("recipient=") {
            value.clone_into(&mut recipient);
        }
        if line.is_empty() {
            let mut client = client;
            client
                .write_all(format!("action={}\n\n", action(&recipient, first_seen)).as_bytes())?;
            recipient.clear();
        }
    }
    Ok(())
}

fn action(recipient: &str, first_seen: &FirstSeen) -> &'static str {
    if recipient.starts_with(REFUSED) {
        return "550 5.1.1 nobody here has that name";
    }
    if recipient.starts_with(SLOW) {
        sleep(SLOWNESS);
    }
    if recipient.starts_with(GREYLISTED) {
        let mut seen = first_seen.lock().unwrap_or_else(PoisonError::into_inner);
        let first = seen
            .entry(recipient.to_owned())
            .or_insert_with(Instant::now);
        if first.elapsed() < GREYLISTED_FOR {
            return "450 4.7.1 greylisted, try again";
        }
    }
    "DUNNO"
}
