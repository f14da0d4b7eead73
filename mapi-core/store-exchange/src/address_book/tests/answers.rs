//! What questions are answered with, and what they cost.

use std::sync::Arc;

use super::{
    super::{ENTRIES_MAX, Entry, EntryKind},
    book, numbered, open,
    server::{Book, dn},
};

fn names(entries: Vec<Entry>) -> Vec<String> {
    entries
        .into_iter()
        .map(|entry| entry.display_name)
        .collect()
}

#[tokio::test]
async fn a_search_finds_whoever_may_be_meant_up_to_its_limit() {
    let book = book(&["Alice", "Bob", "Bob Builder", "Carl"]);
    let client = open(&book).await;
    let found = client.search(" bob ", 10).await.unwrap();
    let builder = &found[1];
    assert_eq!(builder.display_name, "Bob Builder");
    assert_eq!(
        builder.smtp_address.as_deref(),
        Some("bob.builder@example.test")
    );
    assert_eq!(builder.dn, "/o=T/cn=Bob Builder");
    assert_eq!(builder.kind, EntryKind::Mailbox);
    assert_eq!(builder.details.title.as_deref(), Some("Clerk"));
    assert_eq!(builder.details.surname, None);
    assert_eq!(names(found), ["Bob", "Bob Builder"]);
    assert_eq!(names(client.search("bob", 1).await.unwrap()), ["Bob"]);
    assert_eq!(client.search("dora", 10).await.unwrap(), []);
    // Bind once, GetMatches each time, QueryRows where there is something.
    assert_eq!(book.asked(), 1 + 3 + 2);
    for nothing in ["", "  ", "a\0b", &"x".repeat(1000)] {
        assert_eq!(client.search(nothing, 10).await.unwrap(), []);
    }
    assert_eq!(client.search("bob", 0).await.unwrap(), []);
    assert_eq!(book.asked(), 6);
}

#[tokio::test]
async fn what_matches_too_many_is_the_beginning_of_a_name() {
    let mut all = numbered(1100);
    all.people[1099].name = "Zoe Entry".to_owned();
    let book = Arc::new(all);
    let client = open(&book).await;
    let found = names(client.search("entry", 3).await.unwrap());
    assert_eq!(found, ["Entry 000", "Entry 001", "Entry 002"]);
    let found = names(client.search("ENTRY", 5000).await.unwrap());
    assert_eq!(found.len(), ENTRIES_MAX);
    // What is not the beginning of any is found by nobody, rather than by all.
    assert_eq!(client.search("try", 10).await.unwrap(), []);
}

#[tokio::test]
async fn the_list_comes_in_pages_from_any_place() {
    let mut all = numbered(250);
    all.rows_max = 30;
    let book = Arc::new(all);
    let client = open(&book).await;
    let check = async |offset: usize, limit: usize, first: Option<&str>, count: usize| {
        let found = names(client.list(offset, limit).await.unwrap());
        assert_eq!(found.first().map(String::as_str), first, "{offset} {limit}");
        assert_eq!(found.len(), count, "{offset} {limit}");
    };
    check(0, 1000, Some("Entry 000"), 250).await;
    check(7, 5, Some("Entry 007"), 5).await;
    check(100, 45, Some("Entry 100"), 45).await;
    check(249, 5, Some("Entry 249"), 1).await;
    check(250, 5, None, 0).await;
    check(100_000, 5, None, 0).await;
    check(usize::MAX, usize::MAX, None, 0).await;
    check(0, 0, None, 0).await;
}

#[tokio::test]
async fn a_server_that_stands_still_is_not_asked_for_ever() {
    let mut all = numbered(50);
    all.rows_max = 10;
    all.stands_still = true;
    let book = Arc::new(all);
    let client = open(&book).await;
    assert_eq!(client.list(0, 50).await.unwrap().len(), 10);
    let mut empty = numbered(50);
    empty.rows_max = 0;
    let book = Arc::new(empty);
    let client = open(&book).await;
    assert_eq!(client.list(0, 50).await.unwrap(), []);
    assert_eq!(client.search("entry", 50).await.unwrap(), []);
}

