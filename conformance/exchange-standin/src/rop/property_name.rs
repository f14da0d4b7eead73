//! Names of properties and their ids in a mailbox. Source: MS-OXCPRPT 3.2.5.9, 3.2.5.10, 3.2.5.18.

use mapi_wire::{
    named::MaybeNamed,
    property_name::NameId,
    rop::{
        GetNamesFromPropertyIds, GetNamesFromPropertyIdsResponse, GetPropertyIdsFromNames,
        GetPropertyIdsFromNamesResponse, QueryNamedProperties, QueryNamedPropertiesResponse,
        WARN_WITH_ERRORS,
    },
};

use super::call::{Call, Outcome};
use crate::model::{error::Code, named::FIRST_ID};

/// Bits of QueryFlags. Source: MS-OXCPRPT 2.2.9.1.
mod query_flags {
    pub(super) const NO_STRINGS: u8 = 0x01;
    pub(super) const NO_IDS: u8 = 0x02;
}

/// Ids of names; new ones where that is asked for.
pub(crate) fn ids(call: &mut Call<'_>, ask: &GetPropertyIdsFromNames) -> Outcome {
    let create = ask.flags & GetPropertyIdsFromNames::CREATE != 0;
    let mailbox = call.mailbox_mut(ask.input)?;
    let mut property_ids = Vec::new();
    if ask.property_names.is_empty() {
        property_ids.extend(mailbox.named.iter().map(|(id, _)| id));
    }
    for name in &ask.property_names {
        let id = match name.name() {
            Some(name) if create => mailbox.named.id_or_new(name)?,
            Some(name) => mailbox.named.id(name).unwrap_or_default(),
            None => 0,
        };
        property_ids.push(id);
    }
    let return_value = match property_ids.contains(&0) {
        true => WARN_WITH_ERRORS,
        false => 0,
    };
    Ok(GetPropertyIdsFromNamesResponse {
        index: ask.input,
        return_value,
        property_ids,
    }
    .into())
}

/// Names of ids.
pub(crate) fn names(call: &mut Call<'_>, ask: &GetNamesFromPropertyIds) -> Outcome {
    let mailbox = call.mailbox(ask.input)?;
    let name = |id: &u16| {
        let name = mailbox.named.name(*id);
        name.map_or_else(
            || MaybeNamed::Nameless(Default::default()),
            MaybeNamed::from,
        )
    };
    Ok(GetNamesFromPropertyIdsResponse {
        index: ask.input,
        property_names: ask.property_ids.iter().map(name).collect(),
    }
    .into())
}

/// All names of a mailbox. Only those of the store as a whole are told.
pub(crate) fn query(call: &mut Call<'_>, ask: &QueryNamedProperties) -> Outcome {
    let both = query_flags::NO_STRINGS | query_flags::NO_IDS;
    if ask.query_flags & both == both {
        return Err(Code::INVALID_PARAMETER.into());
    }
    let mailbox = call.mailbox(ask.input)?;
    let wanted = |id: &NameId| match id {
        NameId::Text(_) => ask.query_flags & query_flags::NO_STRINGS == 0,
        NameId::Number(_) => ask.query_flags & query_flags::NO_IDS == 0,
    };
    let properties = mailbox.named.iter().filter(|(id, name)| {
        *id >= FIRST_ID && wanted(&name.id) && ask.property_guid.is_none_or(|set| set == name.set)
    });
    Ok(QueryNamedPropertiesResponse {
        index: ask.input,
        return_value: 0,
        properties: properties
            .map(|(id, name)| (id, name.clone().into()))
            .collect(),
    }
    .into())
}
