//! Changing the rules of a folder. They are kept, not carried out. Source: MS-OXORULE 3.2.5.2.

use mapi_wire::{
    PropValue,
    rop::{ModifyRules, ModifyRulesResponse, RuleData},
};

use super::call::{Call, Outcome};
use crate::model::{error::Code, permission::Rights, props::Props, tags};

/// Changes rules.
pub(crate) fn modify(call: &mut Call<'_>, ask: &ModifyRules) -> Outcome {
    let fid = call.folder_id(ask.input)?;
    call.need(call.mailbox(ask.input)?, fid, Rights::OWNER)?;
    let rules = &mut call.mailbox_mut(ask.input)?.folder_mut(fid)?.rules;
    if ask.modify_rules_flags & ModifyRules::REPLACE != 0 {
        rules.clear();
    }
    for data in &ask.rules_data {
        let props = data
            .property_values
            .iter()
            .map(|value| (value.tag, value.value.clone()));
        let props: Props = props.collect();
        let id = match props.get(tags::RULE_ID) {
            Some(PropValue::I64(id)) => Some(*id),
            _ => None,
        };
        match (data.flags, id) {
            (RuleData::ADD_ROW, _) => rules.add(props),
            (RuleData::MODIFY_ROW, Some(id)) => rules.modify(id, props)?,
            (RuleData::REMOVE_ROW, Some(id)) => rules.remove(id)?,
            _ => return Err(Code::INVALID_PARAMETER.into()),
        }
    }
    Ok(ModifyRulesResponse { index: ask.input }.into())
}
