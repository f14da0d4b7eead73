//! Replays that are repeated, that break off, and that the server does not carry out: nothing is lost, doubled or believed
//! done that is not, and nothing keeps back what comes behind it.

use std::time::Duration;

use exchange_standin::{Fault, What, When, model::message_changes::Deletion as Deleting};
use mapi_store::{Deletion, ErrorKind, Transfer};
use mapi_types::{ItemNumber, MailboxId};

use crate::{
    faults::{arm, bytes, draft, original, save},
    outage::{
        any, come_back, furnished, keyword, leave, mid, queueing, seen, settled, shown, status,
        there,
    },
    subject::{ALICE, Standin},
};

const FAILED: u32 = 0x8000_4005;
const BUSY: u32 = 0x480;
const RPC_FAILED: u32 = 0x8004_0115;

const UPLOADS: &str = "SynchronizationImportMessageChange";
const PUTS: &str = "FastTransferDestinationPutBuffer";
const SAVES: &str = "SaveChangesMessage";
const MOVES: &str = "SynchronizationImportMessageMove";

const ONE: [ItemNumber; 1] = [ItemNumber(1)];

/// Makes `what` happen with every Execute that has this ROP, after so many.
fn always(standin: &Standin, rop: &str, after: u32, what: What) {
    standin.server.faults().add(Fault {
        when: When {
            rop: Some(rop.to_owned()),
            after,
            ..When::default()
        },
        times: u32::MAX,
        what,
    });
}

/// The next message is saved by the server, and nobody hears of it or of anything after that.
fn lose_what_is_saved(standin: &Standin) {
    always(standin, SAVES, 0, What::LOSE_ANSWER);
    always(standin, UPLOADS, 1, What::LOSE_ANSWER);
}

