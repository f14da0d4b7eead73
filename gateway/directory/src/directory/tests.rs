use std::{fs, sync::Barrier, thread};

use tempfile::TempDir;

use super::*;
use crate::AddressError;

const ALICE: &str = "alice@example.test";

/// A directory in a file, looking for changes at every use.
fn on_disk() -> (TempDir, Directory) {
    let folder = tempfile::tempdir().expect("folder");
    let directory = open(&folder);
    (folder, directory)
}

fn open(folder: &TempDir) -> Directory {
    let directory = Directory::open(&folder.path().join("directory.toml")).expect("opened");
    if let Place::File { watch, .. } = &directory.place {
        watch.lock().expect("lock").look_every = Duration::ZERO;
    }
    directory
}

fn verified(directory: &Directory, name: &str, password: &str) -> bool {
    matches!(directory.verify(name, password.as_bytes()), Verdict::Verified(user) if user.address.to_string() == ALICE)
}

#[test]
fn a_user_logs_in_by_address_or_name_and_only_with_the_password() {
    let directory = Directory::in_memory().expect("directory");
    let user = directory
        .add_user("Alice@Example.test", "open sesame")
        .expect("added");
    assert_eq!(
        (user.address.to_string().as_str(), user.mailbox.as_str()),
        (ALICE, ALICE)
    );
    assert!(user.created.ends_with('Z'));
    for name in [ALICE, "ALICE@example.TEST", "alice"] {
        assert!(verified(&directory, name, "open sesame"), "{name}");
        assert!(!verified(&directory, name, "open barley"), "{name}");
    }
    for name in ["bob", "bob@example.test", "", "alice+x@example.test"] {
        assert!(!verified(&directory, name, "open sesame"), "{name}");
    }
    assert_eq!(directory.verify(ALICE, b""), Verdict::Refused);
}

#[test]
fn a_changed_password_or_a_disabled_user_is_in_force_at_once() {
    let directory = Directory::in_memory().expect("directory");
    directory.add_user(ALICE, "open sesame").expect("added");
    assert!(verified(&directory, ALICE, "open sesame"));
    directory
        .set_password(ALICE, "open barley")
        .expect("changed");
    assert!(!verified(&directory, ALICE, "open sesame"));
    assert!(verified(&directory, ALICE, "open barley"));
    let known = directory.scram_verifier(ALICE).expect("verifier");
    directory.disable_user(ALICE).expect("disabled");
    assert!(!verified(&directory, ALICE, "open barley"));
    assert_ne!(directory.scram_verifier(ALICE).expect("verifier"), known);
    assert!(directory.resolve(ALICE).is_some());
    directory.enable_user(ALICE).expect("enabled");
    assert!(verified(&directory, ALICE, "open barley"));
    directory.remove_user(ALICE).expect("removed");
    assert!(!verified(&directory, ALICE, "open barley"));
    assert!(directory.resolve(ALICE).is_none());
}

#[test]
fn everything_is_there_after_opening_again() {
    let (folder, directory) = on_disk();
    directory.add_user(ALICE, "open sesame").expect("added");
    directory.add_shared("info@example.test").expect("added");
    directory
        .add_alias(
            "sales@example.test",
            &["alice@example.test", "Info@example.test"],
        )
        .expect("added");
    let again = open(&folder);
    assert_eq!(again.users(), directory.users());
    assert_eq!(again.aliases(), directory.aliases());
    assert_eq!(again.shared(), directory.shared());
    assert_eq!(
        again
            .resolve("sales@example.test")
            .map(|mailboxes| mailboxes.len()),
        Some(2)
    );
    assert_eq!(
        again.scram_verifier(ALICE).expect("verifier"),
        directory.scram_verifier(ALICE).expect("verifier")
    );
    assert_eq!(
        again.scram_verifier("bob").expect("verifier"),
        directory.scram_verifier("bob").expect("verifier")
    );
    assert!(verified(&again, ALICE, "open sesame"));
}

#[test]
fn a_change_by_another_process_is_seen_and_not_overwritten() {
    let (folder, ours) = on_disk();
    let theirs = open(&folder);
    ours.add_user(ALICE, "open sesame").expect("added");
    assert!(verified(&theirs, ALICE, "open sesame"));
    theirs.add_shared("info@example.test").expect("added");
    ours.add_shared("help@example.test").expect("added");
    for directory in [&ours, &theirs] {
        assert_eq!(directory.shared().len(), 2);
        assert_eq!(directory.users().len(), 1);
    }
}

