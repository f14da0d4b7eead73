//! What the remote lets others do.

use mapi_store::{ErrorKind, Member, Permission, Principal, Rights};
use mapi_types::{FolderId, Version};
use store_openchange::{Mirror, Options};

use crate::{kit::Folder, remote::furnished};

const BOB: &str = "bob@example.test";

fn who(user: &str) -> Principal {
    Principal { user: user.into() }
}

fn row(member: Member, rights: Rights) -> Permission {
    Permission { member, rights }
}

async fn rights(mirror: &Mirror, user: &str, folder: FolderId) -> Option<Rights> {
    let info = mirror.store_for(&who(user)).folder(folder).await;
    match info {
        Ok(info) => Some(info.rights),
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::NotFound);
            None
        }
    }
}

#[tokio::test]
async fn the_remotes_word_on_somebody_stands_above_the_table() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, inbox, other) = furnished(&data).await;
    let table = [
        row(Member::Default, Rights::REVIEWER),
        row(Member::User("carol@example.test".into()), Rights::EDITOR),
    ];
    mirror.store().set_permissions(inbox, &table).await.unwrap();
    let word = vec![(inbox, Rights::NONE), (other, Rights::EDITOR)];
    mirror
        .set_rights(&who("Bob@example.test"), word)
        .await
        .unwrap();
    assert_eq!(rights(&mirror, BOB, inbox).await, None);
    assert_eq!(rights(&mirror, BOB, other).await, Some(Rights::EDITOR));
    let reviewer = Some(Rights::REVIEWER);
    assert_eq!(rights(&mirror, "dan@example.test", inbox).await, reviewer);
    let editor = Some(Rights::EDITOR);
    assert_eq!(rights(&mirror, "carol@example.test", inbox).await, editor);
    assert_eq!(rights(&mirror, "", inbox).await, None);
    let word = vec![(inbox, Rights::REVIEWER)];
    mirror.set_rights(&who(""), word).await.unwrap();
    assert_eq!(rights(&mirror, "", inbox).await, reviewer);
    let kept = mirror.store().permissions(inbox).await.unwrap();
    assert_eq!(&kept[..2], &table);
}

#[tokio::test]
async fn what_is_no_news_is_not_written_and_what_is_stands_in_the_log() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, inbox, other) = furnished(&data).await;
    let store = mirror.store_for(&who(BOB));
    let start = store.hierarchy(Version(0)).await.unwrap().to;
    let table = [row(Member::Default, Rights::REVIEWER)];
    mirror.store().set_permissions(inbox, &table).await.unwrap();
    let word = vec![(inbox, Rights::REVIEWER), (other, Rights::NONE)];
    mirror.set_rights(&who(BOB), word).await.unwrap();
    assert_eq!(mirror.store().permissions(inbox).await.unwrap(), table);
    let granted = store.hierarchy(start).await.unwrap();
    assert_eq!(granted.changed.len(), 1);
    let word = vec![(inbox, Rights::NONE), (FolderId(99), Rights::ALL)];
    mirror.set_rights(&who(BOB), word).await.unwrap();
    let revoked = store.hierarchy(granted.to).await.unwrap();
    assert_eq!((revoked.changed.len(), revoked.removed), (0, vec![inbox]));
}
