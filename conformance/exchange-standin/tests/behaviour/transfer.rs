//! FastTransfer in both directions. Source: MS-OXCFXICS 3.2.5.8.

use exchange_standin::{
    Config, Server,
    model::{
        draft::{Draft, DraftAttachment},
        ids::Mid,
        message_changes::Deletion,
    },
};
use mapi_types::PropTag;
use mapi_wire::{
    Id,
    fast_transfer::{Encoder, Event, FolderLevel},
    rop::{
        FastTransferDestinationConfigure, FastTransferDestinationPutBuffer,
        FastTransferSourceCopyFolder, FastTransferSourceCopyMessages,
        FastTransferSourceCopyProperties, FastTransferSourceCopyTo, LogonResponse, send_options,
    },
};

use super::{client::Client, mailbox::text, message_rops::create_message};

fn in_inbox(server: &Server, user: &str) -> (Client, Id, u32) {
    let mut client = Client::connected(server, user);
    let (logon, store) = client.logon();
    let inbox = logon.folder_ids[LogonResponse::INBOX];
    let folder = client.open_folder(inbox, store);
    (client, inbox, folder)
}

fn rich(subject: &str) -> Draft {
    Draft {
        keywords: vec!["red".into(), "blue".into()],
        attachments: vec![DraftAttachment {
            name: "a.bin".into(),
            media_type: "application/octet-stream".into(),
            data: (0..=255).cycle().take(70_000).collect(),
        }],
        embedded: vec![Draft {
            embedded: vec![Draft::about("innermost")],
            ..Draft::about("inner")
                .text("within")
                .to("carol@example.test")
        }],
        ..Draft::about(subject)
            .text("body")
            .to("bob@example.test")
            .to("dana@elsewhere.test")
    }
}

fn copy_messages(mids: &[Mid]) -> FastTransferSourceCopyMessages {
    FastTransferSourceCopyMessages {
        logon_id: 0,
        input: 0,
        output: 1,
        message_ids: mids.iter().map(|mid| mid.to_wire()).collect(),
        copy_flags: 0x30,
        send_options: send_options::UNICODE | send_options::FORCE_UNICODE,
    }
}

impl Client {
    fn put_all(&mut self, target: u32, source_operation: u8, octets: &[u8]) -> u32 {
        let configure = FastTransferDestinationConfigure {
            logon_id: 0,
            input: 0,
            output: 1,
            source_operation,
            copy_flags: 0,
        };
        let (_, destination) = self.good(configure, target);
        for part in octets.chunks(5001) {
            let put = FastTransferDestinationPutBuffer {
                logon_id: 0,
                input: 0,
                transfer_data: part.into(),
            };
            self.good(put, destination);
        }
        destination
    }
}

fn encoded(events: &[Event]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    for event in events {
        encoder.event(event);
    }
    encoder.into_bytes()
}

#[test]
fn messages_go_from_one_mailbox_to_another_whole() {
    let server = Server::start(Config::default()).unwrap();
    let alice = server.mailbox("alice");
    let bob = server.mailbox("bob");
    let mids = ["first", "second"].map(|subject| alice.deliver(rich(subject)).unwrap());
    let (mut client, _, folder) = in_inbox(&server, "alice");
    let (_, source) = client.good(copy_messages(&mids), folder);
    let events = client.download(source);
    let (mut target, _, folder) = in_inbox(&server, "bob");
    let destination = target.put_all(folder, 3, &encoded(&events));
    target.release(destination);
    assert_eq!(server.violations(), [""; 0]);
    let copies = bob.messages(bob.inbox().unwrap()).unwrap();
    assert_eq!(copies.len(), 2);
    let original = alice.message(mids[0]).unwrap();
    assert_eq!(copies[0].content.attachments.len(), 2);
    assert_eq!(copies[0].content.recipients, original.content.recipients);
    let kept =
        |tag| copies[0].content.props.get(PropTag(tag)) == original.content.props.get(PropTag(tag));
    assert!(kept(0x0037_001f) && kept(0x1000_001f) && kept(0x0e06_0040) && kept(0x300b_0102));
    let file = |message: &exchange_standin::model::message::Message| {
        message.content.attachments[0]
            .props
            .binary(PropTag(0x3701_0102))
            .map(<[u8]>::to_vec)
    };
    assert_eq!(file(&copies[0]), file(&original));
    let inner = copies[0].content.attachments[1].embedded.as_ref().unwrap();
    assert!(inner.attachments[0].embedded.is_some());
    let named = copies[0]
        .content
        .props
        .iter()
        .find(|(tag, _)| tag.id() >= 0x8000)
        .unwrap()
        .0;
    let name =
        |mailbox: &exchange_standin::MailboxAccess, id| mailbox.look(|m| m.named.name(id)).unwrap();
    let keywords = original
        .content
        .props
        .iter()
        .find(|(tag, _)| tag.id() >= 0x8000)
        .unwrap()
        .0;
    assert_ne!(named, keywords, "another mailbox has other ids");
    assert_eq!(name(&bob, named.id()), name(&alice, keywords.id()));
}

#[test]
fn a_warning_stands_for_a_message_that_is_not_there() {
    let server = Server::start(Config::default()).unwrap();
    let alice = server.mailbox("alice");
    let mids =
        ["first", "gone", "third"].map(|subject| alice.deliver(Draft::about(subject)).unwrap());
    alice.delete(mids[1], Deletion::Hard).unwrap();
    let (mut client, _, folder) = in_inbox(&server, "alice");
    let (_, source) = client.good(copy_messages(&mids), folder);
    let events = client.download(source);
    assert!(
        matches!(
            &events[..],
            [
                Event::Message(_),
                Event::Warning(0x4_0680),
                Event::Message(_)
            ]
        ),
        "{events:?}"
    );
    let mut wrong = copy_messages(&mids);
    wrong.copy_flags = 8;
    assert_eq!(client.bad(wrong, folder), 0x8007_0057);
}

