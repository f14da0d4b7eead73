//! What somebody does in a mailbox by way of the gateway.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use mapi_store::{ByteRange, Deletion, ErrorKind, Expected, READ_BYTES_MAX, Transfer};
use mapi_types::{
    BitChange, Change, Content, ContentHash, Derived, Draft, FileTime, ItemKey, ItemNumber,
    Message, MessageTree, OwnedValue, PropBag, tags, tags::message_flags,
};

use super::{
    Outcome, Simulation, TRIES,
    model::{Copy, Place, Token},
    unexpected,
};
use crate::subject::{ALICE, try_listing};

/// PidTagFlagStatus of what is flagged.
pub(super) const FLAGGED: i32 = 2;

pub(super) fn subject(token: Token) -> String {
    format!("message {token}")
}

pub(super) fn token(subject: &str) -> Token {
    let token = subject.strip_prefix("message ");
    let token = token.and_then(|token| token.parse().ok());
    token.unwrap_or_else(|| panic!("a message is about {subject:?}"))
}

/// Every message has one, so that its bytes do not depend on where it is.
pub(super) fn message_id(token: Token) -> String {
    format!("<{token}@example.test>")
}

/// A message with a key of its own, whose octets no converter would make.
fn draft(token: Token) -> (Draft, Bytes) {
    let subject = subject(token);
    let octets = format!("Subject: {subject}\r\nX-Odd:   kept \r\n\r\nbody of {token}\r\n");
    let original = Bytes::from(octets.into_bytes());
    let hash = ContentHash(blake3::hash(&original).into());
    let len = original.len() as u64;
    let text = |text: &str| OwnedValue::Str(text.into());
    let props = [
        (tags::SUBJECT.tag(), text(&subject)),
        (tags::MESSAGE_CLASS.tag(), text("IPM.Note")),
        (tags::INTERNET_MESSAGE_ID.tag(), text(&message_id(token))),
        (
            tags::CLIENT_SUBMIT_TIME.tag(),
            OwnedValue::Time(FileTime::from_unix(1_800_000_000)),
        ),
    ];
    let draft = Draft {
        key: Some(ItemKey(subject.as_bytes().into())),
        message: Arc::new(Message {
            tree: MessageTree {
                props: props.into_iter().collect(),
                ..MessageTree::default()
            },
            original: Some(Content::new(Arc::new(original.clone()), len, hash)),
            derived: Derived::default(),
        }),
        props: [(tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(0))]
            .into_iter()
            .collect(),
        prefix: Bytes::new(),
    };
    (draft, original)
}

/// A message to Bob.
fn letter(subject: &str) -> Draft {
    let text = |value: &str| OwnedValue::Str(value.into());
    let recipient: PropBag = [
        (tags::RECIPIENT_TYPE.tag(), OwnedValue::I32(1)),
        (tags::DISPLAY_NAME.tag(), text("Bob")),
        (tags::ADDRESS_TYPE.tag(), text("SMTP")),
        (tags::EMAIL_ADDRESS.tag(), text("bob@example.test")),
        (tags::SMTP_ADDRESS.tag(), text("bob@example.test")),
    ]
    .into_iter()
    .collect();
    let props = [
        (tags::MESSAGE_CLASS.tag(), text("IPM.Note")),
        (tags::SUBJECT.tag(), text(subject)),
        (tags::BODY.tag(), text("text")),
        (tags::SENT_REPRESENTING_ADDRESS_TYPE.tag(), text("SMTP")),
        (tags::SENT_REPRESENTING_EMAIL_ADDRESS.tag(), text(ALICE)),
        (tags::SENT_REPRESENTING_SMTP_ADDRESS.tag(), text(ALICE)),
    ];
    Draft {
        key: Some(ItemKey(subject.as_bytes().into())),
        message: Arc::new(Message {
            tree: MessageTree {
                props: props.into_iter().collect(),
                recipients: vec![recipient],
                attachments: Vec::new(),
            },
            ..Message::default()
        }),
        props: PropBag::default(),
        prefix: Bytes::new(),
    }
}

impl Simulation {
    pub(super) fn place(&mut self) -> Place {
        self.random.below(self.folders.len() as u64) as usize
    }

    pub(super) fn new_token(&mut self) -> Token {
        self.next += 1;
        self.next
    }

    pub(super) async fn save(&mut self) {
        let place = self.place();
        let count = 1 + self.random.below(2);
        let tokens: Vec<_> = (0..count).map(|_| self.new_token()).collect();
        let mut drafts = Vec::new();
        for token in &tokens {
            let (draft, original) = draft(*token);
            drafts.push(draft);
            self.model.originals.insert(*token, original);
        }
        let folder = self.folders[place].id;
        let saving = self.insist(async |store| store.save(folder, &drafts).await);
        let (_, saved) = saving.await;
        let saved = match saved {
            Ok(Outcome::Done(saved)) => Some(saved),
            Ok(Outcome::Unknown) => None,
            Err(error) => unexpected("saving", &error),
        };
        for (at, token) in tokens.into_iter().enumerate() {
            let number = saved.as_ref().map(|saved| saved[at].number.0);
            let mut places = vec![Some(place)];
            if number.is_none() {
                places.push(None);
            }
            self.model.copies.push(Copy {
                token,
                places,
                number: None,
                touched: false,
                read: Some(false),
                flagged: Some(false),
            });
            self.model.tell(token, ("saved", place, number));
            if let Some(number) = number {
                self.model.see(place, number, token);
            }
        }
    }

