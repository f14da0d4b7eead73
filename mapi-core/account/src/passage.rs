//! A message on its way, as what looks at it and may change it sees it: its header's fields, and what follows them.

use std::io::{self, Cursor, Read};

use bytes::Bytes;
use mapi_convert::header;
use mapi_store::{Error, ErrorKind, Result};
use mapi_types::{Content, tags};
use tokio::task::spawn_blocking;

use crate::{Accounts, Spooled};

/// The most octets of a header that can be changed.
pub(crate) const HEADER_BYTES_MAX: u64 = 1 << 20;
/// Octets read at once while a message is put together again.
const PIECE_BYTES: usize = 256 << 10;

/// A message in pieces. The octets of an unchanged one are those that arrived.
#[derive(Clone, Debug)]
pub struct Passage {
    /// The header's fields with their line ends, without the empty line.
    pub fields: Bytes,
    /// The empty line, as it came; nothing where there is none.
    pub empty_line: Bytes,
    /// What follows the empty line.
    pub body: Body,
}

/// What follows a header.
#[derive(Clone, Debug)]
pub enum Body {
    /// A message that arrived, from an octet on.
    Arrived(Spooled, u64),
    /// Other octets.
    Replaced(Bytes),
}

/// An attachment, as its sender describes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attached {
    /// Its media type, such as `application/pdf`, in small letters.
    pub media_type: String,
    /// Its file name, decoded; empty when it has none.
    pub name: String,
}

impl Spooled {
    /// The message in pieces. Of a header beyond all bounds only the first fields are told as such.
    ///
    /// Errors: `Unavailable` (the disk).
    pub async fn passage(&self) -> Result<Passage> {
        let derived = &self.0.derived.header;
        let known = !derived.is_empty() || self.is_empty();
        let (block, whole) = match known {
            true => (derived.clone(), true),
            false => {
                let read = self.read(0, HEADER_BYTES_MAX as usize).await?;
                let whole = read.len() as u64 == self.len();
                (read, whole)
            }
        };
        let fields = header::fields(&block).map(|field| field.offset + field.raw.len());
        let (mut end, mut before) = (0, 0);
        for field_end in fields {
            (before, end) = (end, field_end);
        }
        if end == block.len() && !whole {
            // The last one goes on beyond what was read.
            end = before;
        }
        let rest = block.get(end..).unwrap_or_default();
        let blank = [&b"\r\n"[..], b"\n"]
            .into_iter()
            .find(|blank| rest.starts_with(blank))
            .map_or(0, <[u8]>::len);
        Ok(Passage {
            fields: block.slice(..end),
            empty_line: block.slice(end..end + blank),
            body: Body::Arrived(self.clone(), (end + blank) as u64),
        })
    }

    /// Octets from `offset` on, at most `max`. Errors: `Unavailable` (the disk).
    async fn read(&self, offset: u64, max: usize) -> Result<Bytes> {
        let Some(original) = self.0.original.clone() else {
            return Ok(Bytes::new());
        };
        let left = original.len().saturating_sub(offset);
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(max);
        if let Some(bytes) = original.source().in_memory() {
            let start = usize::try_from(offset)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            return Ok(bytes.slice(start..(start + len).min(bytes.len())));
        }
        let read = move || {
            let mut octets = vec![0; len];
            original.source().read_exact_at(&mut octets, offset)?;
            Ok::<_, io::Error>(Bytes::from(octets))
        };
        let read = spawn_blocking(read).await.map_err(io::Error::other);
        read.and_then(|read| read).map_err(|error| {
            Error::with_source(ErrorKind::Unavailable, "the spool cannot be read", error)
        })
    }

    /// Its attachments, those of messages in it included.
    pub fn attachments(&self) -> Vec<Attached> {
        let (mut found, mut trees) = (Vec::new(), vec![&self.0.tree]);
        while let Some(tree) = trees.pop() {
            for attachment in &tree.attachments {
                let props = &attachment.props;
                let name = props
                    .get(&tags::ATTACH_LONG_FILENAME)
                    .or_else(|| props.get(&tags::ATTACH_FILENAME));
                let media_type = props.get(&tags::ATTACH_MIME_TAG).unwrap_or_default();
                found.push(Attached {
                    media_type: media_type.to_ascii_lowercase(),
                    name: name.unwrap_or_default().to_owned(),
                });
                if let mapi_types::AttachmentData::Message(inner) = &attachment.data {
                    trees.push(inner);
                }
            }
        }
        found
    }
}

impl Passage {
    /// Octets of the whole message.
    pub fn len(&self) -> u64 {
        (self.fields.len() + self.empty_line.len()) as u64 + self.body_len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets after the empty line.
    pub fn body_len(&self) -> u64 {
        match &self.body {
            Body::Arrived(message, offset) => message.len().saturating_sub(*offset),
            Body::Replaced(octets) => octets.len() as u64,
        }
    }

    /// Octets of the body from `offset` on, at most `max`; nothing at its end. Errors: `Unavailable` (the disk).
    pub async fn read_body(&self, offset: u64, max: usize) -> Result<Bytes> {
        match &self.body {
            Body::Arrived(message, start) => message.read(start + offset, max).await,
            Body::Replaced(octets) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let start = start.min(octets.len());
                Ok(octets.slice(start..start.saturating_add(max).min(octets.len())))
            }
        }
    }

    /// Puts other octets after the header.
    pub fn replace_body(&mut self, octets: Bytes) {
        if self.empty_line.is_empty() {
            self.empty_line = Bytes::from_static(b"\r\n");
        }
        self.body = Body::Replaced(octets);
    }

    /// All its octets in a row. Reading blocks.
    pub(crate) fn into_reader(self) -> Box<dyn Read + Send> {
        let start = Cursor::new(self.fields).chain(Cursor::new(self.empty_line));
        match self.body {
            Body::Replaced(octets) => Box::new(start.chain(Cursor::new(octets))),
            Body::Arrived(message, offset) => match message.0.original.clone() {
                None => Box::new(start),
                Some(content) => Box::new(start.chain(Rest { content, offset })),
            },
        }
    }
}

impl Accounts {
    /// A changed message as if it had arrived so. Errors: `TooBig`, `Unavailable` (the disk).
    pub async fn respool(&self, passage: &Passage) -> Result<Spooled> {
        let mut spool = self.spool();
        spool.write(&passage.fields).await?;
        spool.write(&passage.empty_line).await?;
        let mut offset = 0;
        loop {
            let piece = passage.read_body(offset, PIECE_BYTES).await?;
            if piece.is_empty() {
                return spool.finish().await;
            }
            offset += piece.len() as u64;
            spool.write(&piece).await?;
        }
    }
}

/// A content from some octet on.
struct Rest {
    content: Content,
    offset: u64,
}

impl Read for Rest {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.content.len().saturating_sub(self.offset);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let Some(piece) = buf.get_mut(..count) else {
            return Ok(0);
        };
        self.content.source().read_exact_at(piece, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}
