//! Short ways to the ROPs of folders and tables.

use exchange_standin::Server;
use mapi_types::PropTag;
use mapi_wire::{
    Id, PropValue,
    rop::{
        CreateFolder, GetContentsTable, LogonResponse, QueryRows, Response, SetColumns, table_flags,
    },
    text::Text,
};

use super::client::Client;

/// The values of a row; none where there is no value.
pub(crate) type Row = Vec<Option<PropValue>>;

/// A client that has logged on to its own mailbox, with its Inbox open.
pub(crate) fn in_inbox(server: &Server) -> (Client, LogonResponse, u32, u32) {
    let mut client = Client::connected(server, "alice");
    let (logon, store) = client.logon();
    let inbox = client.open_folder(logon.folder_ids[LogonResponse::INBOX], store);
    (client, logon, store, inbox)
}

pub(crate) fn create(name: &str, folder_type: u8, open_existing: bool) -> CreateFolder {
    CreateFolder {
        logon_id: 0,
        input: 0,
        output: 1,
        folder_type,
        use_unicode_strings: true,
        open_existing,
        reserved: 0,
        display_name: Text::from(name),
        comment: Text::from(""),
    }
}

impl Client {
    pub(crate) fn made(&mut self, name: &str, parent: u32) -> (Id, u32) {
        match self.good(create(name, CreateFolder::GENERIC, false), parent) {
            (Response::CreateFolder(made), handle) => (made.folder_id, handle),
            (response, _) => panic!("{response:?}"),
        }
    }

    /// The rows of a table in these columns.
    pub(crate) fn rows(&mut self, table: u32, tags: &[u32]) -> Vec<Row> {
        let columns = SetColumns {
            logon_id: 0,
            input: 0,
            set_columns_flags: 0,
            property_tags: tags.iter().map(|tag| PropTag(*tag)).collect(),
        };
        self.good(columns, table);
        self.query(table, 500, true)
    }

    pub(crate) fn query(&mut self, table: u32, row_count: u16, forward_read: bool) -> Vec<Row> {
        let ask = QueryRows {
            logon_id: 0,
            input: 0,
            query_rows_flags: 0,
            forward_read,
            row_count,
        };
        match self.good(ask, table).0 {
            Response::QueryRows(got) => {
                let row = |row: &mapi_wire::row::PropertyRow| {
                    row.cells.iter().map(|cell| cell.value().cloned()).collect()
                };
                got.rows.iter().map(row).collect()
            }
            response => panic!("{response:?}"),
        }
    }

    pub(crate) fn contents(&mut self, folder: u32, flags: u8) -> u32 {
        let ask = GetContentsTable {
            logon_id: 0,
            input: 0,
            output: 1,
            table_flags: table_flags::USE_UNICODE | table_flags::NO_NOTIFICATIONS | flags,
        };
        self.good(ask, folder).1
    }
}

pub(crate) fn texts(rows: &[Row]) -> Vec<String> {
    let text = |row: &Row| match &row[0] {
        Some(PropValue::String(text)) => text.to_text(),
        other => panic!("{other:?}"),
    };
    rows.iter().map(text).collect()
}