    /// Some of the messages that a folder shows.
    async fn some(&mut self) -> (Place, Vec<(ItemNumber, Token)>) {
        let place = self.place();
        let mut all = self.list(place).await.unwrap_or_default();
        let count = 1 + self.random.below(3) as usize;
        while all.len() > count {
            let at = self.random.below(all.len() as u64) as usize;
            all.swap_remove(at);
        }
        (place, all)
    }

    /// What a folder shows, if it can be had.
    pub(super) async fn list(&mut self, place: Place) -> Option<Vec<(ItemNumber, Token)>> {
        let folder = self.folders[place].id;
        let listing = self.insist(async |store| try_listing(store, folder).await);
        let rows = match listing.await.1 {
            Ok(Outcome::Done(rows)) => rows,
            Ok(Outcome::Unknown) => return None,
            Err(error) => unexpected("listing", &error),
        };
        let mut all = Vec::new();
        let mut highest = 0;
        let known = self.folders[place].highest;
        for row in rows.rows() {
            let number = row.get(&tags::INTERNET_ARTICLE_NUMBER).unwrap() as u32;
            let subject = row.get(&tags::SUBJECT).unwrap_or_default();
            if subject.is_empty() {
                let there = self.standin.server.mailbox(ALICE);
                let there = there.messages(self.there(place)).unwrap();
                panic!("number {number} of {place} ({known}) is empty: {there:#?}");
            }
            let token = token(subject);
            let new = !self.model.numbers.contains_key(&(place, number));
            assert!(number > highest, "numbers ascend");
            assert!(!new || number > known, "{number} after {known}");
            highest = number;
            self.model.see(place, number, token);
            all.push((ItemNumber(number), token));
        }
        self.folders[place].highest = known.max(highest);
        Some(all)
    }

    pub(super) async fn look(&mut self) -> Option<()> {
        let place = self.place();
        self.list(place).await.map(drop)
    }

    pub(super) async fn mark(&mut self) {
        let (place, items) = self.some().await;
        if items.is_empty() {
            return;
        }
        let set = self.random.once_in(2);
        let reads = self.random.once_in(2);
        let change = match (reads, set) {
            (true, set) => Change {
                bits: vec![BitChange {
                    tag: tags::MESSAGE_FLAGS.tag(),
                    set: if set { message_flags::READ } else { 0 },
                    clear: if set { 0 } else { message_flags::READ },
                }],
                ..Change::default()
            },
            (false, true) => Change {
                set: vec![(tags::FLAG_STATUS.tag(), OwnedValue::I32(FLAGGED))],
                ..Change::default()
            },
            (false, false) => Change {
                delete: vec![tags::FLAG_STATUS.tag()],
                ..Change::default()
            },
        };
        let expected: Vec<_> = items
            .iter()
            .map(|(item, _)| Expected {
                item: *item,
                version: None,
            })
            .collect();
        let folder = self.folders[place].id;
        let marking = self.insist(async |store| store.update(folder, &expected, &change).await);
        let done = match marking.await.1 {
            Ok(Outcome::Done(_)) => true,
            Ok(Outcome::Unknown) => false,
            Err(error) => unexpected("marking", &error),
        };
        for (_, token) in items {
            self.model.tell(token, ("marked", place, reads, set, done));
            let Some(copy) = self.model.copy_in(token, place) else {
                continue;
            };
            let known = (done && copy.is_certainly(place) && !copy.touched).then_some(set);
            match reads {
                true => copy.read = known,
                false => copy.flagged = known,
            }
        }
    }

    pub(super) async fn transfer(&mut self, how: Transfer) {
        let (from, mut items) = self.some().await;
        let to = (from + 1 + self.random.below(self.folders.len() as u64 - 1) as usize)
            % self.folders.len();
        // Two copies in one folder could not be told apart.
        items.retain(|(_, token)| !self.model.may_be_in(*token, to));
        if items.is_empty() {
            return;
        }
        let numbers: Vec<_> = items.iter().map(|(item, _)| *item).collect();
        let ids = (self.folders[from].id, self.folders[to].id);
        let (tries, done) = match how {
            Transfer::Move => {
                let moving = async |store: &dyn mapi_store::Store| {
                    store.transfer(ids.0, &numbers, ids.1, how).await
                };
                self.insist(moving).await
            }
            // To ask again would make another copy.
            Transfer::Copy => {
                let copying = async |store: &dyn mapi_store::Store| {
                    store.transfer(ids.0, &numbers, ids.1, how).await
                };
                (1, self.attempt(copying).await)
            }
        };
        let done = match done {
            Ok(Outcome::Done(done)) => Some(done),
            Ok(Outcome::Unknown) => None,
            Err(error) if error.kind.is_transient() => None,
            Err(error) if error.kind == ErrorKind::Unauthenticated => {
                self.sign_in().await;
                None
            }
            Err(error) => unexpected("transferring", &error),
        };
        for (item, token) in items {
            let arrived = done.as_ref().map(|done| {
                let mut done = done.iter();
                done.find(|one| one.source == item)
                    .map(|one| one.target.number)
            });
            let is_sure = tries == 1;
            self.transferred((token, from, to), how, (arrived, is_sure));
        }
    }

