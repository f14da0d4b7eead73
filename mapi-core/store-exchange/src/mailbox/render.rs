//! Making the bytes of messages: fetched many per request, rendered once, kept in the mirror.

use std::collections::HashMap;

use mapi_store::{Items, Query, Result, Table};
use mapi_types::{FolderId, ItemNumber, tags};
use mapi_wire::{Gid, Id};
use store_openchange::{Body, ChangeKey, RemoteItemRef, Rendered};
use tokio::task::spawn_blocking;

use super::{Mailbox, Work};
use crate::{
    message::{all_props, render, tree},
    remote::{Fetched, MESSAGES_MAX},
    session::Session,
    values::{Names, store_name},
};

/// The most octets of messages, as the server counts them, that are fetched with one request; a larger one comes alone.
const FETCH_BYTES_MAX: u64 = 8 << 20;

/// A message to be fetched.
#[derive(Clone, Debug)]
struct Wanted {
    number: ItemNumber,
    mid: Id,
    gid: Gid,
    change_key: ChangeKey,
    size: u64,
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
        let needs = |item: &RemoteItemRef| matches!(item.body, Body::Missing | Body::Evicted);
        self.make(session, folder, numbers, needs).await
    }

    /// Looks at these items anew: whether the bytes that were served are still those of the server.
    pub(crate) async fn verified(
        &self,
        session: &Session,
        folder: FolderId,
        numbers: &[ItemNumber],
    ) -> Result<()> {
        self.make(session, folder, numbers, |item| item.stale).await
    }

    async fn make(
        &self,
        session: &Session,
        folder: FolderId,
        numbers: &[ItemNumber],
        needs: impl Fn(&RemoteItemRef) -> bool,
    ) -> Result<()> {
        let _turn = self.turn(Work::Render(folder)).await;
        let wanted = self.wanted(folder, numbers, needs).await?;
        if wanted.is_empty() {
            return Ok(());
        }
        let fid = self.folder_fid(folder).await?;
        for page in pages(&wanted) {
            let mids: Vec<_> = page.iter().map(|wanted| wanted.mid).collect();
            let fetched = self.remote.messages(session, fid, &mids).await?;
            if fetched.len() < page.len() {
                // Some are gone, or the server cannot give them.
                self.keeper.doubt(folder);
            }
            let names = self.names_for(&fetched).await?;
            let domain = self.options.domain.clone();
            let page = page.to_vec();
            let rendered = spawn_blocking(move || make_all(&page, fetched, &names, &domain));
            let rendered = rendered.await.unwrap_or_default();
            let server = self.options.name.clone();
            metrics::counter!("exchange_messages_rendered_total", "server" => server)
                .increment(rendered.len() as u64);
            self.mirror.put_rendered(folder, rendered).await?;
        }
        Ok(())
    }

    async fn wanted(
        &self,
        folder: FolderId,
        numbers: &[ItemNumber],
        needs: impl Fn(&RemoteItemRef) -> bool,
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

fn make_all(page: &[Wanted], fetched: Vec<Fetched>, names: &Names, domain: &str) -> Vec<Rendered> {
    let mut all = Vec::with_capacity(fetched.len());
    for one in fetched {
        let Some(wanted) = page.get(one.place) else {
            continue;
        };
        let message = render(tree(&one.message, names), &wanted.gid.to_bytes(), domain);
        all.push(Rendered {
            number: wanted.number,
            index_key: wanted.change_key.clone(),
            change_key: one
                .change_key
                .map_or_else(|| wanted.change_key.clone(), ChangeKey),
            message: message.into(),
            kept: false,
        });
    }
    all
}

/// Groups of messages that are fetched together.
fn pages(wanted: &[Wanted]) -> Vec<&[Wanted]> {
    let mut pages = Vec::new();
    let mut rest = wanted;
    while !rest.is_empty() {
        let mut octets = 0;
        let fits = rest.iter().take(MESSAGES_MAX).take_while(|wanted| {
            octets += wanted.size;
            octets <= FETCH_BYTES_MAX
        });
        let (page, more) = rest.split_at(fits.count().max(1));
        pages.push(page);
        rest = more;
    }
    pages
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
            size,
        };
        let all: Vec<_> = [1000; 60]
            .into_iter()
            .chain([FETCH_BYTES_MAX * 2, 10])
            .map(wanted)
            .collect();
        let lens: Vec<_> = pages(&all).iter().map(|page| page.len()).collect();
        assert_eq!(lens, [50, 10, 1, 1]);
    }
}
