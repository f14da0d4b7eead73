//! How fields are shown that their type alone does not explain.

use std::borrow::Cow;

use super::Scene;
use crate::{
    names::{self, codes::Codes},
    node::{Code, Entry, Node},
};

/// A number that stands for one of these.
pub(crate) fn one_of<T: Copy + Into<u64>>(codes: Codes) -> impl Fn(&T, &Scene<'_>) -> Node {
    move |number, _| one_of_code((*number).into(), digits::<T>(), codes)
}

/// Bits.
pub(crate) fn bits<T: Copy + Into<u64>>(codes: Codes) -> impl Fn(&T, &Scene<'_>) -> Node {
    move |number, _| bits_code((*number).into(), digits::<T>(), codes)
}

/// An error code.
pub(crate) fn error(code: &u32, _: &Scene<'_>) -> Node {
    error_code(*code)
}

/// An error code as a node.
pub(crate) fn error_code(code: u32) -> Node {
    let meaning = names::error(code).map(Cow::Borrowed);
    Node::Code(Code {
        number: code.into(),
        digits: 8,
        meaning: meaning.into_iter().collect(),
    })
}

/// A number of a choice as a node.
pub(crate) fn one_of_code(number: u64, digits: usize, codes: Codes) -> Node {
    let found = codes.iter().find(|(code, _)| *code == number);
    let meaning = found.map(|(_, name)| Cow::Borrowed(*name));
    Node::Code(Code {
        number,
        digits,
        meaning: meaning.into_iter().collect(),
    })
}

/// Bits as a node; those without a name as a number.
pub(crate) fn bits_code(number: u64, digits: usize, codes: Codes) -> Node {
    let mut rest = number;
    let mut meaning = Vec::new();
    for (code, name) in codes {
        if number & code == *code {
            rest &= !code;
            meaning.push(Cow::Borrowed(*name));
        }
    }
    if rest != 0 && !meaning.is_empty() {
        meaning.push(Cow::Owned(format!("{rest:#x}")));
    }
    Node::Code(Code {
        number,
        digits,
        meaning,
    })
}

/// Octets that are not read any further, because of `why`.
pub(crate) fn opaque<T: AsRef<[u8]>>(why: &'static str) -> impl Fn(&T, &Scene<'_>) -> Node {
    move |octets, _| Node::octets(octets.as_ref(), why)
}

/// Octets whose content is shown in another field.
pub(crate) fn shown_in<T: AsRef<[u8]>>(place: &'static str) -> impl Fn(&T, &Scene<'_>) -> Node {
    move |octets, _| shown_elsewhere(octets.as_ref(), place)
}

/// The same as a node.
pub(crate) fn shown_elsewhere(octets: &[u8], place: &'static str) -> Node {
    Entry::default()
        .with("octets", Node::Number(octets.len() as i128))
        .with("shown_in", Node::word(place))
        .into()
}

/// The same where it may be absent.
pub(crate) fn opaque_some<T: AsRef<[u8]>>(
    why: &'static str,
) -> impl Fn(&Option<T>, &Scene<'_>) -> Node {
    move |octets, _| match octets {
        Some(octets) => Node::octets(octets.as_ref(), why),
        None => Node::Absent,
    }
}

/// A number as hexadecimal digits.
pub(crate) fn hexadecimal<T: Copy + Into<u64>>(number: &T, _: &Scene<'_>) -> Node {
    one_of_code((*number).into(), digits::<T>(), &[])
}

/// 8-bit text in the code page of the scene.
pub(crate) fn string8<T: AsRef<[u8]>>(octets: &T, scene: &Scene<'_>) -> Node {
    super::text::string8(octets.as_ref(), scene.page)
}

/// 8-bit text that ends with its NUL.
pub(crate) fn string8_with_nul(octets: &[u8], scene: &Scene<'_>) -> Node {
    match octets.strip_suffix(&[0]) {
        Some(text) => super::text::string8(text, scene.page),
        None if octets.is_empty() => Node::Text(String::new()),
        None => Node::octets(octets, "text without the NUL it should end with"),
    }
}

/// Several 8-bit texts.
pub(crate) fn strings8<T: AsRef<[u8]>>(list: &[T], scene: &Scene<'_>) -> Node {
    Node::list(list.iter().map(|octets| string8(octets, scene)))
}

const fn digits<T>() -> usize {
    2 * size_of::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::codes;

    fn meaning(node: &Node) -> Vec<&str> {
        let Node::Code(code) = node else {
            panic!("{node:?}")
        };
        code.meaning.iter().map(AsRef::as_ref).collect()
    }

    #[test]
    fn bits_are_named_one_by_one_and_the_rest_is_a_number() {
        let node = bits_code(0x8000_0003, 8, codes::call::EXECUTE);
        assert_eq!(
            meaning(&node),
            ["NoCompression", "NoXorMagic", "0x80000000"]
        );
        assert!(meaning(&bits_code(0x10, 2, codes::call::EXECUTE)).is_empty());
    }

    #[test]
    fn a_choice_that_nobody_knows_stays_a_number() {
        let node = one_of_code(9, 2, codes::table::BOOKMARK);
        assert!(meaning(&node).is_empty());
        assert_eq!(meaning(&error_code(0x8004_010f)), ["NotFound"]);
    }
}