    /// Takes note of a transfer: `arrived` is what was answered, if there was an answer.
    fn transferred(
        &mut self,
        (token, from, to): (Token, Place, Place),
        how: Transfer,
        (arrived, is_sure): (Option<Option<ItemNumber>>, bool),
    ) {
        self.model.tell(token, (how, from, to, arrived, is_sure));
        let Some(copy) = self.model.copy_in(token, from) else {
            return;
        };
        let mut second = copy.clone();
        match (how, arrived) {
            (Transfer::Move, Some(Some(_))) => copy.is_now(Some(to)),
            (Transfer::Move, None) => copy.is_perhaps(Some(to)),
            (Transfer::Move, Some(None)) if !is_sure => copy.is_perhaps(Some(to)),
            (_, Some(None)) => {
                let certain = copy.is_certainly(from) && !copy.touched;
                assert!(!certain, "{copy:?} was there, and was not transferred");
            }
            (Transfer::Copy, Some(Some(_))) | (Transfer::Copy, None) => {
                second.places = vec![Some(to)];
                second.number = None;
                if arrived.is_none() {
                    second.places.push(None);
                    (second.read, second.flagged) = (None, None);
                }
                self.model.copies.push(second);
            }
        }
        match arrived {
            Some(Some(number)) => self.model.see(to, number.0, token),
            // What arrives by itself is made of what the server has.
            None | Some(None) => drop(self.model.originals.remove(&token)),
        }
    }

    pub(super) async fn delete(&mut self) {
        let (place, items) = self.some().await;
        if items.is_empty() {
            return;
        }
        let numbers: Vec<_> = items.iter().map(|(item, _)| *item).collect();
        let folder = self.folders[place].id;
        let deleting =
            self.insist(async |store| store.delete(folder, &numbers, Deletion::Hard).await);
        let (tries, done) = deleting.await;
        let done: Option<BTreeSet<_>> = match done {
            Ok(Outcome::Done(done)) => Some(done.into_iter().collect()),
            Ok(Outcome::Unknown) => None,
            Err(error) => unexpected("deleting", &error),
        };
        for (item, token) in items {
            let told = done.as_ref().map(|done| done.contains(&item));
            self.model.tell(token, ("deleted", place, told, tries));
            let Some(copy) = self.model.copy_in(token, place) else {
                continue;
            };
            match &done {
                Some(done) if done.contains(&item) && copy.is_certainly(place) => {
                    copy.is_now(None);
                }
                Some(done) if done.contains(&item) || tries > 1 => copy.is_perhaps(None),
                Some(_) => {
                    let certain = copy.is_certainly(place) && !copy.touched;
                    assert!(!certain, "{copy:?} was there, and was not deleted");
                }
                None => copy.is_perhaps(None),
            }
        }
    }

    pub(super) async fn read(&mut self) {
        let (place, items) = self.some().await;
        for (item, token) in items {
            let octets = self.octets(place, item).await;
            if let Some(octets) = octets {
                self.model.read((place, item.0), token, &octets);
            }
        }
    }

    /// The octets of a message, if they can be had.
    pub(super) async fn octets(&mut self, place: Place, item: ItemNumber) -> Option<Bytes> {
        let piece = ByteRange {
            item,
            tag: tags::ORIGINAL.tag(),
            offset: 0,
            len: READ_BYTES_MAX,
        };
        let folder = self.folders[place].id;
        let reading = self.insist(async |store| store.read_bytes(folder, &[piece]).await);
        match reading.await.1 {
            Ok(Outcome::Done(pieces)) => pieces.into_iter().next().flatten(),
            Ok(Outcome::Unknown) => None,
            Err(error) if error.kind == ErrorKind::NotFound => None,
            Err(error) => unexpected("reading", &error),
        }
    }

    pub(super) async fn submit(&mut self) {
        let sent_items = self.sent_items().await;
        let subject = format!("to bob {}", self.new_token());
        let draft = letter(&subject);
        let mut sent = None;
        for _ in 0..TRIES {
            let sending = self.insist(async |store| store.submit(&draft, sent_items).await);
            match sending.await.1 {
                Ok(Outcome::Done(())) => {
                    sent = Some(true);
                    break;
                }
                Ok(Outcome::Unknown) => {}
                Err(error) => unexpected("sending", &error),
            }
        }
        self.sent.insert(subject, sent);
    }
}
