//! One pass over a message's octets, in pieces of any size.
//!
//! Works line by line and keeps only what is undecided of the current line, so its memory is bounded by the limits,
//! not by the message. A line is what LF ends; CR before it belongs to the line end.

use mapi_types::TransferEncoding;
use memchr::{memchr, memchr_iter};

use super::part::{Part, PartKind, Scanned};
use crate::{
    header,
    parameter::{self, ContentType},
};

/// Bounds of a scan; beyond them the rest of the message is opaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Parts within parts within parts.
    pub depth_max: usize,
    /// Parts of one message.
    pub parts_max: usize,
    /// Octets of header blocks kept, all parts together.
    pub header_bytes_max: usize,
    /// Octets of machine-readable report parts kept, all parts together.
    pub report_bytes_max: usize,
    /// Octets of a boundary; a multipart with a longer one is opaque.
    pub boundary_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth_max: 64,
            parts_max: 10_000,
            header_bytes_max: 1 << 20,
            report_bytes_max: 64 << 10,
            boundary_bytes_max: 8 << 10,
        }
    }
}

/// Reads a message once; feed it every octet in order, then [`Scanner::finish`].
#[derive(Clone, Debug)]
pub struct Scanner {
    limits: Limits,
    parts: Vec<Part>,
    /// The parts that the next octet lies in, from the root to the innermost.
    open: Vec<Open>,
    retained: Vec<u8>,
    header_bytes: usize,
    report_bytes: usize,
    in_header: bool,
    limited: bool,
    /// Octets seen.
    position: u64,
    /// Line ends seen.
    line_ends: u64,
    /// Where the current line began, and where its retained octets began.
    line_start: u64,
    line_retained: usize,
    /// The current line's first octets, as far as a boundary or a blank line needs them.
    line: Vec<u8>,
    /// Octets of the line end before the current line: 0 (none), 1 (LF) or 2 (CRLF).
    line_end_before: u64,
    /// Octets of the current line's own line end.
    line_end: u64,
    /// The last octet seen.
    last: u8,
}

#[derive(Clone, Debug)]
struct Open {
    part: usize,
    /// Of a multipart that is not closed yet.
    boundary: Option<Box<[u8]>>,
    /// Line ends seen when the body began.
    lines_before: u64,
    /// Its body is kept (a report part).
    keep_body: bool,
}

impl Scanner {
    /// A scanner at a message's first octet.
    pub fn new(limits: Limits) -> Self {
        let root = Part::new(None, 0, 0);
        Self {
            limits,
            parts: vec![root],
            open: vec![Open::new(0)],
            retained: Vec::new(),
            header_bytes: 0,
            report_bytes: 0,
            in_header: true,
            limited: false,
            position: 0,
            line_ends: 0,
            line_start: 0,
            line_retained: 0,
            line: Vec::new(),
            line_end_before: 0,
            line_end: 0,
            last: 0,
        }
    }

