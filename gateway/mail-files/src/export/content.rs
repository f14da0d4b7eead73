//! Octets of messages from the mailbox into files: small ones many at a time, large ones piece by piece.

use std::{collections::HashMap, fs::File, io::Write, path::Path, time::Duration};

use account::{Facts, ItemNumber, ItemState, Piece};
use bytes::Bytes;

use super::{Run, Source, folder::shown};
use crate::{
    Result, durable,
    durable::off_reactor,
    error::{At, Doing},
    message_files,
};

/// Messages up to this size are read together.
const SMALL_BYTES_MAX: u64 = 256 << 10;

/// Octets of messages that are read together.
const READ_BYTES: u64 = 4 << 20;

/// Octets of a piece of a large message.
const PIECE_BYTES: u64 = 1 << 20;

/// How often something is tried that may work in a moment.
const TRIES: u32 = 6;

/// How long to wait before the second try; twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(500);

/// Reads the messages of a batch.
pub(super) struct Reader<'a, 'b> {
    run: &'b Run<'a>,
    source: &'b Source,
    sizes: &'b [(ItemState, u64)],
    /// What has been read and is not written yet.
    read: HashMap<ItemNumber, Option<Bytes>>,
}

/// Asks until there is an answer, or no hope.
pub(crate) async fn patiently<T, F: Future<Output = Result<T>>>(
    mut ask: impl FnMut() -> F,
) -> Result<T> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match ask().await {
            Err(error) if error.is_transient() => tokio::time::sleep(pause).await,
            done => return done,
        }
        pause *= 2;
    }
    ask().await
}

/// The sizes of messages; those that are gone are left out.
pub(super) async fn sizes(
    run: &Run<'_>,
    source: &Source,
    items: &[ItemState],
) -> Result<Vec<(ItemState, u64)>> {
    let unknown = items.iter().filter(|item| item.size.known().is_none());
    let unknown: Vec<ItemNumber> = unknown.map(|item| item.number).collect();
    let folder = source.info.id;
    let facts = patiently(async || {
        let facts = run.account.facts(folder, &unknown, Facts::NONE).await;
        facts.doing(|| format!("reading {}", shown(source)))
    })
    .await?;
    let found = unknown.iter().zip(facts);
    let found: HashMap<ItemNumber, u64> = found
        .filter_map(|(number, facts)| Some((*number, facts?.size())))
        .collect();
    let sizes = items.iter().filter_map(|item| {
        let size = item
            .size
            .known()
            .or_else(|| found.get(&item.number).copied());
        Some((*item, size?))
    });
    Ok(sizes.collect())
}

impl<'a, 'b> Reader<'a, 'b> {
    pub(super) fn new(run: &'b Run<'a>, source: &'b Source, sizes: &'b [(ItemState, u64)]) -> Self {
        let read = HashMap::new();
        Self {
            run,
            source,
            sizes,
            read,
        }
    }

    /// Writes a message to a new file; `None` when the message is gone.
    pub(super) async fn write(
        &mut self,
        number: ItemNumber,
        size: u64,
        to: &Path,
        received: i64,
    ) -> Result<Option<File>> {
        let first = match size <= SMALL_BYTES_MAX {
            true => self.small(number).await?,
            false => self.piece(number, 0).await?,
        };
        let Some(mut octets) = first else {
            return Ok(None);
        };
        let path = to.to_owned();
        let mut file = off_reactor(move || durable::create_new(&path).at(&path)).await?;
        let mut at = 0;
        loop {
            let (len, path) = (octets.len() as u64, to.to_owned());
            at += len;
            let is_last = at >= size || len == 0;
            file = off_reactor(move || {
                file.write_all(&octets).at(&path)?;
                if is_last {
                    message_files::set_received(&file, received).at(&path)?;
                }
                Ok(file)
            })
            .await?;
            if is_last {
                return Ok(Some(file));
            }
            match self.piece(number, at).await? {
                Some(more) => octets = more,
                None => return Ok(None),
            }
        }
    }

    /// A small message, which is read with those that follow it.
    async fn small(&mut self, number: ItemNumber) -> Result<Option<Bytes>> {
        if let Some(octets) = self.read.remove(&number) {
            return Ok(octets);
        }
        let from = self
            .sizes
            .iter()
            .skip_while(|(item, _)| item.number != number);
        let small = from.filter(|(_, size)| *size <= SMALL_BYTES_MAX);
        let mut room = READ_BYTES;
        let pieces: Vec<Piece> = small
            .take_while(|(_, size)| {
                let fits = *size <= room;
                room = room.saturating_sub(*size);
                fits
            })
            .map(|(item, size)| Piece {
                item: item.number,
                range: 0..*size,
            })
            .collect();
        let read = match self.pieces(&pieces).await {
            // Which of them it is that cannot be read shows when each is asked for.
            Err(error) if !error.is_transient() && pieces.len() > 1 => {
                let own: Vec<Piece> = pieces.into_iter().take(1).collect();
                let read = self.pieces(&own).await?;
                return Ok(read.into_iter().next().flatten());
            }
            read => read?,
        };
        let numbers = pieces.iter().map(|piece| piece.item);
        self.read = numbers.zip(read).collect();
        Ok(self.read.remove(&number).flatten())
    }

    async fn piece(&self, number: ItemNumber, at: u64) -> Result<Option<Bytes>> {
        let piece = Piece {
            item: number,
            range: at..at.saturating_add(PIECE_BYTES),
        };
        let read = self.pieces(std::slice::from_ref(&piece)).await?;
        Ok(read.into_iter().next().flatten())
    }

    async fn pieces(&self, pieces: &[Piece]) -> Result<Vec<Option<Bytes>>> {
        let (account, folder) = (self.run.account, self.source.info.id);
        patiently(async || {
            let read = account.read(folder, pieces).await;
            read.doing(|| format!("reading {}", shown(self.source)))
        })
        .await
    }
}
