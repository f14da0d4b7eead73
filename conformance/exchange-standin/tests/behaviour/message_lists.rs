//! What is done to messages of a folder by their ids. Source: MS-OXCMSG 3.2.5.8, 3.2.5.10, MS-OXCFOLD 3.2.5.6.

use exchange_standin::{
    Config, Server,
    model::{draft::Draft, ids::Mid, receipt::ReceiptKind},
};
use mapi_types::PropTag;
use mapi_wire::{
    PropValue,
    rop::{
        DeleteMessages, GetContentsTable, GetMessageStatus, HardDeleteMessages, MoveCopyMessages,
        Response, SetMessageReadFlag, SetMessageStatus, SetReadFlags, table_flags,
    },
};

use super::message_rops::in_inbox;

fn server() -> Server {
    Server::start(Config::default()).unwrap()
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
    let kinds: Vec<_> = server
        .receipts()
        .iter()
        .map(|receipt| receipt.kind)
        .collect();
    assert_eq!(
        kinds,
        [ReceiptKind::Read, ReceiptKind::Read, ReceiptKind::NotRead]
    );
    let (response, _) = client.good(flags(1, &[Mid(0x7777)]), folder);
    assert!(matches!(response, Response::SetReadFlags(done) if done.partial_completion));
    client.good(flags(5, &[]), folder);
    assert!(
        alice
            .messages(alice.inbox().unwrap())
            .unwrap()
            .iter()
            .all(|message| !message.read)
    );
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
    let key = |mid| {
        alice
            .message(mid)
            .unwrap()
            .content
            .props
            .binary(PropTag(0x300b_0102))
            .unwrap()
            .to_vec()
    };
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
        match client
            .rops(vec![ask.into()], vec![folder, target])
            .0
            .remove(0)
        {
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
    assert!(
        moved
            .iter()
            .all(|message| message.mid != first && message.mid != second)
    );
    assert_eq!(
        moved
            .iter()
            .map(|message| message.article)
            .collect::<Vec<_>>(),
        [1, 2]
    );
}

#[test]
fn deleted_messages_are_kept_unless_they_are_deleted_hard() {
    let server = server();
    let (mut client, _, folder, _) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let first = alice.deliver(Draft::about("first")).unwrap();
    let second = alice.deliver(Draft::about("second")).unwrap();
    let hard = HardDeleteMessages {
        logon_id: 0,
        input: 0,
        want_asynchronous: false,
        notify_non_read: false,
        message_ids: vec![first.to_wire()],
    };
    client.good(hard, folder);
    let soft = DeleteMessages {
        logon_id: 0,
        input: 0,
        want_asynchronous: false,
        notify_non_read: false,
        message_ids: vec![second.to_wire()],
    };
    client.good(soft, folder);
    let deleted = GetContentsTable {
        logon_id: 0,
        input: 0,
        output: 1,
        table_flags: table_flags::SOFT_DELETES,
    };
    let (response, _) = client.good(deleted, folder);
    assert!(matches!(response, Response::GetContentsTable(table) if table.row_count == 1));
    assert_eq!(
        client.props(folder, &[0x670b_0003, 0x3602_0003]),
        [Some(PropValue::I32(2)), Some(PropValue::I32(0)),]
    );
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
    assert!(
        matches!(client.good(get, folder).0, Response::GetMessageStatus(got) if got.message_status_flags == 8)
    );
    assert_eq!(alice.message(mid).unwrap().cn, cn);
}
