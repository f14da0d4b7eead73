//! Where the smarthost's mail ends: a little LMTP server (RFC 2033) that writes down who got what, under which of
//! the smarthost's queue ids. What the smarthost itself doubles has one id.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::spawn;

use super::attempts::{Attempts, REFUSED, id_in};
use crate::failure::{Outcome, failure};
use crate::mail::is_below_trace;

/// What stands before the queue id in the smarthost's trace field.
const ID_AFTER: &str = " id ";

/// A running server; it ends with the process.
pub(super) struct Sink {
    pub(super) port: u16,
    got: Arc<Mutex<Got>>,
}

/// What arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct Got {
    /// Queue ids by which a message came to a recipient.
    pub(super) copies: BTreeMap<(u64, String), BTreeSet<String>>,
    /// Messages that are not as they were sent.
    pub(super) altered: Vec<String>,
}

impl Sink {
    pub(super) fn start(attempts: Arc<Attempts>) -> Outcome<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let got = Arc::new(Mutex::new(Got::default()));
        let shared = Arc::clone(&got);
        spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let session = Session {
                    attempts: Arc::clone(&attempts),
                    got: Arc::clone(&shared),
                };
                spawn(move || session.serve(&client));
            }
        });
        Ok(Self { port, got })
    }

    /// What arrived until now.
    pub(super) fn got(&self) -> Got {
        self.got
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Recipients of acknowledged messages who have not got them yet.
    pub(super) fn misses(&self, attempts: &Attempts) -> usize {
        let got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.with(|all| {
            let acknowledged = all.values().filter(|attempt| attempt.acknowledged);
            let pairs = acknowledged
                .flat_map(|attempt| attempt.recipients.iter().map(|one| (attempt.id, one)));
            pairs
                .filter(|(_, one)| !one.starts_with(REFUSED))
                .filter(|(id, one)| !got.copies.contains_key(&(*id, (*one).clone())))
                .count()
        })
    }
}

struct Session {
    attempts: Arc<Attempts>,
    got: Arc<Mutex<Got>>,
}

impl Session {
    fn serve(&self, mut client: &TcpStream) -> Outcome {
        let mut lines = BufReader::new(client.try_clone()?);
        client.write_all(b"220 sink LMTP\r\n")?;
        let (mut recipients, mut line) = (Vec::new(), String::new());
        while lines.read_line(&mut line)? > 0 {
            let verb: String = line.chars().take(4).collect();
            let answer = match verb.to_ascii_uppercase().as_str() {
                "LHLO" => {
                    "250-sink\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n"
                        .into()
                }
                "RCPT" => {
                    recipients.push(between(&line, '<', '>').to_owned());
                    "250 2.1.5 ok\r\n".to_owned()
                }
                "DATA" => {
                    client.write_all(b"354 go on\r\n")?;
                    let message = content(&mut lines)?;
                    self.take(&message, &recipients);
                    "250 2.0.0 ok\r\n".repeat(std::mem::take(&mut recipients).len())
                }
                "QUIT" => {
                    client.write_all(b"221 2.0.0 bye\r\n")?;
                    return Ok(());
                }
                _ => {
                    recipients.clear();
                    "250 2.0.0 ok\r\n".to_owned()
                }
            };
            client.write_all(answer.as_bytes())?;
            line.clear();
        }
        Ok(())
    }

    fn take(&self, message: &[u8], recipients: &[String]) {
        let head = message.get(..message.len().min(1000)).unwrap_or_default();
        let head = String::from_utf8_lossy(head);
        let queue_id = head.split(ID_AFTER).nth(1).unwrap_or_default();
        let queue_id = queue_id.split_whitespace().next().unwrap_or_default();
        let id = id_in(message);
        let sent = id.and_then(|id| self.attempts.with(|all| Some(all.get(&id)?.bytes.clone())));
        let mut got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((id, sent)) = id.zip(sent) else {
            got.altered
                .push(format!("{queue_id}: a message of no attempt"));
            return;
        };
        if !is_below_trace(message, &sent) {
            got.altered
                .push(format!("{queue_id}: attempt {id} was changed"));
        }
        for recipient in recipients {
            let copies = got.copies.entry((id, recipient.clone())).or_default();
            copies.insert(queue_id.to_owned());
        }
    }
}

/// What follows DATA, without the dots that were stuffed in.
fn content(lines: &mut impl BufRead) -> Outcome<Vec<u8>> {
    let (mut message, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return failure("the smarthost was killed in the middle of a message");
        }
        if line == b".\r\n" {
            return Ok(message);
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

fn between(text: &str, open: char, close: char) -> &str {
    let rest = text.split_once(open).map_or("", |(_, rest)| rest);
    rest.split_once(close).map_or("", |(inside, _)| inside)
}
