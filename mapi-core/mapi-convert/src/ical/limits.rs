//! How much of a document is read.

/// Bounds of [`super::parse`]; a document beyond one is refused with the bound's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the document. CalDAV's max-resource-size is at most this.
    pub size_bytes_max: usize,
    /// Lines as they stand in the document, continuations included.
    pub lines_max: usize,
    /// Octets of one content line after unfolding.
    pub line_bytes_max: usize,
    /// Components within each other.
    pub depth_max: usize,
    /// Parameters of one property, and values of one parameter.
    pub params_max: usize,
}

impl Default for Limits {
    /// 10 MiB in 200,000 lines: an event with a picture inside, or a year of a busy calendar.
    fn default() -> Self {
        Self {
            size_bytes_max: 10 << 20,
            lines_max: 200_000,
            line_bytes_max: 10 << 20,
            depth_max: 16,
            params_max: 100,
        }
    }
}
