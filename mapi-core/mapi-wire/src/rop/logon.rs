//! Logging on to a mailbox or to the public folders. Source: MS-OXCROPS 2.2.3.1, MS-OXCSTOR 2.2.1.1.

use super::{
    field::{Context, Field},
    layout::{Answer, ask},
};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::{Guid, Id},
};

ask! {
    /// Logs on to a store; its handle is what everything else in that store begins with.
    ///
    /// The client chooses the logon id and repeats it in every ROP; an id that is in use is replaced.
    /// Source: MS-OXCROPS 2.2.3.1, MS-OXCSTOR 2.2.1.1.1.
    0xfe Logon (output) {
        /// [`Self::PRIVATE`] for a mailbox, else public folders.
        logon_flags: u8,
        /// [`Self::HOME_LOGON`] and so on.
        open_flags: u32,
        /// Reserved, 0.
        store_state: u32,
        /// The distinguished name of the mailbox with its NUL; empty for public folders.
        essdn: Box<[u8]>,
    }
}

impl Logon {
    /// LogonFlags: a mailbox.
    pub const PRIVATE: u8 = 0x01;
    /// LogonFlags: without a trace in the log of the mailbox.
    pub const UNDERCOVER: u8 = 0x02;
    /// LogonFlags: public folders whose replica is elsewhere too.
    pub const GHOSTED: u8 = 0x04;
    /// OpenFlags: with an administrator's rights.
    pub const USE_ADMIN_PRIVILEGE: u32 = 0x0000_0001;
    /// OpenFlags: public folders.
    pub const PUBLIC: u32 = 0x0000_0002;
    /// OpenFlags: the user's own mailbox.
    pub const HOME_LOGON: u32 = 0x0000_0004;
    /// OpenFlags: as its owner.
    pub const TAKE_OWNERSHIP: u32 = 0x0000_0008;
    /// OpenFlags: replica numbers of this mailbox rather than of this logon.
    pub const USE_PER_MDB_REPLID_MAPPING: u32 = 0x0100_0000;
    /// OpenFlags: RopProgress is understood.
    pub const SUPPORT_PROGRESS: u32 = 0x2000_0000;

    /// Whether it is for public folders.
    pub const fn is_public(&self) -> bool {
        self.logon_flags & Self::PRIVATE == 0
    }
}

/// The successful response to [`Logon`].
#[derive(Clone, Debug, PartialEq)]
pub struct LogonResponse {
    /// The slot that the request named for it.
    pub index: u8,
    /// As in the request; [`Logon::PRIVATE`] follows from `store` and is left out here.
    pub logon_flags: u8,
    /// The folders every store has: [`Self::INBOX`] and so on.
    pub folder_ids: [Id; Self::FOLDERS],
    /// What is only said of a mailbox, or only of public folders.
    pub store: Store,
}

/// Which kind of store it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Store {
    /// A mailbox. Source: MS-OXCROPS 2.2.3.1.2.
    Private(Box<Mailbox>),
    /// Public folders. Source: MS-OXCROPS 2.2.3.1.3.
    Public {
        /// The number of the store's replica.
        replid: u16,
        /// The store's replica.
        replguid: Guid,
        /// Not used.
        per_user_guid: Guid,
    },
}

/// What a server says of a mailbox at logon.
#[derive(Clone, Debug, PartialEq)]
pub struct Mailbox {
    /// [`Self::OWNER_RIGHT`] and so on.
    pub response_flags: u8,
    /// The mailbox.
    pub mailbox_guid: Guid,
    /// The number of its replica.
    pub replid: u16,
    /// Its replica.
    pub replguid: Guid,
    /// The server's clock.
    pub logon_time: LogonTime,
    /// Changes when the server's routing tables do.
    pub gwart_time: u64,
    /// Reserved.
    pub store_state: u32,
}

impl Mailbox {
    /// ResponseFlags: always set.
    pub const RESERVED: u8 = 0x01;
    /// ResponseFlags: the user has the owner's rights.
    pub const OWNER_RIGHT: u8 = 0x02;
    /// ResponseFlags: the user may send as the mailbox.
    pub const SEND_AS_RIGHT: u8 = 0x04;
    /// ResponseFlags: the mailbox is set to out of office.
    pub const OOF: u8 = 0x10;
}

