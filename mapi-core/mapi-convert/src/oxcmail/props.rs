//! Properties being collected, within the size a row may have inline.

use mapi_types::{FileTime, OwnedValue, PropBag, PropTag, Tag, kind, tags};

use super::Warning;

/// Values above this are streams, which derived properties never need.
pub(super) const VALUE_BYTES_MAX: usize = 64 << 10;

/// Collects properties; texts above [`VALUE_BYTES_MAX`] are cut, binaries left out, both with a warning.
#[derive(Debug, Default)]
pub(super) struct Props {
    list: Vec<(PropTag, OwnedValue)>,
    warnings: Vec<Warning>,
}

impl Props {
    pub(super) fn text(&mut self, tag: &Tag<kind::Str>, value: &str) {
        let mut end = value.len().min(VALUE_BYTES_MAX);
        if end < value.len() {
            self.warnings.push(Warning::Truncated(tag.tag()));
        }
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        let value = value.get(..end).unwrap_or_default();
        // NUL ends a PtypString.
        let value = if value.contains('\0') {
            value.replace('\0', "")
        } else {
            value.to_owned()
        };
        self.list.push((tag.tag(), OwnedValue::Str(value.into())));
    }

    pub(super) fn octets(&mut self, tag: &Tag<kind::Bin>, value: &[u8]) {
        if value.len() > VALUE_BYTES_MAX {
            return self.warnings.push(Warning::Omitted(tag.tag()));
        }
        self.list.push((tag.tag(), OwnedValue::Bin(value.into())));
    }

    pub(super) fn long(&mut self, tag: &Tag<kind::Long>, value: i32) {
        self.list.push((tag.tag(), OwnedValue::I32(value)));
    }

    pub(super) fn flag(&mut self, tag: &Tag<kind::Boolean>, value: bool) {
        self.list.push((tag.tag(), OwnedValue::Bool(value)));
    }

    pub(super) fn time(&mut self, tag: &Tag<kind::Time>, value: FileTime) {
        self.list.push((tag.tag(), OwnedValue::Time(value)));
    }

    pub(super) fn texts(&mut self, tag: &Tag<kind::Strs>, values: &[String]) {
        let value = OwnedValue::strs(values);
        match &value {
            OwnedValue::Strs(packed) if packed.len() > VALUE_BYTES_MAX => {
                self.warnings.push(Warning::Omitted(tag.tag()));
            }
            _ => self.list.push((tag.tag(), value)),
        }
    }

    /// PidTagBody, whatever its size.
    pub(super) fn body(&mut self, text: &str) {
        self.list.push((
            tags::BODY.tag(),
            OwnedValue::Str(text.replace('\0', "").into()),
        ));
    }

    /// PidTagHtml, whatever its size.
    pub(super) fn html(&mut self, octets: Vec<u8>) {
        self.list
            .push((tags::BODY_HTML.tag(), OwnedValue::Bin(octets.into())));
    }

    pub(super) fn warn(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }

    /// The bag; what could not be carried over goes to `warnings`.
    pub(super) fn finish(self, warnings: &mut Vec<Warning>) -> PropBag {
        warnings.extend(self.warnings);
        self.list.into_iter().collect()
    }
}
