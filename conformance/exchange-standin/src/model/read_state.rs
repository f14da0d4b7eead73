//! Whether messages were read, and the receipts that go out then. Source: MS-OXCMSG 3.2.5.10.

use std::sync::Arc;

use super::{
    error::Result,
    ids::{Cn, Mid},
    mailbox::Mailbox,
    message::{Message, PendingReceipts},
    receipt,
};

/// Bits of ReadFlags. Source: MS-OXCMSG 2.2.3.10.1.
pub mod read_flags {
    /// rfSuppressReceipt.
    pub const SUPPRESS: u8 = 0x01;
    /// rfClearReadFlag; only together with [`SUPPRESS`].
    pub const CLEAR: u8 = 0x04;
    /// rfGenerateReceiptOnly.
    pub const RECEIPT_ONLY: u8 = 0x10;
    /// rfClearNotifyRead.
    pub const CLEAR_NOTIFY_READ: u8 = 0x20;
    /// rfClearNotifyUnread.
    pub const CLEAR_NOTIFY_UNREAD: u8 = 0x40;
}

impl Mailbox {
    /// Applies ReadFlags to a message; whether its read state changed. Source: MS-OXCMSG 2.2.3.10.1, 3.2.5.10.
    pub fn set_read_flags(&mut self, mid: Mid, flags: u8) -> Result<bool> {
        let message = Arc::clone(self.message(mid)?);
        if message.associated {
            return Ok(false);
        }
        if flags
            & (read_flags::RECEIPT_ONLY
                | read_flags::CLEAR_NOTIFY_READ
                | read_flags::CLEAR_NOTIFY_UNREAD)
            != 0
        {
            self.settle_receipts(&message, flags)?;
            return Ok(false);
        }
        let read = flags & read_flags::CLEAR == 0;
        if read && message.receipts.read && flags & read_flags::SUPPRESS == 0 {
            self.send_receipt(&message, receipt::ReceiptKind::Read);
        }
        let changed = message.read != read;
        let read_cn = match changed {
            true => Cn(self.take_counter()),
            false => message.read_cn,
        };
        let folder = self.folder_mut(message.folder)?;
        folder.change(mid, |message| {
            message.read = read;
            message.read_cn = read_cn;
            if read {
                message.receipts = PendingReceipts::default();
            }
        });
        if changed {
            self.modified(message.folder, mid);
        }
        Ok(changed)
    }

    fn settle_receipts(&mut self, message: &Message, flags: u8) -> Result<()> {
        if flags & read_flags::RECEIPT_ONLY != 0 && message.receipts.read {
            self.send_receipt(message, receipt::ReceiptKind::Read);
        }
        self.folder_mut(message.folder)?
            .change(message.mid, |message| {
                if flags & (read_flags::RECEIPT_ONLY | read_flags::CLEAR_NOTIFY_READ) != 0 {
                    message.receipts.read = false;
                }
                if flags & read_flags::CLEAR_NOTIFY_UNREAD != 0 {
                    message.receipts.unread = false;
                }
            });
        Ok(())
    }

    pub(super) fn send_receipt(&mut self, message: &Message, kind: receipt::ReceiptKind) {
        self.receipts.push(receipt::about(message, &self.key, kind));
    }
}