    /// Takes the next octets.
    pub fn feed(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            if !self.in_header && !self.watches_body() {
                return self.skip(octets);
            }
            match memchr(b'\n', octets).and_then(|at| octets.split_at_checked(at + 1)) {
                Some((line, rest)) => {
                    self.take_line(line);
                    self.end_line();
                    octets = rest;
                }
                None => return self.take_line(octets),
            }
        }
    }

    /// The message ends here.
    pub fn finish(mut self) -> Scanned {
        if self.position > self.line_start {
            self.line_end = 0;
            self.end_line();
        }
        self.end_headers(self.position);
        self.close_from(0, self.position, self.line_ends);
        Scanned {
            size: self.position,
            parts: self.parts,
            retained: self.retained,
            limited: self.limited,
        }
    }

    /// Whether anything in the current body matters: a boundary to look for, or octets to keep.
    fn watches_body(&self) -> bool {
        self.open
            .iter()
            .any(|open| open.boundary.is_some() || open.keep_body)
    }

    /// Passes over octets in which nothing can be found. From here on nothing will be: boundaries only go.
    fn skip(&mut self, octets: &[u8]) {
        self.line_ends += memchr_iter(b'\n', octets).count() as u64;
        self.position += octets.len() as u64;
        self.line_start = self.position;
    }

    /// Takes octets of the current line; a line end may only be the last of them.
    fn take_line(&mut self, octets: &[u8]) {
        let at_start = self.position == self.line_start;
        let first = if at_start {
            octets.first()
        } else {
            self.line.first()
        };
        let begins_with_dash = first == Some(&b'-');
        // Two dashes, the boundary, two dashes, the line end; of another line enough to see that it is not blank.
        let wanted = if begins_with_dash {
            self.limits.boundary_bytes_max + 6
        } else {
            3
        };
        if begins_with_dash || self.in_header {
            let room = wanted.saturating_sub(self.line.len());
            self.line
                .extend_from_slice(octets.get(..room).unwrap_or(octets));
        }
        self.retain(octets);
        self.position += octets.len() as u64;
        match octets {
            [.., b'\r', b'\n'] => self.line_end = 2,
            [b'\n'] if self.last == b'\r' => self.line_end = 2,
            [.., b'\n'] => self.line_end = 1,
            _ => {}
        }
        self.last = octets.last().copied().unwrap_or(self.last);
    }

    /// Keeps octets of a header block or a report, within the limits.
    fn retain(&mut self, octets: &[u8]) {
        let (used, max) = if self.in_header {
            (&mut self.header_bytes, self.limits.header_bytes_max)
        } else if self.open.last().is_some_and(|open| open.keep_body) {
            (&mut self.report_bytes, self.limits.report_bytes_max)
        } else {
            return;
        };
        let kept = octets.get(..max.saturating_sub(*used)).unwrap_or(octets);
        *used += kept.len();
        self.limited |= kept.len() < octets.len();
        self.retained.extend_from_slice(kept);
    }

    /// Decides what the line that has just been taken was.
    fn end_line(&mut self) {
        let line_ends_before = self.line_ends;
        self.line_ends += u64::from(self.line_end > 0);
        if self.in_header && header::is_blank(&self.line) {
            self.end_header(self.position);
        } else if let Some((level, closing)) = self.delimiter() {
            self.delimit(level, closing, line_ends_before);
        }
        self.line.clear();
        self.line_start = self.position;
        self.line_retained = self.retained.len();
        self.line_end_before = self.line_end;
    }

    /// Whether the line is a boundary line: the level of its multipart, and whether it closes that.
    ///
    /// Boundaries that are a prefix of the line match (RFC 2046 5.1.1); a line that is nothing but the boundary is
    /// preferred, then the longest boundary, then the innermost.
    fn delimiter(&self) -> Option<(usize, bool)> {
        let rest = self.line.strip_prefix(b"--")?;
        let mut best: Option<((bool, usize), usize, bool)> = None;
        for (level, open) in self.open.iter().enumerate() {
            let Some(boundary) = &open.boundary else {
                continue;
            };
            let Some(tail) = rest.strip_prefix(&**boundary) else {
                continue;
            };
            let closing = tail.starts_with(b"--");
            let exact = matches!(tail.trim_ascii_end(), b"" | b"--");
            let rank = (exact, boundary.len());
            if best.is_none_or(|(best_rank, ..)| rank >= best_rank) {
                best = Some((rank, level, closing));
            }
        }
        best.map(|(_, level, closing)| (level, closing))
    }

    /// Ends the parts inside the multipart at `level`, and begins its next one unless it closes.
    fn delimit(&mut self, level: usize, closing: bool, line_ends: u64) {
        // The boundary line's octets are not part of what was being kept.
        let undone = self.retained.len().saturating_sub(self.line_retained);
        self.retained.truncate(self.line_retained);
        let used = if self.in_header {
            &mut self.header_bytes
        } else {
            &mut self.report_bytes
        };
        *used = used.saturating_sub(undone);
        self.end_headers(self.line_start);

        // The line end before the boundary belongs to it, unless it ended the header of an empty body.
        let body_start = self.innermost().map_or(0, |part| part.body.start);
        let before_line_end = self.line_start.saturating_sub(self.line_end_before);
        let (end, line_ends) = if before_line_end >= body_start && self.line_end_before > 0 {
            (before_line_end, line_ends.saturating_sub(1))
        } else {
            (self.line_start, line_ends)
        };
        self.close_from(level + 1, end, line_ends);
        let Some(open) = self.open.get_mut(level) else {
            return;
        };
        if closing {
            open.boundary = None;
        } else if self.parts.len() < self.limits.parts_max {
            self.begin_part(self.position);
        } else {
            self.limited = true;
        }
    }

    /// Opens a part in the innermost open one; its header begins at `position`.
    fn begin_part(&mut self, position: u64) {
        let parent = self.open.last().map(|open| open.part);
        let index = self.parts.len();
        self.parts
            .push(Part::new(parent, position, self.retained.len()));
        if let Some(parent) = parent.and_then(|parent| self.parts.get_mut(parent)) {
            parent.children.push(index);
        }
        self.open.push(Open::new(index));
        self.in_header = true;
    }

    fn innermost(&self) -> Option<&Part> {
        self.parts.get(self.open.last()?.part)
    }

    /// Ends the current header, if there is one, and those of messages in it.
    fn end_headers(&mut self, end: u64) {
        while self.in_header {
            self.end_header(end);
        }
    }

    /// The innermost part's header ends at octet `end`; what it says decides how its body is read.
    fn end_header(&mut self, end: u64) {
        self.in_header = false;
        let digest = self.is_in_digest();
        let depth = self.open.len();
        let room = depth < self.limits.depth_max && self.parts.len() < self.limits.parts_max;
        let (retained, boundary_max) = (&self.retained, self.limits.boundary_bytes_max);
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let Some(part) = self.parts.get_mut(open.part) else {
            return;
        };
        part.header.end = end;
        part.body = end..end;
        part.retained_header.end = retained.len();
        open.lines_before = self.line_ends;

        let block = retained
            .get(part.retained_header.clone())
            .unwrap_or_default();
        part.read_header(block, digest);
        if part.content_type.is_type("multipart") {
            let boundary = parameter::joined_raw(&part.content_type.params, "boundary");
            let boundary = boundary.as_deref().unwrap_or_default().trim_ascii_end();
            if room && !boundary.is_empty() && boundary.len() <= boundary_max {
                open.boundary = Some(boundary.into());
            }
            self.limited |= !room;
            // Without any part found in it, `close_from` makes it a leaf.
            part.kind = PartKind::Multipart;
        } else if part.is_declared_message() {
            let encoding = part.encoding;
            if !room {
                self.limited = true;
                part.content_type = ContentType::new("application", "octet-stream");
                return;
            }
            part.kind = PartKind::Message;
            self.begin_part(end);
            if encoding != TransferEncoding::Identity {
                self.make_opaque(end, encoding);
            }
        } else if part.is_report() {
            open.keep_body = true;
            part.retained_body = Some(part.retained_header.end..part.retained_header.end);
        }
    }

    /// An encoded message cannot be read in place: what stands for its root is one opaque part.
    fn make_opaque(&mut self, position: u64, encoding: TransferEncoding) {
        self.in_header = false;
        let Some(open) = self.open.last_mut() else {
            return;
        };
        open.lines_before = self.line_ends;
        let Some(part) = self.parts.get_mut(open.part) else {
            return;
        };
        part.body = position..position;
        part.content_type = ContentType::new("application", "octet-stream");
        part.encoding = encoding;
    }

    fn is_in_digest(&self) -> bool {
        let parent = self
            .innermost()
            .and_then(|part| self.parts.get(part.parent?));
        parent.is_some_and(|parent| parent.content_type.is("multipart", "digest"))
    }

    /// Closes the open parts from `level` inwards.
    fn close_from(&mut self, level: usize, end: u64, line_ends: u64) {
        for open in self.open.drain(level.min(self.open.len())..).rev() {
            let Some(part) = self.parts.get_mut(open.part) else {
                continue;
            };
            part.body.end = end;
            part.lines = line_ends.saturating_sub(open.lines_before);
            if part.kind == PartKind::Multipart && part.children.is_empty() {
                part.kind = PartKind::Leaf;
                part.content_type = ContentType::new("text", "plain");
            }
            if let Some(kept) = &mut part.retained_body {
                let len = usize::try_from(end - part.body.start).unwrap_or(usize::MAX);
                kept.end = self.retained.len().min(kept.start.saturating_add(len));
            }
        }
    }
}

impl Open {
    const fn new(part: usize) -> Self {
        Self {
            part,
            boundary: None,
            lines_before: 0,
            keep_body: false,
        }
    }
}
