//! Source: MS-OXCROPS 2.2.8.

use mapi_types::PropTag;
use mapi_wire::rop::*;

use super::slot;
use crate::{
    names::codes::property,
    node::{Entry, Node},
    view::{
        Scene, View,
        hints::{bits, error},
        views,
    },
};

views! {
    GetNamesFromPropertyIds { logon_id, input: slot, property_ids: numbers }
    GetNamesFromPropertyIdsResponse { index: slot, property_names }
    GetPropertiesSpecific {
        logon_id, input: slot, property_size_limit, want_unicode, property_tags,
    }
    GetPropertiesSpecificResponse { index: slot, row }
    GetPropertiesAll { logon_id, input: slot, property_size_limit, want_unicode }
    GetPropertiesAllResponse { index: slot, property_values }
    GetPropertiesList { logon_id, input: slot }
    GetPropertiesListResponse { index: slot, property_tags }
    SetProperties { logon_id, input: slot, property_values }
    SetPropertiesResponse { index: slot, property_problems }
    SetPropertiesNoReplicate { logon_id, input: slot, property_values }
    SetPropertiesNoReplicateResponse { index: slot, property_problems }
    DeleteProperties { logon_id, input: slot, property_tags }
    DeletePropertiesResponse { index: slot, property_problems }
    DeletePropertiesNoReplicate { logon_id, input: slot, property_tags }
    DeletePropertiesNoReplicateResponse { index: slot, property_problems }
    CopyProperties {
        logon_id, source: slot, destination: slot, want_asynchronous,
        copy_flags: bits(property::COPY), property_tags,
    }
    CopyPropertiesResponse { index: slot, property_problems }
    CopyTo {
        logon_id, source: slot, destination: slot, want_asynchronous, want_sub_objects,
        copy_flags: bits(property::COPY), excluded_tags,
    }
    CopyToResponse { index: slot, property_problems }
    Progress { logon_id, input: slot, want_cancel }
    ProgressResponse { index: slot, logon_id, completed_task_count, total_task_count }
    GetPropertyIdsFromNames {
        logon_id, input: slot, flags: bits(property::GET_IDS), property_names,
    }
    GetPropertyIdsFromNamesResponse {
        index: slot, return_value: error, property_ids: numbers,
    }
    QueryNamedProperties {
        logon_id, input: slot, query_flags: bits(property::QUERY_NAMES), property_guid,
    }
    QueryNamedPropertiesResponse {
        index: slot, return_value: error, properties: numbered_names,
    }
    PropertyProblem { index, tag, code: error }
}

/// Property ids, with their names where these are known by now.
fn numbers(ids: &[u16], scene: &Scene<'_>) -> Node {
    Node::list(ids.iter().map(|id| number(*id, scene).into()))
}

fn number(id: u16, scene: &Scene<'_>) -> Entry {
    let entry = Entry::new("id", format!("{id:#06x}"));
    let head = crate::view::tag(PropTag(u32::from(id) << 16), scene).head;
    match head.into_iter().find(|(key, _)| *key == "name") {
        Some((_, name)) => entry.and("name", name),
        None => entry,
    }
}

fn numbered_names(properties: &[(u16, mapi_wire::named::MaybeNamed)], scene: &Scene<'_>) -> Node {
    Node::list(properties.iter().map(|(id, name)| {
        Entry::new("id", format!("{id:#06x}"))
            .with("value", name.view(scene))
            .into()
    }))
}
