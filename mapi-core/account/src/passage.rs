//! A message on its way, as what looks at it and may change it sees it: its header's fields, and what follows them.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read},
};

use bytes::Bytes;
use mapi_convert::{PartView, StructureView, encoded_word, header};
use mapi_store::{Error, ErrorKind, Result};
use mapi_types::Content;
use tokio::task::spawn_blocking;

use crate::{Accounts, Spooled};

/// The most octets of a header that can be changed.
pub(crate) const HEADER_BYTES_MAX: u64 = 1 << 20;
/// Octets read at once while a message is put together again.
const PIECE_BYTES: usize = 256 << 10;

/// A message in pieces. The octets of an unchanged one are those that arrived.
#[derive(Clone, Debug)]
pub struct Passage {
    /// The header's fields with their line ends, up to the empty line, or to a line that is no field.
    pub fields: Bytes,
    /// The empty line, as it came; nothing where there is none.
    pub empty_line: Bytes,
    /// What follows the empty line.
    pub body: Body,
    /// Whether the header is so large that some of its fields are in the body.
    pub is_cut: bool,
}

/// What follows a header.
#[derive(Clone, Debug)]
pub enum Body {
    /// A message that arrived, from an octet on.
    Arrived(Spooled, u64),
    /// Other octets.
    Replaced(Bytes),
}

/// A part, as its sender describes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attached {
    /// Its media type, such as `application/pdf`, in small letters.
    pub media_type: String,
    /// Its file names, decoded: programs differ in which of several they take.
    pub names: Vec<String>,
    /// Whether it is a message in an encoding, which nobody looks into here.
    pub is_opaque: bool,
}

impl Spooled {
    /// The message in pieces. Of a header beyond all bounds only the first fields are told as such. What comes before
    /// the empty line and is no field begins the body, as it does for many programs.
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
        let (mut end, mut before) = (0, 0);
        for field in header::fields(&block) {
            // A first line that begins with white space goes on what is put before it.
            if field.name.is_empty() || field.raw.starts_with(b" ") || field.raw.starts_with(b"\t")
            {
                break;
            }
            (before, end) = (end, field.offset + field.raw.len());
        }
        let is_cut = end == block.len() && !whole;
        if is_cut {
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
            is_cut,
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

    /// Its parts that hold something, those of messages in it included.
    pub fn attachments(&self) -> Vec<Attached> {
        let structure = StructureView::new(&self.0.derived.structure);
        let (mut found, mut parts) = (Vec::new(), Vec::new());
        parts.extend(structure.map(|structure| structure.root()));
        while let Some(part) = parts.pop() {
            parts.extend(part.children());
            if !part.is_type("multipart") {
                found.push(attached(&part));
            }
        }
        found
    }
}

fn attached(part: &PartView<'_>) -> Attached {
    let text = String::from_utf8_lossy;
    let media_type = format!("{}/{}", text(part.media_type), text(part.subtype));
    let params = part
        .params
        .chain(part.disposition.into_iter().flat_map(|(_, params)| params));
    let encoded = ["base64", "quoted-printable"]
        .iter()
        .any(|encoding| part.encoding.eq_ignore_ascii_case(encoding.as_bytes()));
    Attached {
        media_type: media_type.to_ascii_lowercase(),
        names: names(params),
        is_opaque: part.is_type("message") && encoded,
    }
}

/// All file names that some program may read out of parameters. Source: RFC 2183 2.3, RFC 2231; RFC 2047 where nobody
/// should use it.
fn names<'a>(params: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<String> {
    let mut names = Vec::new();
    let mut pieces = BTreeMap::<String, String>::new();
    for (param, value) in params {
        let param = String::from_utf8_lossy(param).to_ascii_lowercase();
        let (base, rest) = param.split_once('*').unwrap_or((&param, ""));
        if base != "name" && base != "filename" {
            continue;
        }
        let plain = encoded_word::decode(value);
        let extended = String::from_utf8_lossy(value);
        let extended = extended.rsplit('\'').next().unwrap_or_default();
        let extended = percent_decoded(extended.as_bytes());
        if rest.is_empty() {
            names.extend([plain, extended]);
        } else {
            // Pieces come in their order, or the name would be none that programs put together.
            pieces
                .entry(base.to_owned())
                .or_default()
                .push_str(&extended);
        }
    }
    names.extend(pieces.into_values());
    names.sort_unstable();
    names.dedup();
    names
}

fn percent_decoded(value: &[u8]) -> String {
    let (mut octets, mut rest) = (Vec::with_capacity(value.len()), value);
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|code| u8::from_str_radix(str::from_utf8(code).ok()?, 16).ok());
        octets.push(code.unwrap_or(*first));
        rest = match code {
            Some(_) => after.get(2..).unwrap_or_default(),
            None => after,
        };
    }
    String::from_utf8_lossy(&octets).into_owned()
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
        self.end_header();
        self.body = Body::Replaced(octets);
    }

    /// Makes sure that what follows the fields is no part of them.
    pub fn end_header(&mut self) {
        if !self.fields.is_empty() && !self.fields.ends_with(b"\n") {
            self.fields = [&self.fields[..], b"\r\n"].concat().into();
        }
        if self.empty_line.is_empty() {
            self.empty_line = Bytes::from_static(b"\r\n");
        }
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
    /// A changed message as if it had arrived so. What was put into it is not counted against the largest size.
    ///
    /// Errors: `Unavailable` (the disk).
    pub async fn respool(&self, passage: &Passage) -> Result<Spooled> {
        let mut spool = self.spool_of(passage.len());
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
