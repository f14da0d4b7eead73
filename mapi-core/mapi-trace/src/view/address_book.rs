//! The address book. Source: MS-OXCMAPIHTTP 2.2.5.

use mapi_wire::nspi::*;

use super::{
    Scene, View, entry_id,
    hints::{bits, hexadecimal, one_of},
    views,
};
use crate::{
    names::codes::book,
    node::{Entry, Node},
};

views! {
    Bind { flags: bits(book::BIND), stat }
    Bound { server_guid }
    Unbind { reserved }
    CompareMIds { reserved, stat, first, second }
    Compared { result }
    DnToMId { reserved, names }
    FoundMIds { mids }
    PropertyName { guid, id }
    GetMatches {
        reserved, stat, mids, interface_flags: hexadecimal, restriction, property_name, row_count,
        columns,
    }
    Matches { stat, mids, rows }
    GetPropList { flags: bits(book::PROPS), mid, code_page }
    PropList { tags }
    GetProps { flags: bits(book::PROPS), stat, tags }
    Props { code_page, values }
    GetSpecialTable { flags: bits(book::SPECIAL_TABLE), stat, version }
    SpecialTable { code_page, version, rows }
    GetTemplateInfo {
        flags: bits(book::TEMPLATE), display_type: one_of(book::DISPLAY_TYPE), template_dn,
        code_page, locale_id,
    }
    TemplateInfo { code_page, values }
    ModLinkAtt { flags: bits(book::LINKS), tag, mid, entry_ids: entries }
    ModProps { reserved, stat, tags, values }
    QueryRows { flags: bits(book::PROPS), stat, mids, row_count, columns }
    RowsFound { stat, rows }
    QueryColumns { reserved, flags: bits(book::COLUMNS) }
    Columns { columns }
    ResolveNames { reserved, stat, columns, names }
    Resolved { code_page, mids: outcomes, rows }
    ResortRestriction { reserved, stat, mids }
    Resorted { stat, mids }
    SeekEntries { reserved, stat, target, mids, columns }
    UpdateStat { reserved, stat, delta_requested }
    UpdatedStat { stat, delta }
    GetMailboxUrl { flags: hexadecimal, server_dn }
    GetAddressBookUrl { flags: hexadecimal, user_dn }
    Url { server_url }
    Stat {
        sort_type: one_of(book::SORT), container_id, current_rec, delta, num_pos, total_recs,
        code_page, template_locale: hexadecimal, sort_locale: hexadecimal,
    }
}

/// A minimal entry id.
impl View for MId {
    fn view(&self, _: &Scene<'_>) -> Node {
        Node::Word(format!("{:#x}", self.0))
    }
}

fn entries(list: &Option<Vec<Box<[u8]>>>, scene: &Scene<'_>) -> Node {
    match list {
        Some(list) => Node::list(list.iter().map(|id| entry_id::view(id, scene))),
        None => Node::Absent,
    }
}

/// What became of each name. Source: MS-OXNSPI 2.2.1.9.
fn outcomes(mids: &Option<Vec<MId>>, _: &Scene<'_>) -> Node {
    let outcome = |mid: &MId| {
        let word = match *mid {
            MId::UNRESOLVED => "MID_UNRESOLVED",
            MId::AMBIGUOUS => "MID_AMBIGUOUS",
            MId::RESOLVED => "MID_RESOLVED",
            MId(_) => "unknown",
        };
        Entry::new("outcome", word)
            .and("mid", format!("{:#x}", mid.0))
            .into()
    };
    match mids {
        Some(mids) => Node::list(mids.iter().map(outcome)),
        None => Node::Absent,
    }
}
