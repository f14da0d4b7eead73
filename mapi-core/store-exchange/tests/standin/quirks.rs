//! Servers with ways of their own.

use std::sync::Arc;

use bytes::Bytes;
use exchange_standin::{
    Config, Manners, What,
    model::{draft::Draft as Mail, message_changes::Deletion, permission::Rights as Granted},
};
use mapi_store::{Backend, ErrorKind, FolderInfo, Store};
use mapi_types::{
    Draft, ItemKey, MailboxId, Message, MessageTree, OwnedValue, PropBag, Version, tags,
};

use crate::subject::{ALICE, Standin, listing, numbers};

const BOB: &str = "bob@example.test";
const PUBLIC: &str = "public/bob@example.test";

/// More than goes in one piece of an upload.
const LARGE_OCTETS: usize = 100_000;

async fn folder(standin: &Standin, mailbox: &str, name: &str) -> (Arc<dyn Store>, FolderInfo) {
    let bob = standin.sign_in(BOB).await.unwrap();
    let mailbox = MailboxId(mailbox.to_owned());
    let store = standin.exchange.logon(&bob, &mailbox).await.unwrap();
    let mut tree = store.hierarchy(Version(0)).await.unwrap().changed;
    tree.retain(|folder| folder.name == name);
    (store, tree.remove(0))
}

fn draft(key: &str, octets: usize) -> Draft {
    let text = |value: &str| OwnedValue::Str(value.into());
    let props = [
        (tags::MESSAGE_CLASS.tag(), text("IPM.Note")),
        (tags::SUBJECT.tag(), text(key)),
        (tags::BODY.tag(), text(&"x".repeat(octets))),
    ];
    let tree = MessageTree {
        props: props.into_iter().collect(),
        ..MessageTree::default()
    };
    Draft {
        key: Some(ItemKey(key.as_bytes().into())),
        message: Arc::new(Message {
            tree,
            ..Message::default()
        }),
        props: PropBag::default(),
        prefix: Bytes::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_add_adds_once_each_where_the_server_insists_on_ids_of_its_own() {
    let standin = Standin::with(Config {
        manners: Manners {
            refuses_ids_of_adders: true,
            ..Manners::default()
        },
        ..Config::default()
    });
    let hers = standin.server.mailbox(ALICE);
    let top = hers.folder("").unwrap();
    let there = hers.create_folder(top, "Letters", "IPF.Note").unwrap();
    let adder = Granted::VISIBLE.and(Granted::CREATE);
    hers.grant(there, "bob", adder).unwrap();
    let (alice, _) = standin.alice().await;
    let (his, letters) = folder(&standin, ALICE, "Letters").await;

    let drafts = [
        draft("small", 10),
        draft("large", LARGE_OCTETS),
        draft("small", 10),
    ];
    let saved = his.save(letters.id, &drafts).await.unwrap();
    assert_eq!(hers.subjects(there).unwrap(), ["small", "large"]);
    let existing: Vec<_> = saved.iter().map(|one| one.existing).collect();
    assert_eq!(existing, [false, false, true]);
    assert_eq!(saved[0].number, saved[2].number);
    assert_ne!(saved[0].number, saved[1].number);
    let again = his.save(letters.id, &drafts[..1]).await.unwrap();
    assert!(again[0].existing);
    assert_eq!(again[0].number, saved[0].number);
    // What the next synchronization brings are the items that were saved.
    let mailbox = MailboxId(ALICE.to_owned());
    standin
        .exchange
        .synchronize(&mailbox, letters.id)
        .await
        .unwrap();
    let known = numbers(&listing(&*alice, &letters).await);
    assert_eq!(known, [saved[0].number, saved[1].number]);

    // Nobody knows what became of this one, so it is not sent again.
    standin
        .server
        .faults()
        .next_rop("CreateMessage", What::LOSE_ANSWER);
    let unsure = his.save(letters.id, &[draft("unsure", 10)]).await;
    assert_eq!(unsure.unwrap_err().kind, ErrorKind::Unavailable);
    let subjects = hers.subjects(there).unwrap();
    assert_eq!(subjects, ["small", "large", "unsure"]);

    hers.grant(there, "bob", Granted::VISIBLE).unwrap();
    let refused = his.save(letters.id, &[draft("no more", 10)]).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn public_folders_keep_their_items_where_the_server_says_each_time_that_they_are_gone() {
    let standin = Standin::with(Config {
        manners: Manners {
            forgets_public_folders: true,
            ..Manners::default()
        },
        ..Config::default()
    });
    let public = standin.server.public_folders();
    let top = public.folder("").unwrap();
    let there = public.create_folder(top, "News", "IPF.Note").unwrap();
    public.grant(there, "", Granted::REVIEWER).unwrap();
    let mail = |subject: &str| Mail {
        subject: subject.to_owned(),
        ..Mail::default()
    };
    let one = public.create(there, mail("one")).unwrap();
    public.create(there, mail("two")).unwrap();
    let (store, news) = folder(&standin, PUBLIC, "News").await;
    let all = numbers(&listing(&*store, &news).await);
    assert_eq!(all.len(), 2);
    let before = store.folder(news.id).await.unwrap().version;
    let synchronize = async || {
        let mailbox = MailboxId(PUBLIC.to_owned());
        let done = standin.exchange.synchronize(&mailbox, news.id).await;
        done.unwrap();
    };
    synchronize().await;
    assert_eq!(store.folder(news.id).await.unwrap().version, before);
    assert_eq!(numbers(&listing(&*store, &news).await), all);
    public.delete(one, Deletion::Hard).unwrap();
    synchronize().await;
    assert_eq!(numbers(&listing(&*store, &news).await), all[1..]);
}
