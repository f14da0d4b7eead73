//! What things cost, in requests and octets: counted by the server, so the same on every machine.

use std::sync::Arc;

use exchange_standin::{NotificationFault, model::draft::Draft};
use mapi_store::{Changes, Expected, FolderInfo, Items, NewFolder, Query, Store, Table};
use mapi_types::{BitChange, Change, FolderId, ItemNumber, MailboxId, tags, tags::message_flags};

use crate::subject::{ALICE, Standin, listing, numbers};

/// Waits until the mirror has as many items as the server says, driven by notices alone.
async fn caught_up(store: &Arc<dyn Store>, inbox: &FolderInfo, items: usize) {
    let mut notices = store.notices();
    while listing(&**store, inbox).await.len() < items {
        // A lag is a notice, too.
        let _ = notices.recv().await;
    }
}

/// Waits until the background task has nothing to do.
async fn settled(standin: &Standin) {
    let alice = MailboxId(ALICE.to_owned());
    while !standin.exchange.is_up_to_date(&alice) {
        tokio::task::yield_now().await;
    }
}

fn read(set: i32, clear: i32) -> Change {
    Change {
        bits: vec![BitChange {
            tag: tags::MESSAGE_FLAGS.tag(),
            set,
            clear,
        }],
        ..Change::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_ten_thousand_is_indexed_opened_and_marked_with_few_requests() {
    let standin = Standin::start();
    let mailbox = standin.server.mailbox(ALICE);
    mailbox.fill(mailbox.inbox().unwrap(), 10_000).unwrap();
    standin.server.reset_counters();
    let (store, inbox) = standin.alice().await;
    let rows = listing(&*store, &inbox).await;
    assert_eq!(rows.len(), 10_000);
    let indexed = standin.server.counters();
    assert_eq!(
        indexed.rop("FastTransferSourceCopyMessages"),
        0,
        "no message was fetched"
    );
    assert!(indexed.requests < 100, "{}", indexed.requests);

    settled(&standin).await;
    standin.server.reset_counters();
    assert_eq!(listing(&*store, &inbox).await.len(), 10_000);
    store.folder(inbox.id).await.unwrap();
    assert_eq!(
        standin.server.counters().requests,
        0,
        "a mirrored folder opens without the server"
    );

    let all: Vec<_> = numbers(&rows)
        .into_iter()
        .map(|item| Expected {
            item,
            version: None,
        })
        .collect();
    let unread = read(0, message_flags::READ);
    store.update(inbox.id, &all, &unread).await.unwrap();
    standin.server.reset_counters();
    let change = read(message_flags::READ, 0);
    let updated = store.update(inbox.id, &all, &change).await.unwrap();
    assert_eq!(updated.changed.len(), 10_000);
    let marked = standin.server.counters();
    assert!(marked.rop("SetReadFlags") > 0);
    assert!(marked.requests <= 30, "{}", marked.requests);
    assert!(standin.server.receipts().is_empty(), "no receipt goes out");
    assert!(
        standin.server.violations().is_empty(),
        "{:?}",
        standin.server.violations()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_new_messages_cost_three_requests_and_little_data() {
    let standin = Standin::start();
    let mailbox = standin.server.mailbox(ALICE);
    mailbox.fill(mailbox.inbox().unwrap(), 1000).unwrap();
    let (store, inbox) = standin.alice().await;
    caught_up(&store, &inbox, 1000).await;
    settled(&standin).await;
    // The server keeps the hints back, so that what follows is one difference and no more.
    standin
        .server
        .faults()
        .notifications(NotificationFault::Drop);
    for at in 0..10 {
        mailbox
            .deliver(Draft::about(&format!("news {at}")).text("short"))
            .unwrap();
    }
    standin.server.reset_counters();
    standin
        .exchange
        .synchronize(&MailboxId(ALICE.to_owned()), inbox.id)
        .await
        .unwrap();
    let counters = standin.server.counters();
    assert_eq!(listing(&*store, &inbox).await.len(), 1010);
    assert!(
        counters.bytes_in + counters.bytes_out < 20_000,
        "{counters:?}"
    );
    assert!(counters.requests <= 3, "{counters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_changes_that_a_notification_tells_of_cost_three_requests_with_it() {
    let standin = Standin::start();
    let mailbox = standin.server.mailbox(ALICE);
    mailbox.fill(mailbox.inbox().unwrap(), 1000).unwrap();
    let (store, inbox) = standin.alice().await;
    caught_up(&store, &inbox, 1000).await;
    settled(&standin).await;
    standin.server.reset_counters();
    let news = |at: u32| Draft::about(&format!("news {at}")).text("short");
    mailbox.deliver_all((0..10).map(news).collect()).unwrap();
    caught_up(&store, &inbox, 1010).await;
    settled(&standin).await;
    let counters = standin.server.counters();
    // The notifications are fetched, then the changes, and the next ones are waited for.
    assert!(counters.requests <= 3, "{counters:?}");
    assert!(
        counters.bytes_in + counters.bytes_out < 20_000,
        "{counters:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_costs_three_requests_however_many_folders_there_are() {
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    for name in (0..40).map(|at| format!("Folder {at}")) {
        let folder = NewFolder {
            parent: None,
            name,
            class: "IPF.Note".to_owned(),
        };
        store.create_folder(&folder).await.unwrap();
    }
    settled(&standin).await;
    let alice = MailboxId(ALICE.to_owned());
    // The first one learns what the folders are like.
    standin.exchange.poll(&alice).unwrap();
    settled(&standin).await;
    standin.server.reset_counters();
    standin.exchange.poll(&alice).unwrap();
    settled(&standin).await;
    let quiet = standin.server.counters();
    assert!(quiet.requests <= 3, "{quiet:?}");

    standin
        .server
        .faults()
        .notifications(NotificationFault::Drop);
    let mailbox = standin.server.mailbox(ALICE);
    mailbox.deliver(Draft::about("unheard of")).unwrap();
    standin.server.reset_counters();
    standin.exchange.poll(&alice).unwrap();
    caught_up(&store, &inbox, 1).await;
    settled(&standin).await;
    let found = standin.server.counters();
    assert_eq!(
        found.rop("SynchronizationConfigure"),
        2,
        "the tree, and the one folder that changed: {found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_from_outside_arrives_by_notification() {
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    standin
        .server
        .mailbox(ALICE)
        .deliver(Draft::about("hello"))
        .unwrap();
    caught_up(&store, &inbox, 1).await;
    let changes = store
        .changes(inbox.id, inbox.version, &[tags::SUBJECT.tag()], 10)
        .await
        .unwrap();
    let Changes::Delta(delta) = changes else {
        panic!("expired")
    };
    let row = delta.rows.row(0).unwrap();
    assert_eq!(row.get(&tags::SUBJECT), Some("hello"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_one_message_does_not_wait_for_who_wants_them_all() {
    const ALL: u32 = 1000;
    const CLIENTS: u64 = 4;
    let standin = Standin::start();
    let mailbox = standin.server.mailbox(ALICE);
    mailbox.fill(mailbox.inbox().unwrap(), ALL).unwrap();
    let (store, inbox) = standin.alice().await;
    let items = numbers(&listing(&*store, &inbox).await);
    settled(&standin).await;
    standin.server.reset_counters();
    let fetches = || {
        standin
            .server
            .counters()
            .rop("FastTransferSourceCopyMessages")
    };
    let (last, all) = items.split_last().unwrap();
    let mut greedy = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (store, folder, all) = (Arc::clone(&store), inbox.id, all.to_vec());
        greedy.spawn(async move { render(&*store, folder, &all).await });
    }
    while fetches() == 0 {
        tokio::task::yield_now().await;
    }
    let before = fetches();
    render(&*store, inbox.id, &[*last]).await;
    let meanwhile = fetches() - before;
    // One page of each of the others that wait already, its own, and what has begun since its answer was there.
    assert!(meanwhile <= 2 * CLIENTS + 2, "{meanwhile}");
    while let Some(done) = greedy.join_next().await {
        done.unwrap();
    }
    // Nothing was fetched twice.
    assert_eq!(fetches(), u64::from(ALL).div_ceil(50) + 1);
}

async fn render(store: &dyn Store, folder: FolderId, items: &[ItemNumber]) {
    let columns = [tags::DERIVED_RENDERER.tag()];
    let query = Query {
        table: Table::Contents(folder),
        columns: &columns,
        items: Items::Numbers(items),
        filter: None,
        sort: &[],
        limit: u32::MAX,
    };
    assert_eq!(store.query(&query).await.unwrap().len(), items.len());
}
