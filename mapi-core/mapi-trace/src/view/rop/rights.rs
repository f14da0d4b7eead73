//! Permissions and rules. Source: MS-OXCROPS 2.2.10, 2.2.11.

use mapi_wire::rop::*;

use super::{slot, target};
use crate::{
    names::codes::rights,
    node::Node,
    view::{Scene, entry_id, hints::bits, views},
};

views! {
    ModifyPermissions {
        logon_id, input: slot, modify_flags: bits(rights::MODIFY), permissions_data,
    }
    ModifyPermissionsResponse { index: slot }
    GetPermissionsTable {
        logon_id, input: slot, output: target, table_flags: bits(rights::TABLE),
    }
    GetPermissionsTableResponse { index: slot }
    PermissionData { flags: bits(rights::ROW), property_values }
    ModifyRules {
        logon_id, input: slot, modify_rules_flags: bits(rights::RULES_MODIFY), rules_data,
    }
    ModifyRulesResponse { index: slot }
    GetRulesTable {
        logon_id, input: slot, output: target, table_flags: bits(rights::RULES_TABLE),
    }
    GetRulesTableResponse { index: slot }
    RuleData { flags: bits(rights::ROW), property_values }
    UpdateDeferredActionMessages {
        logon_id, input: slot, server_entry_id: entry, client_entry_id: entry,
    }
    UpdateDeferredActionMessagesResponse { index: slot }
}

fn entry(octets: &[u8], scene: &Scene<'_>) -> Node {
    entry_id::view(octets, scene)
}