#[test]
fn a_broken_file_is_reported_and_what_was_known_stays_in_force() {
    let (folder, directory) = on_disk();
    directory.add_shared("info@example.test").expect("added");
    let path = folder.path().join("directory.toml");
    let good = fs::read_to_string(&path).expect("text");
    fs::write(&path, format!("{good}[[shared]]\naddress = 1\n")).expect("written");
    assert_eq!(directory.shared().len(), 1);
    let line = good.lines().count() + 2;
    assert!(matches!(directory.reload(), Err(Error::Broken { line: found, .. }) if found == line));
    assert!(matches!(
        directory.add_shared("help@example.test"),
        Err(Error::Broken { .. })
    ));
    assert!(matches!(Directory::open(&path), Err(Error::Broken { .. })));
    fs::write(
        &path,
        format!("{good}[[shared]]\naddress = \"help@example.test\"\n"),
    )
    .expect("written");
    assert_eq!(directory.shared().len(), 2);
    fs::remove_file(&path).expect("removed");
    assert_eq!(directory.shared().len(), 2);
}

#[test]
fn changes_from_many_sides_at_once_all_arrive() {
    let (folder, _) = on_disk();
    let (threads, each) = (4, 8);
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        for thread in 0..threads {
            let (directory, barrier) = (open(&folder), &barrier);
            scope.spawn(move || {
                barrier.wait();
                for n in 0..each {
                    directory
                        .add_shared(&format!("m{thread}-{n}@example.test"))
                        .expect("added");
                }
            });
        }
    });
    assert_eq!(open(&folder).shared().len(), threads * each);
}

#[test]
fn what_cannot_be_added_is_refused_with_the_reason() {
    let directory = Directory::in_memory().expect("directory");
    directory.add_shared("info@example.test").expect("added");
    assert!(matches!(
        directory.add_user("info@example.test", "pw"),
        Err(Error::Exists(_))
    ));
    assert!(matches!(
        directory.add_shared("INFO@example.test"),
        Err(Error::Exists(_))
    ));
    assert!(matches!(
        directory.add_alias("info@example.test", &["info@example.test"]),
        Err(Error::Exists(_))
    ));
    assert!(matches!(
        directory.add_user(ALICE, ""),
        Err(Error::Password(_))
    ));
    assert!(matches!(
        directory.set_password(ALICE, "pw"),
        Err(Error::Unknown(_))
    ));
    assert!(matches!(
        directory.remove_user("info@example.test"),
        Err(Error::Unknown(_))
    ));
    assert!(matches!(
        directory.remove_alias(ALICE),
        Err(Error::Unknown(_))
    ));
    assert!(matches!(
        directory.remove_shared(ALICE),
        Err(Error::Unknown(_))
    ));
    let error = directory.add_user("alice", "pw").expect_err("no address");
    assert_eq!(
        error.to_string(),
        "\"alice\" is not a usable address: @ and a domain expected, as in name@example.org"
    );
    for slash in [
        "../../etc/passwd@example.test",
        "a/b@example.test",
        "\"..\"@example.test",
    ] {
        assert!(
            matches!(directory.add_shared(slash), Err(Error::Address { .. })),
            "{slash}"
        );
    }
    assert!(matches!(
        directory.add_shared("a/b@example.test"),
        Err(Error::Address {
            reason: AddressError::MailboxCharacter('/'),
            ..
        })
    ));
}

#[test]
fn an_alias_leads_to_known_addresses_and_never_to_itself() {
    let directory = Directory::in_memory().expect("directory");
    directory.add_shared("info@example.test").expect("added");
    let add = |alias, targets: &[&str]| directory.add_alias(alias, targets);
    add(
        "a@example.test",
        &["info@example.test", "INFO@example.test"],
    )
    .expect("added");
    add(
        "b@example.test",
        &["a@example.test", "info+sales@example.test"],
    )
    .expect("added");
    assert!(matches!(
        add("c@example.test", &[]),
        Err(Error::Targets { .. })
    ));
    assert!(matches!(
        add("c@example.test", &["c@example.test"]),
        Err(Error::Loop(_))
    ));
    assert!(matches!(
        add("c@example.test", &["gone@example.test"]),
        Err(Error::UnknownTarget { .. })
    ));
    directory.remove_alias("a@example.test").expect("removed");
    assert!(matches!(
        add("a@example.test", &["b@example.test"]),
        Err(Error::Loop(_))
    ));
    assert_eq!(directory.aliases().len(), 1);
}

#[test]
fn unknown_and_short_names_do_not_tell_who_exists() {
    let directory = Directory::in_memory().expect("directory");
    directory.add_user(ALICE, "open sesame").expect("added");
    let of = |name| directory.scram_verifier(name).expect("verifier");
    for (short, long) in [("alice", ALICE), ("bob", "Bob@example.test")] {
        assert_eq!(of(short), of(long));
        assert_eq!(
            directory.throttle_name(short),
            directory.throttle_name(long)
        );
    }
    assert_eq!(of("bob").iterations, of("alice").iterations);
    assert_eq!(of("bob").salt.len(), of("alice").salt.len());
    assert_ne!(of("bob").salt, of("carol").salt);
    assert_eq!(directory.throttle_name("\0 odd"), "\0 odd");
}
