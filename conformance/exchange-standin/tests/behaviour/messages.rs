//! Messages: making, changing, reading, moving. Source: MS-OXCMSG 3.2.5, MS-OXCPRPT 3.2.5.

use exchange_standin::{
    Config, Server,
    model::{
        draft::Draft,
        ids::Mid,
        mailbox::Quota,
        receipt::ReceiptKind,
    },
};
use mapi_types::PropTag;
use mapi_wire::{
    Guid, Id, PropValue, TaggedValue,
    named::MaybeNamed,
    property_name::{NameId, PropertyName},
    recipient::{Address, ModifyRecipientRow, Names, NamesIn, RecipientRow},
    row::{Content, PropertyRow},
    rop::{
        ByteCount, CommitStream, CopyTo, CreateAttachment, CreateMessage, DeleteMessages, DeleteProperties,
        GetAttachmentTable, GetContentsTable, GetMessageStatus, GetNamesFromPropertyIds,
        GetPropertiesAll, GetPropertyIdsFromNames, HardDeleteMessages, LogonResponse, ModifyRecipients,
        MoveCopyMessages, OpenAttachment, OpenEmbeddedMessage, OpenStream, QueryRows,
        ReadRecipients, ReadStream, Response, SaveChangesAttachment, SaveChangesMessage, SeekStream,
        SetColumns, SetMessageReadFlag, SetMessageStatus, SetProperties, SetReadFlags, SetStreamSize,
        WriteStream, open_mode, save_flags, table_flags,
    },
};

use super::{client::Client, mailbox::open_message};

fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

/// A client in its Inbox: the client, the id and the handle of the folder, and of the store.
fn in_inbox(server: &Server) -> (Client, Id, u32, u32) {
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

    fn read_stream(&mut self, stream: u32) -> Vec<u8> {
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

    fn open_stream(&mut self, object: u32, tag: u32, mode: u8) -> u32 {
        self.good(stream(tag, mode), object).1
    }

    fn write_all(&mut self, object: u32, tag: u32, octets: &[u8]) {
        let stream = self.open_stream(object, tag, OpenStream::CREATE);
        for part in octets.chunks(0x4000) {
            let write = WriteStream {
                logon_id: 0,
                input: 0,
                data: part.into(),
            };
            self.good(write, stream);
        }
        self.good(CommitStream { logon_id: 0, input: 0 }, stream);
        self.release(stream);
    }
}

fn stream(tag: u32, open_mode_flags: u8) -> OpenStream {
    OpenStream {
        logon_id: 0,
        input: 0,
        output: 1,
        property_tag: PropTag(tag),
        open_mode_flags,
    }
}

#[test]
fn a_message_is_there_once_it_is_saved() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let fid = alice.inbox().unwrap();
    let (_, message) = client.good(create_message(inbox), folder);
    client.set_props(message, &[
        (0x001a_001f, text("IPM.Note")),
        (0x0037_001f, text("Re: lunch")),
        (0x0e07_0003, PropValue::I32(1)),
        (0x0e06_0040, PropValue::Time(131_000_000_000_000_000)),
    ]);
    client.write_all(message, 0x1000_001f, "Grüße".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().as_slice());
    client.good(recipients(vec![recipient(0, 1, "bob@example.test"), recipient(1, 2, "x@elsewhere.test")]), message);
    assert!(alice.messages(fid).unwrap().is_empty());
    let mid = client.save(message);
    let saved = alice.message(Mid(mid.globcnt.to_u64())).unwrap();
    assert!(saved.read && saved.receipts == Default::default());
    let props = client.props(message, &[
        0x003d_001f, 0x0e1d_001f, 0x0e04_001f, 0x1000_001f, 0x0e07_0003, 0x0e06_0040, 0x1016_0003,
        0x65e0_0102, 0x300b_0102,
    ]);
    assert_eq!(props[..5], [
        Some(text("Re: ")),
        Some(text("lunch")),
        Some(text("bob@example.test")),
        Some(text("Grüße")),
        Some(PropValue::I32(1)),
    ]);
    assert_eq!(props[5], Some(PropValue::Time(131_000_000_000_000_000)));
    assert_eq!(props[6], Some(PropValue::I32(1)));
    assert!(props[7].is_some() && props[8].is_some());
    let flags = SetProperties {
        logon_id: 0,
        input: 0,
        property_values: vec![TaggedValue {
            tag: PropTag(0x0e07_0003),
            value: PropValue::I32(0),
        }],
    };
    let Response::SetProperties(done) = client.good(flags, message).0 else {
        panic!("no problems");
    };
    assert_eq!(done.property_problems[0].code, 0x8004_011a, "only before the first save");
}

