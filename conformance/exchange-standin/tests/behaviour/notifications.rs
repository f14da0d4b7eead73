//! Notifications. Source: MS-OXCNOTIF 3.1.4, 3.2.5.

use exchange_standin::{
    Config, Limits, Server,
    model::{draft::Draft, message_changes::Deletion},
};
use mapi_types::PropTag;
use mapi_wire::{
    Id,
    rop::{
        Change, Event, GetContentsTable, LogonResponse, Notify, QueryRows, RegisterNotification,
        Response, Scope, SetColumns, TableChange, notification_types as types,
    },
};

use super::client::Client;

const ALL: u16 = types::NEW_MAIL
    | types::OBJECT_CREATED
    | types::OBJECT_DELETED
    | types::OBJECT_MODIFIED
    | types::OBJECT_MOVED
    | types::OBJECT_COPIED;

fn register(notification_types: u16, scope: Scope) -> RegisterNotification {
    RegisterNotification {
        logon_id: 0,
        input: 0,
        output: 1,
        notification_types,
        reserved: None,
        scope,
    }
}

impl Client {
    /// What is to be told, collected by an empty batch.
    fn told(&mut self) -> Vec<Notify> {
        let (responses, _) = self.rops(vec![], vec![]);
        let notify = |response| match response {
            Response::Notify(notify) => Some(notify),
            Response::Pending(_) => None,
            response => panic!("{response:?}"),
        };
        responses.into_iter().filter_map(notify).collect()
    }
}

/// What happened, in a word, and to which folder.
fn short(notify: &Notify) -> (&'static str, Id) {
    match &notify.event {
        Event::Object(event) => {
            let word = match (&event.change, event.message_id.is_some()) {
                (Change::NewMail { .. }, _) => "mail",
                (Change::Created { .. }, true) => "created",
                (Change::Created { .. }, false) => "folder created",
                (Change::Deleted { .. }, true) => "deleted",
                (Change::Deleted { .. }, false) => "folder deleted",
                (Change::Modified { .. }, true) => "modified",
                (Change::Modified { .. }, false) => "counts",
                (Change::Moved(_), _) => "moved",
                (Change::Copied(_), _) => "copied",
                (Change::SearchComplete, _) => "searched",
            };
            (word, event.folder_id)
        }
        event => panic!("{event:?}"),
    }
}

#[test]
fn whatever_happens_in_a_store_is_told_to_who_asked() {
    let server = Server::start(Config::default()).unwrap();
    let alice = server.mailbox("alice");
    let inbox = alice.inbox().unwrap();
    let mut client = Client::connected(&server, "alice");
    let (_, store) = client.logon();
    let (_, handle) = client.good(register(ALL, Scope::WholeStore), store);
    let mut words = |expected: &[&str]| {
        let told = client.told();
        assert!(
            told.iter()
                .all(|notify| notify.handle == handle && notify.logon_id == 0)
        );
        let words: Vec<_> = told.iter().map(|notify| short(notify).0).collect();
        assert_eq!(words, expected);
        told
    };
    let mid = alice.deliver(Draft::about("one")).unwrap();
    let told = words(&["mail", "created", "counts"]);
    assert!(matches!(&told[2].event, Event::Object(event)
        if (event.total_message_count, event.unread_message_count) == (Some(1), Some(1))));
    alice.set_read(mid, true).unwrap();
    words(&["modified", "counts"]);
    let work = alice.create_folder(inbox, "Work", "").unwrap();
    words(&["folder created"]);
    let copy = alice.copy_message(mid, work).unwrap();
    words(&["copied", "counts"]);
    let moved = alice.move_message(mid, work).unwrap();
    let told = words(&["moved", "counts", "counts"]);
    assert!(matches!(&told[0].event, Event::Object(event)
        if matches!(&event.change, Change::Moved(origin)
            if origin.old_folder_id == inbox.to_wire() && origin.old_id == mid.to_wire())));
    alice.delete(copy, Deletion::Hard).unwrap();
    alice.delete(moved, Deletion::Soft).unwrap();
    words(&["deleted", "counts", "deleted", "counts"]);
    alice.delete_folder(work).unwrap();
    words(&["folder deleted"]);
    server
        .mailbox("bob")
        .deliver(Draft::about("not for alice"))
        .unwrap();
    words(&[]);
}