#[tokio::test]
async fn distinguished_names_become_addresses_in_their_order() {
    let mut people = Book::of(["Alice", "Bob", "Carl"].map(str::to_owned));
    people.people[1].smtp = None;
    people.people[1].proxy = Some("SMTP:robert@example.test".to_owned());
    people.people[2].smtp = None;
    let book = Arc::new(people);
    let client = open(&book).await;
    let dns = [
        "/o=T/cn=nobody",
        "/O=t/CN=BOB",
        "/o=T/cn=Alice",
        "/o=T/cn=Carl",
        "/o=T/cn=Alice",
        "",
        "/o=T/cn=a\0b",
    ];
    let (alice, bob) = ("alice@example.test", "robert@example.test");
    let expected = [None, Some(bob), Some(alice), None, Some(alice), None, None];
    let expected = expected.map(|address| address.map(str::to_owned));
    assert_eq!(client.resolve_dn(&dns).await.unwrap(), expected);
    assert_eq!(book.asked(), 3);
    // What has been asked is known, in any letter case.
    assert_eq!(client.resolve_dn(&dns).await.unwrap(), expected);
    let known = client.resolve_dn(&["/o=t/cn=alice"]).await.unwrap();
    assert_eq!(known, [Some(alice.to_owned())]);
    assert_eq!(client.resolve_dn(&[]).await.unwrap(), []);
    assert_eq!(book.asked(), 3);
}

#[tokio::test]
async fn many_distinguished_names_cost_two_requests_a_hundred() {
    for (rows_max, requests) in [(1000, 1 + 2 * 3), (40, 1 + 3 + 3 + 3 + 2)] {
        let mut all = numbered(250);
        all.rows_max = rows_max;
        let book = Arc::new(all);
        let client = open(&book).await;
        let dns: Vec<String> = book.people.iter().map(dn).collect();
        let dns: Vec<&str> = dns.iter().map(String::as_str).collect();
        let found = client.resolve_dn(&dns).await.unwrap();
        for (found, person) in found.iter().zip(&book.people) {
            assert_eq!(*found, person.smtp);
        }
        assert_eq!(book.asked(), requests);
    }
}

#[tokio::test]
async fn names_are_resolved_each_by_itself() {
    let book = book(&["Alice", "Bob", "Bob Builder", "Carl"]);
    let client = open(&book).await;
    let found = client
        .resolve(&["alice", "bob", "nobody", "", "bob b", "a\0", "carl"])
        .await
        .unwrap();
    let found = found
        .into_iter()
        .map(|entry| entry.map(|entry| entry.display_name));
    let found: Vec<Option<String>> = found.collect();
    let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
    assert_eq!(
        found,
        [
            Some("Alice"),
            None,
            None,
            None,
            Some("Bob Builder"),
            None,
            Some("Carl")
        ]
    );
    let bob = client.with_address("bob@example.test").await.unwrap();
    assert_eq!(bob.unwrap().display_name, "Bob");
    assert_eq!(client.with_address("bo@example.test").await.unwrap(), None);
    let carl = client.entry("/o=T/cn=carl").await.unwrap().unwrap();
    assert_eq!(carl.smtp_address.as_deref(), Some("carl@example.test"));
    assert_eq!(client.entry("/o=T/cn=dora").await.unwrap(), None);
}

#[tokio::test]
async fn address_lists_are_those_that_have_a_name_of_their_own() {
    let book = book(&["Alice", "Room"]);
    let client = open(&book).await;
    let lists = client.lists().await.unwrap();
    assert_eq!(
        names(client.list_of(&lists[1], 0, 10).await.unwrap()),
        ["Room"]
    );
    assert_eq!(names(client.list(0, 10).await.unwrap()), ["Alice", "Room"]);
    let lists: Vec<(&str, &str)> = lists
        .iter()
        .map(|list| (&*list.display_name, &*list.dn))
        .collect();
    assert_eq!(lists, [("", "/"), ("Rooms", "/guid=9")]);
}

#[tokio::test]
async fn questions_of_many_take_turns() {
    let book = Arc::new(numbered(100));
    let client = open(&book).await;
    let all = futures_util::future::join_all((0..20).map(|at| client.list(at, 1))).await;
    for (at, found) in all.into_iter().enumerate() {
        assert_eq!(names(found.unwrap()), [format!("Entry {at:03}")]);
    }
    assert_eq!(book.binds(), 1);
}