#[test]
fn a_message_that_others_changed_is_not_overwritten() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let mid = alice.deliver(Draft::about("old")).unwrap();
    let first = client.open_message(inbox, mid.to_wire(), folder);
    let second = client.open_message(inbox, mid.to_wire(), folder);
    client.set_props(first, &[(0x0037_001f, text("first"))]);
    client.set_props(second, &[(0x0037_001f, text("second"))]);
    alice.set_read(mid, true).unwrap();
    client.save(first);
    assert_eq!(client.bad(SAVE, second), 0x8004_0109);
    let force = SaveChangesMessage {
        save_flags: save_flags::KEEP_OPEN_READ_ONLY | save_flags::FORCE_SAVE,
        ..SAVE
    };
    client.good(force.clone(), second);
    assert_eq!(alice.subjects(alice.inbox().unwrap()).unwrap(), ["second"]);
    assert_eq!(client.bad(force, second), 0x8007_0005, "open for reading only now");
    alice.delete(mid, exchange_standin::model::message_changes::Deletion::Hard).unwrap();
    client.set_props(first, &[(0x0037_001f, text("gone"))]);
    assert_eq!(client.bad(SAVE, first), 0x8004_010a);
    assert_eq!(client.bad(open_message(inbox, mid.to_wire(), 0), folder), 0x8004_010f);
}

#[test]
fn another_content_has_another_article_number_and_a_flag_has_not() {
    let server = server();
    let alice = server.mailbox("alice");
    let mid = alice.deliver(Draft::about("one")).unwrap();
    let other = alice.deliver(Draft::about("two")).unwrap();
    let article = |mid| alice.message(mid).unwrap().article;
    assert_eq!((article(mid), article(other)), (1, 2));
    let cn = alice.message(mid).unwrap().cn;
    alice.set_flagged(mid, true).unwrap();
    alice.set_keywords(mid, &["red"]).unwrap();
    assert_eq!(article(mid), 1);
    assert!(alice.message(mid).unwrap().cn > cn);
    alice.set_props(mid, &[(PropTag(0x0037_001f), text("edited"))]).unwrap();
    assert_eq!(article(mid), 3);
}

