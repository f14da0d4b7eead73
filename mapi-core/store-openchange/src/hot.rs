//! The properties that listings ask for: each a column of the table `items`, not part of the property blob.

use mapi_store::INLINE_BYTES_MAX;
use mapi_types::{
    FileTime, Multi, OwnedValue, PropTag, Value,
    tags::{self, message_flags, message_status},
};
use rusqlite::Row;

use crate::{access::invalid, fail::Result};

/// The columns of [`Hot`], in its order.
pub(crate) const HOT_COLUMNS: &str =
    "flags, status, flag_status, last_verb, keywords, delivered, class";

/// The properties of these columns, in the same order.
pub(crate) const HOT_TAGS: [PropTag; 7] = [
    tags::MESSAGE_FLAGS.tag(),
    tags::MESSAGE_STATUS.tag(),
    tags::FLAG_STATUS.tag(),
    tags::LAST_VERB_EXECUTED.tag(),
    tags::KEYWORDS.tag(),
    tags::MESSAGE_DELIVERY_TIME.tag(),
    tags::MESSAGE_CLASS.tag(),
];

/// An item without a message class counts as mail.
pub(crate) const DEFAULT_CLASS: &str = "IPM.Note";

/// The values of one item.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Hot {
    pub(crate) flags: Option<i32>,
    pub(crate) status: Option<i32>,
    pub(crate) flag_status: Option<i32>,
    pub(crate) last_verb: Option<i32>,
    /// Packed as [`Multi`] has it.
    pub(crate) keywords: Option<Box<[u8]>>,
    pub(crate) delivered: Option<FileTime>,
    pub(crate) class: Option<Box<str>>,
}

/// Columns that the store computes: nobody sets them.
pub(crate) fn is_fact(tag: PropTag) -> bool {
    const FACTS: [PropTag; 12] = [
        tags::DELETED_ON.tag(),
        tags::SOURCE_KEY.tag(),
        tags::INTERNET_ARTICLE_NUMBER.tag(),
        tags::ITEM_VERSION.tag(),
        tags::ITEM_SIZE.tag(),
        tags::ORIGINAL.tag(),
        tags::ORIGINAL_SIZE.tag(),
        tags::ORIGINAL_PREFIX.tag(),
        tags::DERIVED_RENDERER.tag(),
        tags::DERIVED_ENVELOPE.tag(),
        tags::DERIVED_STRUCTURE.tag(),
        tags::DERIVED_HEADER.tag(),
    ];
    FACTS.contains(&tag)
}

/// Which column a property has, if it has one.
pub(crate) fn hot_column(tag: PropTag) -> Option<&'static str> {
    Some(match tag {
        tag if tag == tags::MESSAGE_FLAGS.tag() => "flags",
        tag if tag == tags::MESSAGE_STATUS.tag() => "status",
        tag if tag == tags::FLAG_STATUS.tag() => "flag_status",
        tag if tag == tags::LAST_VERB_EXECUTED.tag() => "last_verb",
        tag if tag == tags::KEYWORDS.tag() => "keywords",
        tag if tag == tags::MESSAGE_DELIVERY_TIME.tag() => "delivered",
        tag if tag == tags::MESSAGE_CLASS.tag() => "class",
        _ => return None,
    })
}

impl Hot {
    /// Reads the columns of [`HOT_COLUMNS`] from `first` on.
    pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let keywords: Option<Vec<u8>> = row.get(first + 4)?;
        let delivered: Option<i64> = row.get(first + 5)?;
        let class: Option<String> = row.get(first + 6)?;
        Ok(Self {
            flags: row.get(first)?,
            status: row.get(first + 1)?,
            flag_status: row.get(first + 2)?,
            last_verb: row.get(first + 3)?,
            keywords: keywords.map(Into::into),
            delivered: delivered.map(|ticks| FileTime(ticks as u64)),
            class: class.map(Into::into),
        })
    }

    /// Every value there is.
    pub(crate) fn owned(&self) -> Vec<(PropTag, OwnedValue)> {
        HOT_TAGS
            .iter()
            .filter_map(|tag| Some((*tag, self.value(*tag)?.to_owned())))
            .collect()
    }

    pub(crate) fn value(&self, tag: PropTag) -> Option<Value<'_>> {
        match hot_column(tag)? {
            "flags" => self.flags.map(Value::I32),
            "status" => self.status.map(Value::I32),
            "flag_status" => self.flag_status.map(Value::I32),
            "last_verb" => self.last_verb.map(Value::I32),
            "keywords" => self
                .keywords
                .as_deref()
                .map(|packed| Value::Strs(Multi::from_packed(packed))),
            "delivered" => self.delivered.map(Value::Time),
            _ => self.class.as_deref().map(Value::Str),
        }
    }

    /// Sets or removes a value; says whether the property has a column at all.
    ///
    /// Errors: `Invalid` when the value is not of the tag's type, or too large.
    pub(crate) fn set(&mut self, tag: PropTag, value: Option<Value<'_>>) -> Result<bool> {
        let Some(column) = hot_column(tag) else {
            return Ok(false);
        };
        match (column, value) {
            ("flags", None) => self.flags = None,
            ("status", None) => self.status = None,
            ("flag_status", None) => self.flag_status = None,
            ("last_verb", None) => self.last_verb = None,
            ("keywords", None) => self.keywords = None,
            ("delivered", None) => self.delivered = None,
            ("class", None) => self.class = None,
            ("flags", Some(Value::I32(bits))) => self.flags = Some(bits),
            ("status", Some(Value::I32(bits))) => self.status = Some(bits),
            ("flag_status", Some(Value::I32(number))) => self.flag_status = Some(number),
            ("last_verb", Some(Value::I32(number))) => self.last_verb = Some(number),
            ("keywords", Some(Value::Strs(words))) if words.packed().len() <= INLINE_BYTES_MAX => {
                self.keywords = Some(words.packed().into());
            }
            ("delivered", Some(Value::Time(time))) => self.delivered = Some(time),
            ("class", Some(Value::Str(class))) if class.len() <= INLINE_BYTES_MAX => {
                self.class = Some(class.into());
            }
            _ => {
                return Err(invalid(
                    "a property value is not of its tag's type, or too large",
                ));
            }
        }
        Ok(true)
    }

    /// Sets a value given as an owned one.
    pub(crate) fn set_owned(&mut self, tag: PropTag, value: Option<&OwnedValue>) -> Result<bool> {
        self.set(tag, value.map(OwnedValue::as_value))
    }

    pub(crate) fn is_read(&self) -> bool {
        self.flags.unwrap_or(0) & message_flags::READ != 0
    }

    pub(crate) fn is_associated(&self) -> bool {
        self.flags.unwrap_or(0) & message_flags::ASSOCIATED != 0
    }

    pub(crate) fn set_associated(&mut self, associated: bool) {
        if self.is_associated() != associated {
            self.flags = Some(self.flags.unwrap_or(0) ^ message_flags::ASSOCIATED);
        }
    }

    pub(crate) fn is_marked_deleted(&self) -> bool {
        self.status.unwrap_or(0) & message_status::DELETE_MARKED != 0
    }

    /// Takes off the mark for deletion.
    pub(crate) fn unmark_deleted(&mut self) {
        self.status = self
            .status
            .map(|status| status & !message_status::DELETE_MARKED);
    }

    /// The message class.
    pub(crate) fn class(&self) -> &str {
        self.class.as_deref().unwrap_or(DEFAULT_CLASS)
    }
}
