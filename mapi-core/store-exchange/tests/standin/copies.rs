//! Copies: the server's are what their sources are, all of them are made or none, and they stay what clients saw.

use std::sync::Arc;

use exchange_standin::{
    What,
    model::{
        draft::Draft as Sent, message_changes::Deletion, tags as there_tags,
        tags::message_flags as there_flags,
    },
};
use mapi_store::{FolderInfo, NewFolder, Store, Transfer};
use mapi_types::{ItemNumber, MailboxId};

use crate::{
    faults::{arm, bytes, save},
    subject::{ALICE, Standin, listing, numbers},
};

const COPY: Transfer = Transfer::Copy;

/// ecError: nobody knows why.
const FAILED: u32 = 0x8000_4005;

/// ecQuotaExceeded.
const FULL: u32 = 0x4d9;

async fn target(store: &dyn Store) -> FolderInfo {
    let new = NewFolder {
        parent: None,
        name: "Target".to_owned(),
        class: "IPF.Note".to_owned(),
    };
    store.create_folder(&new).await.unwrap()
}

/// What came by mail, with the header it came with.
fn received() -> Sent {
    let header = "Received: from relay.example.test\r\nX-Way:   long \r\nSubject: came\r\n\r\n";
    Sent {
        header: Some(header.to_owned()),
        message_id: Some("<came@example.test>".to_owned()),
        ..Sent::about("came").text("what it says")
    }
}

/// Alice's mailbox with these messages, and an empty folder.
async fn with(
    standin: &Standin,
    messages: Vec<Sent>,
) -> (Arc<dyn Store>, FolderInfo, FolderInfo, Vec<ItemNumber>) {
    let (store, inbox) = standin.alice().await;
    let target = target(&*store).await;
    standin.server.mailbox(ALICE).deliver_all(messages).unwrap();
    let alice = MailboxId(ALICE.to_owned());
    let synchronized = standin.exchange.synchronize(&alice, inbox.id).await;
    synchronized.unwrap();
    let all = numbers(&listing(&*store, &inbox).await);
    (store, inbox, target, all)
}