#[test]
fn large_values_are_left_to_streams() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let mid = alice.deliver(Draft::about("big").text(&"x".repeat(20_000))).unwrap();
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
    let body = all.property_values.iter().find(|value| value.tag.id() == 0x1000).unwrap();
    assert_eq!((body.tag, &body.value), (PropTag(0x1000_000a), &PropValue::Error(0x8007_000e)));
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
    assert_eq!(client.bad(stream(0x1013_0102, OpenStream::READ_WRITE), message), 0x8004_010f);
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
    client.good(CommitStream { logon_id: 0, input: 0 }, html);
    assert_eq!(client.props(message, &[0x1013_0102]), [Some(PropValue::Binary((*b"<p>h").into()))]);
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
    client.set_props(file, &[(0x3705_0003, PropValue::I32(1)), (0x3707_001f, text("a.txt"))]);
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
    assert_eq!(client.bad(embedded(open_mode::CREATE), outer), 0x8007_0005, "its method first");
    client.set_props(outer, &[(0x3705_0003, PropValue::I32(5))]);
    assert_eq!(client.bad(embedded(open_mode::READ_WRITE), outer), 0x8004_010f);
    let (_, inner) = client.good(embedded(open_mode::CREATE), outer);
    client.set_props(inner, &[(0x0037_001f, text("inner"))]);
    client.save(inner);
    client.good(save, outer);
    let mid = client.save(message);

    let message = client.open_message(inbox, mid, folder);
    let table = GetAttachmentTable {
        logon_id: 0,
        input: 0,
        output: 1,
        table_flags: table_flags::USE_UNICODE,
    };
    let (_, table) = client.good(table, message);
    let columns = SetColumns {
        logon_id: 0,
        input: 0,
        set_columns_flags: 0,
        property_tags: [0x0e21_0003, 0x3705_0003, 0x3707_001f].map(PropTag).into(),
    };
    client.good(columns, table);
    let query = QueryRows {
        logon_id: 0,
        input: 0,
        query_rows_flags: 0,
        forward_read: true,
        row_count: 9,
    };
    let Response::QueryRows(got) = client.good(query, table).0 else {
        panic!("no rows");
    };
    assert_eq!(got.rows.len(), 2);
    assert_eq!(got.rows[0].value(2), Some(&text("a.txt")));
    assert_eq!(got.rows[1].value(1), Some(&PropValue::I32(5)));
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
fn recipients_are_changed_by_row() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let (_, message) = client.good(create_message(inbox), folder);
    client.good(recipients(vec![recipient(0, 1, "a@x.test"), recipient(1, 3, "b@x.test")]), message);
    client.good(recipients(vec![recipient(2, 2, "c@x.test"), ModifyRecipientRow {
        row_id: 0,
        recipient_type: 1,
        recipient: None,
    }]), message);
    let mid = client.save(message);
    let (Response::OpenMessage(opened), message) = client.good(open_message(inbox, mid, 0), folder) else {
        panic!("not opened");
    };
    assert_eq!(opened.recipient_count, 2);
    let kinds: Vec<_> = opened.recipient_rows.iter().map(|row| row.recipient_type).collect();
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
    assert_eq!(read.recipient_rows[0].row.recipient.names.email_address().as_deref(), Some("c@x.test"));
    let wrong = ModifyRecipients {
        recipient_columns: vec![PropTag(0x3003_001f)],
        recipient_rows: Vec::new(),
        ..recipients(vec![])
    };
    let (_, message) = client.good(create_message(inbox), folder);
    assert_eq!(client.bad(wrong, message), 0x8007_0057);
}

#[test]
fn marking_as_read_sends_receipts_unless_that_is_suppressed() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let mail = |subject: &str| {
        let draft = Draft {
            asks_receipt: true,
            ..Draft::about(subject).from("dana@elsewhere.test")
        };
        alice.deliver(draft).unwrap()
    };
    let mids = ["quiet", "loud", "open", "deleted"].map(mail);
    let flags = |read_flags, mids: &[Mid]| SetReadFlags {
        logon_id: 0,
        input: 0,
        want_asynchronous: false,
        read_flags,
        message_ids: mids.iter().map(|mid| mid.to_wire()).collect(),
    };
    client.good(flags(1, &mids[..1]), folder);
    assert_eq!(server.receipts(), []);
    client.good(flags(5, &mids[..1]), folder);
    client.good(flags(0, &mids[..1]), folder);
    assert_eq!(server.receipts(), [], "it was given up before");
    client.good(flags(0, &mids[1..2]), folder);
    assert_eq!(server.receipts().len(), 1);
    assert_eq!(server.receipts()[0].subject, "loud");
    assert_eq!(server.receipts()[0].to, "dana@elsewhere.test");
    assert_eq!(client.bad(flags(4, &mids[..1]), folder), 0x8007_0057);
    let message = client.open_message(inbox, mids[2].to_wire(), folder);
    let one = SetMessageReadFlag {
        logon_id: 0,
        response: 0,
        input: 0,
        read_flags: 0,
        client_data: None,
    };
    client.good(one, message);
    let delete = DeleteMessages {
        logon_id: 0,
        input: 0,
        want_asynchronous: false,
        notify_non_read: true,
        message_ids: vec![mids[3].to_wire()],
    };
    client.good(delete, folder);
    let kinds: Vec<_> = server.receipts().iter().map(|receipt| receipt.kind).collect();
    assert_eq!(kinds, [ReceiptKind::Read, ReceiptKind::Read, ReceiptKind::NotRead]);
    let (response, _) = client.good(flags(1, &[Mid(0x7777)]), folder);
    assert!(matches!(response, Response::SetReadFlags(done) if done.partial_completion));
    client.good(flags(5, &[]), folder);
    assert!(alice.messages(alice.inbox().unwrap()).unwrap().iter().all(|message| !message.read));
}