#[test]
fn which_message_and_which_change_it_is_comes_only_when_asked() {
    let server = Server::start(Config::default()).unwrap();
    let mid = server
        .mailbox("alice")
        .deliver(Draft::about("one"))
        .unwrap();
    let (mut client, _, folder) = in_inbox(&server, "alice");
    let mut identification = |copy_flags| {
        let mut ask = copy_messages(&[mid]);
        ask.copy_flags = copy_flags;
        let (_, source) = client.good(ask, folder);
        match &client.download(source)[..] {
            [Event::Message(listed)] => [0x0fff_0102, 0x65e0_0102, 0x65e2_0102, 0x65e3_0102]
                .map(|tag| listed.message.get(PropTag(tag)).is_some()),
            events => panic!("{events:?}"),
        }
    };
    assert_eq!(identification(0x30), [true; 4]);
    assert_eq!(identification(0x10), [false; 4]);
}

#[test]
fn no_messages_are_nothing_to_copy() {
    let server = Server::start(Config::default()).unwrap();
    let (mut client, _, folder) = in_inbox(&server, "alice");
    let refused = client.bad(copy_messages(&[]), folder);
    assert_eq!(refused, 0x8007_0057);
}

#[test]
fn a_message_is_copied_into_another_that_is_saved_then() {
    let server = Server::start(Config::default()).unwrap();
    let alice = server.mailbox("alice");
    let mid = alice.deliver(rich("one")).unwrap();
    let (mut client, inbox, folder) = in_inbox(&server, "alice");
    let message = client.open_message(inbox, mid.to_wire(), folder);
    let ask = FastTransferSourceCopyTo {
        logon_id: 0,
        input: 0,
        output: 1,
        level: 0,
        copy_flags: 0x2000,
        send_options: send_options::UNICODE | send_options::FORCE_UNICODE,
        property_tags: vec![PropTag(0x1000_001f)],
    };
    let (_, source) = client.good(ask, message);
    let events = client.download(source);
    let [Event::Content(content)] = &events[..] else {
        panic!("{events:?}");
    };
    assert!(content.replaces_recipients && content.replaces_attachments);
    let (_, copy) = client.good(create_message(inbox), folder);
    client.put_all(copy, 1, &encoded(&events));
    let copied = client.save(copy);
    let copied = alice.message(Mid(copied.globcnt.to_u64())).unwrap();
    assert_eq!(copied.content.recipients.len(), 2);
    assert_eq!(copied.content.attachments.len(), 2);
    assert_eq!(copied.content.props.text(PropTag(0x1000_001f)), None);
    let ask = FastTransferSourceCopyProperties {
        logon_id: 0,
        input: 0,
        output: 1,
        level: 0,
        copy_flags: 0,
        send_options: send_options::UNICODE,
        property_tags: vec![PropTag(0x0037_001f)],
    };
    let (_, source) = client.good(ask, message);
    let events = client.download(source);
    let [Event::Content(content)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((content.props.len(), content.recipients.len()), (1, 0));
}

#[test]
fn a_folder_is_copied_with_what_is_in_it() {
    let server = Server::start(Config::default()).unwrap();
    let alice = server.mailbox("alice");
    let inbox = alice.inbox().unwrap();
    let work = alice.create_folder(inbox, "Work", "IPF.Note").unwrap();
    let below = alice.create_folder(work, "Below", "IPF.Note").unwrap();
    alice.create(work, Draft::about("above")).unwrap();
    alice.create(below, Draft::about("below")).unwrap();
    let (mut client, _, folder) = in_inbox(&server, "alice");
    let source_folder = client.open_folder(work.to_wire(), folder);
    let ask = FastTransferSourceCopyFolder {
        logon_id: 0,
        input: 0,
        output: 1,
        copy_flags: 0x10,
        send_options: send_options::UNICODE,
    };
    let (_, source) = client.good(ask, source_folder);
    let events = client.download(source);
    assert!(
        matches!(&events[0], Event::FolderBegin(FolderLevel::Top, props)
        if text(props, 0x3001_001f).as_deref() == Some("Work")),
        "{events:?}"
    );
    let (mut target, _, folder) = in_inbox(&server, "bob");
    let destination = target.put_all(folder, 4, &encoded(&events));
    target.release(destination);
    let bob = server.mailbox("bob");
    let copied = bob.folder("Inbox/Work/Below").unwrap();
    assert_eq!(bob.subjects(copied).unwrap(), ["below"]);
    assert_eq!(server.violations(), [""; 0]);
}

#[test]
fn a_stream_that_cannot_be_read_is_refused() {
    let server = Server::start(Config::default()).unwrap();
    let (mut client, _, folder) = in_inbox(&server, "alice");
    let configure = FastTransferDestinationConfigure {
        logon_id: 0,
        input: 0,
        output: 1,
        source_operation: 3,
        copy_flags: 0,
    };
    let (_, destination) = client.good(configure, folder);
    let put = FastTransferDestinationPutBuffer {
        logon_id: 0,
        input: 0,
        transfer_data: [3, 0, 0x0d, 0x40, 3, 0, 0x0d, 0x40].into(),
    };
    assert_eq!(client.bad(put.clone(), destination), 0x4ed);
    assert_eq!(client.bad(put, destination), 0x4ed, "and stays refused");
}
