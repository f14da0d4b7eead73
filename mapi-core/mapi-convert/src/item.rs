//! What items of every class have in common: subject, text, marks. Source: MS-OXCMSG 2.2.1.

use mapi_types::{
    FileTime, Kind, OwnedValue, PropBag, PropTag, Tag, kind, tags, tags::message_flags,
};

/// The properties of an item in the making.
#[derive(Debug, Default)]
pub(crate) struct Item(Vec<(PropTag, OwnedValue)>);

/// What somebody says of an item of any class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Common {
    /// PidTagSubject.
    pub subject: String,
    /// PidTagBody; empty: none.
    pub body: String,
    /// PidNameKeywords.
    pub categories: Vec<String>,
    /// PidTagImportance: 0 low, 1 normal, 2 high.
    pub importance: Importance,
    /// Whether others see no more than that there is something.
    pub private: bool,
}

/// PidTagImportance. Source: MS-OXCMSG 2.2.1.11.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Importance {
    /// Low.
    Low,
    /// Normal.
    #[default]
    Normal,
    /// High.
    High,
}

/// PidTagSensitivity: private. Source: MS-OXCMSG 2.2.1.13.
const SENSITIVITY_PRIVATE: i32 = 2;

/// PidTagInternetCodepage: UTF-8.
const UTF_8: i32 = 65001;

impl Item {
    /// An item of a class, with what all have. Source: PidTagIconIndex, MS-OXOMSG 2.2.1.10.
    pub(crate) fn new(class: &str, icon: i32, common: &Common) -> Self {
        let mut item = Self::default();
        item.text(&tags::MESSAGE_CLASS, class);
        item.long(&tags::ICON_INDEX, icon);
        item.put(
            &tags::SUBJECT,
            OwnedValue::Str(common.subject.as_str().into()),
        );
        let normalized = OwnedValue::Str(common.subject.as_str().into());
        item.put(&tags::NORMALIZED_SUBJECT, normalized);
        item.text(&tags::BODY, &common.body);
        item.long(&tags::INTERNET_CODEPAGE, UTF_8);
        item.long(&tags::MESSAGE_FLAGS, message_flags::READ);
        let importance = match common.importance {
            Importance::Low => 0,
            Importance::Normal => 1,
            Importance::High => 2,
        };
        item.long(&tags::IMPORTANCE, importance);
        let sensitivity = match common.private {
            true => SENSITIVITY_PRIVATE,
            false => 0,
        };
        item.long(&tags::SENSITIVITY, sensitivity);
        item.truth(&tags::PRIVATE, common.private);
        if !common.categories.is_empty() {
            let categories = OwnedValue::strs(&common.categories);
            item.put(&tags::KEYWORDS, categories);
        }
        item
    }

    fn put<K: Kind>(&mut self, tag: &Tag<K>, value: OwnedValue) {
        self.0.push((tag.tag(), value));
    }

    /// A text, unless it is empty.
    pub(crate) fn text(&mut self, tag: &Tag<kind::Str>, text: &str) {
        if !text.is_empty() {
            self.put(tag, OwnedValue::Str(text.into()));
        }
    }

    pub(crate) fn long(&mut self, tag: &Tag<kind::Long>, value: i32) {
        self.put(tag, OwnedValue::I32(value));
    }

    pub(crate) fn double(&mut self, tag: &Tag<kind::Double>, value: f64) {
        self.put(tag, OwnedValue::F64(value));
    }

    pub(crate) fn truth(&mut self, tag: &Tag<kind::Boolean>, value: bool) {
        self.put(tag, OwnedValue::Bool(value));
    }

    pub(crate) fn time(&mut self, tag: &Tag<kind::Time>, value: FileTime) {
        self.put(tag, OwnedValue::Time(value));
    }

    pub(crate) fn octets(&mut self, tag: &Tag<kind::Bin>, value: &[u8]) {
        self.put(tag, OwnedValue::Bin(value.into()));
    }

    pub(crate) fn finish(self) -> PropBag {
        self.0.into_iter().collect()
    }
}

/// A time so many minutes before another.
pub(crate) const fn minutes_before(time: FileTime, minutes: u32) -> FileTime {
    FileTime(time.0.saturating_sub(minutes as u64 * TICKS_A_MINUTE))
}

/// Ticks of 100 ns in a minute.
pub(crate) const TICKS_A_MINUTE: u64 = 60 * 10_000_000;
