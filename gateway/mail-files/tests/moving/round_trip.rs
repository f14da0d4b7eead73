//! What goes out and comes in again is what it was.

use std::fs;

use account::{Flags, NewFolder};
use mail_files::Format;
use proptest::prelude::*;

use crate::world::{ALICE, BOB, Message, World, inbox, mailbox, messages};

const ODD: [&[u8]; 9] = [
    b"",
    b"\n",
    b"From x\n>From y\n>>From z",
    b"Subject: a\r\n\r\nno end",
    b"\0\0\xff\xfe\r\r\n\n",
    b"From MAILER-DAEMON Tue Nov 14 22:13:20 2023\n\n",
    b"\x1aX\r\n.\r\n",
    "Subject: \u{e4}\r\n\r\n".as_bytes(),
    b"\n\n\n",
];

fn octets() -> impl Strategy<Value = Vec<u8>> {
    let odd = (0..ODD.len()).prop_map(|at| ODD[at].to_vec());
    let pieces = proptest::collection::vec(prop_oneof![odd, any::<Vec<u8>>()], 1..6);
    pieces.prop_map(|pieces| pieces.concat())
}

fn message() -> impl Strategy<Value = Message> {
    let flag = [
        Flags::SEEN,
        Flags::ANSWERED,
        Flags::FLAGGED,
        Flags::DELETED,
        Flags::DRAFT,
        Flags::FORWARDED,
        Flags::MDN_SENT,
    ];
    let flags = proptest::collection::vec(proptest::sample::select(flag.to_vec()), 0..4);
    let flags = flags.prop_map(|flags| flags.into_iter().fold(Flags::NONE, |all, flag| all | flag));
    let keyword = proptest::sample::select(vec!["$Work", "Red category", "gr\u{fc}n", "a=20"]);
    let keywords = proptest::collection::btree_set(keyword, 0..3);
    let keywords = keywords.prop_map(|words| words.into_iter().map(Box::from).collect());
    (octets(), flags, keywords, 0_i64..4_000_000_000)
}

/// Sorted: files are imported in the order in which messages were received.
fn sorted(mut messages: Vec<Message>) -> Vec<Message> {
    messages.sort_by_key(|(octets, flags, _, received)| (*received, flags.bits(), octets.clone()));
    messages
}

async fn survive(format: Format, all: Vec<Message>) {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let folder = alice
        .create_folder(&NewFolder {
            parent: Some(inbox(&alice).await),
            name: "v1.0 / \u{e4}\\2e".to_owned(),
            class: "IPF.Note".to_owned(),
        })
        .await
        .unwrap();
    for (at, message) in all.iter().enumerate() {
        let folder = if at % 2 == 0 {
            inbox(&alice).await
        } else {
            folder.id
        };
        world.append(&alice, folder, message).await;
    }
    let count = all.len() as u64;
    let exported = world
        .export(ALICE, |export| export.format = format)
        .await
        .unwrap();
    assert_eq!((exported.messages, exported.failed), (count, 0));
    let imported = world.import(BOB, |_| ()).await.unwrap();
    assert_eq!((imported.messages, imported.failed), (count, 0));
    let (before, after) = (mailbox(&alice).await, mailbox(&world.open(BOB).await).await);
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    for (path, messages) in before {
        assert_eq!(sorted(messages), sorted(after[&path].clone()), "{path:?}");
    }
}

fn run(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn messages_of_any_octets_survive_in_a_maildir(all in proptest::collection::vec(message(), 1..8)) {
        run(survive(Format::Maildir, all));
    }

    #[test]
    fn messages_of_any_octets_survive_as_eml_files(all in proptest::collection::vec(message(), 1..8)) {
        run(survive(Format::Eml, all));
    }
}

#[tokio::test]
async fn a_maildir_of_another_server_is_understood() {
    let world = World::new().await;
    let place = world.place();
    for folder in ["", ".Sent", ".Entw&APw-rfe.alt"] {
        for sub in ["cur", "new", "tmp"] {
            fs::create_dir_all(place.join(folder).join(sub)).unwrap();
        }
    }
    fs::write(place.join("dovecot-keywords"), "0 $Label1\n1 Red=20one\n").unwrap();
    for (path, octets) in [
        ("cur/1.M1.host,S=9,W=10:2,FSab", "Subject: a\n"),
        ("new/2.M2.host", "Subject: b\n"),
        ("tmp/3.M3.host", "half"),
        (".Sent/cur/4.M4.host:2,S", "Subject: d\n"),
        (".Entw&APw-rfe.alt/cur/5.M5.host:2,D", "Subject: e\n"),
    ] {
        fs::write(place.join(path), octets).unwrap();
    }
    let imported = world.import(ALICE, |_| ()).await.unwrap();
    assert_eq!((imported.messages, imported.bytes), (4, 44));
    let alice = world.open(ALICE).await;
    let found = messages(&alice, inbox(&alice).await).await;
    let marks: Vec<_> = found
        .iter()
        .map(|(_, flags, words, _)| (*flags, words.clone()))
        .collect();
    let first = (
        Flags::FLAGGED | Flags::SEEN,
        vec!["$Label1".into(), "Red one".into()],
    );
    assert_eq!(marks, [first, (Flags::NONE, vec![])]);
    let paths: Vec<_> = mailbox(&alice)
        .await
        .into_keys()
        .map(|path| path.join("|"))
        .collect();
    assert_eq!(paths, ["Entw\u{fc}rfe|alt", "Inbox", "Sent Items"]);
}

#[tokio::test]
async fn one_folder_goes_out_and_comes_into_another() {
    let world = World::new().await;
    let alice = world.open(ALICE).await;
    let message = (
        b"Subject: a\r\n\r\n".to_vec(),
        Flags::SEEN,
        vec![],
        1_700_000_000,
    );
    world.append(&alice, inbox(&alice).await, &message).await;
    let exported = world
        .export(ALICE, |export| export.folder = Some("inbox".into()))
        .await;
    assert_eq!(exported.unwrap().messages, 1);
    let imported = world
        .import(BOB, |import| import.into = Some("Old/2023".into()))
        .await;
    assert_eq!(imported.unwrap().messages, 1);
    let found = mailbox(&world.open(BOB).await).await;
    assert_eq!(found[&vec!["Old".to_owned(), "2023".to_owned()]], [message]);
    assert!(
        world
            .export(ALICE, |export| export.folder = Some("No".into()))
            .await
            .is_err()
    );
}