fn delete_there(standin: &Standin, folder: &str, subject: &str) {
    let mailbox = standin.server.mailbox(ALICE);
    let mid = mid(standin, folder, subject);
    mailbox.delete(mid, Deleting::Hard).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_there_stays_when_it_is_asked_for_again_and_its_source_is_gone() {
    let standin = queueing();
    let (store, inbox, other) = furnished(&standin).await;
    lose_what_is_saved(&standin);
    let copied = store.transfer(inbox.id, &ONE, other.id, Transfer::Copy);
    assert_eq!(copied.await.unwrap().len(), 1);
    assert_eq!(there(&standin, "Other"), ["a"]);
    leave(&standin);
    delete_there(&standin, "Inbox", "a");
    come_back(&standin);
    settled(&standin).await;
    assert_eq!(there(&standin, "Other"), ["a"]);
    assert_eq!(there(&standin, "Inbox"), ["b", "c"]);
    assert_eq!(shown(&*store, &other).await, [(1, false, "a".to_owned())]);
    assert_eq!(bytes(&*store, &other, ItemNumber(1)).await, original("a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_there_and_was_deleted_is_not_made_again_and_keeps_back_no_other() {
    let standin = queueing();
    let (store, inbox, other) = furnished(&standin).await;
    lose_what_is_saved(&standin);
    let two = [1, 2].map(ItemNumber);
    let copied = store.transfer(inbox.id, &two, other.id, Transfer::Copy);
    assert_eq!(copied.await.unwrap().len(), 2);
    leave(&standin);
    delete_there(&standin, "Other", "a");
    come_back(&standin);
    settled(&standin).await;
    assert_eq!(there(&standin, "Other"), ["b"]);
    assert_eq!(there(&standin, "Inbox"), ["a", "b", "c"]);
    assert_eq!(shown(&*store, &other).await, [(2, false, "b".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_busy_server_did_in_part_is_not_taken_for_the_whole() {
    let standin = Standin::start();
    let (store, inbox, other) = furnished(&standin).await;
    arm(&standin, PUTS, What::RopError(BUSY));
    arm(&standin, "CopyTo", What::RopError(BUSY));
    let (saved, copied) = tokio::join!(
        save(&*store, &inbox, "whole"),
        store.transfer(inbox.id, &ONE, other.id, Transfer::Copy),
    );
    assert_eq!(saved, ItemNumber(4));
    assert_eq!(copied.unwrap().len(), 1);
    assert_eq!(there(&standin, "Inbox"), ["a", "b", "c", "whole"]);
    assert_eq!(there(&standin, "Other"), ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_in_part_and_nobody_heard_of_does_not_become_the_whole() {
    let standin = Standin::start();
    let (store, inbox, _) = furnished(&standin).await;
    let id = MailboxId(ALICE.to_owned());
    let faults = standin.server.faults();
    faults.notifications(exchange_standin::NotificationFault::Drop);
    arm(&standin, PUTS, What::RopError(FAILED));
    always(&standin, UPLOADS, 0, What::LOSE_ANSWER);
    let lost = store.save(inbox.id, &[draft("whole")]).await;
    assert_eq!(lost.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(there(&standin, "Inbox").len(), 4);
    come_back(&standin);
    standin.exchange.synchronize(&id, inbox.id).await.unwrap();
    assert_eq!(there(&standin, "Inbox"), ["a", "b", "c"]);
    assert_eq!(shown(&*store, &inbox).await.len(), 3);
    let mirror = standin.mirrors().find_mirror(&id).await.unwrap();
    assert_eq!(mirror.status().await.unwrap().pending, 0);
    save(&*store, &inbox, "whole").await;
    assert_eq!(there(&standin, "Inbox"), ["a", "b", "c", "whole"]);
    standin.exchange.synchronize(&id, inbox.id).await.unwrap();
    assert_eq!(shown(&*store, &inbox).await.len(), 4);
    assert_eq!(
        bytes(&*store, &inbox, ItemNumber(4)).await,
        original("whole")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_replay_did_in_part_is_not_taken_for_the_whole() {
    let standin = queueing();
    let (store, inbox, _) = furnished(&standin).await;
    leave(&standin);
    save(&*store, &inbox, "whole").await;
    come_back(&standin);
    arm(&standin, PUTS, What::RopError(FAILED));
    settled(&standin).await;
    assert_eq!(there(&standin, "Inbox"), ["a", "b", "c", "whole"]);
    assert_eq!(shown(&*store, &inbox).await.len(), 4);
    assert_eq!(standin.mirrors().check().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_message_that_is_given_up_no_part_is_left_at_the_server() {
    let standin = queueing();
    let (store, inbox, _) = furnished(&standin).await;
    leave(&standin);
    save(&*store, &inbox, "refused").await;
    save(&*store, &inbox, "after").await;
    come_back(&standin);
    const TOO_BIG: u32 = 0x8004_0305;
    arm(&standin, PUTS, What::RopError(TOO_BIG));
    settled(&standin).await;
    assert_eq!(there(&standin, "Inbox"), ["a", "after", "b", "c"]);
    assert_eq!(status(&standin).await.refused.len(), 1);
    let id = MailboxId(ALICE.to_owned());
    assert_eq!(standin.exchange.retry_queue(&id).await.unwrap(), 1);
    settled(&standin).await;
    let all = ["a", "after", "b", "c", "refused"];
    assert_eq!(there(&standin, "Inbox"), all);
    assert_eq!(shown(&*store, &inbox).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_neither_done_nor_put_down_is_not_told_as_done() {
    for queues in [true, false] {
        let standin = match queues {
            true => queueing(),
            false => Standin::start(),
        };
        let (store, inbox, other) = furnished(&standin).await;
        // The first of two, and what follows it in the batch is done.
        arm(&standin, MOVES, What::RopError(RPC_FAILED));
        let two = [1, 2].map(ItemNumber);
        let moved = store.transfer(inbox.id, &two, other.id, Transfer::Move);
        match moved.await {
            Ok(moved) => {
                assert!(queues);
                assert_eq!(moved.len(), 2);
                settled(&standin).await;
                assert_eq!(there(&standin, "Other"), ["a", "b"]);
                assert_eq!(shown(&*store, &other).await.len(), 2);
            }
            Err(error) => {
                assert!(!queues);
                assert_eq!(error.kind, ErrorKind::Unavailable);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_never_settles_does_not_keep_back_those_behind_it() {
    // One that ends the session each time, and one that the server only says failed.
    for code in [RPC_FAILED, FAILED] {
        let standin = queueing();
        let (store, inbox, other) = furnished(&standin).await;
        leave(&standin);
        let moved = store.transfer(inbox.id, &ONE, other.id, Transfer::Move);
        moved.await.unwrap();
        let two = [ItemNumber(2)];
        let gone = store.delete(inbox.id, &two, Deletion::Hard).await.unwrap();
        assert_eq!(gone, two);
        save(&*store, &inbox, "after").await;
        come_back(&standin);
        always(&standin, MOVES, 0, What::RopError(code));
        settled(&standin).await;
        assert_eq!(there(&standin, "Inbox"), ["a", "after", "c"], "{code:#x}");
        let subjects: Vec<_> = shown(&*store, &inbox).await;
        let subjects: Vec<_> = subjects.into_iter().map(|(_, _, name)| name).collect();
        assert_eq!(subjects, ["c", "after", "a"], "{code:#x}");
        assert_eq!(shown(&*store, &other).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_server_refuses_is_given_up() {
    let standin = queueing();
    let (store, inbox, other) = furnished(&standin).await;
    let moved = store.transfer(inbox.id, &ONE, other.id, Transfer::Move);
    moved.await.unwrap();
    settled(&standin).await;
    leave(&standin);
    // One operation, about items of two folders at the server.
    let moved = store.transfer(inbox.id, &[ItemNumber(2)], other.id, Transfer::Move);
    moved.await.unwrap();
    let both = [any(ItemNumber(1))[0], any(ItemNumber(2))[0]];
    store.update(other.id, &both, &seen()).await.unwrap();
    come_back(&standin);
    settled(&standin).await;
    let rows = shown(&*store, &other).await;
    assert!(rows.iter().all(|row| row.1), "{rows:?}");
    // Of two messages the server refuses one.
    leave(&standin);
    let flagged = keyword("ours");
    let new = [any(ItemNumber(1))[0], any(ItemNumber(2))[0]];
    store.update(other.id, &new, &flagged).await.unwrap();
    come_back(&standin);
    const DENIED: u32 = 0x8007_0005;
    for after in [0, 1] {
        standin.server.faults().add(Fault {
            when: When {
                rop: Some("SetProperties".to_owned()),
                after,
                ..When::default()
            },
            times: 1,
            what: What::RopError(DENIED),
        });
    }
    settled(&standin).await;
    let words = async |item| {
        let object = mapi_store::Object::Item(other.id, ItemNumber(item));
        let tag = mapi_types::tags::KEYWORDS;
        let bag = store.props(object, &[tag.tag()]).await.unwrap();
        bag.get(&tag).map_or(0, |words| words.strs().count())
    };
    // What is shown is what the server has, without waiting for the next look at everything.
    assert_eq!((words(1).await, words(2).await), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_first_attempt_was_taken_back_goes_under_another_id() {
    for away in [false, true] {
        let standin = queueing();
        let (store, inbox, _) = furnished(&standin).await;
        arm(&standin, PUTS, What::RopError(FAILED));
        always(&standin, "DeleteMessages", 0, What::LOSE_ANSWER);
        let failed = store.save(inbox.id, &[draft("again")]).await.unwrap_err();
        assert_eq!(failed.kind, ErrorKind::Unavailable);
        // It is gone, and nobody has heard so.
        assert_eq!(there(&standin, "Inbox"), ["a", "b", "c"]);
        come_back(&standin);
        if away {
            leave(&standin);
        }
        save(&*store, &inbox, "again").await;
        come_back(&standin);
        settled(&standin).await;
        assert_eq!(there(&standin, "Inbox"), ["a", "again", "b", "c"]);
        assert_eq!(shown(&*store, &inbox).await.len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_an_upload_goes_once_it_is_known_that_nothing_came_of_it() {
    let mut standin = Standin::start();
    standin.setup.options.uploads_kept = Duration::ZERO;
    standin.setup.options.poll = Duration::from_millis(50);
    standin.restart();
    let (store, inbox, _) = furnished(&standin).await;
    let id = MailboxId(ALICE.to_owned());
    let mirror = standin.mirrors().find_mirror(&id).await.unwrap();
    leave(&standin);
    let lost = store.save(inbox.id, &[draft("never")]).await;
    assert_eq!(lost.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(mirror.status().await.unwrap().pending, 1);
    come_back(&standin);
    while mirror.status().await.unwrap().pending > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(there(&standin, "Inbox"), ["a", "b", "c"]);
    // One that has arrived is found.
    always(&standin, UPLOADS, 0, What::LOSE_ANSWER);
    let lost = store.save(inbox.id, &[draft("arrived")]).await;
    assert_eq!(lost.unwrap_err().kind, ErrorKind::Unavailable);
    come_back(&standin);
    while mirror.status().await.unwrap().pending > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(there(&standin, "Inbox"), ["a", "arrived", "b", "c"]);
    assert_eq!(shown(&*store, &inbox).await.len(), 4);
    assert_eq!(
        bytes(&*store, &inbox, ItemNumber(4)).await,
        original("arrived")
    );
}
