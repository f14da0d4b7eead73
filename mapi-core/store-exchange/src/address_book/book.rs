//! Questions to the address book.

use std::sync::{Arc, Mutex, PoisonError};

use mapi_wire::{
    Utf16,
    http::Request as Call,
    nspi::{GetSpecialTable, MId, ResolveNames, Stat},
};
use tokio::{sync, time::Instant};

use super::{
    bound::{Bound, beginning},
    columns::{self, RowOf},
    entry::{AddressList, Entry},
    known::Known,
    questions::{TEXT_BYTES_MAX, addresses_of, askable, entry, is_askable, page, search},
};
use crate::{
    discover::Locator,
    fault::{Fault, Result},
};

/// The most entries of one answer to [`AddressBook::search`] and [`AddressBook::list`].
pub const ENTRIES_MAX: usize = 1000;

/// Names asked for at once.
const NAMES_AT_ONCE: usize = 100;

/// The most address lists.
const LISTS_MAX: usize = 1000;

/// How often a question is asked, each time in a session of its own.
const TRIES: usize = 2;

/// One user's view of the organisation's address book.
///
/// Questions are answered one after another. Errors of all of them: `Unauthenticated`, `Denied` (there is no address
/// book), `Busy`, `Away`, `Operation` (it refuses), and after a second try `Lost`, `Expired`, `Malformed` and `Moved`.
pub struct AddressBook {
    /// Who knows where the address book is, with the user's credentials of the day.
    locator: Box<dyn Fn() -> Arc<Locator> + Send + Sync>,
    /// Held while asking, for a session takes one request at a time. Nothing in it while a question is under way: one
    /// that is given up halfway leaves a session that nobody can use.
    turn: sync::Mutex<Option<Bound>>,
    known: Mutex<Known>,
}

