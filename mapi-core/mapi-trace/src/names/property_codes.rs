//! What numbers in properties stand for. Source: the documents of each property, as MS-OXPROPS names them.

use super::codes::{Codes, book, message, rights};

/// How a number of a property is to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meaning {
    /// One of these.
    One(Codes),
    /// These bits.
    Bits(Codes),
    /// The id of a folder, message or change.
    Id,
    /// An error code.
    Error,
}

const IMPORTANCE: Codes = &[(0, "low"), (1, "normal"), (2, "high")];
const SENSITIVITY: Codes = &[
    (0, "normal"),
    (1, "personal"),
    (2, "private"),
    (3, "confidential"),
];
const PRIORITY: Codes = &[(0, "normal"), (1, "urgent"), (0xffff_ffff, "not urgent")];
const OBJECT: Codes = &[
    (1, "store"),
    (2, "address book"),
    (3, "folder"),
    (4, "address list"),
    (5, "message"),
    (6, "mail user"),
    (7, "attachment"),
    (8, "distribution list"),
];
const NATIVE_BODY: Codes = &[
    (0, "undefined"),
    (1, "plain"),
    (2, "RTF"),
    (3, "HTML"),
    (4, "clear-signed"),
];
const ATTACH_METHOD: Codes = &[
    (0, "afNone"),
    (1, "afByValue"),
    (2, "afByReference"),
    (4, "afByReferenceOnly"),
    (5, "afEmbeddedMessage"),
    (6, "afStorage"),
    (7, "afByWebReference"),
];
const FOLDER: Codes = &[(0, "root"), (1, "generic"), (2, "search")];
const VERB: Codes = &[(102, "reply"), (103, "reply to all"), (104, "forward")];
const FLAG_STATUS: Codes = &[(1, "followupComplete"), (2, "followupFlagged")];
const ACCESS: Codes = &[
    (0x01, "modify"),
    (0x02, "read"),
    (0x04, "delete"),
    (0x08, "create hierarchy"),
    (0x10, "create contents"),
    (0x20, "create associated"),
];
const RULE_STATE: Codes = &[
    (0x01, "ST_ENABLED"),
    (0x02, "ST_ERROR"),
    (0x04, "ST_ONLY_WHEN_OOF"),
    (0x08, "ST_KEEP_OOF_HIST"),
    (0x10, "ST_EXIT_LEVEL"),
    (0x20, "ST_SKIP_IF_SCL_IS_SAFE"),
    (0x40, "ST_RULE_PARSE_ERROR"),
    (0x80, "ST_CLEAR_OOF_HIST"),
];
const RECIPIENT: Codes = &[(0, "Originator"), (1, "To"), (2, "Cc"), (3, "Bcc")];

/// What numbers of the property with this id stand for.
pub(crate) const fn meaning(id: u16) -> Option<Meaning> {
    Some(match id {
        0x0017 => Meaning::One(IMPORTANCE),
        0x0026 => Meaning::One(PRIORITY),
        0x0036 => Meaning::One(SENSITIVITY),
        0x0c15 => Meaning::One(RECIPIENT),
        0x0e07 => Meaning::Bits(message::FLAGS),
        0x0e17 => Meaning::Bits(message::STATUS),
        0x0ff4 => Meaning::Bits(ACCESS),
        0x0ffe => Meaning::One(OBJECT),
        0x1016 => Meaning::One(NATIVE_BODY),
        0x1081 => Meaning::One(VERB),
        0x1090 => Meaning::One(FLAG_STATUS),
        0x3601 => Meaning::One(FOLDER),
        0x3705 => Meaning::One(ATTACH_METHOD),
        0x3900 => Meaning::One(book::DISPLAY_TYPE),
        0x6673 => Meaning::Bits(rights::MEMBER),
        0x6677 => Meaning::Bits(RULE_STATE),
        // PidTagParentFolderId and its like: FID, MID, CN; the instance id of a table's row is a MID or of a category.
        0x6748 | 0x6749 | 0x674a | 0x674d | 0x67a4 => Meaning::Id,
        0x400f => Meaning::Error,
        _ => return None,
    })
}
