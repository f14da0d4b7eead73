//! Rules of a folder. Source: MS-OXCROPS 2.2.11, MS-OXORULE 2.2.

use super::{field::Field, layout::rops};
use crate::{
    cursor::{Reader, Result, Writer},
    value::TaggedValue,
};

rops! {
    /// Changes rules. Source: MS-OXCROPS 2.2.11.1.
    0x41 ModifyRules (input) {
        /// 0, or [`Self::REPLACE`].
        modify_rules_flags: u8,
        /// The changes.
        rules_data: Vec<RuleData>,
    } => ModifyRulesResponse {}

    /// Opens the table of rules. Source: MS-OXCROPS 2.2.11.2.
    0x3f GetRulesTable (input output) {
        /// 0, or [`super::table_flags::USE_UNICODE`].
        table_flags: u8,
    } => GetRulesTableResponse {}

    /// Says that a client has done what a rule left to it. Source: MS-OXCROPS 2.2.11.3.
    0x57 UpdateDeferredActionMessages (input) {
        /// The message on the server.
        server_entry_id: Box<[u8]>,
        /// The message at the client.
        client_entry_id: Box<[u8]>,
    } => UpdateDeferredActionMessagesResponse {}
}

impl ModifyRules {
    /// ModifyRulesFlags: what was there goes first.
    pub const REPLACE: u8 = 0x01;
}

/// One change of rules. Source: MS-OXCROPS 2.2.11.1.1.1.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleData {
    /// [`Self::ADD_ROW`] and so on.
    pub flags: u8,
    /// The rule: PidTagRuleName, PidTagRuleCondition, PidTagRuleActions and so on.
    pub property_values: Vec<TaggedValue>,
}

impl RuleData {
    /// Flags: a new rule.
    pub const ADD_ROW: u8 = 0x01;
    /// Flags: a rule that is there.
    pub const MODIFY_ROW: u8 = 0x02;
    /// Flags: a rule that goes.
    pub const REMOVE_ROW: u8 = 0x04;
}

impl Field for RuleData {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(Self {
            flags: reader.u8(expected)?,
            property_values: Field::read(reader, expected)?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u8(self.flags);
        self.property_values.write(writer);
    }
}