impl AddressBook {
    /// Nothing is asked yet. `locator` is asked for at the beginning of each session, for credentials may change.
    pub fn new(locator: impl Fn() -> Arc<Locator> + Send + Sync + 'static) -> Self {
        Self {
            locator: Box::new(locator),
            turn: sync::Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// Whoever may be meant by a text, up to `limit` and [`ENTRIES_MAX`]: by parts of names, by alias, by address.
    ///
    /// What matches too many is taken as the beginning of a display name. Two requests.
    pub async fn search(&self, text: &str, limit: usize) -> Result<Vec<Entry>> {
        let text = text.trim();
        let limit = limit.min(ENTRIES_MAX);
        if text.is_empty() || limit == 0 || !is_askable(text, TEXT_BYTES_MAX) {
            return Ok(Vec::new());
        }
        self.run(|mut book| async move {
            let answer = search(&mut book, text, limit).await;
            (book, answer)
        })
        .await
    }

    /// Entries of the global address list by display name, from the `offset`th, up to `limit` and [`ENTRIES_MAX`].
    ///
    /// Fewer only at the end. One request for a hundred entries.
    pub async fn list(&self, offset: usize, limit: usize) -> Result<Vec<Entry>> {
        self.list_in(MId::default(), offset, limit).await
    }

    /// Entries of an address list, as [`Self::list`].
    pub async fn list_of(
        &self,
        list: &AddressList,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        self.list_in(list.container, offset, limit).await
    }

    /// The address lists: parts of the address book, the global address list first.
    pub async fn lists(&self) -> Result<Vec<AddressList>> {
        const UNICODE: u32 = 4;
        let ask = GetSpecialTable {
            flags: UNICODE,
            stat: Some(beginning()),
            version: Some(0),
        };
        let table = self.put(&ask).await?;
        let rows = table.rows.unwrap_or_default();
        let lists = rows.iter().filter_map(|row| AddressList::of(row));
        Ok(lists.take(LISTS_MAX).collect())
    }

    /// Who is meant by each of these: names, aliases or addresses that mean one entry alone.
    ///
    /// `None`: nobody or several; gromox 3.10 does not tell these apart. One request for a hundred names.
    pub async fn resolve(&self, names: &[&str]) -> Result<Vec<Option<Entry>>> {
        let mut all = Vec::with_capacity(names.len());
        let name = |name: &&str| Utf16::from(askable(name, TEXT_BYTES_MAX));
        for names in names.chunks(NAMES_AT_ONCE) {
            let ask = ResolveNames {
                reserved: 0,
                stat: Some(beginning()),
                columns: Some(columns::ENTRY.into()),
                names: Some(names.iter().map(name).collect()),
            };
            let found = self.put(&ask).await?;
            let rows = found.rows.unwrap_or_default();
            let mut row = 0..rows.rows.len();
            let mut mids = found.mids.unwrap_or_default().into_iter();
            all.extend(names.iter().map(|_| match mids.next() {
                Some(MId::RESOLVED) => Entry::of(&RowOf(&rows, row.next()?)),
                _ => None,
            }));
        }
        Ok(all)
    }

    /// The entry with exactly this SMTP address.
    pub async fn with_address(&self, address: &str) -> Result<Option<Entry>> {
        // The prefix and the equals sign mean: no other property, and all of it (MS-OXNSPI 3.1.4.7).
        let found = self.resolve(&[&format!("=SMTP:{address}")]).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// The entry with a distinguished name.
    pub async fn entry(&self, dn: &str) -> Result<Option<Entry>> {
        self.run(|mut book| async move {
            let answer = entry(&mut book, dn).await;
            (book, answer)
        })
        .await
    }

    /// Where mail goes for each of these distinguished names (addresses of type EX); `None` where there is no such
    /// entry, or it has no SMTP address.
    ///
    /// Answers are remembered for hours. Two requests for a hundred names that are not.
    pub async fn resolve_dn(&self, dns: &[&str]) -> Result<Vec<Option<String>>> {
        let mut unknown: Vec<&str> = {
            let mut known = self.known();
            let now = Instant::now();
            let is_new = |dn: &&&str| known.of(dn, now).is_none();
            dns.iter().filter(is_new).copied().collect()
        };
        unknown.sort_unstable();
        unknown.dedup();
        let mut found: Vec<(&str, Option<Arc<str>>)> = Vec::new();
        for names in unknown.chunks(NAMES_AT_ONCE) {
            let addresses = self
                .run(|mut book| async move {
                    let answer = addresses_of(&mut book, names).await;
                    (book, answer)
                })
                .await?;
            let mut known = self.known();
            for (dn, address) in names.iter().zip(addresses) {
                known.learn(dn, address.clone(), Instant::now());
                found.push((dn, address));
            }
        }
        let mut known = self.known();
        let now = Instant::now();
        let answers = dns.iter().map(|dn| {
            let place = found.binary_search_by_key(dn, |(dn, _)| dn);
            match place.ok().and_then(|place| found.get(place)) {
                Some((_, address)) => address.as_deref().map(str::to_owned),
                None => known.of(dn, now).flatten().as_deref().map(str::to_owned),
            }
        });
        Ok(answers.collect())
    }

    /// Ends the session, if there is one. The next question begins another.
    pub async fn close(&self) {
        let bound = self.turn.lock().await.take();
        if let Some(bound) = bound {
            bound.unbind().await;
        }
    }

    async fn list_in(&self, container_id: MId, offset: usize, limit: usize) -> Result<Vec<Entry>> {
        let Ok(delta) = i32::try_from(offset) else {
            return Ok(Vec::new());
        };
        let start = Stat {
            container_id,
            delta,
            ..beginning()
        };
        let limit = limit.min(ENTRIES_MAX);
        self.run(|mut book| async move {
            let answer = page(&mut book, start, limit).await;
            (book, answer)
        })
        .await
    }

    /// Asks one request.
    async fn put<C: Call + Sync>(&self, ask: &C) -> Result<C::Response> {
        self.run(|mut book| async move {
            let answer = book.ask(ask).await;
            (book, answer)
        })
        .await
    }

    /// Asks in the session there is, and once more in a new one where that may help.
    ///
    /// The session is handed to `ask` and back, so that the future can be sent between threads whatever it asks.
    async fn run<T, F>(&self, ask: impl Fn(Bound) -> F) -> Result<T>
    where
        F: Future<Output = (Bound, Result<T>)>,
    {
        let mut turn = self.turn.lock().await;
        let mut anew = false;
        for left in (0..TRIES).rev() {
            let fault = match self.asked(&mut turn, anew, &ask).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            tracing::debug!(%fault, "a question to the address book failed");
            anew = match &fault {
                Fault::Moved => true,
                Fault::Expired | Fault::Lost(_) | Fault::Malformed(_) => false,
                _ => return Err(fault),
            };
            if left == 0 {
                return Err(fault);
            }
        }
        Err(Fault::Expired)
    }

    async fn asked<T, F>(
        &self,
        turn: &mut Option<Bound>,
        anew: bool,
        ask: &impl Fn(Bound) -> F,
    ) -> Result<T>
    where
        F: Future<Output = (Bound, Result<T>)>,
    {
        let bound = match turn.take().filter(Bound::is_alive) {
            Some(bound) => bound,
            None => self.bind(anew).await?,
        };
        let (bound, answer) = ask(bound).await;
        // A refusal of the address book itself leaves the session as it is.
        if matches!(answer, Ok(_) | Err(Fault::Operation { .. })) {
            *turn = Some(bound);
        }
        answer
    }

    async fn bind(&self, anew: bool) -> Result<Bound> {
        let locator = (self.locator)();
        let found = locator.find(anew).await?;
        let url = found.address_book_url.clone();
        let none = Fault::Denied("the server offers no address book for this mailbox");
        Bound::bind(locator.server(found.transport, url.ok_or(none)?)).await
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for AddressBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddressBook").finish_non_exhaustive()
    }
}
