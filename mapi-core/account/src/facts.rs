//! Facts of messages: size, envelope, structure, header. Computed once at delivery, read from the row, cached by blocks.
//!
//! A block is the facts of up to [`BLOCK_NUMBERS`] neighbouring numbers: one look into the cache serves dozens of
//! items of a page, and a scan of a whole folder costs one query and a few insertions a page. Facts never change
//! under their number, so a block only grows.

use std::{
    collections::HashMap,
    ops::{BitOr, Range},
    sync::Arc,
};

use bytes::Bytes;
use mapi_convert::{EnvelopeView, RENDERER, StructureView};
use mapi_store::{Items, Query, Result, Rights, Table};
use mapi_types::{FolderId, ItemNumber, PropTag, Row, RowSet, Value, tags};

use crate::{Account, ItemState, Size, account::Opened, cache::BlockKey, repair};

/// Neighbouring numbers whose facts are cached together.
const BLOCK_NUMBERS: u32 = 64;

/// Items of one query.
const PAGE_ITEMS: usize = 256;

/// Items of one query that also reads headers, which take up to 64 KiB each.
const HEADER_PAGE_ITEMS: usize = 64;

/// Which facts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Facts(u8);

impl Facts {
    /// The size, and the length of the copy's own header fields: what every [`ItemFacts`] has.
    pub const NONE: Self = Self(0);
    /// ENVELOPE.
    pub const ENVELOPE: Self = Self(1);
    /// The part tree with octet ranges.
    pub const STRUCTURE: Self = Self(2);
    /// The header block.
    pub const HEADER: Self = Self(4);

    /// Whether all of `facts` are among these.
    pub const fn contains(self, facts: Self) -> bool {
        self.0 & facts.0 == facts.0
    }
}

impl BitOr for Facts {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Facts of one message; those asked for are there.
#[derive(Clone, Debug, Default)]
pub struct ItemFacts {
    pub(crate) have: Facts,
    pub(crate) envelope: Bytes,
    pub(crate) structure: Bytes,
    /// Prefix and header.
    pub(crate) header: Bytes,
    pub(crate) prefix_len: u32,
    pub(crate) size: u64,
}

impl ItemFacts {
    /// Octets of the message as a client fetches it.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// ENVELOPE; `None` when it was not asked for or is damaged.
    pub fn envelope(&self) -> Option<EnvelopeView<'_>> {
        EnvelopeView::new(&self.envelope)
    }

    /// The part tree; `None` when it was not asked for or is damaged.
    ///
    /// Its octet ranges count from [`Self::prefix_len`].
    pub fn structure(&self) -> Option<StructureView<'_>> {
        StructureView::new(&self.structure)
    }

    /// The header block as clients fetch it, this copy's own fields first, with its blank line; empty when it was
    /// not asked for.
    pub fn header(&self) -> &Bytes {
        &self.header
    }

    /// Octets of this copy's own header fields, which stand before the original's.
    pub fn prefix_len(&self) -> u64 {
        u64::from(self.prefix_len)
    }
}

/// Facts of neighbouring numbers, ascending.
#[derive(Debug, Default)]
pub(crate) struct Block(Vec<(ItemNumber, Arc<ItemFacts>)>);

impl Block {
    fn find(&self, number: ItemNumber, want: Facts) -> Option<&Arc<ItemFacts>> {
        let at = self
            .0
            .binary_search_by_key(&number, |(number, _)| *number)
            .ok()?;
        let (_, facts) = self.0.get(at)?;
        facts.have.contains(want).then_some(facts)
    }

    /// This block with some facts added or replaced.
    fn with(&self, new: &[(ItemNumber, Arc<ItemFacts>)]) -> Self {
        let is_new = |number: ItemNumber| new.iter().any(|(other, _)| *other == number);
        let kept = self.0.iter().filter(|(number, _)| !is_new(*number));
        let mut items: Vec<_> = kept.chain(new).cloned().collect();
        items.sort_unstable_by_key(|(number, _)| *number);
        Self(items)
    }

    /// About how many octets it takes.
    pub(crate) fn weight(&self) -> usize {
        const ITEM: usize = 16 + 16 + size_of::<ItemFacts>();
        let facts = |facts: &ItemFacts| {
            facts.envelope.len() + facts.structure.len() + facts.header.len() + ITEM
        };
        self.0.iter().map(|(_, item)| facts(item)).sum::<usize>() + 256
    }
}

