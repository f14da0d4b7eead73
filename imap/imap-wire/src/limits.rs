//! What a peer may make this crate hold: every bound of framer and decoder, by name.

/// Bounds on one command. A peer that exceeds one gets a refusal, and the session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a command's text: all of it outside literals, line ends included.
    pub line_bytes_max: usize,
    /// Octets of all literals that one command keeps in memory. Larger ones must be streamed or refused.
    pub literal_bytes_max_in_memory: usize,
    /// Literals in one command, streamed ones included.
    pub literals_max: usize,
}

impl Default for Limits {
    /// 64 KiB of text (RFC 7162 4 asks for at least 8192 octets), 64 KiB of literals in memory, 4,096 literals.
    fn default() -> Self {
        Self {
            line_bytes_max: 64 * 1024,
            literal_bytes_max_in_memory: 64 * 1024,
            literals_max: 4096,
        }
    }
}

/// How deep SEARCH keys may nest (parentheses, NOT and OR together).
pub const SEARCH_DEPTH_MAX: usize = 64;
/// How many SEARCH keys one command may have.
pub const SEARCH_KEYS_MAX: usize = 4096;
/// How many data items one FETCH may ask for.
pub const FETCH_ITEMS_MAX: usize = 512;
/// How many part numbers a section may have, as in `BODY[1.2.3]`.
pub const SECTION_DEPTH_MAX: usize = 100;
/// How many header fields one section may name.
pub const HEADER_FIELDS_MAX: usize = 512;
/// How many flags one list may have.
pub const FLAGS_MAX: usize = 512;
/// How many mailbox patterns one LIST may have.
pub const LIST_PATTERNS_MAX: usize = 64;
/// How many field and value pairs ID may have (RFC 2971 3.3).
pub const ID_PAIRS_MAX: usize = 30;

/// Resources that one SETQUOTA names.
pub const QUOTA_RESOURCES_MAX: usize = 16;