/// Subjects in the folder that copies go to, at the server.
fn copied(standin: &Standin) -> Vec<String> {
    let mailbox = standin.server.mailbox(ALICE);
    mailbox.subjects(mailbox.folder("Target").unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_keeps_its_number_and_octets_when_the_mirror_is_dropped() {
    let mut standin = Standin::start();
    let (store, inbox, target, all) = with(&standin, vec![received()]).await;
    let source = bytes(&*store, &inbox, all[0]).await;
    let done = store.transfer(inbox.id, &all, target.id, COPY).await;
    let copy = done.unwrap()[0].target.number;
    let octets = bytes(&*store, &target, copy).await;
    assert_eq!(octets, source);
    let alice = MailboxId(ALICE.to_owned());
    while !standin.exchange.is_up_to_date(&alice) {
        tokio::task::yield_now().await;
    }
    drop(store);
    let mirror = standin.mirrors().find_mirror(&alice).await.unwrap();
    mirror.drop_contents().await.unwrap();
    standin.restart();
    let (store, _) = standin.alice().await;
    assert_eq!(bytes(&*store, &target, copy).await, octets);
    assert_eq!(numbers(&listing(&*store, &target).await), [copy]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_a_draft_and_what_came_by_mail_is_so_in_the_copy() {
    let standin = Standin::start();
    let unsent = Sent {
        unsent: true,
        ..Sent::about("draft").text("unfinished")
    };
    let unread = Sent {
        asks_receipt: true,
        ..received()
    };
    let (store, inbox, target, all) = with(&standin, vec![unsent, unread]).await;
    let done = store.transfer(inbox.id, &all, target.id, COPY).await;
    assert_eq!(done.unwrap().len(), 2);
    let mailbox = standin.server.mailbox(ALICE);
    let there = mailbox.messages(mailbox.folder("Target").unwrap()).unwrap();
    let of = |subject: &str| {
        let is = |props: &exchange_standin::model::props::Props| {
            props.text(there_tags::SUBJECT).as_deref() == Some(subject)
        };
        let found = there.iter().find(|one| is(&one.content.props)).unwrap();
        found.flags() & (there_flags::UNSENT | there_flags::READ)
    };
    assert_eq!(of("draft"), there_flags::UNSENT);
    assert_eq!(of("came"), 0);
    assert_eq!(standin.server.receipts(), []);
    assert_eq!(standin.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_copies_none_stays_when_one_cannot_be_made() {
    for (rop, code) in [("CopyTo", FAILED), ("SaveChangesMessage", FULL)] {
        let standin = Standin::start();
        let messages = ["one", "two", "three"].map(Sent::about);
        let (store, inbox, target, all) = with(&standin, messages.into()).await;
        arm(&standin, rop, What::RopError(code));
        let failed = store.transfer(inbox.id, &all, target.id, COPY).await;
        assert!(failed.is_err(), "{rop}");
        assert_eq!(copied(&standin), [""; 0], "{rop}");
        let alice = MailboxId(ALICE.to_owned());
        let synchronized = standin.exchange.synchronize(&alice, target.id).await;
        synchronized.unwrap();
        assert_eq!(listing(&*store, &target).await.len(), 0, "{rop}");
        let done = store.transfer(inbox.id, &all, target.id, COPY).await;
        assert_eq!(done.unwrap().len(), 3, "{rop}");
        assert_eq!(copied(&standin).len(), 3, "{rop}");
        assert_eq!(listing(&*store, &target).await.len(), 3, "{rop}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_that_can_neither_be_completed_nor_taken_back_are_shown() {
    let standin = Standin::start();
    let messages = ["one", "two"].map(Sent::about);
    let (store, inbox, target, all) = with(&standin, messages.into()).await;
    arm(&standin, "CopyTo", What::RopError(FAILED));
    arm(&standin, "DeleteMessages", What::RopError(FAILED));
    let failed = store.transfer(inbox.id, &all, target.id, COPY).await;
    assert!(failed.is_err());
    let there = copied(&standin);
    assert_eq!(there.len(), 1);
    assert_eq!(listing(&*store, &target).await.len(), 1);
}

/// A server has room for so many open messages of a session.
#[tokio::test(flavor = "multi_thread")]
async fn copies_that_were_not_saved_leave_nothing_open() {
    const COPIES: usize = 20;
    let standin = Standin::start();
    let (store, inbox, target, all) = with(&standin, vec![received()]).await;
    let open = standin.server.open_objects();
    for _ in 0..COPIES {
        arm(
            &standin,
            "SaveChangesMessage",
            What::Backoff { duration_ms: 1 },
        );
        // It is begun anew.
        let done = store.transfer(inbox.id, &all, target.id, COPY).await;
        assert_eq!(done.unwrap().len(), 1);
    }
    // What is of no more use goes with the next request. A folder and its collector were to go with the one that the
    // server put off; of what was to be saved nothing is left.
    save(&*store, &inbox, "next").await;
    assert!(standin.server.open_objects() < open + 3 * COPIES);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_source_of_a_copy_that_is_gone_at_the_server_is_soon_gone_here() {
    let standin = Standin::start();
    let messages = ["gone", "stays"].map(Sent::about);
    let (store, inbox, target, all) = with(&standin, messages.into()).await;
    let faults = standin.server.faults();
    faults.notifications(exchange_standin::NotificationFault::Drop);
    let mailbox = standin.server.mailbox(ALICE);
    let first = mailbox.messages(mailbox.inbox().unwrap()).unwrap()[0].mid;
    mailbox.delete(first, Deletion::Hard).unwrap();
    let done = store.transfer(inbox.id, &all, target.id, COPY).await;
    assert_eq!(done.unwrap().len(), 1);
    let alice = MailboxId(ALICE.to_owned());
    while !standin.exchange.is_up_to_date(&alice) {
        tokio::task::yield_now().await;
    }
    assert_eq!(numbers(&listing(&*store, &inbox).await), [all[1]]);
}
