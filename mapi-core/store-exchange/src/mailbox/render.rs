//! Making the bytes of messages: fetched many per request, rendered once, kept in the mirror.

use std::collections::{HashMap, HashSet};

use mapi_store::{Items, Object, Query, Result, Table};
use mapi_types::{Content, FolderId, ItemNumber, MessageTree, PropBag, PropTag, tags};
use mapi_wire::{Gid, Id};
use store_openchange::{Body, ChangeKey, Confirmed, RemoteItemRef, Rendered, RenderedOutcome};
use tokio::task::spawn_blocking;

use super::{Mailbox, Work, kept::says_the_same};
use crate::{
    message::{all_props, render, substitute, tree},
    remote::{Fetched, MESSAGES_MAX},
    session::Session,
    values::{Names, store_name},
};

/// The most octets of messages, as the server counts them, that are fetched with one request; a larger one comes alone.
const FETCH_BYTES_MAX: u64 = 8 << 20;

/// How often messages are looked at that change all the time.
const ROUNDS_MAX: u32 = 3;

/// A message to be fetched.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    number: ItemNumber,
    pub(super) mid: Id,
    pub(super) gid: Gid,
    change_key: ChangeKey,
    /// Whether its original is what was once stored here.
    kept: bool,
    size: u64,
}

/// Whether those who want messages of a folder have their turns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turns {
    Taken,
    None,
}

/// What was made of messages.
#[derive(Default)]
struct Made {
    rendered: Vec<Rendered>,
    confirmed: Vec<Confirmed>,
}

impl Mailbox {
    /// Makes the bytes of these items unless they are there; what is gone is passed over.
    ///
    /// Errors: those of the server and of the mirror.
    pub(crate) async fn rendered(
        &self,
        session: &Session,
        folder: FolderId,
        numbers: &[ItemNumber],
    ) -> Result<()> {
        let session = (session, Turns::Taken);
        self.make(session, folder, numbers, is_missing).await
    }

    /// [`Self::rendered`] before anybody asks for it. Who does ask does not wait for this: at worst something is
    /// fetched twice.
    pub(super) async fn rendered_ahead(
        &self,
        folder: FolderId,
        numbers: &[ItemNumber],
    ) -> Result<()> {
        let session = (&self.remote.sessions.fill, Turns::None);
        self.make(session, folder, numbers, is_missing).await
    }

    /// Looks at these items anew: whether the bytes that were served are still those of the server.
    pub(crate) async fn verified(
        &self,
        session: &Session,
        folder: FolderId,
        numbers: &[ItemNumber],
    ) -> Result<()> {
        let session = (session, Turns::Taken);
        self.make(session, folder, numbers, |item| item.stale).await
    }

    async fn make(
        &self,
        (session, turns): (&Session, Turns),
        folder: FolderId,
        numbers: &[ItemNumber],
        needs: impl Fn(&RemoteItemRef) -> bool,
    ) -> Result<()> {
        // Again for those that somebody changed meanwhile.
        for _ in 0..ROUNDS_MAX {
            let (mut tried, mut outdated, mut failed) = (HashSet::new(), false, None);
            // Page by page, so that others who want messages of this folder have their turns in between.
            loop {
                let _turn = match turns {
                    Turns::Taken => Some(self.turn(Work::Render(folder)).await),
                    Turns::None => None,
                };
                let untried = numbers.iter().filter(|number| !tried.contains(*number));
                let untried: Vec<_> = untried.copied().collect();
                let wanted = self.wanted(folder, &untried, &needs).await?;
                let Some(page) = first_page(&wanted) else {
                    break;
                };
                if self.has_waiting() {
                    // What waits has no names at the server before.
                    self.caught_up().await?;
                    outdated = true;
                    break;
                }
                tried.extend(page.iter().map(|wanted| wanted.number));
                let fid = self.folder_fid(folder).await?;
                let got = self.fetch(session, (folder, fid), page).await?;
                failed = failed.or(got.failed);
                outdated |= self.put(folder, page, (got.fetched, got.refused)).await?;
            }
            match failed {
                Some(error) => return Err(error),
                None if !outdated => return Ok(()),
                None => {}
            }
        }
        Ok(())
    }

