//! Mailboxes of others, public folders and sending, against a live server: see `contract.rs` for how it is named.
//!
//! Everybody may make folders at the top of the public ones. Notices may be lost, so what comes by them is waited for
//! no longer than until the next look at every folder.
#![expect(clippy::unwrap_used, reason = "assertions of tests")]

#[path = "others/kit.rs"]
mod kit;
#[path = "subject/server.rs"]
mod server;

use mapi_store::{
    Deletion, ErrorKind, Expected, Member, Permission, Principal, Rights, Role, Transfer,
};
use mapi_types::{MailboxId, tags};

use self::{
    kit::{Gateway, draft, folder, letter, make_folder, mark, read, special, subjects, until},
    server::account,
};

fn may(user: &str, rights: Rights) -> Permission {
    Permission {
        member: Member::User(user.to_owned()),
        rights,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_alone_reads_writes_and_hears_of_news() {
    let (alice, bob) = (account("alice"), account("bob"));
    let hers = Gateway::start();
    let her_store = hers.open(&alice, &alice).await;
    let shared = make_folder(&*her_store, None, "Shared").await;
    make_folder(&*her_store, None, "Private").await;
    let table = [may(&bob, Rights::EDITOR)];
    her_store.set_permissions(shared.id, &table).await.unwrap();
    her_store.save(shared.id, &[draft("one")]).await.unwrap();

    // Another gateway, in which she is not.
    let his = Gateway::start();
    let his_store = his.open(&bob, &alice).await;
    let seen = folder(&*his_store, "Shared").await.unwrap();
    assert_eq!(seen.rights, Rights::EDITOR);
    assert!(folder(&*his_store, "Private").await.is_none());
    assert_eq!(subjects(&*his_store, seen.id).await, ["one"]);
    her_store.save(shared.id, &[draft("two")]).await.unwrap();
    until(&*his_store, async || {
        subjects(&*his_store, seen.id).await == ["one", "two"]
    })
    .await;

    let saved = his_store.save(seen.id, &[draft("three")]).await.unwrap();
    let item = Expected {
        item: saved[0].number,
        version: None,
    };
    his_store.update(seen.id, &[item], &mark()).await.unwrap();
    his_store
        .replace(seen.id, item, &draft("four"))
        .await
        .unwrap();
    until(&*her_store, async || {
        subjects(&*her_store, shared.id).await == ["one", "two", "four"]
    })
    .await;

    her_store.set_permissions(shared.id, &[]).await.unwrap();
    until(&*his_store, async || {
        folder(&*his_store, "Shared").await.is_none()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_add_adds() {
    let (alice, bob) = (account("alice"), account("bob"));
    let gateway = Gateway::start();
    let hers = gateway.open(&alice, &alice).await;
    let inbox = make_folder(&*hers, None, "Letters").await;
    let contributor = Rights::VISIBLE | Rights::CREATE;
    let table = [may(&bob, contributor)];
    hers.set_permissions(inbox.id, &table).await.unwrap();
    let his = gateway.open(&bob, &alice).await;
    let saved = his.save(inbox.id, &[draft("dropped")]).await.unwrap();
    assert_eq!(subjects(&*hers, inbox.id).await, ["dropped"]);
    let refused = his
        .delete(inbox.id, &[saved[0].number], Deletion::Hard)
        .await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn public_folders_are_read_and_written_with_marks_of_ones_own() {
    let (alice, bob) = (account("alice"), account("bob"));
    let gateway = Gateway::start();
    let public = |user: &str| format!("public/{user}");
    let hers = gateway.open(&alice, &public(&alice)).await;
    let his = gateway.open(&bob, &public(&bob)).await;
    let name = format!("News of {alice}");
    let news = make_folder(&*hers, None, &name).await;
    hers.save(news.id, &[draft("one")]).await.unwrap();
    let hers_again = async || {
        let synchronized = gateway
            .exchange
            .synchronize(&MailboxId(public(&alice)), news.id)
            .await;
        synchronized.unwrap();
        hers.folder(news.id).await.unwrap()
    };
    let once = hers_again().await;
    assert_eq!((once.items, once.unread), (1, 1));
    until(&*his, async || folder(&*his, &name).await.is_some()).await;
    let seen = folder(&*his, &name).await.unwrap();
    assert!(seen.rights.allow(Rights::REVIEWER), "{:?}", seen.rights);
    assert_eq!(subjects(&*his, seen.id).await, ["one"]);
    let unread = his.folder(seen.id).await.unwrap().unread;
    let first = kit::numbers(&*his, seen.id).await[0];
    let item = Expected {
        item: first,
        version: None,
    };
    his.update(seen.id, &[item], &read()).await.unwrap();
    assert_eq!((unread, his.folder(seen.id).await.unwrap().unread), (1, 0));
    let twice = hers_again().await;
    assert_eq!((twice.items, twice.unread), (1, 1));
    assert_eq!(twice.version, once.version);
    hers.delete(news.id, &[first], Deletion::Hard)
        .await
        .unwrap();
    let synchronized = gateway
        .exchange
        .synchronize(&MailboxId(public(&bob)), seen.id)
        .await;
    synchronized.unwrap();
    assert_eq!(subjects(&*his, seen.id).await, [""; 0]);
    hers.delete_folder(news.id).await.unwrap();
    let principal = Principal { user: bob };
    let all = gateway.exchange.mailboxes_of(&principal).await.unwrap();
    assert_eq!(all.len(), 2, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_out_and_is_kept_once() {
    let (alice, bob) = (account("alice"), account("bob"));
    let gateway = Gateway::start();
    let hers = gateway.open(&alice, &alice).await;
    let his = gateway.open(&bob, &bob).await;
    let sent = special(&*hers, Role::SentItems).await;
    let kept = make_folder(&*hers, None, "Kept").await;
    let inbox = special(&*his, Role::Inbox).await;
    for (subject, copy, in_sent, in_kept) in [
        ("first", Some(sent.id), 1, 0),
        ("second", None, 1, 0),
        ("third", Some(kept.id), 1, 1),
    ] {
        let letter = letter(&alice, &bob, subject);
        hers.submit(&letter, copy).await.unwrap();
        hers.submit(&letter, copy).await.unwrap();
        until(&*his, async || {
            subjects(&*his, inbox.id).await.last().map(String::as_str) == Some(subject)
        })
        .await;
        for folder in [sent.id, kept.id] {
            let mailbox = MailboxId(alice.clone());
            gateway
                .exchange
                .synchronize(&mailbox, folder)
                .await
                .unwrap();
        }
        let count = (
            subjects(&*hers, sent.id).await.len(),
            subjects(&*hers, kept.id).await.len(),
        );
        assert_eq!(count, (in_sent, in_kept), "{subject}");
    }
    assert_eq!(
        subjects(&*his, inbox.id).await,
        ["first", "second", "third"]
    );
    let outbox = special(&*hers, Role::Outbox).await;
    let mailbox = MailboxId(alice.clone());
    gateway
        .exchange
        .synchronize(&mailbox, outbox.id)
        .await
        .unwrap();
    assert_eq!(subjects(&*hers, outbox.id).await, [""; 0]);
    let refused = hers.submit(&letter(&bob, &alice, "not hers"), None).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn between_two_mailboxes_of_others_things_stay_apart() {
    let (alice, bob, carol) = (account("alice"), account("bob"), account("carol"));
    let gateway = Gateway::start();
    let hers = gateway.open(&alice, &alice).await;
    let inbox = special(&*hers, Role::Inbox).await;
    hers.save(inbox.id, &[draft("secret")]).await.unwrap();
    let table = [may(&bob, Rights::REVIEWER), may(&carol, Rights::VISIBLE)];
    hers.set_permissions(inbox.id, &table).await.unwrap();
    let his = gateway.open(&bob, &alice).await;
    let carols = gateway.open(&carol, &alice).await;
    assert_eq!(subjects(&*his, inbox.id).await, ["secret"]);
    let refused = kit::try_subjects(&*carols, inbox.id).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Denied);
    let item = kit::numbers(&*his, inbox.id).await[0];
    let moved = his
        .transfer(inbox.id, &[item], inbox.id, Transfer::Copy)
        .await;
    assert_eq!(moved.unwrap_err().kind, ErrorKind::Denied);
    let whole = his.read_message(inbox.id, item).await.unwrap();
    assert_eq!(whole.props.get(&tags::SUBJECT), Some("secret"));
}