impl Account {
    /// Facts of some items, in their order; `None` for one that is gone.
    ///
    /// What is not cached takes one call to the store a page of 256 items (64 with headers). A message whose original
    /// has not been made yet gets it now, which may take long.
    /// Errors: `NotFound`, `Denied`, `Unavailable`, `Throttled`.
    pub async fn facts(
        &self,
        folder: FolderId,
        items: &[ItemNumber],
        want: Facts,
    ) -> Result<Vec<Option<Arc<ItemFacts>>>> {
        self.require(folder, Rights::READ_ANY).await?;
        let page_items = if want.contains(Facts::HEADER) {
            HEADER_PAGE_ITEMS
        } else {
            PAGE_ITEMS
        };
        let mut all = Vec::with_capacity(items.len());
        for page in items.chunks(page_items) {
            all.append(&mut self.facts_page(folder, page, want).await?);
        }
        Ok(all)
    }

    async fn facts_page(
        &self,
        folder: FolderId,
        items: &[ItemNumber],
        want: Facts,
    ) -> Result<Vec<Option<Arc<ItemFacts>>>> {
        let mut blocks = Blocks::new(self, folder).await?;
        let mut found: Vec<_> = items.iter().map(|&item| blocks.find(item, want)).collect();
        let slots = || items.iter().zip(&found);
        let mut missing: Vec<ItemNumber> = slots()
            .filter(|(_, slot)| slot.is_none())
            .map(|(item, _)| *item)
            .collect();
        if missing.is_empty() {
            return Ok(found);
        }
        missing.sort_unstable();
        missing.dedup();
        let new = self.read_facts(folder, &missing, want).await?;
        for (slot, item) in found
            .iter_mut()
            .zip(items)
            .filter(|(slot, _)| slot.is_none())
        {
            if let Ok(at) = new.binary_search_by_key(item, |(number, _)| *number) {
                *slot = new.get(at).map(|(_, facts)| Arc::clone(facts));
            }
        }
        blocks.put(&new);
        Ok(found)
    }

    /// Reads facts from the rows; ascending, without items that are gone.
    pub(crate) async fn read_facts(
        &self,
        folder: FolderId,
        items: &[ItemNumber],
        want: Facts,
    ) -> Result<Vec<(ItemNumber, Arc<ItemFacts>)>> {
        let columns = Columns::new(want);
        let query = Query {
            table: Table::Contents(folder),
            columns: &columns.tags,
            items: Items::Numbers(items),
            filter: None,
            sort: &[],
            limit: items.len() as u32,
        };
        let rows = self.0.store.query(&query).await?;
        let (mut facts, incomplete) = columns.read(&rows);
        for number in incomplete {
            if let Some(repaired) = repair::facts(&*self.0.store, folder, number, want).await? {
                facts.push((number, Arc::new(repaired)));
            }
        }
        facts.sort_unstable_by_key(|(number, _)| *number);
        self.learn_sizes(folder, &facts);
        Ok(facts)
    }

    /// Enters sizes into the folder's snapshot that it did not know, so that the next reader need not ask.
    fn learn_sizes(&self, folder: FolderId, facts: &[(ItemNumber, Arc<ItemFacts>)]) {
        let state = self.0.mailbox.folder(folder);
        // Whoever refreshes the snapshot is not waited for: what is not learned now, is asked again.
        let (Ok(_refreshing), Some(index)) = (state.refreshing.try_lock(), state.latest()) else {
            return;
        };
        if index.counts().size_unknown == 0 {
            return;
        }
        let learned = facts.iter().filter_map(|(number, facts)| {
            let item = index.item(*number)?;
            let size = Size::new(facts.size);
            (item.size != size).then_some(ItemState { size, ..*item })
        });
        let learned: Vec<ItemState> = learned.collect();
        if learned.is_empty() {
            return;
        }
        let index = Arc::new(index.with_sizes(&learned));
        state.replace(&index);
        let Opened {
            mailbox, shared, ..
        } = &*self.0;
        shared.objects.put_index(mailbox.serial, folder, index);
    }
}

/// The cached blocks that one page of items touches.
struct Blocks<'a> {
    account: &'a Account,
    key: BlockKey,
    touched: HashMap<u32, Option<Arc<Block>>>,
}

impl<'a> Blocks<'a> {
    async fn new(account: &'a Account, folder: FolderId) -> Result<Self> {
        let opened = &*account.0;
        // The index hears first of a new epoch.
        let epoch = match opened.mailbox.folder(folder).latest() {
            Some(index) => index.epoch(),
            None => opened.store.folder(folder).await?.epoch,
        };
        let key = BlockKey {
            mailbox: opened.mailbox.serial,
            folder,
            epoch,
            block: 0,
        };
        Ok(Self {
            account,
            key,
            touched: HashMap::new(),
        })
    }

