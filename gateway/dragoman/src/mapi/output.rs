//! An answer as text or as JSON.

use bytes::Bytes;
use serde_json::Value;

use super::frames::{Frame, Frames};
use crate::failure::Result;

/// The most octets of one piece of an answer.
pub(super) const PIECE_BYTES_MAX: usize = 1 << 20;

/// Where a verb's answer goes.
pub(super) struct Output {
    frames: Frames,
    /// Whether it is JSON.
    pub(super) is_json: bool,
}

impl Output {
    pub(super) const fn new(frames: Frames, is_json: bool) -> Self {
        Self { frames, is_json }
    }

    /// One thing: a line of text, or an object.
    pub(super) async fn say(
        &self,
        text: impl FnOnce() -> String,
        json: impl FnOnce() -> Value,
    ) -> Result<()> {
        let line = match self.is_json {
            true => json().to_string(),
            false => text(),
        };
        self.line(line).await
    }

    /// A line that is right as it is.
    pub(super) async fn line(&self, line: String) -> Result<()> {
        self.frames.say(Frame::Line(line)).await
    }

    /// Octets as they are, line ends and all.
    pub(super) async fn octets(&self, mut octets: Bytes) -> Result<()> {
        while !octets.is_empty() {
            let piece = octets.split_to(octets.len().min(PIECE_BYTES_MAX));
            self.frames.say(Frame::Octets(piece)).await?;
        }
        Ok(())
    }
}

/// Text of others on one line of a terminal: control characters become `?`.
pub(crate) fn plain(text: &str) -> String {
    let plain = |char: char| if char.is_control() { '?' } else { char };
    text.chars().map(plain).collect()
}

/// Rows with columns of equal width; the last is as long as it is.
pub(super) fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            if !line.is_empty() {
                line.push_str("  ");
            }
            let padding = width.saturating_sub(cell.chars().count());
            line.push_str(cell);
            line.push_str(&" ".repeat(padding));
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_of_equal_width() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let rows: Vec<Vec<String>> = vec![row(&["ä", "1"]), row(&["abc", "22", "x"])];
        assert_eq!(aligned(&rows), ["ä    1", "abc  22  x"]);
        assert_eq!(aligned(&[]), [""; 0]);
    }

    #[test]
    fn text_of_others_cannot_command_a_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\n"), "a?[2Jb?");
    }
}
