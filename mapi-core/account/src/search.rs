//! Search in the text of messages: header fields from the rows, bodies in rounds of bounded size.
//!
//! Decoding and comparing run on the blocking pool. Memory: one round of octets, and a few windows of text.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use bytes::Bytes;
use mapi_convert::{PartKind, PartView};
use mapi_store::{ByteRange, Error, ErrorKind, Result, Rights};
use mapi_types::{FolderId, ItemNumber, tags};
use tokio::task::spawn_blocking;

use crate::{
    Account, Facts, ItemFacts,
    text_match::{BodyMatch, Needle},
};

/// Messages looked at together.
const BATCH_ITEMS: usize = 64;

/// Octets of bodies read in one round.
const ROUND_BYTES: u64 = 2 << 20;

/// Parts within parts that are searched.
const DEPTH_MAX: u32 = 64;

/// What to look for: a text anywhere in decoded text, compared by Unicode lower case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TextQuery {
    /// In a header field of that name; an empty text matches every message that has the field.
    Header {
        /// The field's name.
        name: Box<str>,
        /// The text.
        text: Box<str>,
    },
    /// In a text part of the body, or in the header of a message within it.
    Body(Box<str>),
    /// In the header or the body.
    Text(Box<str>),
}

impl Account {
    /// Those of the candidates that match, in their order. Candidates that are gone do not match.
    ///
    /// Headers come 64 a call to the store, bodies by rounds of 2 MiB. Errors: `NotFound`, `Denied`, `Unavailable`.
    pub async fn search(
        &self,
        folder: FolderId,
        candidates: &[ItemNumber],
        text: &TextQuery,
    ) -> Result<Vec<ItemNumber>> {
        self.require(folder, Rights::READ_ANY).await?;
        let searches = Arc::clone(&self.0.shared.searches);
        let _searching = searches.acquire_owned().await;
        let query = Arc::new(Prepared::new(text));
        let mut sorted = candidates.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let mut matching = Vec::new();
        for batch in sorted.chunks(BATCH_ITEMS) {
            matching.extend(self.search_batch(folder, batch, &query).await?);
        }
        matching.sort_unstable();
        let found = |item: &&ItemNumber| matching.binary_search(item).is_ok();
        Ok(candidates.iter().filter(found).copied().collect())
    }

    async fn search_batch(
        &self,
        folder: FolderId,
        items: &[ItemNumber],
        query: &Arc<Prepared>,
    ) -> Result<Vec<ItemNumber>> {
        // Not through the cache: a search of everything would drive out what others use.
        let facts = self.read_facts(folder, items, query.facts()).await?;
        let prepared = Arc::clone(query);
        let (mut matching, bodies) = off_reactor(move || prepared.look_at_facts(facts)).await?;
        let mut search = Bodies {
            query: Arc::clone(query),
            queue: bodies.into(),
        };
        loop {
            let round = search.round();
            if round.is_empty() {
                return Ok(matching);
            }
            let pieces: Vec<ByteRange> = round.iter().map(|(_, piece)| *piece).collect();
            let octets = self.0.store.read_bytes(folder, &pieces).await?;
            let (back, found) = off_reactor(move || search.look(round, octets)).await?;
            search = back;
            matching.extend(found);
        }
    }
}

/// A query ready to be compared.
struct Prepared {
    needle: Needle,
    /// A field's name; `None`: the body, too.
    field: Option<Box<str>>,
    /// Whether the header counts beside the body.
    header: bool,
}

/// A body that has to be read.
struct Body {
    item: ItemNumber,
    /// What is left of it.
    range: Range<u64>,
    text: BodyMatch,
    /// Whether it is the header of a message within, which is compared whole.
    header: bool,
}

impl Prepared {
    fn new(query: &TextQuery) -> Self {
        let (text, field, header) = match query {
            TextQuery::Header { name, text } => (text, Some(name.clone()), true),
            TextQuery::Body(text) => (text, None, false),
            TextQuery::Text(text) => (text, None, true),
        };
        Self {
            needle: Needle::new(text),
            field,
            header,
        }
    }

