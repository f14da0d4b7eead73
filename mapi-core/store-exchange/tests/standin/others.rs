//! Mailboxes of others, public folders, and what the server lets whom do in them.

use std::sync::Arc;

use exchange_standin::model::{draft::Draft, permission::Rights as Granted};
use mapi_store::{
    Backend, Error, ErrorKind, Expected, FolderInfo, Member, NewFolder, Rights, Role, Store,
};
use mapi_types::{BitChange, Change, MailboxId, OwnedValue, Version, tags, tags::message_flags};
use store_exchange::Kind;

use crate::subject::{ALICE, BOB, Standin, listing, numbers};

const CAROL: &str = "carol@example.test";

async fn open(standin: &Standin, user: &str, mailbox: &str) -> Result<Arc<dyn Store>, Error> {
    let principal = standin.sign_in(user).await.unwrap();
    let mailbox = MailboxId(mailbox.to_owned());
    standin.exchange.logon(&principal, &mailbox).await
}

async fn tree(store: &dyn Store) -> Vec<FolderInfo> {
    store.hierarchy(Version(0)).await.unwrap().changed
}

async fn folder(store: &dyn Store, name: &str) -> Option<FolderInfo> {
    let tree = tree(store).await;
    tree.into_iter().find(|folder| folder.name == name)
}

async fn subjects(store: &dyn Store, folder: &FolderInfo) -> Vec<String> {
    let rows = listing(store, folder).await;
    let subject = |row: mapi_types::Row<'_>| row.get(&tags::SUBJECT).map(str::to_owned);
    rows.rows().filter_map(subject).collect()
}

fn mail(subject: &str) -> Draft {
    Draft {
        subject: subject.to_owned(),
        text: Some("text".to_owned()),
        ..Draft::default()
    }
}

/// Waits for a notice after which something holds.
async fn until(store: &dyn Store, holds: impl AsyncFn() -> bool) {
    let mut notices = store.notices();
    while !holds().await {
        // A lag is a notice, too.
        let _ = notices.recv().await;
    }
}

fn read() -> Change {
    Change {
        bits: vec![BitChange {
            tag: tags::MESSAGE_FLAGS.tag(),
            set: message_flags::READ,
            clear: 0,
        }],
        ..Change::default()
    }
}