    /// Renders what was fetched, and something in place of what the server refuses. Whether some of it is outdated.
    async fn put(
        &self,
        folder: FolderId,
        page: &[Wanted],
        (fetched, refused): (Vec<Fetched>, Vec<usize>),
    ) -> Result<bool> {
        let names = self.names_for(&fetched).await?;
        let index = self.index_of(folder, page, &refused).await?;
        let kept = self.kept(folder, page, &fetched).await?;
        let domain = self.options.domain.clone();
        let page = page.to_vec();
        let made = spawn_blocking(move || {
            let mut made = make_all(&page, fetched, &names, (&domain, &kept));
            made.rendered
                .extend(make_substitutes(&page, &index, &domain));
            made
        });
        let made = made.await.unwrap_or_default();
        let server = self.options.name.clone();
        metrics::counter!("exchange_messages_rendered_total", "server" => server)
            .increment(made.rendered.len() as u64);
        let octets = made.rendered.iter().map(octets).sum();
        if !made.confirmed.is_empty() {
            self.mirror.confirm(folder, made.confirmed).await?;
        }
        let outcomes = self.mirror.put_rendered(folder, made.rendered).await?;
        self.made(octets);
        Ok(outcomes.contains(&RenderedOutcome::Outdated))
    }

    /// What the index knows of messages that the server refuses, by their places.
    async fn index_of(
        &self,
        folder: FolderId,
        page: &[Wanted],
        refused: &[usize],
    ) -> Result<Vec<(usize, PropBag)>> {
        const COLUMNS: [PropTag; 5] = [
            tags::MESSAGE_CLASS.tag(),
            tags::SUBJECT.tag(),
            tags::MESSAGE_DELIVERY_TIME.tag(),
            tags::CLIENT_SUBMIT_TIME.tag(),
            tags::INTERNET_MESSAGE_ID.tag(),
        ];
        let mut index = Vec::with_capacity(refused.len());
        for place in refused {
            if let Some(wanted) = page.get(*place) {
                let object = Object::Item(folder, wanted.number);
                index.push((*place, self.inner.props(object, &COLUMNS).await?));
            }
        }
        Ok(index)
    }

    /// The originals of those messages that are kept for ever and may not be what the server has any more.
    async fn kept(
        &self,
        folder: FolderId,
        page: &[Wanted],
        fetched: &[Fetched],
    ) -> Result<HashMap<usize, MessageTree>> {
        let mut kept = HashMap::new();
        for one in fetched {
            if let Some(wanted) = page.get(one.place)
                && wanted.kept
                && let Some(tree) = self.original_of(folder, wanted.number).await?
            {
                kept.insert(one.place, tree);
            }
        }
        Ok(kept)
    }

    async fn wanted(
        &self,
        folder: FolderId,
        numbers: &[ItemNumber],
        needs: &impl Fn(&RemoteItemRef) -> bool,
    ) -> Result<Vec<Wanted>> {
        let known = self.mirror.remote_ids(folder, numbers).await?;
        let needed = numbers.iter().zip(known);
        let needed: Vec<_> = needed
            .filter_map(|(number, item)| Some((*number, item.filter(|item| needs(item))?)))
            .collect();
        let sizes = self.sizes(folder, &needed).await?;
        let mut wanted = Vec::with_capacity(needed.len());
        for ((number, item), size) in needed.into_iter().zip(sizes) {
            let Some(gid) = Gid::from_bytes(&item.id.0) else {
                continue;
            };
            wanted.push(Wanted {
                number,
                mid: self.remote.id(gid).await?,
                gid,
                change_key: item.change_key,
                kept: item.body == Body::Kept,
                size,
            });
        }
        Ok(wanted)
    }

    /// About how large the items are; 0 where that is not known.
    async fn sizes(
        &self,
        folder: FolderId,
        items: &[(ItemNumber, RemoteItemRef)],
    ) -> Result<Vec<u64>> {
        let columns = [
            tags::INTERNET_ARTICLE_NUMBER.tag(),
            tags::MESSAGE_SIZE.tag(),
        ];
        let numbers: Vec<_> = items.iter().map(|(number, _)| *number).collect();
        let query = Query {
            table: Table::Contents(folder),
            columns: &columns,
            items: Items::Numbers(&numbers),
            filter: None,
            sort: &[],
            limit: u32::MAX,
        };
        let rows = self.inner.query(&query).await?;
        let sizes: HashMap<_, _> = rows
            .rows()
            .filter_map(|row| {
                let number = row.get(&tags::INTERNET_ARTICLE_NUMBER)?.cast_unsigned();
                Some((number, row.get(&tags::MESSAGE_SIZE)?.cast_unsigned()))
            })
            .collect();
        let size = |number: &ItemNumber| sizes.get(&number.0).copied().unwrap_or_default();
        Ok(numbers.iter().map(size).collect())
    }

