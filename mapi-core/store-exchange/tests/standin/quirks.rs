//! Servers with ways of their own.

use std::sync::Arc;

use exchange_standin::{
    Config, Manners,
    model::{draft::Draft as Mail, message_changes::Deletion, permission::Rights as Granted},
};
use mapi_store::{Backend, FolderInfo, Store};
use mapi_types::{MailboxId, Version};

use crate::subject::{Standin, listing, numbers};

const BOB: &str = "bob@example.test";
const PUBLIC: &str = "public/bob@example.test";

async fn folder(standin: &Standin, mailbox: &str, name: &str) -> (Arc<dyn Store>, FolderInfo) {
    let bob = standin.sign_in(BOB).await.unwrap();
    let mailbox = MailboxId(mailbox.to_owned());
    let store = standin.exchange.logon(&bob, &mailbox).await.unwrap();
    let mut tree = store.hierarchy(Version(0)).await.unwrap().changed;
    tree.retain(|folder| folder.name == name);
    (store, tree.remove(0))
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
