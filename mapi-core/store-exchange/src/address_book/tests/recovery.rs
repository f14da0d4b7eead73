//! What becomes of a question when something fails.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use mapi_wire::http::RequestType;

use super::{super::AddressBook, book, locator, open, server::Failure};
use crate::fault::Fault;

/// Failures after which a question is asked again.
const PASSING: [Failure; 8] = [
    Failure::Code(5),
    Failure::Code(7),
    Failure::Code(10),
    Failure::Code(13),
    Failure::Closes,
    Failure::Status(500),
    Failure::Body(b"\0\0\0\0\0\0\0\0\xff"),
    Failure::Body(b""),
];

/// Those after which it is not.
const LASTING: [Failure; 4] = [
    Failure::Code(16),
    Failure::Status(403),
    Failure::Status(404),
    Failure::Status(503),
];

#[tokio::test]
async fn a_question_is_asked_again_in_a_session_of_its_own() {
    for failure in PASSING {
        // The requests: Bind, GetMatches, QueryRows. Each fails once.
        for at in 0..3 {
            let book = book(&["Alice"]);
            book.fail(at, failure);
            let found = open(&book).await.search("alice", 1).await;
            assert_eq!(found.unwrap().len(), 1, "{failure:?} at {at}");
            let asked = book.asked.lock().unwrap().clone();
            let binds = asked.iter().filter(|kind| **kind == RequestType::Bind);
            assert_eq!(binds.count(), 2, "{failure:?} at {at}");
            assert_eq!(asked.len(), at + 1 + 3, "{failure:?} at {at}");
        }
    }
}

#[tokio::test]
async fn a_question_that_fails_twice_is_given_up_and_the_next_succeeds() {
    for failure in PASSING {
        let book = book(&["Alice"]);
        book.fail(1, failure);
        book.fail(3, failure);
        let client = open(&book).await;
        let fault = client.search("alice", 1).await.unwrap_err();
        let expected = matches!(fault, Fault::Expired | Fault::Lost(_) | Fault::Malformed(_));
        assert!(expected, "{failure:?}: {fault:?}");
        assert_eq!(
            client.search("alice", 1).await.unwrap().len(),
            1,
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn what_will_not_help_is_not_tried() {
    for failure in LASTING {
        let book = book(&["Alice"]);
        book.fail(1, failure);
        let client = open(&book).await;
        let fault = client.search("alice", 1).await.unwrap_err();
        let expected = matches!(fault, Fault::Denied(_) | Fault::Away(_) | Fault::Busy(_));
        assert!(expected, "{failure:?}: {fault:?}");
        assert_eq!(book.asked(), 2, "{failure:?}");
        assert_eq!(
            client.search("alice", 1).await.unwrap().len(),
            1,
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn a_question_that_is_dropped_halfway_harms_no_other() {
    let book = book(&["Alice"]);
    book.fail(1, Failure::Hangs);
    let client = open(&book).await;
    tokio::select! {
        answer = client.search("alice", 1) => panic!("{answer:?}"),
        () = book.hanging.notified() => {}
    }
    assert_eq!(client.search("alice", 1).await.unwrap().len(), 1);
    assert_eq!(book.binds(), 2);
}

#[tokio::test]
async fn a_refusal_of_the_book_itself_leaves_the_session() {
    let book = book(&["Alice"]);
    // StatusCode 0, ErrorCode 0x80040102, no auxiliary buffer.
    book.fail(1, Failure::Body(b"\0\0\0\0\x02\x01\x04\x80\0\0\0\0"));
    let client = open(&book).await;
    let fault = client.search("alice", 1).await.unwrap_err();
    assert_eq!(fault.code(), Some(0x8004_0102));
    assert_eq!(client.search("alice", 1).await.unwrap().len(), 1);
    assert_eq!(book.binds(), 1);
}

#[tokio::test]
async fn a_closed_book_is_opened_again_by_the_next_question() {
    let book = book(&["Alice"]);
    let client = open(&book).await;
    client.close().await;
    assert_eq!(book.asked(), 0);
    client.search("alice", 1).await.unwrap();
    client.close().await;
    assert_eq!(
        book.asked.lock().unwrap().last(),
        Some(&RequestType::Unbind)
    );
    assert_eq!(client.search("alice", 1).await.unwrap().len(), 1);
    assert_eq!(book.binds(), 2);
}

#[tokio::test]
async fn without_a_url_there_is_no_address_book() {
    let locator = locator(None);
    let client = AddressBook::new(move || Arc::clone(&locator));
    let fault = client.search("alice", 1).await.unwrap_err();
    assert!(matches!(fault, Fault::Denied(_)), "{fault:?}");
}

#[tokio::test]
async fn each_session_begins_with_the_locator_of_the_day() {
    let (before, after) = (book(&["Alice"]), book(&["Alice"]));
    // The credentials are refused after they had been accepted, or the book has moved.
    for status in [401, 302] {
        let asked = before.asked();
        before.fail(asked + 1, Failure::Status(status));
        before.fail(asked + 2, Failure::Status(status));
        let locators = [&before, &after].map(|book| book.serve());
        let locators = join_all(locators)
            .await
            .into_iter()
            .map(|url| locator(Some(url)));
        let locators: Vec<_> = locators.collect();
        let sessions = AtomicUsize::new(0);
        let client = AddressBook::new(move || {
            let number = sessions.fetch_add(1, Ordering::Relaxed);
            Arc::clone(&locators[number])
        });
        let found = match client.search("alice", 1).await {
            Err(Fault::Unauthenticated(_)) if status == 401 => client.search("alice", 1).await,
            answer => answer,
        };
        assert_eq!(found.unwrap().len(), 1, "{status}");
    }
    assert_eq!(after.binds(), 2);
}
