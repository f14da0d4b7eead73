//! Receipts that a message asked for and that went out. A client that marks mail as read on behalf of a program that
//! only shows it must suppress them.

use super::{
    message::{Message, PendingReceipts},
    tags,
};

/// A receipt that the server sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// Whose mailbox the message is in: the key of a user.
    pub mailbox: String,
    /// What it says.
    pub kind: ReceiptKind,
    /// The subject of the message.
    pub subject: String,
    /// Who gets it.
    pub to: String,
}

/// What a receipt says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReceiptKind {
    /// The message was read.
    Read,
    /// It was deleted unread.
    NotRead,
}

/// The receipts that a message asks for when it arrives.
pub fn asked_for(content: &super::message::Content) -> PendingReceipts {
    let props = &content.props;
    PendingReceipts {
        read: props.is_true(tags::READ_RECEIPT_REQUESTED),
        unread: props.is_true(tags::NON_RECEIPT_NOTIFICATION_REQUESTED)
            || props.is_true(tags::READ_RECEIPT_REQUESTED),
    }
}

/// The receipt about a message.
pub fn about(message: &Message, mailbox: &str, kind: ReceiptKind) -> Receipt {
    let props = &message.content.props;
    let to = [
        tags::SENT_REPRESENTING_SMTP_ADDRESS,
        tags::SENT_REPRESENTING_EMAIL_ADDRESS,
        tags::SENDER_EMAIL_ADDRESS,
    ];
    Receipt {
        mailbox: mailbox.to_owned(),
        kind,
        subject: props.text(tags::SUBJECT).unwrap_or_default(),
        to: to
            .into_iter()
            .find_map(|tag| props.text(tag))
            .unwrap_or_default(),
    }
}
