//! What was sent and what the server said about it, and whether its mailboxes agree.

use std::collections::{BTreeMap, BTreeSet};

use crate::failure::{Context, Failure, Outcome, ensure, shown};
use crate::imap::Imap;
use crate::load::{Profile, message};
use crate::mail::{difference, is_below_trace};
use crate::random::Random;
use crate::subject::Account;

/// The field by which a message is found again.
const FIELD: &str = "X-Attempt";
/// Messages a FETCH of whole bodies asks for at once.
const PAGE: usize = 200;

/// A message handed to the server, for one mailbox.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// Unique over the run.
    pub(super) id: u64,
    pub(super) bytes: Vec<u8>,
    /// The server answered 250 or OK.
    pub(super) acknowledged: bool,
    /// Known from APPENDUID, or from the first time the message was seen.
    pub(super) uid: Option<u32>,
}

impl Attempt {
    /// A new message of a random size up to about `size_max`.
    pub(super) fn new(id: u64, size_max: u64, random: &mut Random) -> Self {
        let size = 400 + random.below(size_max) as usize;
        let body = message(random.next(), id, Profile::Fixed(size));
        let bytes = [format!("{FIELD}: {id}\r\n").as_bytes(), &body].concat();
        Self {
            id,
            bytes,
            acknowledged: false,
            uid: None,
        }
    }
}

/// What one mailbox should hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    attempts: BTreeMap<u64, Attempt>,
    uid_validity: Option<u64>,
    /// The message under each UID, read and compared.
    compared: BTreeMap<u32, u64>,
}

impl Ledger {
    /// Takes in attempts of a finished client.
    pub(super) fn add(&mut self, attempts: impl IntoIterator<Item = Attempt>) {
        self.attempts
            .extend(attempts.into_iter().map(|attempt| (attempt.id, attempt)));
    }

    /// How many the server acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        self.attempts
            .values()
            .filter(|attempt| attempt.acknowledged)
            .count()
    }

    /// Holds the server to these messages only: of the others nothing is promised and nothing known.
    pub(super) fn liable_for(&mut self, ids: &[u64]) {
        for attempt in self
            .attempts
            .values_mut()
            .filter(|attempt| !ids.contains(&attempt.id))
        {
            attempt.acknowledged = false;
            attempt.uid = None;
        }
        self.compared.clear();
        if ids.is_empty() {
            // The mailbox itself may not have been promised yet.
            self.uid_validity = None;
        }
    }

    /// Compares a mailbox with the ledger: everything acknowledged is there exactly once, byte for byte, under the
    /// UID first seen; what was attempted and not acknowledged may be there once; nothing else. Messages compared
    /// before are not read again unless `all`. Returns how many unacknowledged ones are there.
    pub(super) fn compare(
        &mut self,
        port: u16,
        account: &Account,
        mailbox: &str,
        all: bool,
    ) -> Outcome<usize> {
        let mut session = Imap::login(port, account)?;
        let selected = session.command(&format!("SELECT \"{mailbox}\""))?;
        if !selected.is_ok() {
            return ensure(self.acknowledged() == 0, || {
                format!("{mailbox}: {}", selected.tagged)
            })
            .map(|()| 0);
        }
        let validity = selected.number_after("UIDVALIDITY");
        ensure(
            self.uid_validity.is_none() || self.uid_validity == validity,
            || {
                format!(
                    "{mailbox}: UIDVALIDITY {validity:?}, was {:?}",
                    self.uid_validity
                )
            },
        )?;
        self.uid_validity = validity;
        if all {
            self.compared.clear();
        }
        let uids: BTreeSet<u32> = session
            .expect_ok("UID SEARCH ALL")?
            .found()
            .into_iter()
            .collect();
        if let Some((uid, id)) = self.compared.iter().find(|(uid, _)| !uids.contains(uid)) {
            return Err(Failure(format!(
                "{mailbox}: message {id} was seen as UID {uid} and is gone"
            )));
        }
        let new: Vec<u32> = uids
            .into_iter()
            .filter(|uid| !self.compared.contains_key(uid))
            .collect();
        for page in new.chunks(PAGE) {
            self.read(&mut session, page).during(mailbox)?;
        }
        self.settle().during(mailbox)
    }

    /// Reads messages and compares their bytes with what was sent.
    fn read(&mut self, session: &mut Imap, page: &[u32]) -> Outcome {
        let set: Vec<String> = page.iter().map(u32::to_string).collect();
        let answer =
            session.expect_ok(&format!("UID FETCH {} (UID BODY.PEEK[])", set.join(",")))?;
        let bodies: BTreeMap<u32, Vec<u8>> = answer
            .fetched()?
            .iter()
            .filter_map(|items| Some((items.number("UID")? as u32, items.bytes("BODY[]")?)))
            .collect();
        for uid in page {
            let body = bodies
                .get(uid)
                .ok_or_else(|| Failure(format!("UID {uid}: no body")))?;
            let id = id_of(body)
                .ok_or_else(|| Failure(format!("UID {uid}: no {FIELD}: {}", shown(body, 200))))?;
            let attempt = self
                .attempts
                .get(&id)
                .ok_or_else(|| Failure(format!("message {id} was never sent here")))?;
            ensure(is_below_trace(body, &attempt.bytes), || {
                format!(
                    "message {id}, UID {uid}: {}",
                    difference(body, &attempt.bytes)
                )
            })?;
            self.compared.insert(*uid, id);
        }
        Ok(())
    }

    /// Every message is where and as often as it should be.
    fn settle(&mut self) -> Outcome<usize> {
        let mut places = BTreeMap::new();
        for (uid, id) in &self.compared {
            if let Some(first) = places.insert(*id, *uid) {
                return Err(Failure(format!(
                    "message {id} is there twice: UIDs {first} and {uid}"
                )));
            }
        }
        let mut extra = 0;
        for attempt in self.attempts.values_mut() {
            match (places.get(&attempt.id), attempt.uid) {
                (None, None) if attempt.acknowledged => {
                    return Err(Failure(format!(
                        "message {} was acknowledged and is lost",
                        attempt.id
                    )));
                }
                (None, Some(uid)) => {
                    return Err(Failure(format!(
                        "message {} was seen as UID {uid} and is gone",
                        attempt.id
                    )));
                }
                (Some(uid), Some(known)) if *uid != known => {
                    return Err(Failure(format!(
                        "message {}: UID {uid}, was {known}",
                        attempt.id
                    )));
                }
                (Some(uid), _) => {
                    attempt.uid = Some(*uid);
                    extra += usize::from(!attempt.acknowledged);
                }
                (None, None) => {}
            }
        }
        Ok(extra)
    }
}

/// The id in a message's header.
fn id_of(message: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(message);
    let line = text.lines().find(|line| line.starts_with(FIELD))?;
    line.split_once(':')?.1.trim().parse().ok()
}