    fn facts(&self) -> Facts {
        match (&self.field, self.header) {
            (Some(_), _) => Facts::HEADER,
            (None, true) => Facts::HEADER | Facts::STRUCTURE,
            (None, false) => Facts::STRUCTURE,
        }
    }

    /// What the facts say already, and the bodies to be read for the rest.
    fn look_at_facts(
        &self,
        facts: Vec<(ItemNumber, Arc<ItemFacts>)>,
    ) -> (Vec<ItemNumber>, Vec<Body>) {
        let (mut matching, mut bodies) = (Vec::new(), Vec::new());
        for (item, facts) in facts {
            let in_header = match &self.field {
                Some(name) => self.needle.is_in_field(facts.header(), name),
                None => self.header && self.needle.is_in_header(facts.header()),
            };
            if in_header || (self.field.is_none() && self.needle.is_empty()) {
                matching.push(item);
            } else if let (None, Some(structure)) = (&self.field, facts.structure()) {
                add_bodies(item, &structure.root(), 0, &mut bodies);
            }
        }
        (matching, bodies)
    }
}

/// The texts of a part and the parts within it.
fn add_bodies(item: ItemNumber, part: &PartView<'_>, depth: u32, bodies: &mut Vec<Body>) {
    if depth > DEPTH_MAX {
        return;
    }
    let charset = || {
        let mut params = part.params;
        let named = params.find(|(name, _)| name.eq_ignore_ascii_case(b"charset"));
        named.map(|(_, value)| value)
    };
    match part.kind {
        PartKind::Leaf if part.is_type("text") || part.is_type("message") => {
            let text = BodyMatch::new(part.transfer_encoding(), charset());
            bodies.push(Body {
                item,
                range: part.body(),
                text,
                header: false,
            });
        }
        PartKind::Leaf => {}
        PartKind::Multipart => {
            part.children()
                .for_each(|child| add_bodies(item, &child, depth + 1, bodies));
        }
        PartKind::Message => {
            let Some(inner) = part.embedded() else { return };
            let text = BodyMatch::new(Default::default(), None);
            bodies.push(Body {
                item,
                range: inner.header(),
                text,
                header: true,
            });
            add_bodies(item, &inner, depth + 1, bodies);
        }
    }
}

/// The bodies of a batch that are still to be read.
struct Bodies {
    query: Arc<Prepared>,
    queue: VecDeque<Body>,
}

impl Bodies {
    /// The next pieces, up to [`ROUND_BYTES`]: only the last of them can be a part of its body.
    fn round(&mut self) -> Vec<(Body, ByteRange)> {
        let mut room = ROUND_BYTES;
        let mut round = Vec::new();
        while room > 0
            && let Some(mut body) = self.queue.pop_front()
        {
            let len = body.range.end.saturating_sub(body.range.start).min(room);
            let piece = ByteRange {
                item: body.item,
                tag: tags::ORIGINAL.tag(),
                offset: body.range.start,
                len: len as u32,
            };
            body.range.start += len;
            // An empty body still takes a place in the round.
            room -= len.max(1);
            round.push((body, piece));
        }
        round
    }

    /// Looks at what was read; a body that is not at its end comes first in the next round.
    fn look(
        mut self,
        round: Vec<(Body, ByteRange)>,
        octets: Vec<Option<Bytes>>,
    ) -> (Self, Vec<ItemNumber>) {
        let mut found: Vec<ItemNumber> = Vec::new();
        for ((mut body, _), octets) in round.into_iter().zip(octets) {
            // Gone meanwhile, or found in another part.
            let Some(octets) = octets.filter(|_| found.last() != Some(&body.item)) else {
                continue;
            };
            let needle = &self.query.needle;
            let matches = if body.header && body.range.is_empty() {
                needle.is_in_header(&octets)
            } else {
                body.text.feed(&octets, needle)
            };
            if matches {
                found.push(body.item);
            } else if !body.range.is_empty() && !octets.is_empty() {
                self.queue.push_front(body);
            } else if body.text.finish(needle) {
                found.push(body.item);
            }
        }
        self.queue.retain(|body| !found.contains(&body.item));
        (self, found)
    }
}

async fn off_reactor<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    spawn_blocking(work)
        .await
        .map_err(|error| Error::with_source(ErrorKind::Internal, "a search failed", error))
}
