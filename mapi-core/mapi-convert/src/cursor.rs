//! A reading position in a field body, for the small tolerant parsers of header fields.

/// A position in bytes; every method moves forward or returns `None`/nothing, none can run past the end.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(crate) fn bump(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Consumes `byte` if it is next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.bump();
        }
        found
    }

    /// Consumes the longest prefix of bytes that satisfy `accept`.
    pub(crate) fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let len = self
            .rest
            .iter()
            .position(|b| !accept(*b))
            .unwrap_or(self.rest.len());
        self.take(len)
    }

    /// Consumes `len` bytes, or what is left.
    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (head, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
        self.rest = rest;
        head
    }

    /// Skips white space and line ends.
    pub(crate) fn skip_space(&mut self) -> bool {
        !self.take_while(is_space).is_empty()
    }

    /// Skips white space and comments. Source: CFWS, RFC 5322 3.2.2. Returns the text of the last comment and
    /// whether anything was skipped.
    pub(crate) fn skip_cfws(&mut self) -> (Option<Vec<u8>>, bool) {
        let mut last = None;
        let mut skipped = false;
        loop {
            skipped |= self.skip_space();
            if self.peek() != Some(b'(') {
                return (last, skipped);
            }
            last = Some(self.comment());
            skipped = true;
        }
    }

    /// Consumes a comment with nested ones, returns its text without the outer parentheses; one that is not closed
    /// reaches to the end.
    fn comment(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut depth = 0_usize;
        while let Some(byte) = self.bump() {
            match byte {
                b'(' => {
                    if depth > 0 {
                        text.push(byte);
                    }
                    depth += 1;
                }
                b')' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                    text.push(byte);
                }
                b'\\' => text.extend(self.bump().filter(|b| !is_dropped(*b))),
                _ if is_dropped(byte) => {}
                _ => text.push(byte),
            }
        }
        text
    }

    /// Consumes a quoted string whose opening quote is next; returns its text with escapes resolved. One that is not
    /// closed reaches to the end.
    pub(crate) fn quoted(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        self.eat(b'"');
        while let Some(byte) = self.bump() {
            match byte {
                b'"' => break,
                b'\\' => text.extend(self.bump().filter(|b| !is_dropped(*b))),
                _ if is_dropped(byte) => {}
                _ => text.push(byte),
            }
        }
        text
    }
}

/// Whether a quoted string whose opening quote is the first byte is closed.
pub(crate) fn is_closed_quote(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes);
    cursor.bump();
    while let Some(byte) = cursor.bump() {
        match byte {
            b'"' => return true,
            b'\\' => {
                cursor.bump();
            }
            _ => {}
        }
    }
    false
}

/// White space within a field body, line ends of folding included.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}

/// Bytes that no value taken from a field has: line ends of folding, and NUL, which IMAP cannot transmit.
pub(crate) const fn is_dropped(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0)
}
