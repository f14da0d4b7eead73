//! What a server of another hand wrote: read to the last octet, written back, and compared with what it must say.

use mapi_wire::{
    Gid, Guid, Id,
    code_page::CodePage,
    fast_transfer::{
        Atom, Encoder, Event, Lexer, Message, MessageChange, Parser, Property, find_id,
    },
    ics::{
        Deletions, FolderHeader, IdSet, MessageHeader, MessageProgress, Progress, Replica, State,
    },
};

use crate::corpus;

/// The replica of the recorded mailbox.
const REPLICA: &str = "00000001-18a5-6f7b-bcdc-ea1ed03c5657";

fn atoms(buffers: &[Vec<u8>]) -> Vec<Atom> {
    let mut lexer = Lexer::default();
    let mut atoms = Vec::new();
    for buffer in buffers {
        lexer.feed(buffer);
        while let Some(atom) = lexer.next_atom().unwrap() {
            atoms.push(atom);
        }
    }
    lexer.finish().unwrap();
    atoms
}

fn events(buffers: &[Vec<u8>]) -> Vec<Event> {
    let mut parser = Parser::default();
    let mut events = Vec::new();
    for buffer in buffers {
        parser.feed(buffer);
        while let Some(event) = parser.next_event().unwrap() {
            events.push(event);
        }
    }
    parser.finish().unwrap();
    while let Some(event) = parser.next_event().unwrap() {
        events.push(event);
    }
    events
}

#[test]
fn every_stream_is_read_to_its_end_and_written_back() {
    let mut streams = corpus::downloads();
    assert!(streams.len() >= 12, "{:?}", streams.keys());
    streams.extend(corpus::uploads());
    for (label, buffers) in &streams {
        let mut encoder = Encoder::new();
        let atoms = atoms(buffers);
        atoms.iter().for_each(|atom| encoder.atom(atom));
        assert!(encoder.into_bytes() == buffers.concat(), "{label}");
        let mut encoder = Encoder::new();
        let events = events(buffers);
        events.iter().for_each(|event| encoder.event(event));
        assert!(
            encoder.into_bytes() == buffers.concat(),
            "{label} by events"
        );
    }
}

#[test]
fn every_set_is_read_and_written_in_no_more_octets() {
    let mut sets: Vec<Vec<u8>> = corpus::uploaded_states();
    for buffers in corpus::downloads().values() {
        for event in events(buffers) {
            if let Event::State(props) = event {
                let octets = props.iter().filter_map(Property::as_octets);
                sets.extend(octets.map(<[u8]>::to_vec));
            }
        }
    }
    assert!(sets.len() > 40);
    for octets in sets {
        let set = IdSet::<Guid>::from_bytes(&octets).unwrap();
        let again = set.to_bytes();
        assert!(again.len() <= octets.len(), "{set:?}");
        assert_eq!(IdSet::from_bytes(&again), Ok(set));
    }
}

/// Compares a stream with what it must say, one line for an event.
fn check(label: &str, expected: &[&str]) {
    let lines: Vec<String> = events(&[corpus::download(label)])
        .iter()
        .map(line)
        .collect();
    assert_eq!(lines, expected, "{label}");
}

#[test]
fn an_index_of_a_folder_says_what_is_in_it() {
    check(
        "contents_headers",
        &[
            "change 3005b cn 1ab, 3929 octets: probe submit é中",
            "change 3005a cn 1a2, 446880 octets: big body",
            "change 30059 cn 1a1, 3138 octets: Re: hello plain text",
            "change 30058 cn 1a0, 2939 octets: html with inline image",
            "change 30057 cn 19e, 5457 octets: forwarded message inside",
            "change 30056 cn 19d, 13242 octets: report with attachments",
            "change 30055 cn 19c, 3469 octets: hello plain text",
            "change 30054 cn 19b, 2892 octets: Grüße mit Umlauten ☃",
            "state has 30054-3005b, seen 1-1ab, of programs none, read 1-ffffffffffff",
            "end",
        ],
    );
}

#[test]
fn a_full_synchronization_brings_recipients_attachments_and_embedded_messages() {
    check(
        "contents_full",
        &[
            "progress 8 of 481946 octets, 0 of 0 octets for programs",
            "change 3005b cn 1ab, 3929 octets (3929): probe submit é中, to bob@example.test, \
             to alice@example.test, with probe.txt of 11",
            "change 3005a cn 1a2, 446880 octets (446880): big body, to alice@example.test",
            "change 30059 cn 1a1, 3138 octets (3138): Re: hello plain text, to alice@example.test",
            "change 30058 cn 1a0, 2939 octets (2939): html with inline image, \
             to alice@example.test, with pic.png of 72",
            "change 30057 cn 19e, 5457 octets (5457): forwarded message inside, \
             to alice@example.test, \
             with [hello plain text, to alice@example.test, to carol@example.test]",
            "change 30056 cn 19d, 13242 octets (13242): report with attachments, \
             to alice@example.test, with blob.bin of 10240, with tåble.csv of 10",
            "change 30055 cn 19c, 3469 octets (3469): hello plain text, to alice@example.test, \
             to carol@example.test",
            "change 30054 cn 19b, 2892 octets (2892): Grüße mit Umlauten ☃, to alice@example.test",
            "state has 30054-3005b, seen 1-1ab, of programs 1-1ab, read 1-ffffffffffff",
            "end",
        ],
    );
}

