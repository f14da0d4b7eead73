//! Entry ids of stores, folders, messages and people. Source: MS-OXCDATA 2.2.4, 2.2.5.

use mapi_wire::{Gid, Guid, Writer};

use super::{
    ids::{Fid, Mid},
    mailbox::{Mailbox, MailboxKind},
};

/// Who understands an entry id: octets, in the order in which the documents write them.
const STORE_PROVIDER: Guid =
    Guid(*b"\x38\xa1\xbb\x10\x05\xe5\x10\x1a\xa1\xbb\x08\x00\x2b\x2a\x56\xc2");
const PRIVATE_STORE: Guid =
    Guid(*b"\x1b\x55\xfa\x20\xaa\x66\x11\xcd\x9b\xc8\x00\xaa\x00\x2f\xc4\x5a");
const PUBLIC_STORE: Guid =
    Guid(*b"\x1c\x83\x02\x10\xaa\x66\x11\xcd\x9b\xc8\x00\xaa\x00\x2f\xc4\x5a");
const PUBLIC_FOLDERS: Guid =
    Guid(*b"\x1a\x44\x73\x90\xaa\x66\x11\xcd\x9b\xc8\x00\xaa\x00\x2f\xc4\x5a");
const ADDRESS_BOOK: Guid =
    Guid(*b"\xdc\xa7\x40\xc8\xc0\x42\x10\x1a\xb4\xb9\x08\x00\x2b\x2f\xe1\x82");

/// Folder and message types. Source: MS-OXCDATA 2.2.4.1, 2.2.4.2.
mod kind {
    pub(super) const PRIVATE_FOLDER: u16 = 1;
    pub(super) const PUBLIC_FOLDER: u16 = 3;
    pub(super) const PRIVATE_MESSAGE: u16 = 7;
    pub(super) const PUBLIC_MESSAGE: u16 = 9;
}

/// Octets of a folder's entry id.
pub const FOLDER_BYTES: usize = 46;

impl Mailbox {
    /// The entry id of a folder.
    pub fn folder_entry_id(&self, fid: Fid) -> Box<[u8]> {
        let kind = match self.kind {
            MailboxKind::Private => kind::PRIVATE_FOLDER,
            MailboxKind::Public => kind::PUBLIC_FOLDER,
        };
        let mut writer = self.entry_id_head(kind);
        put_id(&mut writer, self.gid(fid.0));
        writer.into_bytes().into()
    }

    /// The entry id of a message.
    pub fn message_entry_id(&self, fid: Fid, mid: Mid) -> Box<[u8]> {
        let kind = match self.kind {
            MailboxKind::Private => kind::PRIVATE_MESSAGE,
            MailboxKind::Public => kind::PUBLIC_MESSAGE,
        };
        let mut writer = self.entry_id_head(kind);
        put_id(&mut writer, self.gid(fid.0));
        put_id(&mut writer, self.gid(mid.0));
        writer.into_bytes().into()
    }

    fn entry_id_head(&self, kind: u16) -> Writer {
        let mut writer = Writer::new();
        writer.u32(0);
        writer.put(&match self.kind {
            MailboxKind::Private => self.guid.0,
            MailboxKind::Public => PUBLIC_FOLDERS.0,
        });
        writer.u16(kind);
        writer
    }

    /// The folder that an entry id names, when it is one of this mailbox.
    pub fn folder_of_entry_id(&self, entry_id: &[u8]) -> Option<Fid> {
        let known =
            |folder: &&super::folder::Folder| *self.folder_entry_id(folder.fid) == *entry_id;
        self.folders().find(known).map(|folder| folder.fid)
    }

    /// The entry id of the store.
    pub fn store_entry_id(&self) -> Box<[u8]> {
        let (provider, kind) = match self.kind {
            MailboxKind::Private => (PRIVATE_STORE, 0x0c),
            MailboxKind::Public => (PUBLIC_STORE, 0x06),
        };
        let mut writer = Writer::new();
        writer.u32(0);
        writer.put(&STORE_PROVIDER.0);
        writer.u16(0);
        writer.put(b"emsmdb.dll\0\0\0\0");
        writer.u32(0);
        writer.put(&provider.0);
        writer.u32(kind);
        writer.cstr(format!("{}@standin", self.guid).as_bytes());
        writer.cstr(self.legacy_dn.as_bytes());
        writer.into_bytes().into()
    }
}

fn put_id(writer: &mut Writer, id: Gid) {
    writer.put(&id.to_bytes());
    writer.u16(0);
}

/// The permanent entry id of somebody in the address book. Source: MS-OXNSPI 2.2.9.3.
pub fn address_book(legacy_dn: &str, display_type: u32) -> Box<[u8]> {
    let mut writer = Writer::new();
    writer.u32(0);
    writer.put(&ADDRESS_BOOK.0);
    writer.u32(1);
    writer.u32(display_type);
    writer.cstr(legacy_dn.as_bytes());
    writer.into_bytes().into()
}

/// The distinguished name in an entry id of the address book.
pub fn legacy_dn(entry_id: &[u8]) -> Option<String> {
    let rest = entry_id.get(4..)?.strip_prefix(&ADDRESS_BOOK.0)?;
    let dn = rest.get(8..)?.split(|octet| *octet == 0).next()?;
    String::from_utf8(dn.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_entry_id_gives_back_the_name() {
        let entry_id = address_book("/o=Example/cn=alice", 0);
        let provider = b"\xdc\xa7\x40\xc8\xc0\x42\x10\x1a\xb4\xb9\x08\x00\x2b\x2f\xe1\x82";
        assert_eq!(&entry_id[4..20], provider);
        assert_eq!(entry_id.len(), 28 + 20);
        assert_eq!(legacy_dn(&entry_id).as_deref(), Some("/o=Example/cn=alice"));
        assert_eq!(legacy_dn(&entry_id[..20]), None);
    }
}
