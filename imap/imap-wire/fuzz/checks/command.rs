//! What must hold for every command that is decoded. Called by the fuzz target and by a smoke test.

use imap_wire::command::fetch::FetchItem;
use imap_wire::command::search::{Search, SearchKey};
use imap_wire::response::write_mailbox;
use imap_wire::{
    Answer, Command, CommandBody, Event, Framer, Limits, MailboxName, MessageSet, decode,
};

/// Decodes every command of the input, literals kept in memory, and checks what came out.
pub(crate) fn check(input: &[u8]) {
    let mut framer = Framer::new(Limits::default());
    let mut rest = input;
    let mut ended = false;
    loop {
        let (used, event) = framer.feed(rest);
        rest = rest.get(used..).expect("no more is used than was given");
        match event {
            // The last command may lack its line end, for the fuzzer's convenience.
            Event::NeedInput if std::mem::replace(&mut ended, true) => return,
            Event::NeedInput => rest = b"\r\n",
            Event::Literal(header) => {
                let stream = header.binary && header.len % 2 == 0;
                framer.answer(if stream {
                    Answer::Stream
                } else {
                    Answer::Inline
                });
            }
            Event::LiteralData { .. } | Event::Refused(_) => {}
            Event::Frame => match decode(framer.frame()) {
                Ok(command) => valid(&command),
                Err(error) => {
                    assert!(error.at <= framer.frame().bytes().len(), "{error}");
                    assert!(!error.expected.is_empty());
                }
            },
        }
    }
}

fn valid(command: &Command) {
    assert!(
        command
            .tag
            .as_str()
            .bytes()
            .all(|byte| byte.is_ascii_graphic())
    );
    match &command.body {
        CommandBody::Fetch(fetch) => {
            set(&fetch.set);
            assert!(!fetch.items.is_empty());
            fetch.items.iter().for_each(item);
        }
        CommandBody::Store(store) => set(&store.set),
        CommandBody::Copy(transfer) | CommandBody::Move(transfer) => {
            set(&transfer.set);
            mailbox(&transfer.mailbox);
        }
        CommandBody::Search(search) => keys(search),
        CommandBody::Delete(name) | CommandBody::Subscribe(name) => mailbox(name),
        CommandBody::Append(append) => {
            mailbox(&append.mailbox);
            assert!(!append.messages.is_empty());
        }
        CommandBody::Status(status) => assert!(!status.attributes.is_empty()),
        _ => {}
    }
}

/// A section's label goes into the response as it is.
fn item(item: &FetchItem) {
    if let FetchItem::BodySection(section) = item {
        let label = &section.section.label;
        assert!(!label.contains(['\r', '\n', '\0']), "{label:?}");
        assert!(section.partial.is_none_or(|partial| partial.length > 0));
    }
}

fn set(set: &MessageSet) {
    if let MessageSet::Set(set) = set {
        let resolved = set.resolve(1000);
        assert!(!resolved.is_empty() && resolved.first() > Some(0));
        assert!(
            resolved
                .ranges()
                .is_sorted_by(|a, b| *a.end() + 1 < *b.start())
        );
    }
}

fn keys(search: &Search) {
    let mut left: Vec<&SearchKey> = search.keys.iter().collect();
    assert!(!left.is_empty());
    while let Some(key) = left.pop() {
        match key {
            SearchKey::And(keys) => left.extend(keys),
            SearchKey::Or(pair) => left.extend([&pair.0, &pair.1]),
            SearchKey::Not(key) | SearchKey::Fuzzy(key) => left.push(key),
            SearchKey::Sequence(numbers) | SearchKey::Uid(numbers) => set(numbers),
            _ => {}
        }
    }
}

/// The name that we write leads back to the same mailbox.
fn mailbox(name: &MailboxName) {
    let mut wire = b"a SUBSCRIBE ".to_vec();
    write_mailbox(&mut wire, name.as_str(), false);
    wire.extend_from_slice(b"\r\n");
    let mut framer = Framer::new(Limits {
        line_bytes_max: usize::MAX,
        ..Limits::default()
    });
    let (used, mut event) = framer.feed(&wire);
    if let Event::Literal(_) = event {
        framer.answer(Answer::Inline);
        event = framer.feed(wire.get(used..).unwrap_or_default()).1;
    }
    // Only a name that is larger than what is kept in memory cannot come back.
    if event == Event::Frame {
        let command = decode(framer.frame()).expect("our own spelling is valid");
        assert_eq!(command.body, CommandBody::Subscribe(name.clone()));
    } else {
        assert!(wire.len() > Limits::default().literal_bytes_max_in_memory);
    }
}