impl LogonResponse {
    /// How many folder ids there are.
    pub const FOLDERS: usize = 13;
    /// Place of a mailbox's root.
    pub const ROOT: usize = 0;
    /// Place of the folder whose children people see.
    pub const IPM_SUBTREE: usize = 3;
    /// Place of the Inbox.
    pub const INBOX: usize = 4;
    /// Place of the Outbox.
    pub const OUTBOX: usize = 5;
    /// Place of Sent Items.
    pub const SENT_ITEMS: usize = 6;
    /// Place of Deleted Items.
    pub const DELETED_ITEMS: usize = 7;
    /// Place of the folder above search folders.
    pub const SEARCH: usize = 10;
}

impl Answer for LogonResponse {
    fn read(reader: &mut Reader<'_>, index: u8, _: Context<'_>) -> Result<Self> {
        let logon_flags = reader.u8("logon flags")?;
        let mut folder_ids = [Id::default(); Self::FOLDERS];
        for id in &mut folder_ids {
            *id = Id::read(reader, "the id of a folder of the store")?;
        }
        let store = match logon_flags & Logon::PRIVATE {
            0 => Store::Public {
                replid: reader.u16("a replica number")?,
                replguid: Field::read(reader, "a replica")?,
                per_user_guid: Field::read(reader, "a guid of public folders")?,
            },
            _ => Store::Private(Box::new(Mailbox::read(reader)?)),
        };
        Ok(Self {
            index,
            logon_flags: logon_flags & !Logon::PRIVATE,
            folder_ids,
            store,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let private = match self.store {
            Store::Private(_) => Logon::PRIVATE,
            Store::Public { .. } => 0,
        };
        writer.u8((self.logon_flags & !Logon::PRIVATE) | private);
        for id in self.folder_ids {
            id.write(writer);
        }
        match &self.store {
            Store::Private(mailbox) => mailbox.write(writer),
            Store::Public {
                replid,
                replguid,
                per_user_guid,
            } => {
                writer.u16(*replid);
                replguid.write(writer);
                per_user_guid.write(writer);
            }
        }
    }

    fn index(&self) -> u8 {
        self.index
    }
}

impl Mailbox {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            response_flags: reader.u8("response flags of a logon")?,
            mailbox_guid: Field::read(reader, "a mailbox guid")?,
            replid: reader.u16("a replica number")?,
            replguid: Field::read(reader, "a replica")?,
            logon_time: LogonTime::read(reader)?,
            gwart_time: reader.u64("a time of routing tables")?,
            store_state: reader.u32("a store state")?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u8(self.response_flags);
        self.mailbox_guid.write(writer);
        writer.u16(self.replid);
        self.replguid.write(writer);
        self.logon_time.write(writer);
        writer.u64(self.gwart_time);
        writer.u32(self.store_state);
    }
}

/// The server's clock at logon, UTC. Source: MS-OXCROPS 2.2.3.1.2.1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LogonTime {
    /// Seconds.
    pub seconds: u8,
    /// Minutes.
    pub minutes: u8,
    /// Hour.
    pub hour: u8,
    /// Day of the week, Sunday 0.
    pub day_of_week: u8,
    /// Day of the month.
    pub day: u8,
    /// Month, January 1.
    pub month: u8,
    /// Year.
    pub year: u16,
}

impl LogonTime {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let [seconds, minutes, hour, day_of_week, day, month, y0, y1] =
            reader.array("the time of a logon")?;
        Ok(Self {
            seconds,
            minutes,
            hour,
            day_of_week,
            day,
            month,
            year: u16::from_le_bytes([y0, y1]),
        })
    }

    fn write(self, writer: &mut Writer) {
        let Self {
            seconds,
            minutes,
            hour,
            day_of_week,
            day,
            month,
            year,
        } = self;
        writer.put(&[seconds, minutes, hour, day_of_week, day, month]);
        writer.u16(year);
    }
}