#[test]
fn a_subscription_to_a_folder_or_message_hears_of_nothing_else() {
    let server = Server::start(Config::default()).unwrap();
    let alice = server.mailbox("alice");
    let inbox = alice.inbox().unwrap();
    let drafts = alice.folder("Drafts").unwrap();
    let first = alice.create(drafts, Draft::about("first")).unwrap();
    let second = alice.create(drafts, Draft::about("second")).unwrap();
    let mut client = Client::connected(&server, "alice");
    let (_, store) = client.logon();
    let of = |folder_id, message_id| Scope::Object {
        folder_id,
        message_id,
    };
    client.good(
        register(types::NEW_MAIL, of(inbox.to_wire(), Id::default())),
        store,
    );
    client.good(register(ALL, of(drafts.to_wire(), first.to_wire())), store);
    alice.set_read(first, true).unwrap();
    alice.set_read(second, true).unwrap();
    alice.deliver(Draft::about("mail")).unwrap();
    let words: Vec<_> = client.told().iter().map(short).collect();
    assert_eq!(
        words,
        [("modified", drafts.to_wire()), ("mail", inbox.to_wire())]
    );
    let nowhere = of(inbox.to_wire(), Id::default());
    let Scope::Object { folder_id, .. } = nowhere else {
        panic!("no folder");
    };
    let missing = Id {
        globcnt: mapi_wire::Globcnt::from_u64(folder_id.globcnt.to_u64() + 0x7777),
        ..folder_id
    };
    assert_eq!(
        client.bad(register(ALL, of(missing, Id::default())), store),
        0x8004_010f
    );
}

#[test]
fn an_open_table_says_that_it_changed_unless_told_not_to() {
    let server = Server::start(Config::default()).unwrap();
    let alice = server.mailbox("alice");
    let mut client = Client::connected(&server, "alice");
    let (logon, store) = client.logon();
    let folder = client.open_folder(logon.folder_ids[LogonResponse::INBOX], store);
    let mut open = |table_flags| {
        let ask = GetContentsTable {
            logon_id: 0,
            input: 0,
            output: 1,
            table_flags,
        };
        let (_, table) = client.good(ask, folder);
        let columns = SetColumns {
            logon_id: 0,
            input: 0,
            set_columns_flags: 0,
            property_tags: vec![PropTag(0x0037_001f)],
        };
        client.good(columns, table);
        let query = QueryRows {
            logon_id: 0,
            input: 0,
            query_rows_flags: 0,
            forward_read: true,
            row_count: 10,
        };
        client.good(query, table);
        table
    };
    let table = open(0x40);
    open(0x50);
    alice.deliver(Draft::about("one")).unwrap();
    alice.deliver(Draft::about("two")).unwrap();
    let told = client.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].handle, table);
    assert!(matches!(&told[0].event, Event::Table(event) if event.change == TableChange::Changed));
}

#[test]
fn what_does_not_fit_waits_and_what_is_too_much_is_lost() {
    let limits = Limits {
        queued_notifications: 900,
        ..Limits::default()
    };
    let server = Server::start(Config {
        limits,
        ..Config::default()
    })
    .unwrap();
    let alice = server.mailbox("alice");
    let mut client = Client::connected(&server, "alice");
    let (_, store) = client.logon();
    client.good(register(types::NEW_MAIL, Scope::WholeStore), store);
    for n in 0..1000 {
        alice.deliver(Draft::about(&format!("m{n}"))).unwrap();
    }
    let first = client.told().len();
    let second = client.told().len();
    assert!(first < 900 && second > 0, "{first} {second}");
    assert_eq!(first + second, 900);
}
