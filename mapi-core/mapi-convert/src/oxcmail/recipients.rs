//! To, Cc and Bcc as recipient rows.

use mapi_types::{PropBag, tags};

use super::{
    Warning,
    address_props::{Person, RECIPIENT},
    props::Props,
};
use crate::{address, header};

/// Recipients of one message; more are left out of the properties (the original keeps them).
pub(super) const RECIPIENTS_MAX: usize = 5_000;

/// Recipient rows in the order To, Cc, Bcc, and the display texts that name them. Source: MS-OXCMAIL 2.2.3.1.1.
pub(super) fn put(block: &[u8], props: &mut Props, warnings: &mut Vec<Warning>) -> Vec<PropBag> {
    let mut rows = Vec::new();
    let mut left_out = 0;
    let kinds = [
        ("To", 1, &tags::DISPLAY_TO),
        ("Cc", 2, &tags::DISPLAY_CC),
        ("Bcc", 3, &tags::DISPLAY_BCC),
    ];
    for (name, kind, display) in kinds {
        let mut names = String::new();
        for field in header::fields(block).filter(|field| field.is(name)) {
            for mailbox in address::mailboxes(field.value) {
                if rows.len() >= RECIPIENTS_MAX {
                    left_out += 1;
                    continue;
                }
                let person = Person::from_mailbox(&mailbox);
                if !names.is_empty() {
                    names.push_str("; ");
                }
                names.push_str(&person.name);
                let row_id = i32::try_from(rows.len()).unwrap_or(i32::MAX);
                rows.push(row(&person, kind, row_id).finish(warnings));
            }
        }
        if !names.is_empty() {
            props.text(display, &names);
        }
    }
    if left_out > 0 {
        props.warn(Warning::RecipientsLeftOut(left_out));
    }
    rows
}

/// One recipient row. Source: MS-OXCMSG 2.2.3.
pub(super) fn row(person: &Person, kind: i32, row_id: i32) -> Props {
    let mut props = Props::default();
    person.put(&RECIPIENT, &mut props);
    props.long(&tags::ROWID, row_id);
    props.long(&tags::RECIPIENT_TYPE, kind);
    props.flag(&tags::SEND_RICH_INFO, false);
    props.text(&tags::RECIPIENT_DISPLAY_NAME, &person.name);
    props
}
