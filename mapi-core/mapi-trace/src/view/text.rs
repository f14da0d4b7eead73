//! Strings. What does not come back as it was from its text is shown as octets: nothing is lost by showing it.

use mapi_wire::{
    Utf16,
    code_page::CodePage,
    http::body::Text8,
    text::{Text, TypedString},
};

use super::{Scene, View};
use crate::node::{Entry, Node};

/// 8-bit text.
pub(crate) fn string8(octets: &[u8], page: CodePage) -> Node {
    let text = page.decode(octets);
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Node::octets(octets, format!("not text in code page {}", page.0));
    }
    Node::Text(text)
}

impl View for Utf16 {
    fn view(&self, _: &Scene<'_>) -> Node {
        match String::from_utf16(&self.0) {
            Ok(text) => Node::Text(text),
            Err(_) => {
                let octets: Vec<u8> = self.0.iter().flat_map(|unit| unit.to_le_bytes()).collect();
                Node::octets(&octets, "UTF-16 with half a pair in it")
            }
        }
    }
}

/// Distinguished names: ASCII, or what a server made of something else.
impl View for Text8 {
    fn view(&self, _: &Scene<'_>) -> Node {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Node::Text(text.to_owned()),
            Err(_) => Node::octets(&self.0, "not text in UTF-8"),
        }
    }
}

impl View for Text {
    fn view(&self, scene: &Scene<'_>) -> Node {
        match self {
            Self::Ansi(octets) => string8(octets, scene.page),
            Self::Unicode(text) => text.view(scene),
        }
    }
}

impl View for TypedString {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let typed = |form: &str, text| Entry::new("form", form).with("value", text).into();
        match self {
            Self::Absent => Node::Absent,
            Self::Empty => Node::word("empty"),
            Self::Ansi(octets) => typed("8-bit", string8(octets, scene.page)),
            Self::Reduced(octets) => typed(
                "reduced",
                Node::Text(octets.iter().copied().map(char::from).collect()),
            ),
            Self::Unicode(text) => typed("UTF-16", text.view(scene)),
        }
    }
}
