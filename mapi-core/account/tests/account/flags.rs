//! Flags and keywords through the store and back.

use account::{Expected, FlagChange, Flags, Version};

use crate::world::{ALICE, MESSAGE, World, add, any, change, inbox};

const ALL: [Flags; 7] = [
    Flags::SEEN,
    Flags::ANSWERED,
    Flags::FLAGGED,
    Flags::DELETED,
    Flags::DRAFT,
    Flags::FORWARDED,
    Flags::MDN_SENT,
];

#[tokio::test]
async fn every_flag_is_kept_set_and_cleared() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    for flag in ALL {
        let number = world.append_with(&alice, folder, flag, &[]).await;
        let flags = async || {
            alice
                .index(folder)
                .await
                .unwrap()
                .item(number)
                .unwrap()
                .flags
        };
        assert_eq!(flags().await, flag);
        let items = any(&[number]);
        for (change, expected) in [
            (change(Flags::NONE, flag), Flags::NONE),
            (add(Flags::ALL), Flags::ALL),
            (change(Flags::NONE, flag), !flag),
            (
                FlagChange::Set {
                    flags: flag,
                    keywords: Vec::new(),
                },
                flag,
            ),
        ] {
            let updated = alice.set_flags(folder, &items, &change).await.unwrap();
            assert_eq!(updated.changed, [number]);
            assert_eq!(flags().await, expected);
            let updated = alice.set_flags(folder, &items, &change).await.unwrap();
            assert_eq!(
                (updated.version, updated.changed.len()),
                (None, 0),
                "nothing to change"
            );
        }
    }
}

#[tokio::test]
async fn a_change_of_unlike_items_reaches_them_all() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let mut numbers = Vec::new();
    for flag in ALL {
        numbers.push(world.append_with(&alice, folder, flag, &[]).await);
    }
    let all = Flags::ANSWERED | Flags::FLAGGED;
    let updated = alice
        .set_flags(folder, &any(&numbers), &add(all))
        .await
        .unwrap();
    assert_eq!(updated.changed, numbers);
    let index = alice.index(folder).await.unwrap();
    assert!(
        index
            .iter()
            .zip(ALL)
            .all(|(item, flag)| item.flags == all | flag)
    );
}

#[tokio::test]
async fn an_item_with_a_newer_version_is_left_alone_and_named() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let (a, b) = (
        world.append(&alice, folder, MESSAGE).await,
        world.append(&alice, folder, MESSAGE).await,
    );
    let seen = alice.index(folder).await.unwrap().version();
    alice
        .set_flags(folder, &any(&[b]), &add(Flags::SEEN))
        .await
        .unwrap();
    let expected = [a, b].map(|item| Expected {
        item,
        version: Some(seen),
    });
    let updated = alice
        .set_flags(folder, &expected, &add(Flags::FLAGGED))
        .await
        .unwrap();
    assert_eq!((updated.changed, updated.stale), (vec![a], vec![b]));
    let never = [Expected {
        item: a,
        version: Some(Version(0)),
    }];
    let updated = alice
        .set_flags(folder, &never, &add(Flags::FLAGGED))
        .await
        .unwrap();
    assert_eq!(updated.stale, [a], "also when there is nothing to change");
}

#[tokio::test]
async fn keywords_are_compared_without_case_and_keep_the_folders_first_spelling() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    world
        .append_with(&alice, folder, Flags::NONE, &["Work"])
        .await;
    let b = world
        .append_with(&alice, folder, Flags::NONE, &["WORK", "$Label1"])
        .await;
    let keywords = async |number| {
        let index = alice.index(folder).await.unwrap();
        let set = index.item(number).unwrap().keywords;
        index
            .keywords()
            .set(set)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(keywords(b).await, ["Work", "$Label1"]);
    let change = FlagChange::Delta {
        add: Flags::NONE,
        remove: Flags::NONE,
        add_keywords: vec!["work".into(), "Später".into()],
        remove_keywords: vec!["$LABEL1".into()],
    };
    alice.set_flags(folder, &any(&[b]), &change).await.unwrap();
    assert_eq!(keywords(b).await, ["Work", "Später"]);
    let set = FlagChange::Set {
        flags: Flags::SEEN,
        keywords: vec!["wOrK".into(), "work".into()],
    };
    alice.set_flags(folder, &any(&[b]), &set).await.unwrap();
    assert_eq!(keywords(b).await, ["Work"]);
}

#[tokio::test]
async fn thousands_of_keyword_sets_come_and_go() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = inbox(&alice).await;
    let number = world.append(&alice, folder, MESSAGE).await;
    for n in 0..3000 {
        let keywords = vec![format!("k{n}").into()];
        let set = FlagChange::Set {
            flags: Flags::NONE,
            keywords,
        };
        alice
            .set_flags(folder, &any(&[number]), &set)
            .await
            .unwrap();
    }
    let index = alice.index(folder).await.unwrap();
    assert_eq!(
        index
            .keywords()
            .set(index.get(0).unwrap().keywords)
            .collect::<Vec<_>>(),
        ["k2999"]
    );
    assert!(
        index.keywords().names().len() < 1100,
        "those no longer in use are forgotten"
    );
}