#[test]
fn messages_are_moved_copied_and_deleted_by_id() {
    let server = server();
    let (mut client, _, folder, store) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let inbox = alice.inbox().unwrap();
    let work = alice.create_folder(inbox, "Work", "").unwrap();
    let target = client.open_folder(work.to_wire(), store);
    let first = alice.deliver(Draft::about("first")).unwrap();
    let second = alice.deliver(Draft::about("second")).unwrap();
    let key = |mid| alice.message(mid).unwrap().content.props.binary(PropTag(0x300b_0102)).unwrap().to_vec();
    let keys = [key(first), key(second)];
    let mut go = |mids: &[Mid], want_copy| {
        let ask = MoveCopyMessages {
            logon_id: 0,
            source: 0,
            destination: 1,
            message_ids: mids.iter().map(|mid| mid.to_wire()).collect(),
            want_asynchronous: false,
            want_copy,
        };
        match client.rops(vec![ask.into()], vec![folder, target]).0.remove(0) {
            Response::MoveCopyMessages(done) => done.partial_completion,
            response => panic!("{response:?}"),
        }
    };
    assert!(!go(&[first], true));
    assert!(!go(&[second], false));
    assert!(go(&[second], false), "it has gone");
    let moved = alice.messages(work).unwrap();
    let new_keys: Vec<_> = moved.iter().map(|message| key(message.mid)).collect();
    assert_eq!(new_keys, keys, "search keys go with them");
    assert!(moved.iter().all(|message| message.mid != first && message.mid != second));
    assert_eq!(moved.iter().map(|message| message.article).collect::<Vec<_>>(), [1, 2]);

    let hard = HardDeleteMessages {
        logon_id: 0,
        input: 0,
        want_asynchronous: false,
        notify_non_read: false,
        message_ids: vec![moved[0].mid.to_wire()],
    };
    client.good(hard, target);
    let soft = DeleteMessages {
        logon_id: 0,
        input: 0,
        want_asynchronous: false,
        notify_non_read: false,
        message_ids: vec![moved[1].mid.to_wire()],
    };
    client.good(soft, target);
    let deleted = GetContentsTable {
        logon_id: 0,
        input: 0,
        output: 1,
        table_flags: table_flags::SOFT_DELETES,
    };
    let (response, _) = client.good(deleted, target);
    assert!(matches!(response, Response::GetContentsTable(table) if table.row_count == 1));
    assert_eq!(client.props(target, &[0x670b_0003, 0x3602_0003]), [
        Some(PropValue::I32(2)),
        Some(PropValue::I32(0)),
    ]);
}

