//! What is written is read again as it was, whatever it is; and no octets make a reader panic.

use dav_wire::request::{Change, PropertyUpdate};
use dav_wire::{ElementName, Fragment, Href, Limits, PropertyName, XmlWriter};
use proptest::prelude::*;

#[path = "../../fuzz/checks/body.rs"]
pub(crate) mod body;
#[path = "../../fuzz/checks/header.rs"]
pub(crate) mod header;

/// A text of characters that XML can say, with those in it that must be escaped.
fn text() -> impl Strategy<Value = String> {
    let plain = any::<char>().prop_filter(
        "a character of XML",
        |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..),
    );
    let special = prop::sample::select(vec!['<', '>', '&', '"', '\'', ']', '\r', '\n', '\t', ' ']);
    prop::collection::vec(prop_oneof![plain, special], 0..40).prop_map(|c| c.into_iter().collect())
}

fn name() -> impl Strategy<Value = PropertyName> {
    (
        "(DAV:|urn:[a-z&<\"]{0,4}|)",
        "[A-Za-z_ü][A-Za-z0-9._-]{0,8}",
    )
        .prop_map(|(namespace, local)| PropertyName::new(&namespace, &local).unwrap())
}

proptest! {
    #[test]
    fn texts_come_back(name in name(), text in text()) {
        let body = XmlWriter::document(ElementName::dav("propertyupdate"), |writer| {
            writer.element(ElementName::dav("set"), |writer| {
                writer.element(ElementName::dav("prop"), |writer| {
                    writer.property(&name, |writer| writer.text(&text));
                });
            });
        });
        let update = PropertyUpdate::parse(&body, &Limits::default()).unwrap();
        let [Change::Set(set)] = &update.changes[..] else {
            panic!("{update:?}");
        };
        prop_assert_eq!(&set.name, &name);
        prop_assert_eq!(set.text().unwrap(), text);
        let again = Fragment::parse(set.value.as_str(), &Limits::default()).unwrap();
        prop_assert_eq!(&again, &set.value);
    }

    #[test]
    fn attributes_come_back(text in text()) {
        let body = XmlWriter::document(ElementName::dav("acl"), |writer| {
            writer.element_with(ElementName::caldav("comp"), &[("name", &text)], |_| {});
        });
        let document = String::from_utf8(body).unwrap();
        let (_, fragment) = document.split_once('\n').unwrap();
        let first = Fragment::parse(fragment, &Limits::default()).unwrap();
        prop_assert!(fragment.contains("name=\"") || text.is_empty());
        let again = Fragment::parse(first.as_str(), &Limits::default()).unwrap();
        prop_assert_eq!(again, first);
    }

    #[test]
    fn paths_come_back(names in prop::collection::vec("[^\\pC]{1,12}", 0..6), is_collection: bool) {
        let mut href = Href::root();
        for name in &names {
            if let Some(member) = href.member(name) {
                href = member;
            }
        }
        let href = href.as_collection(is_collection);
        prop_assert_eq!(Href::parse(&href.to_string()), Ok(href));
    }

    #[test]
    fn no_octets_make_a_reader_panic(input in prop::collection::vec(any::<u8>(), 0..200)) {
        body::check(&input);
        header::check(&input);
    }

    #[test]
    fn no_text_of_markup_makes_a_reader_panic(input in "[<>/&;:=\"' a-dxmlns!\\[\\]\\-?#]{0,80}") {
        body::check(input.as_bytes());
        header::check(input.as_bytes());
    }
}
