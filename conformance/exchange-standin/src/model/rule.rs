//! The rules of a folder, kept and shown but not carried out. Source: MS-OXORULE 2.2.1.

use mapi_wire::PropValue;

use super::{
    error::{Code, Result},
    props::Props,
    tags,
};

/// The rules of a folder, each a list of properties with PidTagRuleId.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rows: Vec<(i64, Props)>,
    last: i64,
}

impl Rules {
    /// The rules with their ids.
    pub fn rows(&self) -> impl Iterator<Item = (i64, &Props)> {
        self.rows.iter().map(|(id, props)| (*id, props))
    }

    /// Adds a rule; the server chooses its id.
    pub fn add(&mut self, mut props: Props) {
        self.last += 1;
        props.set(tags::RULE_ID, PropValue::I64(self.last));
        self.rows.push((self.last, props));
    }

    /// Sets properties of a rule.
    pub fn modify(&mut self, id: i64, changes: Props) -> Result<()> {
        let rule = self.rows.iter_mut().find(|(known, _)| *known == id);
        let (_, props) = rule.ok_or(Code::NOT_FOUND)?;
        props.extend(changes.iter().map(|(tag, value)| (tag, value.clone())));
        Ok(())
    }

    /// Removes a rule.
    pub fn remove(&mut self, id: i64) -> Result<()> {
        let before = self.rows.len();
        self.rows.retain(|(known, _)| *known != id);
        match self.rows.len() < before {
            true => Ok(()),
            false => Err(Code::NOT_FOUND),
        }
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.rows.clear();
    }
}