#[test]
fn status_bits_belong_to_the_table_and_number_no_change() {
    let server = server();
    let (mut client, _, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let mid = alice.deliver(Draft::about("one")).unwrap();
    let cn = alice.message(mid).unwrap().cn;
    let set = SetMessageStatus {
        logon_id: 0,
        input: 0,
        message_id: mid.to_wire(),
        message_status_flags: 8,
        message_status_mask: 0xc,
    };
    client.good(set, folder);
    let get = GetMessageStatus {
        logon_id: 0,
        input: 0,
        message_id: mid.to_wire(),
    };
    assert!(matches!(client.good(get, folder).0, Response::GetMessageStatus(got) if got.message_status_flags == 8));
    assert_eq!(alice.message(mid).unwrap().cn, cn);
}

#[test]
fn names_of_properties_have_ids_of_their_mailbox() {
    let server = server();
    let name = PropertyName {
        set: Guid([9; 16]),
        id: NameId::Text("Test".into()),
    };
    let ask = |flags| GetPropertyIdsFromNames {
        logon_id: 0,
        input: 0,
        flags,
        property_names: vec![MaybeNamed::Named(name.clone())],
    };
    let id_of = |user: &str, flags| {
        let mut client = Client::connected(&server, user);
        let (_, store) = client.logon();
        match client.good(ask(flags), store).0 {
            Response::GetPropertyIdsFromNames(got) => (got.property_ids[0], got.return_value, client, store),
            response => panic!("{response:?}"),
        }
    };
    let (none, warning, ..) = id_of("alice", 0);
    assert_eq!((none, warning), (0, 0x4_0380));
    let (alice, _, mut client, store) = id_of("alice", 2);
    let (bob, ..) = id_of("bob", 2);
    assert!(alice >= 0x8000 && bob >= 0x8000 && alice != bob);
    let names = GetNamesFromPropertyIds {
        logon_id: 0,
        input: 0,
        property_ids: vec![alice, bob],
    };
    let Response::GetNamesFromPropertyIds(got) = client.good(names, store).0 else {
        panic!("no names");
    };
    assert_eq!(got.property_names[0].name(), Some(&name));
    assert_eq!(got.property_names[1].name(), None);
    let inbox = server.mailbox("alice").inbox().unwrap().to_wire();
    let folder = client.open_folder(inbox, store);
    let (_, message) = client.good(create_message(inbox), folder);
    let foreign = SetProperties {
        logon_id: 0,
        input: 0,
        property_values: vec![TaggedValue {
            tag: PropTag(u32::from(bob) << 16 | 3),
            value: PropValue::I32(1),
        }],
    };
    let Response::SetProperties(done) = client.good(foreign, message).0 else {
        panic!("no problems");
    };
    assert_eq!(done.property_problems.len(), 1);
    assert_eq!(server.violations().len(), 1, "an id of another mailbox");
}

#[test]
fn a_full_mailbox_takes_nothing_more() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    alice.set_quota(Quota { storage: Some(3000), submission: None }).unwrap();
    let (_, message) = client.good(create_message(inbox), folder);
    client.set_props(message, &[(0x0037_001f, text(&"s".repeat(1000)))]);
    client.save(message);
    let (_, message) = client.good(create_message(inbox), folder);
    client.set_props(message, &[(0x0037_001f, text(&"s".repeat(1000)))]);
    assert_eq!(client.bad(SAVE, message), 0x4d9);
}

#[test]
fn properties_are_removed_and_copied() {
    let server = server();
    let (mut client, inbox, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let mid = alice.deliver(Draft::about("one").text("body").to("bob@example.test")).unwrap();
    let source = client.open_message(inbox, mid.to_wire(), folder);
    let (_, target) = client.good(create_message(inbox), folder);
    let copy = CopyTo {
        logon_id: 0,
        source: 0,
        destination: 1,
        want_asynchronous: false,
        want_sub_objects: true,
        copy_flags: 0,
        excluded_tags: vec![PropTag(0x1000_001f)],
    };
    client.rops(vec![copy.into()], vec![source, target]);
    let copied = client.save(target);
    let copied = alice.message(Mid(copied.globcnt.to_u64())).unwrap();
    assert_eq!(copied.content.recipients.len(), 1);
    assert_eq!(copied.content.props.text(PropTag(0x1000_001f)), None);
    let delete = DeleteProperties {
        logon_id: 0,
        input: 0,
        property_tags: vec![PropTag(0x0037_001f), PropTag(0x65e0_0102)],
    };
    let Response::DeleteProperties(done) = client.good(delete, source).0 else {
        panic!("no problems");
    };
    assert_eq!(done.property_problems.len(), 1, "the source key is computed");
}
