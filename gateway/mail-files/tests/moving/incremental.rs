//! A second run moves what changed since the first.

use std::fs;

use account::{Expected, FlagChange, Flags, ItemNumber};

use crate::world::{ALICE, BOB, Message, World, files, inbox, messages};

fn message(n: i64) -> Message {
    let text = format!("Subject: {n}\r\n\r\n");
    (text.into_bytes(), Flags::NONE, vec![], 1_700_000_000 + n)
}

fn add(flags: Flags, keywords: &[&str]) -> FlagChange {
    FlagChange::Delta {
        add: flags,
        remove: Flags::NONE,
        add_keywords: keywords.iter().map(|word| Box::from(*word)).collect(),
        remove_keywords: vec![],
    }
}

async fn exported(count: i64) -> World {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    for n in 0..count {
        world.append(&alice, inbox(&alice).await, &message(n)).await;
    }
    world.export(ALICE, |_| ()).await.unwrap();
    world
}

#[tokio::test]
async fn an_export_follows_flags_new_messages_and_deletions() {
    let world = exported(3).await;
    let alice = world.open(ALICE).await;
    let (folder, cur) = (inbox(&alice).await, world.place().join("cur"));
    let item = |number| Expected {
        item: ItemNumber(number),
        version: None,
    };
    let flagged = add(Flags::FLAGGED, &["Work"]);
    alice.set_flags(folder, &[item(2)], &flagged).await.unwrap();
    alice.delete_items(folder, &[ItemNumber(1)]).await.unwrap();
    world.append(&alice, folder, &message(9)).await;
    let second = world.export(ALICE, |_| ()).await.unwrap();
    assert_eq!(
        (
            second.messages,
            second.skipped,
            second.marked,
            second.deleted
        ),
        (1, 2, 1, 0)
    );
    let names = files(&cur);
    assert_eq!(names.len(), 4);
    assert!(names[1].to_str().unwrap().ends_with(":2,Fa"), "{names:?}");
    let third = world
        .export(ALICE, |export| export.delete = true)
        .await
        .unwrap();
    assert_eq!(
        (third.messages, third.skipped, third.marked, third.deleted),
        (0, 3, 0, 1)
    );
    assert_eq!(files(&cur), names[1..]);
}

#[tokio::test]
async fn an_export_is_made_whole_when_a_file_or_the_journal_is_gone() {
    let world = exported(3).await;
    let cur = world.place().join("cur");
    let names = files(&cur);
    fs::remove_file(&names[1]).unwrap();
    assert_eq!(world.export(ALICE, |_| ()).await.unwrap().messages, 1);
    fs::remove_file(world.place().join("dragoman-export")).unwrap();
    assert_eq!(world.export(ALICE, |_| ()).await.unwrap().messages, 3);
    assert_eq!(files(&cur), names);
}

#[tokio::test]
async fn an_export_of_one_mailbox_is_not_mixed_with_that_of_another() {
    let world = exported(1).await;
    let refused = world.export(BOB, |_| ()).await.unwrap_err().to_string();
    assert!(
        refused.contains("not of Archive of bob@example.test"),
        "{refused}"
    );
}

#[tokio::test]
async fn an_import_follows_flags_new_files_and_deletions() {
    let world = exported(3).await;
    let cur = world.place().join("cur");
    assert_eq!(world.import(BOB, |_| ()).await.unwrap().messages, 3);
    let bob = world.open(BOB).await;
    let folder = inbox(&bob).await;
    // What was changed in the mailbox stays.
    let kept = [Expected {
        item: ItemNumber(2),
        version: None,
    }];
    let answered = add(Flags::ANSWERED, &[]);
    bob.set_flags(folder, &kept, &answered).await.unwrap();
    let names = files(&cur);
    let seen = format!("{}S", names[1].display());
    fs::rename(&names[1], seen).unwrap();
    fs::remove_file(&names[0]).unwrap();
    fs::write(cur.join("1900000000.M1.host:2,"), "Subject: new\n").unwrap();
    let second = world.import(BOB, |_| ()).await.unwrap();
    assert_eq!(
        (
            second.messages,
            second.skipped,
            second.marked,
            second.deleted
        ),
        (1, 2, 1, 0)
    );
    let flags: Vec<_> = messages(&bob, folder)
        .await
        .iter()
        .map(|message| message.1)
        .collect();
    let both = Flags::ANSWERED | Flags::SEEN;
    assert_eq!(flags, [Flags::NONE, both, Flags::NONE, Flags::NONE]);
    let third = world
        .import(BOB, |import| import.delete = true)
        .await
        .unwrap();
    assert_eq!((third.messages, third.skipped, third.deleted), (0, 3, 1));
    assert_eq!(messages(&bob, folder).await.len(), 3);
}

