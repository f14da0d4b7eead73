//! Bodies, attachments and recipients. Source: MS-OXCPRPT 3.2.5.13, MS-OXCMSG 3.2.5.5, 3.2.5.12.

use exchange_standin::{
    Config, Server,
    model::draft::{Draft, DraftAttachment},
};
use mapi_types::PropTag;
use mapi_wire::{
    PropValue,
    recipient::ModifyRecipientRow,
    rop::{
        CommitStream, CreateAttachment, GetAttachmentTable, GetPropertiesAll, ModifyRecipients,
        OpenAttachment, OpenEmbeddedMessage, OpenStream, ReadRecipients, Response,
        SaveChangesAttachment, SeekStream, SetStreamSize, WriteStream, open_mode, save_flags,
        table_flags,
    },
};

use super::{
    mailbox::open_message,
    message_rops::{create_message, in_inbox, recipient, recipients, stream, text},
};

fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

#[test]
fn large_values_are_left_to_streams() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let mid = alice
        .deliver(Draft::about("big").text(&"x".repeat(20_000)))
        .unwrap();
    let message = client.open_message(inbox, mid.to_wire(), folder);
    let all = GetPropertiesAll {
        logon_id: 0,
        input: 0,
        property_size_limit: 0,
        want_unicode: 1,
    };
    let Response::GetPropertiesAll(all) = client.good(all, message).0 else {
        panic!("no properties");
    };
    let body = all
        .property_values
        .iter()
        .find(|value| value.tag.id() == 0x1000)
        .unwrap();
    assert_eq!(
        (body.tag, &body.value),
        (PropTag(0x1000_000a), &PropValue::Error(0x8007_000e))
    );
    let stream = client.open_stream(message, 0x1000_001f, OpenStream::READ_ONLY);
    assert_eq!(client.read_stream(stream).len(), 40_000);
    assert!(client.read_stream(stream).is_empty(), "at the end");
    let seek = SeekStream {
        logon_id: 0,
        input: 0,
        origin: 2,
        offset: -6,
    };
    client.good(seek, stream);
    assert_eq!(client.read_stream(stream), [120, 0, 120, 0, 120, 0]);
    let write = WriteStream {
        logon_id: 0,
        input: 0,
        data: Box::new([1]),
    };
    assert_eq!(client.bad(write, stream), 0x8003_0005);
}

#[test]
fn what_is_written_to_a_stream_counts_once_it_is_committed() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let (_, message) = client.good(create_message(inbox), folder);
    assert_eq!(
        client.bad(stream(0x1013_0102, OpenStream::READ_WRITE), message),
        0x8004_010f
    );
    let html = client.open_stream(message, 0x1013_0102, OpenStream::CREATE);
    let write = WriteStream {
        logon_id: 0,
        input: 0,
        data: (*b"<p>hello</p>").into(),
    };
    client.good(write, html);
    let size = SetStreamSize {
        logon_id: 0,
        input: 0,
        stream_size: 4,
    };
    client.good(size, html);
    assert_eq!(client.props(message, &[0x1013_0102]), [None]);
    client.good(
        CommitStream {
            logon_id: 0,
            input: 0,
        },
        html,
    );
    assert_eq!(
        client.props(message, &[0x1013_0102]),
        [Some(PropValue::Binary((*b"<p>h").into()))]
    );
}

