//! From a URL to the first messages: what every client does first.

use exchange_standin::{
    Config, Server,
    model::draft::{Draft, DraftAttachment},
};
use mapi_wire::{
    PropValue,
    autodiscover::pox::{PoxRequest, PoxResponse},
    fast_transfer::Event,
    ics::State,
    rop::{
        ByteCount, FastTransferSourceCopyMessages, LogonResponse, OpenStream, ReadStream, Response,
        send_options,
    },
};

use super::{
    client::{Client, basic},
    mailbox::{gone, reads, subjects, text},
};

fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

#[test]
fn autodiscover_names_the_endpoints_of_a_mailbox() {
    let server = server();
    let mut client = Client::new(&server, "alice");
    let fields = [
        ("Authorization", basic("alice")),
        ("X-MapiHttpCapability", "1".into()),
        ("Content-Type", "text/xml".into()),
    ];
    let body = PoxRequest::for_address("alice@example.test").to_xml();
    let answer = client
        .plain(
            "POST",
            "/Autodiscover/Autodiscover.xml",
            &fields,
            body.as_bytes(),
        )
        .unwrap();
    let PoxResponse::Settings(settings) = PoxResponse::parse(&answer.body).unwrap() else {
        panic!("{answer:?}");
    };
    assert_eq!(settings.legacy_dn.as_deref(), Some(client.dn.as_str()));
    let endpoints = settings.mapi_http().unwrap();
    assert_eq!(
        endpoints.mail_store.external,
        Some(server.emsmdb_url("alice"))
    );
    assert_eq!(
        endpoints.address_book.external,
        Some(server.nspi_url("alice"))
    );
}

#[test]
fn folders_and_messages_come_by_synchronization_and_changes_after_them() {
    let server = server();
    let alice = server.mailbox("alice");
    let inbox = alice.inbox().unwrap();
    let first = alice.deliver(Draft::about("first").text("hello")).unwrap();
    alice.deliver(Draft::about("second").text("hello")).unwrap();

    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let top = client.open_folder(logon.folder_ids[LogonResponse::IPM_SUBTREE], store);
    let (events, hierarchy) = client.sync_hierarchy(top, &State::new());
    let names: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::FolderChange(props) => text(props, 0x3001_001f),
            _ => None,
        })
        .collect();
    assert!(names.contains(&"Inbox".to_owned()), "{names:?}");

    let folder = client.open_folder(logon.folder_ids[LogonResponse::INBOX], store);
    let (events, state) = client.sync_contents(folder, &State::new());
    assert_eq!(subjects(&events), ["first", "second"]);
    let (events, state) = client.sync_contents(folder, &state);
    assert_eq!(subjects(&events), [""; 0]);

    alice.deliver(Draft::about("third")).unwrap();
    alice.set_flagged(first, true).unwrap();
    let (events, state) = client.sync_contents(folder, &state);
    assert_eq!(subjects(&events), ["first", "third"]);
    alice.set_read(first, true).unwrap();
    let (events, state) = client.sync_contents(folder, &state);
    assert_eq!((subjects(&events).len(), reads(&events)), (0, (1, 0)));
    let archive = alice.create_folder(inbox, "Archive", "IPF.Note").unwrap();
    alice.move_message(first, archive).unwrap();
    let (events, state) = client.sync_contents(folder, &state);
    assert_eq!((subjects(&events).len(), gone(&events)), (0, 1));
    assert_eq!(state.idset_given.len(), 2);

    let (events, _) = client.sync_hierarchy(top, &hierarchy);
    assert!(
        matches!(&events[0], Event::FolderChange(props)
        if text(props, 0x3001_001f).as_deref() == Some("Archive")),
        "{events:?}"
    );
    assert_eq!(server.violations(), [""; 0]);
}

#[test]
fn whole_messages_come_many_at_once() {
    let server = server();
    let alice = server.mailbox("alice");
    let long = "All work and no play. ".repeat(5000);
    let mid = alice
        .deliver(Draft {
            attachments: vec![DraftAttachment {
                name: "a.bin".into(),
                media_type: "application/octet-stream".into(),
                data: vec![7; 100_000],
            }],
            embedded: vec![Draft::about("inner").text("within")],
            ..Draft::about("outer").text(&long).to("bob@example.test")
        })
        .unwrap();
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let inbox = logon.folder_ids[LogonResponse::INBOX];
    let folder = client.open_folder(inbox, store);
    let (_, source) = client.good(
        FastTransferSourceCopyMessages {
            logon_id: 0,
            input: 0,
            output: 1,
            message_ids: vec![mid.to_wire()],
            copy_flags: 0x30,
            send_options: send_options::UNICODE | send_options::FORCE_UNICODE,
        },
        folder,
    );
    let events = client.download(source);
    let [Event::Message(listed)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(
        text(&listed.message.props, 0x1000_001f).as_deref(),
        Some(long.as_str())
    );
    assert_eq!(listed.message.recipients.len(), 1);
    let [file, inner] = listed.message.attachments.as_slice() else {
        panic!("{:?}", listed.message.attachments);
    };
    let data = file
        .props
        .iter()
        .find(|property| property.tag.0 == 0x3701_0102)
        .unwrap();
    assert_eq!(data.as_octets().unwrap().len(), 100_000);
    let inner = inner.embedded.as_ref().unwrap();
    assert_eq!(text(&inner.props, 0x0037_001f).as_deref(), Some("inner"));
}

#[test]
fn long_bodies_come_as_streams_in_several_payloads() {
    let server = server();
    let alice = server.mailbox("alice");
    let long = "All work and no play. ".repeat(5000);
    let mid = alice.deliver(Draft::about("outer").text(&long)).unwrap();
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let inbox = logon.folder_ids[LogonResponse::INBOX];
    let folder = client.open_folder(inbox, store);
    let message = client.open_message(inbox, mid.to_wire(), folder);
    let props = client.props(message, &[0x0037_001f, 0x1000_001f]);
    assert_eq!(
        props,
        [Some(PropValue::String("outer".into())), None],
        "too long for a value"
    );
    let (opened, stream) = client.good(
        OpenStream {
            logon_id: 0,
            input: 0,
            output: 1,
            property_tag: mapi_types::PropTag(0x1000_001f),
            open_mode_flags: OpenStream::READ_ONLY,
        },
        message,
    );
    assert!(matches!(opened, Response::OpenStream(s) if s.stream_size as usize == 2 * long.len()));
    let ask = ReadStream {
        logon_id: 0,
        input: 0,
        byte_count: ByteCount::UpTo(0x10_0000),
    };
    let (responses, _) = client.rops(vec![ask.into()], vec![stream]);
    let mut octets = Vec::new();
    for response in &responses {
        let Response::ReadStream(read) = response else {
            panic!("{response:?}");
        };
        octets.extend_from_slice(&read.data);
    }
    assert!(responses.len() > 1, "several payloads in one answer");
    assert_eq!(octets.len(), 2 * long.len());
}