#[tokio::test]
async fn an_import_doubles_nothing_when_its_journal_is_gone() {
    let world = exported(5).await;
    let journal = world.files.path().join("journals");
    let elsewhere = |import: &mut mail_files::Import| import.journal = Some(journal.clone());
    assert_eq!(world.import(BOB, elsewhere).await.unwrap().messages, 5);
    fs::remove_dir_all(&journal).unwrap();
    let second = world.import(BOB, elsewhere).await.unwrap();
    assert_eq!((second.messages, second.skipped), (0, 5));
    let bob = world.open(BOB).await;
    assert_eq!(messages(&bob, inbox(&bob).await).await.len(), 5);
}

#[tokio::test]
async fn what_was_imported_into_one_folder_is_known_after_an_import_into_another() {
    let world = exported(3).await;
    let into = |name: &str| {
        let name = name.to_owned();
        move |import: &mut mail_files::Import| import.into = Some(name)
    };
    for name in ["One", "Two"] {
        assert_eq!(world.import(BOB, into(name)).await.unwrap().messages, 3);
    }
    let bob = world.open(BOB).await;
    let tree = bob.folders().await.unwrap();
    let one = tree.child(None, "One").unwrap().id;
    bob.delete_items(one, &[ItemNumber(2)]).await.unwrap();
    for name in ["One", "Two", "One"] {
        let again = world.import(BOB, into(name)).await.unwrap();
        assert_eq!((again.messages, again.skipped), (0, 3), "{name}");
    }
    // What its owner deleted does not come back.
    assert_eq!(messages(&bob, one).await.len(), 2);
}

#[tokio::test]
async fn a_message_that_is_there_already_gets_the_marks_of_its_file() {
    let world = exported(2).await;
    let journal = world.files.path().join("journals");
    let elsewhere = |import: &mut mail_files::Import| import.journal = Some(journal.clone());
    assert_eq!(world.import(BOB, elsewhere).await.unwrap().messages, 2);
    fs::remove_dir_all(&journal).unwrap();
    let names = files(&world.place().join("cur"));
    fs::rename(&names[0], format!("{}FS", names[0].display())).unwrap();
    let second = world.import(BOB, elsewhere).await.unwrap();
    assert_eq!((second.messages, second.skipped, second.marked), (0, 2, 1));
    let bob = world.open(BOB).await;
    let flags = messages(&bob, inbox(&bob).await).await;
    let flags: Vec<_> = flags.iter().map(|message| message.1).collect();
    assert_eq!(flags, [Flags::FLAGGED | Flags::SEEN, Flags::NONE]);
}

#[tokio::test]
async fn two_files_of_one_name_are_two_messages_unless_they_are_the_same() {
    let world = exported(1).await;
    let (cur, new) = (world.place().join("cur"), world.place().join("new"));
    for (folder, name, text) in [
        (&cur, "17.M1.host:2,S", "Subject: one\n"),
        (&cur, "17.M1.host:2,FS", "Subject: two\n"),
        (&new, "17.M1.host", "Subject: one\n"),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    assert_eq!(world.import(BOB, |_| ()).await.unwrap().messages, 3);
    let again = world.import(BOB, |_| ()).await.unwrap();
    assert_eq!((again.messages, again.skipped), (0, 3));
}

#[tokio::test]
async fn a_folder_that_is_not_for_mail_takes_none() {
    let world = exported(1).await;
    let bob = world.open(BOB).await;
    for name in ["Calendar", "Contacts"] {
        let into = |import: &mut mail_files::Import| import.into = Some(name.to_owned());
        let refused = world.import(BOB, into).await.unwrap_err().to_string();
        assert!(refused.contains("not for mail"), "{refused}");
    }
    assert!(messages(&bob, inbox(&bob).await).await.is_empty());
}