#[test]
fn attachments_and_messages_in_them_are_saved_from_the_inside_out() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let (_, message) = client.good(create_message(inbox), folder);
    let create = CreateAttachment {
        logon_id: 0,
        input: 0,
        output: 1,
    };
    let save = SaveChangesAttachment {
        logon_id: 0,
        response: 0,
        input: 0,
        save_flags: save_flags::KEEP_OPEN_READ_WRITE,
    };
    let (_, file) = client.good(create.clone(), message);
    client.set_props(
        file,
        &[
            (0x3705_0003, PropValue::I32(1)),
            (0x3707_001f, text("a.txt")),
        ],
    );
    client.write_all(file, 0x3701_0102, b"hello");
    client.good(save.clone(), file);
    let (_, outer) = client.good(create, message);
    let embedded = |open_mode_flags| OpenEmbeddedMessage {
        logon_id: 0,
        input: 0,
        output: 1,
        code_page_id: 0x0fff,
        open_mode_flags,
    };
    assert_eq!(
        client.bad(embedded(open_mode::CREATE), outer),
        0x8007_0005,
        "its method first"
    );
    client.set_props(outer, &[(0x3705_0003, PropValue::I32(5))]);
    assert_eq!(
        client.bad(embedded(open_mode::READ_WRITE), outer),
        0x8004_010f
    );
    let (_, inner) = client.good(embedded(open_mode::CREATE), outer);
    client.set_props(inner, &[(0x0037_001f, text("inner"))]);
    client.save(inner);
    client.good(save, outer);
    let mid = client.save(message);

    let message = client.open_message(inbox, mid, folder);
    let open = |attachment_id| OpenAttachment {
        logon_id: 0,
        input: 0,
        output: 1,
        open_attachment_flags: open_mode::READ_ONLY,
        attachment_id,
    };
    assert_eq!(client.bad(open(7), message), 0x8004_010f);
    let (_, file) = client.good(open(0), message);
    let data = client.open_stream(file, 0x3701_0102, OpenStream::READ_ONLY);
    assert_eq!(client.read_stream(data), b"hello");
    let (_, outer) = client.good(open(1), message);
    let (_, inner) = client.good(embedded(open_mode::READ_ONLY), outer);
    assert_eq!(client.props(inner, &[0x0037_001f]), [Some(text("inner"))]);
}

#[test]
fn the_table_of_attachments_names_them() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let file = DraftAttachment {
        name: "a.txt".into(),
        ..DraftAttachment::default()
    };
    let draft = Draft {
        attachments: vec![file],
        embedded: vec![Draft::about("inner")],
        ..Draft::about("outer")
    };
    let mid = server.mailbox("alice").deliver(draft).unwrap();
    let message = client.open_message(inbox, mid.to_wire(), folder);
    let ask = GetAttachmentTable {
        logon_id: 0,
        input: 0,
        output: 1,
        table_flags: table_flags::USE_UNICODE,
    };
    let (_, table) = client.good(ask, message);
    let rows = client.rows(table, &[0x0e21_0003, 0x3705_0003, 0x3707_001f, 0x3701_0102]);
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rows[0][1..],
        [Some(PropValue::I32(1)), Some(text("a.txt")), None]
    );
    assert_eq!(
        rows[1][..2],
        [Some(PropValue::I32(1)), Some(PropValue::I32(5))]
    );
}

#[test]
fn recipients_are_changed_by_row() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let (_, message) = client.good(create_message(inbox), folder);
    client.good(
        recipients(vec![
            recipient(0, 1, "a@x.test"),
            recipient(1, 3, "b@x.test"),
        ]),
        message,
    );
    client.good(
        recipients(vec![
            recipient(2, 2, "c@x.test"),
            ModifyRecipientRow {
                row_id: 0,
                recipient_type: 1,
                recipient: None,
            },
        ]),
        message,
    );
    let mid = client.save(message);
    let (Response::OpenMessage(opened), message) = client.good(open_message(inbox, mid, 0), folder)
    else {
        panic!("not opened");
    };
    assert_eq!(opened.recipient_count, 2);
    let kinds: Vec<_> = opened
        .recipient_rows
        .iter()
        .map(|row| row.recipient_type)
        .collect();
    assert_eq!(kinds, [3, 2]);
    assert!(opened.recipient_columns.contains(&PropTag(0x39fe_001f)));
    let read = ReadRecipients {
        logon_id: 0,
        input: 0,
        row_id: 2,
        reserved: 0,
    };
    let Response::ReadRecipients(read) = client.good(read, message).0 else {
        panic!("not read");
    };
    assert_eq!(read.recipient_rows.len(), 1);
    assert_eq!(
        read.recipient_rows[0]
            .row
            .recipient
            .names
            .email_address()
            .as_deref(),
        Some("c@x.test")
    );
    let wrong = ModifyRecipients {
        recipient_columns: vec![PropTag(0x3003_001f)],
        recipient_rows: Vec::new(),
        ..recipients(vec![])
    };
    let (_, message) = client.good(create_message(inbox), folder);
    assert_eq!(client.bad(wrong, message), 0x8007_0057);
}
