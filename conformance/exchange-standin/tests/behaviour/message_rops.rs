//! Short ways to the ROPs of messages.

use exchange_standin::Server;
use mapi_types::PropTag;
use mapi_wire::{
    Id, PropValue,
    recipient::{Address, ModifyRecipientRow, Names, NamesIn, RecipientRow},
    rop::{
        ByteCount, CommitStream, CreateMessage, LogonResponse, ModifyRecipients, OpenStream,
        ReadStream, Response, SaveChangesMessage, WriteStream, save_flags,
    },
    row::{Content, PropertyRow},
};

use super::client::Client;

/// A client in its Inbox: the client, the id and the handle of the folder, and of the store.
pub(crate) fn in_inbox(server: &Server) -> (Client, Id, u32, u32) {
    let mut client = Client::connected(server, "alice");
    let (logon, store) = client.logon();
    let inbox = logon.folder_ids[LogonResponse::INBOX];
    let folder = client.open_folder(inbox, store);
    (client, inbox, folder, store)
}

pub(crate) fn create_message(folder_id: Id) -> CreateMessage {
    CreateMessage {
        logon_id: 0,
        input: 0,
        output: 1,
        code_page_id: 0x0fff,
        folder_id,
        associated_flag: false,
    }
}

pub(crate) const SAVE: SaveChangesMessage = SaveChangesMessage {
    logon_id: 0,
    response: 0,
    input: 0,
    save_flags: save_flags::KEEP_OPEN_READ_WRITE,
};

pub(crate) fn text(text: &str) -> PropValue {
    PropValue::String(text.into())
}

/// A recipient by SMTP, as Outlook would send it.
pub(crate) fn recipient(row_id: u32, recipient_type: u8, address: &str) -> ModifyRecipientRow {
    let recipient = RecipientRow {
        flags: 0,
        address: Address::Smtp,
        names: Names::Unicode(NamesIn {
            email_address: Some(address.into()),
            display_name: Some(address.into()),
            simple_display_name: None,
            transmittable_display_name: Some(address.into()),
        }),
        properties: PropertyRow::new([
            Content::Value(PropValue::String(address.into())),
            Content::Value(PropValue::I32(6)),
        ]),
    };
    ModifyRecipientRow {
        row_id,
        recipient_type,
        recipient: Some(recipient),
    }
}

pub(crate) fn recipients(rows: Vec<ModifyRecipientRow>) -> ModifyRecipients {
    ModifyRecipients {
        logon_id: 0,
        input: 0,
        recipient_columns: vec![PropTag(0x39fe_001f), PropTag(0x0ffe_0003)],
        recipient_rows: rows,
    }
}

impl Client {
    pub(crate) fn save(&mut self, message: u32) -> Id {
        match self.good(SAVE, message).0 {
            Response::SaveChangesMessage(saved) => saved.message_id,
            response => panic!("{response:?}"),
        }
    }

    pub(crate) fn read_stream(&mut self, stream: u32) -> Vec<u8> {
        let ask = ReadStream {
            logon_id: 0,
            input: 0,
            byte_count: ByteCount::UpTo(1 << 20),
        };
        let (responses, _) = self.rops(vec![ask.into()], vec![stream]);
        let octets = responses.iter().flat_map(|response| match response {
            Response::ReadStream(read) => read.data.to_vec(),
            response => panic!("{response:?}"),
        });
        octets.collect()
    }

    pub(crate) fn open_stream(&mut self, object: u32, tag: u32, mode: u8) -> u32 {
        self.good(stream(tag, mode), object).1
    }

    pub(crate) fn write_all(&mut self, object: u32, tag: u32, octets: &[u8]) {
        let stream = self.open_stream(object, tag, OpenStream::CREATE);
        for part in octets.chunks(0x4000) {
            let write = WriteStream {
                logon_id: 0,
                input: 0,
                data: part.into(),
            };
            self.good(write, stream);
        }
        self.good(
            CommitStream {
                logon_id: 0,
                input: 0,
            },
            stream,
        );
        self.release(stream);
    }
}

pub(crate) fn stream(tag: u32, open_mode_flags: u8) -> OpenStream {
    OpenStream {
        logon_id: 0,
        input: 0,
        output: 1,
        property_tag: PropTag(tag),
        open_mode_flags,
    }
}
