//! Restrictions. Source: MS-OXCDATA 2.12.

use mapi_wire::restriction::Restriction;

use super::{
    Scene, View,
    hints::{bits_code, one_of_code},
};
use crate::{
    names::codes::condition,
    node::{Entry, Node},
};

impl View for Restriction {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let relation = |relation: u8| one_of_code(relation.into(), 2, condition::RELATION);
        let kind = |kind| Entry::new("restriction", kind);
        let entry = match self {
            Self::And(all) => kind("And").with("restrictions", all.view(scene)),
            Self::Or(all) => kind("Or").with("restrictions", all.view(scene)),
            Self::Not(one) => kind("Not").with("condition", one.view(scene)),
            Self::Content {
                fuzzy_low,
                fuzzy_high,
                tag,
                value,
            } => kind("Content")
                .with(
                    "fuzzy_low",
                    one_of_code((*fuzzy_low).into(), 4, condition::FUZZY_LOW),
                )
                .with(
                    "fuzzy_high",
                    bits_code((*fuzzy_high).into(), 4, condition::FUZZY_HIGH),
                )
                .with("tag", tag.view(scene))
                .with("operand", value.view(scene)),
            Self::Property {
                relation: how,
                tag,
                value,
            } => kind("Property")
                .with("relation", relation(*how))
                .with("tag", tag.view(scene))
                .with("operand", value.view(scene)),
            Self::CompareProperties {
                relation: how,
                left,
                right,
            } => kind("CompareProperties")
                .with("relation", relation(*how))
                .with("left", left.view(scene))
                .with("right", right.view(scene)),
            Self::BitMask {
                relation,
                tag,
                mask,
            } => kind("BitMask")
                .with(
                    "relation",
                    one_of_code((*relation).into(), 2, condition::BITS),
                )
                .with("tag", tag.view(scene))
                .with("mask", one_of_code((*mask).into(), 8, &[])),
            Self::Size {
                relation: how,
                tag,
                size,
            } => kind("Size")
                .with("relation", relation(*how))
                .with("tag", tag.view(scene))
                .with("size", size.view(scene)),
            Self::Exist(tag) => kind("Exist").with("tag", tag.view(scene)),
            Self::SubObject { tag, condition } => kind("SubObject")
                .with("tag", tag.view(scene))
                .with("condition", condition.view(scene)),
            Self::Comment { values, condition } => kind("Comment")
                .with("values", values.view(scene))
                .with("condition", condition.view(scene)),
            Self::Count { count, condition } => kind("Count")
                .with("count", count.view(scene))
                .with("condition", condition.view(scene)),
        };
        entry.into()
    }
}