#[test]
fn later_synchronizations_bring_only_what_is_new_and_gone() {
    check(
        "contents_incr",
        &[
            "progress 0 of 0 octets, 0 of 0 octets for programs",
            "state has 30054-3005b, seen 1-1ab, of programs 1-1ab, read 1-ffffffffffff",
            "end",
        ],
    );
    check(
        "contents_incr2",
        &[
            "progress 1 of 2594 octets, 0 of 0 octets for programs",
            "change 3005c cn 1be, 2594 octets (2594): ics incremental, to alice@example.test",
            "gone 30059",
            "state has 30054-30058 3005a-3005c, seen 1-1be, of programs 1-1be, read 1-1bc",
            "end",
        ],
    );
}

#[test]
fn a_hierarchy_says_which_folder_is_where() {
    check(
        "hierarchy_full",
        &[
            "folder a in 9, cn 199: Sent Items",
            "folder b in 9, cn 19a: Deleted Items",
            "folder c in 9, cn ee: Outbox",
            "folder d in 9, cn 1bd: Inbox",
            "folder e in 9, cn 1a6: Drafts",
            "folder f in 9, cn 9: Calendar",
            "folder 10 in 9, cn a: Journal",
            "folder 11 in 9, cn b: Notes",
            "folder 12 in 9, cn c: Tasks",
            "folder 13 in 9, cn 8: Contacts",
            "folder 17 in 9, cn 10: Junk Email",
            "folder 19 in 9, cn 18: Sync Issues",
            "folder 1d in 9, cn 11: Conversation Action Settings",
            "folder 14 in 13, cn d: Quick Contacts",
            "folder 15 in 13, cn e: IM Contacts List",
            "folder 16 in 13, cn f: GAL Contacts",
            "folder 1a in 19, cn 19: Conflicts",
            "folder 1b in 19, cn 1a: Local Failures",
            "folder 1c in 19, cn 1b: Server Failures",
            "state has a-17 19-1d, seen 1-1bd, of programs none, read none",
            "end",
        ],
    );
    check(
        "hierarchy_incr",
        &[
            "state has a-17 19-1d, seen 1-1bd, of programs none, read none",
            "end",
        ],
    );
}

#[test]
fn a_state_can_be_asked_for_alone() {
    check(
        "transferstate_up",
        &["state has none, seen 1c2, of programs none, read 1c3"],
    );
}

#[test]
fn messages_and_folders_are_copied_as_a_whole() {
    check(
        "copyto_msg",
        &[
            "content: report with attachments, to alice@example.test, with blob.bin of 10240, \
           with tåble.csv of 10",
        ],
    );
    check("copyprops", &["content: hello plain text"]);
    check(
        "copymessages",
        &[
            "message: html with inline image, to alice@example.test, with pic.png of 72",
            "message: hello plain text, to alice@example.test, to carol@example.test",
        ],
    );
    check(
        "copyfolder",
        &[
            "begin Top: Inbox",
            "message: Grüße mit Umlauten ☃, to alice@example.test",
            "message: hello plain text, to alice@example.test, to carol@example.test",
            "message: report with attachments, to alice@example.test, with blob.bin of 10240, \
             with tåble.csv of 10",
            "message: forwarded message inside, to alice@example.test, \
             with [hello plain text, to alice@example.test, to carol@example.test]",
            "message: html with inline image, to alice@example.test, with pic.png of 72",
            "message: big body, to alice@example.test",
            "message: probe submit é中, to bob@example.test, to alice@example.test, \
             with probe.txt of 11",
            "message: ics incremental, to alice@example.test",
            "end Top",
        ],
    );
    // The message of this list was deleted before: there is nothing to send.
    check("copymessages_deletedmid", &[]);
}

#[test]
fn a_read_state_that_never_changed_hides_no_change_to_come() {
    let events = events(&[corpus::download("contents_full")]);
    let Some(Event::State(props)) = events.iter().rev().nth(1) else {
        panic!("no state");
    };
    let mut state = State::from_properties(props).unwrap();
    let replica = state.cnset_seen.replicas().next().unwrap().0;
    let next = Gid::from_bytes(&[&replica.0[..], &[0, 0, 0, 0, 1, 0xac]].concat()).unwrap();
    assert!(state.cnset_read.contains(next));
    state.forget_reads_to_come();
    assert!(!state.cnset_read.contains(next));
    assert_eq!(state.cnset_read, state.cnset_seen);
}