    fn find(&mut self, item: ItemNumber, want: Facts) -> Option<Arc<ItemFacts>> {
        let block = item.0 / BLOCK_NUMBERS;
        let key = BlockKey { block, ..self.key };
        let objects = &self.account.0.shared.objects;
        let block = self
            .touched
            .entry(block)
            .or_insert_with(|| objects.block(key));
        block.as_ref()?.find(item, want).cloned()
    }

    fn put(&self, new: &[(ItemNumber, Arc<ItemFacts>)]) {
        for new in new.chunk_by(|(a, _), (b, _)| a.0 / BLOCK_NUMBERS == b.0 / BLOCK_NUMBERS) {
            let Some((first, _)) = new.first() else {
                continue;
            };
            let block = first.0 / BLOCK_NUMBERS;
            let merged = match self.touched.get(&block) {
                Some(Some(old)) => old.with(new),
                _ => Block(new.to_vec()),
            };
            let key = BlockKey { block, ..self.key };
            self.account
                .0
                .shared
                .objects
                .put_block(key, Arc::new(merged));
        }
    }
}

/// The columns of a query for facts.
struct Columns {
    want: Facts,
    tags: Vec<PropTag>,
}

impl Columns {
    fn new(want: Facts) -> Self {
        let wanted = [
            (Facts::ENVELOPE, tags::DERIVED_ENVELOPE.tag()),
            (Facts::STRUCTURE, tags::DERIVED_STRUCTURE.tag()),
            (Facts::HEADER, tags::DERIVED_HEADER.tag()),
        ];
        let mut tags = vec![
            tags::INTERNET_ARTICLE_NUMBER.tag(),
            tags::ORIGINAL_PREFIX.tag(),
            tags::DERIVED_RENDERER.tag(),
            tags::ITEM_SIZE.tag(),
        ];
        tags.extend(
            wanted
                .iter()
                .filter(|(fact, _)| want.contains(*fact))
                .map(|(_, tag)| *tag),
        );
        Self { want, tags }
    }

    /// The facts of complete rows, and the numbers of the others.
    fn read(&self, rows: &RowSet) -> (Vec<(ItemNumber, Arc<ItemFacts>)>, Vec<ItemNumber>) {
        let mut places: Vec<(ItemNumber, Places)> = Vec::with_capacity(rows.len());
        let mut incomplete = Vec::new();
        // One buffer for all rows: an item's facts are slices of it.
        let mut octets = Vec::new();
        for row in rows.rows() {
            let Some(Value::I32(number)) = row.at(0) else {
                continue;
            };
            let number = ItemNumber(number as u32);
            match self.copy(row, &mut octets) {
                Some(place) => places.push((number, place)),
                None => incomplete.push(number),
            }
        }
        let octets = Bytes::from(octets);
        let facts = places.into_iter().map(|(number, place)| {
            let facts = ItemFacts {
                have: self.want,
                envelope: octets.slice(place.envelope),
                structure: octets.slice(place.structure),
                header: octets.slice(place.header),
                prefix_len: place.prefix_len,
                size: place.size,
            };
            (number, Arc::new(facts))
        });
        (facts.collect(), incomplete)
    }

    /// Copies a row's values; `None` when one is missing (not derived yet, or too large for a row).
    fn copy(&self, row: Row<'_>, octets: &mut Vec<u8>) -> Option<Places> {
        let at = |column| match row.at(column) {
            Some(Value::Bin(value)) => Some(value),
            _ => None,
        };
        (row.at(2) == Some(Value::I32(RENDERER as i32))).then_some(())?;
        let Some(Value::I64(size)) = row.at(3) else {
            return None;
        };
        let prefix = at(1).unwrap_or_default();
        let mut columns = 4..;
        let mut value = |fact| match self.want.contains(fact) {
            true => at(columns.next()?),
            false => Some(&[][..]),
        };
        let (envelope, structure) = (value(Facts::ENVELOPE)?, value(Facts::STRUCTURE)?);
        let header = value(Facts::HEADER)?;
        let wants_header = self.want.contains(Facts::HEADER);
        if wants_header && header.is_empty() {
            return None;
        }
        let mut put = |values: &[&[u8]]| -> Range<usize> {
            let from = octets.len();
            values
                .iter()
                .for_each(|value| octets.extend_from_slice(value));
            from..octets.len()
        };
        Some(Places {
            envelope: put(&[envelope]),
            structure: put(&[structure]),
            header: if wants_header {
                put(&[prefix, header])
            } else {
                0..0
            },
            prefix_len: prefix.len() as u32,
            size: size as u64,
        })
    }
}

/// Where an item's facts are in the buffer of their page.
struct Places {
    envelope: Range<usize>,
    structure: Range<usize>,
    header: Range<usize>,
    prefix_len: u32,
    size: u64,
}
