//! What was sent and what the server said about it, and whether its mailboxes agree.

use std::collections::{BTreeMap, BTreeSet};

use crate::failure::{Failure, Outcome, ensure};
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
    /// UIDs whose bytes were compared already.
    compared: BTreeSet<u32>,
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
        if ids.is_empty() {
            // The mailbox itself may not have been promised yet.
            self.uid_validity = None;
        }
    }

    /// Compares a mailbox with the ledger: everything acknowledged is there exactly once, byte for byte, under the
    /// UID first seen; what was attempted and not acknowledged may be there once; nothing else. Bytes of messages
    /// compared before are not read again unless `all`. Returns how many unacknowledged ones are there.
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
        let found = if selected.exists() == Some(0) {
            BTreeMap::new()
        } else {
            uids_by_id(&mut session)?
        };
        let extra = self.settle(mailbox, &found)?;
        if all {
            self.compared.clear();
        }
        let unread: Vec<(u32, u64)> = found
            .iter()
            .map(|(id, uid)| (*uid, *id))
            .filter(|(uid, _)| !self.compared.contains(uid))
            .collect();
        for page in unread.chunks(PAGE) {
            self.compare_bytes(&mut session, page)?;
        }
        Ok(extra)
    }

    /// Who is there, under which UID.
    fn settle(&mut self, mailbox: &str, found: &BTreeMap<u64, u32>) -> Outcome<usize> {
        let mut extra = 0;
        if let Some(stranger) = found.keys().find(|id| !self.attempts.contains_key(id)) {
            return Err(Failure(format!(
                "{mailbox}: message {stranger} was never sent there"
            )));
        }
        for attempt in self.attempts.values_mut() {
            match (found.get(&attempt.id), attempt.uid) {
                (None, _) if attempt.acknowledged => {
                    return Err(Failure(format!(
                        "{mailbox}: message {} was acknowledged and is lost",
                        attempt.id
                    )));
                }
                (None, Some(uid)) => {
                    return Err(Failure(format!(
                        "{mailbox}: message {} was seen as UID {uid} and is gone",
                        attempt.id
                    )));
                }
                (Some(uid), Some(known)) if *uid != known => {
                    return Err(Failure(format!(
                        "{mailbox}: message {}: UID {uid}, was {known}",
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

    fn compare_bytes(&mut self, session: &mut Imap, page: &[(u32, u64)]) -> Outcome {
        let set: Vec<String> = page.iter().map(|(uid, _)| uid.to_string()).collect();
        let answer =
            session.expect_ok(&format!("UID FETCH {} (UID BODY.PEEK[])", set.join(",")))?;
        let bodies: BTreeMap<u64, Vec<u8>> = answer
            .fetched()?
            .iter()
            .filter_map(|items| Some((items.number("UID")?, items.bytes("BODY[]")?)))
            .collect();
        for (uid, id) in page {
            let body = bodies
                .get(&u64::from(*uid))
                .map(Vec::as_slice)
                .unwrap_or_default();
            let Some(attempt) = self.attempts.get(id) else {
                continue;
            };
            ensure(is_below_trace(body, &attempt.bytes), || {
                format!(
                    "message {id}, UID {uid}: {}",
                    difference(body, &attempt.bytes)
                )
            })?;
            self.compared.insert(*uid);
        }
        Ok(())
    }
}

/// The id of every message in the selected mailbox, with its UID; an id that is there twice is a failure.
fn uids_by_id(session: &mut Imap) -> Outcome<BTreeMap<u64, u32>> {
    let answer = session.expect_ok(&format!(
        "UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS ({FIELD})])"
    ))?;
    let mut found = BTreeMap::new();
    for items in answer.fetched()? {
        let uid = items
            .number("UID")
            .ok_or_else(|| Failure("FETCH without UID".into()))? as u32;
        let (_, header) = items
            .starting("BODY[HEADER.FIELDS")
            .ok_or_else(|| Failure("FETCH without header".into()))?;
        let text = String::from_utf8_lossy(&header).into_owned();
        let id = text
            .split_once(':')
            .and_then(|(_, id)| id.trim().parse::<u64>().ok());
        let id = id.ok_or_else(|| Failure(format!("UID {uid} has no {FIELD}: {text:?}")))?;
        if let Some(first) = found.insert(id, uid) {
            return Err(Failure(format!(
                "message {id} is there twice: UIDs {first} and {uid}"
            )));
        }
    }
    Ok(found)
}