fn mark() -> Change {
    Change {
        set: vec![(tags::FLAG_STATUS.tag(), OwnedValue::I32(2))],
        ..Change::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_alone_feeds_what_they_see_and_the_owner_finds_the_same_numbers() {
    let standin = Standin::start();
    let hers = standin.server.mailbox(ALICE);
    let inbox = hers.inbox().unwrap();
    let top = hers.folder("").unwrap();
    let shared = hers.create_folder(top, "Shared", "IPF.Note").unwrap();
    hers.create_folder(top, "Private", "IPF.Note").unwrap();
    hers.grant(top, "bob", Granted::VISIBLE).unwrap();
    hers.grant(inbox, "bob", Granted::REVIEWER).unwrap();
    hers.grant(shared, "bob", Granted::EDITOR).unwrap();
    hers.create(shared, mail("one")).unwrap();

    let bob = open(&standin, BOB, ALICE).await.unwrap();
    let mut seen: Vec<_> = tree(&*bob)
        .await
        .into_iter()
        .map(|folder| (folder.name, folder.role, folder.rights))
        .collect();
    seen.sort_by(|one, other| one.0.cmp(&other.0));
    let inbox_seen = ("Inbox".to_owned(), Some(Role::Inbox), Rights::REVIEWER);
    let shared_seen = ("Shared".to_owned(), None, Rights::EDITOR);
    assert_eq!(seen, [inbox_seen, shared_seen]);

    let folder_of_bob = folder(&*bob, "Shared").await.unwrap();
    assert_eq!(subjects(&*bob, &folder_of_bob).await, ["one"]);
    hers.create(shared, mail("two")).unwrap();
    until(&*bob, async || {
        subjects(&*bob, &folder_of_bob).await.len() == 2
    })
    .await;
    let his = numbers(&listing(&*bob, &folder_of_bob).await);

    let alice = open(&standin, ALICE, ALICE).await.unwrap();
    let folder_of_alice = folder(&*alice, "Shared").await.unwrap();
    assert_eq!(folder_of_alice.id, folder_of_bob.id);
    assert_eq!(folder_of_alice.epoch, folder_of_bob.epoch);
    assert_eq!(numbers(&listing(&*alice, &folder_of_alice).await), his);
    assert!(folder(&*alice, "Private").await.is_some());
    assert!(folder(&*bob, "Private").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_later_is_not_removed_and_comes_back_as_it_was() {
    let standin = Standin::start();
    let hers = standin.server.mailbox(ALICE);
    let inbox = hers.inbox().unwrap();
    hers.grant(inbox, "bob", Granted::REVIEWER).unwrap();
    let top = hers.folder("").unwrap();
    let shared = hers.create_folder(top, "Shared", "IPF.Note").unwrap();
    hers.grant(top, "bob", Granted::VISIBLE).unwrap();
    hers.grant(shared, "bob", Granted::REVIEWER).unwrap();
    let other = hers.create_folder(top, "Other", "IPF.Note").unwrap();
    hers.grant(other, "bob", Granted::VISIBLE).unwrap();
    hers.create(shared, mail("one")).unwrap();
    let bob = open(&standin, BOB, ALICE).await.unwrap();
    let before = folder(&*bob, "Shared").await.unwrap();
    let his = numbers(&listing(&*bob, &before).await);

    hers.grant(shared, "bob", Granted::NONE).unwrap();
    // Nobody is told of permissions: he hears of another folder, and looks.
    hers.rename_folder(other, "Renamed").unwrap();
    until(&*bob, async || folder(&*bob, "Shared").await.is_none()).await;
    let refused = bob.folder(before.id).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::NotFound);

    hers.grant(shared, "bob", Granted::REVIEWER).unwrap();
    hers.rename_folder(other, "Again").unwrap();
    until(&*bob, async || folder(&*bob, "Shared").await.is_some()).await;
    let again = folder(&*bob, "Shared").await.unwrap();
    assert_eq!((again.id, again.epoch), (before.id, before.epoch));
    assert_eq!(numbers(&listing(&*bob, &again).await), his);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_open_the_top_sees_special_folders_and_what_is_below() {
    let standin = Standin::start();
    let hers = standin.server.mailbox(ALICE);
    let inbox = hers.inbox().unwrap();
    let below = hers.create_folder(inbox, "Below", "IPF.Note").unwrap();
    hers.grant(inbox, "bob", Granted::VISIBLE).unwrap();
    hers.grant(below, "bob", Granted::REVIEWER).unwrap();
    hers.create(below, mail("deep")).unwrap();
    let bob = open(&standin, BOB, ALICE).await.unwrap();
    let inbox = folder(&*bob, "Inbox").await.unwrap();
    assert_eq!((inbox.parent, inbox.role), (None, Some(Role::Inbox)));
    let below = folder(&*bob, "Below").await.unwrap();
    assert_eq!(below.parent, Some(inbox.id));
    assert_eq!(subjects(&*bob, &below).await, ["deep"]);
    assert_eq!(tree(&*bob).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mirror_shows_a_stranger_nothing_and_rights_cost_no_request_while_they_hold() {
    let standin = Standin::start();
    let hers = standin.server.mailbox(ALICE);
    let inbox_there = hers.inbox().unwrap();
    hers.create(inbox_there, mail("secret")).unwrap();
    let (alice, inbox) = standin.alice().await;
    assert_eq!(subjects(&*alice, &inbox).await, ["secret"]);
    let refused = open(&standin, BOB, ALICE).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Denied);

    hers.grant(inbox_there, "carol", Granted::REVIEWER).unwrap();
    let carol = open(&standin, CAROL, ALICE).await.unwrap();
    assert_eq!(subjects(&*carol, &inbox).await, ["secret"]);
    let mailbox = MailboxId(ALICE.to_owned());
    while !standin.exchange.is_up_to_date(&mailbox) {
        tokio::task::yield_now().await;
    }
    standin.server.reset_counters();
    assert_eq!(subjects(&*carol, &inbox).await, ["secret"]);
    assert_eq!(standin.server.counters().rop("OpenFolder"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_with_full_access_sees_everything_and_what_is_gone() {
    let standin = Standin::start();
    let hers = standin.server.mailbox(ALICE);
    let top = hers.folder("").unwrap();
    let made = hers.create_folder(top, "Made", "IPF.Note").unwrap();
    hers.grant_full_access("bob", true).unwrap();
    let bob = open(&standin, BOB, ALICE).await.unwrap();
    let rights = folder(&*bob, "Made").await.unwrap().rights;
    assert!(rights.allow(Rights::EDITOR | Rights::CREATE_SUBFOLDER | Rights::OWNER));
    hers.delete_folder(made).unwrap();
    until(&*bob, async || folder(&*bob, "Made").await.is_none()).await;
    let alice = open(&standin, ALICE, ALICE).await.unwrap();
    assert_eq!(tree(&*alice).await.len(), tree(&*bob).await.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_on_another_server_is_opened_there() {
    let standin = Standin::start();
    let hers = standin.server.mailbox(ALICE);
    let inbox = hers.inbox().unwrap();
    hers.grant(inbox, "bob", Granted::EDITOR).unwrap();
    hers.create(inbox, mail("there")).unwrap();
    assert!(standin.server.faults().move_mailbox(ALICE, 1));
    let bob = open(&standin, BOB, ALICE).await.unwrap();
    let inbox = folder(&*bob, "Inbox").await.unwrap();
    assert_eq!(subjects(&*bob, &inbox).await, ["there"]);
    let item = numbers(&listing(&*bob, &inbox).await)[0];
    let item = Expected {
        item,
        version: None,
    };
    bob.update(inbox.id, &[item], &read()).await.unwrap();
    assert_eq!(bob.folder(inbox.id).await.unwrap().unread, 0);
    // His own mailbox is where it was.
    assert!(open(&standin, BOB, BOB).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_a_delegate_makes_and_deletes_comes_and_goes() {
    let standin = Standin::start();
    let hers = standin.server.mailbox(ALICE);
    let inbox = hers.inbox().unwrap();
    let may_make = Granted::EDITOR.and(Granted::CREATE_SUBFOLDER);
    hers.grant(inbox, "bob", may_make).unwrap();
    let bob = open(&standin, BOB, ALICE).await.unwrap();
    let inbox = folder(&*bob, "Inbox").await.unwrap();
    let new = NewFolder {
        parent: Some(inbox.id),
        name: "made by bob".to_owned(),
        class: "IPF.Note".to_owned(),
    };
    let made = bob.create_folder(&new).await.unwrap();
    assert_eq!(made.parent, Some(inbox.id));
    assert!(made.rights.allow(Rights::EDITOR | Rights::OWNER));
    bob.delete_folder(made.id).await.unwrap();
    let gone = bob.folder(made.id).await.unwrap_err();
    assert_eq!(gone.kind, ErrorKind::NotFound);
    assert!(folder(&*bob, "made by bob").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn public_folders_are_used_by_rights() {
    let standin = Standin::start();
    let public = standin.server.public_folders();
    let top = public.folder("").unwrap();
    let news = public.create_folder(top, "News", "IPF.Note").unwrap();
    public.grant(news, "", Granted::REVIEWER).unwrap();
    public.grant(news, "bob", Granted::EDITOR).unwrap();
    public.create(news, mail("new")).unwrap();
    let bob = open(&standin, BOB, "public/bob@example.test")
        .await
        .unwrap();
    let alice = open(&standin, ALICE, "public/alice@example.test")
        .await
        .unwrap();
    let (his, hers) = (
        folder(&*bob, "News").await.unwrap(),
        folder(&*alice, "News").await.unwrap(),
    );
    assert_eq!(
        (his.rights, hers.rights),
        (Rights::EDITOR, Rights::REVIEWER)
    );
    assert_eq!(subjects(&*alice, &hers).await, ["new"]);
    assert_eq!(subjects(&*bob, &his).await, ["new"]);
    let item = Expected {
        item: numbers(&listing(&*bob, &his).await)[0],
        version: None,
    };
    // What somebody has read is not the folder's business.
    alice.update(hers.id, &[item], &read()).await.unwrap();
    assert_eq!(alice.folder(hers.id).await.unwrap().unread, 0);
    bob.update(his.id, &[item], &mark()).await.unwrap();
    let refused = alice.update(hers.id, &[item], &mark()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Denied);
    // They are nobody else's.
    let stranger = open(&standin, CAROL, "public/bob@example.test").await;
    assert_eq!(stranger.map(|_| ()).unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_says_which_mailboxes_there_are() {
    let standin = Standin::start();
    let principal = standin.sign_in(BOB).await.unwrap();
    standin
        .server
        .mailbox(ALICE)
        .grant_full_access("bob", true)
        .unwrap();
    let all = standin.exchange.mailboxes_of(&principal).await.unwrap();
    let kinds: Vec<_> = all
        .iter()
        .map(|mailbox| (mailbox.id.0.as_str(), mailbox.kind))
        .collect();
    assert!(kinds.contains(&(BOB, Kind::Own)), "{kinds:?}");
    assert!(
        kinds.contains(&("public/bob@example.test", Kind::Public)),
        "{kinds:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_named_by_address_also_where_the_table_does_not_say_it() {
    let standin = Standin::start();
    let hers = standin.server.mailbox(ALICE);
    let inbox_there = hers.inbox().unwrap();
    hers.grant(inbox_there, "bob", Granted::REVIEWER).unwrap();
    let (alice, inbox) = standin.alice().await;
    let table = alice.permissions(inbox.id).await.unwrap();
    let members: Vec<_> = table.iter().map(|row| &row.member).collect();
    assert_eq!(members, [&Member::User(BOB.to_owned())]);
}
