use std::{fs, sync::Barrier, thread};

use tempfile::TempDir;

use super::*;
use crate::{AddressError, Service};

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
    matches!(directory.verify(Service::Imap, name, password.as_bytes()), Verdict::Verified(user) if user.address.to_string() == ALICE)
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
    for (name, reason) in [(ALICE, Reason::WrongPassword), ("bob", Reason::UnknownUser)] {
        let verdict = directory.verify(Service::Imap, name, b"");
        assert_eq!(verdict, Verdict::Refused(reason), "{name}");
    }
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

#[test]
fn an_app_password_opens_what_it_is_for_until_it_is_removed() {
    let (folder, directory) = on_disk();
    directory.add_user(ALICE, "open sesame").expect("added");
    directory.add_user("bob@example.test", "pw").expect("added");
    let services = [Service::Imap, Service::Smtp].into();
    let (public, secret) = directory
        .add_app_password(ALICE, "Telephone", &services)
        .expect("made");
    let verify = |directory: &Directory, service, name: &str, secret: &str| match directory.verify(
        service,
        name,
        secret.as_bytes(),
    ) {
        Verdict::Verified(user) => Ok(user.address.to_string()),
        Verdict::Refused(reason) => Err(reason),
    };
    let again = open(&folder);
    for directory in [&directory, &again] {
        for (service, name, secret, expected) in [
            (Service::Imap, ALICE, secret.as_str(), Ok(ALICE.to_owned())),
            (
                Service::Smtp,
                "alice",
                &secret.to_uppercase(),
                Ok(ALICE.to_owned()),
            ),
            (Service::Pop3, ALICE, &secret, Err(Reason::OtherService)),
            (Service::Imap, "bob", &secret, Err(Reason::WrongPassword)),
            (Service::Imap, "nobody", &secret, Err(Reason::UnknownUser)),
            (Service::Pop3, ALICE, "open sesame", Ok(ALICE.to_owned())),
        ] {
            assert_eq!(
                verify(directory, service, name, secret),
                expected,
                "{service} {name}"
            );
        }
    }
    let listed = directory.app_passwords(ALICE).expect("listed");
    assert!(listed[0].last_used.is_some());
    assert_eq!(
        (&listed[0].id, &listed[0].services),
        (&public.id, &services)
    );
    let text = fs::read_to_string(folder.path().join("directory.toml")).expect("read");
    let bare = secret.replace('-', "");
    assert!(!text.contains(&secret) && !text.contains(&bare));
    directory
        .remove_app_password(ALICE, "Telephone")
        .expect("removed");
    for directory in [&directory, &again] {
        let verdict = verify(directory, Service::Imap, ALICE, &secret);
        assert_eq!(verdict, Err(Reason::WrongPassword));
    }
    assert!(matches!(
        directory.remove_app_password(ALICE, &public.id),
        Err(Error::UnknownAppPassword(_))
    ));
}

#[test]
fn where_app_passwords_are_required_the_users_own_opens_nothing() {
    let (folder, directory) = on_disk();
    directory.add_user(ALICE, "open sesame").expect("added");
    let known = directory.scram_verifier(ALICE).expect("verifier");
    // It is in the cache when it ceases to count.
    assert!(verified(&directory, ALICE, "open sesame"));
    let (_, secret) = directory
        .add_app_password(ALICE, "", &Service::ALL.into())
        .expect("made");
    directory
        .require_app_passwords(ALICE, true)
        .expect("changed");
    let verdict = directory.verify(Service::Imap, ALICE, b"open sesame");
    assert_eq!(verdict, Verdict::Refused(Reason::NoAppPassword));
    assert_ne!(directory.scram_verifier(ALICE).expect("verifier"), known);
    assert!(verified(&open(&folder), ALICE, &secret));
    directory.disable_user(ALICE).expect("disabled");
    let verdict = directory.verify(Service::Imap, ALICE, secret.as_bytes());
    assert_eq!(verdict, Verdict::Refused(Reason::Disabled));
    directory.enable_user(ALICE).expect("enabled");
    directory
        .require_app_passwords(ALICE, false)
        .expect("changed");
    assert!(verified(&directory, ALICE, "open sesame"));
}

#[test]
fn names_and_numbers_of_app_passwords_have_bounds() {
    let directory = Directory::in_memory().expect("directory");
    directory.add_user(ALICE, "open sesame").expect("added");
    let all = Service::ALL.into();
    for (name, services) in [
        ("n".repeat(101), &all),
        ("two\nlines".to_owned(), &all),
        ("fine".to_owned(), &std::collections::BTreeSet::new()),
    ] {
        let made = directory.add_app_password(ALICE, &name, services);
        assert!(matches!(made, Err(Error::AppPassword(_))), "{name}");
    }
    for _ in 0..crate::APP_PASSWORDS_MAX {
        directory
            .add_app_password(ALICE, "same", &all)
            .expect("made");
    }
    let made = directory.add_app_password(ALICE, "one more", &all);
    assert!(matches!(made, Err(Error::AppPassword(_))));
    let made = directory.add_app_password("bob@example.test", "", &all);
    assert!(matches!(made, Err(Error::Unknown(_))));
    // Of several with one name, the name does not tell which.
    assert!(directory.remove_app_password(ALICE, "same").is_err());
}