fn text(props: &[Property], id: u16) -> Option<String> {
    find_id(props, id)?.to_text(CodePage::WESTERN)
}

/// Subject, recipients, and attachments with their sizes.
fn message(message: &Message) -> String {
    let mut line = text(&message.props, 0x0037).unwrap();
    for recipient in &message.recipients {
        line += &format!(", to {}", text(recipient, 0x39fe).unwrap());
    }
    for attachment in &message.attachments {
        line += &match &attachment.embedded {
            Some(embedded) => format!(", with [{}]", self::message(embedded)),
            None => {
                let data = find_id(&attachment.props, 0x3701).unwrap();
                let name = text(&attachment.props, 0x3707).unwrap();
                format!(", with {name} of {}", data.as_octets().unwrap().len())
            }
        };
    }
    line
}

fn counter(id: Option<Id>) -> String {
    let id = id.unwrap();
    assert_eq!(id.replid, 1);
    format!("{:x}", id.globcnt.to_u64())
}

/// The ranges of a set, which is of one replica or empty.
fn set<R: Replica>(set: &IdSet<R>) -> String {
    let ranges = |(_, set): (R, &mapi_wire::ics::Globset)| {
        let ranges: Vec<String> = set
            .ranges()
            .iter()
            .map(|range| format!("{range:?}"))
            .collect();
        ranges.join(" ")
    };
    set.replicas()
        .map(ranges)
        .next()
        .unwrap_or_else(|| "none".to_owned())
}

fn change(change: &MessageChange) -> String {
    let header = MessageHeader::from_properties(&change.header).unwrap();
    assert_eq!(header.to_properties(), change.header);
    assert!(!header.associated);
    let gid = Gid::from_bytes(&header.identity.source_key).unwrap();
    assert_eq!(gid.replguid.to_string(), REPLICA);
    assert_eq!(Some(gid.globcnt), header.mid.map(|mid| mid.globcnt));
    let key = header.identity.change_key;
    assert!(header.identity.predecessors.contains(key));
    let key = key.to_gid().unwrap().globcnt;
    assert_eq!(Some(key), header.change_number.map(|cn| cn.globcnt));
    let progress = change.progress.as_ref().map(|props| {
        let progress = MessageProgress::from_properties(props);
        assert_eq!(&progress.to_properties(), props);
        format!(" ({})", progress.octets)
    });
    format!(
        "change {} cn {}, {} octets{}: {}",
        counter(header.mid),
        counter(header.change_number),
        header.size.unwrap(),
        progress.unwrap_or_default(),
        message(&change.message)
    )
}

fn line(event: &Event) -> String {
    match event {
        Event::Progress(props) => {
            let progress = Progress::from_properties(props).unwrap();
            assert_eq!(&progress.to_properties(), props);
            let Progress {
                associated_count,
                associated_octets,
                normal_count,
                normal_octets,
            } = progress;
            format!(
                "progress {normal_count} of {normal_octets} octets, \
                 {associated_count} of {associated_octets} octets for programs"
            )
        }
        Event::Change(change) => self::change(change),
        Event::FolderChange(props) => {
            let header = FolderHeader::from_properties(props, CodePage::WESTERN).unwrap();
            format!(
                "folder {} in {}, cn {:x}: {}",
                counter(header.folder_id),
                counter(header.parent_folder_id),
                header.identity.change_key.local.to_u64(),
                header.display_name
            )
        }
        Event::Deletions(props) => {
            let deletions = Deletions::from_properties(props).unwrap();
            assert_eq!(&deletions.to_properties(), props);
            assert_eq!(deletions.deleted, deletions.all());
            format!("gone {}", set(&deletions.deleted))
        }
        Event::State(props) => {
            let state = State::from_properties(props).unwrap();
            format!(
                "state has {}, seen {}, of programs {}, read {}",
                set(&state.idset_given),
                set(&state.cnset_seen),
                set(&state.cnset_seen_associated),
                set(&state.cnset_read)
            )
        }
        Event::SyncEnd => "end".to_owned(),
        Event::Message(listed) => format!("message: {}", message(&listed.message)),
        Event::Content(content) => format!("content: {}", message(content)),
        Event::FolderBegin(level, props) => {
            format!("begin {level:?}: {}", text(props, 0x3001).unwrap())
        }
        Event::FolderEnd(level) => format!("end {level:?}"),
        other => panic!("{other:?}"),
    }
}
