//! How a response body is framed: lines that say that the server is at work, headers known only at the end, then the
//! binary body.
//!
//! ```text
//! PROCESSING
//! PENDING          (any number, one a pending period)
//! DONE
//! X-ElapsedTime: 12
//! (empty line, then the body)
//! ```
//! Lines and chunks of the transfer coding have nothing to do with each other, so [`FramingReader`] takes octets as they
//! arrive. Source: MS-OXCMAPIHTTP 2.2.2.2, 2.2.7, 3.2.5.2.

use crate::cursor::{DecodeError, Result};

/// The first line of a response body; flush it at once.
pub const PROCESSING: &[u8] = b"PROCESSING\r\n";

/// The line that keeps a connection alive while the server is at work.
pub const PENDING: &[u8] = b"PENDING\r\n";

/// The most octets of the lines before a body. Five minutes of waiting at one line a second use a twentieth of it.
pub const PREAMBLE_BYTES_MAX: usize = 0x1_0000;

/// The most octets of one line.
pub const LINE_BYTES_MAX: usize = 0x2000;

/// The most additional headers.
pub const HEADERS_MAX: usize = 64;

/// The most octets of a body, where the caller knows nothing better.
pub const BODY_BYTES_MAX: usize = 0x80_0000;

/// Reads a framed response as it arrives.
#[derive(Debug)]
pub struct FramingReader {
    stage: Stage,
    at: usize,
    line: Vec<u8>,
    body_bytes_max: usize,
    framed: Framed,
}

/// How far a response has come.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Stage {
    /// The server is at work.
    Waiting,
    /// It is done; its additional headers arrive.
    Headers,
    /// The body arrives. Only the layer below knows where it ends.
    Body,
}

/// A response without its framing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Framed {
    /// How many lines said PROCESSING: one, but gromox 3.10 repeats it in NotificationWait.
    pub processing: u32,
    /// How many said PENDING.
    pub pending: u32,
    /// The additional headers, in order. They override those of the head.
    pub headers: Vec<(String, String)>,
    /// The body; empty or HTML where an additional X-ResponseCode says that the request failed.
    pub body: Vec<u8>,
}

impl FramingReader {
    /// A reader of one response, which refuses a body of more than `body_bytes_max` octets.
    pub fn new(body_bytes_max: usize) -> Self {
        Self {
            stage: Stage::Waiting,
            at: 0,
            line: Vec::new(),
            body_bytes_max,
            framed: Framed::default(),
        }
    }

    /// Takes octets that have arrived. Any split gives the same result.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while self.stage != Stage::Body {
            let Some(len) = bytes.iter().position(|&octet| octet == b'\n') else {
                return self.keep(bytes);
            };
            let (line, rest) = bytes.split_at(len + 1);
            self.keep(line)?;
            bytes = rest;
            self.end_line()?;
        }
        let room = self.body_bytes_max - self.framed.body.len();
        if bytes.len() > room {
            return Err(DecodeError {
                at: self.at + room,
                expected: "a body within its bound",
            });
        }
        self.framed.body.extend_from_slice(bytes);
        self.at += bytes.len();
        Ok(())
    }

    /// How far the response has come.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// What has been read so far.
    pub const fn so_far(&self) -> &Framed {
        &self.framed
    }

    /// Ends the response: the layer below says that nothing more comes.
    pub fn finish(self) -> Result<Framed> {
        match self.stage {
            Stage::Body => Ok(self.framed),
            Stage::Waiting => Err(self.error("a line that says DONE")),
            Stage::Headers => Err(self.error("the empty line before the body")),
        }
    }

    fn keep(&mut self, part: &[u8]) -> Result<()> {
        let start = self.at - self.line.len();
        let error = |expected| DecodeError {
            at: start,
            expected,
        };
        if self.line.len() + part.len() > LINE_BYTES_MAX {
            return Err(error("a shorter line"));
        }
        self.at += part.len();
        self.line.extend_from_slice(part);
        match self.at > PREAMBLE_BYTES_MAX {
            true => Err(error("fewer lines before the body")),
            false => Ok(()),
        }
    }

    fn end_line(&mut self) -> Result<()> {
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let start = self.at - line.len();
        let text = match self.stage {
            Stage::Waiting => self.pending(text),
            Stage::Headers | Stage::Body => text,
        };
        match (self.stage, text) {
            (Stage::Waiting, b"PROCESSING") => self.framed.processing += 1,
            (Stage::Waiting, b"PENDING") => self.framed.pending += 1,
            (Stage::Waiting, b"DONE") => self.stage = Stage::Headers,
            (Stage::Headers, b"") => self.stage = Stage::Body,
            (Stage::Headers, _) => return self.header(text, start),
            _ => {
                return Err(DecodeError {
                    at: start,
                    expected: "PROCESSING, PENDING or DONE",
                });
            }
        }
        Ok(())
    }

    /// Takes what says PENDING from before another word: gromox 3.10 ends no line that does.
    fn pending<'a>(&mut self, mut text: &'a [u8]) -> &'a [u8] {
        while let Some(rest) = text
            .strip_prefix(b"PENDING")
            .filter(|rest| !rest.is_empty())
        {
            self.framed.pending += 1;
            text = rest;
        }
        text
    }

    fn header(&mut self, line: &[u8], start: usize) -> Result<()> {
        let text = String::from_utf8_lossy(line);
        let error = |expected| DecodeError {
            at: start,
            expected,
        };
        let (name, value) = text.split_once(':').ok_or(error("an additional header"))?;
        if self.framed.headers.len() >= HEADERS_MAX {
            return Err(error("fewer additional headers"));
        }
        let header = (name.trim().to_owned(), value.trim().to_owned());
        self.framed.headers.push(header);
        Ok(())
    }

    const fn error(&self, expected: &'static str) -> DecodeError {
        DecodeError {
            at: self.at,
            expected,
        }
    }
}

