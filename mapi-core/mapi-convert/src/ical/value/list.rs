//! Values that have several parts. Source: RFC 5545 3.1.1, 3.1.2.

/// The parts of a list, such as CATEGORIES, still escaped.
pub fn split_list(value: &str) -> impl Iterator<Item = &str> {
    split(value, b',')
}

/// The parts of a structured value, such as REQUEST-STATUS, still escaped.
pub fn split_structured(value: &str) -> impl Iterator<Item = &str> {
    split(value, b';')
}

/// Cuts at every separator without a backslash before it.
fn split(value: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut is_escaped = false;
        let cut = text.bytes().position(|c| {
            let found = c == separator && !is_escaped;
            is_escaped = c == b'\\' && !is_escaped;
            found
        });
        let Some(cut) = cut else {
            rest = None;
            return Some(text);
        };
        rest = text.get(cut + 1..);
        text.get(..cut)
    })
}