    /// The local ids of all named properties in these messages; new ones get one.
    async fn names_for(&self, fetched: &[Fetched]) -> Result<Names> {
        let mut names = self.names.lock().await;
        let props = fetched.iter().flat_map(|one| all_props(&one.message));
        let unknown = names.unknown(props);
        if !unknown.is_empty() {
            let asked: Vec<_> = unknown.iter().map(store_name).collect();
            let ids = self.inner.named_properties(&asked, true).await?;
            for (name, id) in unknown.into_iter().zip(ids) {
                if let Some(id) = id {
                    names.learn(name, id);
                }
            }
        }
        Ok(names.clone())
    }
}

/// How long what was made is.
fn octets(made: &Rendered) -> u64 {
    made.message.original.as_ref().map_or(0, Content::len)
}

fn is_missing(item: &RemoteItemRef) -> bool {
    matches!(item.body, Body::Missing | Body::Evicted)
}

fn make_all(
    page: &[Wanted],
    fetched: Vec<Fetched>,
    names: &Names,
    (domain, kept): (&str, &HashMap<usize, MessageTree>),
) -> Made {
    let mut made = Made::default();
    for one in fetched {
        let Some(wanted) = page.get(one.place) else {
            continue;
        };
        let (number, index_key) = (wanted.number, wanted.change_key.clone());
        let change_key = one
            .change_key
            .map_or_else(|| wanted.change_key.clone(), ChangeKey);
        let there = tree(&one.message, names);
        let kept = kept.get(&one.place);
        if kept.is_some_and(|kept| says_the_same(kept, &there)) {
            made.confirmed.push(Confirmed {
                number,
                index_key,
                change_key,
            });
            continue;
        }
        let key = lasting_key(&there, wanted.gid);
        made.rendered.push(Rendered {
            number,
            index_key,
            change_key,
            message: render(there, &key, domain).into(),
            kept: false,
        });
    }
    made
}

/// What a message is told by that has no Message-ID: copies have the same, for their bytes are those of the original
/// until they are made anew. Source: PidTagSearchKey, MS-OXCPRPT 2.2.1.9.
fn lasting_key(message: &MessageTree, gid: Gid) -> Vec<u8> {
    match message.props.get(&tags::SEARCH_KEY) {
        Some(key) if !key.is_empty() => key.to_vec(),
        _ => gid.to_bytes().to_vec(),
    }
}

fn make_substitutes(page: &[Wanted], index: &[(usize, PropBag)], domain: &str) -> Vec<Rendered> {
    let refused = index.iter();
    let refused = refused.filter_map(|(place, index)| Some((page.get(*place)?, index)));
    refused
        .map(|(wanted, index)| Rendered {
            number: wanted.number,
            index_key: wanted.change_key.clone(),
            change_key: wanted.change_key.clone(),
            message: substitute(index, &wanted.gid.to_bytes(), domain).into(),
            kept: false,
        })
        .collect()
}

/// The first messages, as many as are fetched together; `None`: there are none.
fn first_page(wanted: &[Wanted]) -> Option<&[Wanted]> {
    let mut octets = 0;
    let fits = wanted.iter().take(MESSAGES_MAX).take_while(|wanted| {
        octets += wanted.size;
        octets <= FETCH_BYTES_MAX
    });
    let page = wanted.get(..fits.count().max(1))?;
    Some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_message_comes_alone_and_small_ones_in_company() {
        let wanted = |size| Wanted {
            number: ItemNumber(1),
            mid: Id::default(),
            gid: Gid::default(),
            change_key: ChangeKey(Box::default()),
            kept: false,
            size,
        };
        let all: Vec<_> = [1000; 60]
            .into_iter()
            .chain([FETCH_BYTES_MAX * 2, 10])
            .map(wanted)
            .collect();
        let (mut rest, mut lens) = (all.as_slice(), Vec::new());
        while let Some(page) = first_page(rest) {
            lens.push(page.len());
            rest = &rest[page.len()..];
        }
        assert_eq!(lens, [50, 10, 1, 1]);
    }
}
