//! Finding entries: by distinguished name, by what a user typed, by restriction. Source: MS-OXNSPI 3.1.4.1.10,
//! 3.1.4.1.13, 3.1.4.1.17.

use mapi_wire::{
    http::body::Text8,
    nspi::{GetMatches, MId, Matches, ResolveNames, Resolved},
};

use super::entry::{CODE_PAGE, Entry, everybody, rows};
use crate::{
    mapi_http::body,
    model::{
        error::Code,
        organisation::Organisation,
        user::{User, UserKind},
    },
};

/// ecTableTooBig: more entries than the client takes.
const TABLE_TOO_BIG: u32 = 0x8004_0403;

/// PidTagAddressBookMember: GetMatches with it asks for the members of a list.
const MEMBER: u16 = 0x8009;

/// Ids of entries by distinguished name; 0 where there is none.
pub(super) fn by_names(organisation: &Organisation, names: &[Text8]) -> Vec<MId> {
    let mid = |name: &Text8| {
        let user = organisation.by_dn(&name.to_text());
        user.map_or(MId::UNRESOLVED, |user| MId(user.mid))
    };
    names.iter().map(mid).collect()
}

/// Entries that meet a restriction.
pub(super) fn matches(organisation: &Organisation, ask: GetMatches) -> Vec<u8> {
    let stat = ask.stat.unwrap_or_default();
    let mut found = everybody(organisation);
    let lists_members =
        ask.property_name.is_none() && stat.container_id.0 >> 16 == u32::from(MEMBER);
    if lists_members {
        let list = organisation.by_mid(stat.current_rec.0);
        found.retain(|entry| is_member(organisation, list, entry.mid()));
    }
    if let Some(restriction) = &ask.restriction {
        found.retain(|entry| entry.meets(restriction));
    }
    if found.len() as u64 > u64::from(ask.row_count) {
        let nothing = Matches {
            stat: ask.stat,
            mids: None,
            rows: None,
        };
        return body(TABLE_TOO_BIG, nothing, Vec::new());
    }
    let found = Matches {
        stat: ask.stat,
        mids: Some(found.iter().map(Entry::mid).collect()),
        rows: ask.columns.map(|columns| rows(&found, Some(columns))),
    };
    body(Code::OK.0, found, Vec::new())
}

fn is_member(organisation: &Organisation, list: Option<&User>, mid: MId) -> bool {
    let Some(UserKind::List(members)) = list.map(|list| &list.kind) else {
        return false;
    };
    let mut members = members.iter().filter_map(|key| organisation.user(key));
    members.any(|member| member.mid == mid.0)
}

/// Who is meant by names that a user typed.
pub(super) fn resolve(organisation: &Organisation, ask: ResolveNames) -> Vec<u8> {
    let mut resolved = Vec::new();
    let mut mids = Vec::new();
    for name in ask.names.unwrap_or_default() {
        let found = named(organisation, &name.to_text());
        mids.push(match found.len() {
            0 => MId::UNRESOLVED,
            1 => MId::RESOLVED,
            _ => MId::AMBIGUOUS,
        });
        if let [user] = found.as_slice() {
            resolved.push(Entry::new(user));
        }
    }
    let resolved = Resolved {
        code_page: CODE_PAGE,
        mids: Some(mids),
        rows: Some(rows(&resolved, ask.columns)),
    };
    body(Code::OK.0, resolved, Vec::new())
}

/// Everybody whom typed letters may mean. `=` asks for an exact name, `SMTP:` for an address.
fn named<'o>(organisation: &'o Organisation, typed: &str) -> Vec<&'o User> {
    let exact = typed.strip_prefix('=');
    let name = exact.unwrap_or(typed);
    let address = name
        .get(..5)
        .filter(|prefix| prefix.eq_ignore_ascii_case("SMTP:"));
    let address = address.and_then(|prefix| name.get(prefix.len()..));
    if let Some(user) = organisation.by_any(address.unwrap_or(name)) {
        return vec![user];
    }
    let same = |user: &&User| {
        user.display_name.eq_ignore_ascii_case(name) || user.key.eq_ignore_ascii_case(name)
    };
    let found: Vec<_> = organisation.users.values().filter(same).collect();
    match found.is_empty() && exact.is_none() && address.is_none() {
        true => organisation
            .users
            .values()
            .filter(|user| user.answers_to(name))
            .collect(),
        false => found,
    }
}
