//! Many messages.

use std::time::Instant;

use exchange_standin::{Config, Server};
use mapi_wire::{fast_transfer::Event, ics::State, rop::LogonResponse};

use super::client::Client;

#[test]
fn a_hundred_thousand_messages_are_made_and_synchronized_in_little_time() {
    let server = Server::start(Config::default()).unwrap();
    let alice = server.mailbox("alice");
    let inbox = alice.inbox().unwrap();
    let before = Instant::now();
    alice.fill(inbox, 100_000).unwrap();
    assert!(before.elapsed().as_secs() < 30, "{:?}", before.elapsed());
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let folder = client.open_folder(logon.folder_ids[LogonResponse::INBOX], store);
    let (events, state) = client.sync_contents(folder, &State::new());
    let changes = events
        .iter()
        .filter(|event| matches!(event, Event::Change(_)));
    assert_eq!(changes.count(), 100_000);
    assert_eq!(
        state
            .idset_given
            .replicas()
            .map(|(_, set)| set.ranges().len())
            .sum::<usize>(),
        1
    );
    let messages = alice.messages(inbox).unwrap();
    for message in messages.iter().take(10) {
        alice.set_flagged(message.mid, true).unwrap();
    }
    server.reset_counters();
    let (events, _) = client.sync_contents(folder, &state);
    assert_eq!(
        events
            .iter()
            .filter(|event| matches!(event, Event::Change(_)))
            .count(),
        10
    );
    assert!(
        server.counters().bytes_out < 20_000,
        "{:?}",
        server.counters()
    );
}