/// Unframes a response that is there as a whole.
pub fn read(bytes: &[u8]) -> Result<Framed> {
    let mut reader = FramingReader::new(BODY_BYTES_MAX);
    reader.push(bytes)?;
    reader.finish()
}

/// What follows the waiting lines: DONE, the additional headers and the empty line before the body.
///
/// A header whose name or value has a line end is left out: it would begin another one.
pub fn done<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut out = b"DONE\r\n".to_vec();
    for (name, value) in headers {
        if !format!("{name}{value}").contains(['\r', '\n']) {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RESPONSE: &[u8] = b"PROCESSING\r\nPENDING\r\nPENDING\r\nDONE\r\nX-ElapsedTime: 12\r\nX-ResponseCode: 10\r\n\r\n\0\r\n\r\nDONE\r\n\xff";

    fn framed() -> Framed {
        Framed {
            processing: 1,
            pending: 2,
            headers: vec![
                ("X-ElapsedTime".into(), "12".into()),
                ("X-ResponseCode".into(), "10".into()),
            ],
            body: b"\0\r\n\r\nDONE\r\n\xff".to_vec(),
        }
    }

    #[test]
    fn every_split_into_two_gives_the_same() {
        for split in 0..=RESPONSE.len() {
            let (first, second) = RESPONSE.split_at(split);
            let mut reader = FramingReader::new(64);
            reader.push(first).unwrap();
            reader.push(second).unwrap();
            assert_eq!(reader.finish().unwrap(), framed(), "split at {split}");
        }
    }

    #[test]
    fn octet_by_octet_gives_the_same_and_tells_the_stage() {
        let mut reader = FramingReader::new(64);
        let mut stages = vec![reader.stage()];
        for octet in RESPONSE {
            reader.push(&[*octet]).unwrap();
            stages.push(reader.stage());
        }
        assert!(stages.is_sorted());
        stages.dedup();
        assert_eq!(stages, [Stage::Waiting, Stage::Headers, Stage::Body]);
        assert_eq!(reader.finish().unwrap(), framed());
    }

    #[test]
    fn the_writer_writes_what_the_reader_reads() {
        let mut bytes = [PROCESSING, PENDING, PENDING].concat();
        let framed = framed();
        let headers = framed
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        bytes.extend(done(headers.chain([("X-Evil", "1\r\nX-More: 2")])));
        bytes.extend(&framed.body);
        assert_eq!(bytes, RESPONSE);
    }

    #[test]
    fn a_cut_anywhere_before_the_body_is_noticed() {
        let preamble = RESPONSE.len() - framed().body.len();
        for cut in 0..preamble {
            let error = read(&RESPONSE[..cut]).unwrap_err();
            assert_eq!(error.at, cut);
        }
        assert!(read(&RESPONSE[..preamble]).unwrap().body.is_empty());
    }

    #[test]
    fn pending_without_the_end_of_its_line_is_understood() {
        let framed =
            read(b"PROCESSING\r\nPENDINGPENDINGPROCESSING\r\nPENDINGDONE\r\n\r\nbody").unwrap();
        assert_eq!((framed.processing, framed.pending), (2, 3));
        assert_eq!(framed.body, b"body");
        assert!(read(b"PENDINGDANCE\r\n").is_err());
    }

    #[test]
    fn what_is_broken_says_where() {
        let cases: [(&[u8], usize, &str); 3] = [
            (b"<html>\r\n", 0, "PROCESSING, PENDING or DONE"),
            (b"PROCESSING\r\nFOO\r\n", 12, "PROCESSING, PENDING or DONE"),
            (
                b"DONE\r\nX-ElapsedTime 12\r\n\r\n",
                6,
                "an additional header",
            ),
        ];
        for (bytes, at, expected) in cases {
            assert_eq!(read(bytes).unwrap_err(), DecodeError { at, expected });
        }
    }

    #[test]
    fn everything_has_a_bound() {
        let long = vec![b'x'; LINE_BYTES_MAX + 1];
        assert_eq!(read(&long).unwrap_err().expected, "a shorter line");
        let many = PENDING.repeat(PREAMBLE_BYTES_MAX / PENDING.len() + 1);
        assert_eq!(
            read(&many).unwrap_err().expected,
            "fewer lines before the body"
        );
        let headers = [b"DONE\r\n".to_vec(), b"a: b\r\n".repeat(HEADERS_MAX + 1)].concat();
        assert_eq!(
            read(&headers).unwrap_err().expected,
            "fewer additional headers"
        );
        let mut reader = FramingReader::new(3);
        reader.push(b"DONE\r\n\r\nabc").unwrap();
        assert_eq!(
            reader.push(b"d").unwrap_err().expected,
            "a body within its bound"
        );
    }

    proptest! {
        #[test]
        fn any_split_of_any_octets_gives_the_same(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..100),
                prop::collection::vec(prop::sample::select(b"PROCESSING\r\nDONE: ".to_vec()), 0..100),
                Just(RESPONSE.to_vec()),
            ],
            cuts in prop::collection::vec(0_usize..100, 0..6),
        ) {
            let mut reader = FramingReader::new(BODY_BYTES_MAX);
            let mut result = Ok(());
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let mut start = 0;
            for cut in cuts {
                result = result.and_then(|()| reader.push(&bytes[start..cut]));
                start = cut;
            }
            prop_assert_eq!(result.and_then(|()| reader.finish()), read(&bytes));
        }
    }
}
